//! F members of one crime each, and of all crimes together: no honest member diverges, all come to
//! agree, and transactions go through.

use crate::common::{clean, plan};
use weft_consensus::{CoreConfig, Sabotage};
use weft_testnet::sim::{Latency, Plan};

fn withstands(crime: &str) {
    for seed in 0..4 {
        clean(plan(seed, 80, &format!("{crime}:2")));
    }
}

macro_rules! crimes {
    ($($name:ident: $crime:literal,)*) => {$(
        #[test]
        fn $name() {
            withstands($crime);
        }
    )*};
}

crimes! {
    equivocators_are_withstood: "equivocate",
    three_versions_a_round_are_withstood: "split",
    withholders_are_withstood: "withhold",
    late_voters_are_withstood: "late",
    liars_about_parents_are_withstood: "liar",
    forgers_of_shares_are_withstood: "forge",
    round_jumpers_are_withstood: "jump",
    floods_of_stale_vertices_are_withstood: "flood",
    liars_about_time_are_withstood: "clock",
    sleepers_are_withstood: "sleep",
    censors_are_withstood: "censor",
    slanderers_are_withstood: "slander",
    versions_below_versions_are_withstood: "branch",
}

#[test]
fn crimes_of_all_kinds_at_once_are_withstood() {
    let all = "equivocate,split,withhold,late,liar,forge,jump,flood,clock,sleep,twins";
    let nodes = 31;
    let plan = Plan {
        nodes,
        ..plan(1, 40, all)
    };
    clean(plan);
}

/// V4: what a vertex needs and its author withholds is got from the others without a time-out of the
/// withholder's choice. Without that the median is ten times as long and more; without asking a second member
/// beside a slow one, and without passing on to all what is shown to few, it is a half more.
#[test]
fn withheld_vertices_cost_no_time_outs() {
    let median = |faults| {
        let plan = Plan {
            nodes: 10,
            rate: 50,
            ..plan(1, 120, faults)
        };
        clean(plan).meter.transaction_latency().p50
    };
    let (honest, withheld) = (median(""), median("withhold:3"));
    assert!(withheld < 2.0 * honest, "{withheld} ms against {honest} ms");
}

/// V8, R1 (d): whoever signs twice is treated as crashed, however quick it is, and leads no more. With the time-out
/// begun by a quorum that equivocators help to make, floods cost 2.8 times the median of a calm run.
#[test]
fn members_that_sign_twice_cost_no_more_than_twice_the_calm_median() {
    let median = |faults| {
        let plan = Plan {
            nodes: 10,
            rate: 50,
            latency: Latency::regions(),
            ..plan(1, 150, faults)
        };
        clean(plan).meter.transaction_latency().p50
    };
    let calm = median("");
    for crime in ["flood:3", "equivocate:3", "twins:3"] {
        let found = median(crime);
        assert!(found < 2.0 * calm, "{crime}: {found} ms against {calm} ms");
    }
}

/// Who shows its vertices to few leads until it is demoted, and whatever is ordered then waits: of three of ten over
/// regions most of the median is in these seconds (docs/adr/withheld-vertices.md). The mean of five seeds is
/// below twice the calm median; the worst seed is a little above it.
#[test]
fn members_that_leave_others_out_cost_twice_the_calm_median_as_a_rule() {
    let median = |faults, seed| {
        let plan = Plan {
            nodes: 10,
            rate: 100,
            latency: Latency::regions(),
            ..plan(seed, 300, faults)
        };
        clean(plan).meter.transaction_latency().p50
    };
    let calm = median("", 1);
    for crime in ["withhold:3", "censor:3"] {
        let ratios: Vec<f64> = (1..=5).map(|seed| median(crime, seed) / calm).collect();
        let mean = ratios.iter().sum::<f64>() / 5.0;
        let worst = ratios.iter().copied().fold(0.0, f64::max);
        assert!(mean < 2.0 && worst < 2.2, "{crime}: {ratios:?}");
    }
}

/// V4: links that a few make up are asked of these few, out of their budgets.
#[test]
fn links_that_jumpers_make_up_cost_the_others_little() {
    let bytes = |faults, sabotage| {
        let plan = Plan {
            nodes: 10,
            adjust: sabotage,
            ..plan(1, 100, faults)
        };
        clean(plan).bytes_sent as f64
    };
    let everybody = |config: &mut CoreConfig| config.sabotage = Some(Sabotage::EverybodyAsked);
    let (honest, jumping) = (bytes("", None), bytes("jump:3", None));
    assert!(jumping < 1.5 * honest, "{jumping} bytes against {honest}");
    let asked = bytes("jump:3", Some(everybody));
    assert!(asked > 1.5 * honest, "the check cannot fail: {asked}");
}
