//! What the ledger does by itself in a commit, before its transactions, and what it knows that by. All of it follows from
//! the objects, so that a restart, a snapshot and a takeover know the same.

use crate::books::Books;
use crate::draft::Draft;
use crate::execute::{
    Cleared, Leader, Settled, begin_reveals, clear_books, draw_lots, end_pools, end_posted, expire,
};
use crate::live::Objects;
use std::collections::BTreeSet;
use weft_types::{ContentHash, DealId, Millis, Object, ObjectId, VoucherPoolId};

#[derive(Default)]
pub(crate) struct Due {
    /// Open deals by the time from which they are due.
    deals: BTreeSet<(Millis, DealId)>,
    /// L47: series that wait for a lot, or for a height that has it.
    undrawn: BTreeSet<DealId>,
    /// L52: pools of vouchers that are not over, by the time from which they are due.
    pools: BTreeSet<(Millis, VoucherPoolId)>,
    /// L55: posted data by their end.
    posted: BTreeSet<(Millis, ContentHash)>,
    /// L56: orders by edition.
    books: Books,
}

impl Due {
    /// Takes up an object's change.
    pub fn follow(&mut self, id: ObjectId, before: Option<&Object>, after: Option<&Object>) {
        match id {
            ObjectId::Deal(id) => {
                let deal = |o: Option<&'_ Object>| o.and_then(Object::as_deal).cloned();
                let (before, after) = (deal(before), deal(after));
                if let Some(deal) = &before {
                    self.deals.remove(&(deal.due(), id));
                }
                self.deals.extend(after.as_ref().map(|d| (d.due(), id)));
                match after.as_ref().is_some_and(|d| d.awaits_reveal()) {
                    true => self.undrawn.insert(id),
                    false => self.undrawn.remove(&id),
                };
                self.books.follow(id, before.as_deref(), after.as_deref());
            }
            ObjectId::VoucherPool(id) => {
                let entry = |o: Option<&Object>| {
                    let pool = o.and_then(Object::as_voucher_pool);
                    Some((pool.filter(|p| !p.is_over())?.ends, id))
                };
                if let Some(entry) = entry(before) {
                    self.pools.remove(&entry);
                }
                self.pools.extend(entry(after));
            }
            ObjectId::Posted(hash) => {
                let entry = |o: Option<&Object>| Some((o?.as_posted()?.until, hash));
                if let Some(entry) = entry(before) {
                    self.posted.remove(&entry);
                }
                self.posted.extend(entry(after));
            }
            _ => {}
        }
    }

    /// Does what is due, and says what books have traded. `settled` tells which lots are under a height.
    pub fn run<B: Objects>(
        &self,
        draft: &mut Draft<'_, B>,
        leader: Leader,
        settled: Settled,
    ) -> Vec<Cleared> {
        draw_lots(draft, &self.undrawn, leader);
        begin_reveals(draft, &self.undrawn, leader.at, settled);
        expire(draft, &self.deals, leader);
        end_pools(draft, &self.pools, leader.at);
        end_posted(draft, &self.posted, leader.at);
        clear_books(draft, &self.books, leader)
    }
}
