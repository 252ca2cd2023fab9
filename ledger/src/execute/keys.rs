//! Who has the say for an account: as its owner sets it (L19), as its guardian starts it (L21), and what a session may
//! spend and touch (L20).

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use weft_types::{
    Address, Amount, AssetId, CollectionId, FailureCode, Item, ItemId, KeyChange, Keys, Object,
    ObjectId, Recovery, SESSIONS_MAX, Session, SessionKind,
};

impl<B: Objects> Execution<'_, '_, B> {
    /// Each change sees what those before it did. Admission has seen to it that the owner's key has signed.
    pub(super) fn set_keys(&mut self, actor: Address, changes: &[KeyChange]) -> Result<(), Fault> {
        let mut keys = self.draft.keys(actor).at(actor, self.now);
        for change in changes {
            self.change(actor, &mut keys, change)?;
        }
        self.draft.set_keys(actor, keys);
        Ok(())
    }

    fn change(&self, actor: Address, keys: &mut Keys, change: &KeyChange) -> Result<(), Fault> {
        let subject = Some(ObjectId::Account(actor));
        let refused =
            |code, found: u64, limit: u64| Err(Fault::figures(code, subject, found, limit));
        match change {
            KeyChange::Owner { key } => keys.rotate(actor, *key),
            KeyChange::Guardian(guardian) => {
                let (found, limit) = (guardian.delay.0, self.delay_min.0);
                if found < limit {
                    return refused(FailureCode::DelayTooShort, found, limit);
                }
                (keys.guardian, keys.recovery) = (Some(*guardian), None);
            }
            KeyChange::NoGuardian => (keys.guardian, keys.recovery) = (None, None),
            KeyChange::Session(session) => {
                let (expires, now) = (session.expires, self.now);
                if expires <= now {
                    return refused(FailureCode::ExpiryPassed, expires.0, now.0);
                }
                keys.put_session(session.clone());
                let (found, limit) = (keys.sessions.len(), SESSIONS_MAX);
                if found > limit {
                    return refused(FailureCode::TooManySessions, found as u64, limit as u64);
                }
            }
            KeyChange::EndSession { key } => {
                if !keys.end_session(key) {
                    return refused(FailureCode::NoSession, 0, 0);
                }
            }
            KeyChange::RefuseRecovery => {
                if keys.recovery.take().is_none() {
                    return refused(FailureCode::NoRecovery, 0, 0);
                }
            }
        }
        Ok(())
    }

    /// The guardian has signed as any party does.
    pub(super) fn recover(
        &mut self,
        guardian: Address,
        account: Address,
        owner: Address,
    ) -> Result<(), Fault> {
        let mut keys = self.draft.keys(account).at(account, self.now);
        let guard = keys.guardian.filter(|g| g.account == guardian);
        let Some(guard) = guard else {
            let subject = ObjectId::Account(account);
            return Err(Fault::new(FailureCode::NotGuardian, subject));
        };
        let at = self.now.saturating_add(guard.delay.0);
        keys.recovery = Some(Recovery { owner, at });
        self.draft.set_keys(account, keys);
        Ok(())
    }

    /// Takes from the actor, within what its session may spend.
    pub(super) fn debit(
        &mut self,
        actor: Address,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), Fault> {
        if let Some(key) = self.session_of(actor) {
            self.draft.spend(actor, key, asset, amount)?;
        }
        self.draft.debit(actor, asset, amount)
    }

    /// An item that the actor may move, lock or burn.
    pub(super) fn free_item(&self, actor: Address, id: &ItemId) -> Result<Item, Fault> {
        let item = self.draft.free_item(actor, id)?;
        self.draft.not_void(id, &item)?;
        self.draft.not_frozen(id, &item)?;
        if self.session_of(actor).is_some() {
            let collection = self.draft.edition(&item.edition)?.terms.collection;
            self.in_scope(actor, &collection, ObjectId::Item(*id))?;
        }
        Ok(item)
    }

    /// Whether the actor's session, if that is what signs, may deal with a collection.
    pub(super) fn in_scope(
        &self,
        actor: Address,
        collection: &CollectionId,
        subject: ObjectId,
    ) -> Result<(), Fault> {
        let Some(key) = self.session_of(actor) else {
            return Ok(());
        };
        let session = self.draft.session(actor, &key);
        match session.is_some_and(|s| s.collections.contains(collection)) {
            true => Ok(()),
            false => Err(Fault::new(FailureCode::SessionScope, subject)),
        }
    }

    /// Whether an account signs with its owner's key, or by a session with this kind and collection.
    pub(super) fn session_may(
        &self,
        account: Address,
        kind: SessionKind,
        collection: &CollectionId,
    ) -> bool {
        let Some(key) = self.session_of(account) else {
            return true;
        };
        let session = self.draft.session(account, &key);
        session.is_some_and(|s| s.kinds.has(kind) && s.collections.contains(collection))
    }

    fn session_of(&self, actor: Address) -> Option<Address> {
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|(account, _)| *account == actor);
        found.map(|(_, key)| *key)
    }
}

impl<B: Objects> Draft<'_, B> {
    fn session(&self, account: Address, key: &Address) -> Option<&Session> {
        let found = self.get(&ObjectId::Account(account));
        let keys = found.and_then(Object::as_account).and_then(|a| a.keys());
        keys.and_then(|keys| keys.session(key))
    }

    /// Lowers what a session may spend.
    pub(super) fn spend(
        &mut self,
        account: Address,
        key: Address,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), Fault> {
        let mut keys = self.keys(account);
        let session = keys.session_mut(&key);
        let left = session.as_ref().map_or(Amount::ZERO, |s| s.left(&asset));
        if session.and_then(|s| s.spend(&asset, amount)).is_none() {
            let subject = Some(ObjectId::Account(account));
            let code = FailureCode::SessionLimit;
            return Err(Fault::figures(code, subject, left.0, amount.0));
        }
        self.set_keys(account, keys);
        Ok(())
    }
}
