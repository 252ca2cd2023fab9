//! Entries of the registry's queue, and what members of the next committee say.

use crate::bls;
use crate::committee::{Committee, Member, key_digest, word};
use crate::ed25519::{PublicKey, SIGNATURE_BYTES, SecretKey};
use crate::feed::Chained;
use crate::hash::{Domain, keccak};
use crate::ids::{CommitteeDigest, NetworkId, Root, Stake};
use std::sync::LazyLock;

/// Most entries that are agreed upon at once, which is also the most that a vertex carries.
pub const ENTRIES_MAX: u64 = 32;
/// Most ready messages in one vertex.
pub const READIES_MAX: usize = 16;

/// What a member signs with, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberKeys {
    /// Bytes that need not be a key: the base chain cannot check them.
    pub vertex_key: PublicKey,
    pub finality_key: bls::PublicKey,
    pub addresses: String,
}

impl MemberKeys {
    pub fn of(member: &Member) -> Self {
        Self {
            vertex_key: member.vertex_key,
            finality_key: member.finality_key,
            addresses: member.addresses.clone(),
        }
    }

    fn digest(&self) -> [u8; 32] {
        key_digest(&self.vertex_key, &self.finality_key, &self.addresses)
    }
}

/// A change of the committee, as the registry appended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// The member's id in the registry.
    pub id: u64,
    /// What it has bonded from now on, in bond units; zero leaves.
    pub weight: Stake,
    /// Its bond is taken; the weight is zero then.
    pub slashed: bool,
    /// Of one that joins.
    pub keys: Option<MemberKeys>,
}

impl QueueEntry {
    /// The running digest before the first entry.
    pub fn digest_start() -> Root {
        static START: LazyLock<Root> = LazyLock::new(|| Root(keccak(&[b"WEFT-V01-REGISTRY"])));
        *START
    }
}

impl Chained for QueueEntry {
    const AT_ONCE: u64 = ENTRIES_MAX;

    fn extend(&self, previous: &Root, index: u64) -> Root {
        let mark = word(u64::from(self.slashed));
        let keys = self.keys.as_ref().map_or(mark, MemberKeys::digest);
        let (id, weight) = (word(self.id), word(self.weight.0));
        Root(keccak(&[&previous.0, &word(index), &id, &weight, &keys]))
    }
}

/// E2: a member of the next committee follows, and can begin. The committee's digest binds the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The member's id in the registry.
    pub member: u64,
    pub committee: CommitteeDigest,
    pub signature: [u8; SIGNATURE_BYTES],
}

impl Ready {
    pub fn sign(member: u64, network: NetworkId, next: CommitteeDigest, key: &SecretKey) -> Self {
        Self {
            member,
            committee: next,
            signature: key.sign(&message(network, next)),
        }
    }

    /// Whether a member of this committee, the next one, has signed it.
    pub fn is_of(&self, network: NetworkId, next: &Committee, digest: CommitteeDigest) -> bool {
        let place = next.members().binary_search_by_key(&self.member, |m| m.id);
        let member = place.ok().map(|place| &next.members()[place]);
        self.committee == digest
            && member.is_some_and(|m| m.has_signed(&message(network, digest), &self.signature))
    }
}

fn message(network: NetworkId, next: CommitteeDigest) -> Vec<u8> {
    [Domain::Ready.tag(), &network.0, &next.0].concat()
}
