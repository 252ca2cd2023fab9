//! What an operator sends to the registry, as it is shown.

use crate::base::{Cost, Sent};
use crate::failure::Failure;
use crate::output::Output;
use crate::values::{coins, lines};
use serde::Serialize;
use weft_basechain::Mined;
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

impl Order {
    /// Of an earlier command.
    pub fn made_earlier(mut self, mined: &Mined) -> Self {
        self.sent = Some(Sent::earlier(mined));
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
        rows.extend(o.cost.iter().flat_map(Cost::rows));
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
        rows.extend(Sent::rows(o.sent.as_ref()));
        lines(&rows)
    })
}
