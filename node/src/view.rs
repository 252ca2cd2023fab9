//! What readers see of the node, replaced as a whole after every commit: reading never waits for the
//! replica, and the replica never waits for a reader.

use crate::replica::Provable;
use std::sync::Arc;
use weft_ledger::Snapshot;
use weft_types::{
    Certificate, CommitIndex, Epoch, Height, MemberIndex, Millis, Root, Round, Verified,
};

/// The newest certified height with the state that it certifies: what proofs are made against.
#[derive(Clone)]
pub struct CertifiedView {
    pub certificate: Arc<Verified<Certificate>>,
    pub snapshot: Snapshot,
}

/// One consistent picture of the node.
#[derive(Clone)]
pub struct View {
    pub epoch: Epoch,
    /// The round of the newest own vertex, or of the DAG for an observer.
    pub round: Round,
    /// The newest commit, and the ledger after it.
    pub commit: CommitIndex,
    pub timestamp: Millis,
    pub snapshot: Snapshot,
    /// The newest height executed here, and its state root.
    pub height: Height,
    pub state_root: Root,
    /// `None` before the first certificate.
    pub certified: Option<CertifiedView>,
    /// S2: what is held for nodes that lack the past.
    pub held: Arc<[CertifiedView]>,
    /// X3: the trees of heights that may be the newest checkpoint, ascending.
    pub provable: Arc<[Provable]>,
    /// B1: why this node credits no deposits any more.
    pub bridge_halted: Option<String>,
    /// The newest height anchored on the base chain.
    pub anchored: Height,
    /// `None` for an observer.
    pub own: Option<MemberIndex>,
    /// Why this node signs nothing at the moment, in words for its operator.
    pub not_voting: Option<String>,
    /// Why no transactions are taken at the moment (F4, a full mempool), in words for clients.
    pub not_accepting: Option<String>,
    /// Why others should be asked rather than this node: a member that takes no transactions, an
    /// observer whose state is old.
    pub not_ready: Option<String>,
}
