//! What wallets ask before they choose a fee.

use super::error::RpcError;
use crate::embedded::{Block, Chain};
use alloy::consensus::Transaction as _;
use alloy::rpc::types::FeeHistory;

/// The tip that is suggested, in wei per gas: blocks are far from full, any tip will do.
pub const TIP: u64 = 1_000_000;
/// Blocks in one answer; more are not returned, as the standard allows.
pub const FEE_BLOCKS_MAX: u64 = 1024;
/// Percentiles in one request. More are refused.
pub const PERCENTILES_MAX: usize = 100;

pub fn history(
    count: u64,
    newest: u64,
    percentiles: Option<&[f64]>,
    chain: &Chain,
) -> Result<FeeHistory, RpcError> {
    let wanted = percentiles.unwrap_or_default();
    if wanted.len() > PERCENTILES_MAX {
        let reason = format!(
            "{} percentiles are more than {PERCENTILES_MAX}",
            wanted.len()
        );
        return Err(RpcError::limit(reason));
    }
    let ascending = wanted.windows(2).all(|pair| pair[0] <= pair[1]);
    if !ascending || wanted.iter().any(|p| !(0.0..=100.0).contains(p)) {
        return Err(RpcError::params("percentiles must ascend within 0 to 100"));
    }
    let newest_block = chain.block(newest)?;
    let count = count.clamp(1, FEE_BLOCKS_MAX);
    let oldest = (newest + 1).saturating_sub(count).max(chain.oldest());

    let mut history = FeeHistory {
        oldest_block: oldest,
        reward: percentiles.map(|_| Vec::new()),
        ..FeeHistory::default()
    };
    for number in oldest..=newest {
        let block = chain.block(number)?;
        let header = block.header.inner();
        let base_fee = header.base_fee_per_gas.unwrap_or_default();
        history.base_fee_per_gas.push(base_fee.into());
        let ratio = header.gas_used as f64 / header.gas_limit as f64;
        history.gas_used_ratio.push(ratio);
        if let Some(rewards) = &mut history.reward {
            rewards.push(tips(block, base_fee, wanted));
        }
    }
    let next = newest_block.next_base_fee();
    history.base_fee_per_gas.push(next.into());
    Ok(history)
}

/// The tip at each percentile of the block's gas, in wei per gas.
fn tips(block: &Block, base_fee: u64, percentiles: &[f64]) -> Vec<u128> {
    let tip = |transaction: &alloy::consensus::TxEnvelope| {
        transaction
            .effective_tip_per_gas(base_fee)
            .unwrap_or_default()
    };
    let mined = block.transactions.iter();
    let mut by_tip: Vec<(u128, u64)> = mined
        .map(|mined| (tip(mined.transaction.inner()), mined.gas_used))
        .collect();
    by_tip.sort_unstable();
    let at = |percentile: &f64| {
        let threshold = block.header.gas_used as f64 * percentile / 100.0;
        let mut gas = 0;
        let reached = by_tip.iter().find(|(_, used)| {
            gas += used;
            gas as f64 >= threshold
        });
        reached.map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(at).collect()
}
