//! By what metrics are told apart.

use prometheus_client::encoding::EncodeLabelSet;

/// What became of a transaction, from the side of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionResult {
    /// Taken from a client.
    Submitted,
    /// Answered to a client with a problem.
    Refused,
    /// Ordered and applied, whoever took it.
    Applied,
    /// Ordered and refused by the ledger.
    Rejected,
    /// Taken here and not ordered in its time.
    Expired,
}

/// What became of a checkpoint that this node posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckpointResult {
    Posted,
    Failed,
    Anchored,
}

/// What became of a report that this node sent to the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportResult {
    Reported,
    Failed,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    Sent,
    Received,
}

impl TransactionResult {
    pub const ALL: [Self; 5] = [
        Self::Submitted,
        Self::Refused,
        Self::Applied,
        Self::Rejected,
        Self::Expired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Refused => "refused",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

impl CheckpointResult {
    pub const ALL: [Self; 3] = [Self::Posted, Self::Failed, Self::Anchored];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Failed => "failed",
            Self::Anchored => "anchored",
        }
    }
}

impl ReportResult {
    pub const ALL: [Self; 2] = [Self::Reported, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Failed => "failed",
        }
    }
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResultLabel {
    pub result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DirectionLabel {
    pub direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabel {
    pub method: &'static str,
    pub route: String,
    pub status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabel {
    pub route: String,
}
