//! L56: orders by edition, the best of each side first. Derived from the open deals, as they were before a commit; what
//! the commit has done to a deal is asked of the deal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use weft_types::{Amount, BookSide, CommitIndex, Deal, DealId, EditionId};

/// L59: orders on a side of a book. The worst of what is beyond go back.
pub const BOOK_ORDERS_MAX: usize = 1_024;
/// L59: items of them together.
pub const BOOK_ITEMS_MAX: u64 = 4_096;

#[derive(Default)]
pub(crate) struct Books {
    books: HashMap<EditionId, Book>,
    /// Those that the next commit looks at.
    due: BTreeSet<EditionId>,
}

#[derive(Default)]
pub(crate) struct Book {
    pub bids: Queue,
    pub asks: Queue,
}

/// The orders of one side.
#[derive(Default)]
pub(crate) struct Queue {
    /// With the items of each.
    orders: BTreeMap<Rank, u64>,
    /// Of all of them.
    items: u64,
}

/// The best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Of a bid: taken from the largest number.
    pub price: u64,
    entered: CommitIndex,
    pub deal: DealId,
}

impl Books {
    /// Takes up a deal's change.
    pub fn follow(&mut self, id: DealId, before: Option<&Deal>, after: Option<&Deal>) {
        let (before, after) = (before.and_then(place), after.and_then(place));
        for place in [&before, &after].into_iter().flatten() {
            self.books.entry(place.edition).or_default();
        }
        if let Some(place) = &before {
            self.queue(place).remove(place.rank(id));
        }
        if let Some(place) = &after {
            self.queue(place).insert(place.rank(id), place.count);
        }
        for place in [before, after].into_iter().flatten() {
            self.settle(place.edition);
        }
    }

    /// Books in which something can be traded, or has to go back.
    pub fn due(&self) -> impl Iterator<Item = (&EditionId, &Book)> {
        let book = |id| self.books.get(id).map(|book| (id, book));
        self.due.iter().filter_map(book)
    }

    fn queue(&mut self, place: &Place) -> &mut Queue {
        let book = self.books.entry(place.edition).or_default();
        match place.side {
            BookSide::Bid => &mut book.bids,
            BookSide::Ask => &mut book.asks,
        }
    }

    fn settle(&mut self, edition: EditionId) {
        let Some(book) = self.books.get(&edition) else {
            return;
        };
        match book.is_due() {
            true => self.due.insert(edition),
            false => self.due.remove(&edition),
        };
        if book.bids.orders.is_empty() && book.asks.orders.is_empty() {
            self.books.remove(&edition);
        }
    }
}

impl Book {
    fn is_due(&self) -> bool {
        let crossed = self.bids.best_bid() >= self.asks.best_ask();
        let both = !self.bids.orders.is_empty() && !self.asks.orders.is_empty();
        (crossed && both) || self.bids.is_over() || self.asks.is_over()
    }

    /// Orders that another one may trade with, the best first: those that bid less than all ask are none.
    pub fn crossing(&self) -> (Vec<Rank>, Vec<Rank>) {
        let (best_bid, best_ask) = (self.bids.best_bid(), self.asks.best_ask());
        let (Some(best_bid), Some(best_ask)) = (best_bid, best_ask) else {
            return (Vec::new(), Vec::new());
        };
        let bids = self.bids.within().take_while(|r| !r.price >= best_ask);
        let asks = self.asks.within().take_while(|r| r.price <= best_bid);
        (bids.collect(), asks.collect())
    }

    /// L59: orders that the book has no room for.
    pub fn beyond(&self) -> Vec<Rank> {
        self.bids.beyond().chain(self.asks.beyond()).collect()
    }
}

impl Queue {
    fn insert(&mut self, rank: Rank, count: u64) {
        self.orders.insert(rank, count);
        self.items += count;
    }

    fn remove(&mut self, rank: Rank) {
        let count = self.orders.remove(&rank);
        self.items -= count.unwrap_or_default();
    }

    fn best_ask(&self) -> Option<u64> {
        self.orders.keys().next().map(|rank| rank.price)
    }

    fn best_bid(&self) -> Option<u64> {
        self.best_ask().map(|price| !price)
    }

    fn is_over(&self) -> bool {
        self.orders.len() > BOOK_ORDERS_MAX || self.items > BOOK_ITEMS_MAX
    }

    /// How many there is room for, the best first.
    fn room(&self) -> usize {
        if !self.is_over() {
            return self.orders.len();
        }
        let mut items = 0;
        let fits = |count: &&u64| {
            items += **count;
            items <= BOOK_ITEMS_MAX
        };
        let fitting = self.orders.values().take_while(fits).count();
        fitting.min(BOOK_ORDERS_MAX)
    }

    fn within(&self) -> impl Iterator<Item = Rank> {
        self.orders.keys().take(self.room()).copied()
    }

    fn beyond(&self) -> impl Iterator<Item = Rank> {
        self.orders.keys().skip(self.room()).copied()
    }
}

/// Where an order stands.
struct Place {
    edition: EditionId,
    side: BookSide,
    price: Amount,
    entered: CommitIndex,
    count: u64,
}

fn place(deal: &Deal) -> Option<Place> {
    let (limit, order) = deal.terms.limit().zip(deal.order)?;
    Some(Place {
        edition: order.edition,
        side: limit.side,
        price: limit.price,
        entered: order.entered,
        count: limit.count,
    })
}

impl Place {
    fn rank(&self, deal: DealId) -> Rank {
        let price = match self.side {
            BookSide::Bid => !self.price.0,
            BookSide::Ask => self.price.0,
        };
        let entered = self.entered;
        Rank {
            price,
            entered,
            deal,
        }
    }
}

#[cfg(test)]
mod tests;
