//! L18 to L21: who has the say is shown, and who has not is told so before anything is ordered.

use super::harness::{Node, body, clock, signed};
use serde_json::json;
use weft_types::api::*;
use weft_types::testing::{user, user_key};
use weft_types::{AssetId, *};

const SUBMIT: &str = "/v1/transactions";

fn pay(to: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: user(to),
            asset: AssetId::NATIVE,
            amount: Amount(1),
        }],
        items: vec![],
    }
}

/// By the account of user 1 with another user's key.
fn for_first(key: u64, nonce: u64) -> Transaction {
    let key = UserKey::from(&user_key(key));
    body(1, nonce, vec![pay(2)]).sign_for(&[(&key, user(1))])
}

fn session(key: u64) -> Session {
    Session {
        key: user(key),
        expires: clock().saturating_add(3_600_000),
        kinds: [SessionKind::Transfer].into_iter().collect(),
        collections: vec![],
        limits: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(5_000),
        }],
    }
}

fn set(nonce: u64, changes: Vec<KeyChange>) -> Transaction {
    signed(1, nonce, vec![Operation::SetKeys { changes }])
}

async fn account(node: &Node) -> weft_types::api::Account {
    let path = format!("/v1/accounts/{}", user(1));
    node.get(&path).await.json()
}

#[tokio::test]
async fn a_key_without_a_say_is_told_so_and_so_in_a_dry_run() {
    let node = Node::start();
    let stranger = for_first(8, 1);
    let problem = node.submit(&stranger).await;
    let problem = problem.problem(ProblemCode::NotAuthorised);
    assert!(problem.detail.contains("has no session"), "{problem:?}");
    let encoded = stranger.encoded().to_vec();
    let dry = node.post("/v1/dry-run", PROTOBUF, encoded).await;
    dry.problem(ProblemCode::NotAuthorised);
}

#[tokio::test]
async fn a_session_is_shown_with_what_it_may_still_spend_and_signs_in_json() {
    let node = Node::start();
    assert_eq!(account(&node).await.keys, None);
    node.done(&set(1, vec![KeyChange::Session(session(8))]))
        .await;
    let by_session = for_first(8, 2);
    let structured = TransactionJson::from(&by_session);
    let json = serde_json::to_value(&structured).unwrap();
    assert_eq!(json["authorisations"][0]["account"], json!(user(1)));
    let body = json!({ "transaction": json }).to_string();
    let answer = node.post(SUBMIT, "application/json", body).await;
    assert_eq!(super::harness::taken(&answer)[0].id, by_session.id());
    let done = node.done(&for_first(8, 3)).await;
    let keys = account(&node).await.keys.unwrap();
    assert_eq!(keys.owner, user(1));
    let left = keys.sessions[0].limits[0].amount.0;
    let fees = done.receipt.unwrap().fee.0;
    assert_eq!(left, 5_000 - 2 * (fees + 1));
}

#[tokio::test]
async fn a_guardian_and_its_recovery_are_shown_and_told_in_the_history() {
    let node = Node::start();
    let guardian = Guardian {
        account: user(2),
        delay: Millis(3_600_000),
    };
    node.done(&set(1, vec![KeyChange::Guardian(guardian)]))
        .await;
    let recover = Operation::Recover {
        account: user(1),
        owner: user(9),
    };
    node.done(&signed(2, 1, vec![recover])).await;
    let keys = account(&node).await.keys.unwrap();
    assert_eq!((keys.owner, keys.guardian), (user(1), Some(guardian)));
    assert_eq!(keys.recovery.map(|r| r.owner), Some(user(9)));
    let path = format!("/v1/accounts/{}/history", user(1));
    let history: Page<History> = node.get(&path).await.json();
    let told: Vec<_> = history.items.iter().map(|h| h.operations.clone()).collect();
    assert_eq!(told, [["recover"], ["set_keys"]]);
}
