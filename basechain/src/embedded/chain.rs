//! The chain: takes transactions, seals blocks when told the time, answers questions.

use super::block::{Block, Blocks, Mined};
use super::build::{Builder, genesis, open_header};
use super::config::{ChainConfig, ConfigError};
use super::evm::Caller;
use super::limits::{BLOCK_GAS_LIMIT, STATES_KEPT_MAX};
use super::pool::{Pool, Room};
use super::state::{State, View};
use super::transaction::{SubmitError, check, decode};
use alloy::consensus::TxEnvelope;
use alloy::consensus::transaction::Recovered;
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

/// All that is needed to seal a block again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub number: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// What the block's hash was: sealing again must give the same.
    pub hash: B256,
    /// Raw, in order.
    pub transactions: Vec<Bytes>,
}

/// A record that does not continue the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("record is of block {found}, the next block is {expected}")]
    Number { expected: u64, found: u64 },
    #[error("block {number}, transaction {place}: {reason}")]
    Transaction {
        number: u64,
        place: usize,
        reason: String,
    },
    #[error(
        "block {number} has hash {found}, its record says {expected}: another version wrote it, or the record was changed"
    )]
    Hash {
        number: u64,
        expected: B256,
        found: B256,
    },
}

/// A question about a block that the chain does not have, or no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PastError {
    #[error("block {number} is not there yet: the head is {head}")]
    Future { number: u64, head: u64 },
    #[error("block {number} is no longer kept: the oldest is {oldest}")]
    Block { number: u64, oldest: u64 },
    #[error("the state of block {number} is no longer kept: the oldest is that of {oldest}")]
    State { number: u64, oldest: u64 },
}

/// A reorganisation that would take back what is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the newest {depth} blocks cannot be taken away: block {finalized} is final, the head is {head}"
)]
pub struct RewindError {
    pub depth: u64,
    pub head: u64,
    pub finalized: u64,
}

/// A chain in memory; see the module's documentation.
#[derive(Debug, Clone)]
pub struct Chain {
    config: ChainConfig,
    state: State,
    blocks: Blocks,
    pool: Pool,
    /// What was final before a reorganisation: the depth alone would take that back.
    final_since: u64,
}

impl Chain {
    pub fn new(config: ChainConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let balances = config.balances.iter();
        let state = State::new(
            B256::from(config.digest()),
            balances.map(|(address, balance)| (Address::from(address), U256::from(*balance))),
        );
        let genesis = genesis(
            config.genesis_timestamp,
            config.randomness(0),
            state.digest(),
        );
        Ok(Self {
            blocks: Blocks::new(genesis),
            state,
            pool: Pool::default(),
            final_since: 0,
            config,
        })
    }

    pub fn config(&self) -> &ChainConfig {
        &self.config
    }

    /// Takes a signed transaction in its network encoding, and returns its hash. It waits until a
    /// block is sealed.
    pub fn submit(&mut self, raw: &[u8]) -> Result<B256, SubmitError> {
        let transaction = decode(raw, self.config.chain_id)?;
        check(&transaction, self.state.basics(transaction.signer()))?;
        let hash = *transaction.inner().tx_hash();
        self.pool
            .insert(transaction, self.head().header.timestamp)?;
        Ok(hash)
    }

    /// Whether a block sealed now would hold a transaction.
    pub fn has_ready(&self) -> bool {
        self.waits_only_for_room(self.next_base_fee())
    }

    /// Whether nothing is left to become final, and nothing waits but for a nonce before its own.
    pub fn is_settled(&self) -> bool {
        let finalized = self.finalized();
        let mut not_final = self
            .blocks
            .newest_first()
            .take_while(|block| block.number() > finalized);
        !self.waits_only_for_room(0) && not_final.all(|block| block.transactions.is_empty())
    }

    /// Whether a transaction waits that an empty block with this base fee could hold.
    fn waits_only_for_room(&self, base_fee: u64) -> bool {
        let room = Room {
            base_fee,
            gas: BLOCK_GAS_LIMIT,
        };
        self.pool.is_ready(|sender| self.next_nonce(sender), &room)
    }

    /// Seals a block with what waits. `now` is in seconds since the Unix epoch; a block's timestamp
    /// is never before its parent's.
    pub fn seal(&mut self, now: u64) -> Record {
        let header = self.open_header(now);
        let timestamp = header.timestamp;
        let mut builder = Builder::new(&mut self.state, &self.blocks, header, self.config.chain_id);
        loop {
            let room = Room {
                base_fee: builder.base_fee(),
                gas: builder.gas_left(),
            };
            let next = self.pool.take(|sender| builder.next_nonce(sender), &room);
            let Some(transaction) = next else { break };
            let hash = *transaction.inner().tx_hash();
            if let Err(reason) = builder.add(transaction) {
                tracing::debug!(%hash, %reason, "a waiting transaction is dropped");
            }
        }
        let block = builder.seal();
        let raw = |transaction: &Recovered<TxEnvelope>| transaction.inner().encoded_2718().into();
        let record = Record {
            number: block.number(),
            timestamp,
            hash: block.hash(),
            transactions: block
                .transactions
                .iter()
                .map(|m| raw(&m.transaction))
                .collect(),
        };
        self.blocks.push(block);
        let state = &self.state;
        self.pool.purge(
            |sender| state.basics(sender).map_or(0, |b| b.nonce),
            timestamp,
        );
        record
    }

    /// Seals a recorded block again.
    ///
    /// # Errors
    /// When the record does not give the block that it was made of. The chain is not to be used
    /// afterwards.
    pub fn replay(&mut self, record: &Record) -> Result<(), ReplayError> {
        let (found, expected) = (record.number, self.head().number() + 1);
        if found != expected {
            return Err(ReplayError::Number { expected, found });
        }
        let header = self.open_header(record.timestamp);
        let mut builder = Builder::new(&mut self.state, &self.blocks, header, self.config.chain_id);
        for (place, raw) in record.transactions.iter().enumerate() {
            let refused = |reason: String| ReplayError::Transaction {
                number: record.number,
                place,
                reason,
            };
            let transaction =
                decode(raw, self.config.chain_id).map_err(|e| refused(e.to_string()))?;
            builder
                .add(transaction)
                .map_err(|e| refused(e.to_string()))?;
        }
        let block = builder.seal();
        if block.hash() != record.hash {
            return Err(ReplayError::Hash {
                number: record.number,
                expected: record.hash,
                found: block.hash(),
            });
        }
        self.blocks.push(block);
        Ok(())
    }

    fn open_header(&self, now: u64) -> alloy::consensus::Header {
        let randomness = self.config.randomness(self.head().number() + 1);
        open_header(Some(self.head()), now, randomness)
    }

    pub fn head(&self) -> &Block {
        self.blocks.head()
    }

    /// Number of the newest final block.
    pub fn finalized(&self) -> u64 {
        let deep = self
            .head()
            .number()
            .saturating_sub(self.config.finality_depth);
        deep.max(self.final_since)
    }

    /// A reorganisation takes the newest `depth` blocks away, and everything that waits. Returns the
    /// transactions of those blocks, raw and in their order, for whoever submits them again.
    ///
    /// # Errors
    /// When one of them is final.
    pub fn rewind(&mut self, depth: u64) -> Result<Vec<Bytes>, RewindError> {
        let (head, finalized) = (self.head().number(), self.finalized());
        if depth > head - finalized {
            return Err(RewindError {
                depth,
                head,
                finalized,
            });
        }
        self.final_since = finalized;
        self.pool = Pool::default();
        let mut taken: Vec<Block> = (0..depth).filter_map(|_| self.blocks.pop()).collect();
        for block in &taken {
            self.state.revert(&block.undo);
        }
        self.state
            .reset_digest(self.head().header.inner().state_root);
        taken.reverse();
        let transactions = taken.iter().flat_map(|block| &block.transactions);
        let raw = |mined: &Mined| mined.transaction.inner().encoded_2718().into();
        Ok(transactions.map(raw).collect())
    }

    /// A transaction that waits is lost on its way to whoever seals blocks.
    pub fn forget(&mut self, transaction: &B256) {
        self.pool.remove(transaction);
    }

    /// Everything that waits is forgotten, as by a node that is restarted.
    pub fn forget_waiting(&mut self) {
        self.pool = Pool::default();
    }

    /// Number of the oldest block kept.
    pub fn oldest(&self) -> u64 {
        self.blocks.oldest()
    }

    pub fn block(&self, number: u64) -> Result<&Block, PastError> {
        let (head, oldest) = (self.head().number(), self.oldest());
        if number > head {
            return Err(PastError::Future { number, head });
        }
        self.blocks
            .get(number)
            .ok_or(PastError::Block { number, oldest })
    }

    pub fn number_of(&self, hash: &B256) -> Option<u64> {
        self.blocks.number_of(hash)
    }

    /// The block that holds a transaction, and its place there.
    pub fn find(&self, transaction: &B256) -> Option<(&Block, usize)> {
        self.blocks.find(transaction)
    }

    /// A transaction that waits.
    pub fn find_waiting(&self, transaction: &B256) -> Option<&Recovered<TxEnvelope>> {
        self.pool.find(transaction)
    }

    /// The base fee of the next block, in wei per gas.
    pub fn next_base_fee(&self) -> u64 {
        self.head().next_base_fee()
    }

    fn next_nonce(&self, account: Address) -> u64 {
        self.state.basics(account).map_or(0, |b| b.nonce)
    }

    /// The nonce after those that wait.
    pub fn pending_nonce(&self, account: Address) -> u64 {
        self.pool.nonce_after(account, self.next_nonce(account))
    }

    fn view(&self, number: u64) -> Result<View<'_>, PastError> {
        let head = self.block(number).map(|_| self.head().number())?;
        if number == head {
            return Ok(View::of_head(&self.state, &self.blocks));
        }
        let oldest = (head + 1)
            .saturating_sub(STATES_KEPT_MAX)
            .max(self.oldest());
        if number < oldest {
            return Err(PastError::State { number, oldest });
        }
        Ok(View::of_block(&self.state, &self.blocks, number))
    }

    /// In wei, after block `number`.
    pub fn balance(&self, account: Address, number: u64) -> Result<U256, PastError> {
        let basics = self.view(number)?.basics(account);
        Ok(basics.map_or(U256::ZERO, |b| b.balance))
    }

    /// The account's next nonce after block `number`.
    pub fn nonce(&self, account: Address, number: u64) -> Result<u64, PastError> {
        Ok(self.view(number)?.basics(account).map_or(0, |b| b.nonce))
    }

    /// Empty for an account without code.
    pub fn code(&self, account: Address, number: u64) -> Result<Bytes, PastError> {
        Ok(self.view(number)?.code(account).original_bytes())
    }

    pub fn storage(&self, account: Address, key: U256, number: u64) -> Result<U256, PastError> {
        Ok(self.view(number)?.slot(account, key))
    }

    /// Runs calls on the state after block `number`, as if in that block.
    pub fn caller(&self, number: u64) -> Result<Caller<'_>, PastError> {
        let (view, header) = (self.view(number)?, self.block(number)?.header.inner());
        Ok(Caller::new(view, header, self.config.chain_id))
    }

    /// Runs calls on the newest state, as if in a block that is sealed `now`: the newest block's time may be long past.
    pub fn pending_caller(&self, now: u64) -> Caller<'_> {
        let view = View::of_head(&self.state, &self.blocks);
        Caller::new(view, &self.open_header(now), self.config.chain_id)
    }
}
