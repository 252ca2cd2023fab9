//! W1 to W5: a watcher beside real nodes, of which a quorum lies, or does not.

use crate::cluster::{Cluster, MEMBERS, Running, Unusual, operator, within};
use crate::sabotage::{has_changed, sabotage};
use std::time::Duration;
use tokio::sync::mpsc;
use weft_basechain::At;
use weft_client::Wait;
use weft_node::evidence::{Report, Verdict, replay};
use weft_node::{Alarm, Node, Seen, Watch};
use weft_types::api::TransactionState;
use weft_types::bls::Signature;
use weft_types::{Certificate, Epoch, FinalityShare, Height, MemberIndex, MemberSet, Millis, Root};

const PAUSE: Duration = Duration::from_millis(50);

struct Watcher {
    running: Running,
    alarms: mpsc::Receiver<Alarm>,
}

impl Watcher {
    async fn start(cluster: &Cluster) -> Self {
        let config = cluster.observer("watcher");
        let evidence = config.data.join("../evidence");
        let (alarms, raised) = mpsc::channel(4);
        let node = Node::watch(config, Watch { evidence, alarms }).await;
        Self {
            running: Running::of(node.unwrap()),
            alarms: raised,
        }
    }

    /// Waits until it has certified what the members have certified now.
    async fn follows(&self, cluster: &Cluster) -> Height {
        let height = cluster.nodes[0].client().status().await.unwrap();
        let height = height.certified_height;
        within(30, "following", async {
            while self.certified().await < height {
                tokio::time::sleep(PAUSE).await;
            }
        })
        .await;
        height
    }

    async fn certified(&self) -> Height {
        let status = self.running.client().status().await.unwrap();
        status.certified_height
    }

    async fn alarm(&mut self) -> Alarm {
        let alarm = within(60, "the alarm", self.alarms.recv()).await;
        alarm.expect("a watcher that goes on")
    }

    /// Ends it, which has raised no alarm.
    async fn stop_quietly(mut self) {
        assert!(self.alarms.try_recv().is_err());
        let metrics = self.running.get("/metrics").await;
        assert!(metrics.contains("weft_alarms_total 0"), "{metrics}");
        self.running.stop().await;
        assert!(self.alarms.recv().await.is_none());
    }
}

async fn transfers(cluster: &Cluster, count: usize) {
    for i in 0..count {
        let state = within(20, "a transfer", cluster.transfer_at(i % MEMBERS)).await;
        assert_eq!(state, TransactionState::Certified);
    }
}

fn judged(cluster: &Cluster, alarm: &Alarm) -> Report {
    let evidence = alarm.evidence.as_ref().expect("evidence");
    let file = std::fs::File::open(evidence).unwrap();
    replay(file, &cluster.genesis).unwrap()
}

async fn stop_members(cluster: &mut Cluster) {
    for node in std::mem::take(&mut cluster.nodes) {
        node.stop().await;
    }
}

async fn start_members(cluster: &mut Cluster) {
    for config in cluster.configs.clone() {
        cluster.nodes.push(Running::start(config).await);
    }
    within(30, "connecting", cluster.connected()).await;
}

/// Heights far apart, so that there is time to stop everybody between two of them.
const FAR: Millis = Millis(4_000);

/// From now on a quorum has money from nothing. Heights are closed where they are for the watcher.
async fn lie(cluster: &mut Cluster) {
    let network = cluster.genesis.network.id();
    let databases: Vec<_> = cluster.configs.iter().map(|c| c.data.join("db")).collect();
    for to in 240..250 {
        let transfer = cluster.transfer(to);
        let ordered = cluster.client(0).submit(&transfer, Wait::Committed).await;
        ordered.unwrap();
        // Everybody has executed it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop_members(cluster).await;
        let changed = databases
            .iter()
            .all(|database| has_changed(database, network));
        if changed {
            databases
                .iter()
                .for_each(|database| sabotage(database, network));
        }
        start_members(cluster).await;
        if changed {
            return;
        }
    }
    panic!("a height was closed each time before all had stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w2_money_that_a_quorum_made_from_nothing_raises_an_alarm_and_anybody_can_see_it() {
    let unusual = Unusual {
        params: |params| params.finality_interval_ms = FAR,
        ..Unusual::default()
    };
    let mut cluster = within(60, "the start", Cluster::start_with(unusual)).await;
    within(20, "connecting", cluster.connected()).await;
    let mut watcher = Watcher::start(&cluster).await;
    transfers(&cluster, 2).await;
    let agreed = watcher.follows(&cluster).await;
    assert!(watcher.alarms.try_recv().is_err());
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
    let mut cluster = within(60, "the start", Cluster::start()).await;
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

/// The members do not post, so that what is posted is what the test posts.
fn silent() -> Unusual {
    Unusual {
        settings: |config| config.base_key = None,
        params: |params| params.challenge_window_s = 1,
        ..Unusual::default()
    }
}

/// What three of the members sign beside the true statement of a height.
async fn second(cluster: &Cluster, height: Height) -> Certificate {
    let certificate = cluster.nodes[0]
        .client()
        .certificate(&height)
        .await
        .unwrap();
    let mut statement = certificate.statement;
    statement.withdrawals_root = Root([7; 32]);
    let signers = 1..MEMBERS;
    let shares = signers.clone().map(|i| {
        let share = FinalityShare::sign(&statement, &cluster.keys[i].finality);
        share.signature
    });
    let signature = Signature::sum(&shares.collect::<Vec<_>>()).unwrap();
    let signers: MemberSet = signers.map(|i| MemberIndex(i as u32)).collect();
    Certificate {
        statement,
        bitmap: signers.to_bitmap(MEMBERS).into(),
        signature,
    }
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
    let alarm = watcher.alarm().await;
    let delay = cluster.chain.finality_delay().await.unwrap();
    let at = cluster.chain.posted_at(height, At::Latest).await.unwrap();
    let seen = alarm.seen;
    assert!(
        matches!(seen, Seen::Posted { final_at, .. } if Some(final_at) == at.map(|at| at + delay)),
        "{seen:?}, {posted:?}"
    );
    assert!(alarm.conflict, "{alarm:?}");
    let fields: Vec<&str> = alarm.fields.iter().map(|d| d.field).collect();
    assert_eq!(fields, ["withdrawals_root"]);
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
    assert!(watcher.alarms.try_recv().is_err());
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
