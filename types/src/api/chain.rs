//! Commits, checkpoints, committee and the node itself as JSON.

use crate::committee::Member;
use crate::ids::{
    CommitDigest, CommitIndex, CommitteeDigest, Epoch, Height, MemberIndex, Millis, NetworkId,
    Root, Round, Stake, VertexDigest,
};
use crate::statement::CertificateJson;
use crate::vertex::VertexRef;
use serde::{Deserialize, Serialize};

/// A piece of the total order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Commit {
    pub index: CommitIndex,
    pub digest: CommitDigest,
    pub previous: CommitDigest,
    pub timestamp: Millis,
    pub leader: VertexRef,
    /// In order of output, the leader among them.
    pub vertices: Vec<VertexRef>,
    /// Members without leader slots in the rounds above the leader's, until another commit demotes
    /// others; ascending.
    pub demoted: Vec<MemberIndex>,
    /// Members of whom an offence is ordered in this epoch; ascending.
    pub convicted: Vec<MemberIndex>,
}

/// A certificate posted on the base chain. This JSON is also what the store keeps of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    pub height: Height,
    pub epoch: Epoch,
    pub commit: CommitIndex,
    pub state_root: Root,
    /// Hash of the transaction that posted it, `0x` and hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_transaction: Option<String>,
    /// The base chain's block that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_block: Option<u64>,
    /// Whether the base chain has finalised it.
    pub anchored: bool,
}

/// The members in office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Committee {
    pub epoch: Epoch,
    pub digest: CommitteeDigest,
    pub total: Stake,
    /// Stake that certifies.
    pub quorum: Stake,
    /// In the order of bitmaps.
    pub members: Vec<Member>,
}

/// How an epoch ended: what its committee has signed last, and the next committee, which that names by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EpochEnd {
    pub certificate: CertificateJson,
    /// In the order of bitmaps.
    pub next: Vec<Member>,
}

/// A vertex of the DAG.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vertex {
    pub round: Round,
    pub author: MemberIndex,
    pub digest: VertexDigest,
    pub epoch: Epoch,
    pub timestamp: Millis,
    pub parents: Vec<VertexRef>,
    pub weak_links: Vec<VertexRef>,
    /// Number of transactions in it.
    pub transactions: u64,
    /// Of the encoded vertex.
    pub bytes: u64,
}

/// A height that is to be on the base chain, itself or below a later one, and has not been posted in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissedCheckpoint {
    /// The oldest of them.
    pub height: Height,
    /// Its statement's time.
    pub since: Millis,
    /// Whether the base chain has answered this node since its start. Until it has, the height may be there.
    pub base_seen: bool,
}

/// The node that answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeStatus {
    pub name: String,
    /// Of the software.
    pub version: String,
    pub network: NetworkId,
    pub epoch: Epoch,
    pub round: Round,
    /// The newest commit, and its time.
    pub commit: CommitIndex,
    pub timestamp: Millis,
    /// The newest height executed here.
    pub height: Height,
    /// Of `height`.
    pub state_root: Root,
    pub certified_height: Height,
    pub anchored_height: Height,
    /// B2: what is not on the base chain in time, as this member knows; absent when all is, and for an observer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_missed: Option<MissedCheckpoint>,
    /// The first commit that can be read here; above 0 when this node has taken over a state, or has
    /// deleted what was before (S2).
    #[serde(default)]
    pub history_from: CommitIndex,
    /// Connected peers.
    pub peers: u64,
    /// The member that this node is; absent for an observer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberIndex>,
    /// Whether this node signs at the moment.
    pub voting: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not_voting: Option<String>,
    /// Whether this node takes transactions at the moment.
    pub accepting: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not_accepting: Option<String>,
    /// Resident memory in MiB.
    pub rss_mb: u64,
    pub uptime_s: u64,
}
