use crate::world::*;
use std::sync::Arc;
use weft_ledger::{Ledger, LedgerError, Refusal};
use weft_types::testing::{user, user_key};
use weft_types::{Address, Amount, FeeSchedule, GenesisAccount, Millis, ObjectId};

#[test]
fn a_transaction_has_one_outcome_however_often_it_is_ordered() {
    let mut world = World::new();
    let transaction = world.signed(0, vec![pay(1, 5)]);
    let applied = world.commit(&[transaction.clone(), transaction.clone()]);
    assert_eq!(applied.receipts.len(), 1);
    assert_eq!(applied.refused[0].refusal, Refusal::Replayed);
    world.now += 59_000;
    assert_eq!(world.refused(transaction.clone()), Refusal::Replayed);
    world.now += 600_000;
    let refusal = world.refused(transaction);
    assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
    assert_eq!(world.balance(user(1)), 1_000_005);
}

#[test]
fn a_failed_transaction_is_not_tried_again() {
    let mut world = World::new();
    let transaction = world.signed(0, vec![pay(1, 1_500_000)]);
    assert!(world.run_signed(transaction.clone()).failure.is_some());
    world.done(2, pay(0, 900_000));
    assert_eq!(world.refused(transaction), Refusal::Replayed);
}

#[test]
fn validity_is_judged_by_the_commits_timestamp_at_both_ends() {
    let mut world = World::new();
    world.now = 5_000;
    let longest = world.ledger.params().validity_max_ms.0;
    let mut body = world.body(0, vec![pay(1, 5)]);
    let at = |body: &mut weft_types::TransactionBody, until| {
        body.valid_until = Millis(until);
        body.idempotency[8..].copy_from_slice(&u64::to_be_bytes(until));
        signed(body, 0)
    };
    let (valid_until, now) = (Millis(4_999), Millis(5_000));
    let late = world.refused(at(&mut body, 4_999));
    assert_eq!(late, Refusal::Expired { valid_until, now });
    let (valid_until, latest) = (Millis(5_001 + longest), Millis(5_000 + longest));
    let early = at(&mut body, 5_001 + longest);
    let refusal = world.refused(early.clone());
    assert_eq!(
        refusal,
        Refusal::ValidityTooLong {
            valid_until,
            latest
        }
    );
    assert!(world.run_signed(at(&mut body, 5_000)).is_applied());
    assert!(
        world
            .run_signed(at(&mut body, 5_000 + longest))
            .is_applied()
    );
    // What was refused left nothing behind, and passes once its time has come.
    world.now += 1;
    assert!(world.run_signed(early).is_applied());
}

#[test]
fn validity_until_the_end_of_time_is_refused_without_wrapping() {
    let mut world = World::new();
    let mut body = world.body(0, vec![pay(1, 5)]);
    body.valid_until = Millis::MAX;
    let refusal = world.refused(signed(&body, 0));
    assert!(
        matches!(refusal, Refusal::ValidityTooLong { .. }),
        "{refusal}"
    );
    world.tick(u64::MAX);
    assert!(world.run_signed(signed(&body, 0)).is_applied());
}

#[test]
fn a_fee_above_the_agreed_maximum_is_not_taken() {
    let mut world = World::new();
    let mut body = world.body(0, vec![pay(1, 5)]);
    body.max_fee = Amount(0);
    let refusal = world.refused(signed(&body, 0));
    let Refusal::FeeTooLow { fee, max_fee } = refusal else {
        panic!("{refusal}");
    };
    assert_eq!(max_fee, Amount(0));
    // The field itself takes bytes.
    body.max_fee = fee.saturating_add(3);
    let receipt = world.run_signed(signed(&body, 0));
    assert_eq!(receipt.fee, fee.saturating_add(3));
}

#[test]
fn who_cannot_pay_leaves_no_trace_and_can_be_applied_once_funded() {
    let mut world = World::new();
    let transaction = world.signed(50, vec![pay(1, 5)]);
    let refusal = world.refused(transaction.clone());
    let Refusal::CannotPay {
        payer,
        fee,
        balance,
    } = refusal
    else {
        panic!("{refusal}");
    };
    assert_eq!((payer, balance), (user(50), Amount::ZERO));
    world.done(0, pay(50, fee.0 + 5));
    assert!(world.run_signed(transaction).is_applied());
    assert_eq!(world.get(ObjectId::Account(user(50))), None);
}

#[test]
fn the_fee_goes_first_and_operations_have_what_is_left() {
    let mut world = World::new();
    let all = world.signed(0, vec![pay(1, 1_000_000)]);
    let failure = world.run_signed(all).failure.unwrap();
    assert_eq!(failure.found, world.balance(user(0)));
    assert_eq!(failure.limit, 1_000_000);
}

#[test]
fn a_sponsor_pays_the_fee_and_nothing_else() {
    let mut world = World::new();
    let mut body = world.body(50, vec![pay(1, 5)]);
    world.done(0, pay(50, 5));
    body.sponsor = Some(user(3));
    let transaction = verified(body.sign(&[&user_key(50), &user_key(3)]));
    let receipt = world.run_signed(transaction);
    assert!(receipt.is_applied());
    assert_eq!(world.balance(user(3)), 1_000_000 - receipt.fee.0);
    assert_eq!(world.balance(user(50)), 0);
}

#[test]
fn a_network_without_fees_works() {
    let mut world = World::with(|p| {
        p.fees = FeeSchedule {
            per_transaction: Amount(0),
            per_operation: Amount(0),
            per_byte: Amount(0),
            per_item: Amount(0),
        };
    });
    let mut body = world.body(0, vec![pay(1, 5)]);
    body.max_fee = Amount(0);
    let receipt = world.run_signed(signed(&body, 0));
    assert_eq!((receipt.is_applied(), receipt.fee), (true, Amount(0)));
    assert_eq!(world.get(ObjectId::Account(Address::FEE_POOL)), None);
    // Somebody who holds nothing at all may speak.
    assert!(!world.run(60, vec![pay(1, 1)]).is_applied());
}

#[test]
fn fees_that_nobody_could_pay_are_refused_without_wrapping() {
    let mut world = World::with(|p| p.fees.per_byte = Amount::MAX);
    let mut body = world.body(0, vec![pay(1, 5)]);
    body.max_fee = Amount::MAX;
    let refusal = world.refused(signed(&body, 0));
    assert!(matches!(refusal, Refusal::CannotPay { fee, .. } if fee == Amount::MAX));
}

#[test]
fn a_check_and_a_dry_run_say_what_applying_then_does() {
    let mut world = World::new();
    let good = world.signed(0, vec![pay(1, 5)]);
    let bad = world.signed(0, vec![pay(1, 5), pay(1, u64::MAX)]);
    let poor = world.signed(50, vec![pay(1, 5)]);
    let (snapshot, committee) = (world.ledger.snapshot(), world.committee.clone());
    let now = Millis(world.now);
    for transaction in [good, bad] {
        let tried = snapshot
            .dry_run(&transaction, now, (CONTRACTS, &committee))
            .unwrap();
        assert_eq!(snapshot.check(&transaction, now), Ok(tried.fee));
        let mut copy = World::new();
        copy.now = now.0;
        assert_eq!(copy.run_signed(transaction), tried);
    }
    let refusal = snapshot
        .dry_run(&poor, now, (CONTRACTS, &committee))
        .unwrap_err();
    assert_eq!(snapshot.check(&poor, now), Err(refusal.clone()));
    assert_eq!(world.refused(poor), refusal);
}

#[test]
fn refusals_say_whether_to_try_again() {
    let mut world = World::new();
    let poor = world.signed(50, vec![pay(1, 5)]);
    let refusal = world.refused(poor);
    assert!(refusal.may_pass_later());
    assert_eq!(refusal.name(), "cannot_pay");
    assert!(refusal.to_string().contains("holds 0, the fee is"));
    assert!(!Refusal::Replayed.may_pass_later());
}

#[test]
fn a_genesis_that_gives_more_than_there_can_be_is_refused() {
    let mut template = template();
    template.accounts = [1, 2]
        .map(|i| GenesisAccount {
            address: user(i),
            balance: Amount(u64::MAX),
        })
        .to_vec();
    let refused = Ledger::genesis(&template).err().unwrap();
    assert!(matches!(refused, LedgerError::Genesis(_)), "{refused}");
    // The most that there can be is fine, moved as a whole too.
    template.accounts.truncate(1);
    template.params.fees.per_byte = Amount(0);
    let mut world = World::of(&template);
    let receipt = world.run(
        1,
        vec![pay(1, u64::MAX - 10_000), pay(2, u64::MAX - 10_000)],
    );
    assert!(receipt.is_applied());
    let total = [user(1), user(2), Address::FEE_POOL].map(|a| world.balance(a));
    assert_eq!(total.iter().sum::<u64>(), u64::MAX);
}

#[test]
#[should_panic(expected = "commits are applied in order")]
fn a_commit_out_of_order_is_our_own_bug() {
    let mut world = World::new();
    let none: [Arc<_>; 0] = [];
    world
        .ledger
        .apply(weft_types::CommitIndex(2), Millis(world.now), &none);
}
