//! S2: members that were away for long, or lost everything, take over the state of a certified height
//! and make from there on what everybody makes; servers that lie or stall delay it, and no more.

use crate::common::{broke, clean, plan, run};
use weft_consensus::CoreConfig;
use weft_node::replica::sync::SyncConfig;
use weft_testnet::sim::{End, Outcome, Plan, Rule};
use weft_types::Millis;

/// Snapshots every five seconds of ledger time, taken over from eight seconds of history on.
fn early() -> SyncConfig {
    SyncConfig {
        snapshot_interval: Millis(5_000),
        after: Millis(8_000),
        ..SyncConfig::default()
    }
}

/// Members are away for half a minute, and history is slow to fetch: of a few rounds at a time.
fn away(seed: u64, nodes: usize, faults: &str) -> Plan {
    Plan {
        nodes,
        end: End::Duration(38_000),
        sync: early(),
        adjust: Some(|config: &mut CoreConfig| config.limits.fetch_rounds_max = 8),
        ..plan(seed, 0, &faults.replace('@', "@2s+30s"))
    }
}

fn taken_over(plan: Plan) -> Outcome {
    let outcome = clean(plan);
    let command = outcome.plan.command();
    assert!(!outcome.meter.taken_over.is_empty(), "{command}");
    outcome
}

#[test]
fn s2_a_wiped_member_takes_over_a_state_and_signs_again() {
    for seed in 0..6 {
        taken_over(away(seed, 4, "wipe:1@"));
    }
}

#[test]
fn s2_so_does_one_that_was_down_and_those_beside_faults() {
    for (nodes, faults) in [
        (4, "crash:1@"),
        (7, "wipe:1@,crash:1@"),
        (7, "wipe:2@"),
        (7, "wipe:1@,equivocate:1"),
        (4, "wipe:1@,loss:10,replay:10,reorder:20"),
        (4, "crash:1@,bandwidth:20"),
        (4, "crash:1@,slowdisk:20"),
    ] {
        for seed in 0..3 {
            taken_over(away(seed, nodes, faults));
        }
    }
}

#[test]
fn s2_servers_that_lie_or_stall_are_withstood() {
    for (nodes, faults) in [
        (4, "crash:1@,lystate:1"),
        (4, "crash:1@,stallstate:1"),
        (7, "wipe:1@,lystate:1,stallstate:1"),
        (10, "wipe:1@,lystate:3"),
        (10, "wipe:1@,stallstate:3"),
    ] {
        for seed in 0..3 {
            taken_over(away(seed, nodes, faults));
        }
    }
}

#[test]
fn s2_a_member_that_was_away_for_a_moment_fetches_history() {
    let outcome = clean(Plan {
        nodes: 4,
        end: End::Duration(15_000),
        sync: early(),
        ..plan(1, 0, "crash:1@2s+4s")
    });
    assert!(outcome.meter.taken_over.is_empty());
}

/// The negative control: pieces that are not checked.
#[test]
fn s2_a_piece_that_is_believed_is_noticed() {
    let make = |seed, unchecked| Plan {
        sync: SyncConfig {
            unchecked,
            ..early()
        },
        ..away(seed, 4, "crash:1@,lystate:1")
    };
    let noticed = (0..8).find(|seed| {
        let outcome = run(make(*seed, true));
        broke(&outcome, Rule::Agreement) || broke(&outcome, Rule::Stopped)
    });
    let seed = noticed.expect("a lie that is believed shows");
    taken_over(make(seed, false));
}

/// Seconds of history made up for in a second, over all members that were away.
fn catch_up(plan: Plan) -> f64 {
    let outcome = clean(plan);
    let returns = outcome.meter.returns.iter();
    let ratios = returns.map(|r| {
        let took = r.took.expect("it caught up") as f64 / 1000.0;
        r.missed_ms as f64 / took
    });
    ratios.reduce(f64::min).expect("somebody was away")
}

#[test]
fn s2_catching_up_is_many_times_as_fast_as_the_network() {
    let away = |sync| Plan {
        end: End::Duration(70_000),
        sync,
        ..plan(3, 0, "crash:1@2s+60s")
    };
    let history = catch_up(away(SyncConfig::default()));
    let snapshot = catch_up(away(early()));
    println!("history: {history:.0} times, snapshot: {snapshot:.0} times as fast");
    assert!(history >= 25.0, "{history}");
    assert!(snapshot >= 25.0, "{snapshot}");
}
