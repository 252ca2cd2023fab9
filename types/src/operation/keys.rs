//! L18 to L21: who has the say for an account, as its owner sets it.

use super::decode::{asset, at_most, positive};
use super::encode::{asset_bytes, bytes};
use super::set::bit_set;
use super::*;

/// Most changes in one `SetKeys`.
pub const KEY_CHANGES_MAX: usize = 16;
/// Most sessions of an account.
pub const SESSIONS_MAX: usize = 16;
/// Most collections of a session, and most assets that it may spend of.
pub const SESSION_LIST_MAX: usize = 8;
/// Longest time that an owner has to refuse a recovery: 90 days.
pub const GUARDIAN_DELAY_MAX: Millis = Millis(90 * 86_400_000);

/// One change of who has the say. Keys are named by their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum KeyChange {
    /// Another key has the say; the account keeps its address.
    Owner {
        key: Address,
    },
    /// In the place of any other guardian.
    Guardian(Guardian),
    NoGuardian,
    /// In the place of the key's last session.
    Session(Session),
    EndSession {
        key: Address,
    },
    RefuseRecovery,
}

/// Who may give the account another owner, for when its key is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guardian {
    pub account: Address,
    /// How long the owner has to refuse it.
    pub delay: Millis,
}

/// L20: what a key that is not the owner's may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub key: Address,
    /// From then on it may do nothing.
    pub expires: Millis,
    pub kinds: SessionKinds,
    /// Ascending: items, editions and mints of these alone.
    pub collections: Vec<CollectionId>,
    /// Ascending by asset, none zero: what it may still spend, fees among it.
    pub limits: Vec<AssetAmount>,
}

bit_set! {
    /// What a session may be allowed.
    SessionKind,
    /// A set of kinds.
    SessionKinds,
    Transfer = 0, "transfer";
    CreateEdition = 1, "create_edition";
    Mint = 2, "mint";
    UpdateItem = 3, "update_item";
    Burn = 4, "burn";
    DealOpen = 5, "deal_open";
    DealTake = 6, "deal_take";
    DealCancel = 7, "deal_cancel";
    /// Paying the fees of others.
    Sponsor = 8, "sponsor";
    Freeze = 9, "freeze";
    Redeem = 18, "redeem";
    /// Signs passes for the account's items (L36); no operation takes it.
    Pass = 19, "pass";
    Buy = 21, "buy";
}

impl SessionKind {
    /// What an operation takes; `None`: no session can do it.
    pub fn of(operation: &Operation) -> Option<Self> {
        match operation {
            Operation::Transfer { .. } => Some(Self::Transfer),
            Operation::CreateEdition(_) => Some(Self::CreateEdition),
            Operation::Mint { .. } => Some(Self::Mint),
            Operation::UpdateItem { .. } => Some(Self::UpdateItem),
            Operation::Burn { .. } => Some(Self::Burn),
            Operation::DealOpen(_) => Some(Self::DealOpen),
            Operation::DealTake(_) | Operation::Bid { .. } => Some(Self::DealTake),
            Operation::DealCancel { .. } => Some(Self::DealCancel),
            Operation::Freeze { .. } => Some(Self::Freeze),
            Operation::Redeem { .. } => Some(Self::Redeem),
            Operation::Buy(_) => Some(Self::Buy),
            Operation::CreateCollection { .. }
            | Operation::Withdraw { .. }
            | Operation::ExitAddress { .. }
            | Operation::SetKeys { .. }
            | Operation::Recover { .. }
            | Operation::SetPolicy { .. }
            | Operation::Void { .. }
            | Operation::SetSale { .. }
            | Operation::Reveal { .. }
            | Operation::PassPack { .. }
            | Operation::ChannelClose(_)
            | Operation::ChannelChallenge(_)
            | Operation::VoucherOpen(_)
            | Operation::VoucherIssue { .. }
            | Operation::VoucherSpend { .. }
            | Operation::PostData(_)
            | Operation::MultiParty(_) => None,
        }
    }
}

impl Session {
    /// What it may still spend of an asset.
    pub fn left(&self, asset: &AssetId) -> Amount {
        let found = self.limits.iter().find(|l| l.asset == *asset);
        found.map_or(Amount::ZERO, |l| l.amount)
    }

    /// Lowers what it may spend; `None` when that is less.
    #[must_use]
    pub fn spend(&mut self, asset: &AssetId, amount: Amount) -> Option<()> {
        let rest = self.left(asset).checked_sub(amount.0)?;
        match self.limits.iter().position(|l| l.asset == *asset) {
            Some(place) if rest == Amount::ZERO => drop(self.limits.remove(place)),
            Some(place) => self.limits[place].amount = rest,
            None => {}
        }
        Some(())
    }
}

/// A key's address. That of no key would have the say for ever.
pub(super) fn key(what: &'static str, bytes: &[u8]) -> Result<Address, OperationError> {
    match Address::try_from(bytes)? {
        Address::ZERO => Err(OperationError::Zero(what)),
        key => Ok(key),
    }
}

/// All known, one at least.
fn kinds(bits: u32) -> Result<SessionKinds, OperationError> {
    let unknown = |bits| OperationError::Bits("session's kinds", bits);
    match SessionKinds::from_bits(bits).map_err(unknown)? {
        none if none.is_empty() => Err(OperationError::Zero("session's kinds")),
        kinds => Ok(kinds),
    }
}

fn yes(said: bool) -> Result<(), OperationError> {
    match said {
        true => Ok(()),
        false => Err(OperationError::Zero("a change of keys that is said or not")),
    }
}

impl From<&KeyChange> for wire::KeyChange {
    fn from(change: &KeyChange) -> Self {
        use wire::key_change::Change;
        let change = match change {
            KeyChange::Owner { key } => Change::Owner(bytes(&key.0)),
            KeyChange::Guardian(guardian) => Change::Guardian(guardian.into()),
            KeyChange::NoGuardian => Change::NoGuardian(true),
            KeyChange::Session(session) => Change::Session(session.into()),
            KeyChange::EndSession { key } => Change::EndSession(bytes(&key.0)),
            KeyChange::RefuseRecovery => Change::RefuseRecovery(true),
        };
        Self {
            change: Some(change),
        }
    }
}

impl TryFrom<wire::KeyChange> for KeyChange {
    type Error = OperationError;

    fn try_from(wire: wire::KeyChange) -> Result<Self, OperationError> {
        use wire::key_change::Change;
        let change = wire.change.ok_or(OperationError::Unknown)?;
        Ok(match change {
            Change::Owner(owner) => Self::Owner {
                key: key("new owner", &owner)?,
            },
            Change::Guardian(guardian) => Self::Guardian((&guardian).try_into()?),
            Change::NoGuardian(said) => yes(said).map(|()| Self::NoGuardian)?,
            Change::Session(session) => Self::Session((&session).try_into()?),
            Change::EndSession(session) => Self::EndSession {
                key: key("session's key", &session)?,
            },
            Change::RefuseRecovery(said) => yes(said).map(|()| Self::RefuseRecovery)?,
        })
    }
}

impl From<&Guardian> for wire::Guardian {
    fn from(guardian: &Guardian) -> Self {
        Self {
            account: bytes(&guardian.account.0),
            delay_ms: guardian.delay.0,
        }
    }
}

impl TryFrom<&wire::Guardian> for Guardian {
    type Error = OperationError;

    fn try_from(wire: &wire::Guardian) -> Result<Self, OperationError> {
        let (found, limit) = (wire.delay_ms, GUARDIAN_DELAY_MAX.0);
        if found > limit {
            return Err(OperationError::Delay { found, limit });
        }
        Ok(Self {
            account: Address::try_from(wire.account.as_ref())?,
            delay: Millis(positive("guardian's delay", found)?),
        })
    }
}

impl From<&Session> for wire::Session {
    fn from(session: &Session) -> Self {
        let limits = session.limits.iter().map(|limit| wire::AssetAmount {
            asset: asset_bytes(&limit.asset),
            amount: limit.amount.0,
        });
        Self {
            key: bytes(&session.key.0),
            expires_ms: session.expires.0,
            kinds: session.kinds.0,
            collections: session.collections.iter().map(|c| bytes(&c.0)).collect(),
            limits: limits.collect(),
        }
    }
}

impl TryFrom<&wire::Session> for Session {
    type Error = OperationError;

    fn try_from(wire: &wire::Session) -> Result<Self, OperationError> {
        at_most("collections", wire.collections.len(), SESSION_LIST_MAX)?;
        at_most("session's limits", wire.limits.len(), SESSION_LIST_MAX)?;
        let collections = wire.collections.iter();
        let collections = collections.map(|c| CollectionId::try_from(c.as_ref()));
        let collections: Vec<_> = collections.collect::<Result<_, _>>()?;
        if !collections.is_sorted_by(|a, b| a < b) {
            return Err(OperationError::Order("collections"));
        }
        let mut limits = Vec::with_capacity(wire.limits.len());
        for limit in &wire.limits {
            limits.push(AssetAmount {
                asset: asset(&limit.asset)?,
                amount: Amount(positive("session's limit", limit.amount)?),
            });
        }
        if !limits.is_sorted_by(|a, b| a.asset < b.asset) {
            return Err(OperationError::Order("session's limits"));
        }
        Ok(Self {
            key: key("session's key", &wire.key)?,
            expires: Millis(wire.expires_ms),
            kinds: kinds(wire.kinds)?,
            collections,
            limits,
        })
    }
}

#[cfg(test)]
mod tests;
