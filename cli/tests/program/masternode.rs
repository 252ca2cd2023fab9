//! `weft masternode` without a network: what is made, and what is refused before anything is asked of others.

use crate::running::{fails, fails_with, has, json, secret, weft, weft_with};
use std::path::Path;
use tempfile::TempDir;

/// A node's folder without keys, and a file with a password.
fn place() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let init = ["node", "init", "--dir", "n", "--no-keys"];
    let output = weft(&init, folder.path());
    assert!(output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    has(&words, &["weft masternode keys --node n"]);
    assert!(!folder.path().join("n/keys").exists());
    password(folder.path(), "correct horse\n", 0o600);
    folder
}

fn password(folder: &Path, text: &str, mode: u32) {
    secret(folder, "password", text, mode);
}

const KEYS: [&str; 6] = ["masternode", "keys", "--node", "n", "--kdf", "pbkdf2"];

fn with_password(arguments: &[&'static str]) -> Vec<&'static str> {
    [arguments, &["--password-file", "password"]].concat()
}

fn made(folder: &Path) -> serde_json::Value {
    json(&with_password(&KEYS), folder)
}

#[test]
fn keys_are_made_locked_and_never_again() {
    let folder = place();
    let first = made(folder.path());
    assert_eq!(first["made"], "both");
    assert_eq!(first["vertex_key"].as_str().unwrap().len(), 64);
    assert_eq!(first["finality_key"].as_str().unwrap().len(), 96);
    let again = made(folder.path());
    assert_eq!(again["made"], "nothing");
    assert_eq!(again["vertex_key"], first["vertex_key"]);
    for name in ["vertex.json", "finality.json"] {
        let text = std::fs::read_to_string(folder.path().join("n/keys").join(name)).unwrap();
        has(&text, &["\"version\": 4", "pbkdf2", "aes-128-ctr"]);
    }
    assert!(folder.path().join("n/data/never-signed").is_file());
}

#[test]
fn a_finality_key_that_is_lost_is_not_replaced() {
    let folder = place();
    made(folder.path());
    let lost = folder.path().join("n/keys/finality.json");
    std::fs::remove_file(&lost).unwrap();
    has(
        &fails(2, &with_password(&KEYS), folder.path()),
        &[
            "finality.json is missing",
            "put it back from its copy",
            "nothing was made",
        ],
    );
    assert!(!lost.exists());
}

#[test]
fn what_was_interrupted_is_completed() {
    let folder = place();
    let first = made(folder.path());
    std::fs::remove_file(folder.path().join("n/keys/finality.json")).unwrap();
    // As before the finality key was made.
    let vertex = first["vertex_key"].as_str().unwrap();
    std::fs::write(folder.path().join("n/data/never-signed"), vertex).unwrap();
    let rest = made(folder.path());
    assert_eq!(rest["made"], "rest");
    assert_eq!(rest["vertex_key"], first["vertex_key"]);
}

#[test]
fn a_password_that_is_wrong_short_or_open_to_others_makes_nothing() {
    let folder = place();
    let keys = with_password(&KEYS);
    has(
        &fails(2, &KEYS, folder.path()),
        &["no terminal", "--password-file"],
    );
    password(folder.path(), "seven77", 0o600);
    has(&fails(2, &keys, folder.path()), &["7 characters", "8"]);
    password(folder.path(), "correct horse", 0o644);
    has(&fails(2, &keys, folder.path()), &["mode 644", "chmod 600"]);
    assert!(!folder.path().join("n/keys").exists());
    password(folder.path(), "correct horse", 0o600);
    made(folder.path());
    password(folder.path(), "correct house", 0o600);
    let words = fails(2, &keys, folder.path());
    has(
        &words,
        &["vertex.json", "the password is not the right one"],
    );
    assert!(!words.contains("house"), "{words}");
}

#[test]
fn plain_keys_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        weft(&["node", "init", "--dir", "n"], folder.path())
            .status
            .success()
    );
    password(folder.path(), "correct horse", 0o600);
    let words = fails(2, &with_password(&KEYS), folder.path());
    has(&words, &["plain keys", "never overwritten"]);
    assert!(!folder.path().join("n/keys/vertex.json").exists());
    let words = fails(2, &["masternode", "keys", "--node", "m"], folder.path());
    has(&words, &["no weft.toml in m", "--no-keys"]);
}

#[test]
fn a_node_with_keystores_asks_for_a_password_file_and_takes_it_from_everywhere() {
    let folder = place();
    made(folder.path());
    let run = [
        "node",
        "run",
        "--dir",
        "n",
        "--base-rpc",
        "http://127.0.0.1:9",
    ];
    has(
        &fails(2, &run, folder.path()),
        &["keystores", "password_file", "--password-file"],
    );
    // With it the next thing is missing.
    let past = ["genesis.json"];
    has(&fails(2, &with_password(&run), folder.path()), &past);
    let path = folder.path().join("password");
    let variable = [("WEFT_PASSWORD_FILE", path.to_str().unwrap())];
    has(&fails_with(&variable, 2, &run, folder.path()), &past);
    let config = folder.path().join("n/weft.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("password_file = \"../password\"\n{text}")).unwrap();
    has(&fails(2, &run, folder.path()), &past);
    password(folder.path(), "wrong", 0o600);
    has(
        &fails(2, &run, folder.path()),
        &["the password is not the right one"],
    );
}

#[test]
fn a_masternode_is_named_in_one_way() {
    let folder = place();
    for wrong in [
        &["masternode", "status"][..],
        &["masternode", "status", "1", "--node", "n"],
        &["masternode", "status", "0x12"],
        &[
            "masternode",
            "bond",
            "--node",
            "n",
            "--addresses",
            "/ip4/127.0.0.1/tcp/7700",
            "--yes",
            "--dry-run",
        ],
        // Nobody could dial it, and it could never be changed.
        &["masternode", "bond", "--node", "n", "--addresses", "x"],
        &[
            "masternode",
            "bond",
            "--node",
            "n",
            "--addresses",
            "/ip4/0.0.0.0/tcp/7700",
        ],
        &[
            "masternode",
            "exit",
            "--base-key",
            "k",
            "--signer",
            "http://127.0.0.1:9",
        ],
        &[
            "masternode",
            "exit",
            "--from",
            "0x0000000000000000000000000000000000000001",
        ],
    ] {
        fails(2, wrong, folder.path());
    }
    let words = fails(2, &["masternode", "status", "--node", "n"], folder.path());
    has(&words, &["no keys in n/keys", "weft masternode keys"]);
}

#[test]
fn status_of_an_own_node_needs_no_password() {
    let folder = place();
    made(folder.path());
    std::fs::remove_file(folder.path().join("password")).unwrap();
    let status = ["masternode", "status", "--node", "n"];
    let output = weft_with(
        &[("WEFT_API_LISTEN", "127.0.0.1:9")],
        &status,
        folder.path(),
    );
    assert_eq!(output.status.code(), Some(3));
    has(&String::from_utf8(output.stderr).unwrap(), &["127.0.0.1:9"]);
}

/// A node with keys, the genesis of a network, and a guard that has let something pass.
fn signed() -> TempDir {
    use weft_types::{Epoch, Round, VertexDigest};
    let folder = place();
    let made = made(folder.path());
    let genesis = weft_types::testing::genesis(4);
    std::fs::write(folder.path().join("n/genesis.json"), genesis.to_json()).unwrap();
    let mut key = [0; 32];
    hex::decode_to_slice(made["vertex_key"].as_str().unwrap(), &mut key).unwrap();
    let guard = folder.path().join("n/data/signing-guard");
    let key = weft_types::ed25519::PublicKey(key);
    let floor = weft_storage::GuardFloor::default();
    let network = genesis.network.id();
    let mut guard = weft_storage::SigningGuard::create(&guard, network, key, floor).unwrap();
    let signed = guard.sign_vertex(Epoch(3), Round(9), VertexDigest([1; 32]));
    signed.unwrap();
    folder
}

#[test]
fn a_guard_is_carried_to_another_folder_and_never_lowered_there() {
    let folder = signed();
    let export = [
        "masternode",
        "guard",
        "export",
        "--node",
        "n",
        "--out",
        "e.json",
    ];
    let output = weft(&[&export[..], &["--json"]].concat(), folder.path());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["epoch"], &shown["round"]), (&3.into(), &9.into()));
    has(
        &fails(2, &export, folder.path()),
        &["e.json", "never overwritten"],
    );

    // The other machine has the keys and no guard.
    let other = folder.path().join("m");
    std::fs::rename(folder.path().join("n"), &other).unwrap();
    std::fs::remove_file(other.join("data/signing-guard")).unwrap();
    let import = [
        "masternode",
        "guard",
        "import",
        "--node",
        "m",
        "e.json",
        "--json",
    ];
    let output = weft(&import, folder.path());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words}");
    has(&words, &["asks the others"]);
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["epoch"], &shown["round"]), (&3.into(), &9.into()));
    let text = std::fs::read_to_string(folder.path().join("e.json")).unwrap();
    let older = text.replace("\"round\": 9", "\"round\": 7");
    std::fs::write(folder.path().join("e.json"), older).unwrap();
    let output = weft(&import, folder.path());
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["round"], 9);
}

#[test]
fn an_export_that_is_of_another_network_or_none_is_refused() {
    let folder = signed();
    let export = [
        "masternode",
        "guard",
        "export",
        "--node",
        "n",
        "--out",
        "e.json",
    ];
    assert!(weft(&export, folder.path()).status.success());
    let import = ["masternode", "guard", "import", "--node", "n", "e.json"];
    let path = folder.path().join("e.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let network = weft_types::testing::genesis(4).network.id().to_string();
    std::fs::write(&path, text.replace(&network, &"ab".repeat(32))).unwrap();
    has(
        &fails(2, &import, folder.path()),
        &["another network", &network],
    );
    std::fs::write(&path, "{}").unwrap();
    has(
        &fails(2, &import, folder.path()),
        &["no export of a signing guard"],
    );
    let none = ["masternode", "guard", "import", "--node", "n", "none.json"];
    has(&fails(2, &none, folder.path()), &["none.json"]);
    std::fs::remove_file(folder.path().join("n/data/signing-guard")).unwrap();
    let export = [
        "masternode",
        "guard",
        "export",
        "--node",
        "n",
        "--out",
        "f.json",
    ];
    has(
        &fails(2, &export, folder.path()),
        &["there is none", "asks the others"],
    );
    assert!(!folder.path().join("f.json").exists());
}
