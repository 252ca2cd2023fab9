//! `testnet.json`: what programs need to know of a running testnet. The names of its fields are a
//! contract.

use super::error::ClusterError;
use super::folder::Folder;
use super::records::Records;
use super::settings::Settings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use weft_basechain::Contracts;
use weft_types::BaseAddress;

/// Contents of `testnet.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub nodes: Vec<NodeEntry>,
    pub base: BaseEntry,
    /// URL; `null` when it does not run.
    pub faucet: Option<String>,
    /// URL; `null` when it does not run.
    pub explorer: Option<String>,
    pub accounts: Vec<DevAccount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    pub name: String,
    /// URL of the API.
    pub api: String,
    /// libp2p multiaddress.
    pub p2p: String,
    /// `null` when it does not run.
    pub pid: Option<u32>,
    pub dir: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseEntry {
    /// URL of its JSON-RPC.
    pub rpc: String,
    /// Addresses in hexadecimal.
    pub contracts: Contracts,
    /// The contract of hash locks, which is no part of the network; absent in a folder that was set up without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_lock: Option<BaseAddress>,
}

/// An account with a balance, for development only: everybody on this machine may know its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevAccount {
    pub name: String,
    pub address: weft_types::Address,
    /// The Ed25519 seed in hexadecimal.
    pub key: String,
    pub key_file: PathBuf,
    /// Always true.
    pub dev_only: bool,
}

impl Manifest {
    pub fn read(folder: &Folder) -> Result<Self, ClusterError> {
        folder.read(&folder.manifest())
    }

    pub fn write(&self, folder: &Folder) -> Result<(), ClusterError> {
        folder.write(&folder.manifest(), self)
    }

    pub fn new(
        folder: &Folder,
        settings: &Settings,
        (contracts, hash_lock): (Contracts, BaseAddress),
        accounts: Vec<DevAccount>,
    ) -> Self {
        let names = settings.node_names().into_iter().enumerate();
        let node = |(i, name): (usize, String)| NodeEntry {
            name,
            api: settings.api(i),
            p2p: settings.p2p(i),
            pid: None,
            dir: folder.node(i),
        };
        Self {
            nodes: names.map(node).collect(),
            base: BaseEntry {
                rpc: settings.base_rpc(),
                contracts,
                hash_lock: Some(hash_lock),
            },
            faucet: None,
            explorer: None,
            accounts,
        }
    }

    /// Takes over which processes run.
    #[must_use]
    pub fn with(mut self, records: &Records, settings: &Settings) -> Self {
        for node in &mut self.nodes {
            node.pid = records.alive(&node.name).map(|id| id.pid);
        }
        let faucet = records.alive(super::FAUCET);
        self.faucet = faucet.map(|_| settings.faucet());
        self
    }
}
