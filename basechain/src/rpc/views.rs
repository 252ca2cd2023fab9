//! Blocks, transactions, receipts and logs in their JSON form.

use crate::embedded::{Block, Mined};
use alloy::consensus::transaction::Recovered;
use alloy::consensus::{BlockBody, Transaction as _, TxEnvelope};
use alloy::eips::eip4895::Withdrawals;
use alloy::primitives::{Log, U256};
use alloy::rlp::Encodable as _;
use alloy::rpc::types as rpc;

/// A transaction that waits.
pub fn waiting(transaction: &Recovered<TxEnvelope>) -> rpc::Transaction {
    rpc::Transaction {
        inner: transaction.clone(),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: None,
        block_timestamp: None,
    }
}

/// `place` is within the block's transactions, here and below.
pub fn transaction(block: &Block, place: usize) -> rpc::Transaction {
    let mined = &block.transactions[place];
    rpc::Transaction {
        inner: mined.transaction.clone(),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        transaction_index: Some(place as u64),
        effective_gas_price: Some(mined.effective_gas_price),
        block_timestamp: Some(block.header.timestamp),
    }
}

pub fn receipt(block: &Block, place: usize) -> rpc::TransactionReceipt {
    let mined = &block.transactions[place];
    let mut of_transaction = 0;
    let inner = mined.receipt.clone().map_logs(|inner| {
        of_transaction += 1;
        log(block, place, of_transaction - 1, inner)
    });
    rpc::TransactionReceipt {
        inner,
        transaction_hash: *mined.transaction.inner().tx_hash(),
        transaction_index: Some(place as u64),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        gas_used: mined.gas_used,
        effective_gas_price: mined.effective_gas_price,
        blob_gas_used: None,
        blob_gas_price: None,
        from: mined.transaction.signer(),
        to: mined.transaction.to(),
        contract_address: mined.created,
    }
}

/// A log by its place in its transaction.
pub fn log(block: &Block, place: usize, of_transaction: usize, inner: Log) -> rpc::Log {
    let mined = &block.transactions[place];
    rpc::Log {
        inner,
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: Some(*mined.transaction.inner().tx_hash()),
        transaction_index: Some(place as u64),
        log_index: Some((mined.first_log + of_transaction) as u64),
        removed: false,
    }
}

pub fn block(block: &Block, full: bool) -> rpc::Block {
    let places = 0..block.transactions.len();
    let hash = |mined: &Mined| *mined.transaction.inner().tx_hash();
    let transactions = if full {
        rpc::BlockTransactions::Full(places.map(|place| transaction(block, place)).collect())
    } else {
        rpc::BlockTransactions::Hashes(block.transactions.iter().map(hash).collect())
    };
    let body = BlockBody {
        transactions: block
            .transactions
            .iter()
            .map(|m| m.transaction.inner())
            .collect(),
        ommers: Vec::new(),
        withdrawals: Some(Withdrawals::default()),
    };
    let header = block.header.inner().clone();
    let size = alloy::consensus::Block::new(header, body).length();
    rpc::Block {
        header: rpc::Header::from_consensus(block.header.clone(), None, Some(U256::from(size))),
        uncles: Vec::new(),
        transactions,
        withdrawals: Some(Withdrawals::default()),
    }
}
