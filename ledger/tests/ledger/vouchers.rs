//! L49 to L52: vouchers are covered, paid once, pay for their own spending, and end.

use crate::world::*;
use weft_ledger::{POOL_WORK_MAX, Refusal};
use weft_types::testing::{self, issuer_key, user, user_key, voucher};
use weft_types::{
    Address, Amount, AssetId, BaseAddress, BaseAsset, FailureCode, Millis, ObjectId, Operation,
    Party, SpentVoucherId, TransactionError, VOUCHER_CHECK_BYTES, VOUCHER_CHECKS_MAX, VOUCHERS_MAX,
    VoucherPool,
};

/// What each voucher pays: more than the fee for spending it.
const WORTH: u64 = 9_000;
const ENDS: u64 = 50_000;
/// Accounts that hold nothing.
const FRESH: u64 = 100;

/// With the first pool, of user 1's, which covers so many vouchers.
fn world(covered: u64) -> World {
    let mut world = World::new();
    world.done(1, open_pool(user(1), 0, (AssetId::NATIVE, WORTH), ENDS));
    if covered > 0 {
        world.done(1, cover(0, covered));
    }
    world
}

fn pool_id(n: u64) -> ObjectId {
    ObjectId::VoucherPool(issuer_key(n).public().pool())
}

fn pool(world: &World) -> VoucherPool {
    let found = world.get(pool_id(0));
    let pool = found.as_ref().and_then(|o| o.as_voucher_pool());
    VoucherPool::clone(pool.expect("the pool exists"))
}

fn mark(account: u64) -> ObjectId {
    let pool = issuer_key(0).public().pool();
    ObjectId::SpentVoucher(SpentVoucherId::derive(&pool, &user(account)))
}

fn void(world: &mut World, sender: u64, operation: Operation) -> TransactionError {
    let body = world.body(sender, vec![operation]);
    let signed = body.sign(&[&user_key(sender)]);
    let network = testing::network().id();
    signed.verify(network).expect_err("it does not verify")
}

#[test]
fn l49_a_key_is_one_pool_for_ever_and_its_issuer_has_it() {
    let mut world = world(0);
    let again = |issuer| open_pool(user(issuer), 0, (AssetId::NATIVE, 1), ENDS + 1);
    let failure = world.failed(1, vec![again(1)]);
    assert_eq!(failure.code, FailureCode::AlreadyExists);
    assert_eq!(failure.subject, Some(pool_id(0)));
    assert_eq!(world.fails(2, again(2)), FailureCode::AlreadyExists);
    world.tick(ENDS);
    assert_eq!(world.fails(1, again(1)), FailureCode::AlreadyExists);
    // Somebody else's proof is none.
    let stolen = open_pool(user(1), 5, (AssetId::NATIVE, 1), ENDS + 9);
    assert_eq!(void(&mut world, 2, stolen), TransactionError::Voucher);
    let late = open_pool(user(2), 6, (AssetId::NATIVE, 1), ENDS);
    let failure = world.failed(2, vec![late]);
    assert_eq!(failure.code, FailureCode::ExpiryPassed);
    assert_eq!((failure.found, failure.limit), (ENDS, ENDS));
}

#[test]
fn l50_each_voucher_is_covered_by_the_issuer_before_it_can_be_spent() {
    let mut world = world(0);
    let failure = world.failed(3, vec![spend(user(3), 0)]);
    assert_eq!(failure.code, FailureCode::NotCovered);
    assert_eq!((failure.found, failure.limit), (0, 0));
    let had = world.balance(user(1));
    let receipt = world.done(1, cover(0, 2));
    assert_eq!(world.balance(user(1)), had - receipt.fee.0 - 2 * WORTH);
    assert_eq!(pool(&world).cover(), Amount(2 * WORTH));
    world.done(3, spend(user(3), 0));
    world.done(4, spend(user(4), 0));
    let failure = world.failed(5, vec![spend(user(5), 0)]);
    assert_eq!(failure.code, FailureCode::NotCovered);
    assert_eq!((failure.found, failure.limit), (2, 2));
    assert_eq!(pool(&world).cover(), Amount::ZERO);
}

#[test]
fn the_issuer_alone_covers_as_many_as_a_pool_may_have_and_it_can_pay() {
    let mut world = world(3);
    assert_eq!(world.fails(2, cover(0, 1)), FailureCode::NotIssuer);
    assert_eq!(world.fails(1, cover(9, 1)), FailureCode::NotFound);
    for count in [VOUCHERS_MAX - 2, u64::MAX] {
        let failure = world.failed(1, vec![cover(0, count)]);
        assert_eq!(failure.code, FailureCode::TooManyVouchers);
        assert_eq!(failure.found, count.saturating_add(3));
    }
    let code = world.fails(1, cover(0, VOUCHERS_MAX - 3));
    assert_eq!(code, FailureCode::InsufficientBalance);
    world.done(1, open_pool(user(1), 7, (AssetId::NATIVE, u64::MAX), ENDS));
    for count in [1, 2] {
        let code = world.fails(1, cover(7, count));
        assert_eq!(code, FailureCode::InsufficientBalance);
    }
    world.tick(ENDS);
    assert_eq!(world.fails(1, cover(0, 1)), FailureCode::PoolEnded);
}

#[test]
fn l51_a_voucher_is_paid_once_to_its_account() {
    let mut world = world(5);
    let had = world.balance(user(3));
    let receipt = world.done(3, spend(user(3), 0));
    assert_eq!(world.balance(user(3)), had + WORTH - receipt.fee.0);
    let failure = world.failed(3, vec![spend(user(3), 0)]);
    assert_eq!(failure.code, FailureCode::VoucherSpent);
    assert_eq!(failure.subject, Some(mark(3)));
    // In one transaction too.
    let twice = vec![spend(user(4), 0), spend(user(4), 0)];
    assert_eq!(world.failed(4, twice).code, FailureCode::VoucherSpent);
    assert_eq!(world.get(mark(4)), None);
    assert_eq!(pool(&world).spent, 1);
    assert_eq!(world.fails(3, spend(user(3), 8)), FailureCode::NotFound);
}

#[test]
fn l51_another_account_pool_or_network_makes_it_no_voucher() {
    let mut world = world(5);
    // Whoever sees a voucher on its way cannot spend it.
    let seen = void(&mut world, 4, spend(user(3), 0));
    assert_eq!(seen, TransactionError::Voucher);
    let of_another_pool = Operation::VoucherSpend {
        key: issuer_key(0).public(),
        voucher: voucher(1, user(3)),
    };
    let refused = void(&mut world, 3, of_another_pool);
    assert_eq!(refused, TransactionError::Voucher);
    let mut body = world.body(3, vec![spend(user(3), 0)]);
    body.network = weft_types::NetworkId([7; 32]);
    let signed = body.sign(&[&user_key(3)]);
    let refused = signed.verify(body.network).unwrap_err();
    assert_eq!(refused, TransactionError::Voucher);
}

#[test]
fn a_party_spends_its_own() {
    let mut world = world(5);
    let party = |account| Party {
        account: user(account),
        operations: vec![spend(user(account), 0)],
    };
    let body = world.body(3, vec![Operation::MultiParty(vec![party(3), party(4)])]);
    let receipt = world.run_signed(with_keys(&body, &[(3, 3), (4, 4)]));
    assert_eq!(receipt.failure, None);
    assert!(world.get(mark(3)).is_some() && world.get(mark(4)).is_some());
}

#[test]
fn l51_a_voucher_pays_for_its_own_spending() {
    let mut world = world(5);
    let onward = vec![spend(user(FRESH), 0), pay(2, 1_000)];
    let had = world.balance(user(2));
    let receipt = world.run(FRESH, onward);
    assert_eq!(receipt.failure, None);
    assert_eq!(world.balance(user(2)), had + 1_000);
    let left = WORTH - 1_000 - receipt.fee.0;
    assert_eq!(world.balance(user(FRESH)), left);
    // Another one of the same voucher has nothing to pay with.
    let again = world.signed(FRESH, vec![spend(user(FRESH), 0)]);
    let refusal = world.refused(again);
    assert!(matches!(refusal, Refusal::CannotPay { .. }), "{refusal}");
}

#[test]
fn l51_a_voucher_that_has_paid_the_fee_stays_spent_when_the_rest_fails() {
    let mut world = world(5);
    let receipt = world.run(FRESH, vec![spend(user(FRESH), 0), pay(2, WORTH)]);
    let failure = receipt.failure.expect("more than is left");
    assert_eq!(failure.code, FailureCode::InsufficientBalance);
    assert_eq!(failure.operation, 1);
    let left = WORTH - receipt.fee.0;
    assert_eq!(world.balance(user(FRESH)), left);
    assert_eq!((failure.found, failure.limit), (left, WORTH));
    assert!(world.get(mark(FRESH)).is_some());
    // Who can pay otherwise keeps the voucher.
    world.failed(3, vec![spend(user(3), 0), pay(2, 10_000_000)]);
    assert_eq!(world.get(mark(3)), None);
}

#[test]
fn l51_what_is_no_coin_comes_later_is_too_little_or_sponsored_pays_no_fee() {
    let mut world = world(5);
    world.done(1, open_pool(user(1), 2, (AssetId::NATIVE, 100), ENDS));
    world.done(1, cover(2, 5));
    world.commit_with(
        &[deposit(
            1,
            BaseAsset::Erc20 {
                token: COINS,
                amount: Amount(5 * WORTH),
            },
        )],
        &[],
    );
    let coins = AssetId::erc20(COINS);
    world.done(1, open_pool(user(1), 3, (coins, WORTH), ENDS));
    world.done(1, cover(3, 5));
    let me = user(FRESH);
    let later = vec![pay(2, 1), spend(me, 0)];
    for operations in [vec![spend(me, 2)], vec![spend(me, 3)], later] {
        let transaction = world.signed(FRESH, operations);
        let refusal = world.refused(transaction);
        assert!(matches!(refusal, Refusal::CannotPay { .. }), "{refusal}");
    }
    let mut body = world.body(FRESH, vec![spend(me, 0)]);
    body.sponsor = Some(user(FRESH + 1));
    let both = [(FRESH, FRESH), (FRESH + 1, FRESH + 1)];
    let refusal = world.refused(with_keys(&body, &both));
    assert!(matches!(refusal, Refusal::CannotPay { .. }), "{refusal}");
    // A sponsor who can, does.
    let mut body = world.body(FRESH, vec![spend(me, 3)]);
    body.sponsor = Some(user(2));
    let receipt = world.run_signed(with_keys(&body, &[(FRESH, FRESH), (2, 2)]));
    assert_eq!(receipt.failure, None);
}

#[test]
fn no_session_opens_covers_or_spends() {
    let mut world = world(5);
    let kinds: Vec<_> = weft_types::SessionKind::ALL.to_vec();
    let all = session(9, &kinds, &[], 500_000);
    world.done(1, set_keys(&[weft_types::KeyChange::Session(all)]));
    for operation in [
        open_pool(user(1), 4, (AssetId::NATIVE, 1), ENDS),
        cover(0, 1),
        spend(user(1), 0),
    ] {
        world.denied(1, 9, operation);
    }
}

#[test]
fn l52_at_its_end_a_pool_pays_no_more_and_what_is_left_is_its_issuers() {
    let mut world = world(3);
    world.done(3, spend(user(3), 0));
    let had = world.balance(user(1));
    world.now = ENDS - 1;
    world.done(4, spend(user(4), 0));
    world.restart();
    world.now = ENDS;
    let failure = world.run(5, vec![spend(user(5), 0)]).failure.unwrap();
    assert_eq!(failure.code, FailureCode::PoolEnded);
    assert_eq!((failure.found, failure.limit), (ENDS, ENDS));
    assert_eq!(world.balance(user(1)), had + WORTH);
    let pool = pool(&world);
    assert!(pool.ended && pool.is_over());
    assert_eq!(
        (pool.issued, pool.spent, pool.cover()),
        (3, 2, Amount::ZERO)
    );
    assert_eq!((world.get(mark(3)), world.get(mark(4))), (None, None));
    assert_eq!(world.tick(ENDS + 1).changes, []);
}

#[test]
fn l52_marks_go_bit_by_bit_and_a_restart_goes_on_with_it() {
    let vouchers = POOL_WORK_MAX as u64 + 1;
    let mut world = World::with(|p| p.fees.per_byte = Amount::ZERO);
    let terms = (AssetId::NATIVE, 160);
    world.done(1, open_pool(user(1), 0, terms, 1_000_000));
    world.done(1, cover(0, vouchers));
    let spends: Vec<_> = (FRESH..FRESH + vouchers)
        .map(|i| world.signed(i, vec![spend(user(i), 0)]))
        .collect();
    let applied = world.commit(&spends);
    assert_eq!(applied.receipts.len() as u64, vouchers);
    assert!(applied.receipts.iter().all(|r| r.is_applied()));
    let marks = |world: &World| {
        let all = (FRESH..FRESH + vouchers).map(mark);
        all.filter(|id| world.get(*id).is_some()).count()
    };
    assert_eq!(marks(&world) as u64, vouchers);
    // One of the work is the cover's.
    world.tick(1_000_000);
    assert_eq!(marks(&world), 2);
    assert!(pool(&world).ended && !pool(&world).is_over());
    world.take_over();
    world.tick(1_000_001);
    assert_eq!(marks(&world), 0);
    assert!(pool(&world).is_over());
}

#[test]
fn l52_if_the_network_ends_the_cover_is_its_issuers() {
    let mut world = world(3);
    world.done(1, exit_address(7, &[]));
    let exit = |world: &World| {
        let trees = &world.ledger.base_trees().exits;
        trees.get(0).map(|e| (e.asset, e.owner))
    };
    let owns = |amount| {
        let amount = Amount(amount);
        Some((BaseAsset::Native { amount }, BaseAddress([7; 20])))
    };
    let has = |world: &World| world.balance(user(1));
    assert_eq!(exit(&world), owns(has(&world) + 3 * WORTH));
    world.done(3, spend(user(3), 0));
    assert_eq!(exit(&world), owns(has(&world) + 2 * WORTH));
    world.tick(ENDS);
    assert_eq!(exit(&world), owns(has(&world)));
}

#[test]
fn that_a_voucher_is_spent_or_not_is_provable() {
    let mut world = world(3);
    world.done(3, spend(user(3), 0));
    let root = world.close_height(false).state_root;
    let snapshot = world.ledger.snapshot();
    for (account, spent) in [(3, true), (4, false)] {
        let id = mark(account);
        let (value, proof) = snapshot.prove(&id);
        assert_eq!(value.is_some(), spent);
        let value = value.as_deref();
        assert_eq!(proof.verify(&root, &id.state_key(), value), Ok(()));
    }
}

#[test]
fn checks_of_vouchers_are_paid_for_and_bounded() {
    let mut world = world(1);
    let body = world.body(3, vec![spend(user(3), 0)]);
    let transaction = body.sign(&[&user_key(3)]);
    let without = body.encode().len() as u64 + 104;
    assert_eq!(transaction.charged_bytes(), without + VOUCHER_CHECK_BYTES);
    let fee = world.run_signed(verified(transaction)).fee;
    assert_eq!(fee.0, 150 + without + VOUCHER_CHECK_BYTES);
    let many = |n| vec![spend(user(4), 0); n];
    let read = |operations| {
        let body = testing::body(4, 1, operations).sign(&[&user_key(4)]);
        weft_types::Transaction::decode(body.encoded().clone())
    };
    assert!(read(many(VOUCHER_CHECKS_MAX)).is_ok());
    let found = VOUCHER_CHECKS_MAX + 1;
    let refused = Err(TransactionError::VoucherChecks(found));
    assert_eq!(read(many(found)), refused);
    let party = Party {
        account: user(4),
        operations: many(1),
    };
    let inside = Operation::MultiParty(vec![party]);
    let operations = many(VOUCHER_CHECKS_MAX).into_iter().chain([inside]);
    assert_eq!(read(operations.collect()), refused);
}

/// The pool's account is nobody's, so that nothing is paid to it by mistake: cover comes by VoucherIssue alone.
#[test]
fn what_is_paid_to_a_pools_id_covers_nothing() {
    let mut world = world(0);
    let address = Address(issuer_key(0).public().pool().0);
    world.done(
        1,
        Operation::Transfer {
            payments: vec![weft_types::Payment {
                to: address,
                asset: AssetId::NATIVE,
                amount: Amount(WORTH),
            }],
            items: vec![],
        },
    );
    assert_eq!(world.fails(3, spend(user(3), 0)), FailureCode::NotCovered);
    assert_eq!(pool(&world).ends, Millis(ENDS));
}
