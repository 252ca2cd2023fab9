//! The one client for every base chain: the embedded one, anvil, any RPC URL.
//!
//! Every call has a time limit. What is safe to repeat is repeated when the connection fails: all
//! reads, and sending the same signed transaction, which has one outcome however often it arrives.
//! What a contract refuses comes back decoded, with its figures.

pub(crate) mod abi;
#[cfg(feature = "testing")]
mod anvil;
mod bidding;
pub(crate) mod bonds;
pub(crate) mod checkpoints;
mod counting;
pub(crate) mod deploy;
mod endpoint;
mod error;
mod escape;
mod feed;
mod hash_lock;
mod history;
mod judging;
mod key;
pub(crate) mod offer;
pub(crate) mod order;
mod payouts;
mod quote;
mod refusal;
pub(crate) mod registry;
pub(crate) mod send;
mod signed;
mod signer;
pub(crate) mod vault;

pub use bonds::{MemberState, MemberStatus};
pub use checkpoints::{Checkpoint, Posted, SubmitOutcome};
pub use counting::{Counting, NewestCounting, PostedAs};
pub use deploy::{DeployParams, Times};
pub use endpoint::{At, BlockRef, Endpoint, MINED_TIME_MAX};
pub use error::ClientError;
pub use escape::{CLAIM_STAKE, ClaimState, LOG_BLOCKS_MAX, Latch, ProvenPlace};
pub use feed::{Deposited, Placed, Queued};
pub use hash_lock::{HashLocked, HashLocks, LockId, LockState, LockTerms};
pub use history::{BondChange, BondEvent, HISTORY_BLOCKS_MAX};
pub use judging::Offender;
pub use key::{AccountKey, KeyError};
pub use order::Order;
pub use payouts::Payout;
pub use quote::{Quote, RegistryCall};
pub use refusal::Refusal;
pub use registry::{Registered, Registration};
pub use send::Mined;
pub use signed::{SIGNED_BYTES_MAX, Signed};
pub use signer::Signer;
pub use vault::{Claim, NATIVE_UNIT};

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

/// Where a network's contracts are on the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    #[serde(with = "hex::serde")]
    pub registry: [u8; 20],
    #[serde(with = "hex::serde")]
    pub manager: [u8; 20],
    #[serde(with = "hex::serde")]
    pub vault: [u8; 20],
}

/// A network's contracts on a base chain.
#[derive(Debug, Clone)]
pub struct BaseChain {
    endpoint: Endpoint,
    contracts: Contracts,
}

impl BaseChain {
    /// Connects, and checks that the contracts are there and belong together.
    pub async fn connect(rpc_url: &str, contracts: Contracts) -> Result<Self, ClientError> {
        Self::new(Endpoint::connect(rpc_url).await?, contracts).await
    }

    /// The same on an endpoint that is connected.
    pub async fn new(endpoint: Endpoint, contracts: Contracts) -> Result<Self, ClientError> {
        let all = [contracts.registry, contracts.manager, contracts.vault];
        for address in all.map(Address::from) {
            if endpoint.code(address).await?.is_empty() {
                let url = endpoint.url().to_owned();
                return Err(ClientError::NoContract { url, address });
            }
        }
        let call = abi::manager::CheckpointManager::registryCall {};
        let what = "registry of the manager";
        let found = endpoint.read(what, contracts.manager, call, At::Latest);
        belongs(what, contracts.registry, found.await?)?;
        let call = abi::vault::Vault::managerCall {};
        let what = "manager of the vault";
        let found = endpoint.read(what, contracts.vault, call, At::Latest);
        belongs(what, contracts.manager, found.await?)?;
        Ok(Self {
            endpoint,
            contracts,
        })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub fn contracts(&self) -> Contracts {
        self.contracts
    }
}

fn belongs(what: &'static str, expected: [u8; 20], found: Address) -> Result<(), ClientError> {
    let expected = Address::from(expected);
    if found == expected {
        return Ok(());
    }
    Err(ClientError::OtherContract {
        what,
        expected,
        found,
    })
}
