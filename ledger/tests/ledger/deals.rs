use crate::world::*;
use weft_ledger::EXPIRY_WORK_MAX;
use weft_types::testing::user;
use weft_types::{
    Amount, AssetAmount, AssetId, Bundle, CollectionId, DealId, DealState, EditionId, FailureCode,
    ItemId, ItemState, LIST_MAX, Millis, NewDeal, Object, ObjectId, Operation, WantedFrom,
    WantedItems,
};

fn open(terms: NewDeal) -> Operation {
    Operation::DealOpen(terms)
}

fn any_of(from: WantedFrom, count: u64) -> WantedItems {
    WantedItems { from, count }
}

#[test]
fn a_listing_locks_the_card_until_somebody_pays() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let deal = world.open(1, terms(cards(&[card]), assets(100)));
    assert_eq!(world.item(card).unwrap().state, ItemState::Locked { deal });
    for attempt in [
        send(2, &[card]),
        burn(&[card]),
        open(terms(cards(&[card]), assets(1))),
    ] {
        assert_eq!(world.fails(1, attempt), FailureCode::ItemLocked);
    }
    let before = world.balance(user(1));
    world.done(2, take(deal, &[]));
    assert_eq!(world.owner(card), user(2));
    assert_eq!(world.item(card).unwrap().state, ItemState::Held);
    assert_eq!(world.balance(user(1)), before + 100);
    assert_eq!(world.get(ObjectId::Deal(deal)), None);
    assert_eq!(world.fails(3, take(deal, &[])), FailureCode::DealNotOpen);
    assert_eq!(world.fails(1, cancel(deal)), FailureCode::DealNotOpen);
}

/// L60: the work of a deal is paid for by who has it done.
#[test]
fn what_reaches_more_of_deals_than_it_names_fails_and_changes_nothing() {
    let mut world = World::new();
    let items = world.items(0, 1, 3);
    let deals = [&items[..1], &items[1..]].map(|i| world.open(1, terms(cards(i), assets(100))));
    let take = deals.map(|deal| take(deal, &[]));
    let mut with = |operations: &[Operation], entries: u32| {
        let mut body = world.body(2, operations.to_vec());
        body.deal_entries = entries;
        world.run_signed(signed(&body, 2))
    };
    // Two and three entries.
    let failed = with(&take, 4);
    let failure = failed.failure.unwrap();
    let subject = Some(ObjectId::Deal(deals[1]));
    assert_eq!(failure.code, FailureCode::DealEntries);
    assert_eq!((failure.operation, failure.subject), (1, subject));
    assert_eq!((failure.found, failure.limit), (5, 4));
    let taken = with(&take, 5);
    assert_eq!(taken.failure, None);
    // As much as the bytes of an entry.
    assert_eq!(taken.fee.0 - failed.fee.0, 40);
    for item in items {
        assert_eq!(world.owner(item), user(2));
    }
}

#[test]
fn an_offer_takes_its_price_when_it_opens_and_waits_for_the_card() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let fee_and = |world: &World, fee: Amount| world.balance(user(2)) + fee.0;
    let receipt = world.done(2, open(terms(assets(300), cards(&[card]))));
    assert_eq!(fee_and(&world, receipt.fee), 1_000_000 - 300);
    let ObjectId::Deal(deal) = receipt.created[0] else {
        panic!("a deal");
    };
    assert_eq!(world.fails(3, take(deal, &[])), FailureCode::NotOwner);
    let before = world.balance(user(1));
    let receipt = world.done(1, take(deal, &[]));
    assert_eq!(world.balance(user(1)), before + 300 - receipt.fee.0);
    assert_eq!(world.owner(card), user(2));
}

#[test]
fn many_go_against_many_with_money_on_both_sides() {
    let mut world = World::new();
    let mine = world.items(0, 1, 3);
    let theirs = world.items(0, 2, 2);
    let gives = Bundle {
        items: mine.clone(),
        ..assets(10)
    };
    let wants = Bundle {
        items: theirs.clone(),
        ..assets(25)
    };
    let deal = world.open(1, terms(gives, wants));
    world.done(2, take(deal, &[]));
    assert!(mine.iter().all(|card| world.owner(*card) == user(2)));
    assert!(theirs.iter().all(|card| world.owner(*card) == user(1)));
}

#[test]
fn a_deal_that_cannot_be_fulfilled_whole_is_not_taken_at_all() {
    let mut world = World::new();
    let mine = world.items(0, 1, 1);
    let theirs = world.items(0, 2, 2);
    let deal = world.open(1, terms(cards(&mine), cards(&theirs)));
    world.done(2, send(3, &theirs[1..]));
    assert_eq!(world.fails(2, take(deal, &[])), FailureCode::NotOwner);
    assert_eq!(world.owner(theirs[0]), user(2));
    let rich = world.open(1, terms(assets(1), assets(u64::MAX)));
    assert_eq!(
        world.fails(2, take(rich, &[])),
        FailureCode::InsufficientBalance
    );
}

#[test]
fn an_offer_for_any_card_of_an_edition_or_a_collection_is_filled_by_the_taker() {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, 10);
    let dragons = items_of(&world.done(0, mint(edition, 1, 3)));
    world.done(0, create_edition(collection, 10));
    let other = items_of(&world.done(0, mint(EditionId::derive(&collection, 2), 1, 1)));
    let foreign = world.items(0, 1, 1);
    let wants_any = vec![
        any_of(WantedFrom::Edition(edition), 2),
        any_of(WantedFrom::Collection(collection), 1),
    ];
    let deal = world.open(
        2,
        NewDeal {
            wants_any,
            ..terms(assets(50), Bundle::default())
        },
    );
    let (a, b, c) = (dragons[0], dragons[1], dragons[2]);
    let wrong = [
        (vec![], FailureCode::WrongItemCount),
        (vec![a, b, c, other[0]], FailureCode::WrongItemCount),
        (vec![a, other[0], b], FailureCode::WrongItem),
        (vec![a, b, foreign[0]], FailureCode::WrongItem),
        (vec![a, a, b], FailureCode::NotOwner),
        (vec![a, b, ItemId([9; 32])], FailureCode::NotFound),
    ];
    for (picks, code) in wrong {
        assert_eq!(world.fails(1, take(deal, &picks)), code);
    }
    world.done(1, take(deal, &[c, a, other[0]]));
    let owners = [a, b, c, other[0]].map(|card| world.owner(card));
    assert_eq!(owners, [user(2), user(1), user(2), user(2)]);
}

#[test]
fn a_private_deal_is_for_its_taker_alone() {
    let mut world = World::new();
    let deal = world.open(
        1,
        NewDeal {
            taker: Some(user(2)),
            ..terms(assets(5), assets(6))
        },
    );
    assert_eq!(world.fails(3, take(deal, &[])), FailureCode::NotTaker);
    world.done(2, take(deal, &[]));
}

#[test]
fn nobody_takes_or_addresses_his_own_deal() {
    let mut world = World::new();
    let deal = world.open(1, terms(assets(5), assets(6)));
    assert_eq!(world.fails(1, take(deal, &[])), FailureCode::OwnDeal);
    let to_self = NewDeal {
        taker: Some(user(1)),
        ..terms(assets(5), assets(6))
    };
    assert_eq!(world.fails(1, open(to_self)), FailureCode::OwnDeal);
}

#[test]
fn only_the_giver_cancels_and_has_everything_back() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let gives = Bundle {
        items: vec![card],
        ..assets(40)
    };
    let deal = world.open(1, terms(gives, assets(1)));
    assert_eq!(world.fails(2, cancel(deal)), FailureCode::NotGiver);
    let before = world.balance(user(1));
    let receipt = world.done(1, cancel(deal));
    assert_eq!(world.balance(user(1)), before + 40 - receipt.fee.0);
    assert_eq!(world.item(card).unwrap().state, ItemState::Held);
    assert_eq!(world.fails(2, take(deal, &[])), FailureCode::DealNotOpen);
}

#[test]
fn a_deal_returns_at_its_time_and_cannot_be_taken_from_then_on() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let deal = world.open(
        1,
        NewDeal {
            expires: Millis(9_000),
            ..terms(cards(&[card]), assets(1))
        },
    );
    assert_eq!(world.tick(8_999).changes, []);
    world.now = 9_000;
    let late = world.signed(2, vec![take(deal, &[])]);
    let applied = world.commit(&[late]);
    let failure = applied.receipts[0].failure.unwrap();
    assert_eq!(failure.code, FailureCode::DealNotOpen);
    let id = ObjectId::Deal(deal);
    let change = applied.changes.iter().find(|c| c.id == id).unwrap();
    assert_eq!(change.after, None);
    let last = change.retired.as_ref().and_then(Object::as_deal).unwrap();
    assert_eq!(last.state, DealState::Expired);
    assert_eq!(world.item(card).unwrap().state, ItemState::Held);
    assert_eq!(world.owner(card), user(1));
}

#[test]
fn a_deal_is_taken_a_millisecond_before_its_time() {
    let mut world = World::new();
    let deal = world.open(
        1,
        NewDeal {
            expires: Millis(9_000),
            ..terms(assets(5), assets(6))
        },
    );
    world.now = 8_999;
    world.done(2, take(deal, &[]));
}

#[test]
fn a_taken_deal_names_its_taker_in_the_change() {
    let mut world = World::new();
    let deal = world.open(1, terms(assets(5), assets(6)));
    let transaction = world.signed(2, vec![take(deal, &[])]);
    let applied = world.commit(&[transaction]);
    let change = applied
        .changes
        .iter()
        .find(|c| c.id == ObjectId::Deal(deal));
    let last = change.unwrap().retired.as_ref().and_then(Object::as_deal);
    assert_eq!(last.unwrap().state, DealState::Taken { by: user(2) });
}

#[test]
fn a_deal_opened_and_closed_within_one_commit_is_still_told() {
    let mut world = World::new();
    let opening = world.signed(1, vec![open(terms(assets(5), assets(6)))]);
    let deal = DealId::derive(&opening.id(), 0);
    let taking = world.signed(2, vec![take(deal, &[])]);
    let applied = world.commit(&[opening, taking]);
    assert!(applied.receipts.iter().all(|r| r.is_applied()));
    let change = applied
        .changes
        .iter()
        .find(|c| c.id == ObjectId::Deal(deal));
    let change = change.unwrap();
    assert_eq!((&change.before, &change.after), (&None, &None));
    assert!(change.retired.is_some());
    // Nothing is left that would come due.
    assert_eq!(world.tick(2_000_000).changes, []);
}

#[test]
fn a_deal_that_expires_at_once_or_in_the_past_is_refused() {
    let mut world = World::new();
    for expires in [0, world.now] {
        let expires = Millis(expires);
        let terms = NewDeal {
            expires,
            ..terms(assets(5), assets(6))
        };
        let failure = world.failed(1, vec![open(terms)]);
        assert_eq!(failure.code, FailureCode::ExpiryPassed);
        assert_eq!((failure.found, failure.limit), (expires.0, world.now));
    }
    let never = NewDeal {
        expires: Millis::MAX,
        ..terms(assets(5), assets(6))
    };
    let deal = world.open(1, never);
    world.tick(u64::MAX);
    assert_eq!(world.get(ObjectId::Deal(deal)), None);
}

#[test]
fn wants_that_nobody_can_fulfil_are_refused() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let any = |from: WantedFrom, count| NewDeal {
        wants_any: vec![any_of(from.clone(), count), any_of(from, 1)],
        ..terms(cards(&[card]), Bundle::default())
    };
    let edition = world.item(card).unwrap().edition;
    let cases = [
        (
            terms(cards(&[card, card]), assets(1)),
            FailureCode::DuplicateItem,
        ),
        (
            terms(cards(&[card]), cards(&[card])),
            FailureCode::DuplicateItem,
        ),
        (
            terms(assets(1), cards(&[ItemId([1; 32])])),
            FailureCode::NotFound,
        ),
        (
            any(WantedFrom::Edition(EditionId([1; 32])), 1),
            FailureCode::NotFound,
        ),
        (
            any(WantedFrom::Collection(CollectionId([1; 32])), 1),
            FailureCode::NotFound,
        ),
        (
            any(WantedFrom::Edition(edition), LIST_MAX as u64),
            FailureCode::TooManyItems,
        ),
        (
            any(WantedFrom::Edition(edition), u64::MAX),
            FailureCode::TooManyItems,
        ),
        (
            terms(assets(u64::MAX), assets(1)),
            FailureCode::InsufficientBalance,
        ),
    ];
    for (terms, code) in cases {
        assert_eq!(world.fails(1, open(terms)), code);
    }
    assert_eq!(
        world.fails(2, open(terms(cards(&[card]), assets(1)))),
        FailureCode::NotOwner
    );
}

#[test]
fn a_gift_wants_nothing_and_an_asset_may_stand_twice() {
    let mut world = World::new();
    let gift = world.open(1, terms(assets(5), Bundle::default()));
    world.done(2, take(gift, &[]));
    let part = |amount| AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    let twice = Bundle {
        assets: vec![part(5), part(7)],
        items: vec![],
    };
    let deal = world.open(1, terms(twice.clone(), twice));
    let before = world.balance(user(2));
    let receipt = world.done(2, take(deal, &[]));
    assert_eq!(world.balance(user(2)), before - receipt.fee.0);
}

#[test]
fn the_taker_cannot_pay_with_what_the_deal_gives() {
    let mut world = World::new();
    let deal = world.open(1, terms(assets(400_000), assets(1_200_000)));
    assert_eq!(
        world.fails(2, take(deal, &[])),
        FailureCode::InsufficientBalance
    );
}

#[test]
fn expiry_costs_a_commit_no_more_than_its_bound_and_goes_on_in_the_next() {
    let mut world = World::new();
    let per_deal = 200;
    let part = AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(1),
    };
    let gives = Bundle {
        assets: vec![part; per_deal],
        items: vec![],
    };
    let per_commit = EXPIRY_WORK_MAX.div_ceil(per_deal);
    let terms = NewDeal {
        expires: Millis(50_000),
        ..terms(gives, assets(1))
    };
    let deals: Vec<DealId> = (0..2 * per_commit + 2)
        .map(|_| world.open(1, terms.clone()))
        .collect();
    let left = |world: &World| -> Vec<DealId> {
        let open = |d: &&DealId| world.get(ObjectId::Deal(**d)).is_some();
        deals.iter().filter(open).copied().collect()
    };
    world.tick(50_000);
    assert_eq!(left(&world).len(), per_commit + 2);
    // The ones that the next commit leaves cannot be taken all the same.
    let last = *left(&world).iter().max().unwrap();
    let receipt = world.run(2, vec![take(last, &[])]);
    assert_eq!(receipt.failure.unwrap().code, FailureCode::DealNotOpen);
    let remaining = left(&world);
    assert!(remaining.len() == 2 && remaining.contains(&last));
    world.tick(50_000);
    assert_eq!(left(&world), []);
}
