//! The base chain as commands reach it.

use crate::failure::{Failure, Kind};
use crate::network::Network;
use std::path::PathBuf;
use weft_basechain::{AccountKey, BaseChain, ClientError, Contracts, Endpoint};
use weft_client::Client;

/// The base chain, and who pays there.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "The base chain")]
pub struct Base {
    /// URL of its JSON-RPC; without it that of the testnet in --dir
    #[arg(long, value_name = "URL")]
    base_rpc: Option<String>,
    /// File with the key (secp256k1, 64 hexadecimal digits) of the account there
    #[arg(long, value_name = "FILE")]
    base_key: PathBuf,
}

impl Base {
    /// Its contracts are those of the network's genesis.
    pub async fn connect(
        &self,
        network: &Network,
        client: &Client,
    ) -> Result<(BaseChain, AccountKey), Failure> {
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
    ) -> Result<(BaseChain, AccountKey), Failure> {
        let rpc = match &self.base_rpc {
            Some(rpc) => rpc.clone(),
            None => network.base_rpc()?,
        };
        let secret = weft_node::read_secret(&self.base_key).map_err(Failure::usage)?;
        let key = AccountKey::from_bytes(&secret).map_err(Failure::usage)?;
        let endpoint = Endpoint::connect(&rpc).await?;
        if endpoint.chain_id() != chain_id {
            let words = format!(
                "{rpc} is chain {}, and the network's base chain is {chain_id}",
                endpoint.chain_id()
            );
            return Err(Failure::usage(words));
        }
        Ok((BaseChain::new(endpoint, contracts).await?, key))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let kind = match &error {
            ClientError::Refused { .. } | ClientError::Answer { .. } => Kind::Refused,
            ClientError::Url { .. } | ClientError::NoContract { .. } => Kind::Usage,
            ClientError::OtherContract { .. } => Kind::Invalid,
            _ => Kind::Unreachable,
        };
        Self::new(kind, error)
    }
}
