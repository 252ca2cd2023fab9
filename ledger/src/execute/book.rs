//! L56 to L59: orders of an edition's book. Before a commit's transactions the ledger clears each book that is crossed,
//! over the orders that earlier commits brought: so nobody sees an order and does anything before it has traded, and
//! the order of transactions inside a commit decides nothing.

use super::{Execution, Leader};
use crate::books::{Book, Books, Rank};
use crate::clearing::{Standing, clear};
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::sync::Arc;
use weft_types::hash::{Domain, blake3};
use weft_types::{
    Address, Amount, AssetId, BookSide, Deal, DealId, DealState, EditionId, FailureCode, Item,
    ItemId, ItemState, Limit, NewDeal, Object, ObjectId, Order, WantedFrom,
};

/// L59: orders and items that a commit looks at, moves or returns; the book that reaches it is the last.
pub const BOOK_WORK_MAX: usize = 4_096;

/// What a commit has traded of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    pub edition: EditionId,
    /// Of each item.
    pub price: Amount,
    /// In the order in which items were given out.
    pub trades: Vec<BookTrade>,
}

/// An item that changed hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookTrade {
    pub item: ItemId,
    pub ask: DealId,
    pub seller: Address,
    pub bid: DealId,
    pub buyer: Address,
}

/// An order that can trade now.
struct Ready {
    id: DealId,
    deal: Arc<Deal>,
    limit: Limit,
    standing: Standing,
}

impl<B: Objects> Execution<'_, '_, B> {
    /// L56: what an order has beside its terms, which is of one edition.
    pub(super) fn entering(&self, terms: &NewDeal) -> Result<Option<Order>, Fault> {
        if terms.limit().is_none() {
            return Ok(None);
        }
        let wanted = terms.wants_any.iter().find_map(|wanted| match wanted.from {
            WantedFrom::Edition(edition) => Some(edition),
            WantedFrom::Collection(_) | WantedFrom::Trait { .. } => None,
        });
        let mut edition = wanted;
        for id in &terms.gives.items {
            let of = self.draft.item(id)?.edition;
            if *edition.get_or_insert(of) != of {
                return Err(Fault::new(FailureCode::WrongItem, ObjectId::Item(*id)));
            }
        }
        let entered = self.commit;
        Ok(edition.map(|edition| Order {
            edition,
            entered,
            traded: 0,
        }))
    }
}

/// Clears books that are due, in an order that nobody knew before.
pub(crate) fn clear_books<B: Objects>(
    draft: &mut Draft<'_, B>,
    books: &Books,
    leader: Leader,
) -> Vec<Cleared> {
    let mut due: Vec<_> = books
        .due()
        .map(|(id, book)| (lot(&leader, &id.0), id, book))
        .collect();
    due.sort_unstable_by_key(|(lot, id, _)| (*lot, **id));
    let (mut cleared, mut work) = (Vec::new(), 0);
    for (_, edition, book) in due {
        work += 1 + draft.return_worst(book);
        cleared.extend(draft.clear_book(*edition, book, leader, &mut work));
        if work >= BOOK_WORK_MAX {
            break;
        }
    }
    draft.keep();
    cleared
}

/// By which equals differ: nobody could know it when the orders came in.
fn lot(leader: &Leader, id: &[u8; 32]) -> [u8; 32] {
    blake3(Domain::Book, &[&leader.digest.0, id])
}

impl<B: Objects> Draft<'_, B> {
    /// L59: orders that a book has no room for, to their givers. How much work it was.
    fn return_worst(&mut self, book: &Book) -> usize {
        let mut work = 0;
        for rank in book.beyond() {
            let Ok(deal) = self.deal(&rank.deal).cloned() else {
                continue;
            };
            work += 1 + deal.terms.gives.items.len();
            self.close(rank.deal, &deal, deal.giver, DealState::Expired);
        }
        work
    }

    fn clear_book(
        &mut self,
        edition: EditionId,
        book: &Book,
        leader: Leader,
        work: &mut usize,
    ) -> Option<Cleared> {
        // What holds for all of its items is asked once.
        self.goes_on(&edition).ok()?;
        self.changes_hands(&edition, leader.at).ok()?;
        let (bids, asks) = self.meeting(book, leader);
        let bids = self.ready(bids, leader, work);
        let asks = self.ready(asks, leader, work);
        let standing = |orders: &[Ready]| -> Vec<Standing> {
            orders.iter().map(|order| order.standing).collect()
        };
        let clearing = clear(&standing(&bids), &standing(&asks))?;
        let price = Amount(clearing.price);
        let sold = self.picked(&asks, &clearing.asks);
        let counted = bids.iter().zip(&clearing.bids);
        let buyers = counted.flat_map(|(bid, n)| std::iter::repeat_n(bid, *n as usize));
        let trades: Vec<BookTrade> = sold
            .into_iter()
            .zip(buyers)
            .map(|((ask, item), bid)| BookTrade {
                item,
                ask: ask.id,
                seller: ask.deal.giver,
                bid: bid.id,
                buyer: bid.deal.giver,
            })
            .collect();
        *work += trades.len();
        let mut left = &trades[..];
        for (bid, count) in bids.iter().zip(&clearing.bids) {
            let (bought, rest) = left.split_at(*count as usize);
            self.fill_bid(bid, price, bought);
            left = rest;
        }
        let mut left = &trades[..];
        for (ask, count) in asks.iter().zip(&clearing.asks) {
            let (sold, rest) = left.split_at(*count as usize);
            self.fill_ask(ask, price, sold);
            left = rest;
        }
        Some(Cleared {
            edition,
            price,
            trades,
        })
    }

    /// Orders that another one would trade with: those that have ended in this commit are in the book still.
    fn meeting(&self, book: &Book, leader: Leader) -> (Vec<Rank>, Vec<Rank>) {
        let (mut bids, mut asks) = book.crossing();
        let open = |rank: &Rank| {
            let deal = self.deal(&rank.deal);
            deal.is_ok_and(|deal| deal.expires() > leader.at)
        };
        bids.retain(open);
        asks.retain(open);
        // The best are first.
        let best_ask = asks.first().map(|rank| rank.price);
        let best_bid = bids.first().map(|rank| !rank.price);
        bids.retain(|rank| best_ask.is_some_and(|ask| !rank.price >= ask));
        asks.retain(|rank| best_bid.is_some_and(|bid| rank.price <= bid));
        (bids, asks)
    }

    /// L59: those whose items can change hands now, by priority. The others go back, so that they are looked at once.
    fn ready(&mut self, ranks: Vec<Rank>, leader: Leader, work: &mut usize) -> Vec<Ready> {
        let mut ready: Vec<Ready> = Vec::with_capacity(ranks.len());
        for Rank { deal: id, .. } in ranks {
            let Ok(deal) = self.deal(&id).cloned() else {
                continue;
            };
            *work += 1 + deal.terms.gives.items.len();
            let Some((limit, order)) = deal.terms.limit().zip(deal.order) else {
                continue;
            };
            if deal.expires() <= leader.at {
                continue;
            }
            if self.may_trade(&id, &deal, leader).is_err() {
                self.close(id, &deal, deal.giver, DealState::Expired);
                continue;
            }
            let standing = Standing {
                price: limit.price.0,
                entered: order.entered,
                lot: lot(&leader, &id.0),
                count: u32::try_from(limit.count).expect("an order has 256 items at most"),
            };
            ready.push(Ready {
                id,
                deal,
                limit,
                standing,
            });
        }
        ready.sort_by_key(|order| {
            let Standing {
                price,
                entered,
                lot,
                ..
            } = order.standing;
            match order.limit.side {
                BookSide::Bid => (!price, entered, lot),
                BookSide::Ask => (price, entered, lot),
            }
        });
        ready
    }

    fn may_trade(&self, id: &DealId, deal: &Deal, leader: Leader) -> Result<(), Fault> {
        self.judged(&deal.terms, ObjectId::Deal(*id), (leader.at, leader.at))?;
        for item_id in &deal.terms.gives.items {
            let item = self.item(item_id)?;
            self.not_void(item_id, item)?;
            self.not_frozen(item_id, item)?;
        }
        Ok(())
    }

    /// L58: of each ask the lowest serials.
    fn picked<'r>(&self, asks: &'r [Ready], counts: &[u32]) -> Vec<(&'r Ready, ItemId)> {
        let mut picked = Vec::new();
        for (ask, count) in asks.iter().zip(counts) {
            let mut items = ask.deal.terms.gives.items.clone();
            let serial = |id: &ItemId| self.item(id).map_or(u64::MAX, |item| item.serial);
            items.sort_by_key(serial);
            let items = items.into_iter().take(*count as usize);
            picked.extend(items.map(|item| (ask, item)));
        }
        picked
    }

    /// The buyer's coin above the price comes back to him.
    fn fill_bid(&mut self, bid: &Ready, price: Amount, bought: &[BookTrade]) {
        let Some(last) = bought.last() else { return };
        let count = bought.len() as u64;
        let above = bid.limit.price.0.saturating_sub(price.0);
        let refund = Amount(above.saturating_mul(count));
        if refund > Amount::ZERO {
            self.credit(bid.deal.giver, AssetId::NATIVE, refund);
        }
        self.fill(bid, count, &[], last.seller);
    }

    /// The items go to their buyers, and the seller is paid, less royalties and commission.
    fn fill_ask(&mut self, ask: &Ready, price: Amount, sold: &[BookTrade]) {
        let Some(last) = sold.last() else { return };
        for trade in sold {
            let item = self
                .item(&trade.item)
                .expect("a locked item is in the state");
            let item = Item {
                owner: trade.buyer,
                state: ItemState::Held,
                ..Item::clone(item)
            };
            self.put_item(trade.item, item);
        }
        let items: Vec<ItemId> = sold.iter().map(|trade| trade.item).collect();
        let count = items.len() as u64;
        let paid = price.0.checked_mul(count).map(Amount);
        let paid = paid.expect("buyers have locked it");
        let giver = ask.deal.giver;
        self.credit(giver, AssetId::NATIVE, paid);
        self.fill(ask, count, &items, last.buyer);
        let side = self.sold(&items, paid.0.into());
        let shared = side.and_then(|s| self.pay_shares(giver, &s, ask.deal.terms.commission));
        shared.expect("the collections of items exist");
    }

    /// What is left of an order stays; an order of which nothing is has been taken by who had the last of it.
    fn fill(&mut self, filled: &Ready, count: u64, sold: &[ItemId], last: Address) {
        let rest = filled.limit.rest(&filled.deal.terms, count, sold);
        let traded = |order: Order| Order {
            traded: order.traded.saturating_add(count as u32),
            ..order
        };
        let deal = Deal {
            order: filled.deal.order.map(traded),
            ..Deal::clone(&filled.deal)
        };
        let id = ObjectId::Deal(filled.id);
        match rest {
            Some(terms) => {
                let deal = Deal { terms, ..deal };
                self.put(id, Object::Deal(Arc::new(deal)));
            }
            None => {
                let state = DealState::Taken { by: last };
                let deal = Deal { state, ..deal };
                self.retire(id, Object::Deal(Arc::new(deal)));
            }
        }
    }
}
