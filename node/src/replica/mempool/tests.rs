use super::*;
use proptest::prelude::*;
use weft_types::{Epoch, Observation, Operation, VertexBody, VertexDigest, VertexRef, testing};

mod censored;

const BYTES_MAX: usize = 1 << 20;

fn pending(n: u64) -> Pending {
    let operation = Operation::Burn {
        items: vec![weft_types::ItemId([1; 32])],
    };
    let transaction = testing::transaction(1, n, vec![operation]);
    Arc::new(transaction.verify(testing::network().id()).unwrap())
}

fn id(n: u64) -> TransactionId {
    pending(n).id()
}

fn mempool() -> Mempool {
    Mempool::new(MempoolConfig::new(BYTES_MAX))
}

/// With transactions of this member's own turn.
fn filled(count: u64) -> Mempool {
    let mut mempool = mempool();
    for n in 0..count {
        insert(&mut mempool, n, 0);
    }
    mempool
}

/// A transaction that so many others come before, in round 0.
fn insert(mempool: &mut Mempool, n: u64, before: usize) {
    mempool.insert(pending(n), Round::ZERO, before).unwrap();
}

fn take(mempool: &mut Mempool, round: u64, count: usize) -> Vec<TransactionId> {
    let taken = mempool.take(Round(round), Millis(0), count, BYTES_MAX);
    taken.iter().map(|t| t.id()).collect()
}

/// Takes in each round until something comes.
fn proposed_in(mempool: &mut Mempool, rounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
    rounds
        .into_iter()
        .find(|r| !take(mempool, *r, 9).is_empty())
}

/// Another member's vertex with these transactions.
fn vertex(author: u32, round: u64, transactions: &[Pending]) -> Verified<Vertex> {
    let own = VertexRef {
        round: Round(round.saturating_sub(1)),
        author: MemberIndex(author),
        digest: VertexDigest([7; 32]),
    };
    let body = VertexBody {
        network: testing::network().id(),
        epoch: Epoch::ZERO,
        round: Round(round),
        author: MemberIndex(author),
        timestamp: Millis(0),
        parents: vec![own],
        weak_links: vec![],
        transactions: transactions.iter().map(|t| t.encoded().clone()).collect(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: vec![],
    };
    let key = testing::vertex_key(author as usize);
    Vertex::sign(body, transactions.to_vec(), &key)
}

fn carry(mempool: &mut Mempool, author: u32, round: u64, n: u64) {
    mempool.accepted(&vertex(author, round, &[pending(n)]));
}

#[test]
fn transactions_leave_in_order_of_arrival_within_both_bounds() {
    let mut mempool = filled(5);
    let ids: Vec<_> = (0..5).map(id).collect();
    assert_eq!(take(&mut mempool, 1, 2), ids[..2]);
    let size = pending(0).encoded().len();
    let by_bytes = mempool.take(Round(2), Millis(0), 9, size * 2 + 1);
    assert_eq!(by_bytes.len(), 2);
    assert_eq!(take(&mut mempool, 3, 9), ids[4..]);
}

#[test]
fn v9_what_takes_long_to_verify_counts_so_in_a_vertex() {
    let key = weft_types::secp256k1::SecretKey::from_bytes(&[7; 32]).unwrap();
    let key = weft_types::UserKey::Eip191(key);
    let mut mempool = mempool();
    for n in 0..3 {
        let mut body = pending(n).body().clone();
        body.sender = key.address();
        let transaction = body.sign_with(&[&key]);
        let verified = transaction.verify(testing::network().id()).unwrap();
        mempool.insert(Arc::new(verified), Round::ZERO, 0).unwrap();
    }
    // 520 bytes each, though they are shorter.
    assert_eq!(mempool.take(Round(1), Millis(0), 9, 2 * 520).len(), 2);
    assert_eq!(mempool.take(Round(2), Millis(0), 9, 2 * 520).len(), 1);
}

#[test]
fn the_same_transaction_waits_once() {
    let mut mempool = filled(1);
    insert(&mut mempool, 0, 0);
    assert_eq!(take(&mut mempool, 1, 9).len(), 1);
    insert(&mut mempool, 0, 0);
    assert!(take(&mut mempool, 2, 9).is_empty(), "proposed already");
}

#[test]
fn a_full_mempool_refuses_and_takes_again_once_something_was_ordered() {
    let size = pending(0).encoded().len();
    let mut mempool = Mempool::new(MempoolConfig::new(2 * size));
    insert(&mut mempool, 0, 0);
    insert(&mut mempool, 1, 3);
    let (bytes, bytes_max) = (2 * size, 2 * size);
    let refused = mempool.insert(pending(2), Round::ZERO, 0);
    assert_eq!(refused, Err(Refusal::Full { bytes, bytes_max }));
    take(&mut mempool, 1, 1);
    mempool.ordered(Round(1));
    insert(&mut mempool, 2, 0);
}

#[test]
fn transactions_of_a_vertex_that_was_never_ordered_wait_again_first() {
    let mut mempool = filled(3);
    let ids = take(&mut mempool, 5, 2);
    assert_eq!(
        take(&mut mempool, 6, 1).len(),
        1,
        "round 5 may still be ordered"
    );
    mempool.reclaim(Round(5));
    assert_eq!(take(&mut mempool, 7, 9), ids);
}

#[test]
fn expired_transactions_are_dropped_instead_of_proposed() {
    let mut mempool = filled(3);
    assert!(
        mempool
            .take(Round(1), Millis(60_001), 9, BYTES_MAX)
            .is_empty()
    );
    assert!(mempool.is_empty());
    assert_eq!(mempool.bytes(), 0);
}

#[test]
fn p2_steps_are_logarithmic_in_the_number_of_those_before() {
    let steps = [0, 1, 2, 3, 4, 7, 8, 33, 127].map(step);
    assert_eq!(steps, [0, 1, 2, 2, 3, 3, 4, 6, 7]);
}

#[test]
fn p2_the_first_proposes_at_once_and_the_others_after_their_steps() {
    for (before, round) in [(0, 1), (1, 4), (2, 7), (3, 7), (4, 10)] {
        let mut mempool = mempool();
        insert(&mut mempool, 0, before);
        assert_eq!(proposed_in(&mut mempool, 1..=50), Some(round), "{before}");
    }
}

#[test]
fn p2_steps_count_from_the_round_in_which_the_transaction_came() {
    let mut mempool = mempool();
    mempool.insert(pending(0), Round(40), 1).unwrap();
    assert_eq!(proposed_in(&mut mempool, 41..=60), Some(44));
}

#[test]
fn p2_who_is_given_it_again_without_others_before_proposes_it_now() {
    let mut mempool = mempool();
    insert(&mut mempool, 0, 9);
    assert!(take(&mut mempool, 1, 9).is_empty());
    insert(&mut mempool, 0, 0);
    assert_eq!(take(&mut mempool, 2, 9), [id(0)]);
}

#[test]
fn p2_one_whose_turn_has_come_goes_behind_those_that_came_before_that() {
    let mut mempool = mempool();
    insert(&mut mempool, 0, 1);
    mempool.insert(pending(1), Round(2), 0).unwrap();
    mempool.insert(pending(2), Round(4), 0).unwrap();
    assert_eq!(take(&mut mempool, 5, 9), [id(1), id(0), id(2)]);
}

#[test]
fn p3_what_another_carries_is_kept_back_until_its_outcome() {
    let mut mempool = filled(2);
    carry(&mut mempool, 2, 1, 0);
    assert_eq!(take(&mut mempool, 2, 9), [id(1)]);
    mempool.settled(&id(0));
    mempool.ordered(Round(2));
    assert!(mempool.is_empty());
    assert_eq!(mempool.bytes(), 0);
}

#[test]
fn p3_what_was_carried_before_it_was_submitted_is_kept_back_too() {
    let mut mempool = mempool();
    carry(&mut mempool, 2, 9, 0);
    mempool.insert(pending(0), Round(9), 0).unwrap();
    assert!(take(&mut mempool, 10, 9).is_empty());
}

#[test]
fn p3_a_transaction_void_at_its_place_is_proposed_again() {
    let mut mempool = filled(1);
    carry(&mut mempool, 2, 1, 0);
    assert!(take(&mut mempool, 2, 9).is_empty());
    mempool.void(&id(0));
    assert_eq!(take(&mut mempool, 3, 9), [id(0)]);
}

#[test]
fn p3_what_one_carries_who_signs_twice_keeps_nothing_back() {
    let mut mempool = filled(2);
    carry(&mut mempool, 2, 1, 0);
    assert!(!take(&mut mempool, 2, 9).contains(&id(0)));
    mempool.distrust(MemberIndex(2));
    assert_eq!(take(&mut mempool, 3, 9), [id(0)]);
    insert(&mut mempool, 5, 0);
    carry(&mut mempool, 2, 4, 5);
    assert_eq!(take(&mut mempool, 5, 9), [id(5)]);
}

#[test]
fn p4_a_vertex_that_is_never_ordered_keeps_it_back_for_so_many_rounds_at_most() {
    let mut mempool = mempool();
    insert(&mut mempool, 0, 0);
    carry(&mut mempool, 2, 0, 0);
    assert_eq!(proposed_in(&mut mempool, 1..=99), Some(HOLD_ROUNDS + 1));
}

#[test]
fn p4_others_that_carry_it_one_after_the_other_cannot_prolong_that() {
    let mut mempool = mempool();
    insert(&mut mempool, 0, 1);
    let turn = 1 + STEP_ROUNDS;
    let proposed = (1..200).find(|round| {
        carry(&mut mempool, 1 + (*round % 3) as u32, *round, 0);
        !take(&mut mempool, *round, 9).is_empty()
    });
    assert_eq!(proposed, Some(turn + HOLD_ROUNDS + 1));
}

#[test]
fn p5_one_with_an_outcome_is_not_proposed_again_when_the_own_vertex_is_lost() {
    let mut mempool = filled(2);
    take(&mut mempool, 1, 9);
    mempool.settled(&id(0));
    assert_eq!(mempool.bytes(), 2 * pending(0).encoded().len());
    mempool.reclaim(Round(1));
    assert_eq!(take(&mut mempool, 70, 9), [id(1)]);
    mempool.ordered(Round(70));
    assert_eq!(mempool.bytes(), 0);
}

#[test]
fn p6_what_others_carry_is_remembered_within_a_bound() {
    let transactions: Vec<Pending> = (0..100).map(pending).collect();
    let mut carried = Carried::new(HOLD_ROUNDS);
    for round in 0..2_000 {
        carried.note(&vertex(1, round, &transactions[..(round % 100) as usize]));
        assert!(carried.len() <= 2 * carried::GENERATION_MAX);
    }
    assert!(carried.len() <= 100 * 3 * HOLD_ROUNDS as usize);
    assert!(carried.by(&id(0), Round(2_000)).is_some());
    assert!(carried.by(&id(0), Round(3_000)).is_none());
}

/// What may happen to a mempool; transactions and vertices are drawn from few.
#[derive(Debug, Clone)]
enum Step {
    Insert { n: u64, before: usize },
    Carry { author: u32, n: u64 },
    Take { count: usize },
    Ordered,
    Lost,
    Settled(u64),
    Void(u64),
    Distrust(u32),
}

fn step_of() -> impl Strategy<Value = Step> {
    let (n, author) = (0..12u64, 1..4u32);
    prop_oneof![
        4 => (n.clone(), 0..9usize).prop_map(|(n, before)| Step::Insert { n, before }),
        3 => (author.clone(), n.clone()).prop_map(|(author, n)| Step::Carry { author, n }),
        6 => (0..4usize).prop_map(|count| Step::Take { count }),
        2 => Just(Step::Ordered),
        1 => Just(Step::Lost),
        1 => n.clone().prop_map(Step::Settled),
        1 => n.prop_map(Step::Void),
        1 => author.prop_map(Step::Distrust),
    ]
}

proptest! {
    #[test]
    fn bytes_are_exact_and_nothing_is_in_two_open_vertices_or_waits_beyond_its_bound(
        steps in prop::collection::vec(step_of(), 1..120)
    ) {
        let transactions: Vec<Pending> = (0..12).map(pending).collect();
        let size = transactions[0].encoded().len();
        let mut mempool = Mempool::new(MempoolConfig::new(8 * size));
        let mut round = 0;
        // By transaction: the latest round in which it is proposed, and whether it is in a vertex.
        let mut open: Vec<(u64, Vec<TransactionId>)> = Vec::new();
        for step in steps {
            match step {
                Step::Insert { n, before } => {
                    let transaction = transactions[n as usize].clone();
                    let taken = mempool.insert(transaction, Round(round), before);
                    prop_assert!(taken.is_ok() || mempool.bytes() + size > 8 * size);
                }
                Step::Carry { author, n } => {
                    mempool.accepted(&vertex(author, round, &transactions[n as usize..=n as usize]));
                }
                Step::Take { count } => {
                    round += 1;
                    let taken = take(&mut mempool, round, count);
                    prop_assert!(taken.len() <= count);
                    for id in &taken {
                        prop_assert!(!open.iter().any(|(_, ids)| ids.contains(id)));
                    }
                    open.push((round, taken));
                }
                Step::Ordered if !open.is_empty() => mempool.ordered(Round(open.remove(0).0)),
                Step::Lost if !open.is_empty() => mempool.reclaim(Round(open.remove(0).0)),
                Step::Ordered | Step::Lost => {}
                Step::Settled(n) => mempool.settled(&transactions[n as usize].id()),
                Step::Void(n) => mempool.void(&transactions[n as usize].id()),
                Step::Distrust(author) => mempool.distrust(MemberIndex(author)),
            }
            prop_assert_eq!(mempool.bytes() % size, 0);
            prop_assert_eq!(mempool.bytes() / size, mempool.known.len());
            prop_assert!(mempool.bytes() <= 8 * size);
            let queued = mempool.known.values().filter(|e| e.place == Place::Queued);
            prop_assert_eq!(queued.count(), mempool.queue.len());
        }
        // P4: whatever has happened, everything left is proposed within the longest step and hold.
        for (round, _) in open.drain(..) {
            mempool.reclaim(Round(round));
        }
        let last = round + super::step(9) * STEP_ROUNDS + HOLD_ROUNDS + 2;
        for round in round + 1..=last {
            take(&mut mempool, round, 99);
        }
        prop_assert!(mempool.queue.is_empty());
    }
}
