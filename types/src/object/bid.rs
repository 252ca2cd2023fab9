//! L32: what an auction has come to, and what that makes of a deal.

use super::{Deal, ObjectError};
use crate::ids::{Address, Amount, Millis};
use crate::operation::{Auction, DealRule, NewDeal};
use crate::wire;
use bytes::Bytes;

/// The highest bid of an auction: locked in the deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighestBid {
    pub by: Address,
    pub amount: Amount,
    /// When the deal expires by now: as its terms say, or later.
    pub expires: Millis,
}

impl Deal {
    /// From when on it can be taken no more, and no bid is made.
    pub fn expires(&self) -> Millis {
        self.bid.map_or(self.terms.expires, |bid| bid.expires)
    }

    /// The terms of an auction.
    pub fn auction(&self) -> Option<&Auction> {
        match &self.terms.rule {
            DealRule::Auction(auction) => Some(auction),
            _ => None,
        }
    }

    /// The least that is bid next.
    pub fn least_bid(&self) -> Option<u128> {
        let auction = self.auction()?;
        let reserve = self.terms.wants.assets.first()?.amount;
        let above = self.bid.map(|bid| auction.least_above(bid.amount));
        Some(above.unwrap_or(reserve.0.into()))
    }

    /// The terms of a sale for a bid in the place of the reserve.
    pub fn sold_for(&self, amount: Amount) -> NewDeal {
        let mut terms = self.terms.clone();
        for wanted in &mut terms.wants.assets {
            wanted.amount = amount;
        }
        terms
    }
}

impl From<&HighestBid> for wire::HighestBid {
    fn from(bid: &HighestBid) -> Self {
        Self {
            by: Bytes::copy_from_slice(&bid.by.0),
            amount: bid.amount.0,
            expires_ms: bid.expires.0,
        }
    }
}

impl HighestBid {
    /// Reads the bid of a deal with these terms.
    pub(super) fn read(wire: &wire::HighestBid, terms: &NewDeal) -> Result<Self, ObjectError> {
        let DealRule::Auction(auction) = &terms.rule else {
            return Err(ObjectError::Stray("deal"));
        };
        let bid = Self {
            by: Address::try_from(wire.by.as_ref())?,
            amount: Amount(wire.amount),
            expires: Millis(wire.expires_ms),
        };
        let reserve = terms.wants.assets.iter().map(|part| part.amount).max();
        let in_time = (terms.expires..=auction.last).contains(&bid.expires);
        match in_time && Some(bid.amount) >= reserve {
            true => Ok(bid),
            false => Err(ObjectError::Bid),
        }
    }
}
