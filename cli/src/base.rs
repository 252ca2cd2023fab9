//! The base chain as commands reach it.

mod account;
mod asking;
mod cost;
mod outbox;
mod payer;

pub use account::{Account, Base};
pub use asking::Asking;
pub use cost::{Cost, Sent};
pub use outbox::shown as hash_shown;
pub use payer::{Payer, Terms};

use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;
use weft_basechain::{BaseChain, ClientError, Contracts, Endpoint};
use weft_client::Client;

/// Longest time that a base chain is asked for what is only shown.
const SHOWN_MAX: Duration = Duration::from_secs(10);
/// And how much of it without a word.
const SILENT_MAX: Duration = Duration::from_secs(3);

/// Where the base chain is.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "The base chain")]
pub struct BaseUrl {
    /// URL of its JSON-RPC; without it that of the testnet in --dir
    #[arg(long, value_name = "URL")]
    base_rpc: Option<String>,
}

impl BaseUrl {
    pub fn is_named(&self) -> bool {
        self.base_rpc.is_some()
    }

    /// Where something says where it is; `None` where nodes are named by their URLs alone.
    async fn if_known(
        &self,
        network: &Network,
        client: &Client,
    ) -> Result<Option<BaseChain>, Failure> {
        if !self.is_named() && network.genesis_file().is_none() {
            return Ok(None);
        }
        self.chain(network, client).await.map(Some)
    }

    /// What is only shown of the base chain, for [`SHOWN_MAX`] at most; `None` where nothing says where it is.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when it does not answer in time: then the rest is shown without.
    pub async fn shown<T>(
        &self,
        (network, client): (&Network, &Client),
        output: &Output,
        ask: impl AsyncFnOnce(BaseChain) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut asked = pin!(async {
            match self.if_known(network, client).await? {
                Some(chain) => ask(chain).await.map(Some),
                None => Ok(None),
            }
        });
        if let Ok(answer) = timeout(SILENT_MAX, asked.as_mut()).await {
            return answer;
        }
        let seconds = SHOWN_MAX.as_secs();
        output.say(format_args!(
            "The base chain does not answer yet; waiting for it, {seconds} s at most."
        ));
        let answer = timeout(SHOWN_MAX - SILENT_MAX, asked).await;
        answer.unwrap_or_else(|_| {
            let words = format!("the base chain does not answer within {seconds} s");
            Err(Failure::new(Kind::Unreachable, words))
        })
    }

    /// Its contracts are those of the network's genesis.
    pub async fn chain(&self, network: &Network, client: &Client) -> Result<BaseChain, Failure> {
        let genesis = client.genesis().await?;
        let contracts = Contracts {
            registry: genesis.registry,
            manager: genesis.network.manager,
            vault: genesis.vault,
        };
        self.reach(network, genesis.network.chain_id, contracts)
            .await
    }

    /// The same where no node has to answer.
    pub async fn reach(
        &self,
        network: &Network,
        chain_id: u64,
        contracts: Contracts,
    ) -> Result<BaseChain, Failure> {
        of_network(self.endpoint(network).await?, (chain_id, contracts)).await
    }

    async fn endpoint(&self, network: &Network) -> Result<Endpoint, Failure> {
        let rpc = match &self.base_rpc {
            Some(rpc) => rpc.clone(),
            None => network.base_rpc()?,
        };
        Ok(Endpoint::connect(&rpc).await?)
    }

    /// The same, at a URL where none is given.
    #[must_use]
    pub fn or_url(&self, url: String) -> Self {
        Self {
            base_rpc: Some(self.base_rpc.clone().unwrap_or(url)),
        }
    }
}

/// The base chain of a network.
///
/// # Errors
/// [`Kind::Usage`] or [`Kind::Invalid`] when it is another network's.
async fn of_network(
    endpoint: Endpoint,
    (chain_id, contracts): (u64, Contracts),
) -> Result<BaseChain, Failure> {
    if endpoint.chain_id() != chain_id {
        let words = format!(
            "{} is chain {}, and the network's base chain is {chain_id}",
            endpoint.url(),
            endpoint.chain_id()
        );
        return Err(Failure::usage(words));
    }
    Ok(BaseChain::new(endpoint, contracts).await?)
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let kind = match &error {
            ClientError::Refused { .. }
            | ClientError::Answer { .. }
            | ClientError::Fee { .. }
            | ClientError::Outdated { .. }
            | ClientError::Replaced { .. }
            | ClientError::Signer { .. } => Kind::Refused,
            ClientError::Url { .. } | ClientError::NoContract { .. } => Kind::Usage,
            ClientError::OtherContract { .. } | ClientError::ForeignCode { .. } => Kind::Invalid,
            _ => Kind::Unreachable,
        };
        let failure = Self::new(kind, error);
        match kind {
            Kind::Unreachable => {
                failure.hint("does the base chain run? --base-rpc URL names another JSON-RPC of it")
            }
            _ => failure,
        }
    }
}
