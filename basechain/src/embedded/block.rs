//! Sealed blocks, and the newest of them in memory.

use super::limits::{BLOCKS_BYTES_MAX, BLOCKS_KEPT_MAX, STATES_KEPT_MAX};
use super::state::Undo;
use alloy::consensus::transaction::Recovered;
use alloy::consensus::{Header, ReceiptEnvelope, TxEnvelope};
use alloy::eips::eip1559::BaseFeeParams;
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, B256, Log, Sealed};
use revm::primitives::B256Map;
use std::collections::VecDeque;

/// A transaction in a block, with what came of it.
#[derive(Debug, Clone)]
pub struct Mined {
    pub transaction: Recovered<TxEnvelope>,
    pub receipt: ReceiptEnvelope<Log>,
    pub gas_used: u64,
    /// Wei per gas, base fee and tip together.
    pub effective_gas_price: u128,
    /// The contract that it created.
    pub created: Option<Address>,
    /// Number of logs before its first one in the block.
    pub first_log: usize,
}

impl Mined {
    fn bytes(&self) -> usize {
        let logs = self.receipt.logs().iter();
        let log_bytes =
            |log: &Log| size_of::<Log>() + 32 * log.topics().len() + log.data.data.len();
        size_of::<Self>()
            + self.transaction.inner().encode_2718_len()
            + logs.map(log_bytes).sum::<usize>()
    }
}

/// A sealed block.
#[derive(Debug, Clone)]
pub struct Block {
    pub header: Sealed<Header>,
    pub transactions: Vec<Mined>,
    /// What the transactions' writes replaced, in their order; dropped when the state before this
    /// block is no longer kept.
    pub(super) undo: Vec<Undo>,
}

impl Block {
    pub fn number(&self) -> u64 {
        self.header.inner().number
    }

    pub fn hash(&self) -> B256 {
        self.header.seal()
    }

    /// The base fee of the block after this one, in wei per gas (EIP-1559).
    pub fn next_base_fee(&self) -> u64 {
        let next = self.header.next_block_base_fee(BaseFeeParams::ethereum());
        next.unwrap_or_default()
    }

    /// Its place in memory, by estimate: without undo, which few blocks have.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.transactions.iter().map(Mined::bytes).sum::<usize>()
    }
}

/// The newest blocks without a gap; never empty.
#[derive(Debug, Clone)]
pub struct Blocks {
    kept: VecDeque<Block>,
    numbers: B256Map<u64>,
    /// Block and place of each transaction of the blocks kept.
    places: B256Map<(u64, usize)>,
    bytes: usize,
}

impl Blocks {
    pub fn new(genesis: Block) -> Self {
        let mut blocks = Self {
            kept: VecDeque::new(),
            numbers: B256Map::default(),
            places: B256Map::default(),
            bytes: 0,
        };
        blocks.push(genesis);
        blocks
    }

    /// # Panics
    /// Never: there is always a block.
    pub fn head(&self) -> &Block {
        self.kept.back().expect("the newest block is always kept")
    }

    /// Number of the oldest block kept.
    pub fn oldest(&self) -> u64 {
        self.kept.front().map_or(0, Block::number)
    }

    pub fn get(&self, number: u64) -> Option<&Block> {
        let place = number.checked_sub(self.oldest())?;
        self.kept.get(usize::try_from(place).ok()?)
    }

    pub fn number_of(&self, hash: &B256) -> Option<u64> {
        self.numbers.get(hash).copied()
    }

    /// The block that holds a transaction, and the transaction's place in it.
    pub fn find(&self, transaction: &B256) -> Option<(&Block, usize)> {
        let (number, place) = *self.places.get(transaction)?;
        Some((self.get(number)?, place))
    }

    pub fn newest_first(&self) -> impl Iterator<Item = &Block> {
        self.kept.iter().rev()
    }

    pub fn push(&mut self, block: Block) {
        let number = block.number();
        self.numbers.insert(block.hash(), number);
        for (place, mined) in block.transactions.iter().enumerate() {
            let hash = *mined.transaction.inner().tx_hash();
            self.places.insert(hash, (number, place));
        }
        self.bytes += block.bytes();
        self.kept.push_back(block);

        // The state before the block STATES_KEPT_MAX - 1 behind the head is the oldest not kept.
        let stale = number
            .checked_sub(STATES_KEPT_MAX - 1)
            .and_then(|n| n.checked_sub(self.oldest()));
        if let Some(block) = stale.and_then(|place| self.kept.get_mut(place as usize)) {
            block.undo = Vec::new();
        }
        while self.kept.len() > BLOCKS_KEPT_MAX
            || (self.bytes > BLOCKS_BYTES_MAX && self.kept.len() as u64 > STATES_KEPT_MAX)
        {
            self.forget_oldest();
        }
    }

    /// Takes the newest block away, but for the last one that is left.
    pub fn pop(&mut self) -> Option<Block> {
        if self.kept.len() < 2 {
            return None;
        }
        let block = self.kept.pop_back()?;
        self.forget(&block);
        Some(block)
    }

    fn forget_oldest(&mut self) {
        if let Some(block) = self.kept.pop_front() {
            self.forget(&block);
        }
    }

    fn forget(&mut self, block: &Block) {
        self.bytes = self.bytes.saturating_sub(block.bytes());
        self.numbers.remove(&block.hash());
        for mined in &block.transactions {
            self.places.remove(mined.transaction.inner().tx_hash());
        }
    }
}
