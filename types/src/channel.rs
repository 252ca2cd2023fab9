//! State channels: what two parties lock in a deal they divide anew as often as they like, off the ledger. A state says
//! how; the one with the highest version that both have signed is what the ledger pays out (L41 to L43).
//!
//! Both sign every state, so nobody can have a newer one that the other has not agreed to, and there is nothing to
//! revoke: an old state does no harm as long as a newer one is shown in time.

use crate::authorisation::{Authorisation, Checks, Shown, Signed, ToSign, UserKey};
use crate::hash::{Domain, blake3};
use crate::ids::{
    Address, Amount, AssetId, DealId, IdError, ItemId, Millis, NetworkId, Secret, SecretHash,
};
use crate::operation::decode::asset;
use crate::operation::encode::{asset_bytes, bytes};
use crate::operation::{AssetAmount, Bundle, DealRule, NewDeal};
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod book;
mod changes;
mod json;
mod rules;
#[cfg(test)]
mod tests;
mod wired;

pub use book::{Book, BookError, Offer};
use wired::bundle;
pub(crate) use wired::showing;

/// Most hash-locked parts of a state.
pub const CHANNEL_PARTS_MAX: usize = 8;
/// Most states that one party shows the ledger of a channel: its newest, and one more.
pub const STATES_SHOWN_MAX: u32 = 2;
/// Shortest window, in milliseconds: a few commits.
pub const CHALLENGE_MIN: Millis = Millis(1_000);
/// Longest window: 30 days.
pub const CHALLENGE_MAX: Millis = Millis(30 * 86_400_000);
/// Most signed states in one transaction: their signatures are checked with its own (V9).
pub(crate) const STATES_MAX: usize = 4;

/// L41: what makes a deal a channel between its giver and its taker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelTerms {
    /// How long either may answer a state that the other has shown.
    pub challenge: Millis,
    /// Of what the deal gives, what is the taker's from the beginning. Ascending, nothing twice.
    pub to_taker: Bundle,
    /// The addresses of the keys that sign states, for good: whose accounts they are plays no part.
    pub giver_key: Address,
    pub taker_key: Address,
}

/// How the parties have divided what the channel holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelState {
    pub network: NetworkId,
    pub deal: DealId,
    /// From 1; the highest counts.
    pub version: u64,
    /// Ascending, nothing twice. What neither this nor a part has is the giver's.
    pub to_taker: Bundle,
    /// Ascending by hash, none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ChannelPart>,
    /// None comes after it: it is paid out at once.
    #[serde(default, skip_serializing_if = "crate::operation::is_default")]
    pub last: bool,
}

/// L43: an amount that goes to one side if the secret is shown in time, else back to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelPart {
    /// From the giver to the taker; else the other way.
    pub to_taker: bool,
    pub asset: AssetId,
    pub amount: Amount,
    pub hash: SecretHash,
    /// From then on a secret comes too late.
    pub expires: Millis,
}

/// A state with the signatures of the giver's key and of the taker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedState {
    pub state: ChannelState,
    #[serde(with = "json")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::api::AuthorisationJson>))]
    pub signatures: [Authorisation; 2],
}

/// L42: what a party shows the ledger of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Showing {
    pub deal: DealId,
    /// `None`: in closing, as the channel was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SignedState>,
    /// Of parts that are to be opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
}

impl Showing {
    /// L42: whether it ends the channel at once.
    pub fn is_last(&self) -> bool {
        self.state.as_ref().is_some_and(|shown| shown.state.last)
    }
}

/// What was shown to the ledger of a deal: a secret (L40), a channel's states (L42).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standing {
    /// The newest; `None`: as it was opened, or no channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ChannelState>,
    /// When the window ends; zero where there is none.
    pub until: Millis,
    /// States shown by the giver and by the taker.
    pub shown: [u32; 2],
    pub secrets: Vec<Secret>,
}

/// A channel's terms or states that are wrong in form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("channel's state is no protobuf message: {0}")]
    Malformed(String),
    #[error("channel's state is not in its canonical form")]
    Form,
    #[error("{0} are not ascending, or one stands there twice")]
    Order(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("a channel is not open to wants")]
    Wants,
    #[error("channel divides what it does not hold")]
    Division,
    #[error("channel's window is {0} ms, not {CHALLENGE_MIN} to {CHALLENGE_MAX}")]
    Window(u64),
    #[error("there are {0} parts or secrets, more than {CHANNEL_PARTS_MAX}")]
    Parts(usize),
    #[error("a part ends at {0}, and the channel before")]
    PartExpiry(Millis),
    #[error("a state's parts are not ascending by their hashes, or one stands there twice")]
    PartOrder,
    #[error("a channel's last state has hash-locked parts")]
    LastParts,
    #[error("channel's state has {0} signatures, not the giver's and the taker's")]
    Signatures(usize),
    #[error("signature {0} of a channel's state has a wrong form")]
    Signature(usize),
    #[error("channel's standing says what cannot be")]
    Standing,
}

impl Bundle {
    /// Whether it has one form: ascending, nothing twice, no amount zero.
    fn is_canonical(&self) -> bool {
        self.assets.is_sorted_by(|a, b| a.asset < b.asset)
            && self.items.is_sorted_by(|a, b| a < b)
            && self.assets.iter().all(|a| a.amount > Amount::ZERO)
    }

    /// Amounts by asset: 2^64 and more of one are none.
    fn amounts(&self) -> Option<BTreeMap<AssetId, u64>> {
        let mut amounts = BTreeMap::<AssetId, u64>::new();
        for part in &self.assets {
            let sum = amounts.entry(part.asset).or_default();
            *sum = sum.checked_add(part.amount.0)?;
        }
        Some(amounts)
    }
}

/// What a part is, now that these secrets are known: whether it goes where it was to go.
fn is_opened(part: &ChannelPart, secrets: &[Secret]) -> bool {
    secrets.iter().any(|s| s.hash() == part.hash)
}

impl ChannelTerms {
    /// What the giver and the taker get by a state, or by what stood at the beginning; `None` when it divides what is
    /// not there. Parts that none of the secrets opens go back.
    pub fn shares(
        &self,
        gives: &Bundle,
        state: Option<&ChannelState>,
        secrets: &[Secret],
    ) -> Option<[Bundle; 2]> {
        self.divide(gives, state, |part| is_opened(part, secrets))
    }

    /// The same by whether a part is opened.
    fn divide(
        &self,
        gives: &Bundle,
        state: Option<&ChannelState>,
        opened: impl Fn(&ChannelPart) -> bool,
    ) -> Option<[Bundle; 2]> {
        let to_taker = state.map_or(&self.to_taker, |s| &s.to_taker);
        let parts = state.map_or(&[][..], |s| &s.parts);
        let mut rest = gives.amounts()?;
        let mut takers = BTreeMap::<AssetId, u64>::new();
        let mut takes = |asset: AssetId, amount: u64, theirs: bool| {
            let left = rest.get_mut(&asset)?;
            *left = left.checked_sub(amount)?;
            let sum = takers.entry(asset).or_default();
            *sum += if theirs { amount } else { 0 };
            Some(())
        };
        for part in &to_taker.assets {
            takes(part.asset, part.amount.0, true)?;
        }
        let mut back = Vec::new();
        for part in parts {
            let theirs = part.to_taker == opened(part);
            takes(part.asset, part.amount.0, theirs)?;
            back.extend((!theirs).then_some((part.asset, part.amount.0)));
        }
        for (asset, amount) in back {
            *rest.entry(asset).or_default() += amount;
        }
        let mut items: BTreeSet<ItemId> = gives.items.iter().copied().collect();
        to_taker.items.iter().all(|id| items.remove(id)).then(|| {
            let bundle = |amounts: BTreeMap<AssetId, u64>, items: Vec<ItemId>| Bundle {
                assets: amounts
                    .into_iter()
                    .filter(|(_, amount)| *amount > 0)
                    .map(|(asset, amount)| AssetAmount {
                        asset,
                        amount: Amount(amount),
                    })
                    .collect(),
                items,
            };
            [
                bundle(rest, items.into_iter().collect()),
                bundle(takers, to_taker.items.clone()),
            ]
        })
    }

    /// The keys in the order of signatures.
    pub fn keys(&self) -> [Address; 2] {
        [self.giver_key, self.taker_key]
    }
}

impl NewDeal {
    /// A channel's terms, if this is one.
    pub fn channel(&self) -> Option<&ChannelTerms> {
        match &self.rule {
            DealRule::CoSigned(terms) => Some(terms),
            _ => None,
        }
    }

    /// Whether a state is one of this channel's: it divides what there is, and no part outlives the channel.
    pub fn accepts(&self, state: &ChannelState) -> Result<(), ChannelError> {
        let terms = self.channel().ok_or(ChannelError::Missing("channel"))?;
        let shares = terms.shares(&self.gives, Some(state), &[]);
        shares.ok_or(ChannelError::Division)?;
        match state.parts.iter().find(|p| p.expires > self.expires) {
            Some(part) => Err(ChannelError::PartExpiry(part.expires)),
            None => Ok(()),
        }
    }
}

impl ChannelState {
    /// What is signed, and what stands under a leaf while the channel is closing.
    pub fn encode(&self) -> Bytes {
        let parts = self.parts.iter().map(|p| wire::ChannelPart {
            to_taker: p.to_taker,
            asset: asset_bytes(&p.asset),
            amount: p.amount.0,
            hash: bytes(&p.hash.0),
            expires_ms: p.expires.0,
        });
        wire::ChannelState {
            network: bytes(&self.network.0),
            deal: bytes(&self.deal.0),
            version: self.version,
            to_taker: Some((&self.to_taker).into()),
            parts: parts.collect(),
            last: self.last,
        }
        .encode_to_vec()
        .into()
    }

    /// Reads a state in the one form that it has.
    pub fn decode(encoded: &Bytes) -> Result<Self, ChannelError> {
        let malformed = |e: prost::DecodeError| ChannelError::Malformed(e.to_string());
        let wire = wire::ChannelState::decode(encoded.clone()).map_err(malformed)?;
        if wire.parts.len() > CHANNEL_PARTS_MAX {
            return Err(ChannelError::Parts(wire.parts.len()));
        }
        let parts = wire.parts.iter().map(|p| {
            Ok(ChannelPart {
                to_taker: p.to_taker,
                asset: asset(&p.asset)?,
                amount: Amount(p.amount),
                hash: SecretHash::try_from(p.hash.as_ref())?,
                expires: Millis(p.expires_ms),
            })
        });
        let to_taker = wire.to_taker.unwrap_or_default();
        let state = Self {
            network: NetworkId::try_from(wire.network.as_ref())?,
            deal: DealId::try_from(wire.deal.as_ref())?,
            version: wire.version,
            to_taker: bundle("what the taker gets", to_taker)?,
            parts: parts.collect::<Result<_, ChannelError>>()?,
            last: wire.last,
        };
        state.check()?;
        match state.encode() == *encoded {
            true => Ok(state),
            false => Err(ChannelError::Form),
        }
    }

    /// What its form asks, of one that was put together here.
    pub fn check(&self) -> Result<(), ChannelError> {
        if self.version == 0 {
            return Err(ChannelError::Missing("a state's version"));
        }
        if self.parts.len() > CHANNEL_PARTS_MAX {
            return Err(ChannelError::Parts(self.parts.len()));
        }
        if self.parts.iter().any(|p| p.amount == Amount::ZERO) {
            return Err(ChannelError::Missing("a part's amount"));
        }
        // One secret opens one part, so that each has one time until which it does.
        if !self.parts.is_sorted_by(|a, b| a.hash < b.hash) {
            return Err(ChannelError::PartOrder);
        }
        if self.last && !self.parts.is_empty() {
            return Err(ChannelError::LastParts);
        }
        match self.to_taker.is_canonical() {
            true => Ok(()),
            false => Err(ChannelError::Order("what the taker gets")),
        }
    }

    /// Its digest, by which most schemes sign it.
    pub fn id(&self) -> [u8; 32] {
        id_of(&self.encode())
    }

    /// With one of the channel's keys.
    pub fn sign(&self, key: &UserKey) -> Authorisation {
        let encoded = self.encode();
        key.authorise(&self.signed(&encoded), key.address())
    }

    /// What each scheme signs, for wallets and devices that keep their keys to themselves.
    pub fn to_sign(&self) -> ToSign {
        let encoded = self.encode();
        ToSign::of(&self.signed(&encoded))
    }

    /// Whether a signature is one of this state.
    pub fn is_signed_by(&self, signature: &Authorisation) -> bool {
        let encoded = self.encode();
        let mut checks = Checks::default();
        checks.add(&self.signed(&encoded), std::slice::from_ref(signature));
        checks.verify() == [true]
    }

    /// The secrets of those that open one of its parts, in their order.
    pub fn opening(&self, secrets: &[Secret]) -> Vec<Secret> {
        let opens = |s: &&Secret| self.parts.iter().any(|p| p.hash == s.hash());
        secrets.iter().filter(opens).copied().collect()
    }

    fn signed<'a>(&'a self, encoded: &'a [u8]) -> Signed<'a> {
        Signed {
            id: id_of(encoded),
            encoded,
            shown: Shown::Channel(self),
        }
    }
}

fn id_of(encoded: &[u8]) -> [u8; 32] {
    blake3(Domain::ChannelState, &[encoded])
}

impl SignedState {
    /// Adds both signatures to what is verified together.
    pub(crate) fn add_checks(&self, checks: &mut Checks) {
        let encoded = self.state.encode();
        checks.add(&self.state.signed(&encoded), &self.signatures);
    }

    /// Whether both signatures are of this state.
    pub fn verify(&self) -> bool {
        let mut checks = Checks::default();
        self.add_checks(&mut checks);
        checks.verify().into_iter().all(|valid| valid)
    }

    /// Whose keys have signed, in their order.
    pub fn keys(&self) -> [Address; 2] {
        [self.signatures[0].key(), self.signatures[1].key()]
    }
}

impl Standing {
    /// When the channel ends: once its window is over, and every part is opened or too late for that.
    pub fn ends(&self) -> Millis {
        let parts = self.state.iter().flat_map(|s| &s.parts);
        let locked = parts.filter(|p| !is_opened(p, &self.secrets));
        locked.map(|p| p.expires).fold(self.until, Millis::max)
    }
}
