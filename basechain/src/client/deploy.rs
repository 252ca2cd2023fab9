//! Putting a network's contracts on a base chain.

use super::abi::{manager::CheckpointManager, registry::MasternodeRegistry, vault::Vault};
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::key::AccountKey;
use super::order::Order;
use super::send::Mined;
use super::{BaseChain, Contracts};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::sol_types::SolConstructor;
use weft_types::GenesisDigest;

/// Seconds that decide until when somebody is liable, and when the way out opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Between a checkpoint's posting and the first payout by it.
    pub challenge_window_s: u64,
    /// Between a member's last epoch and the payment of its bond. Longer than the challenge window.
    pub unbonding_s: u64,
    /// Without a final checkpoint, until anybody may open the way out.
    pub escape_after_s: u64,
    /// In which a claim on the way out may be refuted.
    pub escape_window_s: u64,
}

impl Times {
    /// A testnet's: a bond is free after ten minutes, or twice the window; the way out opens after a day.
    pub fn testnet(challenge_window_s: u64) -> Self {
        Self {
            challenge_window_s,
            unbonding_s: challenge_window_s.saturating_mul(2).max(600),
            escape_after_s: 86_400,
            escape_window_s: 3_600,
        }
    }
}

/// What the deployer fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployParams {
    /// What every statement of the network names.
    pub network: GenesisDigest,
    /// Wei per unit of weight.
    pub bond_unit: u128,
    pub weight_min: u64,
    pub weight_max: u64,
    pub times: Times,
    /// In wei, from the deployer: what the genesis has handed out, in whole gwei, so that it can be withdrawn.
    pub backing: u128,
    /// Who lists tokens in the vault; zero for nobody.
    pub curator: [u8; 20],
    /// The accounts of the genesis committee, in the order of its ids from 1.
    pub operators: Vec<[u8; 20]>,
}

impl BaseChain {
    /// Deploys registry, manager and vault, and connects to them.
    pub async fn deploy(
        endpoint: Endpoint,
        key: &AccountKey,
        params: &DeployParams,
    ) -> Result<Self, ClientError> {
        let what = "deploying the registry";
        // The registry names the manager, which is created next; should something else of this account come between,
        // then the manager refuses to be created.
        let manager = endpoint.created_after_next(key).await?;
        let registry = endpoint
            .create(key, what, 0, registry_code(params, manager).into())
            .await?;
        let what = "deploying the checkpoint manager";
        let code = manager_code(params, registry);
        let manager = endpoint.create(key, what, 0, code.into()).await?;
        let what = "deploying the vault";
        let code = vault_code(params, manager);
        let vault = endpoint
            .create(key, what, params.backing, code.into())
            .await?;
        let contracts = Contracts {
            registry,
            manager,
            vault,
        };
        Self::new(endpoint, contracts).await
    }
}

/// What creates the registry.
pub(crate) fn registry_code(params: &DeployParams, manager: [u8; 20]) -> Bytes {
    let operators = params.operators.iter();
    let constructor = MasternodeRegistry::constructorCall {
        manager_: manager.into(),
        bondUnit_: U256::from(params.bond_unit),
        weightMin_: params.weight_min,
        weightMax_: params.weight_max,
        unbonding_: params.times.unbonding_s,
        genesisOperators: operators.map(Address::from).collect(),
    };
    with_arguments(&MasternodeRegistry::BYTECODE, &constructor)
}

/// What creates the checkpoint manager.
pub(crate) fn manager_code(params: &DeployParams, registry: [u8; 20]) -> Bytes {
    let constructor = CheckpointManager::constructorCall {
        network_: B256::from(params.network.0),
        registry_: registry.into(),
        finalityDelay_: params.times.challenge_window_s,
    };
    with_arguments(&CheckpointManager::BYTECODE, &constructor)
}

/// What creates the vault.
pub(crate) fn vault_code(params: &DeployParams, manager: [u8; 20]) -> Bytes {
    let constructor = Vault::constructorCall {
        manager_: manager.into(),
        curator_: params.curator.into(),
        escapeAfter_: params.times.escape_after_s,
        escapeWindow_: params.times.escape_window_s,
    };
    with_arguments(&Vault::BYTECODE, &constructor)
}

fn with_arguments(code: &Bytes, constructor: &impl SolConstructor) -> Bytes {
    [code.as_ref(), &constructor.abi_encode()].concat().into()
}

/// Where an account creates a contract with this nonce.
pub(crate) fn created_at(account: Address, nonce: u64) -> [u8; 20] {
    account.create(nonce).into_array()
}

impl Endpoint {
    /// Where the contract will be that the account creates after its next transaction.
    async fn created_after_next(&self, key: &AccountKey) -> Result<[u8; 20], ClientError> {
        let next = self.nonce(key.account(), BlockId::pending()).await?;
        Ok(created_at(key.account(), next + 1))
    }

    /// Puts a contract on the chain: its creation code with the constructor's arguments. `value` in wei.
    pub async fn create(
        &self,
        key: &AccountKey,
        what: &'static str,
        value: u128,
        code: Vec<u8>,
    ) -> Result<[u8; 20], ClientError> {
        let order = Order {
            what,
            to: TxKind::Create,
            value,
            input: code.into(),
        };
        let mined = self.send(key, order).await?;
        mined.created().ok_or_else(|| ClientError::Malformed {
            url: self.url().to_owned(),
            what,
            reason: "the receipt names no contract".to_owned(),
        })
    }

    /// Calls any contract in a transaction. `value` in wei.
    pub async fn execute(
        &self,
        key: &AccountKey,
        what: &'static str,
        contract: [u8; 20],
        value: u128,
        input: Vec<u8>,
    ) -> Result<Mined, ClientError> {
        let order = Order {
            what,
            to: TxKind::Call(contract.into()),
            value,
            input: input.into(),
        };
        self.send(key, order).await
    }
}
