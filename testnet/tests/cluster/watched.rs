//! `weft watch` beside masternodes as processes, of which all lie.

use crate::common::{Net, options, program, until};
use crate::sabotage::sabotage_all;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use weft_client::Wait;
use weft_testnet::cluster::{Unusual, UpOptions};
use weft_types::Millis;

/// As in `weft --help`.
const ALARM: i32 = 6;

fn weft(arguments: &[&str]) -> Command {
    let mut command = Command::new(program().path);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Ended with the test, however that ends.
struct Watcher(Child);

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// From now on everybody has money from nothing. Heights are closed where they are for the watcher.
async fn lie(net: &mut Net) {
    let network = net.client(&[0]).genesis().await.unwrap().network.id();
    let folder = net.cluster.folder();
    let databases: Vec<_> = (0..4).map(|n| folder.node(n).join("data/db")).collect();
    for amount in 20..30 {
        let payment = net.payment(&[0], amount).await;
        let client = net.client(&[0]);
        client.submit(&payment, Wait::Committed).await.unwrap();
        // Everybody has executed it.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        net.cluster.down().await.unwrap();
        let changed = sabotage_all(&databases, network);
        net.up_again().await;
        if changed {
            return;
        }
    }
    panic!("a height was closed each time before all had stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn w2_a_watcher_calls_its_operator_and_its_evidence_is_judged_offline() {
    // Heights far apart, so that there is time to stop everybody between two of them.
    let unusual = Unusual {
        genesis: |template| template.params.finality_interval_ms = Millis(4_000),
        node: |_| {},
    };
    let mut net = Net::up_with(UpOptions {
        unusual: Some(unusual),
        ..options()
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    let (dir, copy, json) = (file("watcher"), file("copy"), file("alarm.json"));
    let (out, err) = (file("out"), file("err"));
    let genesis = net.cluster.folder().genesis();
    let made = weft(&["node", "init", "--observer", "--dir", text(&dir)])
        .args(["--genesis", text(&genesis), "--api-listen", "127.0.0.1:0"])
        .output();
    assert_eq!(code(&made.unwrap()), Some(0));
    let command = format!("cp \"$1\" {} && cat > {}", text(&copy), text(&json));
    // No folder can be made there: the evidence goes to where temporary files do.
    let blocked = genesis.join("evidence");
    let watcher = weft(&["watch", "--dir", text(&dir), "--on-alarm", &command])
        .args(["--base-rpc", &net.manifest.base.rpc])
        .args(["--evidence", text(&blocked)])
        .env("TMPDIR", home.path())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn();
    let mut watcher = Watcher(watcher.unwrap());
    for node in 0..2 {
        net.pay(&[node], 3).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    lie(&mut net).await;
    net.pay(&[1], 5).await;
    until("the alarm", async || json.exists()).await;
    let ended = tokio::task::spawn_blocking(move || watcher.0.wait()).await;
    let ended = ended.unwrap().unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let (out, err) = (read(&out), read(&err));
    assert_eq!(ended.code(), Some(ALARM), "{out}{err}");
    assert!(out.contains("ALARM at height"), "{out}");
    // The alarm stands between two rules, and what became of the evidence comes after it.
    let block = err.find("ALARM at height").expect("a block");
    let kept = err.find("The evidence is in").expect("evidence");
    assert!(err[..block].ends_with("=\n") && block < kept, "{err}");
    assert!(err[kept..].contains("could not be written"), "{err}");
    assert!(err.contains("blind for them"), "what it cannot see: {err}");
    assert!(out.contains("FALSE"), "{out}");
    let alarm: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    // What differs is known where this node has a statement of that height; that it is false, the evidence says.
    assert!(alarm["height"].as_u64() > Some(0), "{alarm}");

    let judge = |file: &Path| {
        let mut command = weft(&["--json", "watch", "--replay", text(file)]);
        command
            .args(["--genesis", text(&genesis)])
            .output()
            .unwrap()
    };
    let judged = judge(&copy);
    assert_eq!(code(&judged), Some(ALARM), "{judged:?}");
    let report: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(report["verdict"]["is"], "false", "{report}");
    let mut bytes = std::fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    assert_eq!(code(&judge(&copy)), Some(5));
    assert_eq!(code(&judge(&home.path().join("none"))), Some(2));
}
