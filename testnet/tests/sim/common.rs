//! Runs that are expected to be right, and the words for those that are not.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use weft_testnet::sim::{End, Latency, Outcome, Plan, Rule, Signer, parse_faults, simulate};

/// Seven members over a wide area, mock signers, so many rounds.
pub fn plan(seed: u64, rounds: u64, faults: &str) -> Plan {
    Plan {
        nodes: 7,
        seed,
        end: End::Rounds(rounds),
        rate: 10,
        latency: Latency::Uniform { low: 20, high: 60 },
        faults: parse_faults(faults).expect("the test's faults"),
        signer: Signer::Mock,
        ..Plan::default()
    }
}

/// Names the run in which the code under test has panicked.
struct NamedInPanic(String);

impl Drop for NamedInPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to see it again: {}", self.0);
        }
    }
}

pub fn run(plan: Plan) -> Outcome {
    let _named = NamedInPanic(plan.command());
    simulate(plan).expect("the test's plan")
}

/// Why a run is not right, with the command that shows it again.
pub fn wrong_with(outcome: &Outcome) -> Option<String> {
    let command = outcome.plan.command();
    let broken: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
    if !broken.is_empty() {
        return Some(format!("{command}\n{}", broken.join("\n")));
    }
    if !outcome.converged {
        return Some(format!("did not converge: {command}"));
    }
    (outcome.commits == 0).then(|| format!("nothing was committed: {command}"))
}

/// # Panics
/// When the run broke a rule or did not converge: with the command that shows it again.
pub fn expect_clean(outcome: &Outcome) {
    if let Some(wrong) = wrong_with(outcome) {
        panic!("{wrong}");
    }
}

/// Runs and expects it to be right.
pub fn clean(plan: Plan) -> Outcome {
    let outcome = run(plan);
    expect_clean(&outcome);
    outcome
}

pub fn broke(outcome: &Outcome, rule: Rule) -> bool {
    outcome.violations.iter().any(|v| v.rule == rule)
}

/// Does something for each number, on all cores.
pub fn on_all_cores(numbers: Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(numbers.start);
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return;
                    }
                    work(number);
                }
            });
        }
    });
}
