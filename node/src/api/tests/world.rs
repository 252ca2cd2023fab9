//! A small world for tests: user 1 has a collection with two editions, user 2 has cards.

use super::harness::{Node, signed};
use weft_types::*;

pub struct World {
    pub collection: CollectionId,
    pub gold: EditionId,
    pub plain: EditionId,
}

pub fn edition(collection: CollectionId, name: &str, rarity: &str) -> Operation {
    Operation::CreateEdition(NewEdition {
        collection,
        name: name.to_owned(),
        cap: 100,
        traits: vec![Trait {
            name: "rarity".to_owned(),
            value: rarity.to_owned(),
        }],
        image: format!("https://cards.example/{name}.png"),
        image_hash: None,
        metadata_hash: None,
        reference: format!("ref-{name}"),
        uses: 0,
    })
}

pub fn mint(edition: EditionId, to: u64, count: u64) -> Operation {
    let to = testing::user(to);
    Operation::Mint {
        entries: vec![MintEntry { edition, to, count }],
    }
}

pub fn native(amount: u64) -> Vec<AssetAmount> {
    vec![AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    }]
}

/// A listing: these items for this much of the native asset.
pub fn sell(items: Vec<ItemId>, price: u64, expires: Millis) -> Operation {
    Operation::DealOpen(NewDeal {
        gives: Bundle {
            assets: vec![],
            items,
        },
        wants: Bundle {
            assets: native(price),
            items: vec![],
        },
        expires,
        ..NewDeal::default()
    })
}

impl World {
    /// Three plain cards and two gold ones, all user 2's.
    pub async fn make(node: &Node) -> Self {
        let name = "Älter 卡".to_owned();
        let create = Operation::CreateCollection {
            name,
            description: "a test".to_owned(),
            item_cap: 0,
        };
        let body = super::harness::body(1, 1, vec![create.clone()]);
        let collection = CollectionId::derive(&body.sender, &body.idempotency, 0);
        let world = Self {
            collection,
            plain: EditionId::derive(&collection, 1),
            gold: EditionId::derive(&collection, 2),
        };
        let operations = vec![
            create,
            edition(collection, "plain", "common"),
            edition(collection, "gold", "rare"),
            mint(world.plain, 2, 3),
            mint(world.gold, 2, 2),
        ];
        let status = node.done(&signed(1, 1, operations)).await;
        assert_eq!(status.code, Some(0), "{status:?}");
        world
    }

    pub fn plain(&self, serial: u64) -> ItemId {
        ItemId::derive(&self.plain, serial)
    }

    pub fn gold(&self, serial: u64) -> ItemId {
        ItemId::derive(&self.gold, serial)
    }
}
