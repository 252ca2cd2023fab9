//! The base chain as the tasks of this node share it: one connection, and one account that pays, whose transactions must not race
//! for nonces.

use super::checkpoints;
use crate::config::NodeConfig;
use crate::replica::posting::TURN;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use weft_basechain::{AccountKey, BaseChain, ClientError, Contracts, Endpoint};
use weft_types::Genesis;

/// Cheap to clone; clones share the connection.
#[derive(Clone)]
pub struct Base {
    rpc: Arc<str>,
    contracts: Contracts,
    /// Most that a unit of gas may cost, in wei.
    fee_max: u128,
    /// Pays; without it this node only watches.
    pub key: Option<AccountKey>,
    connected: Arc<Mutex<Option<BaseChain>>>,
}

impl Base {
    pub fn new(config: &NodeConfig, genesis: &Genesis, key: Option<AccountKey>) -> Self {
        Self {
            rpc: config.base_rpc.as_str().into(),
            contracts: checkpoints::contracts(genesis),
            fee_max: config.base_fee_max(),
            key,
            connected: Arc::default(),
        }
    }

    /// The connection, made if there is none. It also knows what the account has under way, so one on which something
    /// failed is kept.
    pub async fn chain(&self) -> Result<BaseChain, ClientError> {
        let mut connected = self.connected.lock().await;
        if let Some(chain) = &*connected {
            return Ok(chain.clone());
        }
        let endpoint = Endpoint::connect(&self.rpc).await?;
        let endpoint = endpoint
            .with_mined_time_max(Duration::from_millis(TURN.0))
            .with_fee_max(self.fee_max);
        let chain = BaseChain::new(endpoint, self.contracts).await?;
        *connected = Some(chain.clone());
        Ok(chain)
    }
}
