//! What a collection's creator lays down (L25, L26), who does what there (L27), and what a freezer stops (L29).

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    Address, Collection, CollectionId, Edition, EditionId, FailureCode, Item, ItemId, Millis,
    Object, ObjectId, Policy, ROLE_HOLDERS_MAX, Role, RoleHolder,
};

impl<B: Objects> Execution<'_, '_, B> {
    pub(super) fn set_policy(
        &mut self,
        actor: Address,
        id: &CollectionId,
        policy: Option<&Policy>,
        roles: &[RoleHolder],
    ) -> Result<(), Fault> {
        let mut collection = self.own_collection(actor, id)?;
        let subject = Some(ObjectId::Collection(*id));
        if let Some(policy) = policy {
            // L26: before the first item nobody holds what could lose by it.
            let loosened = policy.loosens(&collection.policy);
            if let (Some((found, limit)), true) = (loosened, collection.issued > 0) {
                let code = FailureCode::PolicyLoosened;
                return Err(Fault::figures(code, subject, found, limit));
            }
            collection.policy = *policy;
        }
        for holder in roles {
            collection.set_roles(*holder);
        }
        let (found, limit) = (collection.roles.len(), ROLE_HOLDERS_MAX);
        if found > limit {
            let code = FailureCode::TooManyRoles;
            let (found, limit) = (found as u64, limit as u64);
            return Err(Fault::figures(code, subject, found, limit));
        }
        self.put_collection(*id, collection);
        Ok(())
    }

    pub(super) fn freeze(
        &mut self,
        actor: Address,
        frozen: bool,
        (collections, editions, items): (&[CollectionId], &[EditionId], &[ItemId]),
    ) -> Result<(), Fault> {
        for id in collections {
            let collection = self.with_role(actor, id, Role::Freezer)?;
            let collection = Collection {
                frozen,
                ..Collection::clone(collection)
            };
            self.put_collection(*id, collection);
        }
        for id in editions {
            let edition = Edition {
                frozen,
                ..Edition::clone(self.draft.edition(id)?)
            };
            self.with_role(actor, &edition.terms.collection, Role::Freezer)?;
            let object = Object::Edition(Arc::new(edition));
            self.draft.put(ObjectId::Edition(*id), object);
        }
        for id in items {
            let item = Item {
                frozen,
                ..Item::clone(self.draft.item(id)?)
            };
            let collection = self.draft.edition(&item.edition)?.terms.collection;
            self.with_role(actor, &collection, Role::Freezer)?;
            self.draft.put_item(*id, item);
        }
        Ok(())
    }

    /// L27: the collection, if the actor has a role there, and its session reaches it.
    pub(super) fn with_role(
        &self,
        actor: Address,
        id: &CollectionId,
        role: Role,
    ) -> Result<&Arc<Collection>, Fault> {
        let collection = self.draft.collection(id)?;
        let subject = ObjectId::Collection(*id);
        if !collection.has_role(&actor, role) {
            let (code, found) = (FailureCode::NoRole, collection.roles_of(&actor));
            let (found, limit) = (found.bits().into(), role.bit().into());
            return Err(Fault::figures(code, Some(subject), found, limit));
        }
        self.in_scope(actor, id, subject)?;
        Ok(collection)
    }
}

impl<B: Objects> Draft<'_, B> {
    /// L29: neither the item nor its edition nor its collection is frozen.
    pub(super) fn not_frozen(&self, id: &ItemId, item: &Item) -> Result<(), Fault> {
        match item.frozen {
            true => Err(frozen(ObjectId::Item(*id))),
            false => self.goes_on(&item.edition),
        }
    }

    /// L29: neither an edition nor its collection is frozen.
    pub(super) fn goes_on(&self, id: &EditionId) -> Result<(), Fault> {
        let edition = self.edition(id)?;
        let collection = edition.terms.collection;
        if edition.frozen {
            return Err(frozen(ObjectId::Edition(*id)));
        }
        match self.collection(&collection)?.frozen {
            true => Err(frozen(ObjectId::Collection(collection))),
            false => Ok(()),
        }
    }

    /// L25: whether items of an edition change hands now.
    pub(super) fn changes_hands(&self, edition: &EditionId, now: Millis) -> Result<(), Fault> {
        let id = self.edition(edition)?.terms.collection;
        stands(&id, &self.collection(&id)?.policy, (now, now))
    }
}

/// L25: whether items of a collection can change hands at some time between two, the later one included.
pub(super) fn stands(
    id: &CollectionId,
    policy: &Policy,
    (from, to): (Millis, Millis),
) -> Result<(), Fault> {
    let subject = Some(ObjectId::Collection(*id));
    let refused = |code, found: u64, limit: u64| Err(Fault::figures(code, subject, found, limit));
    let (begins, ends) = (policy.locked_until, policy.cut_off);
    if policy.personal {
        return refused(FailureCode::Personal, 0, 0);
    }
    if to < begins {
        return refused(FailureCode::TransfersLocked, to.0, begins.0);
    }
    if ends != Millis::ZERO && ends <= from {
        return refused(FailureCode::TransfersOver, from.0, ends.0);
    }
    Ok(())
}

fn frozen(subject: ObjectId) -> Fault {
    Fault::new(FailureCode::Frozen, subject)
}
