//! What an operator sends to the registry, as it is shown.

use super::{coins, decimal};
use crate::base::hash_shown;
use crate::failure::Failure;
use crate::output::Output;
use crate::values::lines;
use serde::Serialize;
use weft_basechain::{Mined, Quote};
use weft_types::BaseAddress;

/// What is, or would be, sent to the registry.
#[derive(Serialize)]
pub struct Order {
    pub what: &'static str,
    /// Absent for one that is still to be registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masternode: Option<u64>,
    pub operator: BaseAddress,
    pub registry: BaseAddress,
    pub chain_id: u64,
    /// In wei, as a text, as is all coin here: it may not fit a JSON number.
    pub value_wei: String,
    pub balance_wei: String,
    /// The most that it costs beside, and what that is made of: what is signed. Absent when nothing is to be sent.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertex_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finality_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<String>,
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

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
    pub fn words(&self) -> String {
        let wei = |text: &str| text.parse::<u128>().unwrap_or_default();
        format!(
            "{} at most ({} gas at {} gwei)",
            coins(wei(&self.fee_max_wei)),
            self.gas_limit,
            decimal(wei(&self.gas_price_max_wei), 9)
        )
    }
}

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

impl Order {
    /// Of an earlier command.
    pub fn made_earlier(mut self, mined: &Mined) -> Self {
        let earlier = true;
        self.sent = Some(Sent {
            earlier,
            ..mined.into()
        });
        self
    }
}

pub fn show(order: &Order, output: &Output) -> Result<(), Failure> {
    output.data(order, |o| {
        let coin = |text: &str| coins(text.parse().unwrap_or_default());
        let mut rows = vec![("what", o.what.to_owned())];
        let id = o.masternode.map(|id| id.to_string());
        // Before it is sent.
        let has = match o.sent {
            Some(_) => "operator had",
            None => "operator has",
        };
        rows.extend(id.map(|id| ("masternode", id)));
        rows.extend([
            ("operator", o.operator.to_string()),
            ("registry", o.registry.to_string()),
            ("sends", coin(&o.value_wei)),
            (has, coin(&o.balance_wei)),
        ]);
        if let Some(cost) = &o.cost {
            rows.push(("fees", cost.words()));
            rows.push(("nonce", cost.nonce.to_string()));
        }
        let optional = [
            ("vertex key", &o.vertex_key),
            ("finality key", &o.finality_key),
            ("addresses", &o.addresses),
        ];
        rows.extend(
            optional
                .into_iter()
                .filter_map(|(name, text)| Some((name, text.clone()?))),
        );
        match &o.sent {
            Some(sent) => {
                rows.push(("base block", sent.base_block.to_string()));
                rows.push(("base transaction", sent.base_transaction.clone()));
            }
            None => rows.push(("sent", "nothing".to_owned())),
        }
        lines(&rows)
    })
}
