//! What can go wrong with the store, told apart by what the node has to do about it.

use std::path::PathBuf;
use weft_types::NetworkId;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("database {path}: cannot be opened: {reason}")]
    Open { path: PathBuf, reason: String },
    #[error("database {path}: in use by another process; stop it, or choose another data folder")]
    Locked { path: PathBuf },
    #[error(
        "database {path}: belongs to network {found}, not {expected}; choose another data folder"
    )]
    Network {
        path: PathBuf,
        expected: NetworkId,
        found: NetworkId,
    },
    #[error(
        "database {path}: has schema {found}, this program needs {expected}; choose another data folder, or \
         the program that made it"
    )]
    Schema {
        path: PathBuf,
        expected: u32,
        found: String,
    },
    /// Fatal: stop the node.
    #[error("write failed, nothing more is written: {0}")]
    Write(String),
    /// Fatal: an earlier write failed.
    #[error("write refused, because an earlier one failed: {0}")]
    Poisoned(String),
    #[error("read of {family} failed: {reason}")]
    Read {
        family: &'static str,
        reason: String,
    },
    #[error("{family} holds an entry that is damaged: {reason}")]
    Damaged {
        family: &'static str,
        reason: String,
    },
}

impl StoreError {
    /// Whether the node has to stop: what was acknowledged from here on might be lost.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Write(_) | Self::Poisoned(_))
    }
}
