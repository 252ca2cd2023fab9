//! W6, W7: what a watcher says when it cannot compare: the data of what is posted do not come, or the base chain is away.

use crate::cluster::{Cluster, Unusual, free_port, operator, within};
use crate::watcher::{Watcher, silent, start_members, stop_members, transfers};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use weft_node::Notice;
use weft_types::{Certificate, Height};

fn unix_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// In seconds: so long that a slow machine is not late by half of it.
const WINDOW: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w6_a_posted_checkpoint_whose_data_nobody_gives_is_an_alarm_until_they_come() {
    let unusual = Unusual {
        params: |params| params.challenge_window_s = WINDOW,
        ..silent()
    };
    let mut cluster = within(60, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    transfers(&cluster, 2).await;
    let client = cluster.nodes[0].client();
    let height = client.status().await.unwrap().certified_height;
    let certificate = client.certificate(&height).await.unwrap();
    let certificate = Certificate::try_from(certificate).unwrap();
    stop_members(&mut cluster).await;

    // It never sees a member before the alarm.
    let mut watcher = Watcher::start(&cluster).await;
    let account = operator(1);
    cluster.chain.submit(&account, &certificate).await.unwrap();
    let Notice::Withheld(first) = watcher.notice().await else {
        panic!("another notice");
    };
    // A second for the clocks' rounding.
    assert!(unix_now() <= first.final_at - WINDOW / 2 + 1, "{first:?}");
    assert_eq!((first.height, first.again), (height, false));
    assert_eq!((first.waiting, first.peers), (1, 0));
    assert_eq!(first.executed, Height::ZERO);
    let metrics = watcher.running.get("/metrics").await;
    assert!(metrics.contains("weft_withheld 1"), "{metrics}");
    let Notice::Withheld(second) = watcher.notice().await else {
        panic!("another notice");
    };
    assert!(unix_now() < second.final_at, "{second:?}");
    assert!(second.again && second.left_s > 0, "{second:?}");

    start_members(&mut cluster).await;
    let Notice::Shown(shown) = watcher.notice().await else {
        panic!("another notice");
    };
    assert_eq!((shown.height, shown.missing), (height, 0));
    watcher.stop_quietly().await;
    cluster.stop().await;
}

/// Passes connections on to the base chain, from now on.
async fn pass_on(port: u16, rpc: &str) -> tokio::task::JoinHandle<()> {
    let to = rpc.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let to = to.clone();
            tokio::spawn(async move {
                if let Ok(mut there) = TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut there).await;
                }
            });
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w7_a_base_chain_that_is_away_from_the_start_is_an_alarm_until_it_answers() {
    let unusual = Unusual {
        params: |params| params.challenge_window_s = WINDOW,
        ..Unusual::default()
    };
    let cluster = within(60, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    let port = free_port();
    let mut config = cluster.observer("watcher");
    let rpc = std::mem::replace(&mut config.base_rpc, format!("http://127.0.0.1:{port}"));
    let mut watcher = Watcher::of(config).await;
    let Notice::Blind(blind) = watcher.notice().await else {
        panic!("another notice");
    };
    assert!(blind.never && blind.silent_s <= blind.window_s, "{blind:?}");
    assert!(blind.error.is_some(), "{blind:?}");
    let metrics = watcher.running.get("/metrics").await;
    assert!(metrics.contains("weft_blind 1"), "{metrics}");
    // What does not need the base chain goes on.
    transfers(&cluster, 1).await;
    watcher.follows(&cluster).await;

    let passing = pass_on(port, &rpc).await;
    assert_eq!(watcher.notice().await, Notice::Sees);
    tokio::time::sleep(Duration::from_secs(1)).await;
    watcher.stop_quietly().await;
    passing.abort();
    cluster.stop().await;
}
