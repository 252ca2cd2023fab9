//! A node without the committee's keys follows the members from end to end: late, interrupted, cut
//! off, lied to.

use crate::cluster::{Cluster, MEMBERS, Running, user, within};
use crate::liars::{Liars, lies};
use std::collections::BTreeMap;
use std::time::Duration;
use weft_client::{PageQuery, Wait};
use weft_types::api::{NodeStatus, TransactionState};
use weft_types::{Address, Certificate, Height, MemberIndex, Round};

const PAUSE: Duration = Duration::from_millis(50);

/// The members with some heights behind them.
async fn cluster() -> Cluster {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    transfers(&cluster, 3).await;
    cluster
}

/// So many transfers, one after the other, each at the next member.
async fn transfers(cluster: &Cluster, count: usize) {
    for i in 0..count {
        let state = within(20, "a transfer", cluster.transfer_at(i % MEMBERS)).await;
        assert_eq!(state, TransactionState::Certified);
    }
}

async fn status(node: &Running) -> NodeStatus {
    node.client().status().await.unwrap()
}

/// Waits until the observer has certified what a member has certified now. Every certificate that
/// both have is valid, and of the same statement.
async fn agrees(cluster: &Cluster, observer: &Running) {
    let height = status(&cluster.nodes[0]).await.certified_height;
    let (ours, theirs) = within(30, "the members' height", async {
        loop {
            let ours = certificates(observer).await;
            let theirs = certificates(&cluster.nodes[0]).await;
            let reached = |h: &Height| *h >= height && theirs.contains_key(h);
            if ours.keys().any(reached) {
                break (ours, theirs);
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    let committee = cluster.genesis.committee().unwrap();
    for (height, certificate) in ours {
        let Some(of_member) = theirs.get(&height) else {
            continue;
        };
        assert_eq!(certificate.statement, of_member.statement);
        let verified = certificate.verify(&cluster.genesis.network, &committee);
        assert!(verified.is_ok(), "{verified:?}");
    }
}

/// The newest certificates of a node.
async fn certificates(node: &Running) -> BTreeMap<Height, Certificate> {
    let page = node.client().certificates(&PageQuery::default()).await;
    let certificates = page.unwrap().items.into_iter();
    let certificates = certificates.map(|json| Certificate::try_from(json).unwrap());
    certificates.map(|c| (c.statement.height, c)).collect()
}

/// Waits until the observer shows a member's height and state root.
async fn shows_the_same(cluster: &Cluster, observer: &Running) {
    within(20, "the same height and state root", async {
        loop {
            let (ours, theirs) = (status(observer).await, status(&cluster.nodes[1]).await);
            if (ours.height, ours.state_root) == (theirs.height, theirs.state_root) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
}

fn answered_history(cluster: &Cluster) -> u64 {
    let stats = cluster.nodes.iter().map(|n| n.network.stats());
    stats.map(|s| s.history_answered).sum()
}

/// From an empty folder to the members' state root, and on with them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_that_starts_late_reaches_the_members_state_root_and_follows() {
    let cluster = cluster().await;
    let observer = cluster.observe("late").await;
    agrees(&cluster, &observer).await;
    assert!(answered_history(&cluster) > 0);
    transfers(&cluster, 2).await;
    agrees(&cluster, &observer).await;
    shows_the_same(&cluster, &observer).await;

    let address = Address::of_key(&user().public());
    let ours = observer.client().account(&address).await.unwrap();
    let theirs = cluster.client(2).account(&address).await.unwrap();
    assert_eq!(ours, theirs);
    observer.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_says_what_it_is_and_takes_no_transactions() {
    let cluster = cluster().await;
    let observer = cluster.observe("shown").await;
    within(20, "readiness", async {
        while !observer.readiness().await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    agrees(&cluster, &observer).await;
    let status = status(&observer).await;
    assert_eq!((status.member, status.peers), (None, MEMBERS as u64));
    assert!(status.round > Round::ZERO);
    assert!(!status.voting && !status.accepting);
    let why = status.why_not_voting.unwrap();
    assert!(why.contains("signs nothing"), "{why}");

    let transaction = cluster.transfer(9).encoded().clone();
    let client = observer.client();
    let refused = client.submit_once(vec![transaction], Wait::Submitted).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Some("not-accepting"));
    let detail = &refused.problem().unwrap().detail;
    assert!(detail.contains("send them to a member"), "{detail}");
    observer.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_goes_on_after_a_restart_where_it_stood() {
    let cluster = cluster().await;
    let observer = cluster.observe("again").await;
    agrees(&cluster, &observer).await;
    let before = status(&observer).await;
    observer.stop().await;
    transfers(&cluster, 4).await;

    let observer = cluster.observe("again").await;
    assert!(status(&observer).await.commit >= before.commit);
    agrees(&cluster, &observer).await;
    shows_the_same(&cluster, &observer).await;
    observer.stop().await;
    cluster.stop().await;
}

/// A cut link loses publications: the observer asks for them, of whichever member it still sees.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_fetches_what_it_missed_while_it_was_cut_off() {
    let cluster = cluster().await;
    let observer = cluster.observe("cut").await;
    agrees(&cluster, &observer).await;
    let all = || (0..MEMBERS as u32).map(MemberIndex);
    for cut in [1, MEMBERS] {
        let answered = answered_history(&cluster);
        for member in all().take(cut) {
            observer.network.block(member).unwrap();
        }
        transfers(&cluster, 3).await;
        for member in all() {
            observer.network.unblock(member).unwrap();
        }
        agrees(&cluster, &observer).await;
        shows_the_same(&cluster, &observer).await;
        // Negative control: with one link cut, the other members' publications are enough.
        assert!(cut < MEMBERS || answered_history(&cluster) > answered);
    }
    observer.stop().await;
    cluster.stop().await;
}

/// A lie costs the observer one request; then it asks somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_catches_up_although_all_members_but_one_lie_to_it() {
    let cluster = cluster().await;
    for (number, lie) in lies(&cluster).iter().enumerate() {
        let liars = Liars::start(&cluster, lie).await;
        let observer = liars
            .observed(&cluster, &format!("deceived-{number}"))
            .await;
        agrees(&cluster, &observer).await;
        shows_the_same(&cluster, &observer).await;
        assert!(liars.asked() > 0, "lie {number} was not told");
        observer.stop().await;
        liars.stop().await;
    }
    cluster.stop().await;
}
