//! Twins: members that run twice with one key, so that they contradict themselves without meaning to, in
//! every way that timing allows. F of them part nothing, in many runs; more do, and the oracle says so.

use crate::common::{broke, clean, on_all_cores, plan, run};
use std::collections::BTreeSet;
use weft_testnet::sim::{Latency, Plan, Rule};

/// What else goes wrong.
const BESIDE: [&str; 4] = [
    "",
    ",loss:10",
    ",jitter:100,reorder:30,replay:5",
    ",partition:1@1s+1s,skew:200",
];
const SIZES: [usize; 3] = [4, 7, 10];

/// The run with a number: size, latency, rule and what else goes wrong follow from it.
fn numbered(number: u64) -> Plan {
    let of = |every: u64, count: u64| (number / every % count) as usize;
    let nodes = SIZES[of(1, 3)];
    let faulty = (nodes - 1) / 3;
    let latency = match of(12, 3) {
        0 => Latency::Uniform { low: 20, high: 200 },
        1 => Latency::regions(),
        _ => Latency::Uniform { low: 1, high: 10 },
    };
    Plan {
        nodes,
        latency,
        // D6 with as many liars as there may be at all.
        byzantine_percent: (of(36, 2) == 1).then_some(33),
        ..plan(number, 60, &format!("twins:{faulty}{}", BESIDE[of(3, 4)]))
    }
}

#[test]
fn twins_within_f_part_nothing_in_five_hundred_runs() {
    on_all_cores(0..500, |number| drop(clean(numbered(number))));
}

#[test]
#[ignore = "many minutes: part of the full run"]
fn twins_within_f_part_nothing_in_twenty_thousand_runs() {
    on_all_cores(1_000..21_000, |number| drop(clean(numbered(number))));
}

/// More twins than there may be.
fn too_many(nodes: usize, faults: &'static str, two_delay: Option<u32>) -> impl Fn(u64) -> Plan {
    move |seed| Plan {
        nodes,
        byzantine_percent: two_delay,
        latency: Latency::Uniform { low: 20, high: 200 },
        settle: 1_000,
        ..plan(seed, 80, faults)
    }
}

#[test]
fn more_twins_than_f_part_the_order_and_each_oracle_that_is_concerned_says_so() {
    let make = too_many(4, "twins:2", None);
    let concerned = [Rule::Agreement, Rule::Integrity, Rule::Stopped];
    let mut silent: BTreeSet<usize> = (0..concerned.len()).collect();
    for seed in 0..120 {
        let outcome = run(make(seed));
        silent.retain(|i| !broke(&outcome, concerned[*i]));
        if silent.is_empty() {
            return;
        }
    }
    let silent: Vec<Rule> = silent.into_iter().map(|i| concerned[i]).collect();
    panic!("never fired: {silent:?}");
}

#[test]
fn d6_as_many_twins_as_would_do_no_harm_without_it_part_the_order() {
    let faults = "twins:2,loss:10";
    let make = too_many(7, faults, Some(0));
    let parted = (0..40).any(|seed| broke(&run(make(seed)), Rule::Agreement));
    assert!(parted, "agreement never fired");
    for seed in 0..4 {
        clean(Plan {
            settle: 30_000,
            ..too_many(7, faults, None)(seed)
        });
    }
}
