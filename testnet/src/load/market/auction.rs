//! Auctions of single cards. They last longer than any load, so that their cards never come back; how many there are
//! follows from the rate, for one is opened only when none has rested since its last bid.

use super::{Draft, Market, cards, moved, price};
use crate::load::sign::reaching;
use rand::RngExt as _;
use weft_types::{Amount, Auction, DealId, DealRule, Millis, NewDeal, Operation, Transaction};

/// How long an auction is open.
const OPEN_MS: u64 = 86_400_000;
/// A bid is above the last one by 1 to this.
const RAISE_MAX: u64 = 5;

/// An open auction as the plan knows it.
pub(super) struct Open {
    deal: DealId,
    entries: u64,
    giver: usize,
    highest: u64,
    /// What opened it, or its last bid.
    moved: u32,
}

impl Market {
    /// A bid for the auction that has rested the longest, or else a new one.
    pub(super) fn auction(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let gap = self.gap;
        let rested = |open: &mut Open| open.moved.saturating_add(gap) <= place;
        match self.auctions.pop_front_if(rested) {
            Some(open) => self.bid(place, draft, open),
            None => self.sell_to_the_highest(place, draft),
        }
    }

    fn sell_to_the_highest(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let (giver, _) = self.pair(1);
        let given = self.draw(giver, 1);
        let terms = self.terms(draft, cards(&given), price(1));
        let last = Millis(terms.expires.0.saturating_add(OPEN_MS));
        let rule = DealRule::Auction(Auction {
            raise: 0,
            extend: Millis(0),
            last,
        });
        let terms = NewDeal {
            expires: last,
            rule,
            ..terms
        };
        let key = &self.players[giver].key;
        let entries = terms.entries();
        let transaction = draft.sign(key, vec![Operation::DealOpen(terms)]);
        self.auctions.push_back(Open {
            deal: DealId::derive(&transaction.id(), 0),
            entries,
            giver,
            highest: 0,
            moved: place,
        });
        (transaction, moved(&given).collect())
    }

    fn bid(&mut self, place: u32, draft: &Draft, open: Open) -> (Transaction, Vec<u32>) {
        let count = self.players.len();
        let bidder = (open.giver + self.random.random_range(1..count)) % count;
        let highest = open.highest + self.random.random_range(1..=RAISE_MAX);
        let bid = Operation::Bid {
            deal: open.deal,
            amount: Amount(highest),
        };
        let draft = reaching(draft, &bid, open.entries);
        let after = vec![open.moved];
        self.auctions.push_back(Open {
            highest,
            moved: place,
            ..open
        });
        (draft.sign(&self.players[bidder].key, vec![bid]), after)
    }
}
