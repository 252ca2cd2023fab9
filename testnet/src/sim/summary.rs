//! Many runs in a row: what they cost, what they show together, and which of them failed.

use super::meter::Percentiles;
use super::report::{Delays, Report, rounded};
use serde::Serialize;

/// Failed runs whose commands are kept.
const FAILED_MAX: usize = 16;

/// The figures of some runs, under the names that scripts rely on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    pub runs: usize,
    /// Of each run: to simulate it, on one core.
    pub runs_per_s: f64,
    pub wall_s: f64,
    pub cpu_s: f64,
    /// Over all runs.
    pub commits: usize,
    pub skipped: usize,
    pub rounds: u64,
    pub submitted: u64,
    pub committed: u64,
    pub refused: u64,
    pub unsettled: u64,
    /// Runs in which a rule was broken, and safe ones in which not everybody agreed in time.
    pub diverged: usize,
    pub not_converged: usize,
    /// The means of the runs' percentiles.
    pub transaction_latency_ms: Percentiles,
    pub transaction_latency_delays: Delays,
    pub commit_latency_ms: Percentiles,
    pub commit_latency_delays: Delays,
    pub bytes_sent_per_node: u64,
    /// BLAKE3 over the runs' trace hashes, in their order.
    pub trace_hash: String,
    /// Show the runs again that were not clean; the first of them.
    pub failed: Vec<String>,
    #[serde(skip)]
    hasher: blake3::Hasher,
    #[serde(skip)]
    transactions: Sums,
    #[serde(skip)]
    leaders: Sums,
}

/// Of what the means are made.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    runs: usize,
    ms: Percentiles,
    delays: f64,
}

impl Sums {
    fn add(&mut self, latency: &Percentiles, delays: Delays) -> (Percentiles, Delays) {
        self.runs += 1;
        let mean = |sum: &mut f64, value: f64, to: f64| {
            *sum += value;
            rounded(*sum / self.runs as f64, to)
        };
        let ms = Percentiles {
            p50: mean(&mut self.ms.p50, latency.p50, 10.0),
            p90: mean(&mut self.ms.p90, latency.p90, 10.0),
            p99: mean(&mut self.ms.p99, latency.p99, 10.0),
        };
        let p50 = mean(&mut self.delays, delays.p50, 100.0);
        (ms, Delays { p50 })
    }
}

impl Summary {
    pub fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.wall_s = rounded(self.wall_s + report.wall_s, 1000.0);
        self.cpu_s = rounded(self.cpu_s + report.cpu_s, 1000.0);
        self.runs_per_s = rounded(self.runs as f64 / self.wall_s, 10.0);
        self.commits += report.commits;
        self.skipped += report.skipped;
        self.rounds += report.rounds;
        self.submitted += report.submitted;
        self.committed += report.committed;
        self.refused += report.refused;
        self.unsettled += report.unsettled;
        self.diverged += usize::from(report.diverged);
        self.not_converged += usize::from(!report.diverged && !report.converged);
        if (report.diverged || !report.converged) && self.failed.len() < FAILED_MAX {
            self.failed.push(report.command.clone());
        }
        (self.transaction_latency_ms, self.transaction_latency_delays) = self.transactions.add(
            &report.transaction_latency_ms,
            report.transaction_latency_delays,
        );
        (self.commit_latency_ms, self.commit_latency_delays) = self
            .leaders
            .add(&report.commit_latency_ms, report.commit_latency_delays);
        self.bytes_sent_per_node += report.bytes_sent_per_node;
        self.hasher.update(report.trace_hash.as_bytes());
        self.trace_hash = self.hasher.finalize().to_hex().to_string();
    }

    /// Whether all runs were clean.
    pub fn is_clean(&self) -> bool {
        self.diverged == 0 && self.not_converged == 0
    }
}
