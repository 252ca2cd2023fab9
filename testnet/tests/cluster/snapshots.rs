//! S2: a node that is killed while it takes over a state, and one that takes over what goes on.

use crate::common::{Net, options, until};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use weft_node::NodeConfig;
use weft_testnet::cluster::{Fault, Unusual, UpOptions};
use weft_testnet::load::Mix;
use weft_types::{Address, Amount, CommitIndex, GenesisAccount, Millis, Template};

/// For how long one is away while others go on, and how long it is there again at least.
const BEHIND: Duration = Duration::from_secs(25);
const TOGETHER: Duration = Duration::from_secs(10);
/// The one that is killed.
const VICTIM: usize = 3;
const OTHERS: [usize; 3] = [0, 1, 2];
/// So many that taking them over takes a while.
const ACCOUNTS: u64 = 40_000;
/// How long anything may take on a machine that is busy.
const LONG: Duration = Duration::from_secs(90);

fn genesis(template: &mut Template) {
    template.params.validity_max_ms = Millis(10_000);
    template.params.checkpoint_interval_ms = Millis(1_000);
    let accounts = (0..ACCOUNTS).map(|n| {
        let mut address = [0xac; 32];
        address[..8].copy_from_slice(&n.to_be_bytes());
        GenesisAccount {
            address: Address(address),
            balance: Amount(1),
        }
    });
    template.accounts.extend(accounts);
}

/// Snapshots often, and no history beyond what they need: then there is no other way.
fn node(config: &mut NodeConfig) {
    (config.snapshot_interval_s, config.sync_after_s) = (2, 1);
    config.history_keep_s = 1;
}

/// The same, as soon as one is ahead, with all history there.
fn eager(config: &mut NodeConfig) {
    (config.snapshot_interval_s, config.sync_after_s) = (2, 1);
}

/// Where a node was killed.
#[derive(Debug, Clone, Copy)]
enum At {
    Gathering,
    Writing,
    Exchanging,
}

impl At {
    /// Whether the victim is there now.
    async fn is_now(self, net: &Net) -> bool {
        match self {
            Self::Gathering => {
                let status = net.status(VICTIM).await;
                let why = status.and_then(|s| s.why_not_voting);
                why.is_some_and(|why| why.contains("taking over the state"))
            }
            Self::Writing => data(net).join("db.part").exists(),
            Self::Exchanging => data(net).join("db.new").exists(),
        }
    }
}

fn data(net: &Net) -> PathBuf {
    let folder = net.cluster.folder().path();
    folder.join(format!("node-{VICTIM}")).join("data")
}

/// Payments through the others, until something holds.
async fn pay_until(net: &Net, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !holds().await {
        assert!(Instant::now() < end, "{what}: not within {LONG:?}");
        net.pay(&OTHERS, 1).await;
    }
}

/// Starts the victim, and ends it where it is told to.
async fn kill_at(net: &Net, at: At) {
    net.fault(Fault::Restart, &[VICTIM]).await;
    let end = Instant::now() + LONG;
    while !at.is_now(net).await {
        assert!(Instant::now() < end, "it does not come to {at:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    net.fault(Fault::Kill, &[VICTIM]).await;
    let left = ["db", "db.part", "db.new", "db.old"];
    let left = left.map(|name| (name, data(net).join(name).exists()));
    println!("killed while {at:?}; left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s2_a_node_killed_while_it_takes_over_a_state_ends_with_it_and_signs_nothing_twice() {
    let unusual = Some(Unusual { genesis, node });
    let net = Net::up_with(UpOptions {
        unusual,
        ..options()
    })
    .await;
    net.pay(&[VICTIM], 5).await;
    let signed = net.status(VICTIM).await.unwrap();
    net.fault(Fault::Kill, &[VICTIM]).await;
    pay_until(&net, "the end of the history that it lacks", async || {
        let mut gone = true;
        for node in OTHERS {
            let status = net.status(node).await;
            gone &= status.is_some_and(|s| s.history_from > signed.commit);
        }
        gone
    })
    .await;

    for at in [At::Gathering, At::Writing, At::Exchanging] {
        kill_at(&net, at).await;
        // The others go on, and it loses nothing by it.
        net.pay(&OTHERS, 1).await;
    }
    net.fault(Fault::Restart, &[VICTIM]).await;
    let mut begins = CommitIndex::ZERO;
    pay_until(&net, "it signs again", async || {
        let status = net.status(VICTIM).await.filter(|s| s.voting && s.accepting);
        begins = status.as_ref().map_or(begins, |s| s.history_from);
        status.is_some_and(|s| s.round > signed.round)
    })
    .await;
    assert!(
        begins > signed.commit,
        "it has a state of later than {}",
        signed.commit
    );
    net.pay(&[VICTIM], 9).await;
    net.equal(&[0, 1, 2, VICTIM]).await;
    net.assert_no_fork(&[0, 1, 2, VICTIM]).await;
    let account = async |node| {
        net.client(&[node])
            .account(&net.dev_address(1))
            .await
            .unwrap()
    };
    assert_eq!(account(VICTIM).await, account(0).await);
    for node in 0..4 {
        assert_eq!(net.evidence(node).await, 0, "node {node}");
    }
    until("one database is left", async || {
        let left = ["db.part", "db.new", "db.old"];
        !left.iter().any(|name| data(&net).join(name).exists())
    })
    .await;
}

/// Channels that are closing, series between their draws, locks and pools that end: each has more to it than its object, and
/// that is derived from the objects again.
#[tokio::test(flavor = "multi_thread")]
async fn s2_a_member_takes_over_mechanisms_that_go_on() {
    let unusual = Some(Unusual {
        genesis: |_| (),
        node: eager,
    });
    let net = Net::up_with(UpOptions {
        unusual,
        ..options()
    })
    .await;
    let signed = net.status(VICTIM).await.unwrap();
    net.fault(Fault::Kill, &[VICTIM]).await;
    let taken_over = async {
        tokio::time::sleep(BEHIND).await;
        net.fault(Fault::Restart, &[VICTIM]).await;
        until("it signs again", async || {
            let status = net.status(VICTIM).await;
            status.is_some_and(|s| s.voting && s.history_from > signed.commit)
        })
        .await;
        Instant::now()
    };
    let load = async {
        let report = net.load(60, 45, Mix::Mechanisms).await.unwrap();
        (report, Instant::now())
    };
    let (taken_over, (report, over)) = tokio::join!(taken_over, load);
    assert_eq!(report.failed, 0, "{report:?}");
    assert!(taken_over + TOGETHER < over, "it came back too late");
    // Locks, pools and windows end within a transaction's validity.
    let end = net.status(0).await.unwrap().timestamp;
    pay_until(&net, "the end of locks, pools and windows", async || {
        let now = net.status(0).await.map_or(Millis::ZERO, |s| s.timestamp);
        now > end.saturating_add(65_000)
    })
    .await;
    net.equal(&[0, 1, 2, VICTIM]).await;
    net.assert_no_fork(&[0, 1, 2, VICTIM]).await;
}
