//! The program as a script sees it: exit codes, words on stderr, data on stdout.

use crate::running::{fails, fails_with, has, weft};
use std::process::{Command, Stdio};

/// A folder with a node in it.
fn node() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = weft(&["node", "init", "--dir", "n", "--json"], folder.path());
    assert!(output.status.success());
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["vertex_key"].as_str().unwrap().len(), 64);
    folder
}

const RUN: [&str; 4] = ["node", "run", "--dir", "n"];

#[test]
fn help_tells_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let output = weft(&["--help"], folder.path());
    assert!(output.status.success());
    has(
        &String::from_utf8(output.stdout).unwrap(),
        &["Exit codes", "NO_COLOR", "testnet"],
    );
}

#[test]
fn wrong_arguments_are_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["frobnicate"][..],
        &["testnet", "up", "--base", "ganache"],
        &["testnet", "up", "--two-delay", "34"],
        &["testnet", "fault", "kill"],
        &["testnet", "fault", "kill", "1", "--for", "soon"],
        &["testnet", "load", "--mix", "chess"],
        &["testnet", "up", "--instance", "3", "--any-ports"],
    ] {
        fails(2, arguments, folder.path());
    }
    has(
        &fails(2, &["testnet", "up", "--nodes", "0"], folder.path()),
        &["1 to 64"],
    );
    has(
        &fails(2, &["testnet", "up", "--instance", "21"], folder.path()),
        &["0 to 20"],
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The ledger would refuse it, and keep the fee.
#[test]
fn data_a_pool_or_a_session_for_no_time_is_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let key = weft_types::testing::user(1).to_string();
    for arguments in [
        &["data", "post", "file", "--for", "0s"][..],
        &[
            "voucher",
            "pool",
            "--denomination",
            "9",
            "--out",
            "k",
            "--lasts",
            "0s",
        ],
        &[
            "account",
            "session",
            "add",
            &key,
            "--allow",
            "mint",
            "--expires",
            "0s",
        ],
    ] {
        has(&fails(2, arguments, folder.path()), &["some time"]);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn addresses_on_the_base_chain_that_are_a_slip_of_the_hand_are_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let zero = format!("0x{}", "0".repeat(40));
    // The first example of EIP-55 with one letter in the wrong case.
    let slip = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
    for address in [&zero, slip, "0x12"] {
        let fetch = ["bridge", "fetch", "--to", address];
        let withdraw = ["bridge", "withdraw", "--amount", "1", "--to", address];
        let named = ["bridge", "exit-address", address];
        let deposit = [
            "bridge",
            "deposit",
            "--amount",
            "1",
            "--exit-address",
            address,
        ];
        for arguments in [&fetch[..], &withdraw, &named, &deposit] {
            let words = fails(2, arguments, folder.path());
            has(&words, &[address]);
        }
    }
    let withdraw = ["bridge", "withdraw", "--amount", "1", "--to", slip];
    has(&fails(2, &withdraw, folder.path()), &["checksum"]);
}

#[test]
fn a_session_has_one_limit_an_asset() {
    let folder = tempfile::tempdir().unwrap();
    let key = weft_types::testing::user(1).to_string();
    let add = ["account", "session", "add", &key, "--expires", "1h"];
    let limits = ["--allow", "transfer", "--limit", "1", "--limit", "2"];
    let words = fails(2, &[&add[..], &limits].concat(), folder.path());
    has(&words, &["twice", "nothing was sent"]);
}

#[test]
fn without_a_testnet_the_cure_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for verb in [
        &["status"][..],
        &["down"],
        &["reset"],
        &["load"],
        &["fault", "kill", "0"],
    ] {
        let arguments = [&["testnet"], verb].concat();
        has(
            &fails(2, &arguments, folder.path()),
            &["no testnet", "weft testnet up"],
        );
    }
}

#[test]
fn a_node_is_never_made_over_another() {
    let folder = node();
    let config = std::fs::read(folder.path().join("n/weft.toml")).unwrap();
    let words = fails(2, &["node", "init", "--dir", "n"], folder.path());
    has(&words, &["exists already"]);
    std::fs::remove_file(folder.path().join("n/weft.toml")).unwrap();
    let words = fails(2, &["node", "init", "--dir", "n"], folder.path());
    has(&words, &["never overwritten"]);
    assert!(!config.is_empty());
}

#[test]
fn an_observer_is_made_without_keys_and_with_the_genesis() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    std::fs::write(at("g.json"), "{}").unwrap();
    let init = ["node", "init", "--dir", "n", "--observer", "--genesis"];
    let made_of = |file| [&init[..], &[file]].concat();
    has(&fails(2, &made_of("g.json"), folder.path()), &["g.json"]);
    has(
        &fails(2, &made_of("none.json"), folder.path()),
        &["none.json"],
    );
    assert!(!at("n").exists());

    let genesis = weft_types::testing::genesis(4).to_json();
    std::fs::write(at("g.json"), &genesis).unwrap();
    let output = weft(&made_of("g.json"), folder.path());
    assert!(output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    has(&words, &["weft node run --dir n --observer"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains("key"), "{shown}");
    assert!(!at("n/keys").exists());
    assert_eq!(
        std::fs::read_to_string(at("n/genesis.json")).unwrap(),
        genesis
    );
    // Running it without saying so is refused: a member that has lost its keys must notice.
    has(&fails(2, &RUN, folder.path()), &["no keys", "--observer"]);
}

#[test]
fn a_node_that_cannot_run_says_why_and_what_to_do() {
    let folder = node();
    let at = |path: &str| folder.path().join(path);
    has(&fails(2, &RUN, folder.path()), &["genesis.json"]);

    std::fs::write(at("n/genesis.json"), "{}").unwrap();
    has(
        &fails(2, &RUN, folder.path()),
        &["genesis.json", "missing field"],
    );

    let key = at("n/keys/finality.key");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, open).unwrap();
    has(
        &fails(2, &RUN, folder.path()),
        &["finality.key", "chmod 600"],
    );
    std::fs::remove_file(&key).unwrap();
    has(&fails(2, &RUN, folder.path()), &["finality.key"]);
    std::fs::remove_file(at("n/keys/vertex.key")).unwrap();
    has(&fails(2, &RUN, folder.path()), &["no keys", "--observer"]);

    let with = |flag, value| [&RUN[..], &[flag, value]].concat();
    fails(2, &with("--api-listen", "here"), folder.path());
    let filter = fails(2, &with("--log", "=,="), folder.path());
    has(&filter, &["--log", "invalid filter"]);
    let format = fails(2, &with("--log-format", "xml"), folder.path());
    has(&format, &["pretty", "json"]);
    let variable = [("WEFT_API_LISTEN", "here")];
    let variable = fails_with(&variable, 2, &RUN, folder.path());
    has(&variable, &["WEFT_API_LISTEN=\"here\"", "127.0.0.1:7700"]);
    std::fs::write(at("n/weft.toml"), "mempool_bytes_max = 1").unwrap();
    has(&fails(2, &RUN, folder.path()), &["mempool_bytes_max"]);
    std::fs::remove_file(at("n/weft.toml")).unwrap();
    has(&fails(2, &RUN, folder.path()), &["weft node init"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let words = fails(2, &["node", "init", "--dir", "file/n"], folder.path());
    has(&words, &["file/n cannot be made", "--dir"]);
    let unnamed = ["node", "init", "--dir", "n", "--name", ""];
    has(&fails(2, &unnamed, folder.path()), &["name"]);
    assert!(!folder.path().join("n").exists());
}

#[test]
fn the_base_chain_that_a_node_is_made_with_stands_in_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let init = ["node", "init", "--dir", "n", "--base-rpc"];
    let with = |url| [&init[..], &[url]].concat();
    let words = fails(2, &with("no url"), folder.path());
    has(&words, &["base_rpc", "no url", "nothing was made"]);
    assert!(!folder.path().join("n").exists());
    let url = "http://127.0.0.1:13793";
    assert!(weft(&with(url), folder.path()).status.success());
    let settings = std::fs::read_to_string(folder.path().join("n/weft.toml")).unwrap();
    has(&settings, &[&format!("base_rpc = \"{url}\"")]);
}

#[test]
fn variables_of_no_setting_are_named_and_others_are_left_alone() {
    let folder = node();
    let variables = [("WEFT_API_LISTN", "x"), ("WEFT_ANVIL", "/anvil")];
    let words = fails_with(&variables, 2, &RUN, folder.path());
    has(&words, &["WEFT_API_LISTN", "was WEFT_API_LISTEN meant?"]);
    assert!(!words.contains("WEFT_ANVIL"), "{words}");
}

#[test]
fn a_busy_port_is_told_with_its_holder_and_the_cure() {
    let folder = node();
    let genesis = weft_types::testing::genesis(4).to_json();
    std::fs::write(folder.path().join("n/genesis.json"), genesis).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let observe = ["--observer", "--base-rpc", "http://127.0.0.1:9"];
    let run = [&RUN[..], &observe, &["--api-listen", &address]].concat();
    let holder = format!("is held by process {}", std::process::id());
    has(
        &fails(2, &run, folder.path()),
        &["api_listen", &holder, "--api-listen"],
    );
}

#[test]
fn a_node_that_does_not_answer_has_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let words = fails(
        3,
        &["node", "status", "--url", "http://127.0.0.1:9"],
        folder.path(),
    );
    has(&words, &["127.0.0.1:9", "cannot be reached"]);
}

#[test]
fn completions_and_manual_pages_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let output = weft(&["completions", "bash"], folder.path());
    has(
        &String::from_utf8(output.stdout).unwrap(),
        &["_weft()", "testnet"],
    );
    assert!(weft(&["man"], folder.path()).status.success());
    assert!(folder.path().join("man/weft-testnet-load.1").is_file());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["completions", "bash"][..], &["--help"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        let command = command.args(arguments).current_dir(folder.path());
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).output();
        let output = output.unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert!(output.status.success(), "{arguments:?}");
    }
}

#[test]
fn the_environment_names_the_testnet() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
    let command = command.args(["testnet", "status"]);
    let command = command.env("WEFT_TESTNET_DIR", folder.path().join("elsewhere"));
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    has(&String::from_utf8(output.stderr).unwrap(), &["elsewhere"]);
}
