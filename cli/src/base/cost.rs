//! What something costs on the base chain, and what came of it, as it is shown.

use super::hash_shown;
use crate::values::{coins, decimal};
use serde::Serialize;
use weft_basechain::{Mined, Quote};

/// The most that it costs, and what that is made of: what is signed. Wei are texts: they may not fit a JSON number.
#[derive(Serialize)]
pub struct Cost {
    fee_max_wei: String,
    gas_limit: u64,
    /// For a unit of gas.
    gas_price_max_wei: String,
    nonce: u64,
}

impl From<&Quote> for Cost {
    fn from(quote: &Quote) -> Self {
        Self {
            fee_max_wei: quote.fee_max().to_string(),
            gas_limit: quote.gas_limit,
            gas_price_max_wei: quote.fee.to_string(),
            nonce: quote.nonce,
        }
    }
}

impl Cost {
    #[cfg(test)]
    pub fn for_tests(gas_limit: u64, price_max_wei: u128) -> Self {
        Self {
            fee_max_wei: (u128::from(gas_limit) * price_max_wei).to_string(),
            gas_limit,
            gas_price_max_wei: price_max_wei.to_string(),
            nonce: 7,
        }
    }

    pub fn words(&self) -> String {
        let wei = |text: &str| text.parse::<u128>().unwrap_or_default();
        format!(
            "{} at most ({} gas at {} gwei)",
            coins(wei(&self.fee_max_wei)),
            self.gas_limit,
            decimal(wei(&self.gas_price_max_wei), 9)
        )
    }

    pub fn rows(&self) -> [(&'static str, String); 2] {
        [("fees", self.words()), ("nonce", self.nonce.to_string())]
    }
}

/// The block that it is in.
#[derive(Serialize)]
pub struct Sent {
    base_block: u64,
    base_transaction: String,
    gas_used: u64,
    /// By an earlier command that did not hear of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    earlier: bool,
}

impl From<&Mined> for Sent {
    fn from(mined: &Mined) -> Self {
        Self {
            base_block: mined.block,
            base_transaction: hash_shown(&mined.hash),
            gas_used: mined.gas_used,
            earlier: false,
        }
    }
}

impl Sent {
    /// Of an earlier command.
    pub fn earlier(mined: &Mined) -> Self {
        Self {
            earlier: true,
            ..mined.into()
        }
    }

    pub fn rows(sent: Option<&Self>) -> Vec<(&'static str, String)> {
        let Some(sent) = sent else {
            return vec![("sent", "nothing".to_owned())];
        };
        vec![
            ("base block", sent.base_block.to_string()),
            ("base transaction", sent.base_transaction.clone()),
        ]
    }
}
