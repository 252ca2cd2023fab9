use super::*;
use weft_types::testing::{committee, finality_key, network, statement};

/// Member 0 of four.
fn finality() -> Finality {
    let own = Some((MemberIndex(0), finality_key(0)));
    let mut finality = Finality::new(network(), Arc::new(committee(4)), own, Height(0));
    finality.sign_above(Height(0));
    finality
}

fn share(of: &Statement, member: usize) -> FinalityShare {
    FinalityShare::sign(of, &finality_key(member))
}

fn add(finality: &mut Finality, of: &Statement, member: usize) -> Vec<Outcome> {
    finality.add(MemberIndex(member as u32), &share(of, member))
}

fn signers(outcomes: &[Outcome]) -> Option<usize> {
    match outcomes {
        [Outcome::Certified { certificate: c, .. } | Outcome::Grown { certificate: c, .. }] => {
            MemberSet::from_bitmap(&c.bitmap, 4).map(|s| s.len())
        }
        _ => None,
    }
}

#[test]
fn f3_a_quorum_of_shares_certifies_and_less_does_not() {
    let mut finality = finality();
    let (own, outcomes) = finality.close(statement(1), true);
    assert_eq!(own, Some(share(&statement(1), 0)));
    assert!(outcomes.is_empty());
    assert!(add(&mut finality, &statement(1), 1).is_empty());
    assert_eq!(signers(&add(&mut finality, &statement(1), 2)), Some(3));
    assert_eq!(finality.certified(), Height(1));
    assert_eq!(finality.uncertified(), 0);
}

#[test]
fn shares_that_came_before_the_execution_count_once_it_is_done() {
    let mut finality = finality();
    for member in 1..4 {
        assert!(add(&mut finality, &statement(1), member).is_empty());
    }
    let (_, outcomes) = finality.close(statement(1), true);
    assert_eq!(signers(&outcomes), Some(4));
}

#[test]
fn f2_a_wrong_share_is_found_and_its_author_refused_from_then_on() {
    let mut finality = finality();
    finality.close(statement(1), true);
    let mut forged = share(&statement(1), 1);
    forged.signature = share(&statement(9), 1).signature;
    assert!(finality.add(MemberIndex(1), &forged).is_empty());
    assert!(
        add(&mut finality, &statement(1), 2).is_empty(),
        "the sum fails"
    );
    assert!(finality.refused.contains(MemberIndex(1)));
    assert_eq!(signers(&add(&mut finality, &statement(1), 3)), Some(3));
    finality.close(statement(2), false);
    add(&mut finality, &statement(2), 1);
    add(&mut finality, &statement(2), 2);
    assert_eq!(finality.certified(), Height(1), "member 1 no longer counts");
}

#[test]
fn one_member_counts_once() {
    let mut finality = finality();
    finality.close(statement(1), true);
    for _ in 0..5 {
        assert!(add(&mut finality, &statement(1), 1).is_empty());
    }
}

#[test]
fn f4_a_quorum_for_another_statement_is_a_divergence() {
    let mut finality = finality();
    finality.close(statement(1), true);
    let mut other = statement(1);
    other.state_root = weft_types::Root([0xee; 32]);
    add(&mut finality, &other, 1);
    add(&mut finality, &other, 2);
    let outcomes = add(&mut finality, &other, 3);
    let [Outcome::Diverged { certified, .. }] = outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(certified, other.digest());
}

#[test]
fn f4_a_forged_quorum_for_another_statement_stops_nobody() {
    let mut finality = finality();
    finality.close(statement(1), true);
    let mut other = statement(1);
    other.state_root = weft_types::Root([0xee; 32]);
    for member in 1..4 {
        let mut forged = share(&other, member);
        forged.signature = share(&statement(1), member).signature;
        assert!(finality.add(MemberIndex(member as u32), &forged).is_empty());
    }
}

#[test]
fn a_late_share_joins_the_certificate_that_is_to_be_posted() {
    let mut finality = finality();
    finality.close(statement(1), true);
    add(&mut finality, &statement(1), 1);
    add(&mut finality, &statement(1), 2);
    assert_eq!(signers(&add(&mut finality, &statement(1), 3)), Some(4));
    assert!(add(&mut finality, &statement(1), 3).is_empty());
}

#[test]
fn a_height_that_is_not_due_collects_no_late_shares() {
    let mut finality = finality();
    finality.close(statement(1), false);
    add(&mut finality, &statement(1), 1);
    add(&mut finality, &statement(1), 2);
    assert!(add(&mut finality, &statement(1), 3).is_empty());
}

#[test]
fn a_later_certificate_covers_earlier_heights() {
    let mut finality = finality();
    finality.close(statement(1), true);
    finality.close(statement(2), false);
    add(&mut finality, &statement(2), 1);
    assert_eq!(signers(&add(&mut finality, &statement(2), 2)), Some(3));
    assert_eq!(finality.uncertified(), 0);
    assert!(add(&mut finality, &statement(1), 3).is_empty());
}

#[test]
fn b2_a_certificate_names_the_due_heights_that_it_is_the_first_to_cover() {
    let mut finality = finality();
    finality.close(statement(1), true);
    finality.close(statement(2), false);
    finality.close(statement(3), true);
    finality.close(statement(4), false);
    add(&mut finality, &statement(4), 1);
    let heights = |outcomes: &[Outcome]| match outcomes {
        [Outcome::Certified { due, .. } | Outcome::Grown { due, .. }] => {
            due.iter().map(|d| (d.height, d.since)).collect::<Vec<_>>()
        }
        _ => panic!("{outcomes:?}"),
    };
    let since = |height| (Height(height), statement(height).timestamp);
    let certified = add(&mut finality, &statement(4), 2);
    assert_eq!(heights(&certified), [since(1), since(3)]);
    let grown = add(&mut finality, &statement(4), 3);
    assert_eq!(heights(&grown), [since(1), since(3)]);
    finality.close(statement(5), false);
    add(&mut finality, &statement(5), 1);
    let next = add(&mut finality, &statement(5), 2);
    assert_eq!(heights(&next), []);
}

#[test]
fn shares_far_ahead_and_of_another_epoch_take_no_memory() {
    let mut finality = finality();
    let far = statement(SHARE_HEIGHTS_AHEAD_MAX + 1);
    add(&mut finality, &far, 1);
    let mut later = statement(1);
    later.epoch = weft_types::Epoch(1);
    add(&mut finality, &later, 1);
    assert!(finality.shares.is_empty());
}

#[test]
fn an_observer_certifies_without_signing() {
    let mut finality = Finality::new(network(), Arc::new(committee(4)), None, Height(0));
    assert_eq!(finality.close(statement(1), true).0, None);
    for member in 0..2 {
        add(&mut finality, &statement(1), member);
    }
    assert_eq!(signers(&add(&mut finality, &statement(1), 2)), Some(3));
}
