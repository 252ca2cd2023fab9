//! Nodes that end, pause and come back while others go on.

use crate::common::{Net, is_certified, until};
use std::time::Duration;
use weft_client::Wait;
use weft_testnet::cluster::Fault;
use weft_testnet::load::{Agreement, Mix, Quantiles, Report};

/// For how many seconds in a row the 99th percentile of the latency was above a limit.
fn longest_disturbance(report: &Report, limit_ms: f64) -> usize {
    let disturbed = |second: &Quantiles| second.p99.is_none_or(|p99| p99 > limit_ms);
    let stretches = report.per_second.split(|second| !disturbed(second));
    stretches.map(<[_]>::len).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_killed_and_restarted_under_load_costs_no_transaction() {
    let net = Net::up().await;
    let trouble = async {
        // The load measures and prepares for some seconds first.
        until("the load runs", async || {
            net.status(0).await.is_some_and(|s| s.commit.0 > 100)
        })
        .await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        net.fault(Fault::Kill, &[1]).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        net.fault(Fault::Restart, &[1]).await;
    };
    let (report, ()) = tokio::join!(net.load(150, 14, Mix::Transfer), trouble);
    let report = report.unwrap();
    assert_eq!(report.failed, 0, "{report:?}");
    assert_eq!(report.certified, 150 * 14);
    let disturbed = longest_disturbance(&report, 250.0);
    assert!(disturbed <= 5, "{disturbed} s: {:?}", report.per_second);
    assert!(
        matches!(report.agreement, Agreement::Equal { .. }),
        "{report:?}"
    );
    // It caught up without help, and takes part.
    net.equal(&[0, 1, 2, 3]).await;
    net.assert_no_fork(&[0, 1, 2, 3]).await;
    net.pay(&[1], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_of_four_gone_nothing_commits_and_with_one_back_it_goes_on() {
    let net = Net::up().await;
    net.pay(&[0], 1).await;
    net.fault(Fault::Kill, &[2, 3]).await;
    let transaction = net.payment(&[0], 5).await;
    let client = net.client(&[0]);
    client.submit(&transaction, Wait::Submitted).await.unwrap();
    // What was under way may still be decided.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stuck = net.equal(&[0, 1]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(net.equal(&[0, 1]).await, stuck);
    let status = client.transaction(&transaction.id()).await.unwrap();
    assert_eq!(status.commit, None, "{status:?}");
    let mut why = None;
    until("the node says whom it misses", async || {
        let status = net.status(0).await;
        why = status.and_then(|s| s.why_not_voting.or(s.why_not_accepting));
        why.is_some()
    })
    .await;
    assert!(why.as_ref().unwrap().contains("members 2, 3"), "{why:?}");

    net.fault(Fault::Restart, &[3]).await;
    until("the payment is certified", async || {
        let status = client.transaction(&transaction.id()).await;
        status.is_ok_and(|s| is_certified(s.state))
    })
    .await;
    net.equal(&[0, 1, 3]).await;
    net.assert_no_fork(&[0, 1, 3]).await;

    net.fault(Fault::Restart, &[2]).await;
    net.equal(&[0, 1, 2, 3]).await;
    net.assert_no_fork(&[0, 1, 2, 3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_node_does_not_stop_the_others_and_catches_up() {
    let net = Net::up().await;
    net.fault(Fault::Pause, &[3]).await;
    for amount in 1..=5 {
        net.pay(&[0, 1, 2], amount).await;
    }
    net.fault(Fault::Resume, &[3]).await;
    net.equal(&[0, 1, 2, 3]).await;
    net.assert_no_fork(&[0, 3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_to_a_node_is_said() {
    let net = Net::up().await;
    let refused = async |fault, node: &str| {
        let result = net.cluster.fault(fault, node).await;
        result.unwrap_err().to_string()
    };
    let unknown = refused(Fault::Kill, "node-7").await;
    assert!(
        unknown.contains("node-0, node-1, node-2, node-3"),
        "{unknown}"
    );
    net.fault(Fault::Kill, &[0]).await;
    for fault in [Fault::Kill, Fault::Pause, Fault::Resume] {
        let error = refused(fault, "node-0").await;
        assert!(error.contains("node-0 does not run"), "{error}");
    }
    let manifest = net.cluster.manifest().unwrap();
    assert_eq!(manifest.nodes[0].pid, None);
}
