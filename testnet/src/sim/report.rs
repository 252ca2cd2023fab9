//! What a run was like: figures for scripts, words for people.

use super::base::Checkpoints;
use super::faults::{Fault, Kind};
use super::meter::{Meter, Percentiles};
use super::oracle::Violation;
use super::partings::Partition;
use super::plan::{End, Plan};
use super::record::Record;
use super::time::Time;
use serde::Serialize;
use weft_types::{MemberIndex, VertexParts};

/// All that a run leaves behind.
pub struct Outcome {
    pub plan: Plan,
    /// Transactions of the clients; of them those that no member took, and those in the order.
    pub submitted: u64,
    pub refused: u64,
    pub committed: u64,
    /// Epochs that were begun, if the plan has any that end; the nodes of the newest committee.
    pub epochs: Option<u64>,
    pub committee: Vec<usize>,
    /// F: members that may be faulty.
    pub faulty_max: usize,
    /// When the fault phase was over, and when the run.
    pub healed: Time,
    pub ended: Time,
    pub converged: bool,
    pub trace_hash: [u8; 32],
    /// Of the fault phase: the longest order, slots passed over, the highest round signed.
    pub commits: usize,
    pub skipped: usize,
    pub rounds: u64,
    pub violations: Vec<Violation>,
    /// Members that did not start again, or stopped, and why.
    pub stopped: Vec<(MemberIndex, String)>,
    pub bytes_sent: u64,
    /// The mean of the vertices that one honest member has.
    pub vertex: VertexParts,
    pub messages: u64,
    pub mean_delay_us: f64,
    pub meter: Meter,
    /// B2, with a base chain.
    pub checkpoints: Option<Checkpoints>,
    /// Of clients that know the order of members: in how many rounds the slowest transaction was ordered.
    pub rounds_max: Option<u64>,
    pub record: Option<Record>,
}

/// One message delay's percentiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Delays {
    pub p50: f64,
}

impl Delays {
    fn of(latency: &Percentiles, delay_ms: f64) -> Self {
        Self {
            p50: rounded(latency.p50 / delay_ms, 100.0),
        }
    }
}

/// E1 to E3, of a run with epochs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Epochs {
    pub begun: u64,
    /// The nodes of the newest committee.
    pub committee: Vec<usize>,
    #[serde(rename = "epoch_pause_ms")]
    pub pause_ms: Pause,
    /// Transactions that waited at a member when it left, and were given to another.
    pub given_again: usize,
}

/// From an epoch's closing commit to the first one of the next epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pause {
    pub p50: f64,
    pub max: f64,
}

/// The figures, under the names that scripts rely on.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub nodes: usize,
    pub seed: u64,
    /// The fault phase.
    pub simulated_s: f64,
    pub wall_s: f64,
    pub rounds: u64,
    pub commits: usize,
    pub skipped: usize,
    /// Some rule that must always hold was broken.
    pub diverged: bool,
    /// After the faults everybody came to agree in time.
    pub converged: bool,
    /// Whether anything was planned to go wrong.
    pub had_faults: bool,
    pub trace_hash: String,
    /// Transactions that clients had during the fault phase: `committed`, `refused` and `unsettled` together.
    pub submitted: u64,
    /// In the order at the end of the run.
    pub committed: u64,
    /// No member took it, or none was up.
    pub refused: u64,
    /// Neither committed nor refused at the end: lost with a member that went down, or still waiting.
    pub unsettled: u64,
    /// Ordered, of those submitted during the fault phase, while the member was up that took it: those that
    /// have a latency.
    pub transactions: usize,
    pub transaction_latency_ms: Percentiles,
    /// In mean one-way delays of a message.
    pub transaction_latency_delays: Delays,
    /// Times that a transaction was ordered again, for each that was applied.
    pub duplicates: f64,
    /// Rounds from a transaction's way to its first members until it was ordered, at the most; of clients
    /// that know the order of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_rounds_max: Option<u64>,
    pub commit_latency_ms: Percentiles,
    /// In mean one-way delays of a message.
    pub commit_latency_delays: Delays,
    pub bytes_sent_per_node: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<Epochs>,
    pub cpu_s: f64,
    /// How long it took to agree after the faults, in simulated seconds.
    pub settled_s: f64,
    /// Rounds from the end of the faults to the next commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounds_to_commit: Option<u64>,
    /// From the heal of a partition to the first commit after it, the longest of all; `null` without a
    /// partition, or without a commit after one.
    pub heal_to_commit_ms: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// With a base chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Checkpoints>,
    pub violations: Vec<Violation>,
    /// Members that are down by their own decision, and why.
    pub stopped: Vec<Stopped>,
    /// What the figures do not say by themselves, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Shows this run again.
    pub command: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Stopped {
    pub node: u32,
    pub reason: String,
}

impl Outcome {
    /// Whether no rule was broken.
    pub fn is_safe(&self) -> bool {
        self.violations.is_empty()
    }

    /// From the heal of a partition to the first commit after it, in milliseconds: the longest of them, and
    /// none if there was no partition, or no commit after one.
    fn heal_to_commit_ms(&self) -> Option<f64> {
        let partitions = self.meter.partings.healed();
        let times = partitions.iter().map(|p| p.heal_to_commit_ms);
        let times: Option<Vec<f64>> = times.collect();
        times?.into_iter().reduce(f64::max)
    }

    fn unsettled(&self) -> u64 {
        let settled = self.committed.saturating_add(self.refused);
        self.submitted.saturating_sub(settled)
    }

    /// Members that were down for good during some of the fault phase.
    fn crashed_for_good(&self) -> usize {
        let faults = self.plan.faults.iter();
        let for_good = faults.filter(|f| f.kind == Kind::Crash && f.length.is_none());
        for_good.map(|f| f.amount as usize).sum()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let (down, most) = (self.crashed_for_good(), self.faulty_max);
        if down > most {
            notes.push(format!(
                "{down} of {} members were down, more than the {most} that may be: a stall was right; \
                 after the faults as many were started again as it takes",
                self.plan.nodes
            ));
        }
        if let End::Rounds(rounds) = self.plan.end
            && self.rounds < rounds
        {
            notes.push(format!(
                "ended after {:.0} s with {} of {rounds} rounds: a round is given 2 s",
                self.healed.seconds(),
                self.rounds
            ));
        }
        let late = |f: &&Fault| {
            f.start
                .is_some_and(|start| Time::millis(start) >= self.ended)
        };
        for fault in self.plan.faults.iter().filter(late) {
            notes.push(format!(
                "{fault} did not happen: the run was over after {:.2} s",
                self.ended.seconds()
            ));
        }
        if self.refused > 0 {
            notes.push(format!(
                "{} of {} transactions were refused: a member takes none before it hears of a quorum, at the start \
                 too, nor while it is behind or recovers",
                self.refused, self.submitted
            ));
        }
        let unsettled = self.unsettled();
        if unsettled > 0 {
            notes.push(format!(
                "{unsettled} of {} transactions were never committed: lost with members that went down, or waiting \
                 at the end",
                self.submitted
            ));
        }
        notes
    }

    /// The figures; what the machine took for them is the caller's to measure.
    pub fn report(&self, wall_s: f64, cpu_s: f64) -> Report {
        let commit_latency_ms = self.meter.commit_latency();
        let delay_ms = self.mean_delay_us / 1000.0;
        let transaction_latency_ms = self.meter.transaction_latency();
        let stopped = self.stopped.iter().map(|(member, reason)| Stopped {
            node: member.0,
            reason: reason.clone(),
        });
        Report {
            nodes: self.plan.nodes,
            seed: self.plan.seed,
            simulated_s: self.healed.seconds(),
            wall_s: rounded(wall_s, 1000.0),
            rounds: self.rounds,
            commits: self.commits,
            skipped: self.skipped,
            diverged: !self.is_safe(),
            converged: self.converged,
            had_faults: !self.plan.faults.is_empty(),
            trace_hash: hex::encode(self.trace_hash),
            submitted: self.submitted,
            committed: self.committed,
            refused: self.refused,
            unsettled: self.unsettled(),
            transactions: self.meter.transactions(),
            transaction_latency_ms,
            transaction_latency_delays: Delays::of(&transaction_latency_ms, delay_ms),
            transaction_rounds_max: self.rounds_max,
            duplicates: rounded(self.meter.duplicates(), 10_000.0),
            commit_latency_ms,
            commit_latency_delays: Delays::of(&commit_latency_ms, delay_ms),
            bytes_sent_per_node: self.bytes_sent / self.plan.everybody() as u64,
            epochs: self.epochs.map(|begun| Epochs {
                begun,
                committee: self.committee.clone(),
                pause_ms: Pause {
                    p50: self.meter.pauses().p50,
                    max: self.meter.longest_pause_ms(),
                },
                given_again: self.meter.given_again,
            }),
            cpu_s: rounded(cpu_s, 1000.0),
            settled_s: (self.ended.since(self.healed)) as f64 / 1e6,
            rounds_to_commit: self.meter.rounds_to_commit,
            heal_to_commit_ms: self.heal_to_commit_ms(),
            partitions: self.meter.partings.healed(),
            checkpoints: self.checkpoints,
            violations: self.violations.clone(),
            stopped: stopped.collect(),
            notes: self.notes(),
            command: self.plan.command(),
        }
    }
}

pub(super) fn rounded(value: f64, to: f64) -> f64 {
    if value.is_finite() {
        (value * to).round() / to
    } else {
        0.0
    }
}
