//! What must always hold, watched over a whole run from outside of all members (the list at the end of
//! the protocol's specification). Each check is fired in `tests/sim`: by a planted bug, or by more criminals
//! than there may be; two statements of one height by `oracle/tests.rs` alone.
//!
//! Only honest members are held to anything: those that commit no crime. A crash, a pause or a wiped
//! disk excuses nobody from safety.

mod epochs;

use super::time::Time;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use weft_consensus::gc_floor;
use weft_node::replica::Executed;
use weft_node::replica::sync::Synced;
use weft_types::{
    Certificate, CommitDigest, CommitIndex, Epoch, Height, MemberIndex, Millis, Round, Statement,
    StatementDigest, TransactionId, Vertex, VertexDigest, VertexRef,
};

/// Below every vertex of an epoch.
const FIRST: VertexRef = VertexRef {
    round: Round::ZERO,
    author: MemberIndex(0),
    digest: VertexDigest([0; 32]),
};

/// Violations that are kept; more would say nothing new.
const VIOLATIONS_MAX: usize = 32;

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Two members made different commits, or computed different states, at one place of the order.
    Agreement,
    /// Something is in the order twice, or a commit does not follow from the one before.
    Integrity,
    /// A correct member's vertex was left behind though the network was timely.
    Validity,
    /// Two statements of one height, signed or certified.
    Certificates,
    /// An honest key signed two vertices for one round.
    Equivocation,
    /// A member that has lost its guard or its database came back below what it had signed.
    Recovery,
    /// Something that a client was told is final is gone.
    Durability,
    /// A buffer outgrew its bound.
    Memory,
    /// An honest member was accused of signing twice, or convicted of it.
    Accusation,
    /// V8: a conviction has not its effect.
    Conviction,
    /// An honest member stopped by itself.
    Stopped,
    /// What is on the base chain is not of the honest history, or went back though it was final, or was told
    /// to be final too early.
    Checkpoint,
    /// A due height did not get onto the base chain in time (B2).
    Posting,
    /// P4: members with more than F of stake were given a transaction, and it was not ordered in its
    /// rounds.
    Inclusion,
    /// E1, E2: two committees of one epoch, one that no certificate of the epoch before names, or a commit that is
    /// not of the epoch whose turn it is.
    Epochs,
}

/// A broken rule, and who broke it when.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Violation {
    pub rule: Rule,
    pub at_s: f64,
    pub node: usize,
    pub what: String,
    /// The round of the commit that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agreement => "two members disagree",
            Self::Integrity => "the order is not whole",
            Self::Validity => "a vertex was left behind",
            Self::Certificates => "two statements of one height",
            Self::Equivocation => "an honest key signed twice",
            Self::Recovery => "back below what was signed",
            Self::Durability => "what was told to be final is gone",
            Self::Memory => "a buffer outgrew its bound",
            Self::Accusation => "an honest member was accused",
            Self::Conviction => "a conviction has not its effect",
            Self::Stopped => "an honest member stopped",
            Self::Checkpoint => "the base chain has what is not of the honest history",
            Self::Posting => "a height was not posted in time",
            Self::Epochs => "epochs overlap",
            Self::Inclusion => "a transaction was not ordered in its rounds",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            at_s,
            node,
            what,
            round: _,
        } = self;
        write!(f, "{rule} at {at_s:.3} s, node {node}: {what}")
    }
}

/// One place of the order, as the first member that got there made it.
struct Ordered {
    digest: CommitDigest,
    /// Vertices that it output.
    vertices: usize,
    timestamp: Millis,
    statement: Option<Arc<Statement>>,
    epoch: Epoch,
}

impl Ordered {
    fn described(&self, leader: &VertexRef) -> String {
        described(leader, self.vertices, self.digest, self.timestamp)
    }
}

/// A commit in words; the first bytes of a digest tell two apart.
fn described(
    leader: &VertexRef,
    vertices: usize,
    digest: CommitDigest,
    timestamp: Millis,
) -> String {
    let digest = hex::encode(&digest.0[..4]);
    format!("{digest}, led by {leader}, vertices {vertices}, timestamp {timestamp}")
}

/// A height in words.
fn stated(statement: Option<&Statement>) -> String {
    statement.map_or_else(
        || "no height".to_owned(),
        |s| {
            let (digest, root) = (s.digest(), hex::encode(&s.state_root.0[..4]));
            let digest = hex::encode(&digest.0[..4]);
            format!("height {} with statement {digest}, state {root}", s.height)
        },
    )
}

pub struct Oracle {
    gc_depth: u64,
    order: Vec<Ordered>,
    /// Leaders of the order, for whoever counts slots.
    pub leaders: Vec<(Epoch, VertexRef)>,
    output: HashSet<VertexRef>,
    applied: HashSet<TransactionId>,
    certified: BTreeMap<Height, Statement>,
    heights: Height,
    /// What honest keys have signed.
    signed: HashMap<(usize, Epoch, Round), VertexDigest>,
    stated: HashMap<(usize, Height), StatementDigest>,
    /// Vertices of correct members that were made while the network was timely, not output yet.
    owed: BTreeSet<(Epoch, VertexRef)>,
    /// By machine: the newest commit that it made or stored.
    positions: Vec<CommitIndex>,
    /// By machine: what its clients were told is final, and when.
    told: Vec<Vec<(Time, Height, CommitIndex)>>,
    violations: Vec<Violation>,
}

impl Oracle {
    pub fn new(machines: usize, gc_depth: u64) -> Self {
        Self {
            gc_depth,
            order: Vec::new(),
            leaders: Vec::new(),
            output: HashSet::new(),
            applied: HashSet::new(),
            certified: BTreeMap::new(),
            heights: Height::ZERO,
            signed: HashMap::new(),
            stated: HashMap::new(),
            owed: BTreeSet::new(),
            positions: vec![CommitIndex::ZERO; machines],
            told: vec![Vec::new(); machines],
            violations: Vec::new(),
        }
    }

    pub fn violation(&mut self, rule: Rule, at: Time, node: usize, what: String) {
        self.violation_in(None, rule, at, node, what);
    }

    fn violation_in(
        &mut self,
        round: Option<Round>,
        rule: Rule,
        at: Time,
        node: usize,
        what: String,
    ) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation {
                rule,
                at_s: at.seconds(),
                node,
                what,
                round,
            });
        }
    }

    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Length of the longest order that an honest member has made.
    pub fn commits(&self) -> usize {
        self.order.len()
    }

    /// The highest height that an honest member has closed.
    pub fn heights(&self) -> Height {
        self.heights
    }

    /// The statement of a height in the longest order.
    pub fn stated_at(&self, height: Height) -> Option<&Statement> {
        let newest_first = self.order.iter().rev();
        let mut statements = newest_first.filter_map(|ordered| ordered.statement.as_deref());
        statements.find(|statement| statement.height == height)
    }

    pub fn position(&self, machine: usize) -> CommitIndex {
        self.positions[machine]
    }

    /// How much of the order's time comes after a commit, in milliseconds.
    pub fn missed_ms(&self, commit: CommitIndex) -> u64 {
        let after = usize::try_from(commit.0).ok();
        let (next, last) = (after.and_then(|i| self.order.get(i)), self.order.last());
        let (Some(next), Some(last)) = (next, last) else {
            return 0;
        };
        last.timestamp.saturating_sub(next.timestamp.0).0
    }

    /// Transactions in the order.
    pub fn applied(&self) -> usize {
        self.applied.len()
    }

    pub fn has_applied(&self, transaction: &TransactionId) -> bool {
        self.applied.contains(transaction)
    }

    /// An own vertex leaves an honest member; `owed`: it must get into the order.
    pub fn sent(&mut self, at: Time, node: usize, vertex: &Vertex, owed: bool) {
        let reference = vertex.reference();
        match self
            .signed
            .insert((node, vertex.epoch(), reference.round), reference.digest)
        {
            None => {
                if owed {
                    self.owed.insert((vertex.epoch(), reference));
                }
            }
            Some(before) if before == reference.digest => return,
            Some(before) => {
                let what = format!("signed {reference} after {before} of the same round");
                self.violation(Rule::Equivocation, at, node, what);
            }
        }
        for share in vertex.shares() {
            let before = self.stated.insert((node, share.height), share.statement);
            if before.is_some_and(|before| before != share.statement) {
                let what = format!("signed two statements of height {}", share.height);
                self.violation(Rule::Certificates, at, node, what);
            }
        }
    }

    /// S1: an honest member believes that it has signed nothing above these.
    pub fn recovered(
        &mut self,
        at: Time,
        node: usize,
        (epoch, round): (Epoch, Round),
        height: Height,
    ) {
        let signed = self.signed.keys().filter(|(of, ..)| *of == node);
        let signed = signed.map(|(_, epoch, round)| (*epoch, *round)).max();
        if let Some((of, signed)) = signed.filter(|signed| *signed > (epoch, round)) {
            let what = format!(
                "has signed round {signed} of epoch {of} and would sign above {round} of {epoch}"
            );
            self.violation(Rule::Recovery, at, node, what);
        }
        let stated = self.stated.keys().filter(|(of, _)| *of == node);
        let stated = stated.map(|(_, height)| *height).max();
        if let Some(stated) = stated.filter(|stated| *stated > height) {
            let what = format!("has signed height {stated} and would sign above {height}");
            self.violation(Rule::Recovery, at, node, what);
        }
    }

    /// An honest machine made a commit.
    pub fn executed(&mut self, at: Time, machine: usize, node: usize, executed: &Executed) {
        let (commit, digest) = (&executed.commit, executed.digest);
        if commit.index != self.positions[machine].next() {
            let what = format!("commit {} after {}", commit.index, self.positions[machine]);
            self.violation(Rule::Integrity, at, node, what);
        }
        self.positions[machine] = commit.index;
        let place = usize::try_from(commit.index.0)
            .unwrap_or(usize::MAX)
            .wrapping_sub(1);
        match self.order.get(place) {
            Some(first) if first.digest != digest => {
                let others = self.leaders.get(place);
                let what = format!(
                    "commit {} is {}; another's is {}",
                    commit.index,
                    described(
                        &commit.leader,
                        commit.vertices.len(),
                        digest,
                        commit.timestamp
                    ),
                    others.map_or_else(String::new, |(_, leader)| first.described(leader))
                );
                self.violation_in(Some(commit.leader.round), Rule::Agreement, at, node, what);
            }
            Some(first) if first.statement != executed.statement => {
                let what = format!(
                    "commit {} closes {}; another's closes {}",
                    commit.index,
                    stated(executed.statement.as_deref()),
                    stated(first.statement.as_deref())
                );
                self.violation_in(Some(commit.leader.round), Rule::Agreement, at, node, what);
            }
            Some(_) => {}
            None if place == self.order.len() => self.extend(at, node, executed),
            None => {
                let what = format!("commit {} is beyond everybody's order", commit.index);
                self.violation(Rule::Integrity, at, node, what);
            }
        }
    }

    fn extend(&mut self, at: Time, node: usize, executed: &Executed) {
        let (commit, digest) = (&executed.commit, executed.digest);
        if let Some(last) = self.order.last()
            && (commit.previous != last.digest || commit.timestamp < last.timestamp)
        {
            let what = format!("commit {} does not follow the one before", commit.index);
            self.violation(Rule::Integrity, at, node, what);
        }
        let epoch = executed.view.epoch;
        self.check_epoch(at, node, epoch, commit.index);
        for vertex in &commit.vertices {
            self.owed.remove(&(epoch, *vertex));
            if !self.output.insert(*vertex) {
                let what = format!("vertex {vertex} is output again by commit {}", commit.index);
                self.violation(Rule::Integrity, at, node, what);
            }
        }
        for receipt in &executed.applied.receipts {
            if !self.applied.insert(receipt.transaction) {
                let what = format!("transaction {} is applied again", receipt.transaction);
                self.violation(Rule::Integrity, at, node, what);
            }
        }
        // O2: what lies below the floor of this commit can never be output.
        let floor = gc_floor(commit.leader.round, self.gc_depth);
        // E2: what an epoch's end has left behind is nobody's to order.
        self.owed = self.owed.split_off(&(epoch, FIRST));
        let below = |(_, v): &(Epoch, VertexRef)| v.round < floor;
        while let Some((_, vertex)) = self.owed.first().copied().filter(below) {
            self.owed.pop_first();
            let what = format!("vertex {vertex} is left behind by commit {}", commit.index);
            self.violation(Rule::Validity, at, node, what);
        }
        if let Some(statement) = &executed.statement {
            self.heights = self.heights.max(statement.height);
        }
        self.leaders.push((epoch, commit.leader));
        self.order.push(Ordered {
            digest,
            vertices: commit.vertices.len(),
            timestamp: commit.timestamp,
            statement: executed.statement.clone(),
            epoch,
        });
    }

    /// A machine holds a certificate from `at` on, and tells its clients.
    pub fn certified(&mut self, at: Time, machine: usize, node: usize, certificate: &Certificate) {
        let statement = &certificate.statement;
        let entry = self.certified.entry(statement.height);
        if *entry.or_insert_with(|| statement.clone()) != *statement {
            let what = format!(
                "height {} is certified twice, differently",
                statement.height
            );
            self.violation(Rule::Certificates, at, node, what);
        }
        self.told[machine].push((at, statement.height, statement.commit));
    }

    /// The power of a machine fails: nothing was told that was still under way.
    pub fn crashed(&mut self, at: Time, machine: usize) {
        self.told[machine].retain(|(told, ..)| *told <= at);
    }

    /// A machine is back with a disk that reaches so far.
    pub fn back(
        &mut self,
        at: Time,
        machine: usize,
        node: usize,
        (certified, commit): (Height, CommitIndex),
    ) {
        self.positions[machine] = commit;
        let told = self.told[machine].iter().map(|(_, h, c)| (*h, *c)).max();
        if let Some((height, of)) = told.filter(|(h, c)| *h > certified || *c > commit) {
            let what = format!(
                "height {height} with commit {of} was told to be final; the disk has height \
                 {certified} and commit {commit}"
            );
            self.violation(Rule::Durability, at, node, what);
        }
    }

    /// S2: an honest machine goes on from a height that it has not executed.
    pub fn took_over(&mut self, at: Time, node: usize, synced: &Synced) {
        let statement = &synced.certificate.statement;
        let made = usize::try_from(statement.commit.0).ok();
        let made = made.and_then(|index| self.order.get(index.checked_sub(1)?));
        if made.is_none_or(|made| made.statement.as_deref() != Some(statement)) {
            let what = format!(
                "took over height {}, which nobody has closed",
                statement.height
            );
            self.violation(Rule::Agreement, at, node, what);
        }
        let root = synced.snapshot.root();
        if root != statement.state_root {
            let stated = statement.state_root;
            let what = format!("took over a state with root {root}, not {stated}");
            self.violation(Rule::Agreement, at, node, what);
        }
    }

    /// A machine's disk was taken away: what its clients were told is others' to keep.
    pub fn wiped(&mut self, machine: usize) {
        self.told[machine].clear();
    }
}

#[cfg(test)]
mod tests;
