//! S2 over real sockets and disks: nodes that lack the past take over the state of a certified height.

use crate::cluster::{Cluster, Running, Unusual, user, within};
use crate::go_between::GoBetween;
use crate::recovery::evidence;
use std::time::{Duration, Instant};
use weft_node::NodeConfig;
use weft_types::api::{NodeStatus, TransactionState};
use weft_types::{Address, CommitIndex, Millis, ProtocolParams};

const POLL: Duration = Duration::from_millis(50);

/// Snapshots every four seconds, taken over as soon as one is ahead.
fn eager(config: &mut NodeConfig) {
    (config.snapshot_interval_s, config.sync_after_s) = (4, 1);
}

async fn cluster(unusual: Unusual) -> Cluster {
    let cluster = within(110, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    cluster
}

/// S2.8: history of some twenty seconds: a window, and the snapshots that are held.
async fn forgetful() -> Cluster {
    let unusual = Unusual {
        params: |params: &mut ProtocolParams| params.validity_max_ms = Millis(10_000),
        settings: |config| {
            (config.snapshot_interval_s, config.sync_after_s) = (2, 1);
            config.history_keep_s = 1;
        },
        ..Unusual::default()
    };
    cluster(unusual).await
}

/// `None` while the node starts again.
async fn status(node: &Running) -> Option<NodeStatus> {
    node.client().status().await.ok()
}

async fn until(node: &Running, what: &str, holds: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
    within(90, what, async {
        loop {
            if let Some(status) = status(node).await.filter(&holds) {
                return status;
            }
            tokio::time::sleep(POLL).await;
        }
    })
    .await
}

/// Transfers at the members in turn, so that heights close, until something holds.
async fn load_until(cluster: &Cluster, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let members = cluster.nodes.len();
    within(100, what, async {
        for i in 0.. {
            let state = within(20, "a transfer", cluster.transfer_at(i % members)).await;
            assert_eq!(state, TransactionState::Certified);
            if holds().await {
                return;
            }
        }
    })
    .await;
}

/// The same, for some seconds.
async fn load(cluster: &Cluster, seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    load_until(cluster, "some seconds", async || Instant::now() > end).await;
}

/// Until no member has the first commits any longer.
async fn load_until_history_is_gone(cluster: &Cluster) {
    load_until(cluster, "the end of history", async || {
        for node in &cluster.nodes {
            let begins = status(node).await.map(|s| s.history_from);
            if begins.is_none_or(|first| first == CommitIndex::ZERO) {
                return false;
            }
        }
        true
    })
    .await;
}

/// Both show the user's account in one state, and the same root at some height.
async fn agree(ours: &Running, theirs: &Running) {
    within(30, "the same height and root", async {
        loop {
            if let (Some(ours), Some(theirs)) = (status(ours).await, status(theirs).await)
                && (ours.height, ours.state_root) == (theirs.height, theirs.state_root)
            {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
    let address = Address::of_key(&user().public());
    let account = ours.client().account(&address).await.unwrap();
    assert_eq!(account, theirs.client().account(&address).await.unwrap());
}

/// What it lacks the others have deleted, so there is one way only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_a_wiped_member_takes_over_a_state_and_signs_again() {
    let mut cluster = forgetful().await;
    load_until_history_is_gone(&cluster).await;
    let first = cluster.nodes[1].get("/v1/commits/1").await;
    assert!(first.contains("404"), "{first}");
    let early = cluster.transfer(77);
    let client = cluster.client(0);
    let submitted = client.submit(&early, weft_client::Wait::Certified);
    within(20, "a transfer", submitted).await.unwrap();
    cluster.nodes.remove(3).stop().await;
    load(&cluster, 6).await;
    std::fs::remove_dir_all(&cluster.configs[3].data).unwrap();
    // What it takes over it keeps.
    cluster.configs[3].history_keep_s = NodeConfig::default().history_keep_s;
    let begun = Instant::now();
    let back = Running::start(cluster.configs[3].clone()).await;
    let whole = until(&back, "taking over", |s| s.history_from > CommitIndex::ZERO).await;
    println!("taken over after {:?}", begun.elapsed());
    until(&back, "signing again", |s| s.voting && s.accepting).await;
    agree(&back, &cluster.nodes[0]).await;
    // What was there before is known by its receipt, and history says where it begins.
    let known = back.client().transaction(&early.id()).await.unwrap();
    assert!(known.state >= TransactionState::Certified, "{known:?}");
    let refused = back
        .client()
        .submit(&early, weft_client::Wait::Submitted)
        .await;
    assert!(refused.is_ok_and(|s| s.state >= TransactionState::Certified));

    // A restart reads the same from its own disk.
    back.stop().await;
    let back = Running::start(cluster.configs[3].clone()).await;
    let again = until(&back, "signing again", |s| s.voting && s.accepting).await;
    assert_eq!(again.history_from, whole.history_from);
    cluster.nodes.push(back);
    let state = within(20, "a transfer", cluster.transfer_at(3)).await;
    assert_eq!(state, TransactionState::Certified);
    for node in &cluster.nodes {
        assert_eq!(evidence(node).await, 0);
    }
    cluster.stop().await;
}

/// An observer that lacks everything, and one of four servers lies. Returns how long it took.
async fn observed(accounts: u64) -> Duration {
    let cluster = cluster(Unusual {
        accounts,
        settings: eager,
        ..Unusual::default()
    })
    .await;
    load(&cluster, 10).await;
    let liar = GoBetween::start(&cluster).await;
    let mut config = liar.observer(&cluster, "late");
    eager(&mut config);
    let begun = Instant::now();
    let observer = Running::start(config).await;
    let taken = |s: &NodeStatus| s.history_from > CommitIndex::ZERO;
    let (status, ()) = tokio::join!(until(&observer, "taking over", taken), load(&cluster, 3));
    let took = begun.elapsed();
    println!(
        "{accounts} objects in {took:?}, with {} lies; from {}",
        liar.lies(),
        status.history_from
    );
    assert!(liar.lies() > 0, "nobody asked the liar");
    agree(&observer, &cluster.nodes[1]).await;
    observer.stop().await;
    liar.stop().await;
    cluster.stop().await;
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_an_observer_takes_over_a_hundred_thousand_objects_although_a_server_lies() {
    let took = observed(100_000).await;
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: a million objects"]
async fn s2_an_observer_takes_over_a_million_objects_although_a_server_lies() {
    let took = observed(1_000_000).await;
    assert!(took < Duration::from_secs(120), "{took:?}");
}
