//! Why a testnet does not do what it was asked to. Each message says what, where, and what to do.

use crate::ports::{Busy, INSTANCE_MAX, NODES_MAX};
use crate::process::StopError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is damaged: {reason}; `weft testnet reset` removes it with the testnet's data")]
    Damaged { path: PathBuf, reason: String },
    #[error("{0} holds something that is no testnet: choose another folder with --dir")]
    Foreign(PathBuf),
    #[error("there is no testnet in {0}: start one with `weft testnet up --dir {0}`")]
    NoTestnet(PathBuf),
    #[error("another command is at work on {0}: wait until it is done")]
    Locked(PathBuf),
    #[error("the testnet in {folder} cannot be used: {reason}; `weft testnet reset` removes it")]
    Settings { folder: PathBuf, reason: String },
    #[error(
        "the testnet in {folder} was set up with {what} {is}, not {asked}: leave it out, choose \
         another --dir, or remove this testnet with `weft testnet reset`"
    )]
    Fixed {
        folder: PathBuf,
        what: &'static str,
        is: String,
        asked: String,
    },
    #[error("a testnet has 1 to {NODES_MAX} nodes, not {0}")]
    Nodes(u16),
    #[error("instances are 0 to {INSTANCE_MAX}, not {0}")]
    Instance(u16),
    #[error(
        "{}\nnothing was started: end that process, or take other ports with --instance N or \
         --any-ports (with a --dir of its own)",
        Lines(.0)
    )]
    Busy(Vec<Busy>),
    #[error("{path} is no template of a network: {reason}; `weft testnet template` prints one")]
    Template { path: PathBuf, reason: String },
    #[error("the testnet in {0} is not running: start it with `weft testnet up`")]
    NotRunning(PathBuf),
    #[error("there is no node {name:?}: the nodes are {known}")]
    NoNode { name: String, known: String },
    #[error("{name} {problem}")]
    Fault { name: String, problem: String },
    #[error("{name} ended while it was being waited for; the end of {log}:\n{tail}")]
    Died {
        name: String,
        log: PathBuf,
        tail: String,
    },
    #[error("{what} took longer than {seconds} s: {state}; the end of {log}:\n{tail}")]
    TimedOut {
        what: &'static str,
        seconds: u64,
        state: String,
        log: PathBuf,
        tail: String,
    },
    #[error("cannot start {name} ({program}): {source}")]
    Start {
        name: String,
        program: PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    Stop(#[from] StopError),
    #[error(transparent)]
    Key(#[from] weft_node::KeyError),
    #[error(transparent)]
    Genesis(#[from] weft_types::GenesisError),
    #[error("base chain: {0}")]
    Base(String),
    #[error("node: {0}")]
    Client(String),
}

impl ClusterError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

struct Lines<'a>(&'a [Busy]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, busy) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            busy.fmt(f)?;
        }
        Ok(())
    }
}
