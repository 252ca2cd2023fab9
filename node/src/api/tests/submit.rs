use super::harness::{Mode, Node, body, clock, list, pay, signed, taken};
use axum::http::StatusCode;
use base64::Engine as _;
use std::time::Duration;
use weft_types::api::{
    DryRun, PROTOBUF, Problem, ProblemCode, Submission, SubmitRequest, TransactionJson,
    TransactionState, TransactionStatus,
};
use weft_types::*;

const SUBMIT: &str = "/v1/transactions";

async fn status(node: &Node, id: TransactionId) -> TransactionStatus {
    node.get(&format!("{SUBMIT}/{id}")).await.json()
}

fn json(request: &SubmitRequest) -> String {
    serde_json::to_string(request).unwrap()
}

#[tokio::test]
async fn a_transaction_is_submitted_committed_certified_and_anchored() {
    let node = Node::start();
    node.mode(Mode::Hold);
    let transaction = pay(1, 1, 2, 10);
    let answer = node.submit(&transaction).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(taken(&answer)[0].state, TransactionState::Submitted);
    assert_eq!(
        status(&node, transaction.id()).await.state,
        TransactionState::Submitted
    );
    node.commit();
    let committed = status(&node, transaction.id()).await;
    assert_eq!(committed.state, TransactionState::Committed);
    assert_eq!(committed.commit, Some(CommitIndex(1)));
    let answer = node.submit(&transaction).await;
    assert_eq!(answer.headers[api::COMMIT_HEADER], "1");
    assert_eq!(committed.code_name.as_deref(), Some("applied"));
    let height = node.certify();
    let certified = status(&node, transaction.id()).await;
    assert_eq!(certified.state, TransactionState::Certified);
    assert_eq!(certified.height, Some(height));
    node.anchor(height);
    let anchored = status(&node, transaction.id()).await;
    assert_eq!(anchored.state, TransactionState::Anchored);
}

#[tokio::test]
async fn waiting_for_committed_answers_with_the_receipt() {
    let node = Node::start();
    let answer = node
        .post(
            &format!("{SUBMIT}?wait=committed"),
            PROTOBUF,
            pay(1, 1, 2, 10).encoded().to_vec(),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let receipt = taken(&answer).remove(0).receipt.unwrap();
    assert_eq!((receipt.code, receipt.position), (0, 0));
    assert!(receipt.fee > Amount::ZERO);
}

#[tokio::test]
async fn waiting_for_certified_ends_with_the_certificate() {
    let node = Node::start();
    let waiting = {
        let node = node.clone();
        let encoded = pay(1, 1, 2, 10).encoded().to_vec();
        tokio::spawn(async move {
            node.post(&format!("{SUBMIT}?wait=certified"), PROTOBUF, encoded)
                .await
        })
    };
    let mut views = node.state.views.clone();
    let committed = views.wait_for(|v| v.commit >= CommitIndex(1));
    committed.await.unwrap();
    assert!(!waiting.is_finished());
    node.certify();
    let answer = waiting.await.unwrap();
    assert_eq!(taken(&answer)[0].state, TransactionState::Certified);
}

#[tokio::test]
async fn waiting_is_bounded_and_tells_how_far_things_are() {
    let limits = crate::api::Limits {
        wait_max: Duration::from_millis(50),
        ..Default::default()
    };
    let node = Node::with_limits(limits);
    node.mode(Mode::Hold);
    let path = format!("{SUBMIT}?wait=committed");
    let answer = node
        .post(&path, PROTOBUF, pay(1, 1, 2, 10).encoded().to_vec())
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(taken(&answer)[0].state, TransactionState::Submitted);
}

#[tokio::test]
async fn the_same_transaction_again_is_answered_with_its_present_status() {
    let node = Node::start();
    let transaction = pay(1, 1, 2, 10);
    let first = node.done(&transaction).await;
    let again = node.done(&transaction).await;
    assert_eq!(first, again);
    let account: api::Account = node
        .get(&format!("/v1/accounts/{}", testing::user(2)))
        .await
        .json();
    assert_eq!(account.balance(AssetId::NATIVE), Amount(1_000_010));
    // Twice in one request, and held in the mempool.
    node.mode(Mode::Hold);
    let twice = pay(1, 2, 2, 10);
    let body = list(&[twice.clone(), twice.clone()]);
    let answer = node.post(SUBMIT, PROTOBUF, body).await;
    let states: Vec<_> = taken(&answer)
        .into_iter()
        .map(|s| (s.id, s.state))
        .collect();
    assert_eq!(states, [(twice.id(), TransactionState::Submitted); 2]);
    node.commit();
    assert_eq!(
        status(&node, twice.id()).await.state,
        TransactionState::Committed
    );
}

#[tokio::test]
async fn a_wrong_transaction_in_a_batch_spoils_no_other() {
    let node = Node::start();
    let foreign = TransactionBody {
        network: NetworkId([1; 32]),
        ..body(1, 2, pay(1, 2, 2, 1).body().operations.clone())
    };
    let foreign = foreign.sign(&[&testing::user_key(1)]);
    let forged = body(1, 3, pay(1, 3, 2, 1).body().operations.clone());
    let forged = forged.sign(&[&testing::user_key(2)]);
    let batch = list(&[pay(1, 1, 2, 10), foreign.clone(), forged, pay(1, 4, 2, 10)]);
    let path = format!("{SUBMIT}?wait=committed");
    let answer = node.post(&path, PROTOBUF, batch).await;
    let submissions: Vec<Submission> = answer.json();
    assert_eq!(
        codes(&submissions),
        [
            "committed",
            "wrong-network",
            "signature-unexpected",
            "committed"
        ]
    );
    let Submission::Refused(refused) = &submissions[1] else {
        panic!("refused above");
    };
    assert_eq!(refused.id, Some(foreign.id()));
}

#[tokio::test]
async fn an_entry_of_a_json_list_that_is_no_transaction_spoils_no_other() {
    let node = Node::start();
    let encoded = |nonce| hex::encode(pay(1, nonce, 2, 10).encoded());
    let unsigned = body(1, 3, pay(1, 3, 2, 1).body().operations.clone()).sign(&[]);
    let batch = serde_json::json!({
        "transactions": [encoded(1), 7, {"body": 1}, null, hex::encode(unsigned.encoded()), encoded(2)]
    });
    let path = format!("{SUBMIT}?wait=committed");
    let answer = node.post(&path, "application/json", batch.to_string());
    let submissions: Vec<Submission> = answer.await.json();
    let wrong = "malformed-transaction";
    assert_eq!(
        codes(&submissions),
        [
            "committed",
            wrong,
            wrong,
            wrong,
            "signature-missing",
            "committed"
        ]
    );
    let Submission::Refused(refused) = &submissions[1] else {
        panic!("refused above");
    };
    let detail = &refused.problem.detail;
    assert!(detail.contains("integer `7`"), "{detail}");
}

/// What became of each: its state, or why it was refused.
fn codes(submissions: &[Submission]) -> Vec<String> {
    let code = |submission: &Submission| match submission {
        Submission::Taken(status) => status.state.as_str().to_owned(),
        Submission::Refused(refused) => refused.problem.code.clone(),
    };
    submissions.iter().map(code).collect()
}

#[tokio::test]
async fn every_form_of_a_body_brings_the_same_transaction() {
    let node = Node::start();
    let transaction = pay(1, 1, 2, 10);
    let encoded = transaction.encoded();
    let base64 = base64::engine::general_purpose::STANDARD.encode(encoded);
    let TransactionJson::Structured {
        body,
        authorisations,
    } = TransactionJson::from(&transaction)
    else {
        panic!("made from a transaction");
    };
    let request = |transaction| SubmitRequest {
        transaction: Some(transaction),
        ..Default::default()
    };
    let structured = SubmitRequest {
        body: Some(body),
        authorisations: Some(authorisations),
        ..Default::default()
    };
    let many = SubmitRequest {
        transactions: Some(vec![(&transaction).into()]),
        ..Default::default()
    };
    let json_bodies = [
        json(&request(TransactionJson::Encoded(hex::encode(encoded)))),
        json(&request(TransactionJson::Encoded(base64))),
        json(&request(TransactionJson::from(&transaction))),
        json(&structured),
        json(&many),
    ];
    for body in json_bodies {
        let answer = node.post(SUBMIT, "application/json", body.clone()).await;
        assert_eq!(taken(&answer)[0].id, transaction.id(), "{body}");
    }
    for body in [encoded.to_vec(), list(std::slice::from_ref(&transaction))] {
        let answer = node.post(SUBMIT, "application/x-protobuf; v=1", body).await;
        assert_eq!(taken(&answer)[0].id, transaction.id());
    }
}

#[tokio::test]
async fn what_the_ledger_rejects_says_why() {
    let node = Node::start();
    let status = node.done(&pay(1, 1, 2, 10_000_000)).await;
    assert_eq!(status.state, TransactionState::Rejected);
    assert_eq!(status.code_name.as_deref(), Some("insufficient_balance"));
    let detail = status.detail.unwrap();
    assert!(detail.contains("10000000 are needed"), "{detail}");
}

#[tokio::test]
async fn a_transaction_that_is_never_ordered_expires() {
    let node = Node::start();
    node.mode(Mode::Hold);
    let transaction = pay(1, 1, 2, 10);
    node.submit(&transaction).await;
    let late = transaction.body().valid_until.saturating_add(2_000);
    node.commit_at(late);
    // It was ordered too late, and the ledger did not take it.
    let status = status(&node, transaction.id()).await;
    assert_eq!(status.state, TransactionState::Expired);
}

#[tokio::test]
async fn a_replica_that_refuses_is_answered_with_a_retryable_problem() {
    let node = Node::start();
    node.mode(Mode::Full);
    let answer = node.submit(&pay(1, 1, 2, 10)).await;
    assert!(answer.problem(ProblemCode::MempoolFull).retryable);
    assert!(answer.headers.contains_key("retry-after"));
    node.mode(Mode::NotAccepting);
    let problem: Problem = node
        .submit(&pay(1, 1, 2, 10))
        .await
        .problem(ProblemCode::NotAccepting);
    assert_eq!(problem.detail, "9 heights wait for a certificate");
    node.mode(Mode::Gone);
    let answer = node.submit(&pay(1, 1, 2, 10)).await;
    answer.problem(ProblemCode::NotAccepting);
    let unknown = node
        .get(&format!("{SUBMIT}/{}", pay(1, 1, 2, 10).id()))
        .await;
    unknown.problem(ProblemCode::NotFound);
}

#[tokio::test]
async fn the_replica_is_told_to_how_many_members_a_transaction_was_given() {
    let node = Node::start();
    let post = async |query: &str, nonce| {
        let encoded = pay(1, nonce, 2, 10).encoded().to_vec();
        node.post(&format!("{SUBMIT}{query}"), PROTOBUF, encoded)
            .await
    };
    for (nonce, (query, copies)) in (1..).zip([("", 1), ("?copies=2", 2), ("?copies=128", 128)]) {
        assert_eq!(post(query, nonce).await.status, StatusCode::OK, "{query}");
        assert_eq!(node.copies(), copies, "{query}");
    }
    for wrong in ["0", "129", "-1", "two", "18446744073709551616"] {
        let problem = post(&format!("?copies={wrong}"), 9).await;
        let problem = problem.problem(ProblemCode::MalformedParameter);
        assert!(problem.detail.contains("from 1 to 128"), "{problem:?}");
    }
}

#[tokio::test]
async fn an_observer_refuses_lists_and_single_transactions_as_a_whole() {
    let node = Node::start();
    node.observe(None);
    let transaction = pay(1, 1, 2, 10);
    let problem = node.submit(&transaction).await;
    let problem = problem.problem(ProblemCode::NotAccepting);
    assert!(problem.retryable);
    assert_eq!(problem.detail, "an observer");
    let two = list(&[transaction, pay(2, 1, 3, 10)]);
    let answer = node.post(SUBMIT, PROTOBUF, two).await;
    answer.problem(ProblemCode::NotAccepting);
}

#[tokio::test]
async fn what_the_ledger_would_not_take_is_told_before_it_is_ordered() {
    let node = Node::start();
    let operations = || pay(1, 1, 2, 1).body().operations.clone();
    let (late, far) = (
        clock().saturating_sub(5_000),
        clock().saturating_add(3_600_000),
    );
    let good = body(1, 1, operations());
    let wrong = [
        (ProblemCode::Expired, late, good.max_fee),
        (ProblemCode::ValidityTooLong, far, good.max_fee),
        (ProblemCode::FeeTooLow, good.valid_until, Amount(1)),
    ];
    for (code, valid_until, max_fee) in wrong {
        let body = TransactionBody {
            valid_until,
            max_fee,
            ..good.clone()
        };
        let transaction = body.sign(&[&testing::user_key(1)]);
        node.submit(&transaction).await.problem(code);
    }
    let poor = signed(77, 1, operations());
    node.submit(&poor).await.problem(ProblemCode::CannotPay);
}

#[tokio::test]
async fn a_dry_run_tells_the_outcome_and_orders_nothing() {
    let node = Node::start();
    let transaction = pay(1, 1, 2, 10_000_000);
    let encoded = transaction.encoded().to_vec();
    let dry: DryRun = node.post("/v1/dry-run", PROTOBUF, encoded).await.json();
    assert_eq!(dry.receipt.code_name, "insufficient_balance");
    let two = list(&[pay(1, 1, 2, 1), pay(1, 2, 2, 1)]);
    let answer = node.post("/v1/dry-run", PROTOBUF, two).await;
    answer.problem(ProblemCode::TooManyTransactions);
    let unknown = node.get(&format!("{SUBMIT}/{}", transaction.id())).await;
    unknown.problem(ProblemCode::NotFound);
}

#[tokio::test]
async fn a_height_is_found_for_old_commits_too() {
    let node = Node::start();
    let mut first = None;
    for n in 0..9 {
        let status = node.done(&pay(1, n, 2, 1)).await;
        first.get_or_insert(status.id);
        node.certify();
    }
    let node = node.restarted();
    let status = status(&node, first.unwrap()).await;
    assert_eq!(status.height, Some(Height(1)));
}
