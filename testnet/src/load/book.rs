//! What has become of each transaction of a load: pure bookkeeping, so that every figure of the
//! report can be tested.
//!
//! - A latency counts from the moment at which the schedule *wanted* the transaction sent, not from
//!   when the generator got round to it: a generator that falls behind shows it.
//! - It ends when the node that the client talks to says so in its stream: first that it executed the
//!   commit, then that a certificate covers it. When that node dies, the client asks another one, and
//!   the time until then counts.
//! - A transaction that depends on others is held until they are committed, as a buyer waits for the
//!   listing; the wait counts too.

use hdrhistogram::Histogram;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use weft_types::{CommitIndex, TransactionId};

/// Microseconds since the load began.
pub type Micros = u64;
/// A transaction, by its place in the plan.
pub type Place = u32;

/// Latencies beyond this are counted as this: ten minutes.
const LATENCY_MAX: Micros = 600_000_000;
const SECOND: Micros = 1_000_000;
/// Different reasons of failures that are told apart in words.
const REASONS_MAX: usize = 32;

/// A transaction to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub id: TransactionId,
    /// When it is to be sent.
    pub intended: Micros,
    /// When it can no longer be ordered.
    pub expires: Micros,
    /// Of those that have to be committed before it is sent.
    pub after: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its time has not come.
    Planned,
    /// Its time has come, but not all that it depends on are committed.
    Held,
    /// Given to `node`, not yet seen in a commit.
    Sent,
    /// In a commit that `node` has not yet announced.
    Ordered,
    Committed,
    Certified,
    Failed,
}

#[derive(Debug)]
struct Entry {
    planned: Planned,
    stage: Stage,
    /// The node that its client talks to.
    node: usize,
    /// When it was sent last.
    sent: Micros,
    /// Taken by a node at least once.
    accepted: bool,
    /// What it still waits for.
    missing: u32,
}

/// What one node has said so far.
#[derive(Debug, Default)]
struct Progress {
    up: bool,
    /// Commits that it announced as executed, with the time; ascending.
    executed: Vec<(CommitIndex, Micros)>,
    /// The commits that its certificates cover, with the time; ascending.
    certified: Vec<(CommitIndex, Micros)>,
    /// Ours in commits that it has not announced.
    uncommitted: BTreeMap<CommitIndex, Vec<Place>>,
    /// Ours, committed, but under no certificate of which it told.
    uncertified: BTreeMap<CommitIndex, Vec<Place>>,
}

/// The figures so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub offered: u64,
    pub submitted: u64,
    pub committed: u64,
    pub certified: u64,
    pub failed: u64,
    /// Held, sent or ordered, without an outcome.
    pub open: u64,
}

/// The books of one load.
#[derive(Debug)]
pub struct Book {
    entries: Vec<Entry>,
    places: HashMap<TransactionId, Place>,
    /// Who waits for a transaction's commit.
    dependents: HashMap<Place, Vec<Place>>,
    nodes: Vec<Progress>,
    /// The newest commit whose receipts were asked for, or are not needed. Those up to the first one
    /// here hold nothing of ours.
    looked_at: CommitIndex,
    /// Commits in which something of ours was applied.
    ours: BTreeMap<CommitIndex, u64>,
    counts: Counts,
    committed: Histogram<u64>,
    certified: Histogram<u64>,
    /// Latencies until committed, by the second in which the transaction was to be sent.
    by_second: Vec<Histogram<u64>>,
    reasons: BTreeMap<String, u64>,
    /// Sent, by time of sending, so that those without an answer are found.
    by_sent: BTreeSet<(Micros, Place)>,
}

impl Book {
    /// Books for a plan whose entries ascend by intended time. What comes after the commit `from`
    /// matters.
    pub fn new(nodes: usize, from: CommitIndex, plan: Vec<Planned>) -> Self {
        let places = (0..).zip(&plan).map(|(place, p)| (p.id, place)).collect();
        let mut dependents: HashMap<Place, Vec<Place>> = HashMap::new();
        for (place, planned) in (0..).zip(&plan) {
            for after in &planned.after {
                dependents.entry(*after).or_default().push(place);
            }
        }
        let entries = plan.into_iter().map(|planned| Entry {
            missing: u32::try_from(planned.after.len()).unwrap_or(u32::MAX),
            planned,
            stage: Stage::Planned,
            node: 0,
            sent: 0,
            accepted: false,
        });
        let progress = || Progress {
            up: true,
            ..Progress::default()
        };
        Self {
            entries: entries.collect(),
            places,
            dependents,
            nodes: (0..nodes).map(|_| progress()).collect(),
            looked_at: from,
            ours: BTreeMap::new(),
            counts: Counts::default(),
            committed: histogram(3),
            certified: histogram(3),
            by_second: Vec::new(),
            reasons: BTreeMap::new(),
            by_sent: BTreeSet::new(),
        }
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub fn planned(&self, place: Place) -> &Planned {
        &self.entries[place as usize].planned
    }

    /// Why transactions failed, with how often.
    pub fn reasons(&self) -> &BTreeMap<String, u64> {
        &self.reasons
    }

    /// Latencies until committed, and until certified, in microseconds.
    pub fn latencies(&self) -> (&Histogram<u64>, &Histogram<u64>) {
        (&self.committed, &self.certified)
    }

    /// Latencies until committed, of the transactions that were to be sent in each second of the load.
    pub fn by_second(&self) -> &[Histogram<u64>] {
        &self.by_second
    }

    pub fn is_up(&self, node: usize) -> bool {
        self.nodes[node].up
    }

    /// The node, or the next one that is up.
    pub fn up_from(&self, node: usize) -> Option<usize> {
        let count = self.nodes.len();
        let turns = (0..count).map(|turn| (node + turn) % count);
        turns.into_iter().find(|n| self.nodes[*n].up)
    }

    /// The transaction's time has come, and its latency counts from `intended`. Whether it is to be
    /// sent now: else it is held, and [`receipts`](Self::receipts) will release it, or has failed
    /// already.
    pub fn offer(&mut self, place: Place, intended: Micros) -> bool {
        let entry = &mut self.entries[place as usize];
        if entry.stage != Stage::Planned {
            return false;
        }
        entry.stage = Stage::Held;
        entry.planned.intended = intended;
        self.counts.offered += 1;
        self.counts.open += 1;
        entry.missing == 0
    }

    /// The transaction goes to a node, for the first time or again.
    pub fn sent(&mut self, place: Place, node: usize, now: Micros) {
        let entry = &mut self.entries[place as usize];
        if matches!(entry.stage, Stage::Held | Stage::Sent) {
            self.by_sent.remove(&(entry.sent, place));
            entry.stage = Stage::Sent;
            entry.node = node;
            entry.sent = now;
            self.by_sent.insert((now, place));
        }
    }

    /// A node has taken the transaction.
    pub fn accepted(&mut self, place: Place) {
        let entry = &mut self.entries[place as usize];
        if !std::mem::replace(&mut entry.accepted, true) {
            self.counts.submitted += 1;
        }
    }

    /// The transaction will never be applied.
    pub fn failed(&mut self, place: Place, reason: &str) {
        let entry = &mut self.entries[place as usize];
        if !matches!(entry.stage, Stage::Held | Stage::Sent | Stage::Planned) {
            return;
        }
        if entry.stage == Stage::Planned {
            // Never offered: what it depends on has failed.
            self.counts.offered += 1;
        } else {
            self.counts.open -= 1;
        }
        self.by_sent.remove(&(entry.sent, place));
        entry.stage = Stage::Failed;
        self.counts.failed += 1;
        let known = self.reasons.len() < REASONS_MAX || self.reasons.contains_key(reason);
        let reason = if known { reason } else { "other reasons" };
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
        for dependent in self.dependents.remove(&place).unwrap_or_default() {
            self.failed(dependent, "depends on a failed transaction");
        }
    }

    /// The node that the transaction's client talks to.
    pub fn node_of(&self, place: Place) -> usize {
        self.entries[place as usize].node
    }

    /// Whether its outcome is still open.
    pub fn is_unordered(&self, place: Place) -> bool {
        let stage = self.entries[place as usize].stage;
        matches!(stage, Stage::Held | Stage::Sent)
    }

    /// The transaction is being seen to: it counts as sent now.
    pub fn touched(&mut self, place: Place, now: Micros) {
        let node = self.node_of(place);
        self.sent(place, node, now);
    }

    /// Those sent before `until` and not seen in a commit since; the oldest first.
    pub fn silent(&self, until: Micros, limit: usize) -> Vec<Place> {
        let silent = self.by_sent.range(..(until, 0)).take(limit);
        silent.map(|(_, place)| *place).collect()
    }

    /// Ends those whose time is over.
    pub fn expire(&mut self, now: Micros) {
        let open = |e: &Entry| matches!(e.stage, Stage::Held | Stage::Sent);
        let over: Vec<Place> = (0..)
            .zip(&self.entries)
            .filter(|(_, e)| open(e) && e.planned.expires < now)
            .map(|(place, _)| place)
            .collect();
        for place in over {
            self.failed(place, "expired");
        }
    }

    /// A node has executed a commit with this many transactions, and with it all before it. Returns
    /// the commits whose receipts nobody has asked for yet.
    pub fn executed(
        &mut self,
        node: usize,
        index: CommitIndex,
        transactions: Option<u64>,
        now: Micros,
    ) -> Vec<CommitIndex> {
        let progress = &mut self.nodes[node];
        let last = progress.executed.last().map(|(i, _)| *i);
        if last.is_some_and(|last| last >= index) {
            return Vec::new();
        }
        progress.executed.push((index, now));
        let rest = progress.uncommitted.split_off(&index.next());
        let done = std::mem::replace(&mut progress.uncommitted, rest);
        for (commit, places) in done {
            for place in places {
                self.commit(place, commit, now);
            }
        }
        let first = self.looked_at.next();
        self.looked_at = self.looked_at.max(index);
        let new = (first.0..=index.0).map(CommitIndex);
        new.filter(|commit| *commit < index || transactions != Some(0))
            .collect()
    }

    /// What a commit holds: ids, and for those that were rejected why. Returns what is released by
    /// it.
    pub fn receipts(
        &mut self,
        commit: CommitIndex,
        receipts: impl IntoIterator<Item = (TransactionId, Result<(), String>)>,
        now: Micros,
    ) -> Vec<Place> {
        let mut released = Vec::new();
        for (id, outcome) in receipts {
            let Some(&place) = self.places.get(&id) else {
                continue;
            };
            if let Err(reason) = outcome {
                self.failed(place, &reason);
                continue;
            }
            let entry = &mut self.entries[place as usize];
            if !matches!(entry.stage, Stage::Sent | Stage::Held) {
                continue;
            }
            self.by_sent.remove(&(entry.sent, place));
            entry.stage = Stage::Ordered;
            *self.ours.entry(commit).or_default() += 1;
            self.follow(place, commit, now);
            for dependent in self.dependents.remove(&place).unwrap_or_default() {
                let dependent_entry = &mut self.entries[dependent as usize];
                dependent_entry.missing -= 1;
                if dependent_entry.missing == 0 && dependent_entry.stage == Stage::Held {
                    released.push(dependent);
                }
            }
        }
        released
    }

    /// Waits for the client's node to announce a commit, or finds that it has. One whose node is down
    /// asks the next one, not before `now`; with nobody up, the own node will tell when it is back.
    fn follow(&mut self, place: Place, commit: CommitIndex, now: Micros) {
        let own = self.entries[place as usize].node;
        let node = self.up_from(own).unwrap_or(own);
        self.entries[place as usize].node = node;
        let progress = &mut self.nodes[node];
        match time_of(&progress.executed, commit) {
            // What was announced before the receipts were read counts from the announcement.
            Some(time) if node == own => self.commit(place, commit, time),
            Some(time) => self.commit(place, commit, time.max(now)),
            None => progress.uncommitted.entry(commit).or_default().push(place),
        }
    }

    fn commit(&mut self, place: Place, commit: CommitIndex, now: Micros) {
        let entry = &mut self.entries[place as usize];
        entry.stage = Stage::Committed;
        let intended = entry.planned.intended;
        record(&mut self.committed, intended, now);
        let second = (intended / SECOND) as usize;
        if self.by_second.len() <= second {
            // Coarser than those of the whole load, for there is one a second.
            self.by_second.resize_with(second + 1, || histogram(2));
        }
        record(&mut self.by_second[second], intended, now);
        let entry = &self.entries[place as usize];
        self.counts.committed += 1;
        self.counts.open -= 1;
        let node = entry.node;
        self.await_certificate(place, node, commit, now);
    }

    fn await_certificate(&mut self, place: Place, node: usize, commit: CommitIndex, now: Micros) {
        let progress = &mut self.nodes[node];
        match time_of(&progress.certified, commit) {
            Some(time) => self.certify(place, time.max(now)),
            None => progress.uncertified.entry(commit).or_default().push(place),
        }
    }

    fn certify(&mut self, place: Place, now: Micros) {
        let entry = &mut self.entries[place as usize];
        entry.stage = Stage::Certified;
        record(&mut self.certified, entry.planned.intended, now);
        self.counts.certified += 1;
    }

    /// A node has a certificate that covers everything up to a commit.
    pub fn certificate(&mut self, node: usize, commit: CommitIndex, now: Micros) {
        let progress = &mut self.nodes[node];
        let last = progress.certified.last().map(|(c, _)| *c);
        if last.is_some_and(|last| last >= commit) {
            return;
        }
        progress.certified.push((commit, now));
        let rest = progress.uncertified.split_off(&commit.next());
        let done = std::mem::replace(&mut progress.uncertified, rest);
        for place in done.into_values().flatten() {
            self.certify(place, now);
        }
    }

    /// A node answers again.
    pub fn node_up(&mut self, node: usize) {
        self.nodes[node].up = true;
    }

    /// A node does not answer any more: its clients go to the others. Returns what has to be sent
    /// again.
    pub fn node_down(&mut self, node: usize, now: Micros) -> Vec<Place> {
        self.nodes[node].up = false;
        if self.up_from(node).is_none() {
            return Vec::new();
        }
        let progress = &mut self.nodes[node];
        let uncommitted = std::mem::take(&mut progress.uncommitted);
        let uncertified = std::mem::take(&mut progress.uncertified);
        for (commit, places) in uncommitted {
            for place in places {
                self.follow(place, commit, now);
            }
        }
        for (commit, places) in uncertified {
            let other = self.up_from(node).unwrap_or(node);
            for place in places {
                self.entries[place as usize].node = other;
                self.await_certificate(place, other, commit, now);
            }
        }
        let sent = self.by_sent.iter().map(|(_, place)| *place);
        sent.filter(|p| self.entries[*p as usize].node == node)
            .collect()
    }

    /// When the slowest of these nodes had executed everything of ours, and `None` while one has not,
    /// or nothing of ours was applied.
    pub fn all_executed(&self, nodes: &[usize]) -> Option<Micros> {
        let (last, _) = self.ours.last_key_value()?;
        let times = nodes
            .iter()
            .map(|n| time_of(&self.nodes[*n].executed, *last));
        times.max_by_key(|time| time.unwrap_or(Micros::MAX))?
    }
}

/// When a list of ascending marks first reached `index`.
fn time_of(marks: &[(CommitIndex, Micros)], index: CommitIndex) -> Option<Micros> {
    let place = marks.partition_point(|(mark, _)| *mark < index);
    marks.get(place).map(|(_, time)| *time)
}

fn histogram(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX, digits).expect("the bounds are in order")
}

fn record(histogram: &mut Histogram<u64>, intended: Micros, now: Micros) {
    histogram.saturating_record(now.saturating_sub(intended).clamp(1, LATENCY_MAX));
}

#[cfg(test)]
mod tests;
