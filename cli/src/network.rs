//! Where the network is: the nodes named by `--url`, else those of the testnet in a folder.

use crate::failure::{Failure, Kind};
use crate::testnet::Place;
use std::path::{Path, PathBuf};
use weft_client::{Client, ClientError, Options};
use weft_testnet::cluster::Manifest;
use weft_types::{BaseAddress, Genesis};

#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Where the network is")]
pub struct Network {
    /// URL of a node; repeat it to have others asked when one does not answer
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    #[command(flatten)]
    testnet: Place,
}

impl Network {
    pub fn client(&self) -> Result<Client, Failure> {
        self.client_with(Options::default())
    }

    pub fn client_with(&self, options: Options) -> Result<Client, Failure> {
        let urls = match self.url.is_empty() {
            false => self.url.clone(),
            true => self.manifest()?.nodes.into_iter().map(|n| n.api).collect(),
        };
        Ok(Client::with_options(urls, options)?)
    }

    /// Whether nothing says where it is.
    pub fn is_unnamed(&self) -> bool {
        self.url.is_empty() && self.testnet.is_unnamed()
    }

    /// Whether it is a testnet's folder that is named, and no node.
    pub fn is_testnet(&self) -> bool {
        self.url.is_empty() && !self.testnet.is_unnamed()
    }

    /// The same, of one node by its URL where nothing says where it is.
    #[must_use]
    pub fn or_node(&self, url: String) -> Self {
        let mut network = self.clone();
        if network.is_unnamed() {
            network.url.push(url);
        }
        network
    }

    /// The URL of the testnet's base chain.
    pub fn base_rpc(&self) -> Result<String, Failure> {
        Ok(self.manifest()?.base.rpc)
    }

    /// The contract of hash locks that was put on the testnet's base chain when it was set up.
    pub fn hash_lock(&self) -> Result<BaseAddress, Failure> {
        let unnamed = |words: &str| {
            Failure::usage(words).hint(
                "name one with --contract ADDRESS; `weft swap deploy` puts one on the base chain",
            )
        };
        if self.genesis_file().is_none() {
            return Err(unnamed("no contract of hash locks is named"));
        }
        let known = self.manifest()?.base.hash_lock;
        known.ok_or_else(|| unnamed("the testnet was set up without a contract of hash locks"))
    }

    /// The testnet's `genesis.json`; `None` where nodes are named by their URLs alone.
    pub fn genesis_file(&self) -> Option<Result<PathBuf, Failure>> {
        let is_testnet = self.url.is_empty() || !self.testnet.is_unnamed();
        is_testnet.then(|| Ok(self.testnet.folder()?.genesis()))
    }

    /// The testnet's faucet.
    pub fn faucet(&self) -> Result<String, Failure> {
        let faucet = self.manifest()?.faucet;
        faucet.ok_or_else(|| {
            Failure::usage("the testnet's faucet does not run")
                .hint("name one with --faucet URL, or have somebody transfer to the account")
        })
    }

    fn manifest(&self) -> Result<Manifest, Failure> {
        let manifest = Manifest::read(&self.testnet.folder()?);
        manifest.map_err(|error| {
            Failure::usage(error).hint(
                "name a node with --url URL, or a testnet with --dir FOLDER; `weft testnet up` starts one",
            )
        })
    }
}

/// Reads a `genesis.json`.
pub fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let named =
        |error: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| named(&e))?;
    Genesis::from_json(&text).map_err(|e| named(&e))
}

/// Whether nodes are of the network of a genesis.
pub async fn same_network(client: &Client, genesis: &Genesis) -> Result<(), Failure> {
    match client.genesis().await?.network.id() == genesis.network.id() {
        true => Ok(()),
        false => Err(Failure::usage(
            "the node is of another network than the genesis",
        )),
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NoNodes | ClientError::Url { .. } => {
                Self::usage(error).hint("a node's URL looks like http://127.0.0.1:7700")
            }
            ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => {
                Self::new(Kind::Unreachable, error)
                    .hint("see `weft testnet status`, or name another node with --url")
            }
            ClientError::Problem { node, problem, .. } => {
                let words = format!("{node}: {problem} ({})", problem.code);
                Self::new(Kind::Refused, words).hint(&problem.hint)
            }
            ClientError::Status { .. }
            | ClientError::Malformed { .. }
            | ClientError::TooLong { .. } => {
                Self::new(Kind::Failed, error).hint("is that the URL of a node of this version?")
            }
        }
    }
}
