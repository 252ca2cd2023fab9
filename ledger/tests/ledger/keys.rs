//! L18, L19 and L21: who has the say for an account, and how that changes.

use crate::world::*;
use weft_ledger::{Denied, Refusal};
use weft_types::testing::{user, user_key};
use weft_types::{
    Address, FailureCode, KeyChange, Millis, ObjectId, Operation, Party, SessionKind,
};

const HOUR: u64 = 3_600_000;

fn rotated() -> World {
    let mut world = World::new();
    world.done(1, set_keys(&[owner(61)]));
    world
}

fn guarded() -> World {
    let mut world = World::new();
    world.done(1, set_keys(&[guardian(2, HOUR)]));
    world
}

#[test]
fn a_key_that_was_rotated_away_signs_nothing_more_and_the_new_one_all() {
    let mut world = rotated();
    assert_eq!(world.denied(1, 1, pay(0, 5)), Denied::NoSay);
    assert_eq!(world.code_for(1, 61, pay(0, 5)), None);
    // Back again, and the account is as it was.
    assert_eq!(world.code_for(1, 61, set_keys(&[owner(1)])), None);
    assert_eq!(world.keys(1), None);
    assert_eq!(world.denied(1, 61, pay(0, 5)), Denied::NoSay);
    world.done(1, pay(0, 5));
}

#[test]
fn the_old_keys_transaction_behind_the_rotation_in_the_same_commit_is_refused() {
    let mut world = World::new();
    let rotation = world.signed(1, vec![set_keys(&[owner(61)])]);
    let old = world.signed(1, vec![pay(0, 5)]);
    let new = world.signed_for(1, 61, vec![pay(0, 5)]);
    let behind = world.signed(1, vec![pay(0, 5)]);
    let order = [&new, &old, &rotation, &new, &behind].map(Clone::clone);
    let applied = world.commit(&order);
    let taken: Vec<_> = applied.receipts.iter().map(|r| r.transaction).collect();
    assert_eq!(taken, [old.id(), rotation.id(), new.id()]);
    let refused = applied.refused.iter();
    let refused: Vec<_> = refused.map(|r| (r.transaction, r.refusal.name())).collect();
    let why = "not_authorised";
    assert_eq!(refused, [(new.id(), why), (behind.id(), why)]);
}

#[test]
fn what_is_not_authorised_leaves_no_trace_and_may_pass_later() {
    let mut world = World::new();
    let transaction = world.signed_for(1, 61, vec![pay(0, 5)]);
    let refusal = world.refused(transaction.clone());
    assert!(refusal.may_pass_later());
    let (account, key) = (user(1), user(61));
    let expected = Refusal::NotAuthorised {
        account,
        key,
        why: Denied::NoSay,
    };
    assert_eq!(refusal, expected);
    world.done(1, set_keys(&[owner(61)]));
    assert!(world.run_signed(transaction).is_applied());
}

#[test]
fn an_account_with_keys_stays_when_it_gives_all_away() {
    let mut world = World::with(|p| {
        p.fees.per_transaction = weft_types::Amount(0);
        p.fees.per_operation = weft_types::Amount(0);
        p.fees.per_byte = weft_types::Amount(0);
    });
    world.done(1, set_keys(&[owner(61)]));
    assert_eq!(world.code_for(1, 61, pay(0, 1_000_000)), None);
    assert_eq!(world.balance(user(1)), 0);
    assert!(world.get(ObjectId::Account(user(1))).is_some());
    world.done(0, pay(1, 9));
    assert_eq!(world.denied(1, 1, pay(0, 9)), Denied::NoSay);
}

#[test]
fn a_party_and_a_sponsor_sign_with_the_keys_that_have_the_say() {
    let mut world = rotated();
    let party = |account, operations| Party {
        account: user(account),
        operations,
    };
    let trade = Operation::MultiParty(vec![party(1, vec![pay(2, 5)]), party(2, vec![pay(1, 7)])]);
    let mut body = world.body(0, vec![trade]);
    body.sponsor = Some(user(1));
    let old = with_keys(&body, &[(0, 0), (1, 1), (2, 2)]);
    assert_eq!(world.denied_signed(old), Denied::NoSay);
    let new = with_keys(&body, &[(0, 0), (61, 1), (2, 2)]);
    assert!(world.run_signed(new).is_applied());
}

#[test]
fn one_key_signs_for_two_accounts_each_once() {
    let mut world = rotated();
    let body = {
        let mut body = world.body(1, vec![pay(0, 5)]);
        body.sponsor = Some(user(61));
        body
    };
    world.done(0, pay(61, 10_000));
    let both = with_keys(&body, &[(61, 1), (61, 61)]);
    assert!(world.run_signed(both).is_applied());
    let network = weft_types::testing::network().id();
    let key = weft_types::UserKey::from(&user_key(61));
    let twice = body.sign_for(&[(&key, user(1)), (&key, user(1))]);
    assert!(twice.verify(network).is_err());
    let once = body.sign_for(&[(&key, user(1))]);
    assert!(once.verify(network).is_err());
}

#[test]
fn rotation_ends_sessions_and_a_recovery_under_way() {
    let mut world = guarded();
    let pays = session(62, &[SessionKind::Transfer], &[], 10_000);
    world.done(1, set_keys(&[KeyChange::Session(pays)]));
    world.done(2, recover(1, 63));
    assert_eq!(world.code_for(1, 62, pay(0, 5)), None);
    world.done(1, set_keys(&[owner(61)]));
    assert_eq!(world.denied(1, 62, pay(0, 5)), Denied::NoSay);
    world.now += HOUR;
    assert_eq!(world.denied(1, 63, pay(0, 5)), Denied::NoSay);
    assert_eq!(world.code_for(1, 61, pay(0, 5)), None);
}

#[test]
fn a_recovery_takes_effect_at_its_time_by_itself_and_ends_sessions() {
    let mut world = guarded();
    let pays = session(62, &[SessionKind::Transfer], &[], 10_000);
    world.done(
        1,
        set_keys(&[KeyChange::Session(weft_types::Session {
            expires: Millis(u64::MAX),
            ..pays
        })]),
    );
    world.done(2, recover(1, 63));
    let at = world.now + HOUR;
    world.now = at - 1;
    assert_eq!(world.denied(1, 63, pay(0, 5)), Denied::NoSay);
    assert_eq!(world.code_for(1, 62, pay(0, 5)), None);
    world.now = at;
    assert_eq!(world.denied(1, 1, pay(0, 5)), Denied::NoSay);
    assert_eq!(world.denied(1, 62, pay(0, 5)), Denied::NoSay);
    assert_eq!(world.code_for(1, 63, pay(0, 5)), None);
    // Too late to refuse it, for anybody.
    let refuse = set_keys(&[KeyChange::RefuseRecovery]);
    assert_eq!(world.denied(1, 1, refuse.clone()), Denied::NoSay);
    let code = world.code_for(1, 63, refuse);
    assert_eq!(code, Some(FailureCode::NoRecovery));
    // The next change writes it down; the guardian stays.
    assert_eq!(world.code_for(1, 63, set_keys(&[guardian(3, HOUR)])), None);
    let keys = world.keys(1).unwrap();
    assert_eq!((keys.owner, keys.recovery), (Some(user(63)), None));
    assert!(keys.sessions.is_empty());
}

#[test]
fn the_owner_refuses_a_recovery_and_so_does_another_guardian_or_none() {
    let changes = [
        KeyChange::RefuseRecovery,
        KeyChange::NoGuardian,
        guardian(2, 2 * HOUR),
    ];
    for change in changes {
        let mut world = guarded();
        world.done(2, recover(1, 63));
        world.done(1, set_keys(&[change]));
        world.now += 2 * HOUR;
        assert_eq!(world.denied(1, 63, pay(0, 5)), Denied::NoSay);
        world.done(1, pay(0, 5));
    }
    let mut world = guarded();
    let code = world.fails(1, set_keys(&[KeyChange::RefuseRecovery]));
    assert_eq!(code, FailureCode::NoRecovery);
}

#[test]
fn a_second_recovery_takes_the_place_of_the_first_with_the_whole_delay_again() {
    let mut world = guarded();
    world.done(2, recover(1, 63));
    world.now += HOUR / 2;
    world.done(2, recover(1, 64));
    world.now += HOUR / 2;
    assert_eq!(world.denied(1, 63, pay(0, 5)), Denied::NoSay);
    assert_eq!(world.denied(1, 64, pay(0, 5)), Denied::NoSay);
    world.now += HOUR / 2;
    assert_eq!(world.code_for(1, 64, pay(0, 5)), None);
}

#[test]
fn nobody_but_the_guardian_recovers_and_it_by_its_own_keys() {
    let mut world = guarded();
    for other in [0, 1, 3] {
        assert_eq!(world.fails(other, recover(1, 63)), FailureCode::NotGuardian);
    }
    assert_eq!(world.fails(2, recover(3, 63)), FailureCode::NotGuardian);
    assert_eq!(world.fails(2, recover(99, 63)), FailureCode::NotGuardian);
    world.done(2, set_keys(&[owner(61)]));
    assert_eq!(world.denied(2, 2, recover(1, 63)), Denied::NoSay);
    assert_eq!(world.code_for(2, 61, recover(1, 63)), None);
}

#[test]
fn a_guardian_with_too_little_time_for_the_owner_is_refused_with_the_figures() {
    let mut world = World::new();
    let failure = world.failed(1, vec![set_keys(&[guardian(2, HOUR - 1)])]);
    assert_eq!(failure.code, FailureCode::DelayTooShort);
    assert_eq!((failure.found, failure.limit), (HOUR - 1, HOUR));
    assert_eq!(failure.subject, Some(ObjectId::Account(user(1))));
    let longest = weft_types::GUARDIAN_DELAY_MAX.0;
    world.done(1, set_keys(&[guardian(2, longest)]));
}

#[test]
fn each_change_sees_those_before_it_and_all_or_none_stay() {
    let mut world = World::new();
    let pays = session(62, &[SessionKind::Transfer], &[], 10);
    let end = KeyChange::EndSession { key: user(62) };
    let begin = KeyChange::Session(pays);
    let all = [begin.clone(), end.clone(), end.clone()];
    assert_eq!(world.fails(1, set_keys(&all)), FailureCode::NoSession);
    assert_eq!(world.keys(1), None);
    world.done(1, set_keys(&[begin.clone(), end, begin.clone(), begin]));
    assert_eq!(world.keys(1).unwrap().sessions.len(), 1);
}

#[test]
fn the_fee_pool_stays_nobodys() {
    let mut world = World::new();
    let body = world.body(1, vec![pay(0, 5)]);
    let mut taken = body.clone();
    taken.sender = Address::FEE_POOL;
    let key = weft_types::UserKey::from(&user_key(1));
    let transaction = verified(taken.sign_for(&[(&key, Address::FEE_POOL)]));
    assert_eq!(world.denied_signed(transaction), Denied::NoSay);
}
