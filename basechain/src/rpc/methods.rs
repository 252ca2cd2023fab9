//! The methods.

use super::args::Args;
use super::error::RpcError;
use super::{Shared, fees, logs, now, views};
use crate::embedded::{Call, Caller, Chain};
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, TxKind, U64, U256};
use alloy::rpc::types::{Filter, TransactionRequest};
use serde::Serialize;
use serde_json::Value;

/// What `web3_clientVersion` answers.
const CLIENT: &str = concat!("weft-embedded/", env!("CARGO_PKG_VERSION"));

pub fn call(method: &str, params: Vec<Value>, shared: &Shared) -> Result<Value, RpcError> {
    let args = &mut Args::new(params);
    match method {
        "web3_clientVersion" => none(args, || CLIENT),
        "net_listening" => none(args, || true),
        "eth_syncing" => none(args, || false),
        // The chain holds no keys.
        "eth_accounts" => none(args, Vec::<Address>::new),
        "eth_sendRawTransaction" => send(args, shared),
        _ => read(method, args, &*shared.read()?),
    }
}

fn read(method: &str, args: &mut Args, chain: &Chain) -> Result<Value, RpcError> {
    match method {
        "eth_chainId" => none(args, || U64::from(chain.config().chain_id)),
        "net_version" => none(args, || chain.config().chain_id.to_string()),
        "eth_blockNumber" => none(args, || U64::from(chain.head().number())),
        "eth_gasPrice" => none(args, || U64::from(chain.next_base_fee() + fees::TIP)),
        "eth_maxPriorityFeePerGas" => none(args, || U64::from(fees::TIP)),
        "eth_feeHistory" => fee_history(args, chain),
        "eth_getBlockByNumber" => {
            let number = logs::number(args.required("block")?, chain);
            block(Some(number), args, chain)
        }
        "eth_getBlockByHash" => {
            let number = chain.number_of(&args.required("hash")?);
            block(number, args, chain)
        }
        "eth_getBalance" => {
            let (account, number) = (args.required("address")?, at(args, chain)?);
            json(chain.balance(account, number)?)
        }
        "eth_getTransactionCount" => nonce(args, chain),
        "eth_getCode" => {
            let (account, number) = (args.required("address")?, at(args, chain)?);
            json(chain.code(account, number)?)
        }
        "eth_getStorageAt" => {
            let (account, slot) = (args.required("address")?, args.required("slot")?);
            let value = chain.storage(account, slot, at(args, chain)?)?;
            json(B256::from(value))
        }
        "eth_call" => {
            let (call, caller) = (request(args, chain)?, caller(args, chain)?);
            json(caller.call(&call)?)
        }
        "eth_estimateGas" => {
            let (call, caller) = (request(args, chain)?, caller(args, chain)?);
            json(U64::from(caller.estimate(&call)?))
        }
        "eth_getTransactionByHash" => transaction(args, chain),
        "eth_getTransactionReceipt" => {
            let hash = args.required("hash")?;
            args.end()?;
            json(
                chain
                    .find(&hash)
                    .map(|(block, place)| views::receipt(block, place)),
            )
        }
        "eth_getLogs" => {
            let filter: Filter = args.required("filter")?;
            args.end()?;
            json(logs::logs(&filter, chain)?)
        }
        unknown => Err(RpcError::method(unknown)),
    }
}

fn json(result: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(result).map_err(RpcError::internal)
}

/// The answer of a method without parameters.
fn none<T: Serialize>(args: &mut Args, result: impl FnOnce() -> T) -> Result<Value, RpcError> {
    args.end()?;
    json(result())
}

/// The block whose state is asked for, as the last parameter: the head's unless it says otherwise.
fn at(args: &mut Args, chain: &Chain) -> Result<u64, RpcError> {
    let block: BlockId = args.optional("block")?.unwrap_or_default();
    args.end()?;
    resolve(block, chain)
}

fn resolve(block: BlockId, chain: &Chain) -> Result<u64, RpcError> {
    match block {
        BlockId::Number(tag) => Ok(logs::number(tag, chain)),
        BlockId::Hash(hash) => chain
            .number_of(&hash.block_hash)
            .ok_or_else(|| RpcError::unknown_block(hash.block_hash)),
    }
}

/// Where a call runs: as if in the block that the last parameter names, or in the next, which has a time of its own.
fn caller<'a>(args: &mut Args, chain: &'a Chain) -> Result<Caller<'a>, RpcError> {
    let block: BlockId = args.optional("block")?.unwrap_or_default();
    args.end()?;
    if block == BlockId::Number(BlockNumberOrTag::Pending) {
        return Ok(chain.pending_caller(now()));
    }
    Ok(chain.caller(resolve(block, chain)?)?)
}

/// A block that is not known is null; one that was forgotten is an error, for it was there.
fn block(number: Option<u64>, args: &mut Args, chain: &Chain) -> Result<Value, RpcError> {
    let full = args.optional("full")?.unwrap_or(false);
    args.end()?;
    match number.filter(|number| *number <= chain.head().number()) {
        None => Ok(Value::Null),
        Some(number) => json(views::block(chain.block(number)?, full)),
    }
}

fn nonce(args: &mut Args, chain: &Chain) -> Result<Value, RpcError> {
    let account = args.required("address")?;
    let block: BlockId = args.optional("block")?.unwrap_or_default();
    args.end()?;
    let nonce = if block == BlockId::Number(BlockNumberOrTag::Pending) {
        chain.pending_nonce(account)
    } else {
        chain.nonce(account, resolve(block, chain)?)?
    };
    json(U64::from(nonce))
}

fn transaction(args: &mut Args, chain: &Chain) -> Result<Value, RpcError> {
    let hash = args.required("hash")?;
    args.end()?;
    let mined = chain.find(&hash);
    let mined = mined.map(|(block, place)| views::transaction(block, place));
    json(mined.or_else(|| chain.find_waiting(&hash).map(views::waiting)))
}

fn fee_history(args: &mut Args, chain: &Chain) -> Result<Value, RpcError> {
    let count: U64 = args.required("count")?;
    let newest = logs::number(args.required("newest block")?, chain);
    let percentiles: Option<Vec<f64>> = args.optional("percentiles")?;
    args.end()?;
    json(fees::history(
        count.to(),
        newest,
        percentiles.as_deref(),
        chain,
    )?)
}

fn send(args: &mut Args, shared: &Shared) -> Result<Value, RpcError> {
    let raw: Bytes = args.required("transaction")?;
    args.end()?;
    let hash = shared.write()?.submit(&raw)?;
    shared.submitted.notify_one();
    json(hash)
}

/// A call as clients write it.
fn request(args: &mut Args, chain: &Chain) -> Result<Call, RpcError> {
    let request: TransactionRequest = args.required("call")?;
    let here = chain.config().chain_id;
    if let Some(chain_id) = request.chain_id.filter(|id| *id != here) {
        let reason = format!("call is for chain {chain_id}, this is chain {here}");
        return Err(RpcError::params(reason));
    }
    if request.gas_price.is_some() && request.max_fee_per_gas.is_some() {
        return Err(RpcError::params("both gasPrice and maxFeePerGas are given"));
    }
    let input = request.input.unique_input();
    let input = input.map_err(|_| RpcError::params("input and data differ"))?;
    Ok(Call {
        from: request.from.unwrap_or_default(),
        to: request.to.unwrap_or(TxKind::Create),
        gas: request.gas,
        gas_price: request
            .gas_price
            .or(request.max_fee_per_gas)
            .unwrap_or_default(),
        value: request.value.unwrap_or(U256::ZERO),
        input: input.cloned().unwrap_or_default(),
        access_list: request.access_list.unwrap_or_default(),
    })
}
