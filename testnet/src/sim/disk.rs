//! A member's disk: the database with one log of writes, and the signing guard, a file of its own. It
//! keeps what the driver's store keeps, in memory.
//!
//! Writes are seen at once and are durable when a sync that came after them is over. A crash keeps
//! what is durable and a random beginning of the rest, because a log is written in its order and nobody
//! knows which part of it had reached the disk; but nothing of what had not begun, because the disk was
//! still busy with what stands before it.

mod epochs;
mod snapshots;

use super::rng::Rng;
use super::time::Time;
use bytes::Bytes;
use epochs::ROSTER;
pub use epochs::{Opened, Standing};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use weft_ledger::{Change, LedgerMeta};
use weft_node::replica::restore::{
    Found, GuardFit, GuardFound, ReceiptsNeeded, RestoreError, first_round_after, genesis_commit,
    guard_fit, signed_in, stored_objects,
};
use weft_node::replica::sync::Archive as _;
use weft_node::replica::{Executed, Lost, whole_from};
use weft_storage::{GuardError, GuardFloor, GuardRecord};
use weft_types::{
    Certificate, Commit, CommitIndex, Epoch, Genesis, Height, NetworkId, Object, ObjectId, Receipt,
    Round, Statement, StatementDigest, Verified, Vertex, VertexDigest, VertexRef, bls, ed25519,
};

/// A commit with all that it changed: one atomic write.
#[derive(Clone)]
struct StoredCommit {
    commit: Commit,
    changes: Vec<Change>,
    receipts: Vec<Receipt>,
    meta: LedgerMeta,
    statement: Option<Arc<Statement>>,
}

/// What undoes a write that a crash has lost.
#[derive(Clone)]
enum Undo {
    Vertex(Epoch, Round),
    Own(Option<(Epoch, VertexRef)>),
    Epoch(Epoch),
    Commit,
    Certificate(Height),
    Anchored(Height),
}

/// A write that may not be durable yet.
#[derive(Clone)]
struct Pending {
    begins: Time,
    /// `None` before a sync was asked for.
    durable: Option<Time>,
    undo: Undo,
}

/// When a write begins, and when it is durable.
type Span = (Time, Time);

fn has_mock_keys(genesis: &Genesis) -> bool {
    let first = genesis.committee.first();
    first.is_some_and(|m| bls::PublicKey::from_bytes(&m.finality_key.to_bytes()).is_err())
}

/// The database.
#[derive(Clone)]
pub struct Disk {
    vertices: BTreeMap<(Epoch, Round), Vec<Verified<Vertex>>>,
    own: Option<(Epoch, VertexRef)>,
    /// E2: by epoch, but for the first.
    epochs: BTreeMap<Epoch, Opened>,
    commits: Vec<StoredCommit>,
    certificates: BTreeMap<Height, Arc<Verified<Certificate>>>,
    /// The newest checkpoint that was seen to be final.
    anchored: Height,
    /// What was there before the first commit, in a database that was taken over (S2).
    before: Before,
    pending: VecDeque<Pending>,
}

/// A past without its commits.
#[derive(Clone, Default)]
struct Before {
    objects: BTreeMap<ObjectId, Bytes>,
    receipts: Vec<Receipt>,
    statements: BTreeMap<Height, Statement>,
}

impl Disk {
    /// A new database: the genesis, synced.
    pub fn new(genesis: &Genesis) -> Result<Self, RestoreError> {
        let (commit, changes, meta) = genesis_commit(genesis)?;
        Ok(Self {
            vertices: BTreeMap::new(),
            own: None,
            epochs: BTreeMap::new(),
            commits: vec![StoredCommit {
                commit,
                changes,
                receipts: Vec::new(),
                meta,
                statement: None,
            }],
            certificates: BTreeMap::new(),
            anchored: Height::ZERO,
            before: Before::default(),
            pending: VecDeque::new(),
        })
    }

    pub fn put_vertex(&mut self, vertex: Verified<Vertex>, begins: Time) {
        let place = (vertex.epoch(), vertex.round());
        let of_round = self.vertices.entry(place).or_default();
        if of_round.iter().all(|v| v.digest() != vertex.digest()) {
            let undo = Undo::Vertex(place.0, place.1);
            of_round.push(vertex);
            self.wrote(begins, undo);
        }
    }

    /// V3: an own vertex, synced.
    pub fn put_own(&mut self, vertex: Verified<Vertex>, (begins, durable): Span, now: Time) {
        let before = self.own.replace((vertex.epoch(), vertex.reference()));
        self.put_vertex(vertex, begins);
        self.wrote(begins, Undo::Own(before));
        self.sync(durable, now);
    }

    pub fn put_commit(&mut self, executed: Executed, begins: Time) {
        self.wrote(begins, Undo::Commit);
        self.commits.push(StoredCommit {
            commit: executed.commit,
            changes: executed.applied.changes,
            receipts: executed.applied.receipts,
            meta: executed.meta,
            statement: executed.statement,
        });
    }

    /// A certificate, synced.
    pub fn put_certificate(
        &mut self,
        certificate: Arc<Verified<Certificate>>,
        (begins, durable): Span,
        now: Time,
    ) {
        let height = certificate.statement.height;
        if self.certificates.insert(height, certificate).is_none() {
            self.wrote(begins, Undo::Certificate(height));
        }
        self.sync(durable, now);
    }

    /// What is known of a checkpoint is buffered: its loss costs a look at the base chain.
    pub fn put_anchored(&mut self, height: Height, begins: Time) {
        let before = std::mem::replace(&mut self.anchored, height);
        self.wrote(begins, Undo::Anchored(before));
    }

    pub fn anchored(&self) -> Height {
        self.anchored
    }

    pub fn newest_certificate(&self) -> Option<Arc<Verified<Certificate>>> {
        self.certificates.last_key_value().map(|(_, c)| c.clone())
    }

    pub fn statement(&self, height: Height) -> Option<Statement> {
        let mut newest_first = self.commits.iter().rev();
        newest_first.find_map(|c| {
            c.statement
                .as_deref()
                .filter(|s| s.height == height)
                .cloned()
        })
    }

    fn wrote(&mut self, begins: Time, undo: Undo) {
        self.pending.push_back(Pending {
            begins,
            durable: None,
            undo,
        });
    }

    /// Everything written so far is durable at `durable`.
    fn sync(&mut self, durable: Time, now: Time) {
        for pending in self.pending.iter_mut().rev() {
            if pending.durable.is_some() {
                break;
            }
            pending.durable = Some(durable);
        }
        self.forget_durable(now);
    }

    fn forget_durable(&mut self, now: Time) {
        let durable = |p: &Pending| p.durable.is_some_and(|at| at <= now);
        while self.pending.front().is_some_and(durable) {
            self.pending.pop_front();
        }
    }

    /// The power fails: a random end of what is not durable is gone.
    pub fn crash(&mut self, now: Time, rng: &mut Rng) {
        self.forget_durable(now);
        let begun = self.pending.iter().take_while(|p| p.begins <= now).count();
        let kept = rng.place(begun + 1);
        while self.pending.len() > kept {
            match self.pending.pop_back() {
                Some(pending) => self.undo(pending.undo),
                None => break,
            }
        }
        self.pending.clear();
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Vertex(epoch, round) => {
                self.vertices.get_mut(&(epoch, round)).and_then(Vec::pop);
            }
            Undo::Own(before) => self.own = before,
            Undo::Epoch(epoch) => {
                self.epochs.remove(&epoch);
            }
            Undo::Commit => {
                self.commits.pop();
            }
            Undo::Certificate(height) => {
                self.certificates.remove(&height);
            }
            Undo::Anchored(before) => self.anchored = before,
        }
    }

    pub fn vertex(&self, epoch: Epoch, reference: &VertexRef) -> Option<&Verified<Vertex>> {
        let of_round = self.vertices.get(&(epoch, reference.round))?;
        of_round.iter().find(|v| v.reference() == *reference)
    }

    /// The vertices of an epoch from a round on, ascending by round and author.
    pub fn vertices_from(
        &self,
        epoch: Epoch,
        round: Round,
    ) -> impl Iterator<Item = &Verified<Vertex>> {
        let of_epoch = self
            .vertices
            .range((epoch, round)..(epoch.next(), Round::ZERO));
        of_epoch.flat_map(|(_, vertices)| {
            let mut sorted: Vec<&Verified<Vertex>> = vertices.iter().collect();
            sorted.sort_unstable_by_key(|v| v.reference());
            sorted
        })
    }

    /// The latest own vertex, of whatever epoch.
    pub fn own(&self) -> Option<&Verified<Vertex>> {
        let (epoch, own) = self.own.as_ref()?;
        self.vertex(*epoch, own)
    }

    /// The newest commit's index.
    pub fn last_commit(&self) -> CommitIndex {
        self.commits
            .last()
            .map_or(CommitIndex::ZERO, |c| c.commit.index)
    }

    /// The newest certified height.
    pub fn certified(&self) -> Height {
        self.certificates
            .last_key_value()
            .map_or(Height::ZERO, |(height, _)| *height)
    }

    /// L22: what the commits after one have ordered.
    fn ordered_after(&self, after: CommitIndex) -> Vec<VertexRef> {
        let later = self.commits.iter().filter(|c| c.commit.index > after);
        later
            .flat_map(|c| c.commit.vertices.iter().copied())
            .collect()
    }

    /// What a replica goes on from: the real rules of a restart over what this disk has.
    pub fn found(
        &self,
        guard: &Guard,
        signed: Result<Round, Lost>,
        genesis: &Genesis,
        standing: &Standing,
    ) -> Option<Found> {
        let last = self.commits.last()?;
        let (epoch, after) = (standing.committee.epoch(), standing.after);
        let floor = first_round_after(after, &last.commit, genesis.template.params.gc_depth);
        let mut objects = self.before.objects.clone();
        // Mock keys have no encoding: what has them stays as it is.
        let roster = self.roster().filter(|_| has_mock_keys(genesis));
        for stored in &self.commits {
            for (id, object) in stored_objects(&stored.changes) {
                match object.filter(|_| roster.is_none() || id != ROSTER) {
                    Some(object) => objects.insert(id, object),
                    None => objects.remove(&id),
                };
            }
        }
        let needed = ReceiptsNeeded::new(&last.meta, genesis);
        let recent = self
            .commits
            .iter()
            .rev()
            .take_while(|c| needed.has(&c.commit));
        let recent = recent.count();
        let receipts = self.commits[self.commits.len() - recent..].iter();
        let certificate = self.newest_certificate();
        let newest = certificate.as_ref().map(|c| &***c);
        let Ok(whole_from) = whole_from(newest, &genesis.template.params, |h| self.certificate(h));
        let certified = self.certified();
        let statements = self.commits.iter().filter_map(|c| c.statement.as_deref());
        // One below the floor as well: it says who was demoted until the next one (D5).
        let mut above = self.commits.iter().rev();
        let from = above.position(|c| c.commit.index <= after || c.commit.leader.round < floor);
        let from = from.map_or(0, |below| self.commits.len() - 1 - below);
        let commits = self.commits[from..].iter().map(|c| c.commit.clone());
        let commits = commits.filter(|c| c.index > after);
        Some(Found {
            epoch,
            epoch_after: after,
            commits: commits.collect(),
            vertices: self.vertices_from(epoch, floor).cloned().collect(),
            own: self.own().cloned(),
            signed,
            has_signed: guard.record.highest_vertex().is_some(),
            height_floor: guard.record.height_floor(),
            objects: objects.into_iter().collect(),
            decoded: roster
                .map(|r| (ROSTER, Object::Roster(r)))
                .into_iter()
                .collect(),
            receipts: self
                .before
                .receipts
                .iter()
                .chain(receipts.flat_map(|c| &c.receipts))
                .cloned()
                .collect(),
            ordered: self.ordered_after(last.meta.height_commit),
            statements: statements
                .filter(|s| s.height >= certified)
                .cloned()
                .collect(),
            last: last.commit.clone(),
            meta: last.meta,
            certificate,
            whole_from,
            anchored: self.anchored,
        })
    }
}

/// The signing guard: the real rule of what may be signed, on a file of its own.
#[derive(Clone)]
pub struct Guard {
    record: GuardRecord,
    /// Its file is gone (S1).
    missing: bool,
    /// Writes that are not durable yet, with the records before them and whether there was a file.
    pending: VecDeque<(Span, GuardRecord, bool)>,
    /// A planted bug: everything may be signed.
    pub open: bool,
}

impl Guard {
    pub fn new(network: NetworkId, key: ed25519::PublicKey) -> Self {
        Self {
            record: GuardRecord::new(network, key, GuardFloor::default()),
            missing: false,
            pending: VecDeque::new(),
            open: false,
        }
    }

    /// What is left of a guard on a disk that was taken away.
    pub fn lost(network: NetworkId, key: ed25519::PublicKey) -> Self {
        Self {
            missing: true,
            ..Self::new(network, key)
        }
    }

    /// S1: forbids everything up to here; a missing file is made.
    pub fn raise_floor(&mut self, floor: GuardFloor, span: Span, now: Time) {
        let mut next = self.record.clone();
        next.raise(floor);
        self.advance(Some(next), span, now);
    }

    pub fn sign_vertex(
        &mut self,
        (epoch, round, digest): (Epoch, Round, VertexDigest),
        span: Span,
        now: Time,
    ) -> Result<(), GuardError> {
        match self.record.with_vertex(epoch, round, digest) {
            Ok(next) => self.advance(next, span, now),
            Err(_) if self.open => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    pub fn sign_statement(
        &mut self,
        (epoch, height, digest): (Epoch, Height, StatementDigest),
        span: Span,
        now: Time,
    ) -> Result<(), GuardError> {
        match self.record.with_statement(epoch, height, digest) {
            Ok(next) => self.advance(next, span, now),
            Err(_) if self.open => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn advance(&mut self, next: Option<GuardRecord>, span: Span, now: Time) {
        let Some(next) = next else {
            return;
        };
        self.forget_durable(now);
        let before = std::mem::replace(&mut self.record, next);
        let missing = std::mem::take(&mut self.missing);
        if span.1 > now {
            self.pending.push_back((span, before, missing));
        }
    }

    fn forget_durable(&mut self, now: Time) {
        self.pending.retain(|((_, durable), ..)| *durable > now);
    }

    /// The power fails: of writes that had begun the last ones may be missing, of others all are.
    pub fn crash(&mut self, now: Time, rng: &mut Rng) {
        self.forget_durable(now);
        let pending = self.pending.iter();
        let begun = pending.take_while(|((begins, _), ..)| *begins <= now);
        let kept = rng.place(begun.count() + 1);
        if let Some((_, before, missing)) = self.pending.get(kept) {
            self.record = before.clone();
            self.missing = *missing;
        }
        self.pending.clear();
    }

    /// V3, S1: what a driver does when it opens both: the highest round that was let pass, or why it is
    /// not known.
    pub fn open_with(&mut self, disk: &Disk, epoch: Epoch) -> Result<Round, Lost> {
        let highest = self.record.highest_vertex().map(|s| (s.epoch, s.round));
        let found = match self.missing {
            true => GuardFound::Missing,
            false => GuardFound::There(highest),
        };
        let own = disk.own;
        let own = own.map(|(of, own)| (of, own, disk.own().map(|v| &**v)));
        match guard_fit(found, own) {
            _ if self.open => Ok(Round::ZERO),
            GuardFit::Fits => signed_in(epoch, highest),
            GuardFit::Guard(of, own) => {
                let vertex = (of, own.round, own.digest);
                let guarded = self.sign_vertex(vertex, (Time(0), Time(0)), Time(0));
                guarded.map_err(|_| Lost::GuardBehind)?;
                signed_in(epoch, Some((of, own.round)))
            }
            GuardFit::Lost(lost) => Err(lost),
        }
    }
}

#[cfg(test)]
mod tests;
