//! Who has the say for an account, as somebody with nothing but `weft` sees it: a shop's gate with a session, a key
//! that is rotated, one that is lost.

use crate::common::{Net, program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

struct Desk {
    net: Net,
    folder: TempDir,
}

impl Desk {
    async fn open() -> Self {
        Self {
            net: Net::up().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn shop(&self) -> (String, &Path) {
        let account = &self.net.manifest.accounts[0];
        (account.address.to_string(), &account.key_file)
    }

    /// A new key: its address and its file.
    fn key(&self, name: &str) -> (String, PathBuf) {
        let file = self.folder.path().join(name);
        let mut command = Command::new(program().path);
        command
            .args(["--json", "account", "new", "--out"])
            .arg(&file);
        let said: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        (said["address"].as_str().unwrap().to_owned(), file)
    }

    fn say(&self, key: &Path, arguments: &[&str]) -> Result<Value, String> {
        let mut command = Command::new(program().path);
        command.arg("--json").args(arguments).arg("--key").arg(key);
        command.args(["--dir", self.net.cluster.folder().path().to_str().unwrap()]);
        let output = command.output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("weft {}\n{words}", arguments.join(" "));
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            false => Err(words),
        }
    }

    fn done(&self, key: &Path, arguments: &[&str]) -> Value {
        self.say(key, arguments)
            .unwrap_or_else(|words| panic!("{words}"))
    }

    /// Fails, and says so with these words.
    fn fails(&self, key: &Path, arguments: &[&str], words: &str) {
        let said = self.say(key, arguments).unwrap_err();
        assert!(said.contains(words), "{words:?} in {said}");
    }

    fn balance(&self, account: &str) -> u64 {
        let shown = self.done(self.shop().1, &["account", "show", account]);
        let balances = shown["balances"].as_array().unwrap();
        balances
            .first()
            .map_or(0, |b| b["amount"].as_u64().unwrap())
    }

    fn keys(&self, account: &str) -> Value {
        self.done(self.shop().1, &["account", "keys", account])
    }
}

fn pay<'a>(to: &'a str, amount: &'a str, account: &'a str) -> [&'a str; 8] {
    [
        "account",
        "transfer",
        "--to",
        to,
        "--amount",
        amount,
        "--account",
        account,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_has_a_session_within_its_limit_and_time_until_it_is_ended() {
    let desk = Desk::open().await;
    let (shop, owner) = desk.shop();
    let (gate, gate_key) = desk.key("gate.key");
    let (other, _) = desk.key("other.key");
    let add = |expires, kinds, limit| {
        let add = ["account", "session", "add", &gate, "--expires", expires];
        let rest = ["--allow", kinds, "--limit", limit];
        desk.done(owner, &[&add[..], &rest].concat());
    };
    desk.fails(
        &gate_key,
        &pay(&other, "5", &shop),
        "not the owner's, and has no session",
    );
    add("1h", "transfer,deal-take", "1400");
    desk.done(&gate_key, &pay(&other, "500", &shop));
    let keys = desk.keys(&shop);
    let session = &keys["sessions"][0];
    assert_eq!(session["key"], gate.as_str());
    let left = session["limits"][0]["amount"].as_u64().unwrap();
    assert!(
        (300..700).contains(&left),
        "the payment and its fee: {left}"
    );
    desk.fails(&gate_key, &pay(&other, "1400", &shop), "session_limit");
    let take_over = ["account", "rotate", "--to", &gate, "--account", &shop];
    desk.fails(&gate_key, &take_over, "not for set_keys");
    desk.fails(&gate_key, &pay(&other, "1", &shop), "may spend");

    add("3s", "transfer", "100000");
    desk.done(&gate_key, &pay(&other, "5", &shop));
    tokio::time::sleep(Duration::from_secs(4)).await;
    desk.fails(&gate_key, &pay(&other, "5", &shop), "ended at");

    add("1h", "transfer", "100000");
    desk.done(&gate_key, &pay(&other, "5", &shop));
    desk.done(owner, &["account", "session", "end", &gate]);
    desk.fails(&gate_key, &pay(&other, "5", &shop), "has no session");
    assert_eq!(desk.keys(&shop)["sessions"], serde_json::json!([]));
    desk.net.equal(&[0, 1, 2, 3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sponsor_pays_the_fees_of_who_has_no_coin() {
    let desk = Desk::open().await;
    let (shop, owner) = desk.shop();
    let (player, player_key) = desk.key("player.key");
    let (till, till_key) = desk.key("till.key");
    let create = ["collection", "create", "--name", "Mine"];
    desk.fails(&player_key, &create, "holds 0");
    let with = |key: &Path, rest: &[&str]| {
        let sponsor = ["--sponsor", key.to_str().unwrap()];
        let arguments = [&create[..], &sponsor, rest].concat();
        desk.done(&player_key, &arguments)
    };
    let before = desk.balance(&shop);
    let made = with(owner, &[]);
    let paid = before - desk.balance(&shop);
    assert_eq!(made["fee"], paid);
    assert_eq!(desk.balance(&player), 0);
    // A till with a session of the shop pays from the shop's account.
    let add = ["account", "session", "add", &till, "--expires", "1h"];
    let allow = ["--allow", "sponsor", "--limit", "100000"];
    desk.done(owner, &[&add[..], &allow].concat());
    let before = desk.balance(&shop);
    let made = with(&till_key, &["--sponsor-account", &shop]);
    assert_eq!(made["fee"], before - desk.balance(&shop));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_is_refused_and_a_guardian_helps_who_has_lost_his() {
    let desk = Desk::open().await;
    let (shop, old) = desk.shop();
    let (new, new_key) = desk.key("new.key");
    let (lost, lost_key) = desk.key("lost.key");
    let (found, found_key) = desk.key("found.key");
    let (other, _) = desk.key("other.key");
    desk.done(
        old,
        &["account", "rotate", "--to", new_key.to_str().unwrap()],
    );
    desk.fails(old, &pay(&other, "5", &shop), "it is not the owner's");
    desk.fails(&new_key, &pay(&other, "5", &new), "holds 0");
    desk.done(&new_key, &pay(&other, "5", &shop));
    assert_eq!(desk.keys(&shop)["owner"], new.as_str());

    let guardian = &desk.net.manifest.accounts[1];
    let (guard, guard_key) = (guardian.address.to_string(), &guardian.key_file);
    desk.done(&new_key, &pay(&lost, "1000000", &shop));
    let short = ["account", "guardian", &guard, "--delay", "999ms"];
    desk.fails(&lost_key, &short, "delay_too_short");
    desk.done(&lost_key, &["account", "guardian", &guard, "--delay", "6s"]);
    let recover = ["account", "recover", &lost, "--owner", &found];
    desk.fails(old, &recover, "it is not the owner's");
    desk.done(guard_key, &recover);
    assert_eq!(desk.keys(&lost)["recovery"]["owner"], found.as_str());
    // He still has it, and learns of it.
    let history = desk.done(&lost_key, &["account", "history"]);
    assert_eq!(
        history["items"][0]["operations"],
        serde_json::json!(["recover"])
    );
    desk.done(&lost_key, &["account", "refuse-recovery"]);
    tokio::time::sleep(Duration::from_secs(7)).await;
    desk.fails(
        &found_key,
        &pay(&other, "5", &lost),
        "it is not the owner's",
    );

    desk.done(guard_key, &recover);
    desk.fails(
        &found_key,
        &pay(&other, "5", &lost),
        "it is not the owner's",
    );
    tokio::time::sleep(Duration::from_secs(7)).await;
    desk.fails(
        &lost_key,
        &["account", "refuse-recovery"],
        "it is not the owner's",
    );
    desk.done(&found_key, &pay(&other, "5", &lost));
    let keys = desk.keys(&lost);
    assert_eq!(
        (&keys["owner"], &keys["recovery"]),
        (&found.as_str().into(), &Value::Null)
    );
    desk.net.equal(&[0, 1, 2, 3]).await;
}
