//! `eth_getLogs`: bounded in blocks, logs and bytes; a query beyond a bound is refused, never cut.

use super::error::RpcError;
use super::views;
use crate::embedded::Chain;
use alloy::eips::BlockNumberOrTag;
use alloy::rpc::types::{Filter, FilterBlockOption, Log};

/// Blocks that one query may span.
pub const LOG_BLOCKS_MAX: u64 = 10_000;
/// Logs that one query may return.
pub const LOGS_MAX: usize = 10_000;
/// Bytes of data in the logs that one query may return.
pub const LOGS_BYTES_MAX: usize = 4 << 20;

pub fn logs(filter: &Filter, chain: &Chain) -> Result<Vec<Log>, RpcError> {
    let Some((from, to)) = range(filter, chain)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut bytes = 0;
    for number in from..=to {
        let block = chain.block(number)?;
        if !filter.matches_bloom(block.header.logs_bloom) {
            continue;
        }
        for (place, mined) in block.transactions.iter().enumerate() {
            for (of_transaction, log) in mined.receipt.logs().iter().enumerate() {
                if !filter.matches(log) {
                    continue;
                }
                bytes += log.data.data.len();
                if found.len() == LOGS_MAX || bytes > LOGS_BYTES_MAX {
                    return Err(RpcError::limit(format!(
                        "more than {LOGS_MAX} logs, or {LOGS_BYTES_MAX} bytes of them, up to block {number}: ask for fewer blocks"
                    )));
                }
                found.push(views::log(block, place, of_transaction, log.clone()));
            }
        }
    }
    Ok(found)
}

/// First and last block of a query, `None` when it is all beyond the head.
fn range(filter: &Filter, chain: &Chain) -> Result<Option<(u64, u64)>, RpcError> {
    let (from, to) = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let number = chain.number_of(&hash);
            let number = number.ok_or_else(|| RpcError::unknown_block(hash))?;
            return Ok(Some((number, number)));
        }
        FilterBlockOption::Range {
            from_block,
            to_block,
        } => (
            number(from_block.unwrap_or_default(), chain),
            number(to_block.unwrap_or_default(), chain),
        ),
    };
    if from > to {
        return Err(RpcError::params(format!(
            "fromBlock {from} is after toBlock {to}"
        )));
    }
    let to = to.min(chain.head().number());
    if from > to {
        return Ok(None);
    }
    if to - from >= LOG_BLOCKS_MAX {
        return Err(RpcError::limit(format!(
            "blocks {from} to {to} are more than {LOG_BLOCKS_MAX}"
        )));
    }
    Ok(Some((from, to)))
}

/// What a tag stands for; a number stands for itself, whether there is such a block or not.
pub fn number(block: BlockNumberOrTag, chain: &Chain) -> u64 {
    match block {
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => chain.head().number(),
        BlockNumberOrTag::Finalized | BlockNumberOrTag::Safe => chain.finalized(),
        BlockNumberOrTag::Earliest => 0,
        BlockNumberOrTag::Number(number) => number,
    }
}
