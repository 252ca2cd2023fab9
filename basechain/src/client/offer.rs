//! What a transaction has beside its order: its place among the account's, and what it pays.

use super::error::ClientError;
use super::key::{AccountKey, Holder};
use super::order::Order;
use super::signed::Signed;
use alloy::consensus::{SignableTransaction as _, TxEip1559};
use alloy::primitives::U256;
use alloy::signers::SignerSync as _;

/// A transaction that is in no block yet: its nonce, and what it offers in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unmined {
    pub nonce: u64,
    pub fee: u128,
    pub tip: u128,
}

impl Unmined {
    pub fn of(signed: &Signed) -> Self {
        let transaction = signed.transaction();
        Self {
            nonce: transaction.nonce,
            fee: transaction.max_fee_per_gas,
            tip: transaction.max_priority_fee_per_gas,
        }
    }

    /// Takes the place of `stuck` at a higher fee, unless the account's next nonce shows that something with
    /// its nonce is in a block by now.
    pub fn outbidding(self, stuck: &Self, next: u64) -> Self {
        if next > stuck.nonce {
            return self;
        }
        Self {
            nonce: stuck.nonce,
            fee: self.fee.max(quarter_more(stuck.fee)),
            tip: self.tip.max(quarter_more(stuck.tip)),
        }
    }

    /// Offers no more than `max`; refused if less than `least` is no use.
    pub fn within(self, what: &'static str, least: u128, max: u128) -> Result<Self, ClientError> {
        if least > max {
            let fee = least;
            return Err(ClientError::Fee { what, fee, max });
        }
        Ok(Self {
            fee: self.fee.min(max),
            tip: self.tip.min(max),
            ..self
        })
    }
}

/// The transaction for an order, signed by a key that is here.
pub(crate) fn sign(
    key: &AccountKey,
    chain_id: u64,
    sending: &Unmined,
    gas_limit: u64,
    order: &Order,
) -> Result<Signed, String> {
    let Holder::Here(key) = key.holder() else {
        return Err("the key is not here".to_owned());
    };
    let transaction = transaction(chain_id, sending, gas_limit, order);
    let signature = key.sign_hash_sync(&transaction.signature_hash());
    let signature = signature.map_err(|error| error.to_string())?;
    Ok(Signed::new(
        transaction.into_signed(signature),
        key.address(),
    ))
}

pub(super) fn transaction(
    chain_id: u64,
    sending: &Unmined,
    gas_limit: u64,
    order: &Order,
) -> TxEip1559 {
    TxEip1559 {
        chain_id,
        nonce: sending.nonce,
        gas_limit,
        max_fee_per_gas: sending.fee,
        max_priority_fee_per_gas: sending.tip,
        to: order.to,
        value: U256::from(order.value),
        input: order.input.clone(),
        ..TxEip1559::default()
    }
}

/// What a unit of gas costs in the next block. An offer is twice the base fee and the tip, for blocks to come.
pub fn least(fee: u128, tip: u128) -> u128 {
    (fee.saturating_sub(tip) / 2).saturating_add(tip)
}

pub fn quarter_more(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(4))
}
