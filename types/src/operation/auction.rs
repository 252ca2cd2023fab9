//! L32: an auction's own terms, and what terms of a deal an auction can have.

use super::*;

/// What the raise of a bid is of.
pub const RAISE_WHOLE: u32 = 10_000;
/// Longest from the opening of an auction to its last moment. A bid is locked until it is outbid or the auction ends.
pub const AUCTION_TIME_MAX: Millis = Millis(90 * 24 * 3_600_000);

/// The highest bid has what the deal gives when it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Auction {
    /// By how many parts of 10,000 of the highest bid the next one is above it, at least; a unit in any case.
    pub raise: u32,
    /// How long the deal is open after each bid, in milliseconds; 0: a bid moves nothing.
    pub extend: Millis,
    /// No bid moves the expiry beyond.
    pub last: Millis,
}

impl Auction {
    /// The least amount that is above a bid.
    pub fn least_above(&self, bid: Amount) -> u128 {
        let bid = u128::from(bid.0);
        let raise = (bid * u128::from(self.raise)).div_ceil(u128::from(RAISE_WHOLE));
        bid + raise.max(1)
    }

    /// When the deal expires after a bid, having been due at `expires`.
    pub fn extended(&self, expires: Millis, now: Millis) -> Millis {
        expires.max(self.last.min(now.saturating_add(self.extend.0)))
    }
}

impl From<&Auction> for wire::Auction {
    fn from(auction: &Auction) -> Self {
        Self {
            raise: auction.raise,
            extend_ms: auction.extend.0,
            last_ms: auction.last.0,
        }
    }
}

impl From<&wire::Auction> for Auction {
    fn from(wire: &wire::Auction) -> Self {
        Self {
            raise: wire.raise,
            extend: Millis(wire.extend_ms),
            last: Millis(wire.last_ms),
        }
    }
}

impl NewDeal {
    /// The terms of an auction say what is sold, and the least for it of one asset; nothing else.
    pub(super) fn check_auction(&self, auction: &Auction) -> Result<(), OperationError> {
        let wrong = |what| Err(OperationError::Auction(what));
        let Bundle { assets, items } = &self.wants;
        if self.gives.items.is_empty() || !self.gives.assets.is_empty() {
            return wrong("gives items, and nothing else");
        }
        if assets.len() != 1 || !items.is_empty() || !self.wants_any.is_empty() {
            return wrong("wants one amount, and nothing else");
        }
        if self.taker.is_some() {
            return wrong("is for nobody alone");
        }
        if auction.raise > RAISE_WHOLE {
            return wrong("asks for raises of 10,000 parts at most");
        }
        if auction.last < self.expires {
            return wrong("has its last moment when it expires, or later");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
