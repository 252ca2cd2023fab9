use super::harness::{Node, pay};
use std::time::Duration;
use weft_types::api::{
    self, COMMIT_HEADER, HEIGHT_HEADER, MissedCheckpoint, NodeStatus, ProblemCode,
};
use weft_types::*;

fn limits() -> crate::api::Limits {
    crate::api::Limits {
        reading_wait_max: Duration::from_millis(100),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_reading_waits_for_the_commit_that_its_client_has_seen() {
    let node = Node::with_limits(crate::api::Limits::default());
    let reading = {
        let node = node.clone();
        let path = format!("/v1/accounts/{}?min_commit=1", testing::user(2));
        tokio::spawn(async move { node.get(&path).await })
    };
    node.done(&pay(1, 1, 2, 10)).await;
    let answer = reading.await.unwrap();
    assert_eq!(answer.headers[COMMIT_HEADER], "1");
    assert_eq!(answer.headers[HEIGHT_HEADER], "0");
    let account: api::Account = answer.json();
    assert_eq!(account.balance(AssetId::NATIVE), Amount(1_000_010));
}

#[tokio::test]
async fn a_reading_of_what_is_too_far_ahead_is_told_to_come_back() {
    let node = Node::with_limits(limits());
    for query in ["min_commit=5", "min_height=1"] {
        let answer = node.get(&format!("/v1/status?{query}")).await;
        assert!(answer.problem(ProblemCode::NotReached).retryable);
    }
    for query in ["min_commit=x", "min_height=-1"] {
        let answer = node.get(&format!("/v1/status?{query}")).await;
        answer.problem(ProblemCode::MalformedParameter);
    }
}

#[tokio::test]
async fn the_status_says_where_the_node_stands() {
    let node = Node::start();
    node.done(&pay(1, 1, 2, 10)).await;
    let height = node.certify();
    let status: NodeStatus = node.get("/v1/status").await.json();
    assert_eq!(status.name, "tester");
    assert_eq!(status.commit, CommitIndex(1));
    assert_eq!((status.height, status.certified_height), (height, height));
    let certificate: CertificateJson = node.get("/v1/certificates/1").await.json();
    assert_eq!(status.state_root, certificate.statement.state_root);
    assert!(status.voting && status.accepting);
    assert_eq!(status.peers, 3);
}

#[tokio::test]
async fn genesis_and_committee_are_those_of_the_network() {
    let node = Node::start();
    let genesis = node.get("/v1/genesis").await.text();
    assert_eq!(Genesis::from_json(&genesis).unwrap(), *node.state.genesis);
    let committee: api::Committee = node.get("/v1/committee").await.json();
    assert_eq!((committee.members.len(), committee.quorum), (4, Stake(3)));
}

#[tokio::test]
async fn an_epoch_that_is_over_has_an_end_and_another_has_none() {
    let node = Node::start();
    let missing = node.get("/v1/epochs/0/end").await;
    missing.problem(ProblemCode::NotFound);
    let members = testing::committee(4).members().to_vec();
    let next = Committee::new(Epoch(1), members.clone()).unwrap();
    let by = testing::certify(&testing::statement(9), &[0, 1, 2]);
    crate::driver::epochs::remember(&node.state.store, &next, &by).unwrap();
    let end: api::EpochEnd = node.get("/v1/epochs/0/end").await.json();
    assert_eq!((end.certificate, end.next), (by.to_json(), members));
    node.get("/v1/epochs/1/end")
        .await
        .problem(ProblemCode::NotFound);
}

#[tokio::test]
async fn health_readiness_and_metrics_answer() {
    let node = Node::start();
    assert_eq!(node.get("/healthz").await.text(), "ok\n");
    assert_eq!(node.get("/readyz").await.text(), "ready\n");
    node.done(&pay(1, 1, 2, 10)).await;
    node.certify();
    let metrics = node.get("/metrics").await.text();
    for line in [
        "weft_height 1",
        "weft_certified_height 1",
        "weft_voting 1",
        "weft_peers 3",
        "weft_commit_latency_seconds_count 1",
        "weft_certify_latency_seconds_count 1",
        "weft_transactions_total{result=\"submitted\"} 1",
        "weft_http_requests_total{method=\"POST\",route=\"/v1/transactions\",status=\"200\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
}

#[tokio::test]
async fn a_member_that_takes_no_transactions_is_not_ready() {
    let node = Node::start();
    node.halt("diverged at height 7");
    let problem = node.get("/readyz").await.problem(ProblemCode::NotAccepting);
    assert_eq!(problem.detail, "diverged at height 7");
    let status: NodeStatus = node.get("/v1/status").await.json();
    assert!(!status.accepting);
    assert_eq!(
        status.why_not_accepting.as_deref(),
        Some("diverged at height 7")
    );
}

#[tokio::test]
async fn a_checkpoint_that_is_late_is_in_the_status_until_the_base_chain_has_it() {
    let node = Node::start();
    let status = async || node.get("/v1/status").await.json::<NodeStatus>();
    assert_eq!(status().await.checkpoint_missed, None);
    let text = node.get("/v1/status").await.text();
    assert!(!text.contains("checkpoint_missed"), "{text}");
    let missed = MissedCheckpoint {
        height: Height(7),
        since: Millis(1_000),
        base_seen: false,
    };
    node.late.send_replace(Some(missed));
    assert_eq!(status().await.checkpoint_missed, Some(missed));
    node.late.send_replace(None);
    assert_eq!(status().await.checkpoint_missed, None);
}

#[tokio::test]
async fn an_observer_is_ready_when_its_state_is_new() {
    let node = Node::start();
    node.observe(Some("catching up: others are at round 9"));
    let problem = node.get("/readyz").await.problem(ProblemCode::NotAccepting);
    assert_eq!(problem.detail, "catching up: others are at round 9");
    node.observe(None);
    assert_eq!(node.get("/readyz").await.text(), "ready\n");
    let status: NodeStatus = node.get("/v1/status").await.json();
    assert_eq!((status.member, status.accepting), (None, false));
}
