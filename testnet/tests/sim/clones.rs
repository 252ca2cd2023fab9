//! S1.5, S1.7, S1.9: a member whose folder was copied, guard and all, and that runs twice: beside the original, or while
//! that is away for seconds and comes back. Nobody of both means harm. Each of the others has a link with one of the two, now
//! with this one and now with that, so that either hears much, little or nothing of what the other one does. The network goes on, and
//! neither signs what the other has signed, but in the few runs in which that cannot be known.

use crate::common::{broke, clean, expect_clean, on_all_cores, plan, run};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;
use weft_testnet::sim::{End, Latency, Plan, Planted, Rule};

/// Most runs of 180 in which somebody signs twice: none or one as histories go. There one of both hears the others and is
/// not heard, or is away, for seconds, which nobody can tell from one that has ended (S1.9).
const CUT_OFF_MAX: usize = 1;

/// What else goes wrong.
const BESIDE: [&str; 3] = ["", ",loss:5", ",jitter:50,reorder:20"];

/// The run with a number: who is copied, when, and whether the original is away meanwhile.
fn numbered(number: u64) -> Plan {
    let of = |every: u64, count: u64| (number / every % count) as usize;
    let nodes = [4, 7][of(1, 2)];
    let at = 300 + number * 97 % 1_700;
    let away = ["", "+3s", "+5s"][of(2, 3)];
    let latency = match of(6, 2) {
        0 => Latency::Uniform { low: 20, high: 60 },
        _ => Latency::Uniform { low: 1, high: 10 },
    };
    Plan {
        nodes,
        latency,
        ..plan(
            number,
            120,
            &format!("clone:1@{at}ms{away}{}", BESIDE[of(12, 3)]),
        )
    }
}

/// The same at rest, where everybody signs once a second.
fn at_rest(number: u64) -> Plan {
    Plan {
        rate: 0,
        end: End::Duration(12_000),
        ..numbered(number)
    }
}

/// Both start at the same moment, with the same data.
fn at_once(number: u64) -> Plan {
    Plan {
        nodes: 4,
        ..plan(number, 120, "clone:1@2s+1ms")
    }
}

/// The runs in which a member signs twice. Whatever it does, the network goes on.
fn signed_twice(plans: impl Fn(u64) -> Plan + Sync, numbers: Range<u64>) -> BTreeSet<u64> {
    let twice = Mutex::default();
    on_all_cores(numbers, |number| {
        let outcome = run(plans(number));
        if broke(&outcome, Rule::Equivocation) {
            let command = outcome.plan.command();
            let go_on = outcome.converged && outcome.commits > 0;
            assert!(go_on, "the network stands still: {command}");
            println!("{command}");
            BTreeSet::insert(&mut twice.lock().unwrap(), number);
        } else {
            expect_clean(&outcome);
        }
    });
    twice.into_inner().unwrap()
}

#[test]
fn s1_7_who_runs_twice_by_mistake_signs_nothing_twice_but_where_one_of_both_is_cut_off() {
    let twice = signed_twice(numbered, 0..180);
    assert!(twice.len() <= CUT_OFF_MAX, "{twice:?}");
    assert_eq!(signed_twice(at_rest, 0..72), BTreeSet::new(), "at rest");
}

#[test]
#[ignore = "open: in two of these runs it is not a vertex signed twice that goes wrong, seeds 2008 and 3330"]
fn s1_7_who_runs_twice_by_mistake_seldom_signs_twice_in_three_thousand_runs() {
    let twice = signed_twice(numbered, 1_000..4_000);
    assert!(twice.len() <= 60, "{twice:?}");
}

#[test]
fn s1_9_two_copies_that_begin_at_once_see_each_other_and_neither_signs() {
    on_all_cores(0..60, |number| drop(clean(at_once(number))));
}

/// As long as nobody tells them.
#[test]
fn two_copies_that_hear_nothing_of_each_other_do_sign_twice() {
    let deaf = |plan: Plan| Plan {
        planted: Some(Planted::NoAskers),
        ..plan
    };
    let mut plans = (0..180).map(numbered).chain((0..60).map(at_once));
    let caught = plans.any(|plan| broke(&run(deaf(plan)), Rule::Equivocation));
    assert!(caught, "it never happened: then S1.9 is of no use");
}
