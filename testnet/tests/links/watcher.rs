//! A watcher in a test, and members that lie to it.

use crate::cluster::{Cluster, MEMBERS, Running, Unusual, within};
use crate::sabotage::sabotage_all;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use weft_client::Wait;
use weft_node::evidence::{Report, replay};
use weft_node::{Alarm, Node, NodeConfig, Notice, Watch};
use weft_types::api::TransactionState;
use weft_types::bls::Signature;
use weft_types::{Certificate, FinalityShare, Height, MemberIndex, MemberSet, Millis, Root};

pub const PAUSE: Duration = Duration::from_millis(50);

pub struct Watcher {
    pub running: Running,
    notices: mpsc::Receiver<Notice>,
    evidence: PathBuf,
}

impl Watcher {
    pub async fn start(cluster: &Cluster) -> Self {
        Self::of(cluster.observer("watcher")).await
    }

    /// Where its evidence should be no folder can be made.
    pub async fn of(config: NodeConfig) -> Self {
        let home = config.data.parent().unwrap();
        let evidence = home.join("evidence");
        std::fs::create_dir_all(home).unwrap();
        let blocked = home.join("file");
        std::fs::write(&blocked, b"no folder").unwrap();
        let (notices, told) = mpsc::channel(16);
        let watch = Watch {
            evidence: vec![blocked.join("evidence"), evidence.clone()],
            notices,
        };
        Self {
            running: Running::of(Node::watch(config, watch).await.unwrap()),
            notices: told,
            evidence,
        }
    }

    pub async fn notice(&mut self) -> Notice {
        let notice = within(60, "a notice", self.notices.recv()).await;
        notice.expect("a watcher that goes on")
    }

    pub fn is_quiet(&mut self) -> bool {
        self.notices.try_recv().is_err()
    }

    /// Waits until it has certified what the members have certified now.
    pub async fn follows(&self, cluster: &Cluster) -> Height {
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

    pub async fn certified(&self) -> Height {
        let status = self.running.client().status().await.unwrap();
        status.certified_height
    }

    /// W2, W3: an alarm is told before its evidence is written.
    pub async fn alarm(&mut self) -> Alarm {
        let first = self.told_false().await;
        let Notice::Evidence(alarm) = self.notice().await else {
            panic!("no evidence after {first:?}");
        };
        assert_eq!(alarm.height, first.height);
        if let Some(path) = &alarm.evidence {
            // Another folder was tried before, and why it did not do is said.
            assert_eq!(path.parent(), Some(self.evidence.as_path()));
            assert!(alarm.lacks.as_ref().unwrap().contains("file"), "{alarm:?}");
        }
        alarm
    }

    /// What is told at once.
    pub async fn told_false(&mut self) -> Alarm {
        let Notice::False(alarm) = self.notice().await else {
            panic!("another notice");
        };
        assert_eq!((&alarm.evidence, &alarm.lacks), (&None, &None));
        alarm
    }

    /// Ends it, which has raised no alarm.
    pub async fn stop_quietly(mut self) {
        assert!(self.is_quiet());
        let metrics = self.running.get("/metrics").await;
        for quiet in ["weft_alarms_total 0", "weft_withheld 0", "weft_blind 0"] {
            assert!(metrics.contains(quiet), "{metrics}");
        }
        self.running.stop().await;
        assert!(self.notices.recv().await.is_none());
    }
}

pub async fn transfers(cluster: &Cluster, count: usize) {
    for i in 0..count {
        let state = within(20, "a transfer", cluster.transfer_at(i % MEMBERS)).await;
        assert_eq!(state, TransactionState::Certified);
    }
}

pub fn judged(cluster: &Cluster, alarm: &Alarm) -> Report {
    let evidence = alarm.evidence.as_ref().expect("evidence");
    let file = std::fs::File::open(evidence).unwrap();
    replay(file, &cluster.genesis).unwrap()
}

pub async fn stop_members(cluster: &mut Cluster) {
    for node in std::mem::take(&mut cluster.nodes) {
        node.stop().await;
    }
}

pub async fn start_members(cluster: &mut Cluster) {
    for config in cluster.configs.clone() {
        cluster.nodes.push(Running::start(config).await);
    }
    within(30, "connecting", cluster.connected()).await;
}

/// Heights far apart, so that there is time to stop everybody between two of them.
pub const FAR: Millis = Millis(4_000);

/// From now on a quorum has money from nothing. Heights are closed where they are for the watcher.
pub async fn lie(cluster: &mut Cluster) {
    let network = cluster.genesis.network.id();
    let databases: Vec<_> = cluster.configs.iter().map(|c| c.data.join("db")).collect();
    for to in 240..250 {
        let transfer = cluster.transfer(to);
        let ordered = cluster.client(0).submit(&transfer, Wait::Committed).await;
        ordered.unwrap();
        // Everybody has executed it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop_members(cluster).await;
        let changed = sabotage_all(&databases, network);
        start_members(cluster).await;
        if changed {
            return;
        }
    }
    panic!("a height was closed each time before all had stopped");
}

/// In seconds. So long that what waits for its data for a while, as when members start again, is no alarm.
pub const PATIENT_S: u64 = 600;

/// A cluster with heights far apart, and a window in which W7 is not what is looked for.
pub fn far_apart() -> Unusual {
    Unusual {
        params: |params| {
            params.finality_interval_ms = FAR;
            params.challenge_window_s = PATIENT_S;
        },
        ..Unusual::default()
    }
}

/// The window of clusters that are `silent`.
pub const WINDOW_S: u64 = 10;

/// The members do not post, so that what is posted is what the test posts.
pub fn silent() -> Unusual {
    Unusual {
        settings: |config| config.base_key = None,
        params: |params| params.challenge_window_s = WINDOW_S,
        ..Unusual::default()
    }
}

/// What three of the members sign beside the true statement of a height.
pub async fn second(cluster: &Cluster, height: Height) -> Certificate {
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
