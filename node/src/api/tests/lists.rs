use super::harness::{Node, clock, signed};
use super::world::{World, mint, sell};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use weft_types::Observation;
use weft_types::api::{
    self, Collection, Commit, Deal, Edition, Item, Page, ProblemCode, Receipt, Vertex,
};
use weft_types::*;

/// All pages of a list, read by cursors.
pub async fn all<T: DeserializeOwned>(node: &Node, path: &str, limit: usize) -> Vec<T> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    let mark = if path.contains('?') { '&' } else { '?' };
    loop {
        let path = format!("{path}{mark}limit={limit}&cursor={cursor}");
        let page: Page<T> = node.get(&path).await.json();
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        match page.next {
            Some(next) => cursor = next,
            None => return items,
        }
    }
}

#[tokio::test]
async fn pages_of_every_size_bring_the_whole_list_in_order() {
    let node = Node::start();
    let world = World::make(&node).await;
    let burn = vec![world.plain(2)];
    let more = mint(world.plain, 3, 2);
    node.done(&signed(2, 9, vec![Operation::Burn { items: burn }]))
        .await;
    node.done(&signed(1, 9, vec![more])).await;
    let expected = [
        world.plain(1),
        world.plain(3),
        world.plain(4),
        world.plain(5),
        world.gold(1),
        world.gold(2),
    ];
    let of_collection = format!("/v1/collections/{}/items", world.collection);
    let of_edition = format!("{of_collection}?edition={}", world.plain);
    let of_owner = format!("/v1/accounts/{}/items", testing::user(2));
    let editions = format!("/v1/collections/{}/editions", world.collection);
    for limit in 1..=7 {
        let items = all::<Item>(&node, &of_collection, limit).await;
        let ids: Vec<_> = items.iter().map(|i| i.id).collect();
        assert_eq!(ids, expected, "limit {limit}");
        let items = all::<Item>(&node, &of_edition, limit).await;
        let ids: Vec<_> = items.iter().map(|i| i.id).collect();
        assert_eq!(ids, expected[..4], "limit {limit}");
        let items = all::<Item>(&node, &of_owner, limit).await;
        let ids: BTreeSet<_> = items.iter().map(|i| i.id).collect();
        let owned = [world.plain(1), world.plain(3), world.gold(1), world.gold(2)];
        assert_eq!(ids, BTreeSet::from(owned), "limit {limit}");
        assert_eq!(items.len(), owned.len());
        let found = all::<Edition>(&node, &editions, limit).await;
        let names: Vec<_> = found.into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["plain", "gold"]);
    }
}

#[tokio::test]
async fn collections_are_listed_newest_first_or_of_one_creator() {
    let node = Node::start();
    let create = |i, name: &str| {
        let name = name.to_owned();
        let description = String::new();
        let create = Operation::CreateCollection {
            name,
            description,
            item_cap: 0,
        };
        signed(i, 1, vec![create])
    };
    for (i, name) in [(1, "first"), (2, "second"), (3, "third")] {
        node.done(&create(i, name)).await;
    }
    let names = |list: Vec<Collection>| list.into_iter().map(|c| c.name).collect::<Vec<_>>();
    let newest = all(&node, "/v1/collections", 2).await;
    assert_eq!(names(newest), ["third", "second", "first"]);
    let oldest = all(&node, "/v1/collections?order=asc", 2).await;
    assert_eq!(names(oldest), ["first", "second", "third"]);
    let path = format!("/v1/collections?creator={}", testing::user(2));
    assert_eq!(names(all(&node, &path, 2).await), ["second"]);
}

#[tokio::test]
async fn deals_are_found_by_collection_giver_trait_and_state() {
    let node = Node::start();
    let world = World::make(&node).await;
    let open = |nonce, item, soon| {
        let expires = clock().saturating_add(60_000 + soon);
        signed(2, nonce, vec![sell(vec![item], 100, expires)])
    };
    let mut deals = Vec::new();
    for (n, item) in [(1, world.plain(1)), (2, world.gold(1)), (3, world.gold(2))] {
        let status = node.done(&open(n, item, 1_000 * n)).await;
        let ObjectId::Deal(id) = status.receipt.unwrap().created[0] else {
            panic!("a deal is created");
        };
        deals.push(id);
    }
    let cancel = Operation::DealCancel { deal: deals[2] };
    node.done(&signed(2, 9, vec![cancel])).await;
    let ids = |list: Vec<Deal>| list.into_iter().map(|d| d.id).collect::<Vec<_>>();
    let collection = format!("collection={}", world.collection);
    let giver = format!("giver={}", testing::user(2));
    let open_ones = [deals[1], deals[0]];
    for (query, expected) in [
        (String::new(), &open_ones[..]),
        (collection.clone(), &open_ones),
        (giver.clone(), &open_ones),
        (format!("{giver}&{collection}"), &open_ones),
        (format!("{collection}&trait=rarity:rare"), &[deals[1]]),
        (format!("{giver}&state=cancelled"), &[deals[2]]),
        (format!("edition={}", world.gold), &[deals[1]]),
        (format!("edition={}&{collection}", world.gold), &[deals[1]]),
        (
            format!("edition={}&state=cancelled", world.gold),
            &[deals[2]],
        ),
        (format!("{collection}&trait=rarity:rare&trait=a:b"), &[]),
        (format!("asset={}", AssetId::NATIVE), &open_ones),
        (format!("asset={}", "9".repeat(64)), &[]),
        (format!("taker={}", testing::user(3)), &[]),
        ("state=taken".to_owned(), &[]),
        (format!("giver={}", testing::user(1)), &[]),
        (format!("collection={}", "9".repeat(64)), &[]),
    ] {
        for limit in [1, 50] {
            let found = all::<Deal>(&node, &format!("/v1/deals?{query}"), limit).await;
            assert_eq!(ids(found), expected, "{query:?}");
        }
    }
}

#[tokio::test]
async fn the_chain_is_listed_with_its_receipts() {
    let node = Node::start();
    World::make(&node).await;
    node.certify();
    node.commit();
    let commits = all::<Commit>(&node, "/v1/commits", 1).await;
    let indexes: Vec<_> = commits.iter().map(|c| c.index.0).collect();
    assert_eq!(indexes, [2, 1]);
    assert_eq!(commits[0].previous, commits[1].digest);
    let one: Commit = node.get("/v1/commits/2").await.json();
    assert_eq!(one, commits[0]);
    assert_eq!(one.demoted, [MemberIndex(2)]);
    let receipts = all::<Receipt>(&node, "/v1/commits/1/receipts", 10).await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].created.len(), 1 + 2 + 5);
    let certificates = all::<CertificateJson>(&node, "/v1/certificates", 10).await;
    let one: CertificateJson = node.get("/v1/certificates/1").await.json();
    assert_eq!(certificates, [one]);
}

#[tokio::test]
async fn checkpoints_and_vertices_are_read_from_the_store() {
    let node = Node::start();
    let checkpoint = api::Checkpoint {
        height: Height(4),
        epoch: Epoch::ZERO,
        commit: CommitIndex(9),
        state_root: Root([3; 32]),
        base_transaction: Some("0xabcd".to_owned()),
        base_block: Some(12),
        anchored: false,
    };
    let store = &node.state.store;
    let encoded = serde_json::to_vec(&checkpoint).unwrap();
    let buffered = weft_storage::Durability::Buffered;
    store.put_checkpoint(Height(4), &encoded, buffered).unwrap();
    let found = all::<api::Checkpoint>(&node, "/v1/checkpoints", 10).await;
    assert_eq!(found, [checkpoint]);

    let network = node.state.genesis.network.id();
    let vertices = [1, 2].map(|round| {
        let own = weft_types::Vertex::genesis(network, Epoch::ZERO, MemberIndex(0)).reference();
        let body = VertexBody {
            network,
            epoch: Epoch::ZERO,
            round: Round(round),
            author: MemberIndex(0),
            timestamp: Millis(5),
            parents: vec![own],
            weak_links: vec![],
            transactions: vec![],
            observation: Observation::default(),
            offences: Vec::new(),
            shares: vec![],
        };
        weft_types::Vertex::sign(body, vec![], &testing::vertex_key(0))
    });
    let all_of_them = vertices.iter().map(|v| &**v);
    store.put_vertices(all_of_them, buffered).unwrap();
    let page: Page<Vertex> = node.get("/v1/vertices?round=1").await.json();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].digest, vertices[0].digest());
}

#[tokio::test]
async fn wrong_limits_orders_cursors_and_states_are_named() {
    let node = Node::start();
    let world = World::make(&node).await;
    let items = format!("/v1/collections/{}/items", world.collection);
    let malformed = ProblemCode::MalformedParameter;
    let cursor = ProblemCode::InvalidCursor;
    let id = "9".repeat(64);
    for (path, code) in [
        ("/v1/commits?limit=0".to_owned(), malformed),
        ("/v1/commits?limit=501".to_owned(), malformed),
        ("/v1/commits?limit=-1".to_owned(), malformed),
        ("/v1/commits?limit=x".to_owned(), malformed),
        ("/v1/commits?order=up".to_owned(), malformed),
        ("/v1/commits?cursor=zz".to_owned(), cursor),
        ("/v1/deals?cursor=xyz".to_owned(), cursor),
        (format!("/v1/deals?cursor={}", "ab".repeat(4_000)), cursor),
        (format!("{items}?cursor=1"), cursor),
        (format!("{items}?cursor=1.x"), cursor),
        ("/v1/deals?state=closed".to_owned(), malformed),
        ("/v1/deals?trait=rare".to_owned(), malformed),
        (format!("/v1/deals?{}", "trait=a:b&".repeat(9)), malformed),
        ("/v1/deals?side=both".to_owned(), malformed),
        ("/v1/deals?side=listing".to_owned(), malformed),
        (format!("/v1/deals?item={id}"), malformed),
        (format!("/v1/deals?side=listing&item={id}"), malformed),
        (
            format!("/v1/deals?side=offer&item={id}&edition={id}"),
            malformed,
        ),
        (
            format!("/v1/deals?side=offer&item={id}&order=asc"),
            malformed,
        ),
        (
            format!("/v1/deals?side=offer&item={id}&state=open"),
            malformed,
        ),
        ("/v1/editions".to_owned(), malformed),
        ("/v1/editions?trait=a:b".to_owned(), malformed),
        ("/v1/editions?q=...".to_owned(), malformed),
        ("/v1/editions?q=1+2+3+4+5+6+7+8+9".to_owned(), malformed),
        ("/v1/editions?q=a&cursor=xyz".to_owned(), cursor),
        ("/v1/collections?q=a&order=asc".to_owned(), malformed),
        ("/v1/deals?giver=weft1nobody".to_owned(), malformed),
        ("/v1/collections?creator=x".to_owned(), malformed),
        ("/v1/vertices?round=x".to_owned(), malformed),
        ("/v1/commits/x".to_owned(), malformed),
        ("/v1/certificates/-1".to_owned(), malformed),
        ("/v1/items/12".to_owned(), malformed),
        ("/v1/accounts/weft1x".to_owned(), malformed),
        ("/v1/items/%ff%fe".to_owned(), malformed),
        ("/v1/commits?limit=%zz%".to_owned(), malformed),
    ] {
        node.get(&path).await.problem(code);
    }
}

#[tokio::test]
async fn items_of_an_edition_are_asked_of_its_own_collection() {
    let node = Node::start();
    let world = World::make(&node).await;
    let create = Operation::CreateCollection {
        name: "other".to_owned(),
        description: String::new(),
        item_cap: 0,
    };
    let created = node.done(&signed(3, 1, vec![create])).await;
    let ObjectId::Collection(other) = created.receipt.unwrap().created[0] else {
        panic!("a collection is created");
    };
    let path = format!("/v1/collections/{other}/items?edition={}", world.gold);
    node.get(&path).await.problem(ProblemCode::NotFound);
}

#[tokio::test]
async fn a_cursor_of_the_largest_numbers_ends_the_list() {
    let node = Node::start();
    let world = World::make(&node).await;
    let most = u64::MAX;
    let collection = format!("/v1/collections/{}", world.collection);
    for path in [
        format!("{collection}/items?cursor={most}.{most}"),
        format!("{collection}/items?cursor=1.{most}"),
        format!("{collection}/items?edition={}&cursor=0.{most}", world.plain),
        format!("{collection}/editions?cursor={most}.0"),
    ] {
        let page: Page<serde_json::Value> = node.get(&path).await.json();
        assert!(page.items.len() <= 2, "{path}");
    }
}
