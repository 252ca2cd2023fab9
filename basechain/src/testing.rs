//! Base chains that are not ours, for tests.

use crate::client::offer::{Offer, sign};
use crate::{AccountKey, Order, Signed};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The chain id that anvil is started with.
pub const CHAIN_ID: u64 = 31_337;

/// A process that is killed when the test ends.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it answers.
    pub url: String,
}

impl Process {
    /// Starts a command and waits for the line on its standard output that names its address.
    ///
    /// # Panics
    /// When it does not start, or does not say it.
    pub fn start(mut command: Command, before_address: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let output = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(output).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once(before_address)?;
            Some(address.trim().to_owned())
        });
        // Somebody has to read on, or the process stops at a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = address.expect("the process says where it listens");
        Self {
            child,
            url: format!("http://{address}"),
        }
    }

    /// Without a chance to say goodbye.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts anvil on a free port; it mines a block for each transaction.
///
/// # Panics
/// When it is not there, or does not start.
pub fn anvil() -> Process {
    anvil_with(&[])
}

/// The same with more arguments.
///
/// # Panics
/// As [`anvil`].
pub fn anvil_with(arguments: &[&str]) -> Process {
    let path = anvil_path();
    assert!(
        path.is_file(),
        "anvil is not at {}: run scripts/anvil.sh, or set WEFT_ANVIL to its path",
        path.display()
    );
    let mut command = Command::new(path);
    command
        .args(["--host", "127.0.0.1", "--port", "0", "--hardfork", "prague"])
        .args([
            "--chain-id",
            &CHAIN_ID.to_string(),
            "--slots-in-an-epoch",
            "2",
        ])
        .args(arguments);
    Process::start(command, "Listening on ")
}

fn anvil_path() -> PathBuf {
    if let Some(path) = std::env::var_os("WEFT_ANVIL") {
        return path.into();
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    cache.join("weft/anvil/anvil")
}

/// A transfer that nobody has sent, signed by the key of these bytes.
///
/// # Panics
/// When the bytes are no key.
pub fn signed(secret: [u8; 32], chain_id: u64, nonce: u64, wei: u128) -> Signed {
    let key = AccountKey::from_bytes(&secret).expect("a key");
    let (fee, tip) = (2, 1);
    let sending = Offer { nonce, fee, tip };
    let order = Order::transfer([9; 20], wei);
    sign(&key, chain_id, &sending, 21_000, &order).expect("the key is here")
}
