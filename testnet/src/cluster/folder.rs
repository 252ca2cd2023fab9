//! A testnet's folder. Only a folder with our settings file in it is ever changed, and only what we
//! put there is ever removed.
//!
//! ```text
//! settings.json     what the testnet was set up with; marks the folder as ours
//! genesis.json      fixes the network; written last, so without it the set-up was interrupted
//! testnet.json      what programs and people need: URLs, process ids, DEV accounts
//! processes.json    the processes that belong to it
//! accounts/         keys of the DEV accounts, the faucet and the load generator
//! base/             chain, keys of its operators, log
//! faucet/           log
//! node-0/ ...       weft.toml, keys, data and log of a masternode
//! ```

use super::error::ClusterError;
use super::settings::Settings;
use fs::{File, OpenOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const SETTINGS: &str = "settings.json";
const GENESIS: &str = "genesis.json";
const MANIFEST: &str = "testnet.json";
const PROCESSES: &str = "processes.json";
const LOCK: &str = "lock";
const ACCOUNTS: &str = "accounts";
const BASE: &str = "base";
const FAUCET: &str = "faucet";
const NODE: &str = "node-";

/// The folder of one testnet, by its absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// What a folder holds.
#[derive(Debug)]
pub enum Content {
    /// Nothing, or it is not there.
    Empty,
    /// A set-up that did not come to its end.
    Unfinished,
    Testnet(Box<Settings>),
}

/// Held while a command changes the testnet.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "locked as long as it is open")] File);

impl Folder {
    pub fn new(path: &Path) -> Result<Self, ClusterError> {
        let absolute = std::path::absolute(path).map_err(|e| ClusterError::io(path, e))?;
        Ok(Self(absolute))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn genesis(&self) -> PathBuf {
        self.0.join(GENESIS)
    }

    pub fn manifest(&self) -> PathBuf {
        self.0.join(MANIFEST)
    }

    pub(super) fn processes(&self) -> PathBuf {
        self.0.join(PROCESSES)
    }

    pub fn account_key(&self, name: &str) -> PathBuf {
        self.0.join(ACCOUNTS).join(format!("{name}.key"))
    }

    pub fn base(&self) -> PathBuf {
        self.0.join(BASE)
    }

    pub fn node(&self, node: usize) -> PathBuf {
        self.0.join(format!("{NODE}{node}"))
    }

    /// The log of a process, by the process' name.
    pub fn log(&self, process: &str) -> PathBuf {
        let file = process.split('-').next().unwrap_or(process);
        self.0.join(process).join(format!("{file}.log"))
    }

    /// What is there, unless it is somebody else's.
    pub fn content(&self) -> Result<Content, ClusterError> {
        let mut entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Empty),
            Err(error) => return Err(ClusterError::io(&self.0, error)),
        };
        if !self.0.join(SETTINGS).is_file() {
            let foreign = entries.any(|e| e.is_ok_and(|e| e.file_name() != LOCK));
            return match foreign {
                true => Err(ClusterError::Foreign(self.0.clone())),
                false => Ok(Content::Empty),
            };
        }
        if !self.genesis().is_file() {
            return Ok(Content::Unfinished);
        }
        let settings: Settings = self.read(&self.0.join(SETTINGS))?;
        settings.check(&self.0)?;
        Ok(Content::Testnet(Box::new(settings)))
    }

    /// The settings of the testnet that is there.
    pub fn settings(&self) -> Result<Settings, ClusterError> {
        match self.content()? {
            Content::Testnet(settings) => Ok(*settings),
            _ => Err(ClusterError::NoTestnet(self.0.clone())),
        }
    }

    pub(super) fn write_settings(&self, settings: &Settings) -> Result<(), ClusterError> {
        make_private(&self.0)?;
        self.write(&self.0.join(SETTINGS), settings)
    }

    /// Makes the folder if it is missing, and keeps other commands out of it.
    pub fn lock(&self) -> Result<Lock, ClusterError> {
        make_private(&self.0)?;
        let path = self.0.join(LOCK);
        let io = |e| ClusterError::io(&path, e);
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(fs::TryLockError::WouldBlock) => Err(ClusterError::Locked(self.0.clone())),
            Err(fs::TryLockError::Error(error)) => Err(io(error)),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<T, ClusterError> {
        let text = fs::read_to_string(path).map_err(|e| ClusterError::io(path, e))?;
        serde_json::from_str(&text).map_err(|e| ClusterError::Damaged {
            path: path.to_owned(),
            reason: e.to_string(),
        })
    }

    /// Replaces a file in one step, readable by its owner alone.
    pub(super) fn write<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), ClusterError> {
        let io = |e: io::Error| ClusterError::io(path, e);
        let mut text = serde_json::to_vec_pretty(value).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = file.open(&new).map_err(io)?;
        file.write_all(&text).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&new, path).map_err(io)
    }

    /// Removes what we put there, and the folder if nothing else is in it. Returns whether something
    /// else is.
    pub fn clear(&self, nodes: u16) -> Result<bool, ClusterError> {
        let folders = (0..nodes).map(|i| self.node(usize::from(i)));
        let others = [ACCOUNTS, BASE, FAUCET].map(|name| self.0.join(name));
        for folder in folders.chain(others) {
            gone(fs::remove_dir_all(&folder)).map_err(|e| ClusterError::io(&folder, e))?;
        }
        // The settings are last: until then the folder is known as ours.
        for name in [MANIFEST, PROCESSES, GENESIS, LOCK, SETTINGS] {
            let file = self.0.join(name);
            gone(fs::remove_file(&file)).map_err(|e| ClusterError::io(&file, e))?;
        }
        Ok(gone(fs::remove_dir(&self.0)).is_err())
    }
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Keys are in there.
pub(super) fn make_private(folder: &Path) -> Result<(), ClusterError> {
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.map_err(|e| ClusterError::io(folder, e))
}

#[cfg(test)]
mod tests;
