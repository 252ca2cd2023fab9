use super::*;
use weft_types::{Address, Amount, BaseAddress, BaseAsset, DEPOSITS_MAX, Deposit, Root};

const ROOM: u64 = u64::MAX;

const OWN: u64 = 1;
const ROUND: Round = Round(10);

/// The vault's deposits, two in each block.
fn chain(count: u64) -> Vec<Confirmed<Deposit>> {
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
            event: deposit,
            digest,
            block: index.div_ceil(2),
        }
    });
    confirmed.collect()
}

fn start() -> Feed {
    Feed::new(Deposit::digest_start())
}

fn observing(count: u64) -> Watching<Deposit> {
    let mut observing = Watching::default();
    observing.confirm(chain(count), &start(), ROOM).unwrap();
    observing
}

fn credited(count: u64) -> Feed {
    let mut feed = start();
    if let Some(last) = chain(count).last() {
        (feed.processed, feed.digest) = (last.index, last.digest);
    }
    feed
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
        let said = observing(seen).say(ROUND, false, OWN, &start());
        assert_eq!(said.0, Some(report(2)), "{seen} seen");
    }
    let mut all = observing(7);
    all.taken(&credited(2), ROOM);
    assert_eq!(all.say(ROUND, false, OWN, &credited(2)).0, Some(report(4)));
}

#[test]
fn a_block_of_more_than_a_vertex_holds_is_reported_in_parts() {
    let mut observing = Watching::default();
    let one_block = chain(DEPOSITS_MAX + 5);
    let one_block = one_block.into_iter().map(|c| Confirmed { block: 9, ..c });
    observing
        .confirm(one_block.collect(), &start(), ROOM)
        .unwrap();
    let said = observing.say(ROUND, false, OWN, &start());
    assert_eq!(said.0, Some(report(DEPOSITS_MAX)));
    observing.taken(&credited(DEPOSITS_MAX), ROOM);
    let said = observing.say(ROUND, false, OWN, &credited(DEPOSITS_MAX));
    assert_eq!(said.0, Some(report(DEPOSITS_MAX + 5)));
}

#[test]
fn a_report_is_made_once_until_it_is_ordered_and_again_if_it_is_not() {
    let (mut observing, mut feed) = (observing(2), start());
    assert!(observing.say(ROUND, false, OWN, &feed).0.is_some());
    let later = |rounds| Round(ROUND.0 + rounds);
    assert_eq!(
        observing.say(later(REPEAT_ROUNDS - 1), false, OWN, &feed).0,
        None
    );
    assert!(observing.has_work(OWN, &feed), "it is not ordered");
    let again = observing.say(later(REPEAT_ROUNDS), false, OWN, &feed).0;
    assert_eq!(again, Some(report(2)));
    feed.report(OWN, report(2));
    let said = observing.say(later(3 * REPEAT_ROUNDS), false, OWN, &feed);
    assert_eq!(said.0, None);
    assert!(!observing.has_work(OWN, &feed), "the others are waited for");
}

#[test]
fn whose_turn_it_is_brings_what_is_agreed_and_nothing_else() {
    let (mut observing, mut feed) = (observing(4), start());
    assert_eq!(observing.say(ROUND, true, OWN, &feed).1, []);
    feed.agreed = Some(report(2));
    assert!(observing.has_work(OWN, &feed));
    assert_eq!(observing.say(ROUND, false, OWN, &feed).1, []);
    let brought = observing.say(ROUND, true, OWN, &feed).1;
    assert!(feed.reaches_agreed(&brought));
    feed.agreed = Some(FeedReport {
        digest: Root([9; 32]),
        ..report(2)
    });
    assert_eq!(
        observing.say(ROUND, true, OWN, &feed).1,
        [],
        "not what was seen"
    );
}

#[test]
fn deposits_that_leave_a_gap_or_come_twice_are_not_taken_up() {
    let mut observing = Watching::default();
    let all = chain(6);
    observing
        .confirm(all[2..].to_vec(), &start(), ROOM)
        .unwrap();
    assert!(observing.confirmed.is_empty());
    for part in [&all[..2], &all[..4], &all[1..6]] {
        observing.confirm(part.to_vec(), &start(), ROOM).unwrap();
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
fn events_that_do_not_follow_from_what_is_taken_up_are_an_error() {
    let mut other = credited(2);
    other.digest = Root([9; 32]);
    let mut observing = Watching::default();
    assert!(observing.confirm(chain(4), &other, ROOM).is_err());
    observing.clear();
    assert_eq!(observing.say(ROUND, true, OWN, &other), (None, vec![]));
    assert!(!observing.has_work(OWN, &other));
}

#[test]
fn no_more_is_reported_than_there_is_room_for() {
    let mut observing = Watching::default();
    for (room, said) in [(0, None), (1, Some(report(1))), (2, Some(report(2)))] {
        observing.confirm(chain(4), &start(), room).unwrap();
        assert_eq!(observing.next, said, "{room}");
    }
}

#[test]
fn a_digest_that_the_deposits_do_not_have_is_not_reported() {
    let mut forged = chain(2);
    forged[1].digest = Root([9; 32]);
    let mut observing = Watching::default();
    observing.confirm(forged, &start(), ROOM).unwrap();
    assert_eq!(observing.next, Some(report(1)), "the first is right");
}
