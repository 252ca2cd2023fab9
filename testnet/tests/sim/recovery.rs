//! S1: members that have lost their guard, their database or both come back, sign nothing twice, and
//! take part again: a run does not count as converged before every honest member has signed.

use crate::common::{broke, clean, plan, run};
use weft_testnet::sim::{End, Latency, Plan, Planted, Rule};

/// A run with the loss at a time and for a time that depend on the seed.
fn lost(seed: u64, nodes: usize, faults: &str) -> Plan {
    let at = 100 + seed * 97 % 2_400;
    let away = [1, 40, 500, 1_500][seed as usize % 4];
    let faults = faults.replace('@', &format!("@{at}ms+{away}ms"));
    let latency = match seed % 3 {
        0 => Latency::Uniform { low: 1, high: 10 },
        1 => Latency::Uniform { low: 10, high: 200 },
        _ => Latency::Uniform { low: 20, high: 60 },
    };
    Plan {
        nodes,
        latency,
        ..plan(seed, 80, &faults)
    }
}

/// What may be lost, beside up to F faulty members in all, and the number of members.
const LOSSES: [(usize, &str); 10] = [
    (4, "wipe:1@"),
    (4, "oldcopy:1@"),
    (4, "wipe:1@,loss:20,replay:10"),
    (4, "oldcopy:1@,slowdisk:20"),
    (7, "wipe:2@"),
    (7, "wipe:1@,oldcopy:1@"),
    (7, "wipe:1@,jump:1"),
    (7, "wipe:1@,flood:1,reorder:20"),
    (7, "wipe:1@,equivocate:1"),
    (7, "wipe:1@,crash:1"),
];

fn withstood(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        for (nodes, faults) in LOSSES {
            clean(lost(seed, nodes, faults));
        }
    }
}

#[test]
fn s1_lost_guards_and_databases_are_withstood() {
    withstood(0..20);
}

#[test]
#[ignore = "minutes: 200 seeds"]
fn s1_lost_guards_and_databases_are_withstood_over_many_seeds() {
    withstood(1_000..1_200);
}

#[test]
fn s1_a_loss_of_all_guards_stops_the_network_and_nobody_signs() {
    let outcome = run(Plan {
        end: End::Duration(5_000),
        settle: 5_000,
        ..plan(1, 0, "wipe:7@2s+100ms")
    });
    assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
    assert!(!outcome.converged);
    assert!(outcome.commits > 0, "before it");
}

/// Round trips in milliseconds: the first member is close to everybody, so that it is in a round before
/// all others.
const HUB: &str = "
    ,hub,a,b,c
    hub,0,20,20,20
    a,20,0,800,800
    b,20,800,0,800
    c,20,800,800,0
";

/// A member is lost, at times the one that is ahead, and back at once; losses keep the others from being
/// there too.
fn ahead(planted: Planted) -> impl Fn(u64) -> Plan {
    let latency = Latency::table("hub", HUB).unwrap();
    move |seed| Plan {
        nodes: 4,
        latency: latency.clone(),
        planted: Some(planted),
        ..plan(
            seed,
            40,
            &format!("wipe:1@{}ms+1ms,loss:30", 1_000 + seed * 37),
        )
    }
}

fn caught(make: impl Fn(u64) -> Plan, rule: Rule) {
    let broken = |seed: &u64| broke(&run(make(*seed)), rule);
    let seed = (0..800).find(broken);
    let seed = seed.unwrap_or_else(|| panic!("{rule:?} never fired"));
    clean(Plan {
        planted: None,
        ..make(seed)
    });
}

#[test]
fn s1_a_member_that_does_not_ask_signs_twice() {
    let make = |seed| Plan {
        planted: Some(Planted::NoRecovery),
        ..lost(seed, 4, "wipe:1@")
    };
    caught(make, Rule::Equivocation);
}

#[test]
fn s1_a_floor_at_the_highest_round_shown_is_too_low() {
    caught(ahead(Planted::FloorAtShown), Rule::Recovery);
}

#[test]
fn s1_answers_from_before_the_question_are_too_low() {
    let make = |seed| Plan {
        planted: Some(Planted::StaleAnswers),
        ..lost(seed, 4, "wipe:1@")
    };
    // S1.7 takes for another's work what the member itself has signed, and so the loss is for good.
    let stopped = (0..40).any(|seed| !run(make(seed)).converged);
    assert!(stopped, "stale answers were never noticed");
}
