//! What items are sold for. A price is of one item, in the native asset's smallest unit.

use crate::ids::{Address, Amount, CommitIndex, DealId, EditionId, ItemId, Millis, TransactionId};
use serde::{Deserialize, Serialize};

/// An item that was sold by a deal, for the native asset alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trade {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    pub item: ItemId,
    pub edition: EditionId,
    pub deal: DealId,
    /// The item's part of the deal's price: the parts differ by one at most, and add up to it.
    pub price: Amount,
    pub seller: Address,
    pub buyer: Address,
    /// What took the deal; absent when the ledger ended it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
}

/// How much was sold in a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Turnover {
    /// Items sold.
    pub trades: u64,
    /// What was paid for them together.
    pub volume: Amount,
}

/// What items of an edition or collection cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Prices {
    /// The least that an item costs among the open listings that anybody may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Amount>,
    /// The most that is offered for any of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Amount>,
    /// The newest trade that this node knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Trade>,
    /// In the last 24 hours of the ledger's time, as far back as this node knows.
    pub day: Turnover,
}

/// Which open deals a list by price has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DealSide {
    /// Items for the native asset; the cheapest first.
    Listing,
    /// The native asset for items; the highest first.
    Offer,
}
