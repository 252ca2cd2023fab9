use super::harness::{Mode, Node, pay};
use crate::api::Limits;
use axum::body::Body;
use axum::http::Request;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;
use weft_types::api::{PROTOBUF, ProblemCode};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn from(node: &Node, who: &str) -> super::harness::Answer {
    let request = Request::get("/healthz").body(Body::empty()).unwrap();
    node.send_from(address(who), request).await
}

#[tokio::test]
async fn an_address_has_a_rate_and_others_have_their_own() {
    let limits = Limits {
        requests_per_second: NonZeroU32::new(2).unwrap(),
        ..Default::default()
    };
    let node = Node::with_limits(limits);
    for _ in 0..2 {
        assert!(from(&node, "10.0.0.1").await.status.is_success());
    }
    let refused = from(&node, "10.0.0.1").await;
    refused.problem(ProblemCode::RateLimited);
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(from(&node, "10.0.0.2").await.status.is_success());
    // One network of IPv6 is one client.
    for who in ["2001:db8::1", "2001:db8::2"] {
        assert!(from(&node, who).await.status.is_success());
    }
    from(&node, "2001:db8::3")
        .await
        .problem(ProblemCode::RateLimited);
    assert!(from(&node, "2001:db8:0:1::1").await.status.is_success());
}

#[tokio::test]
async fn requests_in_work_are_bounded() {
    let limits = Limits {
        requests_max: 1,
        ..Default::default()
    };
    let node = Node::with_limits(limits);
    node.mode(Mode::Hold);
    let waiting = {
        let node = node.clone();
        let encoded = pay(1, 1, 2, 10).encoded().to_vec();
        tokio::spawn(async move {
            node.post("/v1/transactions?wait=committed", PROTOBUF, encoded)
                .await
        })
    };
    while node.state.tracker.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    node.get("/v1/status")
        .await
        .problem(ProblemCode::Overloaded);
    node.commit();
    assert!(waiting.await.unwrap().status.is_success());
    assert!(node.get("/v1/status").await.status.is_success());
}

#[tokio::test]
async fn bodies_in_work_are_bounded_in_bytes_and_given_back() {
    let limits = Limits {
        small_bodies_bytes_max: 1_000,
        large_bodies_bytes_max: 100_000,
        ..Default::default()
    };
    let node = Node::with_limits(limits);
    for (bytes, code) in [
        (1_001, ProblemCode::Overloaded),
        (100_001, ProblemCode::Overloaded),
        (1_000, ProblemCode::MalformedBody),
        (100_000, ProblemCode::MalformedBody),
    ] {
        for _ in 0..2 {
            let answer = node.post("/v1/transactions", PROTOBUF, vec![1; bytes]);
            answer.await.problem(code);
        }
    }
}

#[tokio::test]
async fn large_and_slow_bodies_leave_room_for_small_ones() {
    let limits = Limits {
        large_bodies_bytes_max: 100_000,
        ..Default::default()
    };
    let node = Node::with_limits(limits);
    let first = futures::stream::iter([Ok::<_, std::io::Error>(vec![1u8; 100_000])]);
    let never = futures::stream::pending();
    let slow = Body::from_stream(futures::StreamExt::chain(first, never));
    let slow = {
        let node = node.clone();
        tokio::spawn(async move { node.post("/v1/transactions", PROTOBUF, slow).await })
    };
    while node.state.gate.large_bodies.available_permits() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let large = node.post("/v1/transactions", PROTOBUF, vec![1; 50_000]);
    large.await.problem(ProblemCode::Overloaded);
    assert!(node.done(&pay(1, 1, 2, 10)).await.commit.is_some());
    slow.abort();
    // What a client that went away held is free again.
    while node.state.gate.large_bodies.available_permits() < 100_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_a_problem_and_the_node_goes_on() {
    let node = Node::start();
    let routes = axum::Router::new()
        .route(
            "/panic",
            axum::routing::get(|| async { panic!("a bug") as () }),
        )
        .layer(axum::middleware::from_fn_with_state(
            node.state.clone(),
            crate::api::guard::guard,
        ));
    let broken = node.with_router(routes);
    let problem = broken.get("/panic").await.problem(ProblemCode::Internal);
    assert!(
        !problem.detail.contains("a bug"),
        "the cause is for the log"
    );
    assert!(node.get("/healthz").await.status.is_success());
}
