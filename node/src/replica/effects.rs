//! What goes into the replica, and what comes out of it.

use super::posting;
use super::recovery::Reply;
use super::sync::{Answer, Ask, NoAnswer, SyncId, Synced};
use super::watching::Confirmed;
use crate::view::View;
use std::sync::Arc;
use weft_consensus::{Evidence, FetchId, FetchRequest};
use weft_ledger::{Applied, LedgerMeta, Snapshot};
use weft_types::{
    Certificate, Commit, CommitDigest, Committee, Deposit, Epoch, Height, MemberIndex, Millis,
    QueueEntry, Ready, Round, Statement, StatementDigest, Transaction, Verified, Vertex,
    VertexDigest, VertexRef,
};

/// What the replica learns from outside.
#[derive(Debug)]
pub enum Input {
    /// Received or fetched; `from` is the peer, not the author.
    Vertex {
        vertex: Verified<Vertex>,
        from: Option<MemberIndex>,
    },
    /// A member has asked for vertices.
    Asked {
        by: MemberIndex,
        vertices: Vec<VertexRef>,
    },
    /// A fetch is over; what it brought has been handed in before.
    FetchEnded(FetchId),
    /// S2.8: a member has deleted what it was asked for.
    HistoryGone { of: MemberIndex },
    /// S1: a member's answer to [`Effect::AskLatest`], of the epoch in which it was asked: places in another one are
    /// other members'.
    Latest {
        epoch: Epoch,
        of: MemberIndex,
        reply: Reply,
    },
    /// S2: what came of [`Effect::AskSync`].
    Sync {
        id: SyncId,
        answer: Result<Answer, NoAnswer>,
    },
    /// B1: deposits that lie deep enough on the base chain.
    Deposits(Vec<Confirmed<Deposit>>),
    /// B1, E1: the same of the registry's queue.
    Queue(Vec<Confirmed<QueueEntry>>),
    /// B1: the base chain has taken back what it had confirmed.
    BaseReorganised(String),
    /// E2: one that is in no committee yet is ready for the next epoch.
    Ready(Ready),
    /// E3: a member has sent something of a later epoch.
    Later { from: MemberIndex },
    /// E3: a member has sent the certificate that closes an epoch.
    Closing {
        from: MemberIndex,
        certificate: Box<Certificate>,
    },
    /// F4: a certificate whose statement is not the one that was executed here for its height.
    Contradiction(Box<Verified<Certificate>>),
    /// The base chain has finalised the checkpoint of a height.
    Anchored(Height),
    /// The deadline has passed.
    Tick,
}

/// What the driver is to do, in order.
pub enum Effect {
    /// V3: record in the signing guard, synced; a refusal stops the node.
    GuardVertex {
        epoch: Epoch,
        round: Round,
        digest: VertexDigest,
    },
    /// V3: the same for a statement.
    GuardStatement {
        epoch: Epoch,
        height: Height,
        digest: StatementDigest,
    },
    /// S1: forbid everything at or below in the signing guard, synced. Make it if it is missing, or in
    /// place of a damaged one.
    GuardFloor {
        epoch: Epoch,
        round: Round,
        height: Height,
    },
    /// Store an own vertex, synced.
    PersistOwn(Verified<Vertex>),
    /// Store another member's vertex; synced with the next own one.
    Persist(Verified<Vertex>),
    Broadcast(Verified<Vertex>),
    /// Pass a vertex on to a member that shows that it lacks it.
    Relay {
        to: MemberIndex,
        vertex: Verified<Vertex>,
    },
    /// Ask a member, hand in what it answers, then `FetchEnded`.
    Fetch(FetchRequest),
    /// S1: ask a member for the latest vertex that it has signed, and hand in what it answers with the time of the
    /// question. No answer is needed if there is none.
    AskLatest {
        of: MemberIndex,
        asked: Millis,
    },
    /// S2: ask a member for a part of a snapshot, and hand in what comes of it.
    AskSync(Ask),
    /// S2: put this in the store's place, all or nothing, and make the replica anew from it. This one is
    /// at its end.
    TakeOver(Box<Synced>),
    /// Tell the operator.
    Note(String),
    /// Store a commit with all that it changed, in one batch, and tell readers.
    Executed(Box<Executed>),
    /// Store a certificate, synced, and tell readers. One with heights due for posting (B2), which it is
    /// the first to cover, goes to [`posting`]. With the state of its height, where this is its first certificate and
    /// the height was executed by this process.
    Certified {
        certificate: Arc<Verified<Certificate>>,
        due: Vec<posting::Due>,
        snapshot: Option<Snapshot>,
    },
    /// Remember that a checkpoint is anchored, and tell readers.
    Anchored(Height),
    /// Keep the proof that a member signed two vertices for one round.
    Equivocation(Evidence),
    /// E2: tell all members that this node is ready for the next epoch.
    SendReady(Ready),
    /// E3: ask a member for the certificate that closes this epoch, and for its vertices of rounds above one.
    AskClosing {
        of: MemberIndex,
        after: Round,
    },
    /// E2: remember the committee, synced, before anything is signed in its epoch; from now on its members are whom
    /// to talk to.
    EpochOpened {
        committee: Arc<Committee>,
        /// What closed the epoch before.
        by: Arc<Verified<Certificate>>,
    },
    /// B1: tell the operator that this member says nothing of the base chain any more.
    BridgeHalted(String),
    /// F4: keep a certificate that contradicts the own statement, and what this node has of that height, synced; the contracts
    /// are shown both (BC21).
    Contradiction(Box<Verified<Certificate>>),
    /// F4: a quorum has certified another statement than the own one of a height.
    Diverged(Divergence),
    /// F4: stop taking part, keep the store for replay, and say why.
    Halt(String),
}

/// Which height it is, and whose statements differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divergence {
    pub height: Height,
    pub own: StatementDigest,
    pub certified: StatementDigest,
}

/// A commit and what executing it did.
pub struct Executed {
    pub commit: Commit,
    /// The commit's.
    pub digest: CommitDigest,
    /// The commit's transactions that are not void, in order.
    pub transactions: Vec<Arc<Verified<Transaction>>>,
    pub applied: Applied,
    /// Of the ledger after it.
    pub meta: LedgerMeta,
    /// Set when this commit is a height.
    pub statement: Option<Arc<Statement>>,
    /// What readers see from then on.
    pub view: View,
}
