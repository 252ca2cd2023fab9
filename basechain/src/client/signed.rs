//! A transaction that is signed, and what it does. It has one outcome, however often it is sent: it comes into one
//! block, or into none. Its bytes alone are kept; the rest is read from them.

use super::order::Order;
use alloy::consensus::transaction::SignerRecoverable as _;
use alloy::consensus::{Signed as Envelope, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{TransactionInput, TransactionRequest};

/// The longest that base chains take, in bytes.
pub const SIGNED_BYTES_MAX: usize = 128 << 10;

/// A transaction of type 2 (EIP-1559) with the signature of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    envelope: Envelope<TxEip1559>,
    account: Address,
}

impl Signed {
    /// From its bytes, as EIP-2718 has them. The account is the one whose key has signed.
    ///
    /// # Errors
    /// In words, when it is of another type, has bytes too many, or a signature that is of no key.
    pub fn decode(raw: &[u8]) -> Result<Self, String> {
        if raw.len() > SIGNED_BYTES_MAX {
            return Err(format!(
                "the transaction has {} bytes, more than {SIGNED_BYTES_MAX}",
                raw.len()
            ));
        }
        let read = TxEnvelope::decode_2718_exact(raw)
            .map_err(|error| format!("the transaction cannot be read: {error}"))?;
        let account = read
            .recover_signer()
            .map_err(|_| "the transaction has a signature that is of no key".to_owned())?;
        match read {
            TxEnvelope::Eip1559(envelope) => Ok(Self { envelope, account }),
            other => Err(format!(
                "the transaction is of type {}, not 2",
                u8::from(other.tx_type())
            )),
        }
    }

    pub(super) fn new(envelope: Envelope<TxEip1559>, account: Address) -> Self {
        Self { envelope, account }
    }

    /// As it is sent.
    pub fn encoded(&self) -> Vec<u8> {
        self.envelope.encoded_2718()
    }

    pub fn hash(&self) -> [u8; 32] {
        self.hash_word().0
    }

    pub(super) fn hash_word(&self) -> B256 {
        *self.envelope.hash()
    }

    /// Whose it is.
    pub fn account(&self) -> [u8; 20] {
        self.account.into_array()
    }

    pub fn nonce(&self) -> u64 {
        self.transaction().nonce
    }

    pub fn chain_id(&self) -> u64 {
        self.transaction().chain_id
    }

    /// The most that it pays for a unit of gas, in wei.
    pub fn fee(&self) -> u128 {
        self.transaction().max_fee_per_gas
    }

    pub(super) fn transaction(&self) -> &TxEip1559 {
        self.envelope.tx()
    }

    /// Whether it does what is ordered: to whom, how much, and what is called.
    pub fn does(&self, order: &Order) -> bool {
        let own = self.transaction();
        own.to == order.to && own.value == U256::from(order.value) && own.input == order.input
    }

    /// The same without nonce, gas and fees.
    pub(super) fn request(&self) -> TransactionRequest {
        let own = self.transaction();
        TransactionRequest {
            from: Some(self.account),
            to: Some(own.to),
            value: Some(own.value),
            input: TransactionInput::new(own.input.clone()),
            ..TransactionRequest::default()
        }
    }
}

#[cfg(test)]
mod tests;
