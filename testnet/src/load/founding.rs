//! A collection with one edition, for a load's own use.

use super::accounts::Player;
use weft_client::Draft;
use weft_types::{
    CollectionId, EditionId, ItemId, MINTED_ITEMS_MAX, MintEntry, NewEdition, Operation,
    Transaction,
};

pub struct Founded {
    pub maker: Player,
    pub collection: CollectionId,
    pub edition: EditionId,
    /// Of the edition, which has room for as many.
    pub items: u64,
}

/// What a collection and its edition are, and are good for.
pub struct Plan<'a> {
    pub description: &'a str,
    pub edition: &'a str,
    pub items: u64,
    /// How often each item is redeemed.
    pub uses: u32,
    /// What is laid down about them.
    pub rule: Option<&'a dyn Fn(CollectionId, EditionId) -> Operation>,
}

impl Founded {
    /// With the one transaction that does it.
    pub fn by(maker: Player, plan: &Plan<'_>, draft: &Draft) -> (Self, Transaction) {
        let create = Operation::CreateCollection {
            name: "Load".to_owned(),
            description: plan.description.to_owned(),
            item_cap: 0,
        };
        // Ids are as long as those in their places, so that the fee stays right.
        let steps = |collection, edition| {
            let rule = plan.rule.map(|rule| rule(collection, edition));
            let steps = [create.clone(), plan.edition(collection)];
            steps.into_iter().chain(rule).collect()
        };
        let operations = steps(CollectionId::ZERO, EditionId::default());
        let mut body = draft.body(maker.address, operations);
        let collection = CollectionId::derive(&maker.address, &body.idempotency, 0);
        let edition = EditionId::derive(&collection, 1);
        body.operations = steps(collection, edition);
        let transaction = body.sign(&[&maker.key]);
        let founded = Self {
            maker,
            collection,
            edition,
            items: plan.items,
        };
        (founded, transaction)
    }

    /// Transactions that mint all items, each to one of these in turn; one after the other, for serials follow the order.
    pub fn mint(&self, draft: &Draft, owners: &[Player]) -> Vec<Transaction> {
        let places: Vec<u64> = (0..self.items).collect();
        let minted = places.chunks(MINTED_ITEMS_MAX as usize).map(|part| {
            let entries = part.iter().map(|n| MintEntry {
                edition: self.edition,
                to: owners[*n as usize % owners.len()].address,
                count: 1,
            });
            let entries = entries.collect();
            draft.sign(&self.maker.key, vec![Operation::Mint { entries }])
        });
        minted.collect()
    }

    /// Item `n` of those minted, from 0.
    pub fn item(&self, n: u64) -> ItemId {
        ItemId::derive(&self.edition, n + 1)
    }
}

impl Plan<'_> {
    fn edition(&self, collection: CollectionId) -> Operation {
        Operation::CreateEdition(NewEdition {
            collection,
            name: self.edition.to_owned(),
            cap: self.items,
            traits: vec![],
            image: String::new(),
            image_hash: None,
            metadata_hash: None,
            reference: String::new(),
            uses: self.uses,
        })
    }
}
