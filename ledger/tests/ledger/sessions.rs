//! L20: what a session may do, spend and touch.

use crate::world::*;
use weft_ledger::Denied;
use weft_types::testing::user;
use weft_types::{
    Amount, AssetId, Bundle, FailureCode, KeyChange, Millis, ObjectId, Operation, Party,
    SESSIONS_MAX, Session, SessionKind, WantedFrom, WantedItems,
};

const ALL: &[SessionKind] = SessionKind::ALL;

/// User 1 with a session for the key of user 61.
fn world_with(session: Session) -> World {
    let mut world = World::new();
    begin(&mut world, session);
    world
}

fn begin(world: &mut World, session: Session) {
    world.done(1, set_keys(&[KeyChange::Session(session)]));
}

#[test]
fn a_session_pays_within_its_limit_which_fees_and_payments_lower_together() {
    let mut world = world_with(session(61, ALL, &[], 2_000));
    let receipt = world.run_for(1, 61, vec![pay(0, 100)]);
    assert!(receipt.is_applied());
    let left = 2_000 - 100 - receipt.fee.0;
    assert_eq!(world.left(1, 61), left);
    let receipt = world.run_for(1, 61, vec![pay(0, left)]);
    let failure = receipt.failure.unwrap();
    assert_eq!(failure.code, FailureCode::SessionLimit);
    assert_eq!(failure.subject, Some(ObjectId::Account(user(1))));
    // The fee of what failed is spent for good.
    let left = left - receipt.fee.0;
    assert_eq!((failure.found, failure.limit), (left, left + receipt.fee.0));
    assert_eq!(world.left(1, 61), left);
}

#[test]
fn two_transactions_of_one_session_in_one_commit_share_the_limit() {
    let mut world = world_with(session(61, ALL, &[], 2_000));
    let transactions: Vec<_> = (0..4)
        .map(|_| world.signed_for(1, 61, vec![pay(0, 500)]))
        .collect();
    let before = world.balance(user(1));
    let applied = world.commit(&transactions);
    let codes: Vec<_> = applied
        .receipts
        .iter()
        .map(|r| r.failure.map(|f| f.code))
        .collect();
    assert_eq!(codes[0], None);
    assert!(codes[1..].iter().all(|c| *c == codes[1]), "{codes:?}");
    assert!(before - world.balance(user(1)) <= 2_000);
}

#[test]
fn what_is_not_left_for_the_fee_is_refused_before_it_is_paid() {
    let mut world = world_with(session(61, ALL, &[], 10));
    let Denied::Fee { left, fee } = world.denied(1, 61, pay(0, 1)) else {
        panic!("the limit does not suffice for the fee");
    };
    assert_eq!(left, Amount(10));
    assert!(fee > left);
    // A sponsor pays, and the limit is for the payment alone.
    let mut body = world.body(1, vec![pay(0, 10)]);
    body.sponsor = Some(user(2));
    let sponsored = with_keys(&body, &[(61, 1), (2, 2)]);
    assert!(world.run_signed(sponsored).is_applied());
    assert_eq!(world.left(1, 61), 0);
}

#[test]
fn a_session_ends_when_its_time_has_come() {
    let mut world = world_with(session(61, ALL, &[], 10_000));
    world.now = 999_999;
    assert_eq!(world.code_for(1, 61, pay(0, 1)), None);
    world.now = 1_000_000;
    let (expires, now) = (Millis(1_000_000), Millis(1_000_000));
    assert_eq!(
        world.denied(1, 61, pay(0, 1)),
        Denied::Expired { expires, now }
    );
    let again = set_keys(&[KeyChange::Session(session(62, ALL, &[], 1))]);
    assert_eq!(world.fails(1, again), FailureCode::ExpiryPassed);
}

#[test]
fn a_session_that_was_ended_or_replaced_is_over() {
    let mut world = world_with(session(61, ALL, &[], 10_000));
    begin(&mut world, session(61, &[SessionKind::Burn], &[], 10_000));
    assert_eq!(world.denied(1, 61, pay(0, 1)), Denied::Kind("transfer"));
    world.done(1, set_keys(&[KeyChange::EndSession { key: user(61) }]));
    assert_eq!(world.denied(1, 61, burn(&[])), Denied::NoSay);
    assert_eq!(world.keys(1), None);
}

#[test]
fn a_session_does_its_kinds_and_no_others() {
    let (_, edition) = World::new().edition(1, 1);
    let operations = [
        (SessionKind::Transfer, pay(0, 1)),
        (
            SessionKind::CreateEdition,
            create_edition(weft_types::CollectionId([1; 32]), 1),
        ),
        (SessionKind::Mint, mint(edition, 1, 1)),
        (
            SessionKind::UpdateItem,
            update(weft_types::ItemId([1; 32]), "x"),
        ),
        (SessionKind::Burn, burn(&[weft_types::ItemId([1; 32])])),
        (
            SessionKind::DealOpen,
            Operation::DealOpen(terms(assets(1), assets(1))),
        ),
        (
            SessionKind::DealTake,
            take(weft_types::DealId([1; 32]), &[]),
        ),
        (SessionKind::DealCancel, cancel(weft_types::DealId([1; 32]))),
    ];
    for (kind, operation) in operations {
        let others: Vec<_> = ALL.iter().copied().filter(|k| *k != kind).collect();
        let mut world = world_with(session(61, &others, &[], 10_000));
        let denied = world.denied(1, 61, operation.clone());
        assert_eq!(denied, Denied::Kind(kind.name()));
        begin(&mut world, session(61, &[kind], &[], 10_000));
        // Taken, whatever becomes of it.
        world.run_for(1, 61, vec![operation]);
    }
}

#[test]
fn no_session_sets_keys_recovers_names_an_heir_or_leaves_the_ledger() {
    let mut world = world_with(session(61, ALL, &[], 10_000));
    world.done(3, set_keys(&[guardian(1, 3_600_000)]));
    for (operation, name) in [
        (set_keys(&[owner(61)]), "set_keys"),
        (recover(3, 61), "recover"),
        (exit_address(7, &[]), "exit_address"),
        (withdraw(assets(1)), "withdraw"),
        (create_collection(0), "create_collection"),
    ] {
        assert_eq!(world.denied(1, 61, operation.clone()), Denied::Kind(name));
        // Not as one party among others either.
        let party = Party {
            account: user(1),
            operations: vec![pay(0, 1), operation],
        };
        let body = world.body(2, vec![Operation::MultiParty(vec![party])]);
        let transaction = with_keys(&body, &[(2, 2), (61, 1)]);
        assert_eq!(world.denied_signed(transaction), Denied::Kind(name));
    }
}

#[test]
fn a_session_pays_others_fees_only_when_it_is_for_that() {
    let mut world = world_with(session(61, &[SessionKind::Transfer], &[], 10_000));
    let mut body = world.body(2, vec![pay(0, 1)]);
    body.sponsor = Some(user(1));
    let transaction = with_keys(&body, &[(2, 2), (61, 1)]);
    assert_eq!(
        world.denied_signed(transaction.clone()),
        Denied::Kind("sponsor")
    );
    begin(
        &mut world,
        session(61, &[SessionKind::Sponsor], &[], 10_000),
    );
    let fee = world.run_signed(transaction).fee.0;
    assert_eq!(world.left(1, 61), 10_000 - fee);
}

#[test]
fn items_move_only_of_the_sessions_collections() {
    let mut world = World::new();
    let ((mine, edition), (_, other)) = (world.edition(1, 9), world.edition(1, 9));
    let minted = |world: &mut World, edition| items_of(&world.done(1, mint(edition, 1, 4)));
    let (own, others) = (minted(&mut world, edition), minted(&mut world, other));
    begin(&mut world, session(61, ALL, &[mine], 100_000));
    let scope = Some(FailureCode::SessionScope);
    let give = |item| Operation::DealOpen(terms(cards(&[item]), assets(1)));
    for (n, of) in [own, others].iter().enumerate() {
        let expected = if n == 0 { None } else { scope };
        for operation in [
            send(2, &of[..1]),
            burn(&of[1..2]),
            update(of[2], "x"),
            give(of[3]),
        ] {
            assert_eq!(world.code_for(1, 61, operation), expected);
        }
    }
    let failure = world
        .run_for(1, 61, vec![mint(other, 1, 1)])
        .failure
        .unwrap();
    assert_eq!(failure.code, FailureCode::SessionScope);
    assert_eq!(world.code_for(1, 61, mint(edition, 1, 1)), None);
    assert_eq!(world.code_for(1, 61, create_edition(mine, 1)), None);
    let strange = world.edition(1, 1).0;
    assert_eq!(world.code_for(1, 61, create_edition(strange, 1)), scope);
}

#[test]
fn deals_lower_the_limit_when_opened_and_when_taken_and_never_raise_it() {
    let mut world = world_with(session(61, ALL, &[], 20_000));
    let offer = Operation::DealOpen(terms(assets(300), assets(1)));
    let receipt = world.run_for(1, 61, vec![offer]);
    let [ObjectId::Deal(deal)] = receipt.created[..] else {
        panic!("one deal: {receipt:?}");
    };
    let left = 20_000 - 300 - receipt.fee.0;
    assert_eq!(world.left(1, 61), left);
    let fee = world.run_for(1, 61, vec![cancel(deal)]).fee.0;
    assert_eq!(world.left(1, 61), left - fee);

    let asks = world.open(2, terms(assets(1), assets(400)));
    let left = world.left(1, 61);
    let receipt = world.run_for(1, 61, vec![take(asks, &[])]);
    assert!(receipt.is_applied());
    assert_eq!(world.left(1, 61), left - 400 - receipt.fee.0);
    let asks = world.open(2, terms(assets(1), assets(40_000)));
    let code = world.code_for(1, 61, take(asks, &[]));
    assert_eq!(code, Some(FailureCode::SessionLimit));
}

#[test]
fn a_deal_taken_by_a_session_is_paid_with_items_of_its_collections_alone() {
    let mut world = World::new();
    let (mine, edition) = world.edition(1, 9);
    let own = items_of(&world.done(1, mint(edition, 1, 3)));
    let others = world.items(1, 1, 2);
    let (_, other_edition) = (mine, world.item(others[0]).unwrap().edition);
    begin(&mut world, session(61, ALL, &[mine], 100_000));
    let any = |edition| weft_types::NewDeal {
        wants_any: vec![WantedItems {
            from: WantedFrom::Edition(edition),
            count: 1,
        }],
        ..terms(assets(1), Bundle::default())
    };
    let scope = Some(FailureCode::SessionScope);
    let asks = world.open(2, terms(assets(1), cards(&others[..1])));
    assert_eq!(world.code_for(1, 61, take(asks, &[])), scope);
    let asks = world.open(2, any(other_edition));
    assert_eq!(world.code_for(1, 61, take(asks, &others[1..])), scope);
    let asks = world.open(2, terms(assets(1), cards(&own[..1])));
    assert_eq!(world.code_for(1, 61, take(asks, &[])), None);
    let asks = world.open(2, any(edition));
    assert_eq!(world.code_for(1, 61, take(asks, &own[1..2])), None);
    // What comes in may be of any.
    let foreign = world.items(2, 2, 1);
    let gives = world.open(2, terms(cards(&foreign), assets(1)));
    assert_eq!(world.code_for(1, 61, take(gives, &[])), None);
    assert_eq!(world.owner(foreign[0]), user(1));
}

#[test]
fn an_asset_that_is_not_listed_cannot_be_spent() {
    let mut world = world_with(session(61, ALL, &[], 10_000));
    let asset = AssetId::erc20(COINS);
    let coins = weft_types::BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(50),
    };
    let arrival = deposit(1, coins);
    world.commit_with(&[arrival], &[]);
    let spends = pay_asset(0, asset, 5);
    let receipt = world.run_for(1, 61, vec![spends.clone()]);
    let failure = receipt.failure.unwrap();
    assert_eq!(
        (failure.code, failure.found, failure.limit),
        (FailureCode::SessionLimit, 0, 5)
    );
    world.done(1, spends);
}

#[test]
fn the_owner_is_held_to_no_session() {
    let mut world = world_with(session(1, &[SessionKind::Burn], &[], 1));
    world.done(1, pay(0, 5_000));
    // Also with sessions of others beside it.
    begin(
        &mut world,
        session(61, &[SessionKind::Transfer], &[], 10_000),
    );
    world.done(1, create_collection(0));
}

#[test]
fn an_account_has_no_more_sessions_than_fit() {
    let mut world = World::new();
    for key in 0..SESSIONS_MAX as u64 {
        begin(&mut world, session(100 + key, ALL, &[], 1));
    }
    let one_more = set_keys(&[KeyChange::Session(session(99, ALL, &[], 1))]);
    let failure = world.failed(1, vec![one_more]);
    assert_eq!(failure.code, FailureCode::TooManySessions);
    assert_eq!((failure.found, failure.limit), (17, 16));
    begin(&mut world, session(100, ALL, &[], 2));
}
