//! A validator's way as its operator types it, against a testnet of processes: keys, a bond with a wallet's keystore,
//! the first epoch, and the guard carried on.

use crate::running::{fails, has, json, secret, weft};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use weft_basechain::{AccountKey, Endpoint};

/// The keystore of the Web3 definition's own vectors, and the key in it.
const KEYSTORE: &str = include_str!("../../../keystore/tests/vectors/web3-pbkdf2.json");
const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const COIN: u128 = 1_000_000_000_000_000_000;
const PATIENCE: Duration = Duration::from_secs(75);

/// Ends what was started, however the test ends.
struct Running<'a> {
    folder: &'a Path,
    node: Option<Child>,
}

impl Running<'_> {
    fn end_node(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.end_node();
        weft(&["testnet", "down", "--dir", "net"], self.folder);
    }
}

fn key(text: &str) -> AccountKey {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.trim(), &mut bytes).unwrap();
    AccountKey::from_bytes(&bytes).unwrap()
}

fn fund(rpc: &str, folder: &Path) {
    let deployer = std::fs::read_to_string(folder.join("net/base/deployer.key")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::connect(rpc).await.unwrap();
        let to = key(KEY).address();
        endpoint.transfer(&key(&deployer), to, COIN).await.unwrap();
    });
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

const BOND: [&str; 8] = [
    "masternode",
    "bond",
    "--node",
    "n",
    "--dir",
    "net",
    "--base-key",
    "owner.json",
];
const STATUS: [&str; 6] = ["masternode", "status", "--node", "n", "--dir", "net"];

/// Waits until the status is this one.
fn wait_for(status: &str, folder: &Path) -> Value {
    let start = Instant::now();
    loop {
        let shown = json(&STATUS, folder);
        if shown["status"] == status {
            return shown;
        }
        assert!(start.elapsed() < PATIENCE, "not {status}: {shown}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// L23, L24: the masternode is paid for an epoch, its operator has it paid out with the keystore's key, and gives the account
/// to another key.
fn fees_are_earned_and_handed_over(folder: &Path) {
    let ledger = ["--dir", "net", "--key", "user.key"];
    let user = json(&["account", "new", "--out", "user.key"], folder);
    let user = user["address"].as_str().unwrap();
    json(&[&["account", "fund"], &ledger[..]].concat(), folder);
    let fees = ["masternode", "fees", "--node", "n", "--dir", "net"];
    let shown = json(&fees, folder);
    assert_eq!(shown["owner"], shown["account"]);
    let account = shown["account"].as_str().unwrap();
    let pay = ["account", "transfer", "--to", account, "--amount", "500"];
    let start = Instant::now();
    while json(&fees, folder)["last_share"] == 0 {
        assert!(start.elapsed() < PATIENCE, "no share of any epoch's fees");
        json(&[&pay[..], &ledger].concat(), folder);
    }
    let history = [
        "account", "history", account, "--dir", "net", "--limit", "100",
    ];
    let history = json(&history, folder);
    let mut steps = history["items"].as_array().unwrap().iter();
    assert!(steps.any(|step| step["operations"] == serde_json::json!(["fee_share"])));

    let password = ["--password-file", "password"];
    let to = [&fees[..], &password, &["--to", user]].concat();
    assert_eq!(json(&to, folder)["state"], "committed");
    let rest = json(&fees, folder)["balance"].as_u64().unwrap();
    assert!(rest < 500, "{rest} are left");
    let owner = [&fees[..], &password, &["--owner", "user.key"]].concat();
    json(&[&pay[..], &ledger].concat(), folder);
    assert_eq!(json(&owner, folder)["state"], "committed");
    assert_eq!(json(&fees, folder)["owner"], user);
    let words = fails(4, &to, folder);
    has(
        &words,
        &["no longer the node's", "weft account transfer --account"],
    );
}

#[test]
fn an_operator_makes_keys_bonds_is_in_office_and_carries_the_guard_on() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let up = [
        "testnet",
        "up",
        "--epoch",
        "8s",
        "--any-ports",
        "--detach",
        "--dir",
        "net",
    ];
    assert!(weft(&up, folder).status.success());
    let mut running = Running { folder, node: None };
    let manifest = std::fs::read_to_string(folder.join("net/testnet.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let rpc = manifest["base"]["rpc"].as_str().unwrap().to_owned();
    fund(&rpc, folder);

    secret(folder, "password", "correct horse\n", 0o600);
    secret(folder, "wallet", "testpassword", 0o600);
    secret(folder, "owner.json", KEYSTORE, 0o600);
    let init = [
        "node",
        "init",
        "--dir",
        "n",
        "--genesis",
        "net/genesis.json",
        "--no-keys",
    ];
    assert!(weft(&init, folder).status.success());
    let made = json(
        &[
            "masternode",
            "keys",
            "--node",
            "n",
            "--password-file",
            "password",
        ],
        folder,
    );
    let status = fails(4, &STATUS, folder);
    has(&status, &["has bonded nothing", "weft masternode bond"]);

    // Nothing is sent off a terminal without a word, and a dry run says what would be.
    let p2p = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let passwords = [
        "--password-file",
        "password",
        "--base-password-file",
        "wallet",
    ];
    let bond = [&BOND[..], &passwords, &["--addresses", &p2p]].concat();
    let words = fails(2, &bond, folder);
    has(
        &words,
        &[
            "About to send 0.01",
            "bonds 0.01",
            "must never be on two machines",
            "no terminal",
            "--yes",
        ],
    );
    let dry = json(&[&bond[..], &["--dry-run"]].concat(), folder);
    assert!(
        dry["sent"].is_null() && dry["fee_max_wei"].is_string(),
        "{dry}"
    );
    assert_eq!(dry["vertex_key"], made["vertex_key"]);
    fails(4, &STATUS, folder);

    let bonded = json(&[&bond[..], &["--yes"]].concat(), folder);
    assert_eq!(bonded["masternode"], 5);
    let again = json(&[&bond[..], &["--yes"]].concat(), folder);
    assert_eq!(
        (&again["masternode"], &again["sent"]),
        (&5.into(), &Value::Null)
    );
    let shown = json(&STATUS, folder);
    assert_eq!(shown["vertex_key"], made["vertex_key"]);
    assert!(shown["next"]["words"].is_string(), "{shown}");
    let operator = shown["operator"].as_str().unwrap();
    let vertex_key = made["vertex_key"].as_str().unwrap();
    for who in ["5", operator, vertex_key] {
        assert_eq!(
            json(&["masternode", "status", who, "--dir", "net"], folder)["id"],
            5
        );
    }
    let listed = json(&["masternode", "list", "--dir", "net"], folder);
    assert_eq!(listed["masternodes"].as_array().unwrap().len(), 5);

    let api = format!("127.0.0.1:{}", free_port());
    let node = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(["node", "run", "--dir", "n", "--password-file", "password"])
        .args([
            "--p2p-listen",
            &p2p,
            "--api-listen",
            &api,
            "--base-rpc",
            &rpc,
        ])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    running.node = Some(node);
    wait_for("active", folder);
    fees_are_earned_and_handed_over(folder);

    // While it runs the guard is its own.
    let export = [
        "masternode",
        "guard",
        "export",
        "--node",
        "n",
        "--out",
        "guard.json",
    ];
    let words = fails(2, &export, folder);
    has(&words, &["in use by another process", "end the node first"]);
    std::thread::sleep(Duration::from_secs(3));
    running.end_node();
    let exported = json(&export, folder);
    assert!(
        exported["round"].as_u64() > Some(0),
        "it has signed: {exported}"
    );
    let import = ["masternode", "guard", "import", "--node", "n", "guard.json"];
    assert_eq!(json(&import, folder)["round"], exported["round"]);

    let exit = [
        "masternode",
        "exit",
        "--dir",
        "net",
        "--base-key",
        "owner.json",
    ];
    let exit = [&exit[..], &["--base-password-file", "wallet", "--yes"]].concat();
    json(&exit, folder);
    let leaves = json(&STATUS, folder)["status"].as_str().unwrap().to_owned();
    assert!(
        ["leaving", "unbonding"].contains(&leaves.as_str()),
        "{leaves}"
    );
}
