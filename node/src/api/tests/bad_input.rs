//! Whatever is sent, the answer is a problem that names the cause, and never a failure of the node.

use super::harness::{Node, body, list, pay, signed};
use axum::body::Body;
use axum::http::{Method, Request, header};
use std::time::Duration;
use weft_types::api::{BODY_BYTES_MAX, JSON_BYTES_MAX, PROTOBUF, ProblemCode};
use weft_types::*;

const SUBMIT: &str = "/v1/transactions";
const JSON: &str = "application/json";

fn pay_operations() -> Vec<Operation> {
    pay(1, 1, 2, 1).body().operations.clone()
}

/// A good transaction with its authorisations made by these users.
fn signed_by(users: &[u64], nonce: u64) -> Vec<u8> {
    let keys: Vec<_> = users.iter().map(|i| testing::user_key(*i)).collect();
    let keys: Vec<_> = keys.iter().collect();
    let body = body(1, nonce, pay_operations());
    body.sign(&keys).encoded().to_vec()
}

/// With the last byte of its signature changed.
fn broken_signature() -> Vec<u8> {
    let mut bytes = pay(1, 1, 2, 1).encoded().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

fn of_network(network: NetworkId) -> Vec<u8> {
    let body = TransactionBody {
        network,
        ..body(1, 1, pay_operations())
    };
    body.sign(&[&testing::user_key(1)]).encoded().to_vec()
}

fn too_long() -> Vec<u8> {
    let mut transaction = pay(1, 1, 2, 1).encoded().to_vec();
    // An unknown field 15 of many bytes.
    transaction.push(15 << 3 | 2);
    prost::encoding::encode_varint(1 << 17, &mut transaction);
    transaction.resize(transaction.len() + (1 << 17), 7);
    transaction
}

#[tokio::test]
async fn each_wrong_transaction_is_named() {
    let node = Node::start();
    let cases = [
        (signed_by(&[], 1), ProblemCode::SignatureMissing),
        (signed_by(&[2], 2), ProblemCode::SignatureUnexpected),
        (signed_by(&[1, 1], 3), ProblemCode::SignatureUnexpected),
        (broken_signature(), ProblemCode::SignatureInvalid),
        (of_network(NetworkId([1; 32])), ProblemCode::WrongNetwork),
        (too_long(), ProblemCode::TransactionTooLarge),
        (vec![0xff; 40], ProblemCode::MalformedBody),
        (vec![], ProblemCode::EmptyRequest),
    ];
    for (bytes, code) in cases {
        node.post(SUBMIT, PROTOBUF, bytes).await.problem(code);
    }
    let sponsored = TransactionBody {
        sponsor: Some(testing::user(3)),
        ..body(1, 9, pay_operations())
    };
    let unsigned = sponsored.sign(&[&testing::user_key(1)]);
    let answer = node.submit(&unsigned).await;
    answer.problem(ProblemCode::SignatureMissing);
    let empty = signed(1, 1, vec![]);
    let answer = node.submit(&empty).await;
    answer.problem(ProblemCode::MalformedTransaction);
}

#[tokio::test]
async fn each_wrong_body_is_named() {
    let node = Node::start();
    let many = vec![String::new(); 5_000];
    let many = serde_json::json!({ "transactions": many }).to_string();
    let mut entries = Vec::new();
    for _ in 0..5_000 {
        entries.extend([1 << 3 | 2, 0]);
    }
    let cases: Vec<(&str, Vec<u8>, ProblemCode)> = vec![
        (JSON, vec![], ProblemCode::EmptyRequest),
        (JSON, b"{}".to_vec(), ProblemCode::EmptyRequest),
        (
            JSON,
            br#"{"transactions":[]}"#.to_vec(),
            ProblemCode::EmptyRequest,
        ),
        (JSON, b"{".to_vec(), ProblemCode::MalformedBody),
        (JSON, b"[1]".to_vec(), ProblemCode::MalformedBody),
        (JSON, b"[\"AAAA\"]".to_vec(), ProblemCode::MalformedBody),
        (JSON, b"\xff\xfe".to_vec(), ProblemCode::MalformedBody),
        (
            JSON,
            br#"{"transaction":7}"#.to_vec(),
            ProblemCode::MalformedBody,
        ),
        (
            JSON,
            br#"{"unknown":7}"#.to_vec(),
            ProblemCode::MalformedBody,
        ),
        (
            JSON,
            br#"{"authorisations":[]}"#.to_vec(),
            ProblemCode::MalformedBody,
        ),
        (
            JSON,
            "[".repeat(100_000).into_bytes(),
            ProblemCode::MalformedBody,
        ),
        (
            JSON,
            br#"{"transaction":"?"}"#.to_vec(),
            ProblemCode::MalformedTransaction,
        ),
        (
            JSON,
            br#"{"transaction":""}"#.to_vec(),
            ProblemCode::MalformedTransaction,
        ),
        (
            JSON,
            br#"{"transaction":"0a00"}"#.to_vec(),
            ProblemCode::MalformedTransaction,
        ),
        (JSON, many.into_bytes(), ProblemCode::TooManyTransactions),
        (
            JSON,
            vec![b' '; JSON_BYTES_MAX + 1],
            ProblemCode::BodyTooLarge,
        ),
        (PROTOBUF, entries, ProblemCode::TooManyTransactions),
        (
            PROTOBUF,
            vec![0; BODY_BYTES_MAX + 1],
            ProblemCode::BodyTooLarge,
        ),
        (
            "text/plain",
            b"hello".to_vec(),
            ProblemCode::UnsupportedMediaType,
        ),
        ("", b"hello".to_vec(), ProblemCode::UnsupportedMediaType),
    ];
    for (kind, body, code) in cases {
        let start: String = String::from_utf8_lossy(&body).chars().take(40).collect();
        let answer = node.post(SUBMIT, kind, body).await;
        let problem = answer.any_problem();
        assert_eq!(
            problem.code,
            code.as_str(),
            "{kind} {start:?}: {}",
            problem.detail
        );
    }
}

#[tokio::test]
async fn a_structured_transaction_without_authorisations_is_unsigned() {
    let node = Node::start();
    let body = weft_types::api::BodyJson::from(pay(1, 1, 2, 1).body());
    let json = serde_json::json!({ "body": body, "authorisations": [] });
    let answer = node.post(SUBMIT, JSON, json.to_string()).await;
    answer.problem(ProblemCode::SignatureMissing);
    // Bytes that hold no body lack more than a signature.
    let answer = node
        .post(SUBMIT, JSON, r#"{"transaction":"0a020102"}"#)
        .await;
    answer.problem(ProblemCode::MalformedTransaction);
}

#[tokio::test]
async fn a_compressed_body_is_refused_with_what_to_do() {
    let node = Node::start();
    for path in [SUBMIT, "/v1/dry-run"] {
        let request = |coding| {
            let request = Request::post(path).header(header::CONTENT_TYPE, PROTOBUF);
            let request = request.header(header::CONTENT_ENCODING, coding);
            let body = pay(1, 1, 2, 1).encoded().to_vec();
            request.body(Body::from(body)).unwrap()
        };
        let refused = node.send(request("gzip")).await;
        let problem = refused.problem(ProblemCode::UnsupportedMediaType);
        assert!(problem.detail.contains("gzip"), "{problem:?}");
        assert!(problem.hint.contains("Content-Encoding"), "{problem:?}");
        assert!(node.send(request("Identity")).await.status.is_success());
    }
}

#[tokio::test]
async fn an_unknown_or_repeated_parameter_is_named_with_those_that_are_known() {
    let node = Node::start();
    let id = "7".repeat(64);
    for (path, named) in [
        ("/v1/commits?limits=5", r#""limits" is not known"#),
        ("/v1/commits?limit=5&limit=6", r#""limit" is there twice"#),
        ("/v1/status?", ""),
        ("/v1/status?min_commit=0&min_height=0", ""),
        ("/v1/genesis?min_commit=0", "/v1/genesis takes no parameter"),
        ("/v1/stream?topic=commits", "last_event_id, topics"),
        (
            &format!("/v1/items/{id}?%77hat"),
            "takes min_commit, min_height",
        ),
        ("/healthz?at=5", ""),
    ] {
        let answer = node.get(path).await;
        if named.is_empty() {
            assert!(answer.status.is_success(), "{path}: {}", answer.text());
            continue;
        }
        let problem = answer.problem(ProblemCode::UnknownParameter);
        assert!(problem.detail.contains(named), "{}", problem.detail);
    }
    let misspelt = format!("{SUBMIT}?waits=committed");
    let answer = node.post(&misspelt, PROTOBUF, vec![1]).await;
    answer.problem(ProblemCode::UnknownParameter);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_problem_too() {
    let node = Node::start();
    let request = Request::get("/healthz").header("x-much", "x".repeat(17 << 10));
    let answer = node.send(request.body(Body::empty()).unwrap()).await;
    answer.problem(ProblemCode::HeadTooLarge);
    let path = format!("/v1/commits?cursor={}", "x".repeat(17 << 10));
    node.get(&path).await.problem(ProblemCode::HeadTooLarge);
}

#[tokio::test]
async fn a_body_without_a_length_is_held_to_the_same_bound() {
    let node = Node::start();
    let pieces = (0..9).map(|_| Ok::<_, std::io::Error>(vec![0u8; 1 << 20]));
    let body = Body::from_stream(futures::stream::iter(pieces));
    let answer = node.post(SUBMIT, PROTOBUF, body).await;
    answer.problem(ProblemCode::BodyTooLarge);
    let broken = [Ok(vec![1u8; 10]), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures::stream::iter(broken));
    let answer = node.post(SUBMIT, PROTOBUF, body).await;
    answer.problem(ProblemCode::MalformedBody);
}

/// Every request is answered within its time, and never with a failure of the node.
async fn survives(node: &Node, kind: &str, body: Vec<u8>) {
    let answer = node.post(SUBMIT, kind, body.clone()).await;
    let shown = hex::encode(&body[..body.len().min(64)]);
    assert!(answer.status.as_u16() < 500, "{shown}: {}", answer.text());
    if !answer.status.is_success() {
        answer.any_problem();
    }
}

#[tokio::test]
async fn the_malformed_corpus_is_answered_with_problems() {
    let node = Node::start();
    let one = pay(1, 1, 2, 1).encoded().to_vec();
    let two = list(&[pay(1, 1, 2, 1), pay(1, 2, 2, 1)]);
    for good in [one, two] {
        for cut in 0..good.len() {
            survives(&node, PROTOBUF, good[..cut].to_vec()).await;
        }
        for place in 0..good.len() {
            for bit in [0, 3, 7] {
                let mut bad = good.clone();
                bad[place] ^= 1 << bit;
                survives(&node, PROTOBUF, bad).await;
            }
        }
    }
    let json = weft_types::api::TransactionJson::from(&pay(1, 1, 2, 1));
    let json = serde_json::to_string(&serde_json::json!({ "transaction": json })).unwrap();
    for cut in 0..json.len() {
        survives(&node, JSON, json.as_bytes()[..cut].to_vec()).await;
    }
    for digit in [
        "-1",
        "1e99",
        "18446744073709551616",
        "\"x\"",
        "null",
        "{}",
        "[]",
    ] {
        let bad = json.replacen("\"max_fee\":10000", &format!("\"max_fee\":{digit}"), 1);
        assert_ne!(bad, json);
        survives(&node, JSON, bad.into_bytes()).await;
    }
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_problems_too() {
    let node = Node::start();
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/accounts",
        "/v2/status",
        "/v1/items/a/b/c",
    ] {
        let problem = node.get(path).await.problem(ProblemCode::UnknownRoute);
        assert_eq!(problem.instance.as_deref(), Some(path));
    }
    let get = node.get(SUBMIT).await;
    get.problem(ProblemCode::MethodNotAllowed);
    assert_eq!(get.headers[header::ALLOW], "POST");
    for method in [Method::DELETE, Method::PUT, Method::POST] {
        let request = Request::builder().method(method).uri("/v1/status");
        let answer = node.send(request.body(Body::empty()).unwrap()).await;
        answer.problem(ProblemCode::MethodNotAllowed);
    }
    let forever = format!("{SUBMIT}?wait=forever");
    let answer = node.post(&forever, PROTOBUF, vec![1]).await;
    answer.problem(ProblemCode::MalformedParameter);
}

#[tokio::test]
async fn browsers_may_ask_from_any_origin() {
    let node = Node::start();
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri(SUBMIT)
        .header(header::ORIGIN, "https://cards.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
    let answer = node.send(preflight.body(Body::empty()).unwrap()).await;
    assert!(answer.status.is_success());
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let request = Request::get("/v1/items/x").header(header::ORIGIN, "https://cards.example");
    let answer = node.send(request.body(Body::empty()).unwrap()).await;
    answer.problem(ProblemCode::MalformedParameter);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let limits = crate::api::Limits {
        timeout: Duration::from_millis(50),
        ..Default::default()
    };
    let node = Node::with_limits(limits);
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let answer = node.post(SUBMIT, PROTOBUF, Body::from_stream(never)).await;
    assert!(answer.problem(ProblemCode::TimedOut).retryable);
}
