//! Why a node does not start, or has stopped, in words for whoever started it.

use super::checkpoints::Mismatch;
use crate::config::ConfigError;
use crate::keys::KeyError;
use crate::replica::restore::RestoreError;
use std::net::SocketAddr;
use std::path::PathBuf;
use weft_network::NetworkError;
use weft_storage::{GuardError, StoreError};
use weft_types::GenesisError;

/// Why a node does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("configuration: {0}")]
    Settings(String),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("base_key: {0}; without base_key this node leaves checkpoints to the others")]
    BaseKey(KeyError),
    #[error(
        "there is no genesis at {0}: put the network's there. A testnet has it in its folder, and every \
         node answers with it at /v1/genesis"
    )]
    NoGenesis(PathBuf),
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Genesis { path: PathBuf, source: GenesisError },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(
        "the finality key in {0} is not the one that the committee has for this node's vertex key: put the \
         one there that was registered with it"
    )]
    FinalityKey(PathBuf),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("stored data do not fit together: {0}")]
    Inconsistent(String),
    #[error("a state that was taken over cannot be put into {0}: {1}")]
    Exchange(PathBuf, std::io::Error),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("p2p_listen {address:?} is no multiaddress: {reason}")]
    Address { address: String, reason: String },
    #[error("cannot listen for the API on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the replica wanted to sign, but this node has no signing guard")]
    NoGuard,
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error("{0} ended unexpectedly")]
    Ended(&'static str),
}

impl DriverError {
    /// Whether arguments, configuration, files or ports do not fit, which the operator can change.
    pub fn is_wrong_use(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Settings(_)
            | Self::Key(_)
            | Self::BaseKey(_)
            | Self::NoGenesis(_)
            | Self::Read { .. }
            | Self::Genesis { .. }
            | Self::FinalityKey(_)
            | Self::Address { .. }
            | Self::Listen { .. }
            | Self::Mismatch(_) => true,
            Self::Store(error) => matches!(
                error,
                StoreError::Network { .. } | StoreError::Schema { .. } | StoreError::Locked { .. }
            ),
            Self::Guard(error) => {
                matches!(error, GuardError::Foreign { .. } | GuardError::Locked(_))
            }
            Self::Network(error) => matches!(
                error,
                NetworkError::Config { .. } | NetworkError::Listen { .. }
            ),
            _ => false,
        }
    }

    /// The address that the node cannot listen on, with the setting that names it and why.
    pub fn not_listening(&self) -> Option<(SocketAddr, &'static str, &std::io::Error)> {
        match self {
            Self::Listen { address, source } => Some((*address, "api_listen", source)),
            Self::Network(NetworkError::Listen { address, source }) => {
                Some((weft_network::socket(address)?, "p2p_listen", source))
            }
            _ => None,
        }
    }
}
