//! From `up` to `reset`.

use crate::common::{Net, folder, options, start, until};
use std::os::unix::fs::PermissionsExt as _;
use weft_basechain::At;
use weft_client::{Client, Options};
use weft_testnet::cluster::{Cluster, Fault, Folder, UpOptions, reset};
use weft_testnet::load::{Agreement, Mix};
use weft_types::{Amount, AssetId};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_certified_by_all_nodes_and_reaches_the_base_chain() {
    let net = Net::up().await;
    let transaction = net.pay(&[0], 7).await;
    let (height, root) = net.equal(&[0, 1, 2, 3]).await;
    for node in 0..4 {
        // Executed everywhere; the last share may still be on its way.
        until("a certificate", async || {
            let status = net.client(&[node]).transaction(&transaction.id()).await;
            crate::common::is_certified(status.unwrap().state)
        })
        .await;
    }
    let covering = net.client(&[2]).transaction(&transaction.id()).await;
    let covering = covering.unwrap().height.unwrap();
    assert!(covering.0 <= height);

    // Whatever is posted carries the root that the nodes have at its height.
    let base = net.cluster.base().await.unwrap();
    until("a checkpoint", async || {
        net.pay(&[1], 1).await;
        base.checkpoint_count().await.unwrap() > 0
    })
    .await;
    let checkpoint = base.latest_checkpoint(At::Latest).await.unwrap().unwrap();
    for node in 0..4 {
        let certificate = net.client(&[node]).certificate(&checkpoint.height).await;
        let statement = certificate.unwrap().statement;
        assert_eq!(statement.state_root, checkpoint.state_root);
    }
    assert!(!root.is_zero());
    let status = net.cluster.status().await.unwrap();
    assert!(status.ready, "{status:?}");
    assert!(status.nodes.iter().all(|n| n.alive && n.peers == Some(3)));
    assert!(status.base.checkpoints.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_network_starts_again_with_its_keys_and_its_data() {
    let mut net = Net::up().await;
    let before = net.client(&[0]).genesis().await.unwrap().network;
    net.pay(&[0], 41).await;
    let balance = async |net: &Net| {
        let account = net.client(&[3]).account(&net.dev_address(1)).await;
        account.unwrap().balance(AssetId::NATIVE)
    };
    let had = balance(&net).await;
    let ended = net.cluster.down().await.unwrap();
    assert_eq!(
        ended,
        ["base", "faucet", "node-0", "node-1", "node-2", "node-3"]
    );
    assert!(net.cluster.alive().unwrap().is_empty());
    assert!(
        net.cluster
            .manifest()
            .unwrap()
            .nodes
            .iter()
            .all(|n| n.pid.is_none())
    );
    assert!(!net.cluster.status().await.unwrap().ready);

    net.up_again().await;
    assert_eq!(net.client(&[1]).genesis().await.unwrap().network, before);
    assert_eq!(balance(&net).await, had);
    net.pay(&[2], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_up_says_that_it_runs_and_starts_what_does_not() {
    let net = Net::up().await;
    let pids = |net: &Net| net.cluster.manifest().unwrap().nodes;
    let before = pids(&net);
    let second = start(net.cluster.folder(), &UpOptions::default())
        .await
        .unwrap();
    assert!(second.ran_already && second.children.is_empty());
    assert_eq!(pids(&net), before);

    net.fault(Fault::Kill, &[2]).await;
    let third = start(net.cluster.folder(), &UpOptions::default())
        .await
        .unwrap();
    assert!(!third.ran_already);
    let after = pids(&net);
    assert_ne!(after[2].pid, before[2].pid);
    assert_eq!([&after[..2], &after[3..]], [&before[..2], &before[3..]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_for_their_owner_alone_and_a_reset_leaves_nothing() {
    let mut net = Net::up().await;
    let path = net.cluster.folder().path().to_owned();
    let secrets = [
        "node-0/keys/vertex.key",
        "node-3/keys/finality.key",
        "node-1/keys/base.key",
        "base/operator-2.key",
        "base/deployer.key",
        "accounts/dev-9.key",
        "testnet.json",
    ];
    for secret in secrets {
        let mode = std::fs::metadata(path.join(secret))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    assert!(!reset(net.cluster.folder()).await.unwrap());
    assert!(!path.exists());
    assert!(net.cluster.alive().unwrap().is_empty());

    // The folder is free for another network.
    let folder = Folder::new(&path).unwrap();
    let single = UpOptions {
        nodes: Some(1),
        two_delay: Some(20),
        ephemeral: true,
        ..options()
    };
    let started = start(&folder, &single).await.unwrap();
    net.cluster = started.cluster;
    net.manifest = started.manifest;
    net.pay(&[0], 3).await;
    let genesis = net.client(&[0]).genesis().await.unwrap();
    assert_eq!(genesis.template.params.byzantine_percent, Some(20), "D6");
    net.cluster.down().await.unwrap();
    assert!(!path.exists(), "ephemeral");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_runs_without_a_failure_and_all_states_are_equal() {
    let net = Net::up().await;
    let report = net.load(200, 5, Mix::Market).await.unwrap();
    assert_eq!(report.failed, 0, "{report:?}");
    assert_eq!((report.offered, report.certified), (1_000, 1_000));
    assert!(
        matches!(report.agreement, Agreement::Equal { .. }),
        "{report:?}"
    );
    assert!(report.cpu_s > 0.0 && report.rss_mb_max > 0 && report.tps > 0.0);
    let (committed, certified) = (report.latency_ms.committed, report.latency_ms.certified);
    assert!(committed.p50 < committed.p99 && committed.p50 < certified.p50);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_packs_auctions_and_books_nothing_is_made_or_lost() {
    let net = Net::up().await;
    let report = net.load(100, 20, Mix::Steve).await.unwrap();
    assert_eq!(report.failed, 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mechanisms_run_without_a_failure_and_nothing_is_made_or_lost() {
    let net = Net::up().await;
    // What the first one leaves is there before the second.
    for seconds in [15, 5] {
        let report = net.load(100, seconds, Mix::Mechanisms).await.unwrap();
        assert_eq!(report.failed, 0, "{report:?}");
        assert!(report.conserved.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_faucet_pays_whoever_asks_but_not_too_often() {
    let net = Net::up().await;
    let url = net.manifest.faucet.clone().unwrap();
    let patience = Options {
        rounds: 1,
        ..Options::default()
    };
    let faucet = Client::with_options([url], patience).unwrap();
    let address = net.dev_address(5);
    let held = async || {
        let account = net.client(&[0]).account(&address).await;
        account.unwrap().balance(AssetId::NATIVE).0
    };
    let before = held().await;
    let given = faucet.fund(&address, Some(Amount(12_345))).await.unwrap();
    assert_eq!((given.address, given.amount), (address, Amount(12_345)));
    assert_eq!(held().await, before + 12_345);

    let refused = faucet.fund(&address, Some(Amount::ZERO)).await.unwrap_err();
    assert_eq!(refused.code(), Some("malformed-parameter"), "{refused}");
    let refused = faucet.fund(&address, Some(Amount::MAX)).await.unwrap_err();
    assert!(refused.to_string().contains("100000000000"), "{refused}");
    let mut codes = Vec::new();
    for _ in 0..12 {
        let asked = faucet.fund(&address, Some(Amount(1))).await;
        codes.extend(asked.err().and_then(|e| e.code().map(str::to_owned)));
    }
    assert!(
        codes.len() >= 2 && codes.iter().all(|c| c == "rate-limited"),
        "{codes:?}"
    );
    let other = faucet.fund(&net.dev_address(6), None).await.unwrap();
    assert!(other.amount > Amount::ZERO, "others are not held up");
}

#[test]
fn a_folder_without_a_testnet_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let opened = Cluster::open(folder(&parent), &crate::common::program());
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("weft testnet up"), "{error}");
}
