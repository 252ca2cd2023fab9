//! Many seeds over all sorts of trouble. What CI runs is a sample of what `--full` does.

use crate::common::{expect_clean, plan, run};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use weft_testnet::sim::{Latency, Plan};

/// What goes wrong, in runs of 200 rounds; F members at most are faulty in each.
const TROUBLE: [&str; 14] = [
    "",
    "crash:F",
    "equivocate:F",
    "withhold:F",
    "partition:Q@2s+2s",
    "loss:30@1s+3s,replay:10",
    "skew:300,jitter:50",
    "restart:F@2s,slowdisk:20",
    "liar:F,loss:5",
    "late:F",
    "sleep:F,reorder:20",
    "twins:F",
    "flood:F,forge:0",
    "clock:F,pause:0@2s+1s",
];
const SIZES: [usize; 3] = [4, 7, 10];

/// The run with a number: size, latency and trouble follow from it.
fn numbered(number: u64, rounds: u64) -> Plan {
    let nodes = SIZES[(number % 3) as usize];
    let faulty = (nodes - 1) / 3;
    let trouble = TROUBLE[(number / 3 % TROUBLE.len() as u64) as usize];
    let items = trouble.split(',').filter(|item| !item.contains(":0"));
    let faults: Vec<String> = items
        .map(|item| {
            let faulty = format!(":{faulty}");
            item.replace(":F", &faulty)
                .replace(":Q", &format!(":{}", nodes / 2))
        })
        .collect();
    let latency = match number / 42 % 3 {
        0 => Latency::Uniform { low: 20, high: 60 },
        1 => Latency::regions(),
        _ => Latency::Uniform { low: 1, high: 10 },
    };
    Plan {
        nodes,
        latency,
        ..plan(number, rounds, &faults.join(","))
    }
}

/// Runs those of one size on all cores; one of fifty is run twice.
fn all(size: usize, numbers: std::ops::Range<u64>, rounds: u64) {
    let next = AtomicU64::new(numbers.start);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return;
            }
            if number % 3 != size as u64 {
                continue;
            }
            let outcome = run(numbered(number, rounds));
            expect_clean(&outcome);
            if number % 50 == 7 {
                let again = run(numbered(number, rounds));
                assert_eq!(
                    again.trace_hash,
                    outcome.trace_hash,
                    "{}",
                    outcome.plan.command()
                );
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
}

#[test]
fn four_members_withstand_a_sample_of_all_trouble() {
    all(0, 0..420, 200);
}

#[test]
fn seven_members_withstand_a_sample_of_all_trouble() {
    all(1, 0..420, 200);
}

#[test]
fn ten_members_withstand_a_sample_of_all_trouble() {
    all(2, 0..420, 200);
}

#[test]
#[ignore = "minutes: the whole matrix"]
fn all_trouble_is_withstood() {
    (0..3).for_each(|size| all(size, 1_000..31_000, 200));
}
