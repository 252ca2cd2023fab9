//! What a testnet is set up with, for good: the same network starts again with the same settings.

use super::error::ClusterError;
use super::template::OwnTemplate;
use crate::ports::{INSTANCE_MAX, NODES_MAX, Ports};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use weft_basechain::Times;
use weft_types::Millis;

/// Version of the folder's contents.
pub const FORMAT: u32 = 1;

/// The base chain that a testnet posts its checkpoints to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// Our own small chain, with the BLS precompiles, in a process of its own.
    Embedded,
    /// Foundry's development node.
    Anvil,
    /// One that runs already, by its JSON-RPC.
    Url(String),
}

/// A text that names no base chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no base chain: embedded, anvil, or an http(s) URL of JSON-RPC")]
pub struct BaseError(String);

impl FromStr for Base {
    type Err = BaseError;

    fn from_str(text: &str) -> Result<Self, BaseError> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "anvil" => Ok(Self::Anvil),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Url(url.to_owned()))
            }
            _ => Err(BaseError(text.to_owned())),
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Anvil => f.write_str("anvil"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

impl Base {
    /// Whether the testnet starts and ends it.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Url(_))
    }
}

/// Contents of `settings.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub format: u32,
    pub instance: u16,
    pub nodes: u16,
    pub base: Base,
    /// D6: commits after two message delays, where at most so many per cent of the stake lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_delay: Option<u32>,
    /// E1: how long an epoch lasts, if not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Millis>,
    /// X1: how long without a checkpoint until the way out opens, if not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape_after: Option<Millis>,
    /// X4: how long a claim may be refuted, if not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape_window: Option<Millis>,
    /// What an app's own network is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<OwnTemplate>,
    /// Whether the folder is removed when the testnet ends.
    pub ephemeral: bool,
    pub ports: Ports,
}

impl Settings {
    /// Settings written by another version, or by hand.
    pub(super) fn check(&self, folder: &Path) -> Result<(), ClusterError> {
        let lists = [&self.ports.api, &self.ports.p2p];
        let reason = if self.format != FORMAT {
            format!(
                "it is of format {}, this program's is {FORMAT}",
                self.format
            )
        } else if lists.iter().any(|l| l.len() != usize::from(self.nodes)) {
            format!("its {} nodes have not as many ports", self.nodes)
        } else {
            return check_nodes(self.nodes);
        };
        Err(ClusterError::Settings {
            folder: folder.to_owned(),
            reason,
        })
    }

    /// What the contracts wait for, in whole seconds, one at least.
    pub fn times(&self, challenge_window_s: u64) -> Times {
        let usual = Times::testnet(challenge_window_s);
        let seconds = |asked: Option<Millis>, usual| {
            asked.map_or(usual, |time| time.0.div_ceil(1_000).max(1))
        };
        Times {
            escape_after_s: seconds(self.escape_after, usual.escape_after_s),
            escape_window_s: seconds(self.escape_window, usual.escape_window_s),
            ..usual
        }
    }

    /// Where the nodes find the base chain.
    pub fn base_rpc(&self) -> String {
        match (&self.base, self.ports.base) {
            (Base::Url(url), _) => url.clone(),
            (_, port) => format!("http://127.0.0.1:{}", port.unwrap_or_default()),
        }
    }

    /// Where a node's API answers.
    pub fn api(&self, node: usize) -> String {
        let port = self.ports.api.get(node).copied().unwrap_or_default();
        format!("http://127.0.0.1:{port}")
    }

    /// Where a node's network listens.
    pub fn p2p(&self, node: usize) -> String {
        let port = self.ports.p2p.get(node).copied().unwrap_or_default();
        format!("/ip4/127.0.0.1/tcp/{port}")
    }

    pub fn faucet(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.faucet)
    }

    /// The names of the nodes, which are also those of their folders and processes.
    pub fn node_names(&self) -> Vec<String> {
        (0..self.nodes).map(|i| format!("node-{i}")).collect()
    }
}

/// A number of nodes that this machine can be asked for.
pub fn check_nodes(nodes: u16) -> Result<(), ClusterError> {
    match nodes {
        1..=NODES_MAX => Ok(()),
        _ => Err(ClusterError::Nodes(nodes)),
    }
}

pub fn check_instance(instance: u16) -> Result<(), ClusterError> {
    match instance {
        0..=INSTANCE_MAX => Ok(()),
        _ => Err(ClusterError::Instance(instance)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_chains_have_names_and_urls() {
        for text in [
            "embedded",
            "anvil",
            "http://127.0.0.1:8545",
            "https://rpc.example/x",
        ] {
            assert_eq!(text.parse::<Base>().unwrap().to_string(), text);
        }
        let error = "ganache".parse::<Base>().unwrap_err().to_string();
        assert!(
            error.contains("ganache") && error.contains("embedded"),
            "{error}"
        );
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        for (error, range) in [
            (check_nodes(0).unwrap_err(), "1 to 64"),
            (check_nodes(65).unwrap_err(), "1 to 64"),
            (check_instance(21).unwrap_err(), "0 to 20"),
        ] {
            assert!(error.to_string().contains(range), "{error}");
        }
    }
}
