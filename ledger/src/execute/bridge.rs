//! B1: what comes in from the base chain's vault, and what goes back to it.

use super::Execution;
use super::feed::follow;
use crate::draft::{Draft, Fault};
use crate::ledger::Observed;
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    Address, AssetId, BaseAddress, BaseAsset, Bridge, BridgeId, Bundle, Collection, CollectionId,
    Committee, Deposit, Edition, EditionId, FailureCode, Item, ItemId, Object, ObjectId, Policy,
    TokenId, Withdrawal, WithdrawalId, erc721_edition, erc721_of,
};

/// Takes up what the vertices of a commit say of the vault, in their order, and credits what is agreed: those
/// deposits are returned.
pub(crate) fn observe<B: Objects>(
    draft: &mut Draft<'_, B>,
    observed: &[Observed<'_>],
    committee: &Committee,
) -> Vec<Deposit> {
    let mut credited = Vec::new();
    if observed.is_empty() {
        return credited;
    }
    let before = draft.bridge();
    let mut bridge = before.clone();
    for Observed { member, said, .. } in observed {
        let feed = &mut bridge.deposits;
        if follow(feed, (*member, said.report), &said.deposits, committee) {
            for deposit in &said.deposits {
                draft.take_in(deposit);
            }
            credited.extend_from_slice(&said.deposits);
        }
    }
    if bridge != before {
        draft.put_bridge(bridge);
    }
    credited
}

impl<B: Objects> Execution<'_, '_, B> {
    /// What is given up is gone from the ledger at once; the leaf of each part is what the vault pays by.
    pub(super) fn withdraw(
        &mut self,
        actor: Address,
        recipient: BaseAddress,
        gives: &Bundle,
    ) -> Result<(), Fault> {
        self.is_no_contract(recipient)?;
        for part in &gives.assets {
            let asset = BaseAsset::of_amount(&part.asset, part.amount);
            let asset = asset.ok_or_else(|| Fault::code(FailureCode::NotBridged))?;
            self.debit(actor, part.asset, part.amount)?;
            self.leave(actor, recipient, asset)?;
        }
        for id in &gives.items {
            let item = self.free_item(actor, id)?;
            let terms = &self.draft.edition(&item.edition)?.terms;
            let Some((token, number)) = erc721_of(&item.edition, terms) else {
                return Err(Fault::new(FailureCode::NotBridged, ObjectId::Item(*id)));
            };
            self.burn(actor, std::slice::from_ref(id))?;
            let asset = BaseAsset::Erc721 { token, id: number };
            self.leave(actor, recipient, asset)?;
        }
        Ok(())
    }

    /// X3: nothing else makes anybody an owner, so that an exit address is only ever what the account's key has
    /// signed. The listed cards may be locked in deals, for they are the actor's if nothing more happens.
    pub(super) fn name_exit(
        &mut self,
        actor: Address,
        address: BaseAddress,
        items: &[ItemId],
    ) -> Result<(), Fault> {
        self.is_no_contract(address)?;
        for id in items {
            let item = self.draft.item(id)?;
            if item.owner != actor {
                return Err(Fault::new(FailureCode::NotOwner, ObjectId::Item(*id)));
            }
            let terms = &self.draft.edition(&item.edition)?.terms;
            if erc721_of(&item.edition, terms).is_none() {
                return Err(Fault::new(FailureCode::NotBridged, ObjectId::Item(*id)));
            }
            self.draft.name(*id);
        }
        self.draft.set_exit_address(actor, address);
        Ok(())
    }

    /// L17
    fn is_no_contract(&self, address: BaseAddress) -> Result<(), Fault> {
        match self.contracts.contains(&address) {
            true => Err(Fault::code(FailureCode::ContractAddress)),
            false => Ok(()),
        }
    }

    fn leave(
        &mut self,
        account: Address,
        recipient: BaseAddress,
        asset: BaseAsset,
    ) -> Result<(), Fault> {
        let mut bridge = self.draft.bridge();
        if bridge.withdrawals.is_full() {
            return Err(Fault::code(FailureCode::CapReached));
        }
        let withdrawal = Withdrawal {
            index: bridge.withdrawals.count(),
            asset,
            recipient,
            account,
            commit: self.commit,
        };
        bridge.withdrawals.push(withdrawal.leaf());
        self.draft.put_bridge(bridge);
        let id = ObjectId::Withdrawal(WithdrawalId::new(withdrawal.index));
        self.create(id, Object::Withdrawal(Arc::new(withdrawal)));
        Ok(())
    }
}

impl<B: Objects> Draft<'_, B> {
    fn bridge(&self) -> Bridge {
        let found = self.get(&ObjectId::Bridge(BridgeId::THE_ONE));
        let bridge = found.and_then(Object::as_bridge);
        bridge.map(|b| Bridge::clone(b)).unwrap_or_default()
    }

    fn put_bridge(&mut self, bridge: Bridge) {
        let id = ObjectId::Bridge(BridgeId::THE_ONE);
        self.put(id, Object::Bridge(Arc::new(bridge)));
    }

    fn take_in(&mut self, deposit: &Deposit) {
        match deposit.asset {
            BaseAsset::Native { amount } => self.credit(deposit.account, AssetId::NATIVE, amount),
            BaseAsset::Erc20 { token, amount } => {
                self.credit(deposit.account, AssetId::erc20(token), amount);
            }
            BaseAsset::Erc721 { token, id } => self.take_card_in(deposit.account, token, &id),
        }
    }

    /// A card has an edition of its own, whose next serial it gets each time it comes in.
    fn take_card_in(&mut self, owner: Address, token: BaseAddress, number: &TokenId) {
        let collection_id = CollectionId::erc721(token);
        let mut collection = match self.collection(&collection_id) {
            Ok(collection) => Collection::clone(collection),
            Err(_) => Collection {
                creator: Address::BRIDGE,
                name: token.to_string(),
                description: String::new(),
                item_cap: 0,
                issued: 0,
                editions: 0,
                policy: Policy::default(),
                roles: vec![],
                frozen: false,
            },
        };
        let edition_id = EditionId::erc721(token, number);
        let mut edition = match self.edition(&edition_id) {
            Ok(edition) => Edition::clone(edition),
            Err(_) => {
                collection.editions += 1;
                Edition::new(erc721_edition(token, number))
            }
        };
        edition.issued += 1;
        collection.issued += 1;
        let item = Item::new(edition_id, edition.issued, owner);
        self.put_item(ItemId::derive(&edition_id, item.serial), item);
        let id = ObjectId::Edition(edition_id);
        self.put(id, Object::Edition(Arc::new(edition)));
        let id = ObjectId::Collection(collection_id);
        self.put(id, Object::Collection(Arc::new(collection)));
    }
}
