//! Payments and items that change hands.

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use weft_types::{
    Address, AssetAmount, FailureCode, Item, ItemId, ItemState, ItemTransfer, ObjectId, Payment,
};

impl<B: Objects> Execution<'_, '_, B> {
    /// Each entry sees what those before it did: what came in a moment ago can go out again.
    pub(super) fn transfer(
        &mut self,
        actor: Address,
        payments: &[Payment],
        items: &[ItemTransfer],
    ) -> Result<(), Fault> {
        for payment in payments {
            let (asset, amount) = (payment.asset, payment.amount);
            self.debit(actor, asset, amount)?;
            self.draft.credit(payment.to, asset, amount);
        }
        for transfer in items {
            let item = self.free_item(actor, &transfer.item)?;
            self.draft.changes_hands(&item.edition, self.now)?;
            let owner = transfer.to;
            self.draft.put_item(transfer.item, Item { owner, ..item });
        }
        Ok(())
    }

    /// For who has looked at the collection's policy.
    pub(super) fn move_item(
        &mut self,
        from: Address,
        to: Address,
        id: &ItemId,
    ) -> Result<(), Fault> {
        let item = self.free_item(from, id)?;
        self.draft.put_item(*id, Item { owner: to, ..item });
        Ok(())
    }

    pub(super) fn pay_all(
        &mut self,
        from: Address,
        to: Address,
        assets: &[AssetAmount],
    ) -> Result<(), Fault> {
        for part in assets {
            self.debit(from, part.asset, part.amount)?;
            self.draft.credit(to, part.asset, part.amount);
        }
        Ok(())
    }
}

impl<B: Objects> Draft<'_, B> {
    /// An item that `owner` may move, lock or burn.
    pub(super) fn free_item(&self, owner: Address, id: &ItemId) -> Result<Item, Fault> {
        let item = self.item(id)?;
        if item.owner != owner {
            return Err(Fault::new(FailureCode::NotOwner, ObjectId::Item(*id)));
        }
        self.unused(id, item)?;
        if item.state != ItemState::Held {
            return Err(Fault::new(FailureCode::ItemLocked, ObjectId::Item(*id)));
        }
        Ok(Item::clone(item))
    }
}
