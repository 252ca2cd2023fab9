//! From what a disk holds to a replica that goes on where it stood: the ledger from objects and
//! receipts, the DAG from the vertices above the GC round, finality from statements, the certificate
//! and the shares in those vertices. Which disk that is does not matter here: the driver reads
//! RocksDB, a simulator its own. Nothing asks anybody, and what does not fit together is an error.

use std::sync::Arc;
use weft_consensus::{LastCommit, Recovered, gc_floor};
use weft_ledger::{Change, Ledger, LedgerError, LedgerMeta};
use weft_types::{
    Certificate, Commit, CommitDigest, CommitIndex, Committee, Epoch, FinalityShare, Genesis,
    Height, MemberIndex, MemberSet, Millis, Object, ObjectId, Receipt, Roster, Round, Statement,
    Verified, Vertex, VertexRef,
};

/// Data that no replica can start from.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("stored ledger: {0}")]
    Ledger(#[from] LedgerError),
    #[error("stored data do not fit together: {0}")]
    Inconsistent(String),
}

/// What a restart finds in the store, or what genesis gives.
pub struct Restored {
    pub core: Recovered,
    /// S1: why `core.signed` is not known, if it is not.
    pub lost: Option<Lost>,
    /// S1: something was signed before, in whatever epoch.
    pub has_signed: bool,
    /// S1.5: the time of the own latest vertex, of whatever epoch; zero if there is none.
    pub signed_at: Millis,
    /// V3, S1: no statement of this height or a lower one is signed.
    pub height_floor: Height,
    pub ledger: Ledger,
    /// Statements of the newest certified height and of all after it, ascending.
    pub statements: Vec<Statement>,
    /// The newest certificate.
    pub certificate: Option<Arc<Verified<Certificate>>>,
    /// S2.4: from when on each height has a certificate of its own; zero if all have.
    pub whole_from: Millis,
    pub anchored: Height,
    /// Shares found in stored vertices, for heights that are not certified yet.
    pub shares: Vec<(MemberIndex, FinalityShare)>,
}

/// E2: the committee whose epoch a disk stands in: the next one's, once the certificate that closes an epoch is there.
/// Beside it the last commit of the epoch before.
pub fn in_office(
    genesis: &Genesis,
    roster: Option<&Roster>,
    last: &Commit,
    certificate: Option<&Certificate>,
) -> Result<(Committee, CommitIndex), RestoreError> {
    let inconsistent = |e: &dyn std::fmt::Display| RestoreError::Inconsistent(e.to_string());
    let Some(roster) = roster else {
        let committee = genesis.committee().map_err(|e| inconsistent(&e))?;
        return Ok((committee, CommitIndex::ZERO));
    };
    let next = roster.next_committee().filter(|_| roster.closed);
    let closed_by = |next: &Committee| {
        certificate.is_some_and(|c| {
            c.statement.epoch == roster.epoch && c.statement.next_committee == next.digest()
        })
    };
    if let Some(next) = next.filter(closed_by) {
        return Ok((next, last.index));
    }
    let committee = roster.committee().map_err(|e| inconsistent(&e))?;
    Ok((committee, roster.after))
}

/// What a disk holds of a node.
pub struct Found {
    /// E2: the epoch that it stands in, and the last commit of the one before.
    pub epoch: Epoch,
    pub epoch_after: CommitIndex,
    /// The newest commit; commit 0 is the genesis.
    pub last: Commit,
    /// The commits whose leaders are at or above [`first_round`], and the one before them, which says who
    /// was demoted then (D5), ascending; commit 0 is none of them.
    pub commits: Vec<Commit>,
    /// The vertices from that round on, in any order, verified again.
    pub vertices: Vec<Verified<Vertex>>,
    /// The own latest vertex, wherever it is.
    pub own: Option<Verified<Vertex>>,
    /// V3, S1: the highest round that the guard has let pass, zero if none; or why that is not known.
    pub signed: Result<Round, Lost>,
    /// S1: the guard has let something pass, in whatever epoch.
    pub has_signed: bool,
    /// V3: no statement of this height or a lower one is signed: those that the guard has let pass above it
    /// may be signed again.
    pub height_floor: Height,
    pub meta: LedgerMeta,
    pub objects: Vec<(ObjectId, bytes::Bytes)>,
    /// Further objects, of a simulation: those with mock keys, which have no encoding that could be read.
    pub decoded: Vec<(ObjectId, Object)>,
    /// Of the commits of which [`ReceiptsNeeded::has`] says so, in their order.
    pub receipts: Vec<Receipt>,
    /// L22: what the commits after the last height's have ordered, in their order.
    pub ordered: Vec<VertexRef>,
    /// Of the newest certified height, if it is here, and of all after it, ascending.
    pub statements: Vec<Statement>,
    /// The newest certificate.
    pub certificate: Option<Arc<Verified<Certificate>>>,
    /// S2.4: what [`whole_from`](super::whole_from) says of the certificates that are here.
    pub whole_from: Millis,
    pub anchored: Height,
}

/// O2: the lowest round that is needed of vertices and of commits' leaders, in an epoch after a commit.
pub fn first_round_after(epoch_after: CommitIndex, last: &Commit, gc_depth: u64) -> Round {
    match last.index > epoch_after {
        false => Round::ZERO,
        true => first_round(last, gc_depth),
    }
}

/// The same of the first epoch.
pub fn first_round(last: &Commit, gc_depth: u64) -> Round {
    match last.index {
        CommitIndex::ZERO => Round::ZERO,
        _ => gc_floor(last.leader.round, gc_depth),
    }
}

/// Which commits' receipts the ledger needs to go on.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptsNeeded {
    since: Millis,
    height_commit: CommitIndex,
}

impl ReceiptsNeeded {
    pub fn new(meta: &LedgerMeta, genesis: &Genesis) -> Self {
        Self {
            since: meta.remembers_from(&genesis.template.params),
            height_commit: meta.height_commit,
        }
    }

    pub fn has(&self, commit: &Commit) -> bool {
        commit.timestamp >= self.since || commit.index > self.height_commit
    }
}

/// Commit 0, which brings the genesis objects into a store like any other commit; it has no vertices.
pub fn genesis_commit(
    genesis: &Genesis,
) -> Result<(Commit, Vec<Change>, LedgerMeta), RestoreError> {
    let (ledger, changes) = Ledger::genesis(&genesis.template)?;
    let network = genesis.network.id();
    let leader = Vertex::genesis(network, Epoch::ZERO, MemberIndex(0));
    let commit = Commit {
        index: CommitIndex::ZERO,
        leader: leader.reference(),
        vertices: Vec::new(),
        timestamp: genesis.template.timestamp_ms,
        previous: CommitDigest::ZERO,
        demoted: MemberSet::default(),
        convicted: MemberSet::default(),
    };
    Ok((commit, changes, ledger.meta()))
}

impl Found {
    /// # Errors
    /// When ledger and commits, or objects and the newest statement, do not fit together.
    pub fn restore(self, genesis: &Genesis) -> Result<Restored, RestoreError> {
        let ledger = self.ledger_of(genesis)?;
        let certified = self
            .certificate
            .as_ref()
            .map_or(Height::ZERO, |c| c.statement.height);
        let shares = self.vertices.iter().flat_map(|vertex| {
            let open = vertex.shares().iter().filter(|s| s.height > certified);
            open.map(|share| (vertex.author(), share.clone()))
        });
        let last = match self.last.index {
            CommitIndex::ZERO => LastCommit::genesis(genesis.template.timestamp_ms),
            index if index == self.epoch_after => LastCommit {
                leader: None,
                demoted: MemberSet::default(),
                convicted: MemberSet::default(),
                ..LastCommit::of(&self.last)
            },
            _ => LastCommit::of(&self.last),
        };
        let signed_at = self
            .own
            .as_ref()
            .map_or(Millis::ZERO, |own| own.timestamp());
        let own = self.own.filter(|own| own.epoch() == self.epoch);
        let of_epoch = |c: &Commit| c.index > self.epoch_after;
        let commits = self.commits.into_iter().filter(of_epoch);
        Ok(Restored {
            shares: shares.collect(),
            core: Recovered {
                last,
                commits: commits.collect(),
                vertices: self.vertices,
                own,
                signed: self.signed.ok(),
            },
            lost: self.signed.err(),
            has_signed: self.has_signed,
            signed_at,
            height_floor: self.height_floor,
            ledger,
            statements: self.statements,
            certificate: self.certificate,
            whole_from: self.whole_from,
            anchored: self.anchored,
        })
    }

    fn ledger_of(&self, genesis: &Genesis) -> Result<Ledger, RestoreError> {
        if self.meta.index != self.last.index {
            return Err(RestoreError::Inconsistent(format!(
                "ledger at commit {}, store at {}",
                self.meta.index, self.last.index
            )));
        }
        let decode = |(id, value): &(ObjectId, bytes::Bytes)| {
            let object = Object::decode(id, value.clone());
            let object = object.map_err(|error| LedgerError::Object { id: *id, error })?;
            Ok((*id, object))
        };
        let objects = self.objects.iter().map(decode);
        let objects = objects.chain(self.decoded.iter().cloned().map(Ok));
        let receipts = self.receipts.iter().cloned();
        let params = &genesis.template.params;
        let mut ledger = Ledger::restore_decoded(params, self.meta, objects, receipts)?;
        ledger.recount(&self.ordered);
        // Nothing has changed since the last height: then the root must be the one that was stated.
        if let Some(statement) = self.statements.last().filter(|_| !self.meta.changed) {
            let root = ledger.snapshot().root();
            if root != statement.state_root {
                return Err(RestoreError::Inconsistent(format!(
                    "the stored objects have root {root}, height {} has {}",
                    statement.height, statement.state_root
                )));
            }
        }
        Ok(ledger)
    }
}

/// S1: the highest round that may have been signed in an epoch, by the highest place of all.
pub fn signed_in(epoch: Epoch, highest: Option<(Epoch, Round)>) -> Result<Round, Lost> {
    match highest {
        Some((of, round)) if of == epoch => Ok(round),
        Some((of, round)) if of > epoch => Err(Lost::StoreBehind(of, round)),
        _ => Ok(Round::ZERO),
    }
}

/// The signing guard as it was found on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardFound {
    Missing,
    Damaged,
    /// The highest place that it has let pass, or forbids; `None` when it has let nothing pass.
    There(Option<(Epoch, Round)>),
    /// The same of one that was imported.
    Moved(Option<(Epoch, Round)>),
}

/// S1: why a member does not know what it has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    #[error("there is no signing guard")]
    GuardMissing,
    #[error("the signing guard is damaged")]
    GuardDamaged,
    /// It was restored from an older copy, or put back from elsewhere.
    #[error("the database has vertices of this node that the signing guard does not know of")]
    GuardBehind,
    /// The database was restored from an older copy, or is gone.
    #[error("the database is behind the signing guard, which knows of epoch {0} round {1}")]
    StoreBehind(Epoch, Round),
    /// It may be older than what was signed last.
    #[error("the signing guard was imported, with epoch {0} round {1}")]
    Moved(Epoch, Round),
    /// Guard and database are older copies, or somebody else signs with the key.
    #[error(
        "others have a vertex of epoch {0} round {1} by this node's key that this node has not signed"
    )]
    Elsewhere(Epoch, Round),
    /// S1.7: nothing that this member does ends it.
    #[error(
        "another process signs with this node's key, or its data is an older copy: round {1} of epoch {0} is signed, and \
         not by this process"
    )]
    Twin(Epoch, Round),
}

impl Lost {
    /// The highest place that is known to be signed, or forbidden, all the same.
    pub fn place(&self) -> Option<(Epoch, Round)> {
        match self {
            Self::StoreBehind(epoch, round)
            | Self::Moved(epoch, round)
            | Self::Elsewhere(epoch, round)
            | Self::Twin(epoch, round) => Some((*epoch, *round)),
            Self::GuardMissing | Self::GuardDamaged | Self::GuardBehind => None,
        }
    }

    /// What is known to be signed in an epoch; `None` when it is over for this member, which has signed in a
    /// later one.
    pub fn signed(&self, epoch: Epoch) -> Option<Round> {
        match self.place() {
            Some((of, _)) if of > epoch => None,
            Some((of, round)) if of == epoch => Some(round),
            _ => Some(Round::ZERO),
        }
    }

    pub fn is_twin(&self) -> bool {
        matches!(self, Self::Twin(..))
    }
}

/// How the signing guard and the own latest vertex of the database stand to each other (V3, S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardFit {
    Fits,
    /// A crash between the two writes: the own vertex is to be guarded now.
    Guard(Epoch, weft_types::VertexRef),
    /// S1: the others have to be asked first.
    Lost(Lost),
}

/// Compares the guard with the own latest vertex: its epoch, its name, and the vertex itself if the
/// database still has it.
pub fn guard_fit(
    guard: GuardFound,
    own: Option<(Epoch, weft_types::VertexRef, Option<&Vertex>)>,
) -> GuardFit {
    let highest = match guard {
        GuardFound::Missing => return GuardFit::Lost(Lost::GuardMissing),
        GuardFound::Damaged => return GuardFit::Lost(Lost::GuardDamaged),
        GuardFound::Moved(highest) => {
            let (epoch, round) = highest.unwrap_or_default();
            return GuardFit::Lost(Lost::Moved(epoch, round));
        }
        GuardFound::There(highest) => highest,
    };
    let stored = own.map(|(epoch, vertex, _)| (epoch, vertex.round));
    // The database has an own vertex before the guard does, so it is never behind.
    if highest > stored {
        let (epoch, round) = highest.unwrap_or_default();
        return GuardFit::Lost(Lost::StoreBehind(epoch, round));
    }
    let Some((epoch, reference, vertex)) = own.filter(|_| highest < stored) else {
        return GuardFit::Fits;
    };
    // A crash in between, or a torn write of the guard: one vertex that was stored and not guarded.
    let before = highest.map_or(Round::ZERO, |(_, round)| round);
    let previous = vertex.and_then(|v| v.parents().first().map(|p| p.round));
    if previous.is_none_or(|previous| previous > before) {
        return GuardFit::Lost(Lost::GuardBehind);
    }
    GuardFit::Guard(epoch, reference)
}

/// What the store's objects become by these changes.
pub fn stored_objects(changes: &[Change]) -> Vec<(ObjectId, Option<bytes::Bytes>)> {
    let encoded = |change: &Change| (change.id, change.after.as_ref().map(Object::encode));
    changes.iter().map(encoded).collect()
}
