//! L41 to L44: state channels, from their opening to what is paid out.

use crate::world::*;
use weft_types::testing::{network, user, user_key};
use weft_types::{
    Amount, AssetId, BaseAsset, Book, Bundle, ChannelPart, ChannelState, ChannelTerms, Deal,
    DealId, DealRule, FailureCode, ItemId, ItemState, Millis, NewDeal, Object, ObjectId, Operation,
    Party, Secret, Showing, SignedState, UserKey,
};

const EXPIRES: u64 = 100_000;
const WINDOW: u64 = 5_000;

fn key(i: u64) -> UserKey {
    UserKey::from(&user_key(i))
}

/// Between a giver and a taker, whose key of the account signs.
fn between(giver: u64, taker: u64, gives: Bundle, to_taker: Bundle) -> NewDeal {
    NewDeal {
        taker: Some(user(taker)),
        expires: Millis(EXPIRES),
        rule: DealRule::CoSigned(ChannelTerms {
            challenge: Millis(WINDOW),
            to_taker,
            giver_key: user(giver),
            taker_key: user(taker),
        }),
        ..terms(gives, Bundle::default())
    }
}

/// Of 1,000 of user 1's, with user 2.
fn opened(world: &mut World) -> DealId {
    world.open(1, between(1, 2, assets(1_000), Bundle::default()))
}

fn native(amount: u64) -> Bundle {
    if amount > 0 {
        assets(amount)
    } else {
        Bundle::default()
    }
}

fn state(deal: DealId, version: u64, to_taker: u64) -> ChannelState {
    ChannelState {
        network: network().id(),
        deal,
        version,
        to_taker: native(to_taker),
        ..ChannelState::default()
    }
}

fn signed_by(state: ChannelState, keys: [u64; 2]) -> SignedState {
    let signatures = keys.map(|i| state.sign(&key(i)));
    SignedState { state, signatures }
}

fn show(deal: DealId, state: Option<SignedState>, secrets: &[Secret]) -> Showing {
    let secrets = secrets.to_vec();
    Showing {
        deal,
        state,
        secrets,
    }
}

fn close(deal: DealId, version: u64, to_taker: u64) -> Operation {
    let signed = signed_by(state(deal, version, to_taker), [1, 2]);
    Operation::ChannelClose(show(deal, Some(signed), &[]))
}

fn challenge(deal: DealId, version: u64, to_taker: u64) -> Operation {
    let signed = signed_by(state(deal, version, to_taker), [1, 2]);
    Operation::ChannelChallenge(show(deal, Some(signed), &[]))
}

fn last(deal: DealId, version: u64, to_taker: u64) -> Operation {
    let state = ChannelState {
        last: true,
        ..state(deal, version, to_taker)
    };
    Operation::ChannelClose(show(deal, Some(signed_by(state, [1, 2])), &[]))
}

fn channel(world: &World, deal: DealId) -> Option<Deal> {
    let found = world.get(ObjectId::Deal(deal));
    found
        .as_ref()
        .and_then(Object::as_deal)
        .map(|d| Deal::clone(d))
}

/// What each of users 1 and 2 is paid while something happens, without what it pays in fees.
fn paid(world: &mut World, during: impl FnOnce(&mut World) -> [u64; 2]) -> [u64; 2] {
    let before = [1, 2].map(|i| world.balance(user(i)));
    let fees = during(world);
    let after = [1, 2].map(|i| world.balance(user(i)));
    [0, 1].map(|i| after[i] + fees[i] - before[i])
}

fn fee(world: &mut World, who: u64, operation: Operation) -> [u64; 2] {
    let fee = world.done(who, operation).fee.0;
    if who == 1 { [fee, 0] } else { [0, fee] }
}

#[test]
fn ten_thousand_updates_cost_two_transactions() {
    let mut world = World::new();
    let first = world.ledger.meta().index;
    // Both bring something in, by one transaction that both sign.
    let terms = between(1, 2, assets(1_000), assets(400));
    let together = Operation::MultiParty(vec![
        Party {
            account: user(2),
            operations: vec![pay(1, 400)],
        },
        Party {
            account: user(1),
            operations: vec![Operation::DealOpen(terms.clone())],
        },
    ]);
    let body = world.body(1, vec![together]);
    let receipt = world.run_signed(with_keys(&body, &[(1, 1), (2, 2)]));
    assert_eq!(receipt.failure, None);
    let [ObjectId::Deal(deal)] = receipt.created[..] else {
        panic!("one channel");
    };
    let book = |of_taker| {
        let deal = (deal, user(1), terms.clone());
        Book::new(network().id(), deal, of_taker).unwrap()
    };
    let mut books = [book(false), book(true)];
    for n in 0..10_000u64 {
        let [giver, taker] = &mut books;
        let (payer, payee, i) = match n % 2 {
            0 => (taker, giver, 2),
            _ => (giver, taker, 1),
        };
        let state = payer.paying(AssetId::NATIVE, Amount(1 + n % 7)).unwrap();
        let offer = payer.offer(state, &key(i)).unwrap();
        let signed = payee
            .answer(&offer, &key(3 - i), (Millis(world.now), false))
            .unwrap();
        payer.conclude(&signed).unwrap();
    }
    let [mut giver, mut taker] = books;
    assert_eq!(giver.state().version, 10_000);
    let takers = giver.state().to_taker.assets[0].amount.0;
    let end = ChannelState {
        last: true,
        ..taker.next()
    };
    let offer = taker.offer(end, &key(2)).unwrap();
    let signed = giver
        .answer(&offer, &key(1), (Millis(world.now), false))
        .unwrap();
    let shares = paid(&mut world, |world| {
        let end = Operation::ChannelClose(show(deal, Some(signed), &[]));
        fee(world, 1, end)
    });
    assert_eq!(shares, [1_000 - takers, takers]);
    assert_eq!(channel(&world, deal), None);
    // Two commits of one transaction each.
    assert_eq!(world.ledger.meta().index.0 - first.0, 2);
}

#[test]
fn l42_a_stale_close_loses() {
    let mut world = World::new();
    let deal = opened(&mut world);
    let shares = paid(&mut world, |world| {
        let stale = fee(world, 1, close(deal, 3, 50));
        world.now += WINDOW - 1;
        let newest = fee(world, 2, challenge(deal, 9, 800));
        let code = world.fails(2, challenge(deal, 9, 801));
        assert_eq!(code, FailureCode::StaleState);
        let end = world.now + WINDOW;
        world.tick(end - 1);
        assert!(channel(world, deal).is_some(), "the window is open");
        world.tick(end);
        assert_eq!(channel(world, deal), None);
        let failed = 1_000_000 - world.balance(user(2)) + 800 - newest[1];
        [stale[0], newest[1] + failed]
    });
    assert_eq!(shares, [200, 800]);
}

#[test]
fn l42_the_beginning_counts_as_long_as_nothing_else_is_shown() {
    let mut world = World::new();
    let terms = between(1, 2, assets(1_000), assets(400));
    for by_time in [true, false] {
        let deal = world.open(1, terms.clone());
        let shares = paid(&mut world, |world| {
            let nothing = Operation::ChannelClose(show(deal, None, &[]));
            let fees = match by_time {
                true => [0, 0],
                false => fee(world, 2, nothing),
            };
            let end = if by_time { EXPIRES } else { world.now + WINDOW };
            world.tick(end);
            fees
        });
        assert_eq!(shares, [600, 400]);
        world = World::new();
    }
}

#[test]
fn l42_nobody_can_keep_a_channel_closing_or_use_up_the_others_turns() {
    let mut world = World::new();
    let deal = opened(&mut world);
    world.done(1, close(deal, 1, 0));
    assert_eq!(
        world.fails(2, close(deal, 2, 0)),
        FailureCode::AlreadyClosing
    );
    world.done(1, challenge(deal, 2, 0));
    let failure = world.failed(1, vec![challenge(deal, 3, 0)]);
    assert_eq!(failure.code, FailureCode::ShownTooOften);
    assert_eq!((failure.found, failure.limit), (3, 2));
    world.now += WINDOW - 1;
    world.done(2, challenge(deal, 4, 100));
    world.now += WINDOW - 1;
    world.done(2, challenge(deal, 5, 200));
    assert_eq!(channel(&world, deal).unwrap().due().0, world.now + WINDOW);
}

#[test]
fn l42_what_is_no_newer_state_of_both_is_refused() {
    let mut world = World::new();
    let deal = opened(&mut world);
    let other = opened(&mut world);
    let with = |signed| Operation::ChannelClose(show(deal, Some(signed), &[]));
    let fixed = world.open(1, terms(assets(5), Bundle::default()));
    for (who, attempt, code) in [
        (3, close(deal, 1, 0), FailureCode::NotParty),
        (1, challenge(deal, 1, 0), FailureCode::NotClosing),
        (
            1,
            with(signed_by(state(deal, 1, 0), [1, 1])),
            FailureCode::WrongSigner,
        ),
        (
            1,
            with(signed_by(state(deal, 1, 0), [2, 1])),
            FailureCode::WrongSigner,
        ),
        (
            1,
            with(signed_by(state(other, 1, 0), [1, 2])),
            FailureCode::WrongState,
        ),
        (1, close(deal, 1, 1_001), FailureCode::WrongState),
        (1, close(fixed, 1, 0), FailureCode::WrongRule),
        (2, take(deal, &[]), FailureCode::WrongRule),
        (1, cancel(deal), FailureCode::DealBound),
    ] {
        assert_eq!(world.fails(who, attempt), code);
    }
    // Other keys for the accounts change nothing: the channel's stay.
    world.done(1, set_keys(&[owner(7)]));
    let receipt = world.run_for(1, 7, vec![close(deal, 1, 10)]);
    assert_eq!(receipt.failure, None);
}

#[test]
fn l41_a_channel_is_open_until_its_window_is_over_and_is_never_bid_for() {
    let mut world = World::new();
    let deal = opened(&mut world);
    let codes = |world: &mut World| [bid(deal, 5), take(deal, &[])].map(|o| world.fails(2, o));
    world.now = EXPIRES - 1;
    world.done(1, close(deal, 1, 100));
    for now in [EXPIRES, EXPIRES - 2 + WINDOW] {
        world.now = now;
        assert_eq!(codes(&mut world), [FailureCode::WrongRule; 2]);
    }
    world.tick(EXPIRES - 1 + WINDOW);
    assert_eq!(codes(&mut world), [FailureCode::DealNotOpen; 2]);
}

#[test]
fn l42_the_last_state_ends_it_at_once_also_while_it_is_closing() {
    let mut world = World::new();
    let deal = opened(&mut world);
    world.done(1, close(deal, 4, 100));
    assert_eq!(world.fails(2, last(deal, 4, 300)), FailureCode::StaleState);
    let shares = paid(&mut world, |world| fee(world, 2, last(deal, 5, 300)));
    assert_eq!(shares, [700, 300]);
    assert_eq!(world.fails(2, last(deal, 6, 1)), FailureCode::DealNotOpen);
}

fn part(to_taker: bool, amount: u64, secret: u8, expires: u64) -> ChannelPart {
    ChannelPart {
        to_taker,
        asset: AssetId::NATIVE,
        amount: Amount(amount),
        hash: Secret([secret; 32]).hash(),
        expires: Millis(expires),
    }
}

fn with_parts(state: ChannelState, mut parts: Vec<ChannelPart>) -> SignedState {
    parts.sort_by_key(|p| p.hash);
    signed_by(ChannelState { parts, ..state }, [1, 2])
}

#[test]
fn l43_a_part_goes_to_its_side_if_the_secret_is_shown_in_time_and_else_back() {
    let mut world = World::new();
    let deal = opened(&mut world);
    let parts = vec![part(true, 100, 1, 20_000), part(false, 30, 2, 30_000)];
    let signed = with_parts(state(deal, 1, 500), parts);
    let shares = paid(&mut world, |world| {
        let showing = show(deal, Some(signed), &[]);
        let first = fee(world, 1, Operation::ChannelClose(showing));
        // The window is long over, but a part can still be opened.
        world.now = 19_999;
        let opens = |n| Operation::ChannelChallenge(show(deal, None, &[Secret([n; 32])]));
        let wrong = world.signed(2, vec![opens(3)]);
        let applied = world.commit(&[wrong]);
        assert_eq!(
            applied.receipts[0].failure.unwrap().code,
            FailureCode::WrongSecret
        );
        let second = fee(world, 2, opens(1));
        assert_eq!(channel(world, deal).unwrap().due(), Millis(30_000));
        world.tick(30_000);
        [first[0], second[1] + applied.receipts[0].fee.0]
    });
    // The second part's secret came never: what would have been the giver's is the taker's again.
    assert_eq!(shares, [370, 630]);
}

#[test]
fn l43_a_secret_that_comes_too_late_opens_nothing() {
    let mut world = World::new();
    let deal = opened(&mut world);
    let parts = vec![part(true, 100, 1, 8_000), part(true, 50, 2, 20_000)];
    let signed = with_parts(state(deal, 1, 0), parts);
    world.done(1, Operation::ChannelClose(show(deal, Some(signed), &[])));
    world.now = 8_000;
    let late = Operation::ChannelChallenge(show(deal, None, &[Secret([1; 32])]));
    assert_eq!(world.fails(2, late), FailureCode::WrongSecret);
}

#[test]
fn l43_a_newer_state_keeps_the_secrets_that_were_shown() {
    let mut world = World::new();
    let deal = opened(&mut world);
    let parts = vec![part(true, 100, 1, 50_000)];
    let signed = with_parts(state(deal, 1, 0), parts.clone());
    let showing = show(deal, Some(signed), &[Secret([1; 32])]);
    world.done(2, Operation::ChannelClose(showing));
    let newer = with_parts(state(deal, 2, 7), parts);
    world.done(1, Operation::ChannelChallenge(show(deal, Some(newer), &[])));
    let shares = paid(&mut world, |world| {
        let end = world.now + WINDOW;
        world.tick(end);
        [0, 0]
    });
    assert_eq!(shares, [893, 107]);
}

/// A channel of user 1's with user 2 that holds items of a policy, the last of them the taker's in `state`.
fn with_items(world: &mut World, count: u64) -> (DealId, Vec<ItemId>, Operation, u64) {
    let (_, edition) = world.edition(0, 9);
    let items = items_of(&world.done(0, mint(edition, 1, count)));
    let mut sorted = items.clone();
    sorted.sort();
    let gives = Bundle {
        items: sorted.clone(),
        ..assets(10)
    };
    let deal = world.open(1, between(1, 2, gives, cards(&sorted[..1])));
    let moved = ChannelState {
        to_taker: cards(&sorted[1..]),
        ..state(deal, 1, 0)
    };
    let signed = signed_by(moved, [1, 2]);
    let close = Operation::ChannelClose(show(deal, Some(signed), &[]));
    (deal, sorted, close, world.now)
}

#[test]
fn l41_items_in_a_channel_are_locked_and_belong_to_who_is_to_have_them() {
    let mut world = World::new();
    let (deal, items, close, _) = with_items(&mut world, 2);
    assert_eq!(world.owner(items[0]), user(2));
    assert_eq!(world.owner(items[1]), user(1));
    for item in &items {
        assert_eq!(world.item(*item).unwrap().state, ItemState::Locked { deal });
    }
    assert_eq!(
        world.fails(2, send(3, &items[..1])),
        FailureCode::ItemLocked
    );
    world.done(1, close);
    let end = world.now + WINDOW;
    world.tick(end);
    // They have changed sides.
    assert_eq!(world.owner(items[0]), user(1));
    assert_eq!(world.owner(items[1]), user(2));
    assert_eq!(world.item(items[0]).unwrap().state, ItemState::Held);
}

#[test]
fn l44_what_may_not_change_hands_any_more_goes_back_to_who_brought_it() {
    let mut world = World::new();
    let (_, items, close, _) = with_items(&mut world, 2);
    world.done(1, close);
    world.done(0, freeze(true, &items[1..]));
    let end = world.now + WINDOW;
    world.tick(end);
    assert_eq!(world.owner(items[0]), user(1));
    assert_eq!(world.owner(items[1]), user(1), "it is frozen");
}

#[test]
fn l44_a_last_state_that_cannot_be_paid_fails_and_another_can_be_signed() {
    let mut world = World::new();
    let (deal, items, _, _) = with_items(&mut world, 2);
    world.done(0, freeze(true, &items[1..]));
    let ending = |version, items: &[ItemId]| {
        let state = ChannelState {
            to_taker: cards(items),
            last: true,
            ..state(deal, version, 0)
        };
        Operation::ChannelClose(show(deal, Some(signed_by(state, [1, 2])), &[]))
    };
    assert_eq!(world.fails(1, ending(1, &items)), FailureCode::Frozen);
    world.done(1, ending(2, &items[..1]));
    assert_eq!(world.owner(items[0]), user(2));
    assert_eq!(world.owner(items[1]), user(1));
}

#[test]
fn l44_items_with_a_price_policy_do_not_go_into_a_channel() {
    let mut world = World::new();
    for policy in [
        policy(|p| p.floor_price = Amount(1)),
        policy(|p| p.cap_price = Amount(1)),
        policy(|p| p.royalty = royalty(3, 10)),
    ] {
        let (_, items) = world.under(policy, 1);
        let terms = between(1, 2, cards(&items), Bundle::default());
        let code = world.fails(1, Operation::DealOpen(terms));
        assert_eq!(code, FailureCode::PricedItem);
    }
    let (_, items) = world.under(policy(|p| p.personal = true), 1);
    let terms = between(1, 2, cards(&items), Bundle::default());
    let code = world.fails(1, Operation::DealOpen(terms));
    assert_eq!(code, FailureCode::Personal);
}

/// What the exit tree has for the addresses of users 1 and 2.
fn exits(world: &World) -> [u64; 2] {
    let tree = &world.ledger.base_trees().exits;
    let places = 0..world.ledger.bridge().exit_places;
    let mut sums = [0; 2];
    for exit in places.filter_map(|place| tree.get(place)) {
        let BaseAsset::Native { amount } = exit.asset else {
            continue;
        };
        sums[usize::from(exit.owner.0[0] == 9)] += amount.0;
    }
    sums
}

#[test]
fn x3_if_the_network_ends_each_has_what_it_brought_in() {
    let mut world = World::new();
    world.done(1, exit_address(8, &[]));
    world.done(2, exit_address(9, &[]));
    let before = exits(&world);
    let receipt = world.done(
        1,
        Operation::DealOpen(between(1, 2, assets(1_000), assets(400))),
    );
    let after = exits(&world);
    assert_eq!(after[0], before[0] - receipt.fee.0 - 400);
    assert_eq!(after[1], before[1] + 400);
}

/// A payment of 100 from user 1 to user 3 by their channels with user 2, when `down` stops for ever before `step`.
/// By user: what it has more than before, without fees.
fn routed(down: Option<u64>, step: usize) -> [i64; 3] {
    const SECRET: Secret = Secret([1; 32]);
    let mut world = World::new();
    let before = [1, 2, 3].map(|i| world.balance(user(i)) as i64);
    let mut fees = [0; 3];
    let mut act = |world: &mut World, who: u64, operation| {
        let receipt = world.done(who, operation);
        fees[who as usize - 1] += receipt.fee.0 as i64;
        receipt.created
    };
    let mut deals = vec![];
    for (giver, taker) in [(1, 2), (2, 3)] {
        let terms = between(giver, taker, assets(500), Bundle::default());
        let created = act(&mut world, giver, Operation::DealOpen(terms));
        let ObjectId::Deal(deal) = created[0] else {
            panic!("a channel");
        };
        deals.push(deal);
    }
    let up = |who: u64, at: usize| down != Some(who) || at < step;
    let promise = |hop: usize, expires| {
        let keys = [hop as u64 + 1, hop as u64 + 2];
        let parts = vec![part(true, 100, 1, expires)];
        let state = ChannelState {
            parts,
            ..state(deals[hop], 1, 0)
        };
        signed_by(state, keys)
    };
    let settled =
        |hop: usize| signed_by(state(deals[hop], 2, 100), [hop as u64 + 1, hop as u64 + 2]);
    // Off the ledger: hop by hop a promise, each for less time, then back with the secret.
    let mut newest: [Option<SignedState>; 2] = [None, None];
    if up(1, 0) && up(2, 0) {
        newest[0] = Some(promise(0, 60_000));
    }
    if newest[0].is_some() && up(2, 1) && up(3, 1) {
        newest[1] = Some(promise(1, 40_000));
    }
    let promised = newest[1].is_some();
    let mut known = false;
    if promised && up(3, 2) && up(2, 2) {
        (newest[1], known) = (Some(settled(1)), true);
    }
    if known && up(2, 3) && up(1, 3) {
        newest[0] = Some(settled(0));
    }
    // Who is up goes to the ledger with what it has, in time to show a secret that it knows.
    let pending =
        |signed: &Option<SignedState>| signed.as_ref().is_some_and(|s| !s.state.parts.is_empty());
    let secrets = |signed: &Option<SignedState>, knows| match knows && pending(signed) {
        true => vec![SECRET],
        false => vec![],
    };
    world.now = 30_000;
    let last = if up(3, 4) { 3 } else { 2 };
    let shown = secrets(&newest[1], last == 3 && promised);
    known |= !shown.is_empty();
    let closing = show(deals[1], newest[1].clone(), &shown);
    act(&mut world, last, Operation::ChannelClose(closing));
    world.now = 45_000;
    let first = if up(2, 4) { 2 } else { 1 };
    let shown = secrets(&newest[0], first == 2 && known);
    let closing = show(deals[0], newest[0].clone(), &shown);
    act(&mut world, first, Operation::ChannelClose(closing));
    world.tick(EXPIRES);
    let mut gained = [0; 3];
    for (i, before) in before.into_iter().enumerate() {
        gained[i] = world.balance(user(i as u64 + 1)) as i64 - before + fees[i];
    }
    gained
}

#[test]
fn a_payment_by_two_channels_is_atomic_for_all_who_are_up() {
    for down in [None, Some(1), Some(2), Some(3)] {
        for step in 0..=4 {
            let gained = routed(down, step);
            let whole = gained == [-100, 0, 100];
            let nothing = gained == [0, 0, 0];
            // Who slept over the whole of its own time has paid for the others.
            let slept = down == Some(2) && gained == [0, -100, 100];
            assert!(whole || nothing || slept, "{down:?} at {step}: {gained:?}");
            assert!(down.is_some() || whole, "all were up");
        }
    }
}
