//! What a transaction has beside its order: its place among the account's, and what it pays.

use super::error::ClientError;
use super::key::{AccountKey, Holder};
use super::order::Order;
use super::signed::Signed;
use alloy::consensus::{SignableTransaction as _, TxEip1559};
use alloy::primitives::U256;
use alloy::signers::SignerSync as _;

/// A transaction's nonce, and what it offers in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    pub nonce: u64,
    pub fee: u128,
    pub tip: u128,
}

impl Offer {
    pub fn of(signed: &Signed) -> Self {
        let transaction = signed.transaction();
        Self {
            nonce: transaction.nonce,
            fee: transaction.max_fee_per_gas,
            tip: transaction.max_priority_fee_per_gas,
        }
    }

    /// What it takes to take its place: pools ask for a tenth more of both, some for more.
    pub fn outbid(self) -> Self {
        Self {
            fee: quarter_more(self.fee),
            tip: quarter_more(self.tip),
            ..self
        }
    }

    /// Twice as much of both, where it is not known what it takes.
    pub fn doubled(self) -> Self {
        Self {
            fee: self.fee.saturating_mul(2),
            tip: self.tip.max(1).saturating_mul(2),
            ..self
        }
    }

    /// With no less than `bar` has.
    pub fn at_least(self, bar: &Self) -> Self {
        Self {
            fee: self.fee.max(bar.fee),
            tip: self.tip.max(bar.tip),
            ..self
        }
    }

    /// Takes the place of `stuck` at a higher fee, unless the account's next nonce shows that something with
    /// its nonce is in a block by now.
    pub fn outbidding(self, stuck: &Self, next: u64) -> Self {
        if next > stuck.nonce {
            return self;
        }
        let nonce = stuck.nonce;
        Self { nonce, ..self }.at_least(&stuck.outbid())
    }

    /// Offers no more than `max`; refused if less than `least` is no use.
    pub fn within(self, what: &'static str, least: u128, max: u128) -> Result<Self, ClientError> {
        if least > max {
            let fee = least;
            return Err(ClientError::Fee { what, fee, max });
        }
        Ok(self.capped(max))
    }

    pub fn capped(self, max: u128) -> Self {
        Self {
            fee: self.fee.min(max),
            tip: self.tip.min(max),
            ..self
        }
    }
}

/// The transaction for an order, signed by a key that is here.
pub(crate) fn sign(
    key: &AccountKey,
    chain_id: u64,
    sending: &Offer,
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
    sending: &Offer,
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

fn quarter_more(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(4))
}
