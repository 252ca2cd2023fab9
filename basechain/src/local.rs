//! The embedded chain with a network's contracts on it, called without a connection: for simulations. Calls
//! are encoded, signed and outbid by the client's own code; what a node would answer is read from the chain.

use crate::client::abi::{manager, registry::MasternodeRegistry as Registry};
use crate::client::bonds::queued;
use crate::client::checkpoints::{newer, posted, submit_input};
use crate::client::deploy::{created_at, manager_code, registry_code, vault_code};
use crate::client::offer::{Offer, sign};
use crate::client::order::Order;
use crate::client::registry::register_input;
use crate::embedded::{Call, CallError, Chain, ChainConfig, ConfigError, RewindError, SubmitError};
use crate::{AccountKey, At, Checkpoint, Contracts, DeployParams, Queued, Refusal, Registration};

use alloy::primitives::{Address, B256, Bytes, TxKind};
use alloy::sol_types::{SolCall, SolEvent as _};
use std::collections::BTreeMap;
use weft_types::{CommitteeDigest, Height, Statement};

/// Gas that a transaction may use: creating a contract, or a checkpoint that closes an epoch of the largest
/// committee with as much as an edge applies.
const GAS_LIMIT: u64 = 16_000_000;
/// Wei per gas beside the base fee.
const TIP: u128 = 1_000_000;

/// Why a local chain was not set up, or did not take something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("{what} is refused: {reason}")]
    Refused { what: &'static str, reason: String },
}

/// A certificate as the contract takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub statement: Statement,
    pub bitmap: bytes::Bytes,
    /// In EIP-2537's encoding.
    pub signature: Vec<u8>,
}

/// What a call of the contract would do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// The height is not above the newest.
    Superseded(Height),
    Refused(Refusal),
}

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Included {
    pub block: u64,
    pub gas_used: u64,
    /// Whether it did not revert.
    pub success: bool,
}

/// A chain, its contracts, and what each account has under way.
#[derive(Debug, Clone)]
pub struct LocalChain {
    chain: Chain,
    contracts: Contracts,
    unmined: BTreeMap<[u8; 20], Offer>,
}

impl LocalChain {
    /// A chain on which the operators named have registered, with blocks sealed as needed, all at its genesis
    /// time. The first operator deploys.
    pub fn enrolled(
        config: ChainConfig,
        params: &DeployParams,
        members: &[(AccountKey, Registration)],
    ) -> Result<Self, LocalError> {
        let chain = Chain::new(config)?;
        let nowhere = Contracts {
            registry: [0; 20],
            manager: [0; 20],
            vault: [0; 20],
        };
        let mut local = Self {
            chain,
            contracts: nowhere,
            unmined: BTreeMap::new(),
        };
        let Some((deployer, _)) = members.first() else {
            return Err(refused("a committee", "it has no members"));
        };
        let next = local.chain.pending_nonce(deployer.account()) + 1;
        let manager = created_at(deployer.account(), next);
        local.contracts.registry = local.create(deployer, 0, registry_code(params, manager))?;
        let code = manager_code(params, local.contracts.registry);
        local.contracts.manager = local.create(deployer, 0, code)?;
        let code = vault_code(params, local.contracts.manager);
        local.contracts.vault = local.create(deployer, params.backing, code)?;
        let mut sent = Vec::new();
        for (operator, registration) in members {
            sent.push(local.bond(operator, registration)?);
        }
        while local.chain.has_ready() {
            local.seal(0);
        }
        if sent
            .iter()
            .all(|s| local.included(s).is_some_and(|i| i.success))
        {
            return Ok(local);
        }
        Err(refused("a registration", "the registry does not take it"))
    }

    /// Hands an operator's registration to the chain; returns the transaction's hash.
    pub fn bond(
        &mut self,
        operator: &AccountKey,
        registration: &Registration,
    ) -> Result<[u8; 32], LocalError> {
        let (chain_id, registry) = (self.chain.config().chain_id, self.contracts.registry);
        let input = register_input(chain_id, registry, operator, registration);
        self.call_registry(operator, "registration", registration.bond, input)
    }

    /// The same of more bond, in wei.
    pub fn top_up(&mut self, operator: &AccountKey, wei: u128) -> Result<[u8; 32], LocalError> {
        let input = Registry::topUpCall {}.abi_encode().into();
        self.call_registry(operator, "top-up", wei, input)
    }

    /// The same of an operator's wish to leave.
    pub fn request_exit(&mut self, operator: &AccountKey) -> Result<[u8; 32], LocalError> {
        let input = Registry::requestExitCall {}.abi_encode().into();
        self.call_registry(operator, "exit", 0, input)
    }

    fn call_registry(
        &mut self,
        operator: &AccountKey,
        what: &'static str,
        value: u128,
        input: Bytes,
    ) -> Result<[u8; 32], LocalError> {
        let order = Order {
            what,
            to: TxKind::Call(self.contracts.registry.into()),
            value,
            input,
        };
        self.send(operator, order)
    }

    /// The entries of the registry's queue in some blocks, in their order; see [`crate::BaseChain::queued_between`].
    pub fn queued_between(&self, from: u64, to: u64) -> Vec<Queued> {
        let registry = Address::from(self.contracts.registry);
        let mut entries = Vec::new();
        for number in from..=to {
            let Ok(block) = self.chain.block(number) else {
                continue;
            };
            let logs = block.transactions.iter().flat_map(|m| m.receipt.logs());
            for log in logs.filter(|log| log.address == registry) {
                let event = Registry::Queued::decode_log(log).ok();
                entries.extend(event.and_then(|event| queued(&event, number).ok()));
            }
        }
        entries
    }

    fn create(
        &mut self,
        key: &AccountKey,
        value: u128,
        input: Bytes,
    ) -> Result<[u8; 20], LocalError> {
        let order = Order {
            what: "contract",
            to: TxKind::Create,
            value,
            input,
        };
        let hash = self.send(key, order)?;
        self.seal(0);
        let (block, place) = self
            .chain
            .find(&B256::from(hash))
            .ok_or_else(|| refused("a contract", "it is in no block"))?;
        let created = block.transactions[place].created;
        let created = created.ok_or_else(|| refused("a contract", "it is not created"))?;
        Ok(created.into_array())
    }

    pub fn contracts(&self) -> Contracts {
        self.contracts
    }

    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Seals a block with what waits. `now` is in seconds since the Unix epoch.
    pub fn seal(&mut self, now: u64) -> u64 {
        self.chain.seal(now).number
    }

    /// What the contract would say to a posting in the next block.
    pub fn judge(&self, posting: &Posting) -> Result<Verdict, LocalError> {
        let input = submit_input(&posting.statement, &posting.bitmap, &posting.signature);
        let call = Call {
            to: TxKind::Call(self.contracts.manager.into()),
            gas: Some(GAS_LIMIT),
            input,
            ..Call::default()
        };
        let head = self.chain.head().number();
        let caller = self.chain.caller(head);
        match caller.map_err(|e| refused("a call", e))?.call(&call) {
            Ok(_) => Ok(Verdict::Accepted),
            Err(CallError::Reverted(data)) => {
                let refusal = Refusal::decode(&data);
                Ok(match newer(&refusal) {
                    Some(latest) => Verdict::Superseded(latest),
                    None => Verdict::Refused(refusal),
                })
            }
            Err(error) => Err(refused("a call", error)),
        }
    }

    /// Signs a posting and hands it to the chain; returns the transaction's hash. What the account still has
    /// under way is outbid.
    pub fn submit(&mut self, key: &AccountKey, posting: &Posting) -> Result<[u8; 32], LocalError> {
        let input = submit_input(&posting.statement, &posting.bitmap, &posting.signature);
        let order = Order {
            what: "checkpoint",
            to: TxKind::Call(self.contracts.manager.into()),
            value: 0,
            input,
        };
        self.send(key, order)
    }

    fn send(&mut self, key: &AccountKey, order: Order) -> Result<[u8; 32], LocalError> {
        let what = order.what;
        let account = key.account();
        let mut sending = Offer {
            nonce: self.chain.pending_nonce(account),
            fee: u128::from(self.chain.next_base_fee()) * 2 + TIP,
            tip: TIP,
        };
        if let Some(stuck) = self.unmined.get(&key.address()) {
            let head = self.chain.head().number();
            let next = self.chain.nonce(account, head);
            sending = sending.outbidding(stuck, next.map_err(|e| refused(what, e))?);
        }
        let chain_id = self.chain.config().chain_id;
        let signed = sign(key, chain_id, &sending, GAS_LIMIT, &order);
        let signed = signed.map_err(|e| refused(what, e))?;
        let hash = self.chain.submit(&signed.encoded())?;
        self.unmined.insert(key.address(), sending);
        Ok(hash.0)
    }

    /// Where a transaction is, once it is in a block.
    pub fn included(&self, hash: &[u8; 32]) -> Option<Included> {
        let (block, place) = self.chain.find(&B256::from(hash))?;
        let mined = &block.transactions[place];
        Some(Included {
            block: block.number(),
            gas_used: mined.gas_used,
            success: mined.receipt.status(),
        })
    }

    /// The transactions of a block, by their hashes.
    pub fn block(&self, number: u64) -> Vec<([u8; 32], Included)> {
        let Ok(block) = self.chain.block(number) else {
            return Vec::new();
        };
        let hashes = block.transactions.iter().map(|m| m.transaction.inner());
        let hashes = hashes.map(|transaction| transaction.tx_hash().0);
        hashes
            .filter_map(|hash| Some((hash, self.included(&hash)?)))
            .collect()
    }

    /// The newest checkpoint; see [`crate::BaseChain::latest_checkpoint`].
    pub fn latest_checkpoint(&self, at: At) -> Option<Checkpoint> {
        let number = match at {
            At::Latest => self.chain.head().number(),
            At::Finalized => self.chain.finalized(),
            At::Block(number) => number,
        };
        let call = manager::CheckpointManager::latestCall {};
        let latest = self.read(self.contracts.manager, call, number)?;
        let block = self.chain.block(latest.baseBlock).ok()?;
        let mined = block.transactions.iter();
        let logs = mined.flat_map(|mined| mined.receipt.logs());
        let manager = Address::from(self.contracts.manager);
        let mut logs = logs.filter(|log| log.address == manager);
        logs.find_map(|log| posted(log, latest.height, latest.baseBlock))
    }

    /// C1: the digest that the registry has computed of its committee.
    pub fn committee_digest(&self) -> Option<CommitteeDigest> {
        let head = self.chain.head().number();
        let read = self.read(self.contracts.registry, Registry::committeeCall {}, head)?;
        Some(CommitteeDigest(read.digest.0))
    }

    /// `None` where there is no contract yet.
    fn read<C: SolCall>(&self, contract: [u8; 20], call: C, number: u64) -> Option<C::Return> {
        let call = Call {
            to: TxKind::Call(Address::from(contract)),
            input: call.abi_encode().into(),
            ..Call::default()
        };
        let output = self.chain.caller(number).ok()?.call(&call).ok()?;
        C::abi_decode_returns(&output).ok()
    }

    /// A reorganisation; see [`Chain::rewind`]. Returns the transactions that are in no block any more, raw.
    pub fn rewind(&mut self, depth: u64) -> Result<Vec<Bytes>, RewindError> {
        self.chain.rewind(depth)
    }

    /// Hands a raw transaction to the chain again; one that does not fit any more is dropped.
    pub fn submit_again(&mut self, raw: &[u8]) {
        let _ = self.chain.submit(raw);
    }

    /// See [`Chain::forget`].
    pub fn forget(&mut self, hash: &[u8; 32]) {
        self.chain.forget(&B256::from(hash));
    }

    /// See [`Chain::forget_waiting`].
    pub fn forget_waiting(&mut self) {
        self.chain.forget_waiting();
    }
}

fn refused(what: &'static str, reason: impl std::fmt::Display) -> LocalError {
    LocalError::Refused {
        what,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests;
