//! L35 to L37: at the gate. A gate takes one use of an item by its holder's pass; what was used stays with its owner;
//! what is void is good for nothing.

use super::Execution;
use super::collection::not_creator;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use weft_types::{
    Address, CollectionId, FailureCode, Item, ItemId, ItemState, Millis, Object, ObjectId,
    PASS_AGE_MAX, PASS_AHEAD_MAX, Pass, Role, SessionKind,
};

impl<B: Objects> Execution<'_, '_, B> {
    pub(super) fn redeem(&mut self, actor: Address, id: &ItemId, pass: &Pass) -> Result<(), Fault> {
        let item = Item::clone(self.draft.item(id)?);
        let edition = self.draft.edition(&item.edition)?;
        let (collection, uses) = (edition.terms.collection, edition.terms.uses);
        self.with_role(actor, &collection, Role::Gate)?;
        let subject = ObjectId::Item(*id);
        if uses == 0 {
            let subject = ObjectId::Edition(item.edition);
            return Err(Fault::new(FailureCode::NotRedeemable, subject));
        }
        self.draft.not_void(id, &item)?;
        self.draft.not_frozen(id, &item)?;
        match item.state {
            ItemState::Held => {}
            ItemState::Redeemed => {
                let (code, found, limit) = (FailureCode::NoUseLeft, item.used, uses);
                return Err(Fault::figures(
                    code,
                    Some(subject),
                    found.into(),
                    limit.into(),
                ));
            }
            ItemState::Locked { .. } | ItemState::Burned => {
                return Err(Fault::new(FailureCode::ItemLocked, subject));
            }
        }
        self.check_pass(actor, (id, &item), &collection, pass)?;
        // L35: held, so that a use is left.
        let used = item.used + 1;
        let state = match used < uses {
            true => ItemState::Held,
            false => ItemState::Redeemed,
        };
        let redeemed = Item {
            used,
            state,
            last_pass: pass.slot,
            ..item
        };
        self.draft.put_item(*id, redeemed);
        Ok(())
    }

    /// L36. That its key has signed it was verified with the transaction.
    fn check_pass(
        &self,
        gate: Address,
        (id, item): (&ItemId, &Item),
        collection: &CollectionId,
        pass: &Pass,
    ) -> Result<(), Fault> {
        let subject = Some(ObjectId::Item(*id));
        let refused = |code, found, limit| Err(Fault::figures(code, subject, found, limit));
        if pass.gate.is_some_and(|named| named != gate) {
            return refused(FailureCode::WrongGate, 0, 0);
        }
        let key = pass.key();
        if !self.draft.may_show(item.owner, key, collection, self.now) {
            return refused(FailureCode::NotHolder, 0, 0);
        }
        let (begins, now) = (pass.begins(), self.now);
        let ahead = begins > now.saturating_add(PASS_AHEAD_MAX.0);
        if ahead || begins.saturating_add(PASS_AGE_MAX.0) < now {
            return refused(FailureCode::PassStale, begins.0, now.0);
        }
        match pass.slot > item.last_pass {
            true => Ok(()),
            false => refused(FailureCode::PassSpent, pass.slot, item.last_pass),
        }
    }

    pub(super) fn void(
        &mut self,
        actor: Address,
        items: &[ItemId],
        reason: &str,
    ) -> Result<(), Fault> {
        for id in items {
            let item = Item::clone(self.draft.item(id)?);
            let collection = self.draft.edition(&item.edition)?.terms.collection;
            if self.draft.collection(&collection)?.creator != actor {
                return Err(not_creator(&collection));
            }
            let void = Some(reason.to_owned());
            self.draft.put_item(*id, Item { void, ..item });
        }
        Ok(())
    }
}

impl<B: Objects> Draft<'_, B> {
    /// L37
    pub(super) fn not_void(&self, id: &ItemId, item: &Item) -> Result<(), Fault> {
        match item.void {
            Some(_) => Err(Fault::new(FailureCode::ItemVoid, ObjectId::Item(*id))),
            None => Ok(()),
        }
    }

    /// L35: whether it was never redeemed.
    pub(super) fn unused(&self, id: &ItemId, item: &Item) -> Result<(), Fault> {
        match item.used {
            0 => Ok(()),
            used => {
                let subject = Some(ObjectId::Item(*id));
                let code = FailureCode::ItemUsed;
                Err(Fault::figures(code, subject, used.into(), 0))
            }
        }
    }

    /// L36: whether a key may show an account's items of a collection: the owner's, or that of a session for passes.
    fn may_show(
        &self,
        account: Address,
        key: Address,
        collection: &CollectionId,
        now: Millis,
    ) -> bool {
        let found = self.get(&ObjectId::Account(account));
        let keys = found.and_then(Object::as_account).and_then(|a| a.keys());
        let Some(keys) = keys else {
            return key == account;
        };
        let mut sessions = keys.sessions_at(now).iter();
        key == keys.owner_at(account, now)
            || sessions.any(|session| {
                session.key == key
                    && session.expires > now
                    && session.kinds.has(SessionKind::Pass)
                    && session.collections.contains(collection)
            })
    }
}
