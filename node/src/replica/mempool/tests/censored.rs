//! The bound of the argument in docs/spec/mempool.md: a client gives a transaction to members that hold
//! more than F of stake, whatever those do that censor, and it is in an honest member's history in so
//! many rounds. Mempools alone, over rounds in which every vertex reaches everybody.

use super::*;
use weft_types::{Committee, Member, Stake};

/// What a censor does with a transaction that it was given.
#[derive(Debug, Clone, Copy)]
enum Censor {
    Drops,
    /// Puts it into a vertex in this round, which only some members ever get, and none in time.
    Hides {
        round: u64,
        shown: u8,
    },
}

fn committee(stakes: &[u64]) -> Committee {
    let members = testing::members(stakes.len()).into_iter().zip(stakes);
    let weighted = members.map(|(member, stake)| Member {
        stake: Stake(*stake),
        ..member
    });
    Committee::new(Epoch::ZERO, weighted.collect()).unwrap()
}

/// The round in which an honest member first has the transaction in its own vertex, or in the history of
/// it, counted from the one before the first.
fn rounds(committee: &Committee, n: u64, censors: &[Option<Censor>], copies: usize) -> u64 {
    let order = committee.proposers(&id(n), copies);
    let honest = |m: &MemberIndex| censors[m.as_usize()].is_none();
    let mut mempools: Vec<Option<Mempool>> =
        censors.iter().map(|c| c.is_none().then(mempool)).collect();
    for (before, member) in order.iter().enumerate() {
        if let Some(mempool) = &mut mempools[member.as_usize()] {
            mempool.insert(pending(n), Round::ZERO, before).unwrap();
        }
    }
    assert!(order.iter().any(honest), "more than F of stake");
    for round in 1..1_000 {
        for mempool in mempools.iter_mut().flatten() {
            if !take(mempool, round, 9).is_empty() {
                return round;
            }
        }
        for (author, censor) in (0..).zip(censors) {
            let Some(Censor::Hides { round: of, shown }) = censor else {
                continue;
            };
            if *of != round {
                continue;
            }
            // Who has it has it in its next vertex's history (V2): then it is ordered with that.
            let carrier = vertex(author, round, &[pending(n)]);
            let holders = mempools.iter_mut().enumerate();
            let shown = holders.filter(|(m, _)| shown >> (m % 8) & 1 == 1);
            let mut accepted = false;
            for (_, mempool) in shown {
                accepted |= mempool.is_some();
                mempool.iter_mut().for_each(|m| m.accepted(&carrier));
            }
            if accepted {
                return round + 1;
            }
        }
    }
    unreachable!("it was never proposed")
}

fn censor() -> impl Strategy<Value = Censor> {
    prop_oneof![
        Just(Censor::Drops),
        (1..40u64, any::<u8>()).prop_map(|(round, shown)| Censor::Hides { round, shown }),
    ]
}

proptest! {
    #[test]
    fn p4_more_than_f_of_stake_bound_the_rounds(
        stakes in prop::collection::vec(1..9u64, 1..12),
        crimes in prop::collection::vec(censor(), 12),
        chosen in any::<u16>(),
        n in 0..20u64,
    ) {
        let committee = committee(&stakes);
        let mut left = committee.faulty().0;
        let censors: Vec<Option<Censor>> = stakes.iter().enumerate().map(|(m, stake)| {
            let censors = chosen >> m & 1 == 1 && *stake <= left;
            censors.then(|| {
                left -= stake;
                crimes[m]
            })
        }).collect();
        // As few members as hold more than F together.
        let order = committee.proposers(&id(n), stakes.len());
        let enough = |copies: &usize| {
            committee.is_validity(&order[..*copies].iter().copied().collect())
        };
        let copies = (1..=stakes.len()).find(enough).unwrap();
        let taken = rounds(&committee, n, &censors, copies);
        let honest = order.iter().position(|m| censors[m.as_usize()].is_none()).unwrap();
        prop_assert!(taken <= 1 + super::step(honest) * STEP_ROUNDS + 1, "{taken} rounds");
    }
}

#[test]
fn p4_with_f_censors_before_it_an_honest_member_waits_for_as_many_steps_as_f_has_bits() {
    for (members, most) in [(4, 4), (7, 7), (10, 7), (31, 13), (100, 19)] {
        let committee = committee(&vec![1; members]);
        let f = committee.faulty().0 as usize;
        for n in 0..20 {
            let mut censors = vec![None; members];
            for member in committee.proposers(&id(n), f) {
                censors[member.as_usize()] = Some(Censor::Drops);
            }
            assert_eq!(rounds(&committee, n, &censors, f + 1), most, "{members}");
        }
    }
}
