//! An edition's book: what is bid and asked for at which price.

use crate::ids::{Amount, CommitIndex, EditionId, Millis};
use serde::{Deserialize, Serialize};

/// The open orders of an edition, by price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Book {
    pub edition: EditionId,
    /// The highest first.
    pub bids: Vec<Level>,
    /// The lowest first.
    pub asks: Vec<Level>,
    /// The newest clearing that this node knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Clearing>,
}

/// The orders of one side at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Level {
    /// Of an item, in the native asset's smallest unit.
    pub price: Amount,
    /// Items of all of them together.
    pub items: u64,
    pub orders: u64,
}

/// What a book has traded at once, all at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Clearing {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    /// Of each item.
    pub price: Amount,
    pub items: u64,
}
