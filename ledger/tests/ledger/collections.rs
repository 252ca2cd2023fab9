use crate::world::*;
use weft_types::MINTED_ITEMS_MAX;
use weft_types::testing::{user, user_key};
use weft_types::{
    CollectionId, ContentHash, EditionId, FailureCode, ItemId, ItemState, MintEntry, Object,
    ObjectId, Operation,
};

#[test]
fn a_collection_an_edition_and_items_can_be_made_in_one_transaction() {
    let mut world = World::new();
    let mut body = world.body(0, vec![]);
    let collection = CollectionId::derive(&user(0), &body.idempotency, 0);
    let edition = EditionId::derive(&collection, 1);
    body.operations = vec![
        create_collection(0),
        create_edition(collection, 10),
        mint(edition, 1, 2),
    ];
    let receipt = world.run_signed(signed(&body, 0));
    let item = |serial| ObjectId::Item(ItemId::derive(&edition, serial));
    let expected = [
        ObjectId::Collection(collection),
        ObjectId::Edition(edition),
        item(1),
        item(2),
    ];
    assert_eq!(
        (receipt.failure, receipt.created),
        (None, expected.to_vec())
    );
    let second = world.item(ItemId::derive(&edition, 2)).unwrap();
    assert_eq!((second.owner, second.serial), (user(1), 2));
    assert_eq!((second.edition, second.state), (edition, ItemState::Held));
}

#[test]
fn the_same_idempotency_makes_no_second_collection() {
    let mut world = World::new();
    let mut body = world.body(0, vec![create_collection(0)]);
    assert_eq!(world.run_signed(signed(&body, 0)).failure, None);
    body.max_fee = body.max_fee.saturating_add(1);
    let failure = world.run_signed(signed(&body, 0)).failure.unwrap();
    assert_eq!(failure.code, FailureCode::AlreadyExists);
    // Another sender's collection has another id.
    body.sender = user(1);
    assert_eq!(world.run_signed(signed(&body, 1)).failure, None);
}

#[test]
fn nobody_but_the_creator_adds_editions_mints_or_updates() {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, 10);
    let item = items_of(&world.done(0, mint(edition, 1, 1)))[0];
    let attempts = [
        (create_edition(collection, 1), FailureCode::NotCreator),
        (update(item, "mine"), FailureCode::NotCreator),
        (mint(edition, 1, 1), FailureCode::NoRole),
    ];
    for (attempt, code) in attempts {
        let failure = world.failed(1, vec![attempt]);
        assert_eq!(failure.code, code);
        assert_eq!(failure.subject, Some(ObjectId::Collection(collection)));
    }
}

#[test]
fn what_does_not_exist_has_no_editions_items_or_updates() {
    let mut world = World::new();
    let attempts = [
        create_edition(CollectionId([1; 32]), 1),
        mint(EditionId([1; 32]), 1, 1),
        update(ItemId([1; 32]), ""),
        burn(&[ItemId([1; 32])]),
    ];
    for attempt in attempts {
        assert_eq!(world.fails(0, attempt), FailureCode::NotFound);
    }
}

#[test]
fn an_edition_issues_no_more_than_its_cap() {
    let mut world = World::new();
    let (_, edition) = world.edition(0, 3);
    world.done(0, mint(edition, 1, 2));
    let failure = world.failed(0, vec![mint(edition, 1, 2)]);
    assert_eq!(failure.code, FailureCode::CapReached);
    assert_eq!((failure.found, failure.limit), (4, 3));
    let last = world.done(0, mint(edition, 1, 1));
    assert_eq!(items_of(&last), [ItemId::derive(&edition, 3)]);
}

#[test]
fn a_collection_issues_no_more_than_its_cap_over_all_editions() {
    let mut world = World::new();
    let receipt = world.done(0, create_collection(3));
    let ObjectId::Collection(collection) = receipt.created[0] else {
        panic!("a collection");
    };
    for number in 1..=2 {
        world.done(0, create_edition(collection, u64::MAX));
        world.done(0, mint(EditionId::derive(&collection, number), 1, 1));
    }
    let failure = world.failed(0, vec![mint(EditionId::derive(&collection, 2), 1, 2)]);
    assert_eq!(failure.code, FailureCode::CapReached);
    assert_eq!(failure.subject, Some(ObjectId::Collection(collection)));
    assert_eq!((failure.found, failure.limit), (4, 3));
}

#[test]
fn a_transaction_mints_a_bounded_number_over_all_its_operations() {
    let mut world = World::new();
    let (_, edition) = world.edition(0, u64::MAX);
    let most = world.done(0, mint(edition, 1, MINTED_ITEMS_MAX));
    assert_eq!(most.created.len() as u64, MINTED_ITEMS_MAX);
    let split = vec![mint(edition, 1, MINTED_ITEMS_MAX), mint(edition, 1, 1)];
    let failure = world.failed(0, split);
    assert_eq!(failure.code, FailureCode::TooManyItems);
    assert_eq!((failure.operation, failure.subject), (1, None));
    assert_eq!(failure.found, MINTED_ITEMS_MAX + 1);
}

#[test]
fn counts_that_add_up_to_more_than_64_bits_do_not_wrap() {
    let mut world = World::with(|p| p.fees.per_item = weft_types::Amount(0));
    let (_, edition) = world.edition(0, u64::MAX);
    let entry = |count| MintEntry {
        edition,
        to: user(1),
        count,
    };
    for counts in [vec![u64::MAX], vec![1, u64::MAX], vec![u64::MAX, u64::MAX]] {
        let entries = counts.into_iter().map(entry).collect();
        let code = world.fails(0, Operation::Mint { entries });
        assert_eq!(code, FailureCode::TooManyItems);
    }
}

#[test]
fn one_edition_twice_in_a_mint_goes_on_with_its_serials() {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, 5);
    let entry = |to, count| MintEntry {
        edition,
        to: user(to),
        count,
    };
    let entries = vec![entry(1, 2), entry(2, 1)];
    let receipt = world.done(0, Operation::Mint { entries });
    let expected: Vec<ItemId> = (1..=3).map(|s| ItemId::derive(&edition, s)).collect();
    assert_eq!(items_of(&receipt), expected);
    let issued = |id| match world.get(id).unwrap() {
        Object::Collection(c) => c.issued,
        Object::Edition(e) => e.issued,
        other => panic!("{other:?}"),
    };
    assert_eq!(issued(ObjectId::Edition(edition)), 3);
    assert_eq!(issued(ObjectId::Collection(collection)), 3);
}

#[test]
fn the_creator_updates_an_item_that_others_hold_or_have_locked() {
    let mut world = World::new();
    let item = world.items(0, 1, 1)[0];
    let hash = ContentHash([3; 32]);
    let operation = Operation::UpdateItem {
        item,
        status: "signed".to_owned(),
        data_hash: Some(hash),
    };
    world.done(0, operation);
    let updated = world.item(item).unwrap();
    assert_eq!(
        (updated.status.as_str(), updated.data_hash),
        ("signed", Some(hash))
    );
    let deal = world.open(1, terms(cards(&[item]), assets(1)));
    world.done(0, update(item, ""));
    let updated = world.item(item).unwrap();
    assert_eq!((updated.status.as_str(), updated.data_hash), ("", None));
    assert_eq!(
        (updated.owner, updated.state),
        (user(1), ItemState::Locked { deal })
    );
}

#[test]
fn a_burned_item_leaves_the_state_and_its_serial_never_comes_again() {
    let mut world = World::new();
    let items = world.items(0, 1, 2);
    assert_eq!(world.fails(0, burn(&items[..1])), FailureCode::NotOwner);
    let twice = [items[0], items[0]];
    assert_eq!(world.fails(1, burn(&twice)), FailureCode::NotFound);

    let transaction = world.signed(1, vec![burn(&items[..1])]);
    let applied = world.commit(&[transaction]);
    let id = ObjectId::Item(items[0]);
    let change = applied.changes.iter().find(|c| c.id == id).unwrap();
    assert!(change.before.is_some() && change.after.is_none());
    let last = change.retired.as_ref().and_then(Object::as_item).unwrap();
    assert_eq!((last.owner, last.state), (user(1), ItemState::Burned));
    assert_eq!(world.item(items[0]), None);

    let edition = world.item(items[1]).unwrap().edition;
    assert_eq!(world.fails(0, mint(edition, 1, 1)), FailureCode::CapReached);
    assert_eq!(world.fails(0, update(items[0], "")), FailureCode::NotFound);
}

#[test]
fn parties_of_one_transaction_act_each_for_itself() {
    let mut world = World::new();
    let (_, edition) = world.edition(0, 5);
    let party = |i, operations| weft_types::Party {
        account: user(i),
        operations,
    };
    let parties = vec![
        party(0, vec![mint(edition, 1, 1)]),
        party(1, vec![pay(0, 10), send(2, &[ItemId::derive(&edition, 1)])]),
    ];
    let mut body = world.body(2, vec![Operation::MultiParty(parties), pay(1, 5)]);
    let keys = [user_key(2), user_key(0), user_key(1)];
    let transaction = verified(body.sign(&keys.each_ref()));
    let receipt = world.run_signed(transaction);
    assert_eq!(receipt.failure, None);
    assert_eq!(world.owner(ItemId::derive(&edition, 1)), user(2));
    assert_eq!(world.balance(user(1)), 1_000_000 - 10 + 5);
    // The one after the two parties' three operations fails.
    body.idempotency[15] = 1;
    let Operation::MultiParty(parties) = &mut body.operations[0] else {
        panic!("as built");
    };
    parties[1].operations.truncate(1);
    body.operations[1] = pay(1, u64::MAX);
    let failure = world
        .run_signed(verified(body.sign(&keys.each_ref())))
        .failure;
    assert_eq!(failure.unwrap().operation, 2);
}
