use crate::world::*;
use weft_types::testing::user;
use weft_types::{Address, Amount, AssetId, FailureCode, ObjectId, Operation, Payment};

#[test]
fn a_payment_moves_the_amount_and_the_fee() {
    let mut world = World::new();
    let receipt = world.done(0, pay(1, 500));
    let fee = receipt.fee.0;
    assert!(fee > 0);
    assert_eq!(world.balance(user(0)), 1_000_000 - 500 - fee);
    assert_eq!(world.balance(user(1)), 1_000_500);
    assert_eq!(world.balance(Address::FEE_POOL), fee);
}

#[test]
fn a_new_account_comes_with_its_first_unit_and_goes_with_its_last() {
    let mut world = World::with(|p| p.fees = free());
    world.done(0, pay(77, 5));
    assert_eq!(world.balance(user(77)), 5);
    world.done(77, pay(0, 5));
    assert_eq!(world.get(ObjectId::Account(user(77))), None);
}

fn free() -> weft_types::FeeSchedule {
    weft_types::FeeSchedule {
        per_transaction: Amount(0),
        per_operation: Amount(0),
        per_byte: Amount(0),
        per_item: Amount(0),
    }
}

#[test]
fn a_balance_that_does_not_suffice_fails_with_the_figures() {
    let mut world = World::new();
    let failure = world.failed(0, vec![pay(1, 10), pay(1, u64::MAX)]);
    assert_eq!(failure.code, FailureCode::InsufficientBalance);
    assert_eq!(failure.operation, 1);
    assert_eq!(failure.subject, Some(ObjectId::Account(user(0))));
    assert_eq!(failure.found, world.balance(user(0)) - 10);
    assert_eq!(failure.limit, u64::MAX);
}

#[test]
fn an_asset_that_nobody_holds_cannot_be_paid() {
    let mut world = World::new();
    let asset = AssetId([0xff; 32]);
    let code = world.fails(0, pay_asset(1, asset, 1));
    assert_eq!(code, FailureCode::InsufficientBalance);
}

#[test]
fn what_came_in_goes_out_again_within_one_transfer() {
    let mut world = World::new();
    let to_self = |amount| Payment {
        to: user(0),
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    let payments = vec![to_self(900_000), to_self(900_000)];
    let receipt = world.done(
        0,
        Operation::Transfer {
            payments,
            items: vec![],
        },
    );
    assert_eq!(world.balance(user(0)), 1_000_000 - receipt.fee.0);
}

#[test]
fn amounts_of_zero_move_nothing_and_break_nothing() {
    let mut world = World::new();
    world.done(0, pay(77, 0));
    assert_eq!(world.get(ObjectId::Account(user(77))), None);
    assert_eq!(
        world.fails(77 - 70, pay_asset(1, AssetId([1; 32]), u64::MAX)),
        FailureCode::InsufficientBalance
    );
}

#[test]
fn an_item_moves_from_its_owner_alone() {
    let mut world = World::new();
    let items = world.items(0, 1, 2);
    world.done(1, send(2, &items));
    assert_eq!(world.owner(items[0]), user(2));
    let failure = world.failed(1, vec![send(3, &items)]);
    assert_eq!(failure.code, FailureCode::NotOwner);
    assert_eq!(failure.subject, Some(ObjectId::Item(items[0])));
}

#[test]
fn an_item_twice_in_one_list_moves_once() {
    let mut world = World::new();
    let items = world.items(0, 1, 1);
    let twice = [items[0], items[0]];
    assert_eq!(world.fails(1, send(2, &twice)), FailureCode::NotOwner);
    world.done(1, send(1, &twice));
    assert_eq!(world.owner(items[0]), user(1));
}

#[test]
fn an_item_that_does_not_exist_cannot_move() {
    let mut world = World::new();
    let nowhere = weft_types::ItemId([0xee; 32]);
    assert_eq!(world.fails(0, send(1, &[nowhere])), FailureCode::NotFound);
}

#[test]
fn all_operations_apply_or_none() {
    let mut world = World::new();
    let items = world.items(0, 1, 1);
    let failure = world.failed(
        1,
        vec![pay(2, 10), send(2, &items), send(3, &items), pay(3, 10)],
    );
    assert_eq!(failure.operation, 2);
    assert_eq!(world.owner(items[0]), user(1));
    assert_eq!(world.balance(user(2)), 1_000_000);
}
