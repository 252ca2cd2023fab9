//! Each fault alone: safe, and agreed after the heal.

use crate::common::{clean, plan, run};
use weft_testnet::sim::{End, Latency, Plan};

fn survives(faults: &str) {
    for seed in 0..4 {
        clean(plan(seed, 80, faults));
    }
}

macro_rules! faults {
    ($($name:ident: $faults:literal,)*) => {$(
        #[test]
        fn $name() {
            survives($faults);
        }
    )*};
}

faults! {
    nothing_at_all: "",
    f_members_down_for_good: "crash:2",
    f_members_down_for_a_while: "crash:2@1s+2s",
    power_cuts_with_slow_disks: "restart:2@1s,restart:1@2s,slowdisk:20",
    a_restart_of_everybody_at_once: "restart:7@2s,slowdisk:10",
    members_that_stand_still: "pause:2@1s+2s",
    a_partition_without_a_quorum: "partition:3@1s+3s",
    a_member_that_is_cut_off: "partition:1@1s+3s",
    a_member_that_has_lost_its_disk_signs_nothing_twice: "wipe:1@1s",
    a_database_from_an_old_copy_is_not_gone_on_from: "oldcopy:1@1s+1s",
    a_third_of_messages_lost: "loss:30",
    a_third_of_messages_of_two_members_lost: "loss:30/2,replay:20/1",
    messages_that_come_again: "replay:20",
    messages_that_overtake_each_other: "reorder:50,jitter:100",
    little_bandwidth: "bandwidth:2",
    clocks_that_differ: "skew:400",
    everything_at_once: "crash:1@1s+2s,pause:1@2s+1s,partition:3@4s+1s,loss:10,replay:5,jitter:50,skew:200,slowdisk:10",
}

#[test]
fn nothing_is_committed_in_30_s_without_a_quorum_and_something_within_a_second_of_the_heal() {
    for (nodes, cut, latency) in [
        (7, 3, Latency::Uniform { low: 20, high: 60 }),
        (10, 5, Latency::regions()),
        (4, 2, Latency::Uniform { low: 50, high: 100 }),
    ] {
        for seed in 0..5 {
            let outcome = clean(Plan {
                nodes,
                latency: latency.clone(),
                end: End::Duration(34_000),
                ..plan(seed, 0, &format!("partition:{cut}@2s+30s"))
            });
            let command = outcome.plan.command();
            let report = outcome.report(0.0, 0.0);
            let [partition] = report.partitions[..] else {
                panic!("{} partitions: {command}", report.partitions.len());
            };
            assert_eq!((partition.start_s, partition.heal_s), (2.0, 32.0));
            assert_eq!(partition.commits, 0, "{command}");
            let after = report.heal_to_commit_ms.expect("a commit after the heal");
            println!("{after} ms: {command}");
            assert!(after <= 1_000.0, "{after} ms: {command}");
        }
    }
}

#[test]
fn losses_at_one_member_of_twenty_cost_the_others_little() {
    let median = |faults| {
        let plan = Plan {
            nodes: 20,
            rate: 50,
            ..plan(1, 80, faults)
        };
        clean(plan).meter.transaction_latency().p50
    };
    let (calm, few, all) = (median(""), median("loss:1/1"), median("loss:30"));
    assert!(few < 1.5 * calm, "{few} ms against {calm} ms");
    assert!(all > 1.5 * calm, "the check cannot fail: {all} ms");
}

#[test]
fn a_partition_that_leaves_a_quorum_is_seen_to_commit() {
    let outcome = clean(Plan {
        end: End::Duration(6_000),
        ..plan(1, 0, "partition:1@2s+3s")
    });
    let report = outcome.report(0.0, 0.0);
    assert!(report.partitions[0].commits > 0);
}

#[test]
fn a_run_without_a_partition_has_no_heal() {
    let report = clean(plan(1, 20, "")).report(0.0, 0.0);
    assert_eq!(report.heal_to_commit_ms, None);
    assert!(report.partitions.is_empty());
}

/// F1 (b): who restarts between the end of a burst and the next interval still closes the height then.
/// With a transaction now and then, many heights are such ends.
#[test]
fn restarts_between_a_trade_and_its_posting_part_no_heights() {
    let times = ["4200", "4700", "9200", "9700", "14200", "14700", "19700"];
    let restarts = times.map(|ms| format!("restart:1@{ms}ms")).join(",");
    for seed in 0..12 {
        clean(Plan {
            end: End::Duration(22_000),
            rate: 1,
            ..plan(seed, 0, &restarts)
        });
    }
}

#[test]
fn a_member_that_is_far_behind_comes_to_agree_and_one_without_time_for_it_is_noticed() {
    let behind = |settle, faults| Plan {
        end: End::Duration(30_000),
        settle,
        ..plan(3, 0, faults)
    };
    clean(behind(30_000, "partition:1@1s+25s"));
    let outcome = run(behind(50, "partition:1@1s"));
    assert!(!outcome.converged && outcome.violations.is_empty());
}
