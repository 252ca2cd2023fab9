//! Collections, their editions, and the items in them. A collection's creator adds editions and updates items, minters
//! mint (L27). Whoever holds an item burns it.

use super::Execution;
use crate::draft::Fault;
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    Address, Collection, CollectionId, ContentHash, Edition, EditionId, FailureCode, Item, ItemId,
    ItemState, MINTED_ITEMS_MAX, MintEntry, NewEdition, Object, ObjectId, Policy, Role,
};

impl<B: Objects> Execution<'_, '_, B> {
    pub(super) fn create_collection(
        &mut self,
        creator: Address,
        name: &str,
        description: &str,
        item_cap: u64,
    ) -> Result<(), Fault> {
        let id = CollectionId::derive(&creator, &self.idempotency, self.operation);
        let id = ObjectId::Collection(id);
        if self.draft.get(&id).is_some() {
            return Err(Fault::new(FailureCode::AlreadyExists, id));
        }
        let collection = Collection {
            creator,
            name: name.to_owned(),
            description: description.to_owned(),
            item_cap,
            issued: 0,
            editions: 0,
            policy: Policy::default(),
            roles: vec![],
            frozen: false,
        };
        self.create(id, Object::Collection(Arc::new(collection)));
        Ok(())
    }

    pub(super) fn create_edition(
        &mut self,
        actor: Address,
        terms: &NewEdition,
    ) -> Result<(), Fault> {
        let mut collection = self.own_collection(actor, &terms.collection)?;
        collection.editions += 1;
        let id = EditionId::derive(&terms.collection, collection.editions);
        let edition = Edition::new(terms.clone());
        self.put_collection(terms.collection, collection);
        self.create(ObjectId::Edition(id), Object::Edition(Arc::new(edition)));
        Ok(())
    }

    pub(super) fn mint(&mut self, actor: Address, entries: &[MintEntry]) -> Result<(), Fault> {
        entries
            .iter()
            .try_for_each(|entry| self.mint_entry(actor, entry))
    }

    fn mint_entry(&mut self, actor: Address, entry: &MintEntry) -> Result<(), Fault> {
        let edition = Edition::clone(self.draft.edition(&entry.edition)?);
        self.with_role(actor, &edition.terms.collection, Role::Minter)?;
        self.issue(edition, entry)
    }

    /// The next items of an edition, which it is put back with. Serials go on where its last ones ended; a burned
    /// serial never comes again.
    pub(super) fn issue(&mut self, mut edition: Edition, entry: &MintEntry) -> Result<(), Fault> {
        let id = entry.edition;
        let collection_id = edition.terms.collection;
        let mut collection = Collection::clone(self.draft.collection(&collection_id)?);
        self.draft.goes_on(&id)?;

        self.minted = self.minted.saturating_add(entry.count);
        if self.minted > MINTED_ITEMS_MAX {
            let code = FailureCode::TooManyItems;
            return Err(Fault::figures(code, None, self.minted, MINTED_ITEMS_MAX));
        }
        let first = edition.issued;
        edition.issued = capped(ObjectId::Edition(id), first, entry.count, edition.terms.cap)?;
        let cap = match collection.item_cap {
            0 => u64::MAX,
            cap => cap,
        };
        let subject = ObjectId::Collection(collection_id);
        collection.issued = capped(subject, collection.issued, entry.count, cap)?;

        for serial in first + 1..=edition.issued {
            let item = Item::new(id, serial, entry.to);
            let item_id = ObjectId::Item(ItemId::derive(&id, serial));
            self.create(item_id, Object::Item(Arc::new(item)));
        }
        self.draft
            .put(ObjectId::Edition(id), Object::Edition(Arc::new(edition)));
        self.put_collection(collection_id, collection);
        Ok(())
    }

    /// The creator's right holds wherever the item is, also while it is locked in a deal.
    pub(super) fn update_item(
        &mut self,
        actor: Address,
        id: &ItemId,
        status: &str,
        data_hash: Option<ContentHash>,
    ) -> Result<(), Fault> {
        let item = self.draft.item(id)?;
        let collection = self.draft.edition(&item.edition)?.terms.collection;
        if self.draft.collection(&collection)?.creator != actor {
            return Err(not_creator(&collection));
        }
        self.in_scope(actor, &collection, ObjectId::Item(*id))?;
        let updated = Item {
            status: status.to_owned(),
            data_hash,
            ..Item::clone(item)
        };
        self.draft.put_item(*id, updated);
        Ok(())
    }

    pub(super) fn burn(&mut self, owner: Address, items: &[ItemId]) -> Result<(), Fault> {
        for id in items {
            let burned = Item {
                state: ItemState::Burned,
                ..self.free_item(owner, id)?
            };
            self.draft
                .retire(ObjectId::Item(*id), Object::Item(Arc::new(burned)));
        }
        Ok(())
    }

    pub(super) fn create(&mut self, id: ObjectId, object: Object) {
        self.draft.put(id, object);
        self.created.push(id);
    }

    pub(super) fn own_collection(
        &self,
        actor: Address,
        id: &CollectionId,
    ) -> Result<Collection, Fault> {
        let collection = self.draft.collection(id)?;
        if collection.creator != actor {
            return Err(not_creator(id));
        }
        self.in_scope(actor, id, ObjectId::Collection(*id))?;
        Ok(Collection::clone(collection))
    }

    pub(super) fn put_collection(&mut self, id: CollectionId, collection: Collection) {
        let id = ObjectId::Collection(id);
        self.draft.put(id, Object::Collection(Arc::new(collection)));
    }
}

pub(super) fn not_creator(collection: &CollectionId) -> Fault {
    Fault::new(FailureCode::NotCreator, ObjectId::Collection(*collection))
}

/// What has been issued after `count` more.
fn capped(subject: ObjectId, issued: u64, count: u64, cap: u64) -> Result<u64, Fault> {
    let found = issued.saturating_add(count);
    if found > cap {
        let code = FailureCode::CapReached;
        return Err(Fault::figures(code, Some(subject), found, cap));
    }
    Ok(found)
}
