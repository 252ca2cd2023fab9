//! The next items of editions.

use super::*;

impl Model {
    pub(super) fn mint(
        &mut self,
        actor: Address,
        id: &EditionId,
        to: Address,
        count: u64,
        minted: &mut u128,
    ) -> Step {
        let collection = self.collection_of(id)?;
        self.has_role(actor, &collection, Role::Minter)?;
        self.issue(id, to, count, minted)
    }

    /// The next items of an edition, for who may.
    pub(super) fn issue(
        &mut self,
        id: &EditionId,
        to: Address,
        count: u64,
        minted: &mut u128,
    ) -> Step {
        let collection = self.collection_of(id)?;
        let stopped = find(&mut self.editions, id).is_some_and(|e| e.frozen);
        let whole = find(&mut self.collections, &collection).is_some_and(|c| c.frozen);
        demand(!stopped && !whole, FailureCode::Frozen)?;
        *minted += u128::from(count);
        demand(*minted <= 256, FailureCode::TooManyItems)?;
        let whole_cap = find(&mut self.collections, &collection)
            .expect("found")
            .item_cap;
        let of_edition = |(_, i): &&(ItemId, Item)| i.edition == *id;
        let issued = self.items.iter().filter(of_edition).count() as u128;
        let edition = find(&mut self.editions, id).expect("found");
        let cap = u128::from(edition.terms.cap);
        let ignored = self.bug == Some(Bug::CapIsIgnored);
        let fits = issued + u128::from(count) <= cap || ignored;
        demand(fits, FailureCode::CapReached)?;
        edition.issued += count;
        let siblings = self.editions.iter();
        let siblings = siblings.filter(|(_, e)| e.terms.collection == collection);
        let whole: u128 = siblings.map(|(_, e)| u128::from(e.issued)).sum();
        let fits = whole_cap == 0 || whole <= u128::from(whole_cap) || ignored;
        demand(fits, FailureCode::CapReached)?;
        find(&mut self.collections, &collection)
            .expect("found")
            .issued += count;
        for serial in issued as u64 + 1..=issued as u64 + count {
            let item = Item::new(*id, serial, to);
            self.items.push((ItemId::derive(id, serial), item));
        }
        Ok(())
    }
}
