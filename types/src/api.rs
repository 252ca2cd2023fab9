//! The shapes of the HTTP API, shared by server and clients. Digests are hexadecimal, addresses
//! bech32m, times Unix milliseconds, amounts whole numbers of the asset's smallest unit. A field
//! without a value is left out.

mod book;
mod bridge;
mod chain;
mod data;
mod event;
mod market;
mod objects;
mod offenders;
mod problem;
mod proofs;
mod roster;
mod transactions;
mod vouchers;

pub use book::{Book, Clearing, Level};
pub use bridge::{
    Bridge, BridgeStatus, ExitPlace, ExitProof, ExitTree, Exits, Holding, LeafClaim, MemberReport,
    ProvenWithdrawal, WithdrawalState, WithdrawalStatus, Withdrawals,
};
pub use chain::{Checkpoint, Commit, Committee, EpochEnd, MissedCheckpoint, NodeStatus, Vertex};
pub use data::{Content, Posted, SignedAvailability};
pub use event::{Event, Ordered, Topic, TopicError};
pub use market::{DealSide, Prices, Trade, Turnover};
pub use objects::{
    Account, Balance, Collection, Deal, DealState, Edition, HighestBid, History, Item, ItemState,
    Keys, Object, Recovery,
};
pub use offenders::{OffenderStatus, Offenders};
pub use problem::{PROBLEM_TYPE_PREFIX, Problem, ProblemCode};
pub use proofs::{Kept, ProofBundle};
pub use roster::{Outlook, Roster, Seat, Work};
pub use transactions::{
    AuthorisationJson, BodyJson, DryRun, JsonError, ListEntry, Receipt, Refused, Submission,
    SubmitRequest, TransactionJson, TransactionState, TransactionStatus,
};
pub use vouchers::{SpentVoucher, VoucherPool};

use serde::{Deserialize, Serialize};

/// Content type of protobuf bodies.
pub const PROTOBUF: &str = "application/x-protobuf";
/// Content type of problems (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Response header: the newest commit that a reading has seen. Sent back as `min_commit`, it makes
/// later readings, at this node or another, never older.
pub const COMMIT_HEADER: &str = "weft-commit";
/// Response header: the newest executed height that a reading has seen.
pub const HEIGHT_HEADER: &str = "weft-height";
/// Most transactions in one request.
pub const SUBMIT_TRANSACTIONS_MAX: usize = 4_096;
/// Longest request body in bytes.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// Longest JSON body in bytes: less, because JSON takes more memory than it has bytes.
pub const JSON_BYTES_MAX: usize = 2 << 20;
/// Most entries of one page.
pub const PAGE_MAX: usize = 500;
/// Entries of a page when none are asked for.
pub const PAGE_DEFAULT: usize = 50;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Sent back as `cursor`, it brings the next part; absent after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests;
