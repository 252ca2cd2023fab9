//! Error objects, with the codes of JSON-RPC 2.0 and EIP-1474.

use super::Stopped;
use crate::embedded::{CallError, PastError, SubmitError};
use alloy::primitives::Bytes;
use alloy::sol_types::{GenericContractError, SolInterface as _};
use serde::Serialize;
use std::fmt::Display;

/// Longest piece of a request that an error repeats.
const ECHO_CHARS_MAX: usize = 80;
/// Longest reason of a revert that its error spells out; the data has all of it.
const REASON_CHARS_MAX: usize = 1_000;

#[derive(Debug, Serialize)]
pub struct RpcError {
    code: i64,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Bytes>,
}

impl RpcError {
    fn new(code: i64, message: impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            data: None,
        }
    }

    pub fn parse(error: &serde_json::Error) -> Self {
        Self::new(-32700, format!("body is no JSON: {error}"))
    }

    pub fn invalid_request(reason: impl Display) -> Self {
        Self::new(-32600, reason)
    }

    pub fn method(name: &str) -> Self {
        let name: String = name.chars().take(ECHO_CHARS_MAX).collect();
        Self::new(-32601, format!("method {name:?} is not available"))
    }

    pub fn params(reason: impl Display) -> Self {
        Self::new(-32602, reason)
    }

    pub fn internal(reason: impl Display) -> Self {
        Self::new(-32603, reason)
    }

    /// The request asks for more than one answer may hold.
    pub fn limit(reason: impl Display) -> Self {
        Self::new(-32005, reason)
    }

    pub fn unknown_block(block: impl Display) -> Self {
        Self::new(-32001, format!("block {block} is not known"))
    }
}

impl From<Stopped> for RpcError {
    fn from(error: Stopped) -> Self {
        Self::internal(error)
    }
}

impl From<PastError> for RpcError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Future { .. } => Self::new(-32001, error),
            // What clients know as history that has been pruned (EIP-4444).
            PastError::Block { .. } | PastError::State { .. } => Self::new(4444, error),
        }
    }
}

impl From<SubmitError> for RpcError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Length(_) | SubmitError::Malformed(_) => Self::params(error),
            _ => Self::new(-32000, error),
        }
    }
}

impl From<CallError> for RpcError {
    fn from(error: CallError) -> Self {
        let CallError::Reverted(data) = error else {
            return Self::new(-32000, error);
        };
        let reason = match GenericContractError::abi_decode(&data) {
            Ok(GenericContractError::Revert(error)) => Some(error.reason),
            Ok(GenericContractError::Panic(panic)) => Some(panic.to_string()),
            _ => None,
        };
        let message = reason.map_or("execution reverted".to_owned(), |reason| {
            let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
            format!("execution reverted: {reason}")
        });
        Self {
            data: Some(data),
            ..Self::new(3, message)
        }
    }
}
