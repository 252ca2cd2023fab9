//! L35 to L39: tickets, from their sale to the gate.

use super::decode::{at_most, count, ids, positive, text};
use super::encode::bytes;
use super::*;
use crate::authorisation::Pass;
use crate::hash::{Domain, blake3};
use crate::ids::Root;
use crate::list::verify_list_proof;

/// Most entries of an allow-list.
pub const ALLOW_LIST_MAX: u32 = 1 << 16;
/// Siblings of an entry of the longest list.
pub const ALLOW_LIST_SIBLINGS_MAX: usize = 16;

/// What items of an edition are sold for to whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sale {
    /// Of the native asset, for an item.
    pub price: Amount,
    /// Ledger time from which it is on.
    #[serde(default)]
    pub from: Millis,
    /// From then on it is over; 0: it has no end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub until: Millis,
    /// L39: by permit alone; beside a list it adds nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_permit: bool,
    /// L39: to whom; absent: to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<AllowList>,
}

/// Who may buy, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AllowList {
    pub root: Root,
    /// 1 to [`ALLOW_LIST_MAX`].
    pub count: u32,
}

/// Where on a list a buyer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListPlace {
    /// From 0.
    pub place: u32,
    /// Items that the entry is good for, at least 1.
    pub most: u64,
    /// From the entry upwards, at most [`ALLOW_LIST_SIBLINGS_MAX`].
    pub siblings: Vec<Root>,
}

/// L38: items of an edition for its sale's price, or a permit's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Purchase {
    pub edition: EditionId,
    pub count: u64,
    /// That the buyer has seen, for an item.
    pub price: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<ListPlace>,
}

impl AllowList {
    /// What an account's entry on the list of an edition is hashed as.
    pub fn entry(edition: &EditionId, account: &Address, most: u64) -> [u8; 32] {
        let parts: [&[u8]; 3] = [&edition.0, &account.0, &most.to_be_bytes()];
        blake3(Domain::AllowList, &parts)
    }

    /// Whether an account stands there.
    pub fn has(&self, edition: &EditionId, account: &Address, listed: &ListPlace) -> bool {
        let entry = Self::entry(edition, account, listed.most);
        let (count, place) = (self.count as usize, listed.place as usize);
        verify_list_proof(&self.root, count, place, &entry, &listed.siblings)
    }
}

impl From<&Sale> for wire::Sale {
    fn from(sale: &Sale) -> Self {
        Self {
            price: sale.price.0,
            from_ms: sale.from.0,
            until_ms: sale.until.0,
            by_permit: sale.by_permit,
            list: sale.list.map(|list| wire::AllowList {
                root: bytes(&list.root.0),
                count: list.count,
            }),
        }
    }
}

impl TryFrom<&wire::Sale> for Sale {
    type Error = OperationError;

    fn try_from(wire: &wire::Sale) -> Result<Self, OperationError> {
        Ok(Self {
            price: Amount(wire.price),
            from: Millis(wire.from_ms),
            until: Millis(wire.until_ms),
            by_permit: wire.by_permit,
            list: wire.list.as_ref().map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<&wire::AllowList> for AllowList {
    type Error = OperationError;

    fn try_from(wire: &wire::AllowList) -> Result<Self, OperationError> {
        let limit = ALLOW_LIST_MAX as usize;
        count("allow-list", wire.count as usize, limit)?;
        Ok(Self {
            root: Root::try_from(wire.root.as_ref())?,
            count: wire.count,
        })
    }
}

impl From<&Purchase> for wire::Buy {
    fn from(buy: &Purchase) -> Self {
        let listed = buy.listed.as_ref().map(|listed| wire::ListPlace {
            place: listed.place,
            most: listed.most,
            siblings: listed.siblings.iter().map(|s| bytes(&s.0)).collect(),
        });
        Self {
            edition: bytes(&buy.edition.0),
            count: buy.count,
            price: buy.price.0,
            listed,
        }
    }
}

impl TryFrom<&wire::Buy> for Purchase {
    type Error = OperationError;

    fn try_from(wire: &wire::Buy) -> Result<Self, OperationError> {
        Ok(Self {
            edition: EditionId::try_from(wire.edition.as_ref())?,
            count: positive("count", wire.count)?,
            price: Amount(wire.price),
            listed: wire.listed.as_ref().map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<&wire::ListPlace> for ListPlace {
    type Error = OperationError;

    fn try_from(wire: &wire::ListPlace) -> Result<Self, OperationError> {
        let siblings = &wire.siblings;
        at_most("siblings", siblings.len(), ALLOW_LIST_SIBLINGS_MAX)?;
        Ok(Self {
            place: wire.place,
            most: positive("items that an entry is good for", wire.most)?,
            siblings: ids(siblings)?,
        })
    }
}

pub(super) fn redeem(wire: &wire::Redeem) -> Result<Operation, OperationError> {
    let pass = wire.pass.as_ref().ok_or(OperationError::Missing("pass"))?;
    Ok(Operation::Redeem {
        item: ItemId::try_from(wire.item.as_ref())?,
        pass: Pass::try_from(pass)?,
    })
}

pub(super) fn void(wire: wire::Void) -> Result<Operation, OperationError> {
    count("void", wire.items.len(), LIST_MAX)?;
    Ok(Operation::Void {
        items: ids(&wire.items)?,
        reason: text("reason", wire.reason, NAME_BYTES_MAX)?,
    })
}

pub(super) fn set_sale(wire: &wire::SetSale) -> Result<Operation, OperationError> {
    Ok(Operation::SetSale {
        edition: EditionId::try_from(wire.edition.as_ref())?,
        sale: wire.sale.as_ref().map(TryInto::try_into).transpose()?,
    })
}

#[cfg(test)]
mod tests;
