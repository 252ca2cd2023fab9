//! Tickets as the API shows them: for sale, redeemed, void; and what a dry run tells who would buy.

use super::harness::{Node, clock, genesis, signed};
use super::world::World;
use serde_json::{Value, json};
use weft_types::api::PROTOBUF;
use weft_types::testing::{self, user};
use weft_types::{
    Amount, EditionId, FailureCode, ItemId, Millis, NewEdition, Operation, PassBody, Purchase,
    Sale, UserKey,
};

async fn get(node: &Node, path: &str) -> Value {
    node.get(path).await.json()
}

fn buy(edition: EditionId, price: u64) -> Operation {
    Operation::Buy(Purchase {
        edition,
        count: 1,
        price: Amount(price),
        listed: None,
    })
}

/// One ticket of user 1's world that is for sale.
async fn for_sale(node: &Node) -> EditionId {
    let world = World::make(node).await;
    let edition = EditionId::derive(&world.collection, 3);
    let terms = NewEdition {
        collection: world.collection,
        name: "north".to_owned(),
        cap: 1,
        traits: vec![],
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 1,
    };
    let sale = Some(Sale {
        price: Amount(5),
        from: Millis::ZERO,
        until: Millis::ZERO,
        by_permit: false,
        list: None,
    });
    let found = vec![
        Operation::CreateEdition(terms),
        Operation::SetSale { edition, sale },
    ];
    let status = node.done(&signed(1, 2, found)).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    edition
}

#[tokio::test]
async fn a_ticket_is_bought_redeemed_and_void_and_shows_it() {
    let node = Node::start();
    let edition = for_sale(&node).await;
    let shown = get(&node, &format!("/v1/editions/{edition}")).await;
    assert_eq!(shown["uses"], 1);
    assert_eq!(shown["sale"], json!({ "price": 5, "from": 0 }));
    let bought = node.done(&signed(3, 3, vec![buy(edition, 5)])).await;
    assert_eq!(bought.code, Some(0), "{bought:?}");
    let item = ItemId::derive(&edition, 1);
    let path = format!("/v1/items/{item}");
    let ticket = get(&node, &path).await;
    assert_eq!(
        (&ticket["owner"], &ticket["state"]),
        (&json!(user(3)), &json!("held"))
    );
    assert!(ticket.get("used").is_none() && ticket.get("void").is_none());

    let key = UserKey::from(&testing::user_key(3));
    let pass = PassBody::at(genesis().network.id(), item, clock(), None).sign(&key);
    let redeem = Operation::Redeem { item, pass };
    let redeemed = node.done(&signed(1, 4, vec![redeem.clone()])).await;
    assert_eq!(redeemed.code, Some(0), "{redeemed:?}");
    let ticket = get(&node, &path).await;
    assert_eq!(
        (&ticket["used"], &ticket["state"]),
        (&json!(1), &json!("redeemed"))
    );
    let again = node.done(&signed(1, 5, vec![redeem])).await;
    assert_eq!(again.code, Some(FailureCode::NoUseLeft.number()));
    let detail = again.detail.unwrap();
    assert!(
        detail.contains("was redeemed 1 times, and is good for 1"),
        "{detail}"
    );

    let void = Operation::Void {
        items: vec![item],
        reason: "charged back".to_owned(),
    };
    node.done(&signed(1, 6, vec![void])).await;
    assert_eq!(get(&node, &path).await["void"], "charged back");
}

#[tokio::test]
async fn a_dry_run_tells_a_buyer_before_he_pays() {
    let node = Node::start();
    let edition = for_sale(&node).await;
    let mut nonce = 10;
    let mut tried = async |operation| {
        nonce += 1;
        let transaction = signed(3, nonce, vec![operation]);
        let encoded = transaction.encoded().to_vec();
        let answer = node.post("/v1/dry-run", PROTOBUF, encoded).await;
        answer.json::<Value>()["receipt"]["code_name"].clone()
    };
    assert_eq!(tried(buy(edition, 4)).await, "price_differs");
    assert_eq!(tried(buy(edition, 5)).await, "applied");
    node.done(&signed(2, 3, vec![buy(edition, 5)])).await;
    assert_eq!(tried(buy(edition, 5)).await, "cap_reached");
}

#[tokio::test]
async fn a_pass_that_is_not_signed_for_the_ticket_is_refused_at_the_door() {
    let node = Node::start();
    let edition = for_sale(&node).await;
    let item = ItemId::derive(&edition, 1);
    let key = UserKey::from(&testing::user_key(3));
    let network = genesis().network.id();
    let pass = PassBody::at(network, ItemId([9; 32]), clock(), None).sign(&key);
    let redeem = signed(1, 4, vec![Operation::Redeem { item, pass }]);
    let answer = node.submit(&redeem).await;
    assert!(
        answer.text().contains("signature-invalid"),
        "{}",
        answer.text()
    );
}
