use super::*;
use weft_types::{Address, Amount, BaseAddress, BaseAsset};

const OWN: u64 = 1;
const ROUND: Round = Round(10);

/// The vault's deposits, two in each block.
fn chain(count: u64) -> Vec<Confirmed> {
    let mut digest = Deposit::digest_start();
    let confirmed = (1..=count).map(|index| {
        let deposit = Deposit {
            asset: BaseAsset::Native {
                amount: Amount(index),
            },
            sender: BaseAddress([1; 20]),
            account: Address([2; 32]),
        };
        digest = deposit.extend(&digest, index);
        Confirmed {
            index,
            deposit,
            digest,
            block: index.div_ceil(2),
        }
    });
    confirmed.collect()
}

fn observing(count: u64) -> Observing {
    let mut observing = Observing::default();
    observing.confirm(chain(count), &Bridge::default());
    observing
}

fn credited(count: u64) -> Bridge {
    let mut bridge = Bridge::default();
    if let Some(last) = chain(count).last() {
        (bridge.processed, bridge.digest) = (last.index, last.digest);
    }
    bridge
}

fn report(count: u64) -> FeedReport {
    FeedReport {
        count,
        digest: chain(count).last().unwrap().digest,
    }
}

#[test]
fn a_report_is_of_whole_blocks_and_the_same_for_those_who_have_seen_more() {
    for seen in [2, 3, 7] {
        let said = observing(seen).observe(ROUND, false, OWN, &Bridge::default());
        assert_eq!(said.report, Some(report(2)), "{seen} seen");
    }
    let mut all = observing(7);
    all.credited(&credited(2));
    assert_eq!(
        all.observe(ROUND, false, OWN, &credited(2)).report,
        Some(report(4))
    );
}

#[test]
fn a_block_of_more_than_a_vertex_holds_is_reported_in_parts() {
    let mut observing = Observing::default();
    let one_block = chain(DEPOSITS_MAX + 5);
    let one_block = one_block.into_iter().map(|c| Confirmed { block: 9, ..c });
    observing.confirm(one_block.collect(), &Bridge::default());
    let said = observing.observe(ROUND, false, OWN, &Bridge::default());
    assert_eq!(said.report, Some(report(DEPOSITS_MAX)));
    observing.credited(&credited(DEPOSITS_MAX));
    let said = observing.observe(ROUND, false, OWN, &credited(DEPOSITS_MAX));
    assert_eq!(said.report, Some(report(DEPOSITS_MAX + 5)));
}

#[test]
fn a_report_is_made_once_until_it_is_ordered_and_again_if_it_is_not() {
    let (mut observing, mut bridge) = (observing(2), Bridge::default());
    assert!(
        observing
            .observe(ROUND, false, OWN, &bridge)
            .report
            .is_some()
    );
    let later = |rounds| Round(ROUND.0 + rounds);
    assert_eq!(
        observing
            .observe(later(REPEAT_ROUNDS - 1), false, OWN, &bridge)
            .report,
        None
    );
    assert!(observing.has_work(OWN, &bridge), "it is not ordered");
    let again = observing
        .observe(later(REPEAT_ROUNDS), false, OWN, &bridge)
        .report;
    assert_eq!(again, Some(report(2)));
    bridge.report(OWN, report(2));
    let said = observing.observe(later(3 * REPEAT_ROUNDS), false, OWN, &bridge);
    assert_eq!(said.report, None);
    assert!(
        !observing.has_work(OWN, &bridge),
        "the others are waited for"
    );
}

#[test]
fn whose_turn_it_is_brings_what_is_agreed_and_nothing_else() {
    let (mut observing, mut bridge) = (observing(4), Bridge::default());
    assert_eq!(observing.observe(ROUND, true, OWN, &bridge).deposits, []);
    bridge.agreed = Some(report(2));
    assert!(observing.has_work(OWN, &bridge));
    assert_eq!(observing.observe(ROUND, false, OWN, &bridge).deposits, []);
    let brought = observing.observe(ROUND, true, OWN, &bridge).deposits;
    assert!(bridge.reaches_agreed(&brought));
    bridge.agreed = Some(FeedReport {
        digest: Root([9; 32]),
        ..report(2)
    });
    assert_eq!(
        observing.observe(ROUND, true, OWN, &bridge).deposits,
        [],
        "not what was seen"
    );
}

#[test]
fn deposits_that_leave_a_gap_or_come_twice_are_not_taken_up() {
    let mut observing = Observing::default();
    let all = chain(6);
    observing.confirm(all[2..].to_vec(), &Bridge::default());
    assert!(observing.confirmed.is_empty());
    for part in [&all[..2], &all[..4], &all[1..6]] {
        observing.confirm(part.to_vec(), &Bridge::default());
    }
    let indices: Vec<u64> = observing.confirmed.iter().map(|c| c.index).collect();
    assert_eq!(indices, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn what_is_kept_is_bounded() {
    let observing = observing(KEPT_MAX as u64 + 10);
    assert_eq!(observing.confirmed.len(), KEPT_MAX);
}

#[test]
fn deposits_that_do_not_follow_from_what_is_credited_halt_the_bridge() {
    let mut other = credited(2);
    other.digest = Root([9; 32]);
    let mut observing = Observing::default();
    observing.confirm(chain(4), &other);
    assert!(observing.halted().is_some());
    assert_eq!(
        observing.observe(ROUND, true, OWN, &other),
        Observation::default()
    );
    assert!(!observing.has_work(OWN, &other));
}

#[test]
fn a_digest_that_the_deposits_do_not_have_is_not_reported() {
    let mut forged = chain(2);
    forged[1].digest = Root([9; 32]);
    let mut observing = Observing::default();
    observing.confirm(forged, &Bridge::default());
    assert_eq!(observing.next, Some(report(1)), "the first is right");
}
