//! P1 to P4: F members take every transaction, propose none, and leave out what they can of others' vertices.
//! Clients cannot tell them from others. Whoever gives a transaction to more than F of stake has it
//! ordered in a bounded number of rounds; whoever gives it to one member, once it has gone on to the next.

use crate::common::{broke, clean, plan, run};
use weft_testnet::sim::{End, Latency, Outcome, Plan, Planted, Rule};

/// F censors and clients that give to so many members.
fn censored(seed: u64, nodes: usize, copies: usize) -> Plan {
    let faulty = (nodes - 1) / 3;
    let latency = match seed % 3 {
        0 => Latency::Uniform { low: 20, high: 60 },
        1 => Latency::Uniform { low: 1, high: 200 },
        _ => Latency::regions(),
    };
    Plan {
        nodes,
        copies,
        rate: 20,
        latency,
        ..plan(seed, 120, &format!("censor:{faulty}"))
    }
}

/// That every transaction was ordered is part of convergence, that it was in its rounds of the oracle.
fn served(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        for nodes in [4, 7, 10] {
            let enough = (nodes - 1) / 3 + 1;
            for copies in [1, enough, nodes] {
                clean(censored(seed, nodes, copies));
            }
        }
    }
}

#[test]
fn p4_f_censors_delay_what_f_plus_one_were_given_by_a_bounded_number_of_rounds() {
    served(0..3);
}

#[test]
#[ignore = "minutes: 200 seeds"]
fn p4_f_censors_delay_by_a_bounded_number_of_rounds_over_many_seeds() {
    served(1_000..1_200);
}

#[test]
fn p4_other_crimes_and_faults_do_not_lift_the_bound() {
    let faults = [
        "censor:1,equivocate:1",
        "censor:1,withhold:1",
        "censor:1,liar:1",
        "censor:1,sleep:1",
        "censor:1,crash:1@1s",
        "censor:1,restart:1@1s,slowdisk:20",
        "censor:2,reorder:20,jitter:50",
    ];
    for seed in 0..4 {
        for faults in faults {
            let plan = plan(seed, 100, faults);
            clean(Plan { copies: 3, ..plan });
        }
    }
}

/// Rounds so quick that they are over before the client goes on to the next member.
#[test]
fn p2_without_escalation_a_censored_transaction_is_overdue() {
    let planted = |seed| Plan {
        planted: Some(Planted::NoEscalation),
        latency: Latency::Uniform { low: 1, high: 10 },
        end: End::Rounds(300),
        settle: 5_000,
        ..censored(seed, 4, 2)
    };
    let overdue = (0..4).filter(|seed| broke(&run(planted(*seed)), Rule::Inclusion));
    let overdue = overdue.count();
    assert!(overdue > 1, "{overdue} of 4");
    for seed in 0..4 {
        clean(Plan {
            planted: None,
            ..planted(seed)
        });
    }
}

fn honest(seed: u64, copies: usize) -> Outcome {
    clean(Plan {
        copies,
        rate: 50,
        ..plan(seed, 200, "")
    })
}

#[test]
fn p3_copies_cost_no_latency_and_hardly_anything_is_ordered_twice() {
    for seed in 0..3 {
        let (one, three) = (honest(seed, 2), honest(seed, 7));
        for outcome in [&one, &three] {
            let again = outcome.meter.duplicates();
            assert!(again < 0.02, "{again} for each: {}", outcome.plan.command());
        }
        let single = clean(Plan {
            rate: 50,
            ..plan(seed, 200, "")
        });
        let of = |outcome: &Outcome| outcome.meter.transaction_latency().p50;
        assert!(
            of(&three) < 1.5 * of(&single),
            "{} {}",
            of(&three),
            of(&single)
        );
    }
}
