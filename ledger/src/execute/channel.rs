//! State channels: what the ledger does of them. It holds what both parties have brought in (L41), is shown states when
//! one of them wants it to (L42), and pays out the newest one (L43). Whose signatures they are was verified with the
//! transaction's own.

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    Address, Amount, Bundle, ChannelState, ChannelTerms, Deal, DealId, DealState, FailureCode,
    Item, ItemId, ItemState, Millis, NewDeal, Object, ObjectId, STATES_SHOWN_MAX, Secret, Showing,
    Standing,
};

/// What becomes of an item that may not change hands when a channel is paid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Barred {
    /// Both can agree on something else.
    Fails,
    /// There is nothing else to come.
    GoesBack,
}

impl<B: Objects> Execution<'_, '_, B> {
    /// L41: the items of a channel that opens, which are locked, belong to who is to have them.
    pub(super) fn open_channel(&mut self, terms: &NewDeal) -> Result<(), Fault> {
        let Some((channel, taker)) = terms.channel().zip(terms.taker) else {
            return Ok(());
        };
        for id in &terms.gives.items {
            self.draft.unpriced(self.draft.item(id)?)?;
        }
        for id in &channel.to_taker.items {
            let item = Item::clone(self.draft.item(id)?);
            let owner = taker;
            self.draft.put_item(*id, Item { owner, ..item });
        }
        Ok(())
    }

    /// L42: begins to close a channel, or ends it by its last state.
    pub(super) fn close_channel(&mut self, actor: Address, shown: &Showing) -> Result<(), Fault> {
        self.show(actor, shown, true)
    }

    /// L42: a newer state, or secrets of its parts.
    pub(super) fn challenge(&mut self, actor: Address, shown: &Showing) -> Result<(), Fault> {
        self.show(actor, shown, false)
    }

    fn show(&mut self, actor: Address, shown: &Showing, closes: bool) -> Result<(), Fault> {
        let id = shown.deal;
        let deal = self.draft.deal(&id)?.clone();
        let failed = |code| Err(Fault::new(code, ObjectId::Deal(id)));
        let Some(channel) = deal.terms.channel() else {
            return failed(FailureCode::WrongRule);
        };
        if deal.due() <= self.now {
            return failed(FailureCode::DealNotOpen);
        }
        let side = match actor {
            actor if actor == deal.giver => 0,
            actor if Some(actor) == deal.terms.taker => 1,
            _ => return failed(FailureCode::NotParty),
        };
        let state = newer(&deal, channel, shown)?;
        let ended = state.as_ref().is_some_and(|s| s.last);
        let mut standing = match (&deal.standing, closes) {
            _ if ended => Standing::default(),
            (None, true) => Standing {
                until: self.now.saturating_add(channel.challenge.0),
                ..Standing::default()
            },
            (Some(standing), false) => standing.clone(),
            (Some(_), true) => return failed(FailureCode::AlreadyClosing),
            (None, false) => return failed(FailureCode::NotClosing),
        };
        if let Some(state) = state {
            standing.secrets = state.opening(&standing.secrets);
            standing.state = Some(state);
        }
        if ended {
            let standing = Some(standing);
            let deal = Deal {
                standing,
                ..Deal::clone(&deal)
            };
            let last = DealState::Taken { by: actor };
            return self
                .draft
                .pay_out(id, &deal, self.now, (last, Barred::Fails));
        }
        if shown.state.is_some() {
            // One restarts the window twice at most, so that it ends, and never uses up the other's.
            standing.shown[side] += 1;
            let (found, limit) = (standing.shown[side], STATES_SHOWN_MAX);
            if found > limit {
                let (code, subject) = (FailureCode::ShownTooOften, Some(ObjectId::Deal(id)));
                return Err(Fault::figures(code, subject, found.into(), limit.into()));
            }
            standing.until = self.now.saturating_add(channel.challenge.0);
        }
        for secret in &shown.secrets {
            if !opens(&standing, secret, self.now) {
                return failed(FailureCode::WrongSecret);
            }
            if !standing.secrets.contains(secret) {
                standing.secrets.push(*secret);
            }
        }
        let standing = Some(standing);
        let deal = Deal {
            standing,
            ..Deal::clone(&deal)
        };
        let object = Object::Deal(Arc::new(deal));
        self.draft.put(ObjectId::Deal(id), object);
        Ok(())
    }
}

/// The state that is shown, if it is one of this channel, signed by its keys, and newer than what was shown.
fn newer(
    deal: &Deal,
    channel: &ChannelTerms,
    shown: &Showing,
) -> Result<Option<ChannelState>, Fault> {
    let Some(signed) = &shown.state else {
        return Ok(None);
    };
    let subject = ObjectId::Deal(shown.deal);
    let state = &signed.state;
    if state.deal != shown.deal || deal.terms.accepts(state).is_err() {
        return Err(Fault::new(FailureCode::WrongState, subject));
    }
    if signed.keys() != channel.keys() {
        return Err(Fault::new(FailureCode::WrongSigner, subject));
    }
    let last = deal.standing.as_ref().and_then(|s| s.state.as_ref());
    let (found, limit) = (state.version, last.map_or(0, |s| s.version));
    if found <= limit {
        let code = FailureCode::StaleState;
        return Err(Fault::figures(code, Some(subject), found, limit));
    }
    Ok(Some(state.clone()))
}

/// L43: whether a secret opens a part, and comes in time for it.
fn opens(standing: &Standing, secret: &Secret, now: Millis) -> bool {
    let mut parts = standing.state.iter().flat_map(|s| &s.parts);
    parts.any(|p| p.hash == secret.hash() && now < p.expires)
}

impl<B: Objects> Draft<'_, B> {
    /// L43: a channel whose time has come.
    pub(super) fn end_channel(&mut self, id: DealId, deal: &Deal, now: Millis) {
        let last = (DealState::Expired, Barred::GoesBack);
        let paid = self.pay_out(id, deal, now, last);
        paid.expect("an item that may not change hands goes back");
    }

    /// Divides what a channel holds by what it stands at, and takes it out of the state.
    fn pay_out(
        &mut self,
        id: DealId,
        deal: &Deal,
        now: Millis,
        (last, barred): (DealState, Barred),
    ) -> Result<(), Fault> {
        let (channel, taker) = deal
            .terms
            .channel()
            .zip(deal.terms.taker)
            .expect("a channel has a taker");
        let standing = deal.standing.as_ref();
        let state = standing.and_then(|s| s.state.as_ref());
        let secrets = standing.map_or(&[][..], |s| &s.secrets);
        let shares = channel.shares(&deal.terms.gives, state, secrets);
        let shares = shares.expect("what was shown divides what there is");
        for (to, Bundle { assets, items }) in [deal.giver, taker].into_iter().zip(shares) {
            for part in assets {
                self.credit(to, part.asset, part.amount);
            }
            for item_id in items {
                self.hand_out(item_id, to, (now, barred))?;
            }
        }
        let deal = Deal {
            state: last,
            ..deal.clone()
        };
        self.retire(ObjectId::Deal(id), Object::Deal(Arc::new(deal)));
        Ok(())
    }

    /// L44: what its collection forbids by now stays with who brought it in.
    fn hand_out(
        &mut self,
        id: ItemId,
        to: Address,
        (now, barred): (Millis, Barred),
    ) -> Result<(), Fault> {
        let item = self.item(&id).expect("a locked item is in the state");
        let item = Item::clone(item);
        let mut owner = to;
        if item.owner != to
            && let Err(fault) = self.may_pass(&id, &item, now)
        {
            match barred {
                Barred::Fails => return Err(fault),
                Barred::GoesBack => owner = item.owner,
            }
        }
        let state = ItemState::Held;
        self.put_item(
            id,
            Item {
                owner,
                state,
                ..item
            },
        );
        Ok(())
    }

    fn may_pass(&self, id: &ItemId, item: &Item, now: Millis) -> Result<(), Fault> {
        self.not_void(id, item)?;
        self.not_frozen(id, item)?;
        self.unpriced(item)?;
        self.changes_hands(&item.edition, now)
    }

    /// L44: nothing is asked of a price, which a channel has not.
    fn unpriced(&self, item: &Item) -> Result<(), Fault> {
        let id = self.edition(&item.edition)?.terms.collection;
        let policy = &self.collection(&id)?.policy;
        let asks = policy.floor_price > Amount::ZERO || policy.cap_price > Amount::ZERO;
        match asks || policy.royalty.is_some() {
            true => Err(Fault::new(
                FailureCode::PricedItem,
                ObjectId::Collection(id),
            )),
            false => Ok(()),
        }
    }
}
