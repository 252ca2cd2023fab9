//! What an account has signed for the base chain and not heard of since, in a file of the user's state folder.
//!
//! A transaction is written down whole, and synced, before a byte of it leaves. So a command that was ended, or whose
//! time was over, can be given again: it finds what it signed, and signs nothing anew. The file is locked while a command
//! sends for the account, and removed once it is known what came of the transaction. It holds no secret.
//!
//! One JSON object a line, all with one nonce: the later ones take the place of those before. A line that a crash cut
//! short was never sent, and is dropped.

use crate::failure::{Failure, Kind};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use weft_basechain::{SIGNED_BYTES_MAX, Signed};
use weft_types::{BaseAddress, NetworkId};

/// Version of the file's contents.
const FORMAT: u32 = 1;
/// How often one nonce is signed for.
pub const SIGNED_MAX: usize = 8;
/// Of the file, whose lines are hexadecimal digits for the most part.
const BYTES_MAX: u64 = (SIGNED_MAX * (2 * SIGNED_BYTES_MAX + 1_024)) as u64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    format: u32,
    /// In a word or two.
    what: String,
    /// For people, as is the nonce: both are in the bytes.
    hash: String,
    nonce: u64,
    #[serde(with = "hex::serde")]
    raw: Vec<u8>,
}

/// The file of an account at a network, locked as long as this lives.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    file: File,
    account: BaseAddress,
    chain_id: u64,
    signed: Vec<Signed>,
    /// What the last of them is, in a word or two.
    what: String,
}

impl Outbox {
    /// # Errors
    /// When another command sends for the account, or the file is of somebody else.
    pub fn open(network: NetworkId, chain_id: u64, account: BaseAddress) -> Result<Self, Failure> {
        let folder = folder()?;
        let network = network.to_string();
        let name = format!("{}-{account}.json", network.get(..16).unwrap_or(&network));
        Self::at(&folder, folder.join(name), chain_id, account)
    }

    /// In a folder that is named.
    pub(super) fn at(
        folder: &Path,
        path: PathBuf,
        chain_id: u64,
        account: BaseAddress,
    ) -> Result<Self, Failure> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.map_err(|error| unusable(folder, &error))?;
        let mut outbox = Self {
            file: locked(&path, account)?,
            path,
            account,
            chain_id,
            signed: Vec::new(),
            what: String::new(),
        };
        outbox.read()?;
        Ok(outbox)
    }

    fn read(&mut self) -> Result<(), Failure> {
        let named = |error: std::io::Error| unusable(&self.path, &error);
        let mut text = Vec::new();
        let read = (&self.file).take(BYTES_MAX + 1).read_to_end(&mut text);
        if read.map_err(named)? as u64 > BYTES_MAX {
            return Err(self.damaged(&format!("it has more than {BYTES_MAX} bytes")));
        }
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        for line in text[..whole].split_inclusive(|b| *b == b'\n') {
            let line: Line = serde_json::from_slice(line).map_err(|e| self.damaged(&e))?;
            let signed = Signed::decode(&line.raw).map_err(|e| self.damaged(&e))?;
            self.fits(line.format, &signed)?;
            self.signed.push(signed);
            self.what = line.what;
        }
        let named = |error: std::io::Error| unusable(&self.path, &error);
        self.file.set_len(whole as u64).map_err(named)?;
        self.file.seek(SeekFrom::End(0)).map_err(named)?;
        Ok(())
    }

    fn fits(&self, format: u32, signed: &Signed) -> Result<(), Failure> {
        let nonce = self.signed.first().map(Signed::nonce);
        let words = if format != FORMAT {
            format!("it is of format {format}, and this program reads {FORMAT}")
        } else if self.signed.len() == SIGNED_MAX {
            format!("it has more than {SIGNED_MAX} transactions")
        } else if (signed.account(), signed.chain_id()) != (self.account.0, self.chain_id) {
            "a transaction in it is another account's, or for another chain".to_owned()
        } else if nonce.is_some_and(|nonce| nonce != signed.nonce()) {
            "its transactions have several nonces".to_owned()
        } else {
            return Ok(());
        };
        Err(self.damaged(&words))
    }

    fn damaged(&self, reason: &dyn std::fmt::Display) -> Failure {
        Failure::usage(format_args!("{}: {reason}", self.path.display())).hint(
            "it holds what was signed and may have been sent: look at the account's transactions, and then remove it",
        )
    }

    /// What was signed, in its order.
    pub fn signed(&self) -> &[Signed] {
        &self.signed
    }

    pub fn what(&self) -> &str {
        &self.what
    }

    /// Writes down what is about to be sent. What has another nonce is given up.
    pub fn add(&mut self, what: &str, signed: Signed) -> Result<(), Failure> {
        if self.signed.first().map(Signed::nonce) != Some(signed.nonce()) {
            self.signed.clear();
            self.file
                .set_len(0)
                .and_then(|()| self.file.rewind())
                .map_err(|error| unusable(&self.path, &error))?;
        }
        if self.signed.len() == SIGNED_MAX {
            let words = format!("this was signed {SIGNED_MAX} times, and is in no block");
            return Err(Failure::new(Kind::Refused, words)
                .hint("nothing was sent; repeat the command without --again to wait for it"));
        }
        let line = Line {
            format: FORMAT,
            what: what.to_owned(),
            hash: shown(&signed.hash()),
            nonce: signed.nonce(),
            raw: signed.encoded(),
        };
        let mut text = serde_json::to_vec(&line).map_err(|error| self.damaged(&error))?;
        text.push(b'\n');
        let synced = |path: &Path| File::open(path).and_then(|folder| folder.sync_all());
        let written = self.file.write_all(&text);
        written
            .and_then(|()| self.file.sync_all())
            .and_then(|()| self.path.parent().map_or(Ok(()), synced))
            .map_err(|error| unusable(&self.path, &error).hint("nothing was sent"))?;
        self.signed.push(signed);
        what.clone_into(&mut self.what);
        Ok(())
    }

    /// What was signed is over.
    pub fn clear(&mut self) -> Result<(), Failure> {
        self.signed.clear();
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|error| unusable(&self.path, &error))
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if self.signed.is_empty() && self.file.metadata().is_ok_and(|file| file.len() == 0) {
            // Still locked: who waits for it finds that its file is not the one by that name any more.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A hash as base chains write it.
pub fn shown(hash: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(hash))
}

fn locked(path: &Path, account: BaseAddress) -> Result<File, Failure> {
    let named = |error: std::io::Error| unusable(path, &error);
    loop {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(path).map_err(named)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let words = format!("another command is sending for {account}");
                return Err(Failure::new(Kind::Refused, words)
                    .hint("nothing was sent; wait until that one has ended"));
            }
            Err(TryLockError::Error(error)) => return Err(named(error)),
        }
        // It may have been removed between both.
        let own = file.metadata().map_err(named)?.ino();
        if path.metadata().is_ok_and(|named| named.ino() == own) {
            return Ok(file);
        }
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format_args!("{}: {error}", path.display())).hint(
        "what is signed is written there before it is sent; XDG_STATE_HOME names another folder",
    )
}

/// `$XDG_STATE_HOME/weft/sent`, else `~/.local/state/weft/sent`.
fn folder() -> Result<PathBuf, Failure> {
    let absolute = |name| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME");
    let state = state.or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let state = state.ok_or_else(|| {
        Failure::usage("neither XDG_STATE_HOME nor HOME is the path of a folder")
            .hint("what is signed is written there before it is sent")
    })?;
    Ok(state.join("weft/sent"))
}

#[cfg(test)]
mod tests;
