//! B1: the bridge to the base chain as JSON.

use crate::bridge::{self, BaseAsset, Exit, Withdrawal};
use crate::feed::FeedReport;
use crate::ids::{Address, BaseAddress, Height, ItemId, Root};
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
    /// For a minute and more the base chain that this node reads has had fewer deposits than are credited: it lags, or has
    /// taken some back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lags: bool,
    /// Heights under which the node proves what leaves, ascending; not each of them need be on the base chain.
    #[serde(default)]
    pub provable: Vec<Height>,
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
    /// The first height under whose certificate it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<Height>,
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

/// K5: what the newest checkpoint has of withdrawals, with what the vault pays them by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Withdrawals {
    pub statement: Statement,
    /// How many withdrawals the checkpoint's tree has, of whomever.
    pub count: u64,
    /// Ascending by index.
    pub withdrawals: Vec<ProvenWithdrawal>,
    /// The next page's cursor. That page may be of another checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A leaf of the checkpoint's tree of withdrawals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProvenWithdrawal {
    #[serde(flatten)]
    pub withdrawal: Withdrawal,
    /// From the leaf upwards: 32. Absent where everybody's are asked for: whoever has all leaves has their tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<Root>,
}

/// X3: what an account holds of the base chain's assets, and what the vault pays of it if the network ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exits {
    pub account: Address,
    /// Who has it on the base chain then; absent while that is nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_address: Option<BaseAddress>,
    /// The newest checkpoint that this node has proofs of; absent before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// First amounts by asset, then cards by edition and serial.
    pub holdings: Vec<Holding>,
    /// The next page's cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An amount of an asset, or a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Holding {
    /// Now; an amount with what open deals lock of it.
    pub asset: BaseAsset,
    /// The card in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// Who has it on the base chain if the network ends. A card may have another one than its holder's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_address: Option<BaseAddress>,
    /// What the checkpoint says of it; absent when it says nothing, or has another owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ExitProof>,
}

/// A leaf of the checkpoint's exit tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExitProof {
    pub exit: Exit,
    /// From the leaf upwards: 32.
    pub siblings: Vec<Root>,
}

/// X5: what the newest checkpoint has at a place of the exit tree, by which other claims of it are refuted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExitPlace {
    pub place: u64,
    pub statement: Statement,
    /// Absent when nothing is there (any more).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// From the leaf upwards: 32.
    pub siblings: Vec<Root>,
}

/// The exit tree of the newest checkpoint: whoever has all of it refutes whatever is claimed wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExitTree {
    pub statement: Statement,
    /// What is not empty lies below this place.
    pub places: u64,
    /// Ascending by place.
    pub exits: Vec<Exit>,
    /// The next page's cursor. That page may be of another checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
