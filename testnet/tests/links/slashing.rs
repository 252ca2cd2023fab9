//! BC20, BC21: members take a liar's bond by themselves.

use crate::cluster::{Cluster, MEMBERS, Running, Unusual, operator, within};
use crate::twin::Twin;
use std::time::Duration;
use weft_basechain::{At, MemberStatus, SubmitOutcome};
use weft_client::{PageQuery, Wait};
use weft_network::FrameKind;
use weft_types::api::TransactionState;
use weft_types::bls::Signature;
use weft_types::{Certificate, FinalityShare, MemberIndex, MemberSet, Millis, Root};

/// Who is rewarded for all reports.
const REPORTER: &str = "0xabababababababababababababababababababab";
const CERTIFICATE_FRAME: FrameKind = FrameKind(2);
const BOND: u128 = 1_000_000_000_000_000_000;

async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn cluster(params: fn(&mut weft_types::ProtocolParams)) -> Cluster {
    let unusual = Unusual {
        params,
        settings: |settings| settings.reporter = Some(REPORTER.to_owned()),
        ..Unusual::default()
    };
    let cluster = Cluster::start_with(unusual).await;
    within(10, "connecting", cluster.connected()).await;
    cluster
}

/// Transfers one after the other, so that rounds and checkpoints go on, until something is so.
async fn until(cluster: &Cluster, so: impl AsyncFn() -> bool) {
    let mut to = 0;
    while !so().await {
        to = to % 200 + 1;
        let transfer = cluster.transfer(to);
        let (client, wait) = (cluster.client(1), Duration::from_secs(2));
        // It may not be certified any more.
        let submitted = client.submit(&transfer, Wait::Certified);
        let _ = tokio::time::timeout(wait, submitted).await;
    }
}

async fn status_of(cluster: &Cluster, id: u64) -> MemberStatus {
    cluster.chain.member(id, At::Latest).await.unwrap().status
}

async fn reward(cluster: &Cluster) -> u128 {
    cluster.chain.endpoint().balance([0xab; 20]).await.unwrap()
}

/// How many reports a node has got into a block.
async fn reported(node: &Running) -> u64 {
    let metrics = node.get("/metrics").await;
    let name = "weft_reports_total{result=\"reported\"}";
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

async fn shows_slashed(node: &Running, id: u64) {
    loop {
        let offenders = node.client().offenders().await.unwrap();
        if offenders.slashed.as_deref() == Some(&[id]) {
            let offender = node.client().offender(&id).await.unwrap();
            return assert_eq!(offender.slashed, Some(true));
        }
        pause().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equivocator_is_slashed_by_the_members_and_out_of_the_next_committee() {
    let mut cluster = within(
        60,
        "the start",
        cluster(|params| params.epoch_duration_ms = Millis(6_000)),
    )
    .await;
    let offenders = cluster.client(0).offenders().await.unwrap();
    assert_eq!(offenders.slashed, Some(vec![]));
    cluster.nodes.remove(3).stop().await;
    let twin = Twin::equivocate(&cluster, 3).await;
    let convicted = async || {
        !cluster
            .client(0)
            .offenders()
            .await
            .unwrap()
            .offenders
            .is_empty()
    };
    within(40, "the conviction", until(&cluster, convicted)).await;
    twin.stop().await;
    let taken = async || status_of(&cluster, 4).await == MemberStatus::Slashed;
    within(60, "the bond", until(&cluster, taken)).await;
    let out = async || {
        let committee = cluster.client(0).committee().await.unwrap();
        committee.members.iter().all(|member| member.id != 4)
    };
    within(60, "the next committee", until(&cluster, out)).await;
    let on_chain = async || {
        let committee = cluster.chain.committee().await.unwrap();
        committee.size() == MEMBERS - 1
    };
    within(60, "the registry's committee", until(&cluster, on_chain)).await;

    assert_eq!(reward(&cluster).await, BOND / 10, "paid once");
    let mut reports = 0;
    for node in &cluster.nodes {
        within(20, "what nodes show", shows_slashed(node, 4)).await;
        reports += reported(node).await;
    }
    assert_eq!(reports, 1, "one member has sent it");
    for id in 1..=3 {
        assert_eq!(status_of(&cluster, id).await, MemberStatus::Active);
    }
    // A node that starts again asks the registry what it has not seen, and sends nothing.
    cluster.nodes.remove(2).stop().await;
    let again = Running::start(cluster.configs[2].clone()).await;
    within(20, "after a restart", shows_slashed(&again, 4)).await;
    assert_eq!(reported(&again).await, 0);
    again.stop().await;
    cluster.stop().await;
}

/// Of a node.
async fn newest(cluster: &Cluster) -> Certificate {
    let page = cluster.client(0).certificates(&PageQuery::default()).await;
    let certificates = page.unwrap().items.into_iter();
    let certificates = certificates.map(|json| Certificate::try_from(json).unwrap());
    certificates.max_by_key(|c| c.statement.height).unwrap()
}

/// What all members sign beside the newest certificate of a node.
async fn contradiction(cluster: &Cluster) -> Certificate {
    let mut statement = newest(cluster).await.statement;
    statement.state_root = Root([0xbb; 32]);
    let keys = cluster.keys.iter();
    let shares = keys.map(|keys| FinalityShare::sign(&statement, &keys.finality).signature);
    let shares: Vec<Signature> = shares.collect();
    let members = (0..MEMBERS as u32).map(MemberIndex);
    Certificate {
        statement,
        bitmap: members.collect::<MemberSet>().to_bitmap(MEMBERS).into(),
        signature: Signature::sum(&shares).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posted_statement_that_contradicts_freezes_the_bridge_and_costs_the_bonds_of_who_signed_both()
 {
    let cluster = within(60, "the start", cluster(|_| {})).await;
    let transfer = async || {
        let state = cluster.transfer_at(0);
        let _ = tokio::time::timeout(Duration::from_secs(5), state).await;
    };
    // A true one follows at once, so that the newest looks as it should.
    let lie = async || {
        transfer().await;
        let lie = contradiction(&cluster).await;
        transfer().await;
        let truth = newest(&cluster).await;
        let (chain, key) = (&cluster.chain, operator(MEMBERS));
        let sent = chain.submit(&key, &lie).await;
        let is_posted = matches!(sent, Ok(SubmitOutcome::Posted(_)));
        if is_posted {
            let _ = chain.submit(&key, &truth).await;
        }
        is_posted
    };
    within(30, "the lie", async { while !lie().await {} }).await;
    // A network at rest does not look at the base chain.
    let frozen = async {
        while cluster.chain.frozen_at().await.unwrap().is_none() {
            transfer().await;
        }
    };
    within(60, "the freeze", frozen).await;
    let mut slashed = 0;
    for id in 1..=MEMBERS as u64 {
        slashed += usize::from(status_of(&cluster, id).await == MemberStatus::Slashed);
    }
    // All have signed the lie, and of the truth a quorum is kept.
    assert!(slashed >= MEMBERS - 1, "{slashed}");
    assert_eq!(reward(&cluster).await, slashed as u128 * BOND / 10);
    for node in &cluster.nodes {
        within(20, "the halt", async {
            while !node.readiness().await.contains("503") {
                pause().await;
            }
        })
        .await;
        let status = node.client().status().await.unwrap();
        let why = status.why_not_voting.unwrap_or_default();
        assert!(why.contains("another"), "{why}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_pays_shows_what_contradicts_of_what_it_hears() {
    let mut cluster = within(60, "the start", cluster(|_| {})).await;
    let mut settings = cluster.observer("watchful");
    settings.base_key = cluster.configs[3].base_key.clone();
    settings.reporter = Some(REPORTER.to_owned());
    cluster.nodes.remove(3).stop().await;
    let twin = Twin::listen(&cluster, 3).await;
    let observer = Running::start(settings).await;
    let state = within(20, "a transfer", cluster.transfer_at(0)).await;
    assert_eq!(state, TransactionState::Certified);
    let lie = contradiction(&cluster).await;
    let height = lie.statement.height;
    // The contract wants both, so it has to have the other one.
    within(20, "the true certificate", async {
        while observer.client().status().await.unwrap().certified_height < height {
            pause().await;
        }
    })
    .await;
    let lie = lie.encode();
    let frozen = async {
        while cluster.chain.frozen_at().await.unwrap().is_none() {
            twin.network
                .publish(CERTIFICATE_FRAME, lie.clone())
                .unwrap();
            pause().await;
        }
    };
    within(60, "the freeze", frozen).await;
    // The one that is down has signed one of the two.
    assert_eq!(reward(&cluster).await, (MEMBERS - 1) as u128 * BOND / 10);
    assert_eq!(status_of(&cluster, 4).await, MemberStatus::Active);
    within(20, "the count", async {
        while reported(&observer).await != 1 {
            pause().await;
        }
    })
    .await;
    // It stops again when it starts again, and reports nothing twice.
    observer.stop().await;
    let mut settings = cluster.observer("watchful");
    settings.base_key = cluster.configs[3].base_key.clone();
    let again = Running::start(settings).await;
    let status = again.client().status().await.unwrap();
    assert!(
        status
            .why_not_voting
            .is_some_and(|why| why.contains("another"))
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(reported(&again).await, 0);
    again.stop().await;
    twin.stop().await;
    cluster.stop().await;
}
