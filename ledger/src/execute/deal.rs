//! Deals with the Fixed rule: what is given is locked, or taken into the deal, when it opens. A deal
//! ends once: taken whole, cancelled by its giver, or returned when its time has come. Then it
//! leaves the state, and its last form goes into the change. What the policies of the collections say of it is in
//! `sale.rs`.

use super::{Execution, Leader};
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{
    Address, Bundle, Deal, DealId, DealRule, DealState, FailureCode, Item, ItemId, ItemState,
    LIST_MAX, Millis, NewDeal, Object, ObjectId, Taking, WantedFrom, WantedItems,
};

/// Assets and items that expiring deals return in one commit; the deal that reaches it is the last.
/// What remains is returned by the commits after it.
pub const EXPIRY_WORK_MAX: usize = 4_096;

/// Returns what deals due by then give, or ends the sale of packs (L46), the earliest first. Whether a deal can be taken depends on
/// its time alone, not on whether it has been returned.
pub(crate) fn expire<B: Objects>(
    draft: &mut Draft<'_, B>,
    due: &BTreeSet<(Millis, DealId)>,
    leader: Leader,
) {
    let mut work = 0;
    for (_, id) in due.range(..=(leader.at, DealId([0xff; 32]))) {
        let deal = draft.deal(id).expect("deals that are due are open").clone();
        work += deal.held().len() + deal.terms.gives.items.len();
        match deal.bid {
            Some(bid) => draft.end_auction(*id, &deal, &bid, leader.at),
            None if draft.end_sale(*id, &deal, leader) => {}
            None if deal.terms.channel().is_some() => draft.end_channel(*id, &deal, leader.at),
            None => draft.close(*id, &deal, deal.giver, DealState::Expired),
        }
        if work >= EXPIRY_WORK_MAX {
            break;
        }
    }
    draft.keep();
}

impl<B: Objects> Execution<'_, '_, B> {
    pub(super) fn open_deal(&mut self, giver: Address, terms: &NewDeal) -> Result<(), Fault> {
        let id = DealId::derive(&self.transaction, self.operation);
        let subject = ObjectId::Deal(id);
        if terms.expires <= self.now {
            let (code, found) = (FailureCode::ExpiryPassed, terms.expires.0);
            return Err(Fault::figures(code, Some(subject), found, self.now.0));
        }
        if terms.taker == Some(giver) {
            return Err(Fault::new(FailureCode::OwnDeal, subject));
        }
        self.check_wants(subject, terms)?;
        let order = self.entering(terms)?;
        for part in &terms.gives.assets {
            self.debit(giver, part.asset, part.amount)?;
        }
        for item_id in &terms.gives.items {
            let item = self.free_item(giver, item_id)?;
            let state = ItemState::Locked { deal: id };
            self.draft.put_item(*item_id, Item { state, ..item });
        }
        self.open_channel(terms)?;
        // Until the last moment at which it can be taken.
        let mut times = (self.now, Millis(terms.expires.0 - 1));
        match &terms.rule {
            DealRule::Fixed | DealRule::Secret { .. } | DealRule::CoSigned(_) | DealRule::Book => {}
            DealRule::Auction(auction) => {
                times = self.auction_times(auction, terms.expires, subject)?;
            }
            // L45: what is in the packs changes hands when they are drawn.
            DealRule::Draw(series) => times.0 = terms.expires.saturating_add(series.reveal.0),
        }
        self.draft.judged(terms, subject, times)?;
        let deal = Deal {
            order,
            ..Deal::open(giver, terms.clone())
        };
        self.create(subject, Object::Deal(Arc::new(deal)));
        Ok(())
    }

    /// Refuses what nobody could ever fulfil.
    fn check_wants(&self, deal: ObjectId, terms: &NewDeal) -> Result<(), Fault> {
        let limit = LIST_MAX as u64;
        let wanted = picked(terms);
        if wanted > limit {
            let code = FailureCode::TooManyItems;
            return Err(Fault::figures(code, Some(deal), wanted, limit));
        }
        let mut items: Vec<&ItemId> = terms.gives.items.iter().collect();
        items.extend(&terms.wants.items);
        items.sort_unstable();
        if let Some(pair) = items.windows(2).find(|pair| pair[0] == pair[1]) {
            let subject = ObjectId::Item(*pair[0]);
            return Err(Fault::new(FailureCode::DuplicateItem, subject));
        }
        for item in &terms.wants.items {
            self.draft.item(item)?;
        }
        for wanted in &terms.wants_any {
            match &wanted.from {
                WantedFrom::Edition(edition) => self.draft.edition(edition).map(|_| ())?,
                WantedFrom::Collection(id) | WantedFrom::Trait { collection: id, .. } => {
                    self.draft.collection(id).map(|_| ())?;
                }
            }
        }
        Ok(())
    }

    /// The taker gives first, out of what it holds without the deal.
    pub(super) fn take_deal(&mut self, taker: Address, taking: &Taking) -> Result<(), Fault> {
        let (id, picks) = (&taking.deal, &taking.items);
        let deal = self.draft.deal(id)?.clone();
        let subject = ObjectId::Deal(*id);
        if let Some(series) = deal.terms.series() {
            return self.buy_pack(taker, taking, &deal, series);
        }
        let (giver, terms) = (deal.giver, &deal.terms);
        let refused = if deal.due() <= self.now {
            Some(FailureCode::DealNotOpen)
        } else if deal.auction().is_some() || deal.order.is_some() {
            Some(FailureCode::WrongRule)
        } else if giver == taker {
            Some(FailureCode::OwnDeal)
        } else if terms.taker.is_some_and(|t| t != taker) {
            Some(FailureCode::NotTaker)
        } else if taking.entropy.is_some() {
            Some(FailureCode::WrongEntropy)
        } else {
            None
        };
        if let Some(code) = refused {
            return Err(Fault::new(code, subject));
        }
        let deal = self.opened(deal.clone(), taking)?;
        let (found, limit) = (picks.len() as u64, picked(terms));
        if found != limit {
            let code = FailureCode::WrongItemCount;
            return Err(Fault::figures(code, Some(subject), found, limit));
        }
        let sides = self.draft.judged(terms, subject, (self.now, self.now))?;
        for item in &terms.gives.items {
            let given = self.draft.item(item)?;
            self.draft.not_void(item, given)?;
            self.draft.not_frozen(item, given)?;
        }
        self.pay_all(taker, giver, &terms.wants.assets)?;
        for item in &terms.wants.items {
            self.move_item(taker, giver, item)?;
        }
        let places = terms.wants_any.iter().flat_map(places);
        for (from, item) in places.zip(picks) {
            self.check_pick(from, item)?;
            self.move_item(taker, giver, item)?;
        }
        let state = DealState::Taken { by: taker };
        self.draft.close(*id, &deal, taker, state);
        for (seller, side) in [giver, taker].into_iter().zip(&sides) {
            self.draft.pay_shares(seller, side, terms.commission)?;
        }
        Ok(())
    }

    fn check_pick(&self, from: &WantedFrom, id: &ItemId) -> Result<(), Fault> {
        let edition = self.draft.item(id)?.edition;
        let terms = &self.draft.edition(&edition)?.terms;
        let fits = match from {
            WantedFrom::Edition(wanted) => edition == *wanted,
            WantedFrom::Collection(wanted) => terms.collection == *wanted,
            // L30
            WantedFrom::Trait {
                collection,
                name,
                value,
            } => terms.collection == *collection && terms.has_trait(name, value),
        };
        if !fits {
            return Err(Fault::new(FailureCode::WrongItem, ObjectId::Item(*id)));
        }
        Ok(())
    }

    pub(super) fn cancel_deal(&mut self, actor: Address, id: &DealId) -> Result<(), Fault> {
        let deal = self.draft.deal(id)?.clone();
        if deal.giver != actor {
            return Err(Fault::new(FailureCode::NotGiver, ObjectId::Deal(*id)));
        }
        if deal.bid.is_some() {
            return Err(Fault::new(FailureCode::HasBid, ObjectId::Deal(*id)));
        }
        self.draft.packs_sold(*id, &deal)?;
        super::secret::cancellable(id, &deal)?;
        self.draft.close(*id, &deal, actor, DealState::Cancelled);
        Ok(())
    }
}

impl<B: Objects> Draft<'_, B> {
    /// Hands what the deal gives to `to`, and takes the deal out of the state.
    pub(super) fn close(&mut self, id: DealId, deal: &Deal, to: Address, state: DealState) {
        let Bundle { assets, items } = &deal.terms.gives;
        for part in assets {
            self.credit(to, part.asset, part.amount);
        }
        for item_id in items {
            let item = self.item(item_id).expect("a locked item is in the state");
            let freed = Item {
                owner: to,
                state: ItemState::Held,
                ..Item::clone(item)
            };
            self.put_item(*item_id, freed);
        }
        let last = Deal {
            state,
            ..deal.clone()
        };
        self.retire(ObjectId::Deal(id), Object::Deal(Arc::new(last)));
    }
}

/// How many items the taker picks.
fn picked(terms: &NewDeal) -> u64 {
    let counts = terms.wants_any.iter().map(|w| w.count);
    counts.fold(0, u64::saturating_add)
}

/// Where each of the items may come from. A deal that is open wants no more than `LIST_MAX`.
fn places(wanted: &WantedItems) -> impl Iterator<Item = &WantedFrom> {
    std::iter::repeat_n(&wanted.from, wanted.count as usize)
}
