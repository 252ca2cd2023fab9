//! Buffers at their bounds: whoever fills them gets as far as the bound and no further, and the oracle
//! that watches them is shown to fire.

use crate::common::{broke, clean, expect_clean, plan, run};
use weft_consensus::{CoreConfig, Sabotage};
use weft_testnet::sim::{Outcome, Plan, Rule};

/// Room for a few made-up vertices of each author, of some 4 KB with their links.
const ROOM: usize = 40_000;

fn little_room(config: &mut CoreConfig) {
    config.limits.suspended_bytes_max = ROOM;
}

fn with(adjust: fn(&mut CoreConfig), faults: &str) -> Plan {
    Plan {
        adjust: Some(adjust),
        ..plan(1, 120, faults)
    }
}

#[test]
fn jumpers_fill_what_waits_up_to_the_bound_and_no_further() {
    let outcome = clean(with(little_room, "jump:2"));
    let fullest = outcome.meter.fullest("suspended");
    assert!(fullest > ROOM * 3 / 4, "{fullest} of {ROOM}");
    assert!(fullest <= ROOM, "{fullest} of {ROOM}");
    assert!(outcome.meter.fullest("missing") > 0);
}

#[test]
fn what_waits_is_bounded_for_all_together_too() {
    let less_for_all = |config: &mut CoreConfig| {
        little_room(config);
        config.limits.waiting_bytes_max = ROOM * 3 / 2;
    };
    let outcome = clean(with(less_for_all, "jump:2"));
    let all = outcome.meter.fullest("suspended-all");
    assert!(
        ROOM < all && all <= ROOM * 3 / 2,
        "{all} of {}",
        ROOM * 3 / 2
    );
}

#[test]
fn liars_about_time_fill_what_is_early_up_to_the_bound_and_no_further() {
    let outcome = clean(with(little_room, "clock:2"));
    let fullest = outcome.meter.fullest("early");
    assert!(0 < fullest && fullest <= ROOM, "{fullest} of {ROOM}");
}

#[test]
fn floods_of_stale_vertices_do_not_fill_anything() {
    let calm = clean(with(little_room, "")).meter.fullest("suspended");
    let flooded = clean(with(little_room, "flood:2"));
    let fullest = flooded.meter.fullest("suspended");
    assert!(
        fullest <= ROOM && fullest <= calm.max(ROOM / 4) * 2,
        "{fullest}, calm {calm}"
    );
}

#[test]
fn a_bound_that_is_ignored_is_noticed() {
    let ignored = |config: &mut CoreConfig| {
        little_room(config);
        config.sabotage = Some(Sabotage::WaitingUnbounded);
    };
    assert!(broke(&run(with(ignored, "jump:2")), Rule::Memory));
    let kept = run(with(little_room, "jump:2"));
    expect_clean(&kept);
}

/// V5: what liars bring of versions everybody takes, and holds as long as the rounds that they are of. Nobody waits for it.
#[test]
fn versions_that_liars_bring_go_with_their_rounds_and_hold_nobody_up() {
    let with = |faults| Plan {
        nodes: 10,
        rate: 50,
        ..plan(1, 250, faults)
    };
    let (calm, branched) = (clean(with("")), clean(with("branch:3")));
    assert_eq!(calm.meter.fullest("versions"), 0);
    let held = branched.meter.fullest("versions");
    // Each of them signs twenty vertices for one at most, and a DAG holds some seventy of the rounds.
    let most = 3 * 20 * 70;
    assert!(most / 2 < held && held <= most, "{held} of {most}");
    let p50 = |outcome: &Outcome| outcome.meter.transaction_latency().p50;
    let (calm, branched) = (p50(&calm), p50(&branched));
    assert!(branched < 2.0 * calm, "{branched} ms against {calm} ms");
}
