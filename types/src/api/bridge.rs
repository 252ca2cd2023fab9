//! B1: the bridge to the base chain as JSON.

use crate::bridge::{self, Withdrawal};
use crate::feed::FeedReport;
use crate::ids::{BaseAddress, Height, Root};
use crate::statement::Statement;
use serde::{Deserialize, Serialize};

/// How far the ledger has come with the base chain's vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bridge {
    /// Deposits credited.
    pub deposits: FeedReport,
    /// Deposits that a quorum has reported, and that are about to be credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<FeedReport>,
    /// The newest report of each member beyond what is credited, by its id in the registry.
    pub reports: Vec<MemberReport>,
    /// Withdrawals ever requested.
    pub withdrawals: u64,
    /// The root of their tree.
    pub withdrawals_root: Root,
}

/// What a member has seen of the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberReport {
    pub member: u64,
    pub report: FeedReport,
}

impl Bridge {
    pub fn new(bridge: &bridge::Bridge) -> Self {
        let reports = bridge.deposits.reports.iter();
        let reports = reports.map(|&(member, report)| MemberReport { member, report });
        Self {
            deposits: bridge.deposits.taken(),
            agreed: bridge.deposits.agreed,
            reports: reports.collect(),
            withdrawals: bridge.withdrawals.count(),
            withdrawals_root: bridge.withdrawals.root(),
        }
    }
}

/// The bridge as a node has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BridgeStatus {
    /// The contracts on the base chain.
    pub vault: BaseAddress,
    pub manager: BaseAddress,
    pub registry: BaseAddress,
    /// Seconds between a checkpoint's posting and the first payout by it.
    pub challenge_window_s: u64,
    #[serde(flatten)]
    pub bridge: Bridge,
    /// Why this node reports no deposits any more; absent when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
}

/// How far a withdrawal has come. What the vault has paid, the base chain knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WithdrawalState {
    /// Taken out of the ledger.
    Requested,
    /// Under a certificate of the committee.
    Certified,
    /// Under a checkpoint on the base chain: paid by it once its time for challenges is over.
    Posted,
}

/// A withdrawal and what it is paid by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WithdrawalStatus {
    #[serde(flatten)]
    pub withdrawal: Withdrawal,
    pub state: WithdrawalState,
    /// Once it is posted: always by the first checkpoint that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<LeafClaim>,
}

/// What a contract on the base chain is shown of a leaf: the vault of a withdrawal, the registry of an offender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeafClaim {
    /// Of the checkpoint.
    pub height: Height,
    pub statement: Statement,
    /// Of the leaf, from the leaf upwards: 32.
    pub siblings: Vec<Root>,
}
