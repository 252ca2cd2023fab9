//! Whether a statement is the network's, without believing the node that shows it: by its digest on the base chain, or by the
//! signatures of the genesis' committee.

use super::kept::Checked;
use crate::base::BaseUrl;
use crate::failure::{Failure, Kind};
use crate::network::{Network, read_genesis};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::sleep;
use weft_basechain::{BaseChain, Contracts, PostedAs};
use weft_client::Client;
use weft_types::{Certificate, Genesis, Statement};

/// How often a base chain is asked that does not have the checkpoint yet: its node may be a block behind the masternode's.
const LOOKS_MAX: u32 = 4;
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a check starts from.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "What proofs are checked against")]
pub struct Trusted {
    /// `genesis.json` of the network, from a source that you trust; without it that of the testnet in --dir
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    base: BaseUrl,
}

pub struct Checker {
    pub genesis: Genesis,
    /// Absent: there is none to ask.
    base: Option<(BaseUrl, Network)>,
}

impl Checker {
    pub fn of(trusted: &Trusted, network: &Network) -> Result<Self, Failure> {
        let genesis = match (&trusted.genesis, network.genesis_file()) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => path?,
            (None, None) => {
                let words = "nothing says which network this is but the node that shows the proofs";
                return Err(
                    Failure::usage(words).hint("name --genesis FILE, from a source that you trust")
                );
            }
        };
        let genesis = read_genesis(&genesis)?;
        genesis.validate().map_err(Failure::usage)?;
        let has_base = trusted.base.is_named() || network.genesis_file().is_some();
        Ok(Self {
            genesis,
            base: has_base.then(|| (trusted.base.clone(), network.clone())),
        })
    }

    /// The base chain, where there is one that answers.
    pub async fn chain(&self) -> Option<BaseChain> {
        let (base, network) = self.base.as_ref()?;
        self.reach(base, network).await.ok()
    }

    async fn reach(&self, base: &BaseUrl, network: &Network) -> Result<BaseChain, Failure> {
        let contracts = Contracts {
            registry: self.genesis.registry,
            manager: self.genesis.network.manager,
            vault: self.genesis.vault,
        };
        let chain_id = self.genesis.network.chain_id;
        base.reach(network, chain_id, contracts).await
    }

    /// # Errors
    /// When it is not the network's, or cannot be known to be.
    pub async fn check(&self, client: &Client, statement: &Statement) -> Result<Checked, Failure> {
        if statement.network != self.genesis.network {
            let words = "the node shows proofs of another network than the genesis'";
            return Err(Failure::new(Kind::Invalid, words));
        }
        let Some((base, network)) = &self.base else {
            return self.signed(client, statement).await;
        };
        match self.posted(base, network, statement).await {
            Ok(PostedAs::This(posted_at)) => Ok(Checked::BaseChain { posted_at }),
            Ok(PostedAs::Another) => {
                let height = statement.height;
                let words = format!(
                    "the node's statement for height {height} is not the one on the base chain"
                );
                Err(Failure::new(Kind::Invalid, words)
                    .hint("nothing was written; ask another node with --url"))
            }
            Ok(PostedAs::Nothing) => {
                let height = statement.height;
                let words = format!("height {height} is no checkpoint on the base chain yet");
                let missing = Failure::new(Kind::Refused, words).hint("try again in a while");
                self.signed_or(client, statement, missing).await
            }
            Err(failure) if failure.kind == Kind::Unreachable => {
                self.signed_or(client, statement, failure).await
            }
            Err(failure) => Err(failure),
        }
    }

    async fn posted(
        &self,
        base: &BaseUrl,
        network: &Network,
        statement: &Statement,
    ) -> Result<PostedAs, Failure> {
        let chain = self.reach(base, network).await?;
        for _ in 1..LOOKS_MAX {
            match chain.posted_as(statement).await? {
                PostedAs::Nothing => sleep(LOOK_INTERVAL).await,
                found => return Ok(found),
            }
        }
        Ok(chain.posted_as(statement).await?)
    }

    /// By the signatures, where the base chain has said nothing, for this reason.
    async fn signed_or(
        &self,
        client: &Client,
        statement: &Statement,
        reason: Failure,
    ) -> Result<Checked, Failure> {
        match self.signed(client, statement).await {
            Ok(checked) => Ok(checked),
            Err(failure) if failure.kind == Kind::Invalid => Err(failure),
            Err(_) => Err(reason),
        }
    }

    async fn signed(&self, client: &Client, statement: &Statement) -> Result<Checked, Failure> {
        let committee = self.genesis.committee().map_err(Failure::usage)?;
        let (height, epoch) = (statement.height, statement.epoch);
        if epoch != committee.epoch() {
            let words = format!(
                "checkpoint {height} is of epoch {epoch}, and the genesis names the committee of epoch {} alone",
                committee.epoch()
            );
            return Err(Failure::new(Kind::Refused, words).hint(
                "name a JSON-RPC of the base chain with --base-rpc: it has the checkpoint's digest",
            ));
        }
        let certificate = client.certificate(&height).await?;
        let invalid = |error: &dyn std::fmt::Display| {
            let words =
                format!("the node's certificate for height {height} does not hold: {error}");
            Failure::new(Kind::Invalid, words)
                .hint("nothing was written; ask another node with --url")
        };
        let certificate = Certificate::try_from(certificate).map_err(|e| invalid(&e))?;
        if certificate.statement != *statement {
            return Err(invalid(&"it is of another statement"));
        }
        let verified = certificate.verify(&self.genesis.network, &committee);
        verified.map_err(|e| invalid(&e))?;
        Ok(Checked::Certificate)
    }
}
