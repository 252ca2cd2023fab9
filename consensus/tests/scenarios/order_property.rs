//! O4: the same vertices give the same commits, whatever the order of delivery, whoever equivocates,
//! whenever a core crashes. And the checkers notice when a rule is broken on purpose.

use crate::common::random::RandomDag;
use crate::common::replay::{Style, replay};
use crate::common::{Rng, check_agreement};
use weft_consensus::Sabotage;

/// Replays one random DAG in several ways; the number of commits of the longest.
fn agree(seed: u64, rounds: u64, orders: u64, broken: Option<Sabotage>) -> Result<usize, String> {
    let mut dag = RandomDag::new(seed, rounds);
    dag.config.sabotage = broken;
    let mut chains = Vec::new();
    for order in 0..orders {
        let mut rng = Rng::new((seed << 16) | order);
        let style = Style::random(&mut rng);
        dag.config.limits.window = *rng.pick(&[12, 40, 300]);
        dag.config.limits.fetch_rounds_max = 10;
        chains.push(replay(&dag.config, &dag.vertices, style, rng)?);
    }
    check_agreement(&chains)?;
    Ok(chains.iter().map(Vec::len).max().unwrap_or(0))
}

fn all_agree(seeds: std::ops::Range<u64>, rounds: u64, orders: u64) {
    let count = seeds.end - seeds.start;
    let agree = |seed| {
        let agreed = agree(seed, rounds, orders, None);
        agreed.unwrap_or_else(|e| panic!("seed {seed}: {e}"))
    };
    let commits: usize = seeds.map(agree).sum();
    assert!(commits as u64 > count * rounds / 2, "{commits} commits");
}

#[test]
fn o4_random_dags_give_the_same_commits_in_every_order_and_over_every_restart() {
    all_agree(0..100, 40, 6);
}

/// In four parts, so that none takes long and all cores have something to do.
macro_rules! thousand {
    ($($name:ident: $seeds:expr,)*) => {
        $(#[test]
        #[ignore = "many minutes: part of the full run"]
        fn $name() {
            all_agree($seeds, 100, 100);
        })*
    };
}

thousand! {
    o4_a_thousand_random_dags_in_a_hundred_orders_first_part: 1_000..1_250,
    o4_a_thousand_random_dags_in_a_hundred_orders_second_part: 1_250..1_500,
    o4_a_thousand_random_dags_in_a_hundred_orders_third_part: 1_500..1_750,
    o4_a_thousand_random_dags_in_a_hundred_orders_fourth_part: 1_750..2_000,
}

#[test]
fn o4_seven_members_three_hundred_rounds_thirty_orders() {
    let commits = agree(4_711, 300, 30, None).unwrap();
    assert!(commits > 150, "{commits} commits");
}

fn must_notice(broken: Sabotage) {
    // An assertion of the core's own counts too.
    let error = |seed| match std::panic::catch_unwind(|| agree(seed, 40, 6, Some(broken))) {
        Ok(result) => result.err(),
        Err(_) => Some("a panic".to_owned()),
    };
    let found = (0..400).find_map(|seed| Some((seed, error(seed)?)));
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
    v4_accepting_without_the_whole_history_is_noticed: AcceptWithoutWeakLinks,
    v5_refusing_second_versions_is_noticed: FirstVersionOnly,
    d1_votes_by_weak_links_are_noticed: WeakLinksVote,
    d1_summing_votes_of_versions_is_noticed: VersionsShareVotes,
    d1_counting_an_equivocator_twice_is_noticed: VotesCountedTwice,
    d2_a_quorum_too_low_is_noticed: QuorumLowered,
    d4_skipping_without_a_look_at_the_anchor_is_noticed: SkipIgnoresAnchor,
    d4_passing_over_an_undecided_slot_is_noticed: UndecidedPassedOver,
    d5_decisions_that_outlive_their_schedule_are_noticed: DecisionsOutliveSchedule,
    d5_slots_of_the_same_round_that_keep_their_anchor_are_noticed: SameRoundOutlivesSchedule,
    d5_votes_counted_before_they_are_output_are_noticed: ReputationByLocalState,
    d5_forgetting_the_convicted_over_a_restart_is_noticed: ConvictedForgotten,
    d5_forgetting_the_demoted_over_a_restart_is_noticed: DemotedForgotten,
    o2_garbage_collection_by_local_state_is_noticed: GarbageByLocalState,
}
