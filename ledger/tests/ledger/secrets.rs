//! L40: deals that a secret opens, and routes of them.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    Bundle, DealId, DealRule, DealState, FailureCode, ItemState, Millis, NewDeal, Object, ObjectId,
    Operation, Secret, Taking,
};

const SECRET: Secret = Secret([5; 32]);

fn locked(gives: Bundle, taker: u64, expires: u64) -> NewDeal {
    NewDeal {
        taker: Some(user(taker)),
        expires: Millis(expires),
        rule: DealRule::Secret {
            hash: SECRET.hash(),
        },
        ..terms(gives, Bundle::default())
    }
}

fn claim(deal: DealId, secret: Secret) -> Operation {
    Operation::DealTake(Taking {
        secret: Some(secret),
        ..Taking::new(deal, vec![])
    })
}

#[test]
fn l40_only_the_taker_opens_it_and_only_with_the_secret() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let deal = world.open(1, locked(cards(&[card]), 2, 50_000));
    assert_eq!(world.fails(2, take(deal, &[])), FailureCode::WrongSecret);
    let wrong = claim(deal, Secret([6; 32]));
    assert_eq!(world.fails(2, wrong), FailureCode::WrongSecret);
    assert_eq!(world.fails(3, claim(deal, SECRET)), FailureCode::NotTaker);
    assert_eq!(world.fails(1, cancel(deal)), FailureCode::DealBound);
    let transaction = world.signed(2, vec![claim(deal, SECRET)]);
    let applied = world.commit(&[transaction]);
    assert_eq!(world.owner(card), user(2));
    // Whoever paid for the secret reads it there.
    let change = applied
        .changes
        .iter()
        .find(|c| c.id == ObjectId::Deal(deal));
    let last = change.unwrap().retired.as_ref().and_then(Object::as_deal);
    let last = last.unwrap();
    assert_eq!(last.state, DealState::Taken { by: user(2) });
    assert_eq!(last.standing.as_ref().unwrap().secrets, [SECRET]);
}

#[test]
fn l40_at_its_expiry_it_returns_to_the_giver_and_the_secret_comes_too_late() {
    let mut world = World::new();
    let card = world.items(0, 1, 1)[0];
    let deal = world.open(1, locked(cards(&[card]), 2, 50_000));
    world.now = 49_999;
    let in_time = world.signed(2, vec![claim(deal, SECRET)]);
    world.now = 50_000;
    let applied = world.commit(&[in_time]);
    let failure = applied.receipts[0].failure.unwrap();
    assert_eq!(failure.code, FailureCode::DealNotOpen);
    let item = world.item(card).unwrap();
    assert_eq!((item.owner, item.state), (user(1), ItemState::Held));
}

#[test]
fn a_secret_can_be_sold() {
    let mut world = World::new();
    let sale = NewDeal {
        wants: assets(70),
        ..locked(assets(100), 2, 50_000)
    };
    let deal = world.open(1, sale);
    let before = (world.balance(user(1)), world.balance(user(2)));
    let fee = world.done(2, claim(deal, SECRET)).fee.0;
    let after = (world.balance(user(1)), world.balance(user(2)));
    assert_eq!(after, (before.0 + 70, before.1 + 30 - fee));
}

#[test]
fn a_secret_is_not_given_away_where_none_is_asked_for() {
    let mut world = World::new();
    let deal = world.open(1, terms(assets(5), Bundle::default()));
    assert_eq!(
        world.fails(2, claim(deal, SECRET)),
        FailureCode::WrongSecret
    );
}

/// What became of a route of 100 from user 1 by user 2 to user 3, who made the secret, when `down` stops for ever
/// before `step`. By user: what it has more than before, without fees.
fn routed(down: Option<u64>, step: usize, asleep: [u64; 4]) -> [i64; 3] {
    let mut world = World::new();
    let up = |who: u64, at: usize| down != Some(who) || at < step;
    let mut fees = [0; 3];
    let mut act = |world: &mut World, who: u64, operation| {
        let receipt = world.done(who, operation);
        fees[who as usize - 1] += receipt.fee.0 as i64;
        match receipt.created[..] {
            [ObjectId::Deal(deal)] => Some(deal),
            _ => None,
        }
    };
    let before = [1, 2, 3].map(|i| world.balance(user(i)) as i64);
    let open = |gives, to, expires| Operation::DealOpen(locked(gives, to, expires));
    let (mut first, mut second, mut known) = (None, None, false);
    world.now += asleep[0];
    if up(1, 0) {
        first = act(&mut world, 1, open(assets(100), 2, 60_000));
    }
    world.now += asleep[1];
    // One hop on, less time; and only behind a hop that is there.
    if up(2, 1) && first.is_some() {
        second = act(&mut world, 2, open(assets(100), 3, 40_000));
    }
    world.now += asleep[2];
    if let Some(deal) = second.filter(|_| up(3, 2)) {
        act(&mut world, 3, claim(deal, SECRET));
        known = true;
    }
    world.now += asleep[3];
    if let Some(deal) = first.filter(|_| up(2, 3) && known) {
        act(&mut world, 2, claim(deal, SECRET));
    }
    world.tick(100_000);
    let mut gained = [0; 3];
    for (i, before) in before.into_iter().enumerate() {
        gained[i] = world.balance(user(i as u64 + 1)) as i64 - before + fees[i];
    }
    gained
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn a_route_is_atomic_for_all_who_are_up(
        down in proptest::option::of(1..=3u64),
        step in 0..4usize,
        // So long may each wait: what the second hop is shorter by.
        asleep in proptest::array::uniform4(0..9_000u64),
    ) {
        let [payer, hop, payee] = routed(down, step, asleep);
        let whole = [payer, hop, payee] == [-100, 0, 100];
        let nothing = [payer, hop, payee] == [0, 0, 0];
        // Who stops behind its own lock, and sleeps over the whole of its time to claim, has paid for the others.
        let slept = down == Some(2) && step >= 2 && [payer, hop, payee] == [0, -100, 100];
        proptest::prop_assert!(whole || nothing || slept, "{payer} {hop} {payee}");
        proptest::prop_assert!(down.is_some() || whole, "all were up");
    }
}
