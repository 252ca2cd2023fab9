//! What a run measures: how long transactions and leaders took to be ordered.
//!
//! A transaction's latency is from its submission to its commit at the member that took it, as a client
//! of that member sees it. A leader's is from the moment at which its author made it to its commit, at
//! every honest member, during the fault phase alone.

use super::partings::Partings;
use super::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use weft_consensus::{Buffer, Status};
use weft_types::{Epoch, Round, TransactionId, VertexRef};

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
}

impl Percentiles {
    /// Whether they are of nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A machine that was away, and how long it took to be where the others are.
#[derive(Debug, Clone, Copy)]
pub struct Return {
    pub machine: usize,
    pub since: Time,
    /// Of the order, in milliseconds of its time.
    pub missed_ms: u64,
    /// In microseconds; `None` while it is behind.
    pub took: Option<u64>,
}

#[derive(Default)]
pub struct Meter {
    /// Since when, and the machines that have taken it; not ordered at any of these yet.
    waiting: BTreeMap<TransactionId, (Time, Vec<usize>)>,
    /// When submitted, and the latency in microseconds.
    transactions: Vec<(Time, u64)>,
    commits: Vec<u64>,
    /// Refused by a member, and taken by none so far.
    refused: BTreeSet<TransactionId>,
    /// Nobody was up to take it.
    pub unreached: u64,
    /// Transactions in the order that a fresh commit has brought, and those of them that were applied.
    pub ordered: u64,
    pub applied: u64,
    fullest: BTreeMap<&'static str, usize>,
    /// E2: at the edges of epochs, in microseconds.
    pauses: Vec<u64>,
    /// Transactions that waited at a member that left.
    pub given_again: usize,
    pub returns: Vec<Return>,
    /// S2: which machines have taken over a snapshot, and when.
    pub taken_over: Vec<(usize, Time)>,
    at_heal: Option<(usize, Round)>,
    /// Rounds from the end of the faults to the first commit after it that nobody had made before.
    pub rounds_to_commit: Option<u64>,
    pub partings: Partings,
}

impl Meter {
    pub fn submitted(&mut self, id: TransactionId, since: Time, machine: usize, taken: bool) {
        if taken {
            let (_, takers) = self.waiting.entry(id).or_insert((since, Vec::new()));
            takers.push(machine);
            self.refused.remove(&id);
        } else if !self.waiting.contains_key(&id) {
            self.refused.insert(id);
        }
    }

    /// Those that no member has taken.
    pub fn refused(&self) -> impl Iterator<Item = &TransactionId> {
        self.refused.iter()
    }

    pub fn executed(&mut self, id: &TransactionId, machine: usize, now: Time) {
        if let Some((since, takers)) = self.waiting.get(id)
            && takers.contains(&machine)
        {
            self.transactions.push((*since, now.since(*since)));
            self.waiting.remove(id);
        }
    }

    pub fn buffer(&mut self, buffer: &Buffer) {
        self.held(buffer.name, buffer.bytes);
    }

    /// V5: what a DAG holds.
    pub fn dag(&mut self, status: &Status) {
        self.held("dag", status.dag_bytes);
        self.held("versions", status.versions);
    }

    fn held(&mut self, name: &'static str, amount: usize) {
        let fullest = self.fullest.entry(name).or_default();
        *fullest = (*fullest).max(amount);
    }

    /// The most that an honest member was seen to hold: bytes in a buffer or in the `dag`, or `versions` beside
    /// the first of their author and round.
    pub fn fullest(&self, name: &str) -> usize {
        self.fullest.get(name).copied().unwrap_or_default()
    }

    /// What a machine's memory held is gone; its clients submit again elsewhere, or do not.
    pub fn crashed(&mut self, machine: usize) {
        self.waiting.retain(|_, (_, takers)| {
            takers.retain(|taker| *taker != machine);
            !takers.is_empty()
        });
    }

    /// A machine takes part no longer: what waited there alone is its clients' to give to others.
    pub fn left(&mut self, machine: usize) -> Vec<TransactionId> {
        let left = |(_, (_, takers)): &(&TransactionId, &(Time, Vec<usize>))| *takers == [machine];
        let left: Vec<_> = self
            .waiting
            .iter()
            .filter(left)
            .map(|(id, _)| *id)
            .collect();
        self.given_again += left.len();
        self.crashed(machine);
        left
    }

    /// E2: so long after an epoch was closed the next one had its first commit.
    pub fn crossed(&mut self, pause: u64) {
        self.pauses.push(pause);
    }

    pub fn pauses(&self) -> Percentiles {
        percentiles(self.pauses.iter().copied())
    }

    pub fn longest_pause_ms(&self) -> f64 {
        self.pauses
            .iter()
            .max()
            .map_or(0.0, |us| *us as f64 / 1000.0)
    }

    /// A machine starts on a disk that misses so much of the order.
    pub fn returned(&mut self, machine: usize, now: Time, missed_ms: u64) {
        // After a snapshot was taken over it is still the same return.
        let open = |r: &Return| r.machine == machine && r.took.is_none();
        if missed_ms > 0 && !self.returns.iter().any(open) {
            self.returns.push(Return {
                machine,
                since: now,
                missed_ms,
                took: None,
            });
        }
    }

    /// A machine has made what the others have made.
    pub fn caught_up(&mut self, machine: usize, now: Time) {
        let open = |r: &&mut Return| r.machine == machine && r.took.is_none();
        for r in self.returns.iter_mut().filter(open) {
            r.took = Some(now.since(r.since));
        }
    }

    pub fn took_over(&mut self, machine: usize, now: Time) {
        self.taken_over.push((machine, now));
    }

    pub fn waiting(&self) -> impl Iterator<Item = (TransactionId, usize)> {
        let waiting = self.waiting.iter();
        waiting.flat_map(|(id, (_, takers))| takers.iter().map(|taker| (*id, *taker)))
    }

    /// Transactions that were in the order again, for each that was applied.
    pub fn duplicates(&self) -> f64 {
        (self.ordered - self.applied) as f64 / self.applied.max(1) as f64
    }

    pub fn committed(&mut self, latency: u64) {
        self.commits.push(latency);
    }

    pub fn healed(&mut self, now: Time, commits: usize, top: Round) {
        self.at_heal = Some((commits, top));
        self.partings.heal(now);
    }

    /// The order has become longer, while the highest round signed is `top`.
    pub fn ordered(&mut self, now: Time, top: Round) {
        self.partings.committed(now);
        if let Some((_, before)) = self.at_heal {
            let rounds = top.0.saturating_sub(before.0);
            self.rounds_to_commit.get_or_insert(rounds);
        }
    }

    pub fn commits_at_heal(&self) -> usize {
        self.at_heal.map_or(0, |(commits, _)| commits)
    }

    pub fn rounds_at_heal(&self) -> Round {
        self.at_heal.map_or(Round::ZERO, |(_, round)| round)
    }

    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// In the order of their commits.
    pub fn series(&self) -> impl Iterator<Item = (Time, u64)> {
        self.transactions.iter().copied()
    }

    pub fn transaction_latency(&self) -> Percentiles {
        percentiles(self.transactions.iter().map(|(_, latency)| *latency))
    }

    pub fn commit_latency(&self) -> Percentiles {
        percentiles(self.commits.iter().copied())
    }

    /// Leader slots of each epoch before the round of its last commit that the order has passed over.
    pub fn skipped(&self, leaders: &[(Epoch, VertexRef)], per_round: usize) -> usize {
        let leaders = &leaders[..self.commits_at_heal().min(leaders.len())];
        let epochs = leaders.chunk_by(|a, b| a.0 == b.0);
        epochs.map(|of| Self::skipped_in(of, per_round)).sum()
    }

    fn skipped_in(leaders: &[(Epoch, VertexRef)], per_round: usize) -> usize {
        let Some((_, last)) = leaders.last() else {
            return 0;
        };
        let before = leaders.iter().filter(|(_, l)| l.round < last.round).count();
        let rounds = usize::try_from(last.round.0.saturating_sub(1)).unwrap_or(usize::MAX);
        rounds.saturating_mul(per_round).saturating_sub(before)
    }
}

/// By nearest rank, from microseconds to milliseconds; zeros of nothing.
fn percentiles(values: impl Iterator<Item = u64>) -> Percentiles {
    let mut sorted: Vec<u64> = values.collect();
    sorted.sort_unstable();
    let rank = |percent: usize| {
        let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(place).map_or(0.0, |us| *us as f64 / 1000.0)
    };
    Percentiles {
        p50: rank(50),
        p90: rank(90),
        p99: rank(99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred = percentiles((1..=100).map(|ms| ms * 1000));
        assert_eq!((hundred.p50, hundred.p90, hundred.p99), (50.0, 90.0, 99.0));
        let one = percentiles([7_000].into_iter());
        assert_eq!((one.p50, one.p99), (7.0, 7.0));
        assert_eq!(percentiles([].into_iter()), Percentiles::default());
    }

    #[test]
    fn a_transaction_that_several_have_taken_counts_once_where_it_comes_first() {
        let (mut meter, id) = (Meter::default(), TransactionId([1; 32]));
        meter.submitted(id, Time::millis(5), 2, true);
        meter.submitted(id, Time::millis(5), 3, true);
        meter.crashed(2);
        assert_eq!(meter.waiting().count(), 1);
        meter.executed(&id, 3, Time::millis(8));
        meter.executed(&id, 2, Time::millis(9));
        assert_eq!(meter.transaction_latency().p50, 3.0);
        assert_eq!(meter.transactions(), 1);
    }

    #[test]
    fn refused_is_what_nobody_takes() {
        let (mut meter, id) = (Meter::default(), TransactionId([1; 32]));
        meter.submitted(id, Time::millis(5), 2, false);
        assert_eq!(meter.refused().count(), 1);
        meter.submitted(id, Time::millis(5), 3, true);
        assert_eq!(meter.refused().count(), 0);
        meter.submitted(id, Time::millis(5), 4, false);
        assert_eq!(meter.refused().count(), 0);
    }

    #[test]
    fn a_latency_counts_where_the_transaction_was_taken() {
        let (mut meter, id) = (Meter::default(), TransactionId([1; 32]));
        meter.submitted(id, Time::millis(5), 2, true);
        meter.executed(&id, 1, Time::millis(8));
        assert_eq!(meter.transactions(), 0);
        meter.executed(&id, 2, Time::millis(9));
        assert_eq!(meter.transaction_latency().p50, 4.0);
        assert_eq!(meter.waiting().count(), 0);
    }
}
