//! Books of editions, item by item: each price is tried, and each item looks for its buyer.

use super::{Bug, Model, Step, demand, find};
use crate::world::leader_of;
use weft_types::hash::{Domain, blake3};
use weft_types::{
    Address, Amount, AssetId, CommitIndex, Deal, DealId, DealRule, DealState, EditionId,
    FailureCode, ItemId, ItemState, NewDeal, Order, WantedFrom,
};

/// An item that is wanted or offered.
#[derive(Clone, Copy)]
struct Unit {
    place: usize,
    price: u64,
    entered: CommitIndex,
    lot: [u8; 32],
}

/// Whether it bids, its price of an item, and how many.
fn limit(deal: &Deal) -> (bool, u64, u64) {
    let wanted = deal.terms.wants_any.first().map(|wanted| wanted.count);
    let (count, paid) = match wanted {
        Some(count) => (count, &deal.terms.gives),
        None => (deal.terms.gives.items.len() as u64, &deal.terms.wants),
    };
    (wanted.is_some(), paid.assets[0].amount.0 / count, count)
}

impl Model {
    /// What a deal has beside its terms if it is an order.
    pub fn entering(&mut self, terms: &NewDeal) -> Result<Option<Order>, FailureCode> {
        let DealRule::Book = terms.rule else {
            return Ok(None);
        };
        let mut editions = vec![];
        if let Some(WantedFrom::Edition(edition)) = terms.wants_any.first().map(|w| &w.from) {
            editions.push(*edition);
        }
        for id in &terms.gives.items {
            let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
            editions.push(item.ok_or(FailureCode::NotFound)?.edition);
            let one = editions.iter().all(|e| *e == editions[0]);
            demand(one, FailureCode::WrongItem)?;
        }
        Ok(Some(Order {
            edition: editions[0],
            entered: self.commit,
            traded: 0,
        }))
    }

    /// What an order that is open has locked, if it is one that bids; and what exits to its giver.
    pub fn exits_of_bid(&self, deal: &Deal) -> Option<u64> {
        let order = deal.order.filter(|_| self.bug(Bug::FilledOrderExits))?;
        let count = deal.terms.wants_any.first()?.count;
        let amount = deal.terms.gives.assets[0].amount.0;
        Some(amount / count * (count + u64::from(order.traded)))
    }

    pub fn clear_books(&mut self) {
        let editions: Vec<EditionId> = self.editions.iter().map(|(id, _)| *id).collect();
        for edition in editions {
            self.clear_book(edition);
        }
    }

    fn clear_book(&mut self, edition: EditionId) {
        if !self.goes_on(&edition) {
            return;
        }
        self.return_stuck(edition);
        let (mut bids, mut asks) = (vec![], vec![]);
        for place in 0..self.deals.len() {
            let (id, deal) = self.deals[place].clone();
            let Some(order) = deal.order.filter(|o| o.edition == edition) else {
                continue;
            };
            if deal.state != DealState::Open || !self.can_trade(&deal) {
                continue;
            }
            let (is_bid, price, count) = limit(&deal);
            let side = if is_bid { &mut bids } else { &mut asks };
            let entered = match self.bug == Some(Bug::TimeIsIgnored) {
                true => CommitIndex::ZERO,
                false => order.entered,
            };
            let leader = leader_of(self.commit).digest;
            for _ in 0..count {
                side.push(Unit {
                    place,
                    price,
                    entered,
                    lot: blake3(Domain::Book, &[&leader.0, &id.0]),
                });
            }
        }
        let Some(price) = self.price(&bids, &asks) else {
            return;
        };
        bids.retain(|b| b.price >= price);
        asks.retain(|a| a.price <= price);
        bids.sort_by_key(|b| (std::cmp::Reverse(b.price), b.entered, b.lot));
        asks.sort_by_key(|a| (a.price, a.entered, a.lot));
        let traded = bids.len().min(asks.len());
        let (bids, asks) = (self.chosen(bids, traded), self.chosen(asks, traded));
        let sales: Vec<_> = bids.into_iter().zip(asks).collect();
        for (bid, ask) in &sales {
            self.trade(*bid, *ask, price);
        }
        // What each seller has come to.
        for place in 0..self.deals.len() {
            let of = |(_, ask): &&(Unit, Unit)| ask.place == place;
            let count = sales.iter().filter(of).count();
            if count > 0 {
                let (_, deal) = self.deals[place].clone();
                let collection = self.collection_of(&edition).expect("it stays");
                let sale = self.sold_of(collection, count, u128::from(price) * count as u128);
                let paid = self.pay_shares(deal.giver, &sale, &deal.terms);
                paid.expect("the seller has been paid");
            }
        }
    }

    /// The edition is not stopped as a whole.
    fn goes_on(&mut self, edition: &EditionId) -> bool {
        let collection = self.collection_of(edition).expect("it stays");
        let stopped = find(&mut self.editions, edition).is_some_and(|e| e.frozen)
            || find(&mut self.collections, &collection).is_some_and(|c| c.frozen);
        let free = !stopped || self.bug(Bug::FrozenItemIsCleared);
        let moves = self.may_be_sent(edition).is_ok() || self.bug(Bug::PolicyIsForgottenInBooks);
        free && moves
    }

    /// Those that another one would trade with, and that may not.
    fn return_stuck(&mut self, edition: EditionId) {
        let open = |(_, deal): &(DealId, Deal)| {
            let of_it = deal.order.is_some_and(|o| o.edition == edition);
            of_it && deal.state == DealState::Open
        };
        let orders: Vec<(usize, bool, u64)> = self
            .deals
            .iter()
            .enumerate()
            .filter(|(_, deal)| open(deal))
            .map(|(place, (_, deal))| {
                let (is_bid, price, _) = limit(deal);
                (place, is_bid, price)
            })
            .collect();
        for (place, is_bid, price) in &orders {
            let meets = |(_, other, theirs): &(usize, bool, u64)| match (is_bid, other) {
                (true, false) => price >= theirs,
                (false, true) => price <= theirs,
                _ => false,
            };
            let (_, deal) = self.deals[*place].clone();
            if orders.iter().any(meets) && !self.can_trade(&deal) {
                self.end(*place, deal.giver, DealState::Expired);
            }
        }
    }

    fn can_trade(&mut self, deal: &Deal) -> bool {
        let sales = self.sales(&deal.terms).expect("locked items exist");
        let now = self.now;
        let judged = sales.iter().all(|sale| self.judge(sale, now, now).is_ok());
        let judged = judged && self.leave_something(&sales, &deal.terms).is_ok();
        let judged = judged || self.bug(Bug::PolicyIsForgottenInBooks);
        let mut items = deal.terms.gives.items.iter();
        let free = items.all(|id| self.not_void(id).is_ok() && self.not_frozen(id).is_ok());
        judged && (free || self.bug(Bug::FrozenItemIsCleared)) && deal.terms.expires.0 > now
    }

    /// Of all prices that somebody has named, and those beside them.
    fn price(&self, bids: &[Unit], asks: &[Unit]) -> Option<u64> {
        let named = bids.iter().chain(asks).map(|u| u.price);
        let beside = |p: u64| [p.saturating_sub(1), p, p.saturating_add(1)];
        let mut prices: Vec<u64> = named.flat_map(beside).collect();
        prices.sort_unstable();
        prices.dedup();
        let at = |price: u64| {
            let wanted = bids.iter().filter(|b| b.price >= price).count() as i64;
            let offered = asks.iter().filter(|a| a.price <= price).count() as i64;
            (wanted, offered)
        };
        let traded = |p: &u64| at(*p).0.min(at(*p).1);
        let left = |p: &u64| (at(*p).0 - at(*p).1).abs();
        let most = prices.iter().map(traded).max().filter(|most| *most > 0)?;
        prices.retain(|p| traded(p) == most);
        let least = prices.iter().map(left).min()?;
        prices.retain(|p| left(p) == least);
        let more = |p: &&u64| at(**p).0 > at(**p).1;
        let less = |p: &&u64| at(**p).0 < at(**p).1;
        let (first, last) = (*prices.first()?, *prices.last()?);
        if self.bug(Bug::BuyersPayTheMost) {
            return Some(last);
        }
        Some(
            match (
                prices.iter().any(|p| more(&p)),
                prices.iter().any(|p| less(&p)),
            ) {
                (true, _) => *prices.iter().rfind(more)?,
                (false, true) => *prices.iter().find(less)?,
                (false, false) => ((u128::from(first) + u128::from(last)) / 2) as u64,
            },
        )
    }

    /// Which of all that would trade do, in their order.
    fn chosen(&self, units: Vec<Unit>, mut left: usize) -> Vec<Unit> {
        let mut chosen = vec![];
        let mut rest = &units[..];
        while let Some(first) = rest.first() {
            let equal = |u: &&Unit| (u.price, u.entered) == (first.price, first.entered);
            let (equals, others) = rest.split_at(rest.iter().take_while(equal).count());
            rest = others;
            if equals.len() <= left || self.bug(Bug::MarginIsNotShared) {
                chosen.extend(&equals[..equals.len().min(left)]);
                left -= equals.len().min(left);
                continue;
            }
            // Each order, and how many items it has so far.
            let mut parts: Vec<(Unit, usize, usize)> = vec![];
            for unit in equals {
                match parts.iter_mut().find(|(u, _, _)| u.place == unit.place) {
                    Some((_, all, _)) => *all += 1,
                    None => parts.push((*unit, 1, 0)),
                }
            }
            let due = |(_, all, has): &(Unit, usize, usize)| {
                (all * left) as i64 - (has * equals.len()) as i64
            };
            // One after the other to who is the most behind, whole items first.
            for _ in 0..left {
                let whole = |p: &&mut (Unit, usize, usize)| due(p) >= equals.len() as i64;
                if let Some(part) = parts.iter_mut().find(whole) {
                    part.2 += 1;
                    continue;
                }
                let behind = parts.iter().map(due).max().expect("somebody is");
                let next = parts.iter_mut().find(|p| due(p) == behind);
                next.expect("it is there").2 += 1;
            }
            for (unit, _, has) in parts {
                chosen.extend(vec![unit; has]);
            }
            left = 0;
        }
        chosen
    }

    fn trade(&mut self, bid: Unit, ask: Unit, price: u64) {
        let paid = match self.bug(Bug::BidIsPaid) {
            true => bid.price,
            false => price,
        };
        let native = AssetId::NATIVE;
        let (buyer, seller) = (self.deals[bid.place].1.giver, self.deals[ask.place].1.giver);
        let purse = Self::purse(&self.deals[bid.place].0);
        let moved = self.pay(purse, seller, native, paid.into());
        moved.expect("the bid is locked");
        if !self.bug(Bug::RefundIsForgotten) {
            let back = self.pay(purse, buyer, native, (bid.price - paid).into());
            back.expect("the bid is locked");
        }
        let mut items = self.deals[ask.place].1.terms.gives.items.clone();
        let serial = |id: &ItemId| {
            let (_, item) = self
                .items
                .iter()
                .find(|(other, _)| other == id)
                .expect("locked");
            item.serial
        };
        items.sort_by_key(serial);
        if self.bug(Bug::HighestSerialFirst) {
            items.reverse();
        }
        let item = items[0];
        let sold = find(&mut self.items, &item).expect("locked");
        (sold.owner, sold.state) = (buyer, ItemState::Held);
        let loses = self.bug(Bug::PartialFillLosesItems);
        self.fill(bid, seller, |terms| {
            let wanted = &mut terms.wants_any[0];
            wanted.count -= 1;
            terms.gives.assets[0].amount = Amount(bid.price * wanted.count);
            wanted.count
        });
        self.fill(ask, buyer, |terms| {
            let given = &mut terms.gives.items;
            given.retain(|other| *other != item);
            if loses && given.len() > 2 {
                given.pop();
            }
            terms.wants.assets[0].amount = Amount(ask.price * given.len() as u64);
            given.len() as u64
        });
    }

    fn fill(&mut self, unit: Unit, by: Address, less: impl FnOnce(&mut NewDeal) -> u64) {
        let (_, deal) = &mut self.deals[unit.place];
        let left = less(&mut deal.terms);
        deal.order.as_mut().expect("an order").traded += 1;
        if left == 0 {
            deal.state = DealState::Taken { by };
        }
    }

    /// Neither taken nor bid for.
    pub fn no_order(&self, deal: &Deal) -> Step {
        demand(deal.order.is_none(), FailureCode::WrongRule)
    }
}
