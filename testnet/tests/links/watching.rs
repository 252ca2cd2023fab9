//! W1 to W5: a watcher beside real nodes, of which a quorum lies, or does not.

use crate::cluster::{Cluster, MEMBERS, Running, Unusual, operator, within};
use crate::watcher::{
    FAR, PATIENT_S, PAUSE, WINDOW_S, Watcher, far_apart, judged, lie, second, silent,
    start_members, stop_members, transfers,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use weft_basechain::At;
use weft_client::Wait;
use weft_node::evidence::Verdict;
use weft_node::{Notice, Seen};
use weft_types::api::TransactionState;
use weft_types::{Certificate, Epoch, Millis};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w2_money_that_a_quorum_made_from_nothing_raises_an_alarm_and_anybody_can_see_it() {
    let mut cluster = within(60, "the start", Cluster::start_with(far_apart())).await;
    within(20, "connecting", cluster.connected()).await;
    let mut watcher = Watcher::start(&cluster).await;
    transfers(&cluster, 2).await;
    let agreed = watcher.follows(&cluster).await;
    assert!(watcher.is_quiet());
    lie(&mut cluster).await;
    // Nobody among the members sees anything in it.
    let state = within(60, "a transfer", cluster.transfer_at(1)).await;
    assert_eq!(state, TransactionState::Certified);
    let alarm = watcher.alarm().await;
    assert!(alarm.height > agreed, "{alarm:?}");
    let fields = |fields: &[weft_node::evidence::Difference]| {
        fields.iter().map(|d| d.field).collect::<Vec<_>>()
    };
    assert!(fields(&alarm.fields).contains(&"state_root"), "{alarm:?}");
    let report = judged(&cluster, &alarm);
    let Verdict::False { fields: found } = &report.verdict else {
        panic!("{report:?}");
    };
    assert!(fields(found).contains(&"state_root"), "{report:?}");
    assert!(report.agreed >= agreed, "{report:?}");
    let metrics = watcher.running.get("/metrics").await;
    assert!(metrics.contains("weft_alarms_total 1"), "{metrics}");
    watcher.running.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w1_a_watcher_is_silent_over_restarts_and_while_it_catches_up() {
    let unusual = Unusual {
        params: |params| params.challenge_window_s = PATIENT_S,
        ..Unusual::default()
    };
    let mut cluster = within(60, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    transfers(&cluster, 3).await;
    let watcher = Watcher::start(&cluster).await;
    watcher.follows(&cluster).await;
    transfers(&cluster, 2).await;
    watcher.follows(&cluster).await;
    watcher.stop_quietly().await;
    transfers(&cluster, 3).await;
    let watcher = Watcher::start(&cluster).await;
    stop_members(&mut cluster).await;
    start_members(&mut cluster).await;
    transfers(&cluster, 2).await;
    watcher.follows(&cluster).await;
    // What is posted is looked at as well.
    within(30, "a checkpoint", async {
        while cluster.chain.checkpoint_count().await.unwrap() == 0 {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    watcher.stop_quietly().await;
    cluster.stop().await;
}

fn unix_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w5_a_false_checkpoint_is_seen_within_the_window_and_two_certificates_freeze_the_bridge() {
    let cluster = within(60, "the start", Cluster::start_with(silent())).await;
    within(20, "connecting", cluster.connected()).await;
    let mut watcher = Watcher::start(&cluster).await;
    transfers(&cluster, 2).await;
    let height = watcher.follows(&cluster).await;
    let accused = second(&cluster, height).await;
    let posted = cluster.chain.submit(&operator(1), &accused).await.unwrap();
    let alarm = watcher.told_false().await;
    let delay = cluster.chain.finality_delay().await.unwrap();
    let at = cluster.chain.posted_at(height, At::Latest).await.unwrap();
    assert_eq!(delay, WINDOW_S);
    // There is time to act.
    assert!(unix_now() < at.unwrap() + delay, "it was final already");
    let seen = alarm.seen;
    assert!(
        matches!(seen, Seen::Posted { final_at, .. } if Some(final_at) == at.map(|at| at + delay)),
        "{seen:?}, {posted:?}"
    );
    assert!(alarm.conflict, "{alarm:?}");
    let fields: Vec<&str> = alarm.fields.iter().map(|d| d.field).collect();
    assert_eq!(fields, ["withdrawals_root"]);
    let Notice::Evidence(alarm) = watcher.notice().await else {
        panic!("no evidence");
    };
    let report = judged(&cluster, &alarm);
    assert!(matches!(report.verdict, Verdict::Conflict { .. }));

    // What the contract can judge.
    let own = cluster.nodes[0]
        .client()
        .certificate(&height)
        .await
        .unwrap();
    let committee = cluster.genesis.committee().unwrap();
    let own = Certificate::try_from(own).unwrap();
    let (pair, reporter) = ([&accused, &own], operator(1));
    let challenged = cluster
        .chain
        .challenge_conflict(&reporter, pair, &committee, [9; 20]);
    within(30, "the challenge", challenged).await.unwrap();
    assert!(cluster.chain.frozen_at().await.unwrap().is_some());
    watcher.running.stop().await;
    cluster.stop().await;
}

/// E2, W3: from a height of one epoch on into the next, where other committees sign.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w3_evidence_leads_through_epochs() {
    let unusual = Unusual {
        params: |params| {
            params.epoch_duration_ms = Millis(3_000);
            params.challenge_window_s = PATIENT_S;
            params.finality_interval_ms = FAR;
        },
        ..Unusual::default()
    };
    let mut cluster = within(60, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    let config = cluster.bond(MEMBERS + 1).await;
    let fifth = Running::start(config.clone()).await;
    let teller = fifth.client();
    cluster.configs.push(config);
    cluster.nodes.push(fifth);
    let mut watcher = Watcher::start(&cluster).await;
    let mut to = 0;
    within(90, "an epoch with five", async {
        loop {
            to = to % 200 + 1;
            let transfer = cluster.transfer(to);
            let submitted = cluster.client(1).submit(&transfer, Wait::Certified).await;
            assert_eq!(submitted.unwrap().state, TransactionState::Certified);
            let committee = teller.committee().await;
            if committee.is_ok_and(|c| c.members.len() > MEMBERS) {
                break;
            }
        }
    })
    .await;
    watcher.follows(&cluster).await;
    assert!(watcher.is_quiet());
    let epoch = cluster.nodes[0].client().status().await.unwrap().epoch;
    assert!(epoch > Epoch::ZERO);
    lie(&mut cluster).await;
    let state = within(60, "a transfer", cluster.transfer_at(1)).await;
    assert_eq!(state, TransactionState::Certified);
    let alarm = watcher.alarm().await;
    let report = judged(&cluster, &alarm);
    assert!(
        matches!(report.verdict, Verdict::False { .. }),
        "{report:?}"
    );
    assert!(report.epoch > Epoch::ZERO);
    watcher.running.stop().await;
    cluster.stop().await;
}
