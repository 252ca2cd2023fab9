//! W1: each of the ways in which a watcher hears of what a quorum has certified raises an alarm when it is the only one.

use crate::cluster::{Cluster, Unusual, within};
use crate::go_between::{CERTIFICATES, GoBetween, VERTICES};
use crate::watcher::{PATIENT_S, Watcher, far_apart, judged, lie, second, silent, transfers};
use weft_node::Seen;
use weft_node::evidence::Verdict;
use weft_types::api::TransactionState;

/// Of what members publish it hears vertices, and nothing of the base chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w1_shares_in_vertices_alone_raise_an_alarm() {
    let mut cluster = within(60, "the start", Cluster::start_with(far_apart())).await;
    within(20, "connecting", cluster.connected()).await;
    let between = GoBetween::passing(&cluster, &[VERTICES]).await;
    let mut watcher = Watcher::of(between.observer(&cluster, "watcher")).await;
    transfers(&cluster, 1).await;
    let agreed = watcher.follows(&cluster).await;
    assert!(watcher.is_quiet());
    lie(&mut cluster).await;
    let state = within(60, "a transfer", cluster.transfer_at(1)).await;
    assert_eq!(state, TransactionState::Certified);
    let alarm = watcher.alarm().await;
    assert!(alarm.height > agreed, "{alarm:?}");
    assert_eq!(alarm.seen, Seen::Signed);
    // There is nothing to show for it but what members publish or post.
    assert_eq!(alarm.evidence, None);
    let lacks = alarm.lacks.unwrap_or_default();
    assert!(lacks.contains("only signatures"), "{lacks}");
    watcher.running.stop().await;
    between.stop().await;
    cluster.stop().await;
}

/// The members tell nobody of what they have signed besides; somebody publishes it, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w1_a_published_certificate_alone_raises_an_alarm_with_evidence() {
    let unusual = Unusual {
        params: |params| params.challenge_window_s = PATIENT_S,
        ..silent()
    };
    let cluster = within(60, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    let between = GoBetween::passing(&cluster, &[VERTICES, CERTIFICATES]).await;
    let mut watcher = Watcher::of(between.observer(&cluster, "watcher")).await;
    transfers(&cluster, 1).await;
    let height = watcher.follows(&cluster).await;
    assert!(watcher.is_quiet());
    let accused = second(&cluster, height).await;
    between.publish(CERTIFICATES, accused.encode());
    let alarm = watcher.alarm().await;
    assert_eq!((alarm.height, alarm.seen), (height, Seen::Published));
    let report = judged(&cluster, &alarm);
    assert!(matches!(report.verdict, Verdict::Conflict { .. }));
    watcher.running.stop().await;
    between.stop().await;
    cluster.stop().await;
}
