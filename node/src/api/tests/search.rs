use super::harness::{Node, signed};
use super::lists::all;
use super::world::{World, mint};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_types::api::{Collection, Edition, Item, Page};
use weft_types::*;

fn edition(collection: CollectionId, name: &str, traits: &[(&str, &str)]) -> NewEdition {
    let one = |(name, value): &(&str, &str)| Trait {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    NewEdition {
        collection,
        name: name.to_owned(),
        cap: 10,
        traits: traits.iter().map(one).collect(),
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 0,
    }
}

/// Beside the world's editions three more with cards.
async fn zoo(node: &Node) -> World {
    let world = World::make(node).await;
    let of = |name, traits: &[_]| Operation::CreateEdition(edition(world.collection, name, traits));
    let operations = vec![
        of("Émile the Lion", &[("rarity", "rare"), ("kind", "cat")]),
        of("emily's tiger", &[("rarity", "rare"), ("kind", "cat")]),
        of("Gold Leopard", &[("rarity", "common"), ("kind", "cat")]),
        mint(EditionId::derive(&world.collection, 4), 3, 2),
    ];
    let status = node.done(&signed(1, 2, operations)).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    world
}

#[tokio::test]
async fn editions_are_found_by_beginnings_of_words_and_by_traits() {
    let node = Node::start();
    let world = zoo(&node).await;
    let collection = format!("collection={}", world.collection);
    let rare_cats = "trait=rarity:rare&trait=kind:cat";
    for (query, expected) in [
        ("q=EMIL", &["Émile the Lion", "emily's tiger"][..]),
        ("q=%C3%A9mil+li", &["Émile the Lion"]),
        ("q=gold", &["gold", "Gold Leopard"]),
        ("q=rare+l", &["Émile the Lion"]),
        ("q=cat&trait=rarity:common", &["Gold Leopard"]),
        ("q=lio+tig", &[]),
        ("q=dog", &[]),
        (rare_cats, &["Émile the Lion", "emily's tiger"]),
        (
            "trait=rarity:rare",
            &["gold", "Émile the Lion", "emily's tiger"],
        ),
        ("trait=kind:cat&trait=rarity:common", &["Gold Leopard"]),
        ("trait=kind:Cat", &[]),
    ] {
        for limit in [1, 2, 50] {
            let path = format!("/v1/editions?{collection}&{query}");
            let found = all::<Edition>(&node, &path, limit).await;
            let names: Vec<_> = found.iter().map(|e| &e.name[..]).collect();
            assert_eq!(names, expected, "{query}, {limit} at a time");
            if query.starts_with('q') {
                let path = format!("/v1/editions?{query}");
                let everywhere = all::<Edition>(&node, &path, limit).await;
                assert_eq!(everywhere.len(), expected.len(), "{query}");
            }
        }
    }
    let all_of_them = all::<Edition>(&node, &format!("/v1/editions?{collection}"), 2).await;
    assert_eq!(all_of_them.len(), 5);
    let items = format!("/v1/collections/{}/items?{rare_cats}", world.collection);
    for limit in [1, 50] {
        let items = all::<Item>(&node, &items, limit).await;
        let found: Vec<_> = items.iter().map(|i| (i.owner, i.serial)).collect();
        let owner = testing::user(3);
        assert_eq!(found, [(owner, 1), (owner, 2)]);
    }
}

#[tokio::test]
async fn collections_are_found_by_their_words() {
    let node = Node::start();
    let world = zoo(&node).await;
    for (query, found) in [
        ("q=alter", true),
        ("q=%E5%8D%A1", true),
        ("q=TEST+%C3%84", true),
        ("q=other", false),
    ] {
        let path = format!("/v1/collections?{query}");
        let collections = all::<Collection>(&node, &path, 5).await;
        let ids: Vec<_> = collections.iter().map(|c| c.id).collect();
        let expected = if found {
            vec![world.collection]
        } else {
            vec![]
        };
        assert_eq!(ids, expected, "{query}");
    }
    let path = format!("/v1/collections?q=alter&creator={}", testing::user(2));
    assert!(all::<Collection>(&node, &path, 5).await.is_empty());
}

/// 10^5 editions: a page is read as fast as of a few, whether what is asked for is rare or common.
#[tokio::test]
async fn a_page_of_a_search_costs_what_it_has() {
    const EDITIONS: u64 = 100_000;
    let node = Node::start();
    let id = CollectionId([5; 32]);
    let collection = weft_types::Collection {
        name: "large".to_owned(),
        editions: EDITIONS,
        ..a_collection(&node).await
    };
    let collection = weft_types::Object::Collection(Arc::new(collection));
    let mut objects: Vec<(ObjectId, Bytes)> = vec![(ObjectId::Collection(id), collection.encode())];
    for number in 1..=EDITIONS {
        let rarity = if number % 1_000 == 0 {
            "mythic"
        } else {
            "common"
        };
        let element = ["fire", "water", "earth"][number as usize % 3];
        let name = format!("card {number}");
        let terms = edition(id, &name, &[("rarity", rarity), ("element", element)]);
        let object = weft_types::Object::Edition(Arc::new(weft_types::Edition {
            terms,
            issued: 0,
            frozen: false,
            sale: None,
            bought: Default::default(),
        }));
        let edition = ObjectId::Edition(EditionId::derive(&id, number));
        objects.push((edition, object.encode()));
    }
    node.take_over(&objects);
    for query in [
        "q=card",
        "q=card+99",
        "q=mythic",
        "q=water",
        "trait=rarity:mythic&trait=element:fire",
        "trait=element:fire&trait=rarity:mythic",
        "trait=rarity:common",
    ] {
        let path = format!("/v1/editions?collection={id}&{query}&limit=20");
        let mut times = Vec::new();
        for _ in 0..9 {
            let begun = Instant::now();
            let page: Page<Edition> = node.get(&path).await.json();
            times.push(begun.elapsed());
            assert_eq!(page.items.len(), 20, "{query}");
        }
        times.sort();
        println!("{query}: {:?}", times[4]);
        assert!(times[4] < Duration::from_millis(200), "{query}: {times:?}");
    }
}

/// One as the ledger makes it.
async fn a_collection(node: &Node) -> weft_types::Collection {
    let world = World::make(node).await;
    let view = node.state.views.borrow().clone();
    let object = view.snapshot.get(&ObjectId::Collection(world.collection));
    weft_types::Collection::clone(object.unwrap().as_collection().unwrap())
}
