//! Orders of books, of cards that the maker keeps for them: the maker asks, players bid, and most of the time they cross.
//! Which cards trade the ledger decides, so that the plan knows of them no more.

use super::{DEAL_OPEN_MS, Draft, Market, PRICE_MAX};
use rand::RngExt as _;
use weft_types::{Amount, EditionId, ItemId, Millis, NewDeal, Operation, Transaction};

/// Of an ask, and the most of a bid.
const CARDS: usize = 2;

/// What the maker has to ask for, edition by edition; the last one's book is the one that is open.
pub(super) struct Orders(pub Vec<(EditionId, Vec<ItemId>)>);

impl Orders {
    /// Cards for a new ask; an edition of which there are none any more is left behind.
    fn draw(&mut self) -> Option<Vec<ItemId>> {
        loop {
            let (_, left) = self.0.last_mut()?;
            if let Some(rest) = left.len().checked_sub(CARDS) {
                return Some(left.split_off(rest));
            }
            self.0.pop();
        }
    }
}

impl Market {
    /// An ask or a bid; `None` when the maker has nothing left to ask for.
    pub(super) fn order(&mut self, draft: &Draft) -> Option<(Transaction, Vec<u32>)> {
        let price = Amount(self.random.random_range(1..=PRICE_MAX));
        let now = draft.body(self.maker.address, vec![]).valid_until;
        let expires = Millis(now.0.saturating_add(DEAL_OPEN_MS));
        let (key, terms) = if self.random.random_bool(0.5) {
            let cards = self.orders.draw()?;
            (&self.maker.key, NewDeal::ask(cards, price, expires))
        } else {
            let (edition, _) = *self.orders.0.last()?;
            let bidder = self.random.random_range(0..self.players.len());
            let count = self.random.random_range(1..=CARDS as u64);
            let terms = NewDeal::bid(edition, price, count, expires);
            (&self.players[bidder].key, terms)
        };
        let order = Operation::DealOpen(terms?);
        Some((draft.sign(key, vec![order]), vec![]))
    }
}
