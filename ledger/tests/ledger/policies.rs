//! L25 to L27 and L29: what a creator lays down, who does what there, and what a freezer stops.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    Amount, FailureCode, ItemState, Millis, ObjectId, Operation, Party, Policy, ROLE_HOLDERS_MAX,
    Role, SessionKind, WantedFrom, WantedItems,
};

const MINTER: &[Role] = &[Role::Minter];
const FREEZER: &[Role] = &[Role::Freezer];

#[test]
fn l26_a_policy_is_free_until_the_first_item_and_only_tightened_after_it() {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, 9);
    let strict = Policy {
        floor_price: Amount(50),
        cap_price: Amount(90),
        locked_until: Millis(2_000),
        cut_off: Millis(9_000),
        personal: true,
        royalty: royalty(3, 500),
    };
    let mild = Policy {
        royalty: royalty(3, 500),
        ..Policy::default()
    };
    world.done(0, set_policy(collection, strict));
    world.done(0, set_policy(collection, mild));
    let item = items_of(&world.done(0, mint(edition, 1, 1)))[0];
    let looser = policy(|p| p.royalty = royalty(3, 501));
    let failure = world.failed(0, vec![set_policy(collection, looser)]);
    assert_eq!(failure.code, FailureCode::PolicyLoosened);
    assert_eq!(failure.subject, Some(ObjectId::Collection(collection)));
    assert_eq!((failure.found, failure.limit), (501, 500));
    // Another payee of as much is no looser.
    let moved = policy(|p| p.royalty = royalty(4, 500));
    world.done(0, set_policy(collection, moved));
    world.done(0, set_policy(collection, strict));
    assert_eq!(world.collection(collection).policy, strict);
    // That there is no item any more changes nothing.
    world.done(1, burn(&[item]));
    let code = world.fails(0, set_policy(collection, mild));
    assert_eq!(code, FailureCode::PolicyLoosened);
}

#[test]
fn the_creator_alone_lays_down_and_gives_roles() {
    let mut world = World::new();
    let (collection, _) = world.edition(0, 9);
    let all = Role::ALL;
    world.done(0, give_roles(collection, &[(1, all)]));
    for attempt in [
        set_policy(collection, Policy::default()),
        give_roles(collection, &[(2, all)]),
    ] {
        assert_eq!(world.fails(1, attempt), FailureCode::NotCreator);
    }
    let nowhere = set_policy(weft_types::CollectionId([9; 32]), Policy::default());
    assert_eq!(world.fails(0, nowhere), FailureCode::NotFound);
}

#[test]
fn a_collection_has_roles_for_a_bounded_number_of_accounts() {
    let mut world = World::new();
    let (collection, _) = world.edition(0, 9);
    let most = ROLE_HOLDERS_MAX as u64;
    let holders: Vec<_> = (1..=most).map(|n| (n, MINTER)).collect();
    world.done(0, give_roles(collection, &holders));
    let failure = world.failed(0, vec![give_roles(collection, &[(99, FREEZER)])]);
    assert_eq!(failure.code, FailureCode::TooManyRoles);
    assert_eq!((failure.found, failure.limit), (most + 1, most));
    // One list takes and gives.
    let swap = give_roles(collection, &[(99, FREEZER), (1, &[]), (99, MINTER)]);
    world.done(0, swap);
    let collection = world.collection(collection);
    assert!(collection.has_role(&user(99), Role::Minter));
    assert!(!collection.has_role(&user(99), Role::Freezer));
    assert!(!collection.has_role(&user(1), Role::Minter));
}

#[test]
fn l27_a_minter_mints_there_alone_and_does_nothing_else() {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, 9);
    let (_, other) = world.edition(0, 9);
    world.done(0, give_roles(collection, &[(1, MINTER)]));
    let item = items_of(&world.done(1, mint(edition, 2, 1)))[0];
    let failure = world.failed(1, vec![mint(other, 2, 1)]);
    assert_eq!(failure.code, FailureCode::NoRole);
    assert_eq!((failure.found, failure.limit), (0, 1));
    for (attempt, code) in [
        (create_edition(collection, 1), FailureCode::NotCreator),
        (update(item, ""), FailureCode::NotCreator),
        (freeze(true, &[item]), FailureCode::NoRole),
    ] {
        assert_eq!(world.fails(1, attempt), code);
    }
    world.done(0, give_roles(collection, &[(1, &[])]));
    assert_eq!(world.fails(1, mint(edition, 2, 1)), FailureCode::NoRole);
    world.done(0, mint(edition, 2, 1));
}

#[test]
fn l25_personal_items_stay_whose_they_are_and_can_be_burned() {
    let mut world = World::new();
    let (collection, items) = world.under(policy(|p| p.personal = true), 2);
    let listing = Operation::DealOpen(terms(cards(&items[..1]), assets(5)));
    let offer = Operation::DealOpen(terms(assets(5), cards(&items[..1])));
    let mut any = terms(assets(5), cards(&[]));
    any.wants_any = vec![WantedItems {
        from: WantedFrom::Collection(collection),
        count: 1,
    }];
    for (sender, attempt) in [
        (1, send(2, &items[..1])),
        (1, send(1, &items[..1])),
        (1, listing),
        (2, offer),
        (2, Operation::DealOpen(any)),
    ] {
        let failure = world.failed(sender, vec![attempt]);
        assert_eq!(failure.code, FailureCode::Personal);
        assert_eq!(failure.subject, Some(ObjectId::Collection(collection)));
    }
    let parties = vec![Party {
        account: user(1),
        operations: vec![send(2, &items[..1])],
    }];
    let body = world.body(2, vec![Operation::MultiParty(parties)]);
    let receipt = world.run_signed(with_keys(&body, &[(1, 1), (2, 2)]));
    assert_eq!(receipt.failure.unwrap().code, FailureCode::Personal);
    world.done(1, burn(&items[..1]));
    world.done(0, update(items[1], "worn"));
}

#[test]
fn l25_items_change_hands_from_the_lock_on_and_until_the_cut_off() {
    let mut world = World::new();
    let window = policy(|p| (p.locked_until, p.cut_off) = (Millis(50_000), Millis(60_000)));
    let (collection, items) = world.under(window, 5);
    let move_at = |world: &mut World, now, n: usize| {
        world.now = now;
        let receipt = world.run(1, vec![send(2, &items[n..=n])]);
        receipt.failure.map(|f| (f.code, f.found, f.limit))
    };
    let locked = Some((FailureCode::TransfersLocked, 49_999, 50_000));
    assert_eq!(move_at(&mut world, 49_999, 0), locked);
    let mut early = terms(cards(&items[..1]), assets(5));
    early.expires = Millis(50_000);
    let never = world.failed(1, vec![Operation::DealOpen(early.clone())]);
    assert_eq!(never.code, FailureCode::TransfersLocked);
    assert_eq!((never.found, never.limit), (49_999, 50_000));
    early.expires = Millis(50_001);
    let deal = world.open(1, early);
    assert_eq!(
        world.fails(2, take(deal, &[])),
        FailureCode::TransfersLocked
    );
    let last = world.open(1, terms(cards(&items[4..]), assets(5)));
    world.now = 50_000;
    world.done(2, take(deal, &[]));
    assert_eq!(move_at(&mut world, 59_999, 1), None);
    let over = Some((FailureCode::TransfersOver, 60_000, 60_000));
    assert_eq!(move_at(&mut world, 60_000, 2), over);
    assert_eq!(world.fails(2, take(last, &[])), FailureCode::TransfersOver);
    let late = Operation::DealOpen(terms(cards(&items[2..3]), assets(5)));
    let failure = world.failed(1, vec![late]);
    assert_eq!(failure.code, FailureCode::TransfersOver);
    assert_eq!(failure.subject, Some(ObjectId::Collection(collection)));
    world.done(1, cancel(last));
    assert_eq!(world.item(items[4]).unwrap().state, ItemState::Held);
}

#[test]
fn l29_what_is_frozen_neither_moves_nor_burns_and_its_creator_may_write_on_it() {
    let mut world = World::new();
    let (collection, items) = world.under(Policy::default(), 2);
    world.done(0, give_roles(collection, &[(3, FREEZER)]));
    let edition = world.item(items[0]).unwrap().edition;
    let whole = |frozen, of: u8| Operation::Freeze {
        frozen,
        collections: (of == 1).then_some(collection).into_iter().collect(),
        editions: (of == 2).then_some(edition).into_iter().collect(),
        items: (of == 3).then_some(items[0]).into_iter().collect(),
    };
    let subjects = [
        ObjectId::Collection(collection),
        ObjectId::Edition(edition),
        ObjectId::Item(items[0]),
    ];
    for (of, subject) in (1..).zip(subjects) {
        assert_eq!(world.fails(1, whole(true, of)), FailureCode::NoRole);
        world.done(3, whole(true, of));
        let open = Operation::DealOpen(terms(cards(&items[..1]), assets(5)));
        for attempt in [send(2, &items[..1]), burn(&items[..1]), open] {
            let failure = world.failed(1, vec![attempt]);
            assert_eq!(failure.code, FailureCode::Frozen);
            assert_eq!(failure.subject, Some(subject));
        }
        let minted = world.run(0, vec![mint(edition, 1, 1)]).failure;
        let stopped = (of < 3).then_some(FailureCode::Frozen);
        assert_eq!(minted.map(|f| f.code), stopped);
        world.done(0, update(items[0], "reported stolen"));
        // Twice is as good as once.
        world.done(0, whole(true, of));
        world.done(3, whole(false, of));
        world.done(1, send(1, &items[..1]));
    }
}

#[test]
fn l29_what_is_frozen_in_a_deal_is_not_taken_and_goes_back() {
    let mut world = World::new();
    let (_, items) = world.under(Policy::default(), 3);
    let listed = |n: usize| terms(cards(&items[n..=n]), assets(5));
    let cancelled = world.open(1, listed(0));
    let mut short = listed(1);
    short.expires = Millis(9_000);
    let expired = world.open(1, short);
    let wanted = world.open(2, terms(assets(5), cards(&items[2..])));
    world.done(0, freeze(true, &items));
    for (taker, deal) in [(2, cancelled), (2, expired), (1, wanted)] {
        assert_eq!(world.fails(taker, take(deal, &[])), FailureCode::Frozen);
    }
    world.done(1, cancel(cancelled));
    world.tick(9_000);
    for item in &items[..2] {
        let item = world.item(*item).unwrap();
        let found = (item.owner, item.state, item.frozen);
        assert_eq!(found, (user(1), ItemState::Held, true));
    }
    world.done(0, freeze(false, &items));
    world.done(1, take(wanted, &[]));
    assert_eq!(world.owner(items[2]), user(2));
}

#[test]
fn freezing_what_is_not_there_or_of_another_collection_freezes_nothing() {
    let mut world = World::new();
    let (collection, items) = world.under(Policy::default(), 2);
    let (_, others) = world.under(Policy::default(), 1);
    world.done(0, give_roles(collection, &[(3, FREEZER)]));
    let both = freeze(true, &[items[0], others[0]]);
    assert_eq!(world.fails(3, both), FailureCode::NoRole);
    world.done(1, burn(&items[1..]));
    for (collections, editions, items) in [
        (vec![weft_types::CollectionId([9; 32])], vec![], vec![]),
        (vec![], vec![weft_types::EditionId([9; 32])], vec![]),
        (vec![], vec![], vec![items[1]]),
    ] {
        let frozen = true;
        let freeze = Operation::Freeze {
            frozen,
            collections,
            editions,
            items,
        };
        assert_eq!(world.fails(3, freeze), FailureCode::NotFound);
    }
    assert!(!world.item(items[0]).unwrap().frozen);
}

/// L20
#[test]
fn a_session_freezes_within_its_collections_and_lays_nothing_down() {
    let mut world = World::new();
    let (collection, items) = world.under(Policy::default(), 1);
    let (_, others) = world.under(Policy::default(), 1);
    let all = session(61, SessionKind::ALL, &[collection], 100_000);
    world.done(0, set_keys(&[weft_types::KeyChange::Session(all)]));
    assert_eq!(world.code_for(0, 61, freeze(true, &items)), None);
    let scope = Some(FailureCode::SessionScope);
    assert_eq!(world.code_for(0, 61, freeze(true, &others)), scope);
    let lay_down = set_policy(collection, Policy::default());
    let kind = weft_ledger::Denied::Kind("set_policy");
    assert_eq!(world.denied(0, 61, lay_down), kind);
}
