//! What a raw transaction must be before it may wait for a block: well-formed, of a supported type,
//! for this chain, signed, and able to pay. What execution can still refuse afterwards is a balance
//! that earlier transactions have spent.

use super::limits::{BLOCK_GAS_LIMIT, POOL_NONCES_AHEAD_MAX, TRANSACTION_BYTES_MAX};
use super::state::Basics;
use alloy::consensus::transaction::{Recovered, SignerRecoverable as _};
use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::eip2718::Decodable2718 as _;
use alloy::primitives::{Address, U256};
use revm::context::TxEnv;
use revm::context_interface::cfg::GasParams;
use revm::primitives::eip3860::MAX_INITCODE_SIZE;
use revm::primitives::hardfork::SpecId;

/// Why a transaction was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error("transaction of {0} bytes is longer than {TRANSACTION_BYTES_MAX}")]
    Length(usize),
    #[error("transaction cannot be decoded: {0}")]
    Malformed(String),
    #[error("transaction type {0} is not supported: use 0, 1 or 2")]
    Type(u8),
    #[error("invalid chain id: transaction has {found}, the chain is {expected}")]
    ChainId { expected: u64, found: u64 },
    #[error("transaction without a chain id could be replayed elsewhere (EIP-155)")]
    NoChainId,
    #[error("invalid signature")]
    Signature,
    #[error("nonce too low: next nonce {next}, transaction nonce {found}")]
    NonceTooLow { next: u64, found: u64 },
    #[error(
        "nonce too high: next nonce {next}, transaction nonce {found}, more than {POOL_NONCES_AHEAD_MAX} ahead"
    )]
    NonceTooHigh { next: u64, found: u64 },
    #[error("gas limit {0} exceeds the block gas limit {BLOCK_GAS_LIMIT}")]
    GasLimit(u64),
    #[error("intrinsic gas too low: have {have}, want {want}")]
    IntrinsicGas { have: u64, want: u64 },
    #[error("max priority fee per gas {tip} is higher than max fee per gas {fee}")]
    TipAboveFee { tip: u128, fee: u128 },
    #[error("init code of {0} bytes is longer than {MAX_INITCODE_SIZE}")]
    InitCode(usize),
    #[error("insufficient funds for gas * price + value: balance {have}, tx cost {want}")]
    Funds { have: U256, want: U256 },
    #[error("sender {0} has code (EIP-3607)")]
    SenderWithCode(Address),
    #[error("already known")]
    AlreadyKnown,
    #[error(
        "replacement transaction underpriced: needs max fee per gas {fee}, max priority fee per gas {tip}"
    )]
    Underpriced { fee: u128, tip: u128 },
    #[error("transaction pool is full: {transactions} transactions, {bytes} bytes")]
    PoolFull { transactions: usize, bytes: usize },
}

/// Decodes a transaction and recovers its sender.
pub fn decode(raw: &[u8], chain_id: u64) -> Result<Recovered<TxEnvelope>, SubmitError> {
    if raw.len() > TRANSACTION_BYTES_MAX {
        return Err(SubmitError::Length(raw.len()));
    }
    let transaction = TxEnvelope::decode_2718_exact(raw)
        .map_err(|error| SubmitError::Malformed(error.to_string()))?;
    if transaction.tx_type() as u8 > 2 {
        return Err(SubmitError::Type(transaction.tx_type() as u8));
    }
    let found = transaction.chain_id().ok_or(SubmitError::NoChainId)?;
    if found != chain_id {
        let expected = chain_id;
        return Err(SubmitError::ChainId { expected, found });
    }
    // Refuses the second form that each signature has (EIP-2).
    let sender = transaction
        .recover_signer()
        .map_err(|_| SubmitError::Signature)?;
    Ok(Recovered::new_unchecked(transaction, sender))
}

/// Checks a decoded transaction against its sender's account.
pub fn check(
    transaction: &Recovered<TxEnvelope>,
    account: Option<Basics>,
) -> Result<(), SubmitError> {
    let next = account.map_or(0, |a| a.nonce);
    let found = transaction.nonce();
    if found < next {
        return Err(SubmitError::NonceTooLow { next, found });
    }
    if found - next > POOL_NONCES_AHEAD_MAX {
        return Err(SubmitError::NonceTooHigh { next, found });
    }
    if account.is_some_and(|a| a.code_hash != revm::primitives::KECCAK_EMPTY) {
        return Err(SubmitError::SenderWithCode(transaction.signer()));
    }
    if transaction.gas_limit() > BLOCK_GAS_LIMIT {
        return Err(SubmitError::GasLimit(transaction.gas_limit()));
    }
    if transaction.is_create() && transaction.input().len() > MAX_INITCODE_SIZE {
        return Err(SubmitError::InitCode(transaction.input().len()));
    }
    let gas =
        GasParams::new_spec(SpecId::PRAGUE).initial_tx_gas_for_tx(environment(transaction), None);
    let want = gas.initial_total_gas().max(gas.floor_gas());
    let have = transaction.gas_limit();
    if have < want {
        return Err(SubmitError::IntrinsicGas { have, want });
    }
    let (fee, tip) = fees(transaction);
    if tip > fee {
        return Err(SubmitError::TipAboveFee { tip, fee });
    }
    let want = U256::from(have)
        .saturating_mul(U256::from(fee))
        .saturating_add(transaction.value());
    let have = account.map_or(U256::ZERO, |a| a.balance);
    if have < want {
        return Err(SubmitError::Funds { have, want });
    }
    Ok(())
}

/// Max fee and max tip per gas, in wei; both are the gas price where a type has one price.
pub fn fees(transaction: &Recovered<TxEnvelope>) -> (u128, u128) {
    let fee = transaction.max_fee_per_gas();
    (fee, transaction.max_priority_fee_per_gas().unwrap_or(fee))
}

/// The form that revm executes.
pub fn environment(transaction: &Recovered<TxEnvelope>) -> TxEnv {
    TxEnv {
        tx_type: transaction.tx_type() as u8,
        caller: transaction.signer(),
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: Vec::new(),
    }
}
