//! Auctions, as plainly as can be: what a bid does to a deal, and what becomes of both in the end.

use super::{Bug, Model, Step, demand};
use weft_types::{
    Address, Amount, Auction, Deal, DealId, DealRule, DealState, FailureCode, HighestBid, Millis,
    NewDeal,
};

fn auction(terms: &NewDeal) -> Option<Auction> {
    match &terms.rule {
        DealRule::Auction(auction) => Some(*auction),
        _ => None,
    }
}

impl Model {
    /// When it ends by now.
    pub fn lasts(&self, deal: &Deal) -> u64 {
        deal.bid.map_or(deal.terms.expires, |bid| bid.expires).0
    }

    /// Between which what a new deal gives may change hands.
    pub fn times(&self, terms: &NewDeal) -> Result<(u64, u64), FailureCode> {
        if let Some(series) = terms.series() {
            let drawn = terms.expires.0.saturating_add(series.reveal.0);
            return Ok((drawn, terms.expires.0 - 1));
        }
        let Some(auction) = auction(terms) else {
            return Ok((self.now, terms.expires.0 - 1));
        };
        let latest = self.now + 90 * 86_400_000;
        demand(auction.last.0 <= latest, FailureCode::AuctionTooLong)?;
        Ok((terms.expires.0, auction.last.0))
    }

    pub fn bid(&mut self, actor: Address, id: &DealId, amount: Amount) -> Step {
        let mut deals = self.deals.iter();
        let open = deals.find(|(other, deal)| other == id && deal.state == DealState::Open);
        let (_, deal) = open.ok_or(FailureCode::DealNotOpen)?.clone();
        let auction = auction(&deal.terms).ok_or(FailureCode::WrongRule)?;
        let place = self.open_deal(id)?;
        demand(actor != deal.giver, FailureCode::OwnDeal)?;
        let wanted = deal.terms.wants.assets[0].clone();
        let enough = match deal.bid {
            None => amount >= wanted.amount,
            Some(bid) => {
                // By the definition: above it by so many parts of 10,000.
                let (new, old) = (u128::from(amount.0), u128::from(bid.amount.0));
                new > old && (new - old.min(new)) * 10_000 >= old * u128::from(auction.raise)
            }
        };
        demand(
            enough || self.bug(Bug::BidIsNoRaise),
            FailureCode::BidTooLow,
        )?;
        let mut expires = self.lasts(&deal);
        let extended = self.now + auction.extend.0;
        if !self.bug(Bug::BidMovesNoExpiry) && extended > expires {
            expires = match extended > auction.last.0 && !self.bug(Bug::ExpiryMovesForEver) {
                true => auction.last.0,
                false => extended,
            };
        }
        let terms = sold_for(&deal, amount);
        let sales = self.sales(&terms)?;
        for sale in &sales {
            self.judge(sale, expires, auction.last.0)?;
        }
        self.leave_something(&sales, &terms)?;
        for item in &terms.gives.items {
            self.not_frozen(item)?;
        }
        let purse = Self::purse(id);
        if let Some(last) = deal.bid
            && !self.bug(Bug::OutbidIsNotPaidBack)
        {
            self.pay(purse, last.by, wanted.asset, last.amount.0.into())?;
        }
        self.give(actor, purse, wanted.asset, amount.0.into())?;
        self.deals[place].1.bid = Some(HighestBid {
            by: actor,
            amount,
            expires: Millis(expires),
        });
        Ok(())
    }

    /// One with a bid.
    pub fn end_auction(&mut self, place: usize) {
        let (id, deal) = self.deals[place].clone();
        let bid = deal.bid.expect("there is a bid");
        let asset = deal.terms.wants.assets[0].asset;
        let terms = sold_for(&deal, bid.amount);
        let items = &terms.gives.items;
        let frozen = items.iter().any(|item| self.not_frozen(item).is_err());
        let sales = self.sales(&terms).expect("locked items exist");
        let judged = |sale| self.judge(sale, self.now, self.now).is_ok();
        let fits = sales.iter().all(judged) && self.leave_something(&sales, &terms).is_ok();
        let fits = fits || self.bug(Bug::PolicyIsForgottenAtTheEnd);
        let sold = fits && (!frozen || self.bug(Bug::FrozenItemIsSold));
        let gets = if sold { deal.giver } else { bid.by };
        let paid = self.pay(Self::purse(&id), gets, asset, bid.amount.0.into());
        paid.expect("the purse has the bid");
        match sold {
            true => {
                self.end(place, bid.by, DealState::Taken { by: bid.by });
                let paid = self.pay_shares(deal.giver, &sales[0], &terms);
                paid.expect("the giver has been paid");
            }
            false => self.end(place, deal.giver, DealState::Expired),
        }
    }
}

fn sold_for(deal: &Deal, amount: Amount) -> NewDeal {
    let mut terms = deal.terms.clone();
    terms.wants.assets[0].amount = amount;
    terms
}
