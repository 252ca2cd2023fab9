//! L56: where an order of an edition's book stands. What is left of it stands in its terms.

use super::{Deal, DealState, ObjectError};
use crate::ids::{CommitIndex, EditionId};
use crate::operation::encode::bytes;
use crate::operation::{BookSide, LIST_MAX, WantedFrom};
use crate::wire;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    pub edition: EditionId,
    /// The commit that it came in.
    pub entered: CommitIndex,
    /// Items of it that were traded so far.
    pub traded: u32,
}

/// A deal has an order when its rule is Book, of the edition that it bids for, and of no more items than an order has.
pub(super) fn check(deal: &Deal) -> Result<(), ObjectError> {
    let fits = match (deal.terms.limit(), &deal.order) {
        (None, None) => true,
        (Some(limit), Some(order)) => {
            let wanted = deal.terms.wants_any.first().map(|wanted| &wanted.from);
            let traded = u64::from(order.traded);
            let (left, filled) = match deal.state {
                // Its last form has the terms before the last of it was traded.
                DealState::Taken { .. } => (0, limit.count <= traded),
                DealState::Open | DealState::Cancelled | DealState::Expired => (limit.count, true),
            };
            let of_edition = match limit.side {
                BookSide::Bid => wanted == Some(&WantedFrom::Edition(order.edition)),
                BookSide::Ask => true,
            };
            filled && of_edition && left + traded <= LIST_MAX as u64
        }
        _ => false,
    };
    fits.then_some(()).ok_or(ObjectError::Order)
}

impl From<&Order> for wire::Order {
    fn from(order: &Order) -> Self {
        Self {
            edition: bytes(&order.edition.0),
            entered: order.entered.0,
            traded: order.traded,
        }
    }
}

impl TryFrom<&wire::Order> for Order {
    type Error = ObjectError;

    fn try_from(wire: &wire::Order) -> Result<Self, ObjectError> {
        Ok(Self {
            edition: EditionId::try_from(wire.edition.as_ref())?,
            entered: CommitIndex(wire.entered),
            traded: wire.traded,
        })
    }
}

#[cfg(test)]
mod tests;
