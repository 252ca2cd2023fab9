//! Transactions that wait to be ordered, bounded in bytes, and when each goes into an own vertex: at
//! once, unless somebody else is known to see to it (P2, P3 of docs/spec/mempool.md). All waiting is
//! counted in own rounds, and has an end whatever others do (P4).
//!
//! A transaction leaves for a vertex, and is forgotten when that vertex is ordered or the transaction
//! has its outcome by another's; when the vertex can no longer be ordered (it fell behind the GC
//! round) its transactions wait again. What is forgotten too early costs a client a resubmission; what
//! is proposed twice is applied once all the same (O3).

mod carried;

use crate::api::Refusal;
use carried::Carried;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use weft_types::{MemberIndex, Millis, Round, Transaction, TransactionId, Verified, Vertex};

type Pending = Arc<Verified<Transaction>>;

/// P2: own rounds between two steps. One for the vertex of who is to propose it, one for that vertex to
/// get here, one because the client does not reach everybody at the same moment.
pub const STEP_ROUNDS: u64 = 3;
/// P3, P4: own rounds for which another member's vertex keeps a transaction back, counted from that
/// vertex's round. Such a vertex is in the own next one's history, and is ordered within a few rounds.
pub const HOLD_ROUNDS: u64 = 12;

/// What a mempool is allowed, and how it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MempoolConfig {
    /// Waiting and proposed transactions together, in encoded bytes.
    pub bytes_max: usize,
    /// [`STEP_ROUNDS`], but for simulations.
    pub step_rounds: u64,
    /// [`HOLD_ROUNDS`], but for simulations.
    pub hold_rounds: u64,
}

impl MempoolConfig {
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            step_rounds: STEP_ROUNDS,
            hold_rounds: HOLD_ROUNDS,
        }
    }
}

/// P2: the step of who has so many others before it that may propose a transaction. It is the next
/// one's turn after a step, the next two's after another, then that of four: so that however many of
/// them do nothing, it takes few steps, and no more propose it at once than have kept silent.
pub fn step(before: usize) -> u64 {
    u64::from(usize::BITS - before.leading_zeros())
}

/// A place in the queue: the own round in which it is looked at, then the order of arrival.
type Key = (Round, u64);

#[derive(Debug)]
struct Entry {
    /// In the queue, unless it is proposed.
    key: Key,
    /// P2: the own round from which on this member proposes it.
    turn: Round,
    /// P3: whose vertex keeps it back.
    held_by: Option<MemberIndex>,
    place: Place,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Queued,
    /// In an own vertex that is not ordered yet.
    Proposed,
    /// The same, and another's vertex has brought it its outcome.
    Settled,
}

/// Waiting and proposed transactions.
#[derive(Debug)]
pub struct Mempool {
    config: MempoolConfig,
    bytes: usize,
    known: HashMap<TransactionId, Entry>,
    queue: BTreeMap<Key, Pending>,
    proposed: BTreeMap<Round, Vec<Pending>>,
    carried: Carried,
    arrivals: u64,
    /// The own round that was filled last.
    filled: Round,
}

impl Mempool {
    pub fn new(config: MempoolConfig) -> Self {
        Self {
            config,
            bytes: 0,
            known: HashMap::new(),
            queue: BTreeMap::new(),
            proposed: BTreeMap::new(),
            carried: Carried::new(config.hold_rounds),
            arrivals: 0,
            filled: Round::ZERO,
        }
    }

    /// Takes a transaction in, while vertices of a quorum of round `quorum` are here; `before` others
    /// have been given it and come first (P2). One that waits already is taken once, and if nobody
    /// comes first any more it is this member's turn now.
    pub fn insert(
        &mut self,
        transaction: Pending,
        quorum: Round,
        before: usize,
    ) -> Result<(), Refusal> {
        let next = quorum.max(self.filled).next();
        let wait = step(before).saturating_mul(self.config.step_rounds);
        let turn = next.saturating_add(wait);
        if let Some(entry) = self.known.get_mut(&transaction.id()) {
            if entry.place == Place::Queued && turn < entry.turn {
                entry.turn = turn;
                if entry.held_by.is_none() {
                    requeue(&mut self.queue, entry, turn);
                }
            }
            return Ok(());
        }
        let bytes = self.bytes + transaction.encoded().len();
        if bytes > self.config.bytes_max {
            return Err(Refusal::Full {
                bytes: self.bytes,
                bytes_max: self.config.bytes_max,
            });
        }
        self.bytes = bytes;
        let key = (turn, self.arrivals);
        self.arrivals += 1;
        let entry = Entry {
            key,
            turn,
            held_by: None,
            place: Place::Queued,
        };
        self.known.insert(transaction.id(), entry);
        self.queue.insert(key, transaction);
        Ok(())
    }

    /// The oldest transactions whose turn it is, within the bounds, for the vertex of `round`. Those
    /// that have expired are dropped on the way, those that others carry are kept back.
    pub fn take(
        &mut self,
        round: Round,
        now: Millis,
        count_max: usize,
        bytes_max: usize,
    ) -> Vec<Pending> {
        self.filled = self.filled.max(round);
        let (mut taken, mut bytes, mut work) = (Vec::new(), 0, 0);
        while let Some((&key, next)) = self.queue.first_key_value() {
            if key.0 > round {
                break;
            }
            let id = next.id();
            let Some(entry) = self.known.get_mut(&id) else {
                self.queue.pop_first();
                continue;
            };
            if next.body().valid_until < now {
                let next = self.queue.remove(&key);
                next.iter().for_each(|next| self.forget(next));
                continue;
            }
            // P4: kept back for so long at most, whoever carries it then.
            let last = entry.turn.saturating_add(self.config.hold_rounds);
            if round <= last
                && let Some((holder, until)) = self.carried.by(&id, round)
            {
                entry.held_by = Some(holder);
                requeue(&mut self.queue, entry, until.min(last).next());
                continue;
            }
            let size = next.encoded().len();
            // V9 bounds what a vertex takes to verify and to execute like its bytes.
            let effort = usize::try_from(next.work_bytes()).unwrap_or(usize::MAX);
            if taken.len() == count_max || bytes + size > bytes_max || work + effort > bytes_max {
                break;
            }
            entry.held_by = None;
            entry.place = Place::Proposed;
            bytes += size;
            work += effort;
            taken.extend(self.queue.remove(&key));
        }
        if !taken.is_empty() {
            self.proposed.insert(round, taken.clone());
        }
        taken
    }

    /// P3: another member's vertex was accepted.
    pub fn accepted(&mut self, vertex: &Vertex) {
        self.carried.note(vertex);
    }

    /// P3: a member signs two vertices a round. What it carries keeps nothing back any more.
    pub fn distrust(&mut self, member: MemberIndex) {
        if !self.carried.distrust(member) {
            return;
        }
        let held = self.known.values_mut();
        for entry in held.filter(|e| e.held_by == Some(member) && e.place == Place::Queued) {
            entry.held_by = None;
            requeue(&mut self.queue, entry, entry.turn);
        }
    }

    /// A commit has brought a transaction its outcome, in whosever vertex.
    pub fn settled(&mut self, id: &TransactionId) {
        let Some(entry) = self.known.get_mut(id) else {
            return;
        };
        if entry.place != Place::Queued {
            entry.place = Place::Settled;
        } else if let Some(transaction) = self.queue.remove(&entry.key) {
            self.forget(&transaction);
        }
    }

    /// A commit has brought it, and it was void at that place: who carried it does so no longer.
    pub fn void(&mut self, id: &TransactionId) {
        self.carried.forget(id);
        let entry = self.known.get_mut(id);
        if let Some(entry) = entry.filter(|e| e.held_by.is_some() && e.place == Place::Queued) {
            entry.held_by = None;
            requeue(&mut self.queue, entry, entry.turn);
        }
    }

    /// The own vertex of `round` was ordered: its transactions have their outcome.
    pub fn ordered(&mut self, round: Round) {
        for transaction in self.proposed.remove(&round).unwrap_or_default() {
            self.forget(&transaction);
        }
    }

    /// The own vertex of `round` can no longer be ordered: its transactions wait again, before younger
    /// ones.
    pub fn reclaim(&mut self, round: Round) {
        for transaction in self.proposed.remove(&round).unwrap_or_default() {
            match self.known.get_mut(&transaction.id()) {
                Some(entry) if entry.place == Place::Proposed => {
                    entry.place = Place::Queued;
                    entry.turn = self.filled.next();
                    self.queue.insert(entry.key, transaction);
                }
                _ => self.forget(&transaction),
            }
        }
    }

    /// E2: rounds start anew, and nothing that was proposed and not ordered will be: it waits again, in its order.
    pub fn next_epoch(&mut self) {
        let proposed = std::mem::take(&mut self.proposed);
        for transaction in proposed.into_values().flatten() {
            let entry = self.known.get(&transaction.id());
            match entry.filter(|e| e.place == Place::Proposed) {
                Some(entry) => drop(self.queue.insert(entry.key, transaction)),
                None => self.forget(&transaction),
            }
        }
        let mut waiting: Vec<_> = std::mem::take(&mut self.queue).into_iter().collect();
        waiting.sort_unstable_by_key(|((_, arrival), _)| *arrival);
        self.filled = Round::ZERO;
        self.carried = Carried::new(self.config.hold_rounds);
        let turn = Round(1);
        for ((_, arrival), transaction) in waiting {
            if let Some(entry) = self.known.get_mut(&transaction.id()) {
                let key = (turn, arrival);
                *entry = Entry {
                    key,
                    turn,
                    held_by: None,
                    place: Place::Queued,
                };
                self.queue.insert(key, transaction);
            }
        }
    }

    fn forget(&mut self, transaction: &Transaction) {
        if self.known.remove(&transaction.id()).is_some() {
            self.bytes -= transaction.encoded().len();
        }
    }

    /// Whether anything waits or is proposed but not ordered (R2).
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub fn bytes_max(&self) -> usize {
        self.config.bytes_max
    }

    /// Encoded bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Moves an entry to where it is looked at in `round`.
fn requeue(queue: &mut BTreeMap<Key, Pending>, entry: &mut Entry, round: Round) {
    if let Some(transaction) = queue.remove(&entry.key) {
        entry.key.0 = round;
        queue.insert(entry.key, transaction);
    }
}

#[cfg(test)]
mod tests;
