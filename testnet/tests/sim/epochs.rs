//! E1 to E3 over many seeds: committees change under load while members crash, lose their disks, stand still or lie
//! at the very edge of an epoch. Each run keeps all rules, loses nothing, comes to agree, and ends with the committee
//! that was planned.

use crate::common::{broke, clean, on_all_cores, plan, run, wrong_with};
use std::ops::Range;
use std::sync::Mutex;
use weft_consensus::CoreConfig;
use weft_node::replica::sync::SyncConfig;
use weft_testnet::sim::{End, Latency, Outcome, Pace, Plan, Planted, Rule, Signer, parse_churn};
use weft_types::Millis;

const EPOCH_MS: u64 = 2_000;

/// Who comes and goes, with the genesis committee's size and how long it takes.
const CHURN: [(usize, &str, u64); 6] = [
    (4, "join:2@1s,leave:2@1s", 12_000),
    (4, "", 9_000),
    (7, "join:1@1s,leave:1@3s,topup:1@2s", 10_000),
    (4, "join:1@500ms", 8_000),
    (
        4,
        "join:1@1s,leave:1@1500ms,join:1@4s,leave:1@4500ms",
        12_000,
    ),
    // Everybody is replaced, one weight at each edge.
    (4, "join:4@1s,leave:4@2s", 25_000),
];

/// What goes wrong, `MOMENT` at one of an edge's.
const TROUBLE: [&str; 23] = [
    "",
    "crash:1stay@MOMENT+1s",
    "crash:1join@MOMENT+1s",
    "crash:1leave@MOMENT+1s",
    "restart:1stay@MOMENT,slowdisk:20",
    "restart:1join@MOMENT,slowdisk:20",
    "restart:1leave@MOMENT,slowdisk:20",
    // Over two edges and more.
    "crash:1stay@MOMENT+5s",
    "wipe:1stay@MOMENT",
    "wipe:1join@MOMENT",
    "wipe:1stay@MOMENT+5s",
    "oldcopy:1stay@MOMENT",
    "oldcopy:1join@MOMENT+3s",
    "oldcopy:1leave@MOMENT+1s",
    "pause:1stay@MOMENT+1500ms",
    "pause:1join@MOMENT+3s",
    "partition:1@MOMENT+1s",
    "partition@MOMENT+2s",
    "equivocate:1stay@MOMENT",
    "withhold:1join@MOMENT,loss:10@MOMENT+1s",
    "liar:1stay@MOMENT,replay:20,reorder:20",
    "slander:1stay@MOMENT",
    "loss:30@MOMENT+2s,skew:200,jitter:50",
];
const MOMENTS: [&str; 5] = ["announce", "close", "open", "close2", "open2"];

/// The run with a number: all of it follows from that.
fn numbered(number: u64) -> Plan {
    let pick = |number: u64, of: usize| (number % of as u64) as usize;
    let (trouble, rest) = (pick(number, TROUBLE.len()), number / TROUBLE.len() as u64);
    let moment = pick(rest, MOMENTS.len());
    let (nodes, churn, duration) = CHURN[pick(rest, CHURN.len())];
    let trouble = TROUBLE[trouble].replace("MOMENT", MOMENTS[moment]);
    // S1.4 takes some rounds, of which a network at rest has one a second.
    let recovers = trouble.contains("wipe") || trouble.contains("oldcopy");
    let slower = if recovers { 2 } else { 1 };
    let latency = match rest % 4 {
        0 => Latency::Uniform { low: 1, high: 10 },
        1 => Latency::regions(),
        _ => Latency::Uniform { low: 20, high: 60 },
    };
    Plan {
        nodes,
        end: End::Duration(duration * slower),
        latency,
        epoch: Some(EPOCH_MS * slower),
        churn: parse_churn(churn).expect("the test's churn"),
        ..plan(number, 0, &trouble)
    }
}

/// # Panics
/// When some runs are wrong: with the commands that show them again.
fn hold(numbers: Range<u64>) {
    let wrong = Mutex::new(Vec::new());
    on_all_cores(numbers, |number| {
        let outcome = run(numbered(number));
        let mut why = wrong_with(&outcome);
        if why.is_none() && number % 50 == 7 {
            let again = run(numbered(number)).trace_hash != outcome.trace_hash;
            why = again.then(|| format!("another history: {}", outcome.plan.command()));
        }
        if let Some(why) = why {
            eprintln!("{why}");
            wrong.lock().expect("no worker has panicked").push(why);
        }
    });
    let wrong = wrong.into_inner().expect("no worker has panicked");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn e1_to_e3_trouble_at_the_edge_of_an_epoch_is_withstood() {
    hold(0..690);
}

#[test]
#[ignore = "minutes: thousands of runs"]
fn e1_to_e3_all_trouble_at_the_edge_of_an_epoch_is_withstood() {
    hold(690..8_000);
}

fn quiet(seed: u64, churn: &str, duration: u64) -> Outcome {
    clean(Plan {
        nodes: 4,
        rate: 50,
        end: End::Duration(duration),
        epoch: Some(EPOCH_MS),
        churn: parse_churn(churn).expect("the test's churn"),
        ..plan(seed, 0, "")
    })
}

#[test]
fn e1_everybody_is_replaced_under_load_and_nothing_is_lost() {
    for seed in 0..4 {
        let outcome = quiet(seed, "join:4@1s,leave:4@2s", 25_000);
        let command = outcome.plan.command();
        assert_eq!(outcome.committee, [4, 5, 6, 7], "{command}");
        assert_eq!(
            outcome.committed + outcome.refused,
            outcome.submitted,
            "{command}"
        );
        assert!(outcome.refused * 50 < outcome.submitted, "{command}");
        assert!(outcome.meter.longest_pause_ms() < 1_000.0, "{command}");
    }
}

/// The figures of docs/adr/epochs.md: with --nocapture.
#[test]
fn e2_the_pause_between_two_epochs_is_under_a_second_over_ten_regions() {
    for seed in 0..3 {
        let outcome = clean(Plan {
            nodes: 10,
            rate: 100,
            end: End::Duration(60_000),
            latency: Latency::regions(),
            epoch: Some(5_000),
            churn: parse_churn("join:3@1s,leave:3@10s").expect("the test's churn"),
            ..plan(seed, 0, "")
        });
        let (p50, longest) = (outcome.meter.pauses().p50, outcome.meter.longest_pause_ms());
        println!(
            "p50 {p50:.0} ms, at most {longest:.0} ms: {}",
            outcome.plan.command()
        );
        assert!(
            longest < 1_000.0,
            "{longest} ms: {}",
            outcome.plan.command()
        );
    }
}

/// S2.1: away over two edges and more, and far behind already in the epoch in which it stopped. With real keys, which a
/// state has in its encoding.
fn away(seed: u64, faults: &str) -> Plan {
    Plan {
        nodes: 4,
        end: End::Duration(92_000),
        epoch: Some(30_000),
        churn: parse_churn("join:1@2s,leave:1@35s").expect("the test's churn"),
        signer: Signer::Real,
        rate: 30,
        latency: Latency::Uniform { low: 1, high: 10 },
        sync: SyncConfig {
            snapshot_interval: Millis(5_000),
            after: Millis(8_000),
            ..SyncConfig::default()
        },
        adjust: Some(|config: &mut CoreConfig| config.limits.fetch_rounds_max = 8),
        ..plan(seed, 0, faults)
    }
}

#[test]
fn s2_1_a_member_that_missed_two_edges_takes_over_a_state_of_the_newest_epoch() {
    let faults = ["wipe:1@1s+80s", "wipe:1@1s+80s,lystate:1"];
    on_all_cores(0..faults.len() as u64, |number| {
        let outcome = clean(away(number, faults[number as usize]));
        let command = outcome.plan.command();
        assert!(!outcome.meter.taken_over.is_empty(), "{command}");
        assert!(outcome.epochs.is_some_and(|begun| begun >= 3), "{command}");
    });
}

/// Commits say who is convicted, so that members that do not agree on it disagree on commits.
#[test]
fn v8_7_who_starts_again_in_a_later_epoch_knows_who_was_convicted_before() {
    let faults = [
        "equivocate:1,restart:1stay@open2",
        "equivocate:1,wipe:1stay@open2",
        "equivocate:1,restart:1stay@open2+1s",
        "equivocate:1,oldcopy:1stay@open",
    ];
    on_all_cores(0..2 * faults.len() as u64, |number| {
        clean(Plan {
            nodes: 7,
            rate: 50,
            end: End::Duration(14_000),
            epoch: Some(2 * EPOCH_MS),
            churn: parse_churn("join:2@1s,leave:1@1s").expect("the test's churn"),
            ..plan(number, 0, faults[number as usize % faults.len()])
        });
    });
}

/// Everybody has the real registry's queue, and closing certificates go to the real contract.
#[test]
fn e1_b2_nodes_bond_and_leave_by_the_contract_and_every_closing_certificate_is_posted() {
    let runs = [
        "",
        "reorg:3@2s,crash:1stay@close+1s",
        "basedown@4s+3s,pause:1join@open+1s",
    ];
    on_all_cores(0..runs.len() as u64, |number| {
        let outcome = clean(Plan {
            nodes: 4,
            end: End::Duration(16_000),
            epoch: Some(3_000),
            churn: parse_churn("join:2@1s,leave:1@3s,topup:1@4s").expect("the test's churn"),
            base: Some(Pace {
                block_ms: 500,
                depth: 3,
            }),
            signer: Signer::Real,
            ..plan(number, 0, runs[number as usize])
        });
        let (command, posted) = (outcome.plan.command(), outcome.checkpoints);
        let posted = posted.map_or(0, |c| c.anchored as u64);
        // A reorganisation may have changed the order in which they joined.
        let mut committee = outcome.committee;
        committee.sort_unstable();
        assert_eq!(committee, [1, 2, 3, 4, 5], "{command}");
        let closed = outcome.epochs.unwrap_or_default() - 3;
        assert!(posted >= closed, "{posted} anchored: {command}");
    });
}

/// The first seed whose run breaks one of the rules.
fn first(planted: Planted, faults: &str, rules: &[Rule]) -> Option<u64> {
    (0..40).find(|seed| {
        let outcome = run(Plan {
            planted: Some(planted),
            ..edge(*seed, faults)
        });
        rules.iter().any(|rule| broke(&outcome, *rule))
    })
}

fn edge(seed: u64, faults: &str) -> Plan {
    Plan {
        nodes: 4,
        end: End::Duration(8_000),
        epoch: Some(EPOCH_MS),
        churn: parse_churn("join:1@500ms").expect("the test's churn"),
        ..plan(seed, 0, faults)
    }
}

/// Negative controls: members that do not keep what the rules of S1 and V3 want kept, at an edge.
#[test]
fn a_member_that_signs_again_in_an_epoch_is_noticed() {
    for (planted, faults, rules) in [
        (
            Planted::NoGuard,
            "oldcopy:1stay@open+700ms",
            [Rule::Equivocation, Rule::Accusation],
        ),
        (
            Planted::NoRecovery,
            "wipe:1stay@open+1ms",
            [Rule::Equivocation, Rule::Accusation],
        ),
        (
            Planted::NoSync,
            "restart:2stay@open,slowdisk:10",
            [Rule::Durability, Rule::Equivocation],
        ),
    ] {
        let seed = first(planted, faults, &rules);
        assert!(seed.is_some(), "{planted:?} is not noticed");
        clean(edge(seed.unwrap_or_default(), faults));
    }
}
