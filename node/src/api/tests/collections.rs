//! Policies, roles and freezing as the API shows them.

use super::harness::{Node, signed, taken};
use super::world::World;
use serde_json::{Value, json};
use weft_types::api::TransactionJson;
use weft_types::testing::{policy, role_holders, user};
use weft_types::{FailureCode, Operation};

const SUBMIT: &str = "/v1/transactions";

async fn get(node: &Node, path: &str) -> Value {
    node.get(path).await.json()
}

#[tokio::test]
async fn a_collection_shows_its_policy_roles_and_freezing_and_without_them_nothing() {
    let node = Node::start();
    let world = World::make(&node).await;
    let path = format!("/v1/collections/{}", world.collection);
    let plain = get(&node, &path).await;
    for field in ["policy", "roles", "frozen"] {
        assert!(plain.get(field).is_none(), "{plain}");
    }
    let (collection, holders) = (world.collection, role_holders());
    let policy = weft_types::Policy {
        royalty: None,
        ..policy()
    };
    let set = Operation::SetPolicy {
        collection,
        policy: Some(policy),
        roles: holders.clone(),
    };
    let freeze = Operation::Freeze {
        frozen: true,
        collections: vec![collection],
        editions: vec![world.gold],
        items: vec![world.plain(1)],
    };
    node.done(&signed(1, 2, vec![set, freeze])).await;
    let shown = get(&node, &path).await;
    assert_eq!(shown["policy"], json!(policy));
    assert_eq!(shown["roles"], json!(holders));
    assert_eq!(shown["frozen"], true);
    for path in [
        format!("/v1/editions/{}", world.gold),
        format!("/v1/items/{}", world.plain(1)),
    ] {
        assert_eq!(get(&node, &path).await["frozen"], true, "{path}");
    }
    let path = format!("/v1/items/{}", world.plain(2));
    assert!(get(&node, &path).await.get("frozen").is_none());
}

#[tokio::test]
async fn an_operation_in_json_may_leave_out_what_it_does_not_say() {
    let node = Node::start();
    let world = World::make(&node).await;
    let (collection, items) = (world.collection, vec![world.plain(1)]);
    let freeze = Operation::Freeze {
        frozen: true,
        collections: vec![],
        editions: vec![],
        items: items.clone(),
    };
    let set = Operation::SetPolicy {
        collection,
        policy: Some(weft_types::Policy::default()),
        roles: vec![],
    };
    let transaction = signed(1, 2, vec![freeze, set]);
    let mut json = serde_json::to_value(TransactionJson::from(&transaction)).unwrap();
    json["body"]["operations"] = json!([
        { "type": "freeze", "frozen": true, "items": items },
        { "type": "set_policy", "collection": collection, "policy": {} },
    ]);
    let body = json!({ "transaction": json }).to_string();
    let answer = node.post(SUBMIT, "application/json", body).await;
    assert_eq!(taken(&answer)[0].id, transaction.id());
}

#[tokio::test]
async fn a_failure_says_the_role_that_is_needed() {
    let node = Node::start();
    let world = World::make(&node).await;
    let freeze = Operation::Freeze {
        frozen: true,
        collections: vec![world.collection],
        editions: vec![],
        items: vec![],
    };
    let status = node.done(&signed(2, 2, vec![freeze])).await;
    assert_eq!(status.code, Some(FailureCode::NoRole.number()));
    let detail = status.detail.unwrap();
    assert!(
        detail.contains("the role freezer"),
        "{detail} of {}",
        user(2)
    );
}
