//! C1: the committee of an epoch, and all quorum arithmetic. `N` is the total stake,
//! `F = floor((N-1)/3)` what may be faulty, quorum `Q = N - F`, validity `F + 1`. Any two quorums
//! share more than F of stake, hence an honest member; any validity set holds an honest member.
//! These formulas stand nowhere else.

mod draw;
mod sums;

pub use sums::StakeSums;

use crate::bls;
use crate::ed25519::{self, SIGNATURE_BYTES};
use crate::hash::keccak;
use crate::ids::{CommitteeDigest, Epoch, MemberIndex, Stake};
use serde::{Deserialize, Serialize};

/// Most members that a committee may have.
pub const MEMBERS_MAX: usize = 128;
/// Longest list of addresses of one member, in bytes.
pub const ADDRESSES_BYTES_MAX: usize = 512;

/// One bonded masternode, as the registry has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The registry's id; never used twice.
    pub id: u64,
    /// Voting weight, in whole bond units.
    pub stake: Stake,
    /// Signs vertices and is the libp2p identity.
    pub vertex_key: ed25519::PublicKey,
    /// Signs finality.
    #[serde(with = "finality_key_text")]
    pub finality_key: bls::PublicKey,
    /// Comma-separated libp2p multiaddresses and at most one `http` URL.
    pub addresses: String,
}

/// Members that make no committee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeError {
    #[error("a committee needs 1 to {MEMBERS_MAX} members, not {0}")]
    Size(usize),
    #[error("member {id} follows member {before}: ids must ascend")]
    Order { before: u64, id: u64 },
    #[error("member {0} has no stake")]
    NoStake(u64),
    #[error("total stake overflows at member {0}")]
    StakeOverflow(u64),
    #[error("members {0} and {1} have the same {2}")]
    SharedKey(u64, u64, &'static str),
    #[error("member {id} has {found} bytes of addresses, more than {ADDRESSES_BYTES_MAX}")]
    Addresses { id: u64, found: usize },
}

/// The members in office for one epoch, ordered by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    epoch: Epoch,
    members: Vec<Member>,
    total: Stake,
}

/// How much stake decides a leader slot (D1 to D4, D6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitRule {
    /// D1: voters among a vertex's parents that make the certificate pattern.
    pub certificate: Stake,
    /// D2: holders of the pattern that commit.
    pub slow: Stake,
    /// D3: members that vote for no vertex of the slot.
    pub skip: Stake,
    /// D6, when it is on.
    pub fast: Option<FastRule>,
}

/// D6: what the two-delay commit asks for in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FastRule {
    /// Votes that commit.
    pub votes: Stake,
    /// Votes in an anchor's history that make it commit without the certificate pattern.
    pub linked: Stake,
}

impl Committee {
    /// # Errors
    /// When ids do not ascend, a stake is zero, keys repeat, or there are none or too many members.
    pub fn new(epoch: Epoch, members: Vec<Member>) -> Result<Self, CommitteeError> {
        if members.is_empty() || members.len() > MEMBERS_MAX {
            return Err(CommitteeError::Size(members.len()));
        }
        let mut total = Stake::ZERO;
        for (i, member) in members.iter().enumerate() {
            let id = member.id;
            if member.stake == Stake::ZERO {
                return Err(CommitteeError::NoStake(id));
            }
            if member.addresses.len() > ADDRESSES_BYTES_MAX {
                let found = member.addresses.len();
                return Err(CommitteeError::Addresses { id, found });
            }
            // Three times the total must fit, for comparisons of thirds.
            total = total
                .checked_add(member.stake.0)
                .filter(|t| t.0.checked_mul(3).is_some())
                .ok_or(CommitteeError::StakeOverflow(id))?;
            if i > 0 && members[i - 1].id >= id {
                let before = members[i - 1].id;
                return Err(CommitteeError::Order { before, id });
            }
            for other in &members[..i] {
                if other.vertex_key == member.vertex_key {
                    return Err(CommitteeError::SharedKey(other.id, id, "vertex key"));
                }
                if other.finality_key == member.finality_key {
                    return Err(CommitteeError::SharedKey(other.id, id, "finality key"));
                }
            }
        }
        Ok(Self {
            epoch,
            members,
            total,
        })
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Number of members.
    #[inline]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// `None` when the committee has no such member.
    #[inline]
    pub fn member(&self, index: MemberIndex) -> Option<&Member> {
        self.members.get(index.as_usize())
    }

    /// All indices, ascending.
    #[inline]
    pub fn indices(
        &self,
    ) -> impl DoubleEndedIterator<Item = MemberIndex> + ExactSizeIterator + use<> {
        (0..self.members.len() as u32).map(MemberIndex)
    }

    /// The member that signs vertices with this key.
    pub fn index_of(&self, vertex_key: &ed25519::PublicKey) -> Option<MemberIndex> {
        let place = self
            .members
            .iter()
            .position(|m| m.vertex_key == *vertex_key)?;
        Some(MemberIndex(place as u32))
    }

    /// Zero for an index outside the committee.
    #[inline]
    pub fn stake(&self, index: MemberIndex) -> Stake {
        self.member(index).map_or(Stake::ZERO, |m| m.stake)
    }

    /// N: the total stake.
    #[inline]
    pub fn total(&self) -> Stake {
        self.total
    }

    /// F: the stake that may be faulty.
    #[inline]
    pub fn faulty(&self) -> Stake {
        Stake((self.total.0 - 1) / 3)
    }

    /// Q = N - F: strictly more than two thirds.
    #[inline]
    pub fn quorum(&self) -> Stake {
        Stake(self.total.0 - self.faulty().0)
    }

    /// F + 1: at least one honest member.
    #[inline]
    pub fn validity(&self) -> Stake {
        self.faulty().next()
    }

    /// D6: the stake that may lie, when that is so many per cent of all stake: F at the most.
    pub fn byzantine(&self, percent: u32) -> Stake {
        let part = u128::from(self.total.0) * u128::from(percent) / 100;
        Stake(u64::try_from(part).map_or(self.faulty().0, |part| part.min(self.faulty().0)))
    }

    /// D1 to D4: a quorum for everything.
    pub fn three_delay_rule(&self) -> CommitRule {
        CommitRule {
            certificate: self.quorum(),
            slow: self.quorum(),
            skip: self.quorum(),
            fast: None,
        }
    }

    /// D6: the rule when of the F that may be faulty at most `byzantine` (f) may lie, and the rest
    /// only crash. With p = floor((Q - 2f - 1) / 2) of slack a fast commit takes N - p votes. A
    /// vertex with Q of parents then has among them Q - f - p honest ones that voted for it, which
    /// is more than the f + p that any other version, or a slot that was skipped, can show. `None`
    /// when f is above F.
    pub fn two_delay_rule(&self, byzantine: Stake) -> Option<CommitRule> {
        let (total, faulty, quorum) = (self.total.0, self.faulty().0, self.quorum().0);
        let f = byzantine.0;
        if f > faulty {
            return None;
        }
        let slack = (quorum - 2 * f - 1) / 2;
        let linked = quorum - f - slack;
        Some(CommitRule {
            certificate: Stake((total + f) / 2 + 1),
            slow: Stake(faulty + f + 1),
            skip: Stake(total + f + 1 - linked),
            fast: Some(FastRule {
                votes: Stake(total - slack),
                linked: Stake(linked),
            }),
        })
    }

    /// The stake of distinct members.
    #[inline]
    pub fn stake_of(&self, members: &MemberSet) -> Stake {
        Stake(members.iter().map(|m| self.stake(m).0).sum())
    }

    #[inline]
    pub fn is_quorum(&self, members: &MemberSet) -> bool {
        self.stake_of(members) >= self.quorum()
    }

    #[inline]
    pub fn is_validity(&self, members: &MemberSet) -> bool {
        self.stake_of(members) >= self.validity()
    }

    /// As the registry's contract computes it: keccak256 over the epoch and each member's id, weight
    /// and digest of keys and addresses.
    pub fn digest(&self) -> CommitteeDigest {
        let mut words = Vec::with_capacity(32 * (1 + 3 * self.members.len()));
        words.extend_from_slice(&word(self.epoch.0));
        for member in &self.members {
            words.extend_from_slice(&word(member.id));
            words.extend_from_slice(&word(member.stake.0));
            let keys = key_digest(&member.vertex_key, &member.finality_key, &member.addresses);
            words.extend_from_slice(&keys);
        }
        CommitteeDigest(keccak(&[&words]))
    }
}

impl Member {
    /// Whether this is the member's signature, by its vertex key.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        // Never so for a member that was read from anywhere: only a simulation makes such keys.
        if self.finality_key.is_mock() {
            return *signature == ed25519::mock_signature(&self.vertex_key, message);
        }
        let check = ed25519::Check::new(&self.vertex_key, message, signature);
        ed25519::verify_all(&[check])[0]
    }
}

/// `keccak256(abi.encode(bytes32 vertexKey, bytes finalityKey, string addresses))`.
pub(crate) fn key_digest(
    vertex_key: &ed25519::PublicKey,
    finality_key: &bls::PublicKey,
    addresses: &str,
) -> [u8; 32] {
    let finality_key = finality_key.to_eip2537();
    let addresses = addresses.as_bytes();
    let mut padded = addresses.to_vec();
    padded.resize(addresses.len().div_ceil(32) * 32, 0);
    let second_offset = 3 * 32 + 32 + finality_key.len() as u64;
    keccak(&[
        &vertex_key.0,
        &word(3 * 32),
        &word(second_offset),
        &word(finality_key.len() as u64),
        &finality_key,
        &word(addresses.len() as u64),
        &padded,
    ])
}

/// An integer as the base chain's 32-byte big-endian word.
pub(crate) fn word(n: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&n.to_be_bytes());
    word
}

/// An address as the base chain's word.
pub(crate) fn address_word(address: &[u8; 20]) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address);
    word
}

/// A set of members: what stake is summed over, so that nobody counts twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MemberSet(u128);

impl MemberSet {
    /// Whether the member was new. An index that no committee can have is ignored.
    #[inline]
    pub fn insert(&mut self, member: MemberIndex) -> bool {
        let new = member.as_usize() < MEMBERS_MAX && !self.contains(member);
        if new {
            self.0 |= 1 << member.0;
        }
        new
    }

    #[inline]
    pub fn remove(&mut self, member: MemberIndex) {
        if self.contains(member) {
            self.0 &= !(1 << member.0);
        }
    }

    #[inline]
    pub fn contains(&self, member: MemberIndex) -> bool {
        member.as_usize() < MEMBERS_MAX && self.0 & (1 << member.0) != 0
    }

    /// Those that are not in another set.
    #[inline]
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self(self.0 & !others.0)
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.0.count_ones() as usize
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Ascending.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = MemberIndex> + use<> {
        // By the lowest bit that is left: sets are walked at every vertex.
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let lowest = (bits != 0).then(|| MemberIndex(bits.trailing_zeros()))?;
            bits &= bits - 1;
            Some(lowest)
        })
    }

    /// One bit a member, least significant first, in `ceil(size / 8)` bytes.
    pub fn to_bitmap(&self, size: usize) -> Vec<u8> {
        self.0.to_le_bytes()[..size.div_ceil(8)].to_vec()
    }

    /// `None` unless the bitmap has exactly the length for `size` members and no bit beyond them.
    pub fn from_bitmap(bitmap: &[u8], size: usize) -> Option<Self> {
        if size > MEMBERS_MAX || bitmap.len() != size.div_ceil(8) {
            return None;
        }
        let mut bytes = [0; 16];
        bytes[..bitmap.len()].copy_from_slice(bitmap);
        let bits = u128::from_le_bytes(bytes);
        let beyond = if size == MEMBERS_MAX { 0 } else { bits >> size };
        (beyond == 0).then_some(Self(bits))
    }

    /// Without zero bytes at the end, so that a set has one form, and the empty one takes no room.
    pub fn to_shortest_bitmap(&self) -> Vec<u8> {
        let mut bitmap = self.to_bitmap(MEMBERS_MAX);
        while bitmap.last() == Some(&0) {
            bitmap.pop();
        }
        bitmap
    }

    /// `None` for any other form, or a longer one than a committee can have.
    pub fn from_shortest_bitmap(bitmap: &[u8]) -> Option<Self> {
        let set = Self::from_bitmap(bitmap, 8 * bitmap.len());
        set.filter(|_| bitmap.last() != Some(&0))
    }
}

/// In JSON: the members' indices, ascending.
impl Serialize for MemberSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for MemberSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::default();
        for member in Vec::<MemberIndex>::deserialize(deserializer)? {
            if !set.insert(member) {
                let what = format!("member {member} is listed twice, or is in no committee");
                return Err(serde::de::Error::custom(what));
            }
        }
        Ok(set)
    }
}

impl FromIterator<MemberIndex> for MemberSet {
    fn from_iter<I: IntoIterator<Item = MemberIndex>>(members: I) -> Self {
        let mut set = Self::default();
        for member in members {
            set.insert(member);
        }
        set
    }
}

/// Finality keys in JSON: 48 compressed bytes in hexadecimal, validated on the way in.
mod finality_key_text {
    use crate::bls::PublicKey;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(key.to_bytes()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(&text).map_err(D::Error::custom)?;
        PublicKey::from_bytes(&bytes).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
