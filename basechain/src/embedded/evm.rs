//! Running revm: a transaction of a block, a call that changes nothing, the gas that one needs.

use super::limits::BLOCK_GAS_LIMIT;
use super::state::View;
use alloy::consensus::Header;
use alloy::eips::eip2930::AccessList;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use revm::context::result::{EVMError, ExecutionResult, HaltReason, ResultAndState};
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::database_interface::WrapDatabaseRef;
use revm::interpreter::gas::CALL_STIPEND;
use revm::primitives::hardfork::SpecId;
use revm::{ExecuteEvm as _, MainBuilder as _, MainContext as _};
use std::convert::Infallible;

/// A call as somebody outside asks for it. Without fee fields it costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub from: Address,
    pub to: TxKind,
    /// At most, and by default, the block gas limit.
    pub gas: Option<u64>,
    /// Wei per gas.
    pub gas_price: u128,
    pub value: U256,
    pub input: Bytes,
    pub access_list: AccessList,
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("{0}")]
    Invalid(String),
    #[error("execution reverted")]
    Reverted(Bytes),
    #[error("execution halted: {0:?}")]
    Halted(HaltReason),
    #[error("gas required exceeds allowance ({0})")]
    GasAllowance(u64),
}

pub type Executed = Result<ResultAndState, EVMError<Infallible>>;

/// The surroundings of a block's transactions.
pub fn block_env(header: &Header) -> BlockEnv {
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        prevrandao: Some(header.mix_hash),
        ..BlockEnv::default()
    }
}

pub fn config(chain_id: u64) -> CfgEnv {
    CfgEnv::new()
        .with_chain_id(chain_id)
        .with_spec_and_mainnet_gas_params(SpecId::PRAGUE)
}

pub fn execute(view: &View<'_>, block: &BlockEnv, config: &CfgEnv, transaction: TxEnv) -> Executed {
    Context::mainnet()
        .with_db(WrapDatabaseRef(view))
        .with_cfg(config.clone())
        .with_block(block.clone())
        .build_mainnet()
        .transact(transaction)
}

/// Runs calls on one state.
pub struct Caller<'a> {
    view: View<'a>,
    block: BlockEnv,
    config: CfgEnv,
}

impl<'a> Caller<'a> {
    pub fn new(view: View<'a>, header: &Header, chain_id: u64) -> Self {
        let mut config = config(chain_id);
        config.disable_nonce_check = true;
        Self {
            view,
            block: block_env(header),
            config,
        }
    }

    fn run(&self, call: &Call, gas: u64) -> Result<ExecutionResult, CallError> {
        let mut block = self.block.clone();
        if call.gas_price == 0 {
            block.basefee = 0;
        }
        let transaction = TxEnv {
            caller: call.from,
            gas_limit: gas,
            gas_price: call.gas_price,
            kind: call.to,
            value: call.value,
            data: call.input.clone(),
            nonce: self.view.basics(call.from).map_or(0, |b| b.nonce),
            chain_id: Some(self.config.chain_id),
            access_list: call.access_list.clone(),
            tx_type: u8::from(!call.access_list.is_empty()),
            ..TxEnv::default()
        };
        match execute(&self.view, &block, &self.config, transaction) {
            Ok(executed) => Ok(executed.result),
            Err(error) => Err(CallError::Invalid(error.to_string())),
        }
    }

    /// What the call returns.
    pub fn call(&self, call: &Call) -> Result<Bytes, CallError> {
        let gas = call.gas.unwrap_or(BLOCK_GAS_LIMIT).min(BLOCK_GAS_LIMIT);
        output(self.run(call, gas)?)
    }

    /// The smallest gas limit, within 1 in 64, with which the call succeeds.
    ///
    /// The gas used is not enough as a limit: a call hands on at most 63 parts in 64 of what is left,
    /// and refunds come at the end. So the limit is searched for.
    pub fn estimate(&self, call: &Call) -> Result<u64, CallError> {
        let mut high = call.gas.unwrap_or(BLOCK_GAS_LIMIT).min(BLOCK_GAS_LIMIT);
        if call.gas_price > 0 {
            let balance = self
                .view
                .basics(call.from)
                .map_or(U256::ZERO, |b| b.balance);
            let affordable = balance.saturating_sub(call.value) / U256::from(call.gas_price);
            high = high.min(u64::try_from(affordable).unwrap_or(u64::MAX));
        }
        let first = match self.run(call, high) {
            Ok(result) => result,
            Err(CallError::Invalid(reason)) if high < BLOCK_GAS_LIMIT => {
                tracing::debug!(reason, high, "an estimate fails at its highest limit");
                return Err(CallError::GasAllowance(high));
            }
            Err(error) => return Err(error),
        };
        // Below what was spent before refunds it cannot succeed.
        let spent = first.gas().total_gas_spent().max(first.tx_gas_used());
        output(first)?;
        let mut low = spent.saturating_sub(1);
        // Most calls need what one level of calls holds back, and the stipend of one transfer.
        let mut next = spent.saturating_add(CALL_STIPEND).saturating_mul(64) / 63;
        while high - low > (high / 64).max(1) {
            let gas = next.clamp(low + 1, high - 1);
            if self.run(call, gas).is_ok_and(|result| result.is_success()) {
                high = gas;
            } else {
                low = gas;
            }
            next = low + (high - low) / 2;
        }
        Ok(high)
    }
}

fn output(result: ExecutionResult) -> Result<Bytes, CallError> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(CallError::Reverted(output)),
        ExecutionResult::Halt { reason, .. } => Err(CallError::Halted(reason)),
    }
}
