//! L35 to L37: what a gate takes and by which pass, and what is void.

use crate::world::*;
use weft_types::testing::{pass, user};
use weft_types::{
    CollectionId, FailureCode, ItemId, ItemState, KeyChange, PASS_AGE_MAX, PASS_AHEAD_MAX,
    PASS_SLOT_MS, Role, SessionKind,
};

const GATE: &[Role] = &[Role::Gate];
/// A day and a slot into time, so that passes can be too old.
const NOW: u64 = 86_400_000 + 2 * PASS_SLOT_MS;

/// Tickets of user 1, each good for so many uses, of a collection of user 0's whose gate is user 3.
fn tickets(uses: u32, count: u64) -> (World, CollectionId, Vec<ItemId>) {
    let mut world = World::new();
    world.now = NOW;
    let (collection, _) = world.edition(0, 1);
    let receipt = world.done(0, create_tickets(collection, 50, uses));
    let [weft_types::ObjectId::Edition(edition)] = receipt.created[..] else {
        panic!("one edition")
    };
    world.done(0, give_roles(collection, &[(3, GATE)]));
    let items = items_of(&world.done(0, mint(edition, 1, count)));
    (world, collection, items)
}

fn for_sale(items: &[ItemId]) -> weft_types::NewDeal {
    weft_types::NewDeal {
        expires: weft_types::Millis(2 * NOW),
        ..terms(cards(items), assets(5))
    }
}

fn slot(world: &World) -> u64 {
    world.now / PASS_SLOT_MS
}

/// By user 1's pass of now.
fn shown(world: &World, item: ItemId) -> weft_types::Operation {
    redeem(item, pass(1, item, slot(world), None))
}

#[test]
fn l35_a_ticket_is_redeemed_as_often_as_it_is_good_for_and_no_more() {
    let (mut world, _, items) = tickets(2, 1);
    let item = items[0];
    let first = shown(&world, item);
    world.done(3, first);
    let found = world.item(item).unwrap();
    assert_eq!((found.used, found.state), (1, ItemState::Held));
    world.now += PASS_SLOT_MS;
    let second = shown(&world, item);
    world.done(3, second);
    let found = world.item(item).unwrap();
    assert_eq!((found.used, found.state), (2, ItemState::Redeemed));
    world.now += PASS_SLOT_MS;
    let third = shown(&world, item);
    let failure = world.failed(3, vec![third]);
    assert_eq!(failure.code, FailureCode::NoUseLeft);
    assert_eq!((failure.found, failure.limit), (2, 2));
}

#[test]
fn two_gates_at_the_same_moment_let_one_in() {
    let (mut world, collection, items) = tickets(1, 1);
    world.done(0, give_roles(collection, &[(4, GATE)]));
    let operation = shown(&world, items[0]);
    let both = [3, 4].map(|gate| world.signed(gate, vec![operation.clone()]));
    let applied = world.commit(&both);
    let codes = applied.receipts.iter().map(|r| r.failure.map(|f| f.code));
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes, [None, Some(FailureCode::NoUseLeft)]);
}

#[test]
fn l35_the_gate_needs_its_role_and_the_edition_uses() {
    let (mut world, _, items) = tickets(1, 1);
    let operation = shown(&world, items[0]);
    assert_eq!(world.fails(4, operation.clone()), FailureCode::NoRole);
    assert_eq!(world.fails(1, operation), FailureCode::NoRole);
    let (mut world, _, items) = tickets(0, 1);
    let operation = shown(&world, items[0]);
    assert_eq!(world.fails(3, operation), FailureCode::NotRedeemable);
}

#[test]
fn l35_what_was_redeemed_once_stays_with_its_owner() {
    let (mut world, _, items) = tickets(2, 2);
    let operation = shown(&world, items[0]);
    world.done(3, operation);
    for attempt in [
        send(2, &items[..1]),
        burn(&items[..1]),
        weft_types::Operation::DealOpen(for_sale(&items[..1])),
    ] {
        let failure = world.failed(1, vec![attempt]);
        assert_eq!((failure.code, failure.found), (FailureCode::ItemUsed, 1));
    }
    // The other one was not.
    world.done(1, send(2, &items[1..]));
    // Its creator still has words for it.
    world.done(0, update(items[0], "seat 17"));
}

#[test]
fn a_listed_ticket_is_not_redeemed_and_a_frozen_one_neither() {
    let (mut world, _, items) = tickets(1, 2);
    let deal = world.open(1, for_sale(&items[..1]));
    let operation = shown(&world, items[0]);
    assert_eq!(world.fails(3, operation), FailureCode::ItemLocked);
    world.done(1, cancel(deal));
    world.done(0, freeze(true, &items[..1]));
    let operation = shown(&world, items[0]);
    assert_eq!(world.fails(3, operation.clone()), FailureCode::Frozen);
    world.done(0, freeze(false, &items[..1]));
    world.done(3, operation);
}

#[test]
fn l36_the_pass_is_the_owners_of_now_and_for_this_gate() {
    let (mut world, _, items) = tickets(1, 1);
    let item = items[0];
    let by = |world: &World, i, gate| redeem(item, pass(i, item, slot(world), gate));
    let others = by(&world, 2, None);
    assert_eq!(world.fails(3, others.clone()), FailureCode::NotHolder);
    let elsewhere = by(&world, 1, Some(user(4)));
    assert_eq!(world.fails(3, elsewhere), FailureCode::WrongGate);
    // Sold on, it is the buyer's pass that counts.
    let sellers = by(&world, 1, None);
    world.done(1, send(2, &items));
    assert_eq!(world.fails(3, sellers), FailureCode::NotHolder);
    // Another key has the say now.
    world.done(2, set_keys(&[owner(61)]));
    assert_eq!(world.fails(3, others), FailureCode::NotHolder);
    let here = by(&world, 61, Some(user(3)));
    world.done(3, here);
}

#[test]
fn l36_a_session_for_passes_shows_the_items_of_its_collections() {
    let (mut world, collection, items) = tickets(1, 1);
    let item = items[0];
    let operation = |world: &World| redeem(item, pass(61, item, slot(world), None));
    let begin = |world: &mut World, kinds: &[SessionKind], collections: &[CollectionId], lasts| {
        let expires = weft_types::Millis(world.now + lasts);
        let session = weft_types::Session {
            expires,
            ..session(61, kinds, collections, 0)
        };
        world.done(1, set_keys(&[KeyChange::Session(session)]));
    };
    let all = SessionKind::ALL;
    let others = all.iter().copied().filter(|k| *k != SessionKind::Pass);
    let others: Vec<_> = others.collect();
    begin(&mut world, &others, &[collection], 1_000);
    let shown = operation(&world);
    assert_eq!(world.fails(3, shown), FailureCode::NotHolder);
    begin(
        &mut world,
        &[SessionKind::Pass],
        &[CollectionId([1; 32])],
        1_000,
    );
    let shown = operation(&world);
    assert_eq!(world.fails(3, shown), FailureCode::NotHolder);
    begin(&mut world, &[SessionKind::Pass], &[collection], 1_000);
    world.now += 1_000;
    let shown = operation(&world);
    assert_eq!(world.fails(3, shown), FailureCode::NotHolder, "it is over");
    begin(&mut world, &[SessionKind::Pass], &[collection], 1_000);
    let shown = operation(&world);
    world.done(3, shown);
}

#[test]
fn l36_a_pass_is_good_for_a_day_and_hardly_ahead_of_time() {
    let (mut world, _, items) = tickets(1, 2);
    let at = |item, slot| redeem(item, pass(1, item, slot, None));
    let newest = (world.now + PASS_AHEAD_MAX.0) / PASS_SLOT_MS;
    let failure = world.failed(3, vec![at(items[0], newest + 1)]);
    let begins = (newest + 1) * PASS_SLOT_MS;
    assert_eq!(failure.code, FailureCode::PassStale);
    assert_eq!((failure.found, failure.limit), (begins, world.now));
    world.done(3, at(items[0], newest));
    let oldest = (world.now - PASS_AGE_MAX.0).div_ceil(PASS_SLOT_MS);
    let stale = world.fails(3, at(items[1], oldest - 1));
    assert_eq!(stale, FailureCode::PassStale);
    world.done(3, at(items[1], oldest));
}

#[test]
fn l36_a_pass_takes_one_use_and_so_does_no_older_one() {
    let (mut world, _, items) = tickets(3, 1);
    let item = items[0];
    let now = slot(&world);
    let at = |slot| redeem(item, pass(1, item, slot, None));
    world.done(3, at(now));
    for again in [now, now - 1] {
        let failure = world.failed(3, vec![at(again)]);
        assert_eq!(failure.code, FailureCode::PassSpent);
        assert_eq!((failure.found, failure.limit), (again, now));
    }
    world.done(3, at(now + 1));
    assert_eq!(world.item(item).unwrap().used, 2);
}

#[test]
fn gates_use_one_account_at_once_and_a_session_of_it() {
    let (mut world, collection, items) = tickets(1, 20);
    let key = session(61, &[SessionKind::Redeem], &[collection], 10_000);
    let key = weft_types::Session {
        expires: weft_types::Millis(world.now + 1_000),
        ..key
    };
    world.done(3, set_keys(&[KeyChange::Session(key)]));
    let operations = items.iter().map(|item| shown(&world, *item));
    let operations: Vec<_> = operations.collect();
    let gates: Vec<_> = (0..)
        .zip(operations)
        .map(|(n, operation)| match n % 2 {
            0 => world.signed(3, vec![operation]),
            _ => world.signed_for(3, 61, vec![operation]),
        })
        .collect();
    let applied = world.commit(&gates);
    assert_eq!(applied.receipts.len(), 20);
    assert!(applied.receipts.iter().all(|r| r.failure.is_none()));
}

#[test]
fn l37_what_is_void_is_neither_redeemed_nor_moved_nor_burned_and_says_why() {
    let (mut world, _, items) = tickets(1, 3);
    let listed = world.open(1, for_sale(&items[1..2]));
    let attempt = void(&items[..1], "mine");
    assert_eq!(world.fails(1, attempt.clone()), FailureCode::NotCreator);
    assert_eq!(world.fails(3, attempt), FailureCode::NotCreator);
    world.done(0, void(&items[..2], "charged back"));
    let found = world.item(items[0]).unwrap();
    assert_eq!(found.void.as_deref(), Some("charged back"));
    let operation = shown(&world, items[0]);
    assert_eq!(world.fails(3, operation), FailureCode::ItemVoid);
    for attempt in [
        send(2, &items[..1]),
        burn(&items[..1]),
        weft_types::Operation::DealOpen(for_sale(&items[..1])),
    ] {
        assert_eq!(world.fails(1, attempt), FailureCode::ItemVoid);
    }
    // What was listed is not bought, and comes back.
    assert_eq!(world.fails(2, take(listed, &[])), FailureCode::ItemVoid);
    world.done(1, cancel(listed));
    assert_eq!(world.fails(1, send(2, &items[1..2])), FailureCode::ItemVoid);
    // The third one is not.
    let operation = shown(&world, items[2]);
    world.done(3, operation);
}
