//! Deals with the Auction rule. The highest bid is locked in the deal, and whoever is outbid is paid back in the same
//! transaction (L32). What becomes of it is decided once, when the deal expires, before the transactions of that
//! commit: the bidder has the items and the giver the bid, or each has his own back (L33).

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    AUCTION_TIME_MAX, Address, Amount, AssetId, Auction, Deal, DealId, DealState, FailureCode,
    HighestBid, Millis, Object, ObjectId,
};

impl<B: Objects> Execution<'_, '_, B> {
    /// When the items of a new auction may change hands: not before it expires, and hardly after its last moment.
    pub(super) fn auction_times(
        &self,
        auction: &Auction,
        expires: Millis,
        subject: ObjectId,
    ) -> Result<(Millis, Millis), Fault> {
        let (found, limit) = (auction.last, self.now.saturating_add(AUCTION_TIME_MAX.0));
        if found > limit {
            let code = FailureCode::AuctionTooLong;
            return Err(Fault::figures(code, Some(subject), found.0, limit.0));
        }
        Ok((expires, auction.last))
    }

    /// L32
    pub(super) fn bid(
        &mut self,
        bidder: Address,
        id: &DealId,
        amount: Amount,
    ) -> Result<(), Fault> {
        let deal = self.draft.deal(id)?.clone();
        let subject = ObjectId::Deal(*id);
        let refused = |code| Err(Fault::new(code, subject));
        let (Some(auction), Some(least)) = (deal.auction(), deal.least_bid()) else {
            return refused(FailureCode::WrongRule);
        };
        if deal.expires() <= self.now {
            return refused(FailureCode::DealNotOpen);
        }
        if deal.giver == bidder {
            return refused(FailureCode::OwnDeal);
        }
        if u128::from(amount.0) < least {
            let (code, limit) = (FailureCode::BidTooLow, u64::try_from(least));
            let limit = limit.unwrap_or(u64::MAX);
            return Err(Fault::figures(code, Some(subject), amount.0, limit));
        }
        let expires = auction.extended(deal.expires(), self.now);
        let times = (expires, auction.last);
        self.draft.judged(&deal.sold_for(amount), subject, times)?;
        for item in &deal.terms.gives.items {
            self.draft.not_frozen(item, self.draft.item(item)?)?;
        }
        self.draft.pay_back(&deal);
        self.debit(bidder, asset(&deal), amount)?;
        let bid = HighestBid {
            by: bidder,
            amount,
            expires,
        };
        let deal = Deal {
            bid: Some(bid),
            ..Deal::clone(&deal)
        };
        self.draft.put(subject, Object::Deal(Arc::new(deal)));
        Ok(())
    }
}

impl<B: Objects> Draft<'_, B> {
    /// L33
    pub(super) fn end_auction(&mut self, id: DealId, deal: &Deal, bid: &HighestBid, now: Millis) {
        let terms = deal.sold_for(bid.amount);
        let items = &terms.gives.items;
        let frozen = |id| self.item(id).and_then(|item| self.not_frozen(id, item));
        let sides = items.iter().try_for_each(frozen);
        let sides = sides.and_then(|()| self.judged(&terms, ObjectId::Deal(id), (now, now)));
        let Ok([side, _]) = sides else {
            self.pay_back(deal);
            return self.close(id, deal, deal.giver, DealState::Expired);
        };
        self.credit(deal.giver, asset(deal), bid.amount);
        self.close(id, deal, bid.by, DealState::Taken { by: bid.by });
        let paid = self.pay_shares(deal.giver, &side, terms.commission);
        paid.expect("the collections of items exist");
    }

    /// The highest bid, to who made it.
    fn pay_back(&mut self, deal: &Deal) {
        if let Some(bid) = &deal.bid {
            self.credit(bid.by, asset(deal), bid.amount);
        }
    }
}

/// What an auction is bid for in.
fn asset(deal: &Deal) -> AssetId {
    deal.terms
        .wants
        .assets
        .first()
        .map_or(AssetId::NATIVE, |part| part.asset)
}
