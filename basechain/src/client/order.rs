//! What a transaction is to do.

use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::rpc::types::{TransactionInput, TransactionRequest};

/// What a transaction is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// For messages.
    pub(crate) what: &'static str,
    pub(crate) to: TxKind,
    /// In wei.
    pub(crate) value: u128,
    pub(crate) input: Bytes,
}

impl Order {
    /// Sends coins.
    pub fn transfer(to: [u8; 20], wei: u128) -> Self {
        Self {
            what: "transfer",
            to: TxKind::Call(to.into()),
            value: wei,
            input: Bytes::new(),
        }
    }

    /// In a word or two.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// What it sends, in wei.
    pub fn value(&self) -> u128 {
        self.value
    }

    pub(super) fn request(&self, from: Address) -> TransactionRequest {
        TransactionRequest {
            from: Some(from),
            to: Some(self.to),
            value: Some(U256::from(self.value)),
            input: TransactionInput::new(self.input.clone()),
            ..TransactionRequest::default()
        }
    }
}
