//! The JSON-RPC face of an embedded chain: one body of bytes in, one out, after JSON-RPC 2.0 and the
//! Ethereum execution API as far as alloy, viem and wallets use it. Whatever comes in gets an answer
//! that names the cause; nothing here waits, so the caller chooses the thread.
//!
//! The chain holds no keys: there is `eth_sendRawTransaction`, and nothing that signs.

mod args;
mod error;
mod fees;
mod logs;
mod methods;
mod views;

use crate::embedded::Chain;
use error::RpcError;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// Longest request body, in bytes. A longer one is refused.
pub const BODY_BYTES_MAX: usize = 2 << 20;
/// Requests in one batch. A longer batch is refused as a whole.
pub const BATCH_MAX: usize = 100;
/// Bytes of a batch's results, after which its other requests are refused.
pub const RESULTS_BYTES_MAX: usize = 16 << 20;

/// A chain that several threads use.
#[derive(Debug)]
pub struct Shared {
    chain: RwLock<Chain>,
    stopped: AtomicBool,
    /// Told when a transaction came.
    pub submitted: Notify,
}

/// The chain is not to be used any more: what it holds may be half done, or not on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chain has stopped after an internal error")]
pub struct Stopped;

impl<T> From<PoisonError<T>> for Stopped {
    fn from(_: PoisonError<T>) -> Self {
        Self
    }
}

impl Shared {
    pub fn new(chain: Chain) -> Self {
        Self {
            chain: RwLock::new(chain),
            stopped: AtomicBool::new(false),
            submitted: Notify::new(),
        }
    }

    /// Nobody reads or writes the chain from now on. Called while it is locked for writing.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    fn check(&self) -> Result<(), Stopped> {
        match self.stopped.load(Ordering::Acquire) {
            true => Err(Stopped),
            false => Ok(()),
        }
    }

    pub fn read(&self) -> Result<RwLockReadGuard<'_, Chain>, Stopped> {
        let chain = self.chain.read()?;
        self.check()?;
        Ok(chain)
    }

    pub fn write(&self) -> Result<RwLockWriteGuard<'_, Chain>, Stopped> {
        let chain = self.chain.write()?;
        self.check()?;
        Ok(chain)
    }
}

/// Seconds since the Unix epoch.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Answers a body. `None` when it holds notifications only, which get no answer.
pub fn answer(body: &[u8], shared: &Shared) -> Option<Vec<u8>> {
    let answer = match serde_json::from_slice(body) {
        Ok(Value::Array(requests)) => batch(requests, shared)?,
        Ok(request) => single(request, shared)?,
        Err(error) => failure(Value::Null, RpcError::parse(&error)),
    };
    Some(answer.to_string().into_bytes())
}

/// The answer to a body that could not be read.
pub fn refused(reason: String) -> Vec<u8> {
    let error = RpcError::invalid_request(reason);
    failure(Value::Null, error).to_string().into_bytes()
}

fn batch(requests: Vec<Value>, shared: &Shared) -> Option<Value> {
    if requests.is_empty() || requests.len() > BATCH_MAX {
        let reason = format!(
            "a batch has 1 to {BATCH_MAX} requests, not {}",
            requests.len()
        );
        return Some(failure(Value::Null, RpcError::invalid_request(reason)));
    }
    let mut answers: Vec<Value> = Vec::with_capacity(requests.len());
    let mut bytes = 0;
    for request in requests {
        let answer = if bytes > RESULTS_BYTES_MAX {
            let id = request.get("id").cloned().unwrap_or_default();
            let reason = format!("results of the batch are longer than {RESULTS_BYTES_MAX} bytes");
            Some(failure(id, RpcError::limit(reason)))
        } else {
            single(request, shared)
        };
        if let Some(answer) = answer {
            bytes += answer.to_string().len();
            answers.push(answer);
        }
    }
    (!answers.is_empty()).then_some(Value::Array(answers))
}

fn single(request: Value, shared: &Shared) -> Option<Value> {
    let Value::Object(mut fields) = request else {
        let error = RpcError::invalid_request("a request is an object");
        return Some(failure(Value::Null, error));
    };
    let id = fields.remove("id");
    if matches!(
        id,
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_))
    ) {
        let error = RpcError::invalid_request("id is a string, a number or null");
        return Some(failure(Value::Null, error));
    }
    let result = match form(fields) {
        Ok((method, params)) => methods::call(&method, params, shared),
        // A request without the right form is answered even without an id.
        Err(error) => return Some(failure(id.unwrap_or_default(), error)),
    };
    let id = id?;
    Some(match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => failure(id, error),
    })
}

/// Method and parameters of a request.
fn form(mut fields: Map<String, Value>) -> Result<(String, Vec<Value>), RpcError> {
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(RpcError::invalid_request("jsonrpc is not \"2.0\""));
    }
    let Some(Value::String(method)) = fields.remove("method") else {
        return Err(RpcError::invalid_request("method is not a string"));
    };
    match fields.remove("params") {
        None | Some(Value::Null) => Ok((method, Vec::new())),
        Some(Value::Array(params)) => Ok((method, params)),
        Some(_) => Err(RpcError::params("params is not an array")),
    }
}

fn failure(id: Value, error: RpcError) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

#[cfg(test)]
mod tests;
