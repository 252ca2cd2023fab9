//! Building a block: transactions executed one after the other on the head's state, then the header.

use super::block::{Block, Blocks, Mined};
use super::evm::{Executed, block_env, config, execute};
use super::limits::{BASE_FEE_INITIAL, BLOCK_GAS_LIMIT};
use super::state::{State, Undo, View};
use super::transaction::environment;
use alloy::consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy::consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy::consensus::transaction::Recovered;
use alloy::consensus::{Header, Receipt, ReceiptEnvelope, Transaction as _, TxEnvelope};
use alloy::eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy::primitives::{Address, B256, Bloom, Log, Sealable as _};
use revm::context::result::{EVMError, ExecutionResult};
use revm::context::{BlockEnv, CfgEnv};
use std::convert::Infallible;

/// A header with everything that the transactions do not decide.
pub fn open_header(parent: Option<&Block>, timestamp: u64, randomness: [u8; 32]) -> Header {
    let before = parent.map(|block| block.header.inner());
    Header {
        parent_hash: parent.map(Block::hash).unwrap_or_default(),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        number: before.map_or(0, |header| header.number + 1),
        gas_limit: BLOCK_GAS_LIMIT,
        timestamp: timestamp.max(before.map_or(0, |header| header.timestamp)),
        mix_hash: B256::from(randomness),
        base_fee_per_gas: Some(parent.map_or(BASE_FEE_INITIAL, Block::next_base_fee)),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// Block 0, on a state that has this digest.
pub fn genesis(timestamp: u64, randomness: [u8; 32], state: B256) -> Block {
    let header = Header {
        state_root: state,
        ..open_header(None, timestamp, randomness)
    };
    Block {
        header: header.seal_slow(),
        transactions: Vec::new(),
        undo: Vec::new(),
    }
}

/// A block that takes transactions.
pub struct Builder<'a> {
    state: &'a mut State,
    blocks: &'a Blocks,
    header: Header,
    block: BlockEnv,
    config: CfgEnv,
    mined: Vec<Mined>,
    undo: Vec<Undo>,
    logs: usize,
}

impl<'a> Builder<'a> {
    pub fn new(state: &'a mut State, blocks: &'a Blocks, header: Header, chain_id: u64) -> Self {
        Self {
            state,
            blocks,
            block: block_env(&header),
            header,
            config: config(chain_id),
            mined: Vec::new(),
            undo: Vec::new(),
            logs: 0,
        }
    }

    pub fn next_nonce(&self, sender: Address) -> u64 {
        self.state.basics(sender).map_or(0, |b| b.nonce)
    }

    pub fn base_fee(&self) -> u64 {
        self.block.basefee
    }

    pub fn gas_left(&self) -> u64 {
        BLOCK_GAS_LIMIT - self.header.gas_used
    }

    /// Executes a transaction as the block's next. One that reverts is in the block all the same.
    ///
    /// # Errors
    /// When it may not be in a block: the state is as before.
    pub fn add(&mut self, transaction: Recovered<TxEnvelope>) -> Result<(), EVMError<Infallible>> {
        let view = View::of_head(self.state, self.blocks);
        let executed: Executed =
            execute(&view, &self.block, &self.config, environment(&transaction));
        let executed = executed?;
        self.undo.extend(self.state.apply(executed.state));

        let gas_used = executed.result.tx_gas_used();
        self.header.gas_used += gas_used;
        let success = executed.result.is_success();
        let created = match &executed.result {
            ExecutionResult::Success { output, .. } => output.address().copied(),
            _ => None,
        };
        // What a failed transaction logged is undone with it.
        let logs: Vec<Log> = if success {
            executed.result.into_logs()
        } else {
            Vec::new()
        };
        let first_log = self.logs;
        self.logs += logs.len();
        let receipt = Receipt {
            status: success.into(),
            cumulative_gas_used: self.header.gas_used,
            logs,
        };
        let tx_type = transaction.tx_type();
        self.mined.push(Mined {
            effective_gas_price: transaction.effective_gas_price(Some(self.block.basefee)),
            transaction,
            receipt: ReceiptEnvelope::from_typed(tx_type, receipt.with_bloom()),
            gas_used,
            created,
            first_log,
        });
        Ok(())
    }

    pub fn seal(self) -> Block {
        let Self {
            state,
            mut header,
            mined,
            undo,
            ..
        } = self;
        let transactions: Vec<&TxEnvelope> = mined.iter().map(|m| m.transaction.inner()).collect();
        let receipts: Vec<&ReceiptEnvelope> = mined.iter().map(|m| &m.receipt).collect();
        header.transactions_root = calculate_transaction_root(&transactions);
        header.receipts_root = calculate_receipt_root(&receipts);
        header.logs_bloom = receipts
            .iter()
            .fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
        header.state_root = state.digest();
        Block {
            header: header.seal_slow(),
            transactions: mined,
            undo,
        }
    }
}
