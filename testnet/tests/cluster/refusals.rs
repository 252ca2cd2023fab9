//! What is wrong is said, with the cure, and nothing is left half done.

use crate::common::{Net, folder, options, program, start};
use std::net::TcpListener;
use std::process::Output;
use weft_testnet::cluster::{Base, ClusterError, UpOptions};

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_named_with_its_holder_before_anything_starts() {
    let net = Net::up().await;
    net.cluster.down().await.unwrap();
    let port = net.cluster.settings().ports.p2p[1];
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let error = start(net.cluster.folder(), &UpOptions::default())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ClusterError::Busy(_)), "{text}");
    let process = format!("process {}", std::process::id());
    for part in [
        &port.to_string(),
        "node-1's network",
        &process,
        "--instance",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(net.cluster.alive().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_testnet_that_is_there_is_no_other_than_it_was_set_up_as() {
    let net = Net::up().await;
    let asked = [
        UpOptions {
            nodes: Some(63),
            ..UpOptions::default()
        },
        UpOptions {
            ephemeral: true,
            ..UpOptions::default()
        },
        UpOptions {
            two_delay: Some(20),
            ..UpOptions::default()
        },
    ];
    for (options, what) in asked.iter().zip(["--nodes", "--ephemeral", "--two-delay"]) {
        let error = start(net.cluster.folder(), options).await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    // While another command is at work on it, that one alone may say what is unfinished.
    let _lock = net.cluster.folder().lock().unwrap();
    std::fs::remove_file(net.cluster.folder().genesis()).unwrap();
    let error = start(net.cluster.folder(), &options()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Locked(_)), "{error}");
    assert!(!net.cluster.alive().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_folder_is_refused_and_left_as_it_is() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::write(parent.path().join("notes.txt"), "mine").unwrap();
    let foreign = weft_testnet::cluster::Folder::new(parent.path()).unwrap();
    let error = start(&foreign, &options()).await.unwrap_err().to_string();
    assert!(
        error.contains("no testnet") && error.contains("--dir"),
        "{error}"
    );
    let error = weft_testnet::cluster::reset(&foreign)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("no testnet"), "{error}");
    let left = std::fs::read_dir(parent.path()).unwrap().count();
    assert_eq!(left, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_chain_that_is_away_ends_the_attempt_and_the_next_one_begins_anew() {
    let parent = tempfile::tempdir().unwrap();
    let folder = folder(&parent);
    let key = parent.path().join("funder.key");
    weft_node::write_secret(&key, &[7; 32]).unwrap();
    let away = UpOptions {
        base: Some(Base::Url("http://127.0.0.1:9".to_owned())),
        base_key: Some(key),
        ..options()
    };
    let error = start(&folder, &away).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:9"), "{error}");
    let without_key = UpOptions {
        base_key: None,
        ..away
    };
    let error = start(&folder, &without_key).await.unwrap_err().to_string();
    assert!(error.contains("--base-key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_start_is_quoted_and_what_was_started_is_ended() {
    let net = Net::up().await;
    net.cluster.down().await.unwrap();
    let config = net.cluster.folder().node(2).join("weft.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("nonsense = 1\n{text}")).unwrap();
    let error = start(net.cluster.folder(), &UpOptions::default())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("node-2 ended") && text.contains("nonsense"),
        "{text}"
    );
    assert!(net.cluster.alive().unwrap().is_empty());
}

/// Runs `weft node run` on a folder that it has to refuse.
async fn refused(dir: &std::path::Path) -> String {
    let output: Output = tokio::process::Command::new(program().path)
        .args(["node", "run", "--dir"])
        .arg(dir)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_refuses_another_networks_data_and_a_busy_port() {
    let (one, other) = (Net::up().await, Net::up().await);
    let node = |net: &Net| net.cluster.folder().node(0);
    let text = refused(&node(&one)).await;
    assert!(!text.is_empty(), "its own data folder is in use");
    one.cluster.down().await.unwrap();
    other.cluster.down().await.unwrap();

    let port = one.cluster.settings().ports.api[0];
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let text = refused(&node(&one)).await;
    let process = format!("process {}", std::process::id());
    assert!(
        text.contains(&port.to_string()) && text.contains(&process),
        "{text}"
    );
    drop(taken);

    let data = node(&one).join("data");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(node(&other).join("data"), &data).unwrap();
    let text = refused(&node(&one)).await;
    let network = other_network(&other);
    assert!(text.contains(&network), "{network} in {text}");
}

fn other_network(net: &Net) -> String {
    let genesis = std::fs::read_to_string(net.cluster.folder().genesis()).unwrap();
    let genesis = weft_types::Genesis::from_json(&genesis).unwrap();
    genesis.network.id().to_string()
}
