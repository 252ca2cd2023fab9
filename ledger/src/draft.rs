//! What a commit changes, over a base that stays as it is until the commit is done. A transaction
//! that fails is undone step by step, backwards; the fee, taken before, stays.

use crate::live::Objects;
use std::collections::HashMap;
use std::sync::Arc;
use weft_types::{
    Account, Address, Amount, AssetId, BaseAddress, Collection, CollectionId, Deal, DealId,
    Edition, EditionId, FailureCode, Item, ItemId, Keys, Object, ObjectId,
};

/// What a commit did to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: ObjectId,
    /// In the state before the commit.
    pub before: Option<Object>,
    /// In the state after it.
    pub after: Option<Object>,
    /// The last form of an item that was burned or of a deal that was taken, cancelled or expired:
    /// for histories, as it is in the state no longer (`after` is `None`).
    pub retired: Option<Object>,
}

/// Why an operation cannot be applied; becomes a `Failure` with the operation's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub code: FailureCode,
    pub subject: Option<ObjectId>,
    pub found: u64,
    pub limit: u64,
}

impl Fault {
    pub fn new(code: FailureCode, subject: ObjectId) -> Self {
        Self::figures(code, Some(subject), 0, 0)
    }

    /// One that is about the transaction itself.
    pub fn code(code: FailureCode) -> Self {
        Self::figures(code, None, 0, 0)
    }

    pub fn figures(code: FailureCode, subject: Option<ObjectId>, found: u64, limit: u64) -> Self {
        Self {
            code,
            subject,
            found,
            limit,
        }
    }
}

#[derive(Debug, Clone)]
struct Slot {
    current: Option<Object>,
    retired: Option<Object>,
}

pub(crate) struct Draft<'a, B> {
    base: &'a B,
    slots: HashMap<ObjectId, Slot>,
    /// What the current transaction has replaced, in order.
    undo: Vec<(ObjectId, Option<Slot>)>,
    /// X3: cards that were listed with a new exit address; those of the current transaction come last.
    named: Vec<ItemId>,
    named_before: usize,
}

impl<B: Objects> Objects for Draft<'_, B> {
    fn get(&self, id: &ObjectId) -> Option<&Object> {
        match self.slots.get(id) {
            Some(slot) => {
                #[cfg(feature = "testing")]
                crate::reads::note_written();
                slot.current.as_ref()
            }
            None => self.base.get(id),
        }
    }
}

impl<'a, B: Objects> Draft<'a, B> {
    pub fn new(base: &'a B) -> Self {
        Self {
            base,
            slots: HashMap::new(),
            undo: Vec::new(),
            named: Vec::new(),
            named_before: 0,
        }
    }

    /// What was done so far stays, whatever follows.
    pub fn keep(&mut self) {
        self.undo.clear();
        self.named_before = self.named.len();
    }

    /// Back to where `keep` was last called.
    pub fn undo(&mut self) {
        while let Some((id, slot)) = self.undo.pop() {
            match slot {
                Some(slot) => self.slots.insert(id, slot),
                None => self.slots.remove(&id),
            };
        }
        self.named.truncate(self.named_before);
    }

    /// The card takes its holder's exit address at the end of the commit.
    pub fn name(&mut self, card: ItemId) {
        self.named.push(card);
    }

    /// Cards that were named by transactions that applied.
    pub fn take_named(&mut self) -> Vec<ItemId> {
        std::mem::take(&mut self.named)
    }

    /// All changes, by id.
    pub fn into_changes(self) -> Vec<Change> {
        let base = self.base;
        let changes = self.slots.into_iter().map(|(id, slot)| Change {
            id,
            before: base.get(&id).cloned(),
            after: slot.current,
            retired: slot.retired,
        });
        let changed = |c: &Change| c.before != c.after || c.retired.is_some();
        let mut changes: Vec<Change> = changes.filter(changed).collect();
        changes.sort_unstable_by_key(|c| c.id);
        changes
    }

    fn replace(&mut self, id: ObjectId, current: Option<Object>, retired: Option<Object>) {
        let old = self.slots.insert(id, Slot { current, retired });
        self.undo.push((id, old));
    }

    pub fn put(&mut self, id: ObjectId, object: Object) {
        self.replace(id, Some(object), None);
    }

    /// Takes an object out of the state.
    pub fn remove(&mut self, id: ObjectId) {
        self.replace(id, None, None);
    }

    /// The same, and keeps its last form for the change.
    pub fn retire(&mut self, id: ObjectId, last: Object) {
        self.replace(id, None, Some(last));
    }

    pub fn collection(&self, id: &CollectionId) -> Result<&Arc<Collection>, Fault> {
        let id = ObjectId::Collection(*id);
        let found = self.get(&id).and_then(Object::as_collection);
        found.ok_or(Fault::new(FailureCode::NotFound, id))
    }

    pub fn edition(&self, id: &EditionId) -> Result<&Arc<Edition>, Fault> {
        let id = ObjectId::Edition(*id);
        let found = self.get(&id).and_then(Object::as_edition);
        found.ok_or(Fault::new(FailureCode::NotFound, id))
    }

    pub fn item(&self, id: &ItemId) -> Result<&Arc<Item>, Fault> {
        let id = ObjectId::Item(*id);
        let found = self.get(&id).and_then(Object::as_item);
        found.ok_or(Fault::new(FailureCode::NotFound, id))
    }

    /// An open deal: the state holds no others.
    pub fn deal(&self, id: &DealId) -> Result<&Arc<Deal>, Fault> {
        let id = ObjectId::Deal(*id);
        let found = self.get(&id).and_then(Object::as_deal);
        found.ok_or(Fault::new(FailureCode::DealNotOpen, id))
    }

    pub fn put_item(&mut self, id: ItemId, item: Item) {
        self.put(ObjectId::Item(id), Object::Item(Arc::new(item)));
    }

    /// Takes from an account.
    pub fn debit(&mut self, from: Address, asset: AssetId, amount: Amount) -> Result<(), Fault> {
        let mut account = self.account(from);
        let found = account.balance(&asset);
        let Some(rest) = found.checked_sub(amount.0) else {
            let subject = Some(ObjectId::Account(from));
            let code = FailureCode::InsufficientBalance;
            return Err(Fault::figures(code, subject, found.0, amount.0));
        };
        account.set(asset, rest);
        self.put_account(from, account);
        Ok(())
    }

    /// Gives to an account.
    ///
    /// # Panics
    /// When more of the asset would exist than 64 bits hold: what is given was taken before, and
    /// genesis hands out no more than that.
    pub fn credit(&mut self, to: Address, asset: AssetId, amount: Amount) {
        let mut account = self.account(to);
        let sum = account.balance(&asset).checked_add(amount.0);
        account.set(asset, sum.expect("an asset's supply fits 64 bits"));
        self.put_account(to, account);
    }

    /// Names who has on the base chain what the account holds.
    pub fn set_exit_address(&mut self, account: Address, address: BaseAddress) {
        let mut changed = self.account(account);
        changed.set_exit_address(address);
        self.put_account(account, changed);
    }

    /// L18: who has the say, as it is written down.
    pub fn keys(&self, address: Address) -> Keys {
        let found = self.get(&ObjectId::Account(address));
        let keys = found.and_then(Object::as_account).and_then(|a| a.keys());
        keys.cloned().unwrap_or_default()
    }

    pub fn set_keys(&mut self, address: Address, keys: Keys) {
        let mut account = self.account(address);
        account.set_keys(keys);
        self.put_account(address, account);
    }

    pub fn account(&self, address: Address) -> Account {
        let found = self.get(&ObjectId::Account(address));
        let account = found.and_then(Object::as_account);
        account.map(|a| Account::clone(a)).unwrap_or_default()
    }

    /// An account that holds nothing, and has neither exit address nor keys, is no object.
    fn put_account(&mut self, address: Address, account: Account) {
        let current = (!account.is_empty()).then(|| Object::Account(Arc::new(account)));
        self.replace(ObjectId::Account(address), current, None);
    }
}
