//! S1 over real sockets and disks: a member whose data folder is gone.

use crate::cluster::{Cluster, MEMBERS, Running, within};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weft_types::api::{NodeStatus, TransactionState};

const POLL: Duration = Duration::from_millis(50);

async fn status(node: &Running) -> NodeStatus {
    node.client().status().await.unwrap()
}

/// Proofs that somebody has signed twice, as the node counts them.
pub async fn evidence(node: &Running) -> u64 {
    let metrics = node.get("/metrics").await;
    let line = metrics
        .lines()
        .find(|l| l.starts_with("weft_equivocations_total "));
    line.and_then(|l| l.split(' ').nth(1)?.parse().ok())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_a_member_wiped_under_load_catches_up_and_signs_again() {
    let mut cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    within(20, "a transfer", cluster.transfer_at(3)).await;
    let wiped = cluster.nodes.remove(3);
    let done = AtomicBool::new(false);
    let load = async {
        let mut transfers = 0;
        while !done.load(Ordering::Relaxed) {
            let state = cluster.transfer_at(transfers % 3).await;
            assert_eq!(state, TransactionState::Certified);
            transfers += 1;
        }
        transfers
    };
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let signed = status(&wiped).await.round;
        wiped.stop().await;
        std::fs::remove_dir_all(&cluster.configs[3].data).unwrap();
        let back = Running::start(cluster.configs[3].clone()).await;
        let why = status(&back).await.why_not_voting.unwrap();
        assert!(why.contains("there is no signing guard"), "{why}");
        let readiness = back.readiness().await;
        assert!(readiness.contains("503"), "{readiness}");
        within(60, "signing again", async {
            while !status(&back).await.voting {
                tokio::time::sleep(POLL).await;
            }
        })
        .await;
        let floor = status(&back).await.round;
        assert!(floor > signed, "round {floor} after {signed}");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(status(&back).await.round > floor, "it goes on");
        done.store(true, Ordering::Relaxed);
        back
    };
    let (transfers, back) = tokio::join!(load, trouble);
    assert!(transfers > 10, "{transfers} transfers");
    cluster.nodes.push(back);
    let state = within(20, "a transfer", cluster.transfer_at(3)).await;
    assert_eq!(state, TransactionState::Certified);
    for i in 0..MEMBERS {
        assert_eq!(evidence(&cluster.nodes[i]).await, 0, "node {i}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_a_wiped_member_waits_for_a_member_that_is_away_and_says_so() {
    let mut cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    within(20, "a transfer", cluster.transfer_at(3)).await;
    cluster.nodes.remove(3).stop().await;
    cluster.nodes.remove(2).stop().await;
    std::fs::remove_dir_all(&cluster.configs[3].data).unwrap();
    let back = Running::start(cluster.configs[3].clone()).await;
    within(30, "two answers", async {
        loop {
            let why = status(&back).await.why_not_voting.unwrap();
            if why.contains("2 stake have answered, and 3 is needed; it waits for member 2") {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
    let there = Running::start(cluster.configs[2].clone()).await;
    cluster.nodes.push(there);
    cluster.nodes.push(back);
    within(60, "signing again", async {
        while !status(&cluster.nodes[3]).await.voting {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
    let state = within(20, "a transfer", cluster.transfer_at(3)).await;
    assert_eq!(state, TransactionState::Certified);
    cluster.stop().await;
}
