//! Putting a network's contracts on a base chain.

use super::abi::{manager::CheckpointManager, registry::MasternodeRegistry};
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::key::AccountKey;
use super::send::Order;
use super::{BaseChain, Contracts};
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::sol_types::SolConstructor;
use weft_types::GenesisDigest;

/// What the deployer fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployParams {
    /// What every statement of the network names.
    pub network: GenesisDigest,
    /// Wei per unit of weight.
    pub bond_unit: u128,
    pub weight_min: u64,
    pub weight_max: u64,
    /// The accounts of the genesis committee, in the order of its ids from 1.
    pub operators: Vec<[u8; 20]>,
}

impl BaseChain {
    /// Deploys registry and manager, and connects to them.
    pub async fn deploy(
        endpoint: Endpoint,
        key: &AccountKey,
        params: &DeployParams,
    ) -> Result<Self, ClientError> {
        let what = "deploying the registry";
        let registry = create(&endpoint, key, what, registry_code(params)).await?;
        let what = "deploying the checkpoint manager";
        let code = manager_code(params.network, registry);
        let manager = create(&endpoint, key, what, code).await?;
        Self::new(endpoint, Contracts { registry, manager }).await
    }
}

/// What creates the registry.
pub(crate) fn registry_code(params: &DeployParams) -> Bytes {
    let operators = params.operators.iter();
    let constructor = MasternodeRegistry::constructorCall {
        bondUnit_: U256::from(params.bond_unit),
        weightMin_: params.weight_min,
        weightMax_: params.weight_max,
        genesisOperators: operators.map(Address::from).collect(),
    };
    with_arguments(&MasternodeRegistry::BYTECODE, &constructor)
}

/// What creates the checkpoint manager.
pub(crate) fn manager_code(network: GenesisDigest, registry: [u8; 20]) -> Bytes {
    let constructor = CheckpointManager::constructorCall {
        network_: B256::from(network.0),
        registry_: registry.into(),
    };
    with_arguments(&CheckpointManager::BYTECODE, &constructor)
}

fn with_arguments(code: &Bytes, constructor: &impl SolConstructor) -> Bytes {
    [code.as_ref(), &constructor.abi_encode()].concat().into()
}

async fn create(
    endpoint: &Endpoint,
    key: &AccountKey,
    what: &'static str,
    input: Bytes,
) -> Result<[u8; 20], ClientError> {
    let order = Order {
        what,
        to: TxKind::Create,
        value: 0,
        input,
    };
    let mined = endpoint.send(key, order).await?;
    let created = mined.created.map(Address::into_array);
    created.ok_or_else(|| ClientError::Malformed {
        url: endpoint.url().to_owned(),
        what,
        reason: "the receipt names no contract".to_owned(),
    })
}
