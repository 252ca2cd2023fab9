//! D6 over random DAGs, with liars up to f, sleepers, weights, crashes and restarts: the same commits
//! by every route. And mistakes planted in the thresholds are noticed; a slow commit on one holder less
//! and an anchor that looks for no certificate are too rare here and are found by `small_model.rs`.

use crate::common::random::RandomDag;
use crate::common::replay::{Style, replay};
use crate::common::{Rng, check_agreement};
use weft_consensus::Sabotage;

/// Replays one random DAG in several ways; the number of commits of the longest.
fn agree(seed: u64, orders: u64, broken: Option<Sabotage>) -> Result<usize, String> {
    let mut dag = RandomDag::two_delay(seed, 40);
    dag.config.sabotage = broken;
    let mut chains = Vec::new();
    for order in 0..orders {
        let mut rng = Rng::new((seed << 16) | order);
        let style = Style::random(&mut rng);
        chains.push(replay(&dag.config, &dag.vertices, style, rng)?);
    }
    check_agreement(&chains)?;
    Ok(chains.iter().map(Vec::len).max().unwrap_or(0))
}

fn all_agree(seeds: std::ops::Range<u64>) {
    let count = (seeds.end - seeds.start) as usize;
    let agree = |seed| agree(seed, 6, None).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let commits: usize = seeds.map(agree).sum();
    assert!(commits > count * 15, "{commits} commits");
}

#[test]
fn d6_random_dags_give_the_same_commits_in_every_order_and_over_every_restart() {
    all_agree(0..100);
}

#[test]
#[ignore = "minutes: part of the full run"]
fn d6_two_thousand_random_dags() {
    all_agree(1_000..3_000);
}

fn must_notice(broken: Sabotage) {
    let error = |seed| match std::panic::catch_unwind(|| agree(seed, 6, Some(broken))) {
        Ok(result) => result.err(),
        Err(_) => Some("a panic".to_owned()),
    };
    let found = (0..1_500).find_map(|seed| Some((seed, error(seed)?)));
    let (seed, what) = found.unwrap_or_else(|| panic!("{broken:?} goes unnoticed"));
    eprintln!("{broken:?} noticed at seed {seed}: {what:.120}");
}

macro_rules! notice {
    ($($name:ident: $rule:ident,)*) => {
        $(#[test]
        fn $name() {
            must_notice(Sabotage::$rule);
        })*
    };
}

notice! {
    d6_a_fast_commit_on_one_vote_less_is_noticed: FastLowered,
    d6_a_certificate_of_one_vote_less_is_noticed: CertificateLowered,
    d6_a_skip_on_one_blank_less_is_noticed: SkipLowered,
    d6_an_anchor_content_with_one_vote_less_is_noticed: LinkedLowered,
    d6_an_anchor_that_asks_for_one_vote_more_is_noticed: LinkedRaised,
    d6_a_tie_broken_by_arrival_is_noticed: TieByArrival,
    d6_an_anchor_two_rounds_above_is_noticed: AnchorTooEarly,
}
