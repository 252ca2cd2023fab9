//! D6 under the whole replica: with its thresholds wrong by one the order parts. That it holds under all
//! sorts of trouble is shown by the matrix and by twins.
//!
//! Mistakes that need more of a coincidence than runs bring (a slow commit with a holder too few, an anchor
//! that ignores certificates, one two rounds above) are found by `consensus/tests/scenarios/two_delay_*`.

use crate::common::{broke, clean, plan, run};
use weft_consensus::{CoreConfig, Sabotage};
use weft_testnet::sim::{Latency, Plan, Rule};

/// Seeds that are tried at the most.
const SEEDS: u64 = 150;

/// Over uneven and lossy links, so that some decide directly and others by an anchor.
fn make(seed: u64, faults: &str, adjust: Option<fn(&mut CoreConfig)>) -> Plan {
    Plan {
        nodes: 4,
        byzantine_percent: Some(33),
        latency: Latency::Uniform { low: 20, high: 200 },
        adjust,
        settle: 5_000,
        ..plan(seed, 100, faults)
    }
}

const TWINS: &str = "twins:1,loss:10";
const LOSSY_TWINS: &str = "twins:1,loss:25";
const EQUIVOCATOR: &str = "equivocate:1,loss:10";

macro_rules! noticed {
    ($($name:ident: $rule:ident, $faults:ident;)*) => {$(
        #[test]
        fn $name() {
            let adjust = |config: &mut CoreConfig| config.sabotage = Some(Sabotage::$rule);
            let parted = |seed| {
                broke(&run(make(seed, $faults, Some(adjust))), Rule::Agreement)
            };
            assert!((0..SEEDS).any(parted), "agreement never fired");
        }
    )*};
}

noticed! {
    d6_2_a_fast_commit_with_a_vote_too_few_parts_the_order: FastLowered, TWINS;
    d6_3_a_certificate_with_a_vote_too_few_parts_the_order: CertificateLowered, EQUIVOCATOR;
    d6_4_a_skip_with_a_blank_too_few_parts_the_order: SkipLowered, TWINS;
    d6_5_an_anchor_content_with_a_vote_less_parts_the_order: LinkedLowered, LOSSY_TWINS;
    d6_5_an_anchor_that_asks_for_a_vote_more_parts_the_order: LinkedRaised, TWINS;
    d6_5_a_tie_decided_by_arrival_parts_the_order: TieByArrival, EQUIVOCATOR;
}

#[test]
fn d6_without_a_mistake_the_same_runs_are_clean() {
    for seed in 0..8 {
        clean(make(seed, TWINS, None));
        clean(make(seed, LOSSY_TWINS, None));
        clean(make(seed, EQUIVOCATOR, None));
    }
}
