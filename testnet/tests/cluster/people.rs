//! People who have nothing but `weft`, a key and a folder for files. What they do blocks: each acts on a thread of his own.

use crate::common::{Net, program};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use weft_client::{Draft, Wait};
use weft_types::ed25519::SecretKey;
use weft_types::{Address, Amount, AssetId, Operation, Payment};

/// What each has to begin with, and more than all that one pays in fees here.
pub const PURSE: u64 = 10_000_000;
pub const FEES: u64 = 90_000;

const SIGKILL: i32 = 9;

pub struct Person {
    pub address: Address,
    network: PathBuf,
    folder: tempfile::TempDir,
}

/// A command that ended.
pub struct Ran {
    pub code: Option<i32>,
    pub said: String,
    pub words: String,
}

impl Ran {
    /// What it has printed, where it went well.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.words);
        serde_json::from_str(&self.said).unwrap()
    }
}

/// As many as are named by a number of their own, with a purse each.
pub async fn people<const N: usize>(net: &Net, numbers: [u8; N]) -> [Person; N] {
    let people = numbers.map(|n| Person::new(net, n));
    let payments = people.iter().map(|person| Payment {
        to: person.address,
        asset: AssetId::NATIVE,
        amount: Amount(PURSE),
    });
    let transfer = Operation::Transfer {
        payments: payments.collect(),
        items: vec![],
    };
    let client = net.client(&[0]);
    let draft = Draft::new(&client.genesis().await.unwrap());
    let purses = draft.sign(&net.dev_key(0), vec![transfer]);
    let status = client.submit(&purses, Wait::Certified).await.unwrap();
    assert_eq!(status.code_name.as_deref(), Some("applied"), "{status:?}");
    people
}

impl Person {
    fn new(net: &Net, n: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        weft_node::write_secret(&folder.path().join("wallet.key"), &[n; 32]).unwrap();
        Self {
            address: Address::of_key(&SecretKey::from_seed([n; 32]).public()),
            network: net.cluster.folder().path().to_owned(),
            folder,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `weft --json ...`, which knows of no network and no key but by its arguments.
    pub fn alone(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program().path);
        command.arg("--json").args(arguments);
        command.current_dir(self.folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The same at the testnet.
    pub fn asking(&self, arguments: &[&str]) -> Command {
        let mut command = self.alone(arguments);
        command.arg("--dir").arg(&self.network);
        command
    }

    /// The same with this person's key.
    pub fn signing(&self, arguments: &[&str]) -> Command {
        let mut command = self.asking(arguments);
        command.args(["--key", "wallet.key"]);
        command
    }

    pub fn ask(&self, arguments: &[&str]) -> Value {
        ran(&mut self.asking(arguments)).json()
    }

    pub fn sign(&self, arguments: &[&str]) -> Value {
        ran(&mut self.signing(arguments)).json()
    }

    /// Writes a file of what was printed.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// In the native asset.
    pub fn balance(&self) -> u64 {
        let account = self.ask(&["account", "show", &self.address.to_string()]);
        let balances = account["balances"].as_array().unwrap();
        let native = AssetId::NATIVE.to_string();
        let found = balances.iter().find(|b| b["asset"] == native);
        found.map_or(0, |b| b["amount"].as_u64().unwrap())
    }
}

pub fn ran(command: &mut Command) -> Ran {
    ended(command.spawn().unwrap())
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        said: String::from_utf8(output.stdout).unwrap(),
        words: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `kill -9` once something holds; whether it was at work still.
pub fn killed(command: &mut Command, mut once: impl FnMut() -> bool) -> bool {
    let mut child = command.spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
        if once() {
            child.kill().unwrap();
            break;
        }
    }
    child.wait().unwrap().signal() == Some(SIGKILL)
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
