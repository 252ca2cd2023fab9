//! B2 with the base chain in the run: due certificates get there in time whoever is silent, lies or is away,
//! whatever the chain does; nothing is told to be anchored that can be taken back. Each oracle has a planted
//! bug that fires it.

use crate::common::{broke, clean, plan, run};
use weft_testnet::sim::{Checkpoints, End, Outcome, Pace, Plan, Planted, Rule, Signer};

/// Seven members for so many seconds, with a base chain of a block a second that is final four deep.
fn posting(seed: u64, seconds: u64, faults: &str) -> Plan {
    Plan {
        end: End::Duration(seconds * 1_000),
        base: Some(Pace::default()),
        rate: 4,
        settle: 60_000,
        ..plan(seed, 0, faults)
    }
}

fn checkpoints(outcome: &Outcome) -> Checkpoints {
    outcome.checkpoints.expect("the plan has a base chain")
}

/// The checkpoints of clean runs, added up; the slowest is the slowest of all.
fn over(seeds: std::ops::Range<u64>, seconds: u64, faults: &str) -> Checkpoints {
    let mut all = Checkpoints::default();
    for seed in seeds {
        let of = checkpoints(&clean(posting(seed, seconds, faults)));
        all.posted += of.posted;
        all.anchored += of.anchored;
        all.wasted += of.wasted;
        all.gas += of.gas;
        all.alarms += of.alarms;
        all.worst_delay_ms = all.worst_delay_ms.max(of.worst_delay_ms);
    }
    all
}

#[test]
fn b2_every_interval_is_posted_once_and_becomes_final() {
    let all = over(0..4, 21, "");
    // Height 1 and the first of each 5 s, in a chain that begins at a multiple of them.
    assert!((16..=24).contains(&all.posted), "{all:?}");
    assert_eq!((all.anchored, all.wasted, all.alarms), (all.posted, 0, 0));
    assert!(all.worst_delay_ms < 3_000, "{all:?}");
    let each = all.gas / all.posted as u64;
    assert!((230_000..330_000).contains(&each), "{each} gas");
}

#[test]
fn b2_real_signers_are_verified_by_the_contract_itself() {
    let outcome = clean(Plan {
        nodes: 4,
        signer: Signer::Real,
        rate: 1,
        ..posting(3, 11, "")
    });
    assert!(checkpoints(&outcome).anchored >= 2);
}

#[test]
fn b2_f_silent_posters_cost_their_turns_and_nothing_else() {
    let all = over(0..6, 21, "silentposter:2");
    assert_eq!((all.wasted, all.alarms), (0, 0), "{all:?}");
    assert!((3_000..10_000).contains(&all.worst_delay_ms), "{all:?}");
}

#[test]
fn b2_forged_and_stale_postings_are_refused_and_hold_nobody_up() {
    let all = over(0..6, 21, "badposter:2");
    assert_eq!(all.alarms, 0);
    assert!(all.worst_delay_ms < 12_000, "{all:?}");
}

#[test]
fn b2_after_an_outage_the_newest_is_posted_and_the_alarm_was_raised() {
    let all = over(0..2, 60, "basedown@7s+45s");
    assert!(all.alarms >= 2 * 5, "{all:?}");
    assert!(
        (45_000 - 6_000..58_000).contains(&all.worst_delay_ms),
        "{all:?}"
    );
    assert!(all.wasted <= 1, "{all:?}");
}

#[test]
fn b2_after_ten_minutes_without_the_base_chain_the_newest_is_posted() {
    let outcome = clean(posting(5, 630, "basedown@12s+600s"));
    let all = checkpoints(&outcome);
    // The seven members raise it for what was due when it went away, once; all that is due since is covered by what is posted
    // when it is back.
    assert_eq!(all.alarms, 7, "{all:?}");
    assert!((594_000..613_000).contains(&all.worst_delay_ms), "{all:?}");
    assert!((4..12).contains(&all.posted) && all.wasted <= 1, "{all:?}");
}

#[test]
fn b2_a_reorganisation_below_finality_takes_back_nothing_anchored() {
    let faults = "reorg:3@8s,reorg:4@13s,reorg:2@17s,reorg:4@23s";
    let all = over(0..6, 26, faults);
    assert_eq!(all.anchored, all.posted, "{all:?}");
}

#[test]
fn b2_postings_that_get_lost_are_replaced() {
    let all = over(0..3, 31, "baseloss:60");
    assert!(all.posted >= 9, "{all:?}");
}

#[test]
fn b2_members_that_crash_or_lose_their_disk_post_nothing_twice() {
    let faults = [
        "restart:2@6s,restart:1@11s,slowdisk:20",
        "wipe:1@9s",
        "crash:2@5s+8s",
    ];
    for faults in faults {
        let all = over(0..3, 21, faults);
        assert!(all.wasted <= 1, "{faults}: {all:?}");
    }
}

#[test]
fn b2_everything_at_once_is_withstood() {
    over(
        0..3,
        40,
        "silentposter:1,badposter:1,skew:300,loss:5,basedown@9s+6s,baseloss:30@16s+8s,reorg:4@27s,pause:1@30s+3s",
    );
}

#[test]
fn b2_the_base_chain_changes_no_history_and_repeats_itself() {
    let plan = || posting(5, 15, "silentposter:1,reorg:3@9s,baseloss:40");
    let (first, again) = (clean(plan()), clean(plan()));
    assert_eq!(first.trace_hash, again.trace_hash);
    assert_eq!(first.checkpoints, again.checkpoints);
}

fn caught(planted: Planted, rule: Rule, make: impl Fn(u64) -> Plan) {
    let broken = |seed: &u64| {
        let plan = Plan {
            planted: Some(planted),
            ..make(*seed)
        };
        broke(&run(plan), rule)
    };
    let seed = (0..20).find(broken);
    let seed = seed.unwrap_or_else(|| panic!("{rule:?} never fired"));
    clean(make(seed));
}

#[test]
fn a_turn_that_never_passes_on_is_noticed() {
    let make = |seed| posting(seed, 45, "silentposter:2");
    caught(Planted::TurnStays, Rule::Posting, make);
}

#[test]
fn anchored_at_posted_is_noticed() {
    let make = |seed| posting(seed, 8, "");
    caught(Planted::AnchoredAtPosted, Rule::Checkpoint, make);
}

#[test]
fn a_reorganisation_that_nobody_looks_for_is_noticed() {
    // The load has stopped by then, so that no later height is posted in its place.
    let make = |seed| Plan {
        base: Some(Pace {
            block_ms: 1_000,
            depth: 16,
        }),
        ..posting(seed, 9, "reorg:10@19s")
    };
    caught(Planted::ReorgUnnoticed, Rule::Posting, make);
}

#[test]
#[ignore = "minutes: 120 runs over all sorts of trouble"]
fn b2_holds_over_many_seeds() {
    let troubles = [
        "silentposter:2",
        "badposter:2,loss:10",
        "basedown@9s+20s,silentposter:1",
        "reorg:4@9s,reorg:4@16s,reorg:4@23s,baseloss:30",
        "restart:7@12s,slowdisk:20",
        "oldcopy:1@8s,wipe:1@14s",
        "partition:3@8s+9s,silentposter:1",
        "equivocate:1,silentposter:1,skew:400",
    ];
    for trouble in troubles {
        let all = over(100..115, 30, trouble);
        println!("{trouble}: {all:?}");
    }
}
