//! L38, L39: an edition for sale, exactly to its cap, and who may buy.

use crate::world::*;
use weft_types::testing::{allow_list, list_place, user};
use weft_types::{
    Address, Amount, CollectionId, EditionId, FailureCode, ListPlace, Millis, ObjectId, Operation,
    Purchase, Receipt, Role, Sale, SessionKind,
};

fn sale(change: impl FnOnce(&mut Sale)) -> Sale {
    let mut sale = Sale {
        price: Amount(50),
        from: Millis::ZERO,
        until: Millis::ZERO,
        by_permit: false,
        list: None,
    };
    change(&mut sale);
    sale
}

fn set_sale(edition: EditionId, sale: Option<Sale>) -> Operation {
    Operation::SetSale { edition, sale }
}

fn buy(edition: EditionId, count: u64, price: u64, listed: Option<ListPlace>) -> Operation {
    Operation::Buy(Purchase {
        edition,
        count,
        price: Amount(price),
        listed,
    })
}

/// An edition of user 0's that is for sale.
fn on_sale(cap: u64, sale: Sale) -> (World, CollectionId, EditionId) {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, cap);
    world.done(0, set_sale(edition, Some(sale)));
    (world, collection, edition)
}

/// Bought by a user whose transaction another one sponsors, with a key of the other's.
fn sponsored(
    world: &mut World,
    (buyer, sponsor, key): (u64, u64, u64),
    operation: Operation,
) -> Receipt {
    let mut body = world.body(buyer, vec![operation]);
    body.sponsor = Some(user(sponsor));
    let transaction = with_keys(&body, &[(buyer, buyer), (key, sponsor)]);
    world.run_signed(transaction)
}

fn code(receipt: &Receipt) -> Option<FailureCode> {
    receipt.failure.map(|f| f.code)
}

#[test]
fn l38_what_is_bought_is_the_buyers_and_paid_to_the_creator() {
    let (mut world, _, edition) = on_sale(9, sale(|_| {}));
    let before = [0, 1].map(|i| world.balance(user(i)));
    let receipt = world.done(1, buy(edition, 3, 50, None));
    let items = items_of(&receipt);
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| world.owner(*item) == user(1)));
    assert_eq!(world.balance(user(0)), before[0] + 150);
    assert_eq!(world.balance(user(1)), before[1] - 150 - receipt.fee.0);
    let bytes = world.signed(1, vec![buy(edition, 3, 50, None)]);
    let fees = &world.ledger.params().fees;
    let expected = fees.per_transaction.0
        + fees.per_operation.0
        + fees.per_byte.0 * bytes.charged_bytes()
        + fees.per_item.0 * 3;
    assert_eq!(receipt.fee.0, expected);
}

#[test]
fn l38_a_burst_sells_exactly_the_cap_and_each_loser_pays_the_fee_alone() {
    let (mut world, _, edition) = on_sale(10, sale(|_| {}));
    let buyers: Vec<_> = (0..30)
        .map(|n| world.signed(1 + n % 9, vec![buy(edition, 1, 50, None)]))
        .collect();
    let creator = world.balance(user(0));
    let applied = world.commit(&buyers);
    let codes: Vec<_> = applied.receipts.iter().map(code).collect();
    assert_eq!(codes.iter().filter(|c| c.is_none()).count(), 10);
    let late = |c: &&Option<FailureCode>| **c == Some(FailureCode::CapReached);
    assert_eq!(codes.iter().filter(late).count(), 20);
    assert_eq!(world.balance(user(0)), creator + 500);
    // Nine and two do not fit ten, and nobody gets a part of what he asked for.
    let (mut world, _, edition) = on_sale(10, sale(|_| {}));
    world.done(1, buy(edition, 9, 50, None));
    let failure = world.failed(2, vec![buy(edition, 2, 50, None)]);
    assert_eq!((failure.found, failure.limit), (11, 10));
    world.done(2, buy(edition, 1, 50, None));
}

#[test]
fn l38_a_sale_is_on_from_its_beginning_to_before_its_end() {
    let mut world = World::new();
    let (_, edition) = world.edition(0, 9);
    assert_eq!(
        world.fails(1, buy(edition, 1, 50, None)),
        FailureCode::NotOnSale
    );
    let (from, until) = (Millis(world.now + 100), Millis(world.now + 200));
    let timed = sale(|s| (s.from, s.until) = (from, until));
    world.done(0, set_sale(edition, Some(timed.clone())));
    world.now = from.0 - 1;
    let failure = world.failed(1, vec![buy(edition, 1, 50, None)]);
    assert_eq!(failure.code, FailureCode::NotOnSale);
    assert_eq!((failure.found, failure.limit), (world.now, from.0));
    world.now = from.0;
    world.done(1, buy(edition, 1, 50, None));
    world.now = until.0 - 1;
    world.done(1, buy(edition, 1, 50, None));
    world.now = until.0;
    let failure = world.failed(1, vec![buy(edition, 1, 50, None)]);
    assert_eq!(
        (failure.code, failure.limit),
        (FailureCode::NotOnSale, until.0)
    );
    let over = world.fails(0, set_sale(edition, Some(timed)));
    assert_eq!(over, FailureCode::ExpiryPassed);
    world.done(0, set_sale(edition, Some(sale(|_| {}))));
    world.done(0, set_sale(edition, None));
    assert_eq!(
        world.fails(1, buy(edition, 1, 50, None)),
        FailureCode::NotOnSale
    );
}

#[test]
fn l38_the_price_is_the_one_that_the_buyer_has_seen_and_can_pay() {
    let (mut world, collection, edition) = on_sale(500, sale(|_| {}));
    world.done(0, give_roles(collection, &[(2, &[Role::Minter])]));
    let dearer = sale(|s| s.price = Amount(60));
    assert_eq!(
        world.fails(2, set_sale(edition, Some(dearer.clone()))),
        FailureCode::NotCreator
    );
    world.done(0, set_sale(edition, Some(dearer)));
    for seen in [50, 61] {
        let failure = world.failed(1, vec![buy(edition, 1, seen, None)]);
        assert_eq!(failure.code, FailureCode::PriceDiffers);
        assert_eq!((failure.found, failure.limit), (seen, 60));
    }
    for price in [900_000, u64::MAX] {
        world.done(
            0,
            set_sale(edition, Some(sale(|s| s.price = Amount(price)))),
        );
        let code = world.fails(1, buy(edition, 2, price, None));
        assert_eq!(code, FailureCode::InsufficientBalance);
    }
    world.done(0, set_sale(edition, Some(sale(|s| s.price = Amount::ZERO))));
    world.done(1, buy(edition, 256, 0, None));
    assert_eq!(
        world.fails(1, buy(edition, 257, 0, None)),
        FailureCode::TooManyItems
    );
    world.done(
        0,
        Operation::Freeze {
            frozen: true,
            collections: vec![],
            editions: vec![edition],
            items: vec![],
        },
    );
    assert_eq!(
        world.fails(1, buy(edition, 1, 0, None)),
        FailureCode::Frozen
    );
}

#[test]
fn l39_who_is_on_the_list_buys_once_and_no_more_than_his_part() {
    let users = [1, 2, 3];
    let (mut world, _, edition) = on_sale(50, sale(|_| {}));
    let (list, entries) = allow_list(&edition, &users);
    let listed = |place| Some(list_place(&entries, place));
    world.done(0, set_sale(edition, Some(sale(|s| s.list = Some(list)))));
    assert_eq!(
        world.fails(1, buy(edition, 1, 50, None)),
        FailureCode::NotAllowed
    );
    assert_eq!(
        world.fails(4, buy(edition, 1, 50, listed(0))),
        FailureCode::NotAllowed
    );
    let failure = world.failed(2, vec![buy(edition, 3, 50, listed(1))]);
    assert_eq!(
        (failure.code, failure.limit),
        (FailureCode::TooManyItems, 2)
    );
    world.done(2, buy(edition, 2, 50, listed(1)));
    let failure = world.failed(2, vec![buy(edition, 1, 50, listed(1))]);
    assert_eq!(
        (failure.code, failure.found),
        (FailureCode::AlreadyBought, 1)
    );
    // Another price under the same list gives nobody another turn; another list does.
    let cheaper = |list| sale(|s| (s.price, s.list) = (Amount(40), Some(list)));
    world.done(0, set_sale(edition, Some(cheaper(list))));
    let again = world.fails(2, buy(edition, 1, 40, listed(1)));
    assert_eq!(again, FailureCode::AlreadyBought);
    let (other, entries) = allow_list(&edition, &[2, 1]);
    world.done(0, set_sale(edition, Some(cheaper(other))));
    world.done(2, buy(edition, 1, 40, Some(list_place(&entries, 0))));
}

#[test]
fn l39_a_minter_that_sponsors_permits_at_the_price_that_both_have_signed() {
    let (mut world, collection, edition) = on_sale(50, sale(|s| s.by_permit = true));
    world.done(0, give_roles(collection, &[(3, &[Role::Minter])]));
    assert_eq!(
        world.fails(1, buy(edition, 1, 50, None)),
        FailureCode::NotAllowed
    );
    let by_another = sponsored(&mut world, (1, 2, 2), buy(edition, 1, 50, None));
    assert_eq!(code(&by_another), Some(FailureCode::NotAllowed));
    for (sponsor, price) in [(3, 20), (0, 0)] {
        let before = world.balance(user(1));
        let receipt = sponsored(
            &mut world,
            (1, sponsor, sponsor),
            buy(edition, 2, price, None),
        );
        assert_eq!(code(&receipt), None);
        // The fee is the sponsor's.
        assert_eq!(world.balance(user(1)), before - 2 * price);
    }
    // The same signatures are no second permit.
    let mut body = world.body(1, vec![buy(edition, 1, 50, None)]);
    body.sponsor = Some(user(3));
    let permitted = with_keys(&body, &[(1, 1), (3, 3)]);
    assert_eq!(code(&world.run_signed(permitted.clone())), None);
    assert_eq!(world.refused(permitted).name(), "replayed");
}

#[test]
fn l39_a_session_permits_when_it_may_sponsor_and_mint_there() {
    let (mut world, collection, edition) = on_sale(50, sale(|s| s.by_permit = true));
    let begin = |world: &mut World, kinds: &[SessionKind], collections: &[CollectionId]| {
        let session = session(61, kinds, collections, 100_000);
        world.done(0, set_keys(&[weft_types::KeyChange::Session(session)]));
    };
    use SessionKind::{Mint, Sponsor};
    for (kinds, collections) in [
        (&[Sponsor][..], &[collection][..]),
        (&[Sponsor, Mint], &[CollectionId([1; 32])]),
    ] {
        begin(&mut world, kinds, collections);
        let receipt = sponsored(&mut world, (1, 0, 61), buy(edition, 1, 0, None));
        assert_eq!(code(&receipt), Some(FailureCode::NotAllowed));
    }
    begin(&mut world, &[Sponsor, Mint], &[collection]);
    let receipt = sponsored(&mut world, (1, 0, 61), buy(edition, 1, 0, None));
    assert_eq!(code(&receipt), None);
}

#[test]
fn a_session_buys_in_its_collections_within_its_limit() {
    let (mut world, collection, edition) = on_sale(50, sale(|_| {}));
    let begin = |world: &mut World, collections: &[CollectionId], limit| {
        let session = session(61, &[SessionKind::Buy], collections, limit);
        world.done(1, set_keys(&[weft_types::KeyChange::Session(session)]));
    };
    begin(&mut world, &[], 10_000);
    let elsewhere = world.code_for(1, 61, buy(edition, 1, 50, None));
    assert_eq!(elsewhere, Some(FailureCode::SessionScope));
    begin(&mut world, &[collection], 2_000);
    let fee = world.run_for(1, 61, vec![buy(edition, 1, 50, None)]).fee.0;
    assert_eq!(world.left(1, 61), 1_950 - fee);
    let dear = world.code_for(1, 61, buy(edition, 20, 50, None));
    assert_eq!(dear, Some(FailureCode::SessionLimit));
}

#[test]
fn a_purchase_is_of_the_edition_with_its_id_as_the_list_is() {
    let (mut world, _, edition) = on_sale(5, sale(|_| {}));
    let receipt = world.done(1, buy(edition, 1, 50, None));
    let [ObjectId::Item(item)] = receipt.created[..] else {
        panic!("one item")
    };
    assert_eq!(item, weft_types::ItemId::derive(&edition, 1));
    assert_eq!(
        world.fails(1, buy(EditionId([9; 32]), 1, 50, None)),
        FailureCode::NotFound
    );
    let nobody = weft_types::AllowList::entry(&edition, &Address::ZERO, 1);
    assert_ne!(nobody, weft_types::AllowList::entry(&edition, &user(1), 1));
}
