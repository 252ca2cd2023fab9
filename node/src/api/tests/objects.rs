use super::harness::{Node, pay, signed};
use super::world::{World, native, sell};
use axum::http::StatusCode;
use weft_types::api::{
    Account, Collection, Deal, DealState, Edition, History, Item, ItemState, Object, Page,
    ProblemCode, ProofBundle, TransactionState,
};
use weft_types::*;

async fn listing(node: &Node, items: Vec<ItemId>, price: u64) -> DealId {
    let expires = super::harness::clock().saturating_add(60_000);
    let listing = signed(2, 1, vec![sell(items, price, expires)]);
    let status = node.done(&listing).await;
    match status.receipt.unwrap().created[0] {
        ObjectId::Deal(id) => id,
        other => panic!("a deal, not {other}"),
    }
}

fn take(deal: DealId) -> Operation {
    Operation::DealTake(Taking::new(deal, vec![]))
}

#[tokio::test]
async fn an_account_shows_its_balances_and_a_stranger_has_none() {
    let node = Node::start();
    let path = |i| format!("/v1/accounts/{}", testing::user(i));
    node.done(&pay(1, 1, 2, 10)).await;
    let account: Account = node.get(&path(2)).await.json();
    assert_eq!(account.balance(AssetId::NATIVE), Amount(1_000_010));
    let stranger: Account = node.get(&path(99)).await.json();
    assert!(stranger.balances.is_empty());
}

#[tokio::test]
async fn collection_edition_and_item_show_what_was_created() {
    let node = Node::start();
    let world = World::make(&node).await;
    let path = format!("/v1/collections/{}", world.collection);
    let collection: Collection = node.get(&path).await.json();
    assert_eq!(collection.name, "Älter 卡");
    assert_eq!((collection.issued, collection.editions), (5, 2));
    let path = format!("/v1/editions/{}", world.gold);
    let edition: Edition = node.get(&path).await.json();
    assert_eq!((edition.name.as_str(), edition.issued), ("gold", 2));
    let path = format!("/v1/items/{}", world.gold(2));
    let item: Item = node.get(&path).await.json();
    assert_eq!(item.collection, Some(world.collection));
    assert_eq!((item.serial, item.owner), (2, testing::user(2)));
    let image = node.get(&format!("{path}/image")).await;
    assert_eq!(image.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(image.headers["location"], "https://cards.example/gold.png");
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let node = Node::start();
    let id = "7".repeat(64);
    for kind in ["collections", "editions", "items", "deals", "transactions"] {
        let answer = node.get(&format!("/v1/{kind}/{id}")).await;
        let problem = answer.problem(ProblemCode::NotFound);
        assert!(problem.detail.contains(&id), "{}", problem.detail);
    }
    for path in [
        "/v1/commits/77",
        "/v1/certificates/77",
        "/v1/commits/77/receipts",
        &format!("/v1/items/{id}/history"),
        &format!("/v1/items/{id}/image"),
        &format!("/v1/collections/{id}/editions"),
        &format!("/v1/collections/{id}/items"),
    ] {
        node.get(path).await.problem(ProblemCode::NotFound);
    }
}

#[tokio::test]
async fn a_sale_moves_the_card_and_stands_in_every_history() {
    let node = Node::start();
    let world = World::make(&node).await;
    let card = world.gold(1);
    let deal = listing(&node, vec![card], 500).await;
    let path = format!("/v1/items/{card}");
    let locked: Item = node.get(&path).await.json();
    assert_eq!((locked.state, locked.deal), (ItemState::Locked, Some(deal)));
    let sold = node.done(&signed(3, 1, vec![take(deal)])).await;
    assert_eq!(sold.code, Some(0), "{sold:?}");
    let item: Item = node.get(&path).await.json();
    assert_eq!(
        (item.state, item.owner),
        (ItemState::Held, testing::user(3))
    );
    let closed: Deal = node.get(&format!("/v1/deals/{deal}")).await.json();
    assert_eq!(closed.state, DealState::Taken);
    assert_eq!(closed.taker, Some(testing::user(3)));
    assert_eq!(closed.wants.assets, native(500));

    let history: Page<History> = node.get(&format!("{path}/history")).await.json();
    let steps: Vec<_> = history
        .items
        .iter()
        .map(|step| (step.operations.join("+"), step.item.as_ref().unwrap().owner))
        .collect();
    let created = "create_collection+create_edition+mint".to_owned();
    assert_eq!(
        steps,
        [
            ("deal_take".to_owned(), testing::user(3)),
            ("deal_open".to_owned(), testing::user(2)),
            (created, testing::user(2)),
        ]
    );
    assert_eq!(history.items[0].transaction, Some(sold.id));
    let owners: Vec<_> = history.items.iter().map(|s| (s.from, s.to)).collect();
    let [seller, buyer] = [2, 3].map(|user| Some(testing::user(user)));
    assert_eq!(owners, [(seller, buyer), (None, None), (None, seller)]);
    let sale = &history.items[0];
    assert_eq!((sale.deal, sale.price), (Some(deal), Some(Amount(500))));
    for (account, steps) in [(2, 3), (3, 1), (1, 1)] {
        let path = format!("/v1/accounts/{}/history", testing::user(account));
        let history: Page<History> = node.get(&path).await.json();
        assert_eq!(history.items.len(), steps, "of user {account}");
    }
}

#[tokio::test]
async fn an_expired_deal_gives_back_and_shows_as_the_ledgers_own_doing() {
    let node = Node::start();
    let world = World::make(&node).await;
    let card = world.gold(1);
    let deal = listing(&node, vec![card], 500).await;
    node.commit_at(super::harness::clock().saturating_add(120_000));
    let path = format!("/v1/items/{card}");
    let item: Item = node.get(&path).await.json();
    assert_eq!(item.state, ItemState::Held);
    let history: Page<History> = node.get(&format!("{path}/history")).await.json();
    assert_eq!(history.items[0].operations, ["deal_expired"]);
    assert_eq!(history.items[0].transaction, None);
    let closed: Deal = node.get(&format!("/v1/deals/{deal}")).await.json();
    assert_eq!(closed.state, DealState::Expired);
}

#[tokio::test]
async fn a_burned_item_is_shown_in_its_last_form_and_in_no_list() {
    let node = Node::start();
    let world = World::make(&node).await;
    let card = world.plain(2);
    let burn = Operation::Burn { items: vec![card] };
    node.done(&signed(2, 5, vec![burn])).await;
    let item: Item = node.get(&format!("/v1/items/{card}")).await.json();
    assert_eq!(item.state, ItemState::Burned);
    let history = format!("/v1/items/{card}/history?limit=1");
    let first: Page<History> = node.get(&history).await.json();
    assert_eq!(first.items[0].operations, ["burn"]);
    // Beyond its last step its history is empty, and not unknown.
    let beyond = format!("{history}&order=asc&cursor={}", "ff".repeat(12));
    let beyond: Page<History> = node.get(&beyond).await.json();
    assert!(beyond.items.is_empty());
    let path = format!("/v1/accounts/{}/items", testing::user(2));
    let items: Page<Item> = node.get(&path).await.json();
    assert!(items.items.iter().all(|i| i.id != card));
    assert_eq!(items.items.len(), 4);
}

#[tokio::test]
async fn a_rejected_transaction_stands_in_its_senders_history_alone() {
    let node = Node::start();
    let rejected = node.done(&pay(1, 1, 2, 10_000_000)).await;
    let path = |i| format!("/v1/accounts/{}/history", testing::user(i));
    let history: Page<History> = node.get(&path(1)).await.json();
    assert_eq!(history.items[0].transaction, Some(rejected.id));
    assert_eq!(history.items[0].state, TransactionState::Rejected);
    let other: Page<History> = node.get(&path(2)).await.json();
    assert!(other.items.is_empty());
}

#[tokio::test]
async fn proofs_of_presence_and_absence_verify_against_the_certificate() {
    let node = Node::start();
    let world = World::make(&node).await;
    let card = format!("/v1/items/{}/proof", world.gold(1));
    node.get(&card).await.problem(ProblemCode::NotCertified);
    node.certify();
    let absent = format!("/v1/items/{}/proof", world.gold(9));
    let account = format!("/v1/accounts/{}/proof", testing::user(2));
    let collection = format!("/v1/collections/{}/proof", world.collection);
    let edition = format!("/v1/editions/{}/proof", world.gold);
    let none = format!("/v1/editions/{}/proof", "7".repeat(64));
    let genesis = &node.state.genesis;
    let committee = genesis.committee().unwrap();
    for (path, present) in [
        (card, true),
        (absent, false),
        (account, true),
        (collection, true),
        (edition, true),
        (none, false),
    ] {
        let bundle: ProofBundle = node.get(&path).await.json();
        let certificate = Certificate::try_from(bundle.certificate).unwrap();
        let certificate = certificate.verify(&genesis.network, &committee).unwrap();
        let value = bundle.value.map(|v| hex::decode(v).unwrap());
        let key = bundle.object.state_key();
        let root = certificate.statement.state_root;
        bundle.proof.verify(&root, &key, value.as_deref()).unwrap();
        assert_eq!(value.is_some(), present, "{path}");
        if let Some(value) = value {
            Object::decode(&bundle.object, value.into()).unwrap();
        }
    }
}
