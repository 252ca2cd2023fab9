//! Many seeds over all sorts of trouble. What CI runs is a sample of what `--full` does.

use crate::common::{expect_clean, on_all_cores, plan, run};
use std::ops::Range;
use weft_testnet::sim::{Latency, Plan};

/// What goes wrong, in runs of 200 rounds; F members at most are faulty in each, and L at most lie.
const TROUBLE: [&str; 14] = [
    "",
    "crash:F",
    "equivocate:L",
    "withhold:L",
    "partition:Q@2s+2s",
    "loss:30@1s+3s,replay:10",
    "skew:300,jitter:50",
    "restart:F@2s,slowdisk:20",
    "liar:L,loss:5",
    "late:L",
    "sleep:L,reorder:20",
    "twins:L",
    "flood:L",
    "clock:L",
];
const SIZES: [usize; 3] = [4, 7, 10];

/// The run with a number: size, latency and trouble follow from it.
fn numbered(number: u64, rounds: u64, byzantine_percent: Option<u32>) -> Plan {
    let nodes = SIZES[(number % 3) as usize];
    let faulty = (nodes - 1) / 3;
    let lying = byzantine_percent.map_or(faulty, |p| faulty.min(nodes * p as usize / 100));
    let trouble = TROUBLE[(number / 3 % TROUBLE.len() as u64) as usize]
        .replace(":F", &format!(":{faulty}"))
        .replace(":L", &format!(":{lying}"))
        .replace(":Q", &format!(":{}", nodes / 2));
    let items = trouble.split(',').filter(|item| !item.ends_with(":0"));
    let latency = match number / 42 % 3 {
        0 => Latency::Uniform { low: 20, high: 60 },
        1 => Latency::regions(),
        _ => Latency::Uniform { low: 1, high: 10 },
    };
    Plan {
        nodes,
        latency,
        byzantine_percent,
        ..plan(number, rounds, &items.collect::<Vec<_>>().join(","))
    }
}

/// D6 with as many liars as there may be, and with a slack instead.
fn two_delay(number: u64, rounds: u64) -> Plan {
    numbered(number, rounds, Some([33, 20][(number / 126 % 2) as usize]))
}

/// Runs those of one size on all cores; one of fifty is run twice.
fn all(size: u64, numbers: Range<u64>, make: impl Fn(u64) -> Plan + Sync) {
    on_all_cores(numbers, |number| {
        if number % 3 != size {
            return;
        }
        let outcome = run(make(number));
        expect_clean(&outcome);
        if number % 50 == 7 {
            let again = run(make(number));
            let command = outcome.plan.command();
            assert_eq!(again.trace_hash, outcome.trace_hash, "{command}");
        }
    });
}

#[test]
fn four_members_withstand_a_sample_of_all_trouble() {
    all(0, 0..420, |number| numbered(number, 200, None));
}

#[test]
fn seven_members_withstand_a_sample_of_all_trouble() {
    all(1, 0..420, |number| numbered(number, 200, None));
}

#[test]
fn ten_members_withstand_a_sample_of_all_trouble() {
    all(2, 0..420, |number| numbered(number, 200, None));
}

#[test]
fn d6_a_sample_of_all_trouble_is_withstood() {
    (0..3).for_each(|size| all(size, 0..252, |number| two_delay(number, 100)));
}

#[test]
#[ignore = "minutes: the whole matrix"]
fn all_trouble_is_withstood() {
    (0..3).for_each(|size| all(size, 1_000..31_000, |number| numbered(number, 200, None)));
}

#[test]
#[ignore = "minutes: part of the full run"]
fn d6_all_trouble_is_withstood() {
    (0..3).for_each(|size| all(size, 1_000..4_000, |number| two_delay(number, 200)));
}
