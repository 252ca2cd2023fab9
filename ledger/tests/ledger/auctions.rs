//! L32 and L33: bids, and what becomes of them.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    AUCTION_TIME_MAX, Amount, AssetAmount, AssetId, Auction, BaseAsset, DealId, DealRule,
    DealState, FailureCode, ItemId, ItemState, Millis, NewDeal, Object, ObjectId, Operation,
    Policy, SessionKind,
};

/// By when the auctions of these tests are over, and the last moment to which bids move that.
const EXPIRES: u64 = 50_000;
const LAST: u64 = 60_000;

/// 5 % more each time, 2 seconds after each bid.
fn auction(items: &[ItemId], reserve: u64) -> NewDeal {
    NewDeal {
        expires: Millis(EXPIRES),
        rule: DealRule::Auction(Auction {
            raise: 500,
            extend: Millis(2_000),
            last: Millis(LAST),
        }),
        ..terms(cards(items), assets(reserve))
    }
}

impl World {
    fn auctioned(&mut self, count: u64, reserve: u64) -> (Vec<ItemId>, DealId) {
        let items = self.items(0, 1, count);
        let deal = self.open(1, auction(&items, reserve));
        (items, deal)
    }

    /// What bidding fails with, and the figures.
    fn bid_fails(&mut self, bidder: u64, deal: DealId, amount: u64) -> (FailureCode, u64, u64) {
        let failure = self.failed(bidder, vec![bid(deal, amount)]);
        (failure.code, failure.found, failure.limit)
    }

    fn expires(&self, deal: DealId) -> u64 {
        let found = self.get(ObjectId::Deal(deal));
        let deal = found.as_ref().and_then(Object::as_deal);
        deal.expect("the auction is open").expires().0
    }

    /// The deal's last form, by the commit that ends it.
    fn ended(&mut self, deal: DealId, now: u64) -> DealState {
        let applied = self.tick(now);
        let mut changes = applied.changes.iter();
        let change = changes.find(|c| c.id == ObjectId::Deal(deal)).unwrap();
        assert_eq!(change.after, None);
        let last = change.retired.as_ref().and_then(Object::as_deal);
        last.unwrap().state
    }
}

#[test]
fn l32_the_outbid_is_paid_back_at_once_and_the_highest_has_the_items_in_the_end() {
    let mut world = World::new();
    let (items, deal) = world.auctioned(2, 100);
    let before = [1, 2, 3].map(|n| world.balance(user(n)));
    let first = world.done(2, bid(deal, 100)).fee.0;
    assert_eq!(world.balance(user(2)), before[1] - 100 - first);
    let second = world.done(3, bid(deal, 105)).fee.0;
    assert_eq!(world.balance(user(2)), before[1] - first);
    assert_eq!(world.balance(user(3)), before[2] - 105 - second);
    assert!(items.iter().all(|i| world.owner(*i) == user(1)));
    let state = world.ended(deal, EXPIRES);
    assert_eq!(state, DealState::Taken { by: user(3) });
    assert_eq!(world.balance(user(1)), before[0] + 105);
    for item in items {
        let item = world.item(item).unwrap();
        assert_eq!((item.owner, item.state), (user(3), ItemState::Held));
    }
}

#[test]
fn l32_a_bid_is_the_reserve_first_and_then_a_raise_above_the_last() {
    let mut world = World::new();
    let (_, deal) = world.auctioned(1, 100);
    let low = FailureCode::BidTooLow;
    assert_eq!(world.bid_fails(2, deal, 99), (low, 99, 100));
    world.done(2, bid(deal, 101));
    // 5 % of 101 is 5.05: rounded up.
    assert_eq!(world.bid_fails(3, deal, 106), (low, 106, 107));
    world.done(3, bid(deal, 107));
    let (items, _) = (world.items(0, 1, 1), ());
    let mut terms = auction(&items, 1);
    terms.rule = DealRule::Auction(Auction {
        raise: 0,
        extend: Millis(0),
        last: Millis(EXPIRES),
    });
    let deal = world.open(1, terms);
    world.done(2, bid(deal, 1));
    assert_eq!(world.bid_fails(3, deal, 1), (low, 1, 2));
}

#[test]
fn l32_amounts_of_any_size_are_compared_and_do_not_wrap() {
    let rule = Auction {
        raise: 10_000,
        extend: Millis::MAX,
        last: Millis::MAX,
    };
    assert_eq!(rule.least_above(Amount::MAX), 2 * u128::from(u64::MAX));
    assert_eq!(rule.extended(Millis(5), Millis(9)), Millis::MAX);
    let mut world = World::new();
    let (_, deal) = world.auctioned(1, u64::MAX);
    let poor = FailureCode::InsufficientBalance;
    let found = world.bid_fails(2, deal, u64::MAX);
    assert_eq!((found.0, found.2), (poor, u64::MAX));
}

#[test]
fn l32_the_highest_bidder_raises_his_own_bid_with_what_comes_back() {
    let mut world = World::new();
    let (_, deal) = world.auctioned(1, 100);
    world.done(2, bid(deal, 900_000));
    let left = world.balance(user(2));
    assert!(left < 945_000);
    let fee = world.done(2, bid(deal, 945_000)).fee.0;
    assert_eq!(world.balance(user(2)), left - 45_000 - fee);
}

#[test]
fn l32_a_late_bid_moves_the_expiry_up_to_the_last_moment() {
    let mut world = World::new();
    let (items, deal) = world.auctioned(1, 100);
    world.now = EXPIRES - 2_000;
    world.done(2, bid(deal, 100));
    assert_eq!(world.expires(deal), EXPIRES, "early enough");
    world.now = EXPIRES - 1;
    world.done(3, bid(deal, 200));
    assert_eq!(world.expires(deal), EXPIRES + 1_999);
    // What is due follows, also after a restart.
    world.restart();
    assert_eq!(world.tick(EXPIRES + 1_998).changes, []);
    for n in 4..10 {
        world.now = world.expires(deal) - 1;
        world.done(n - 2, bid(deal, n * 100));
    }
    assert_eq!(world.expires(deal), LAST);
    world.now = LAST;
    let late = world.signed(2, vec![bid(deal, 900_000)]);
    let applied = world.commit(&[late]);
    let failure = applied.receipts[0].failure.unwrap();
    assert_eq!(failure.code, FailureCode::DealNotOpen);
    assert_eq!(world.owner(items[0]), user(7));
}

#[test]
fn l32_an_auction_without_a_bid_returns_or_is_cancelled_and_one_with_a_bid_is_not() {
    let mut world = World::new();
    let (items, deal) = world.auctioned(1, 100);
    assert_eq!(world.ended(deal, EXPIRES), DealState::Expired);
    world.now = 1_000_000;
    let mut terms = auction(&items, 100);
    terms.expires = Millis(1_100_000);
    let DealRule::Auction(rule) = &mut terms.rule else {
        panic!("an auction");
    };
    rule.last = terms.expires;
    let deal = world.open(1, terms.clone());
    world.done(1, cancel(deal));
    let deal = world.open(1, terms);
    world.done(2, bid(deal, 100));
    assert_eq!(world.fails(1, cancel(deal)), FailureCode::HasBid);
    assert_eq!(world.fails(2, cancel(deal)), FailureCode::NotGiver);
}

#[test]
fn l32_nobody_bids_for_his_own_or_for_what_is_no_auction_nor_takes_one() {
    let mut world = World::new();
    let (_, deal) = world.auctioned(1, 100);
    assert_eq!(world.bid_fails(1, deal, 100).0, FailureCode::OwnDeal);
    assert_eq!(world.fails(2, take(deal, &[])), FailureCode::WrongRule);
    let listing = world.open(1, terms(assets(5), assets(6)));
    assert_eq!(world.bid_fails(2, listing, 6).0, FailureCode::WrongRule);
    let none = DealId([9; 32]);
    assert_eq!(world.bid_fails(2, none, 6).0, FailureCode::DealNotOpen);
    let poor = FailureCode::InsufficientBalance;
    assert_eq!(world.bid_fails(2, deal, 2_000_000).0, poor);
}

#[test]
fn l32_no_auction_lasts_longer_than_a_bid_may_be_locked() {
    let mut world = World::new();
    let items = world.items(0, 1, 1);
    let limit = world.now + AUCTION_TIME_MAX.0;
    let lasting = |last| {
        let mut terms = auction(&items, 100);
        let DealRule::Auction(rule) = &mut terms.rule else {
            panic!("an auction");
        };
        rule.last = Millis(last);
        Operation::DealOpen(terms)
    };
    let failure = world.failed(1, vec![lasting(limit + 1)]);
    assert_eq!(failure.code, FailureCode::AuctionTooLong);
    assert_eq!((failure.found, failure.limit), (limit + 1, limit));
    world.done(1, lasting(limit));
}

#[test]
fn l32_a_bid_by_a_session_is_a_way_to_take_and_lowers_what_it_may_spend() {
    let mut world = World::new();
    let (_, deal) = world.auctioned(1, 100);
    let kinds = [SessionKind::DealTake];
    let session = session(61, &kinds, &[], 1_200);
    world.done(2, set_keys(&[weft_types::KeyChange::Session(session)]));
    let limit = Some(FailureCode::SessionLimit);
    assert_eq!(world.code_for(2, 61, bid(deal, 1_000)), limit);
    let left = world.left(2, 61);
    let receipt = world.run_for(2, 61, vec![bid(deal, 100)]);
    assert!(receipt.is_applied());
    assert_eq!(world.left(2, 61), left - 100 - receipt.fee.0);
}

#[test]
fn l32_a_series_is_not_bid_for_also_when_its_sale_is_over() {
    let mut world = World::new();
    let items = world.items(0, 1, 2);
    let deal = world.open(1, series(user(1), (&items, 2), (60, 100), 600_000));
    world.done(2, buy(deal, 1));
    let code = |world: &mut World| world.fails(3, bid(deal, 500));
    assert_eq!(code(&mut world), FailureCode::WrongRule);
    let expires = world.deal(deal).unwrap().terms.expires;
    world.tick(expires.0);
    assert_eq!(code(&mut world), FailureCode::WrongRule);
}

#[test]
fn l32_a_locked_bid_exits_to_its_bidder() {
    let mut world = World::new();
    let (_, deal) = world.auctioned(1, 100);
    world.done(2, exit_address(5, &[]));
    world.done(2, bid(deal, 100));
    let leaf = |world: &World| {
        let exit = world.ledger.base_trees().exits.get(0);
        exit.expect("user 2's amount").asset
    };
    let held = |world: &World, more| BaseAsset::Native {
        amount: Amount(world.balance(user(2)) + more),
    };
    assert_eq!(leaf(&world), held(&world, 100));
    world.done(3, bid(deal, 200));
    assert_eq!(leaf(&world), held(&world, 0));
}

#[test]
fn l33_the_price_is_what_was_bid_and_royalty_and_commission_are_of_it() {
    let mut world = World::new();
    let (_, items) = world.under(policy(|p| p.royalty = royalty(4, 500)), 1);
    let mut terms = auction(&items, 100);
    terms.commission = commission(5, 100);
    let deal = world.open(1, terms);
    world.done(2, bid(deal, 1_999));
    let before = [1, 4, 5].map(|n| world.balance(user(n)));
    world.tick(EXPIRES);
    let after = [1, 4, 5].map(|n| world.balance(user(n)));
    let paid = [1_999 - 99 - 19, 99, 19];
    assert_eq!(after, [0, 1, 2].map(|i| before[i] + paid[i]));
}

#[test]
fn l33_floors_and_caps_are_of_the_reserve_and_of_each_bid() {
    let mut world = World::new();
    let bounds = policy(|p| (p.floor_price, p.cap_price) = (Amount(50), Amount(200)));
    let (_, items) = world.under(bounds, 1);
    let open = |reserve| Operation::DealOpen(auction(&items, reserve));
    assert_eq!(world.fails(1, open(49)), FailureCode::PriceTooLow);
    assert_eq!(world.fails(1, open(201)), FailureCode::PriceTooHigh);
    let deal = world.open(1, auction(&items, 50));
    let high = FailureCode::PriceTooHigh;
    assert_eq!(world.bid_fails(2, deal, 201), (high, 201, 200));
    world.done(2, bid(deal, 200));
    let mut in_tokens = auction(&items, 50);
    in_tokens.wants.assets[0].asset = AssetId::erc20(COINS);
    assert_eq!(
        world.fails(1, Operation::DealOpen(in_tokens)),
        FailureCode::ItemLocked
    );
}

#[test]
fn l33_other_assets_are_bid_as_well_and_have_no_price() {
    let mut world = World::new();
    let (token, amount) = (COINS, Amount(500));
    let tokens = BaseAsset::Erc20 { token, amount };
    world.commit_with(&[deposit(2, tokens)], &[]);
    let (_, items) = world.under(policy(|p| p.royalty = royalty(4, 500)), 1);
    let mut terms = auction(&items, 50);
    let asset = AssetId::erc20(COINS);
    terms.wants.assets = vec![AssetAmount {
        asset,
        amount: Amount(50),
    }];
    terms.commission = commission(5, 100);
    let deal = world.open(1, terms);
    world.done(2, bid(deal, 400));
    let before = [1, 4, 5].map(|n| world.balance(user(n)));
    world.tick(EXPIRES);
    assert_eq!([1, 4, 5].map(|n| world.balance(user(n))), before);
    let account = world.get(ObjectId::Account(user(1))).unwrap();
    assert_eq!(account.as_account().unwrap().balance(&asset), Amount(400));
}

/// What was sold comes back to its giver, and the bid to its bidder, when something has come between.
fn comes_back(policy: Policy, between: impl FnOnce(&mut World, &[ItemId]), then: u64) {
    let mut world = World::new();
    let (_, items) = world.under(policy, 2);
    let deal = world.open(1, auction(&items, 100));
    world.done(2, bid(deal, 300));
    between(&mut world, &items);
    let before = [1, 2].map(|n| world.balance(user(n)));
    assert_eq!(world.ended(deal, then), DealState::Expired);
    let after = [1, 2].map(|n| world.balance(user(n)));
    assert_eq!(after, [before[0], before[1] + 300]);
    for item in &items {
        let item = world.item(*item).unwrap();
        assert_eq!((item.owner, item.state), (user(1), ItemState::Held));
    }
}

fn tightened(world: &mut World, items: &[ItemId], policy: Policy) {
    let edition = world.item(items[0]).unwrap().edition;
    let edition = world.get(ObjectId::Edition(edition)).unwrap();
    let collection = edition.as_edition().unwrap().terms.collection;
    world.done(0, set_policy(collection, policy));
}

#[test]
fn l33_what_was_frozen_or_may_not_be_sold_any_more_comes_back() {
    let none = Policy::default();
    let frozen = |w: &mut World, items: &[ItemId]| {
        w.done(0, freeze(true, &items[1..]));
    };
    comes_back(none, frozen, EXPIRES);
    let floor = |w: &mut World, items: &[ItemId]| {
        tightened(w, items, policy(|p| p.floor_price = Amount(151)));
    };
    comes_back(none, floor, EXPIRES);
    let cap = |w: &mut World, items: &[ItemId]| {
        tightened(w, items, policy(|p| p.cap_price = Amount(149)));
    };
    comes_back(none, cap, EXPIRES);
    let personal = |w: &mut World, items: &[ItemId]| {
        tightened(w, items, policy(|p| p.personal = true));
    };
    comes_back(none, personal, EXPIRES);
    // The time that counts is that of the commit that ends it.
    let until = policy(|p| p.cut_off = Millis(EXPIRES + 1));
    comes_back(until, |_, _| {}, EXPIRES + 1);
}

#[test]
fn l33_an_auction_whose_end_no_policy_would_let_pass_is_refused() {
    let mut world = World::new();
    let over = policy(|p| p.cut_off = Millis(EXPIRES));
    let (_, items) = world.under(over, 1);
    let open = Operation::DealOpen(auction(&items, 1));
    assert_eq!(world.fails(1, open), FailureCode::TransfersOver);
    let late = policy(|p| p.locked_until = Millis(LAST + 1));
    let (_, items) = world.under(late, 1);
    let open = Operation::DealOpen(auction(&items, 1));
    assert_eq!(world.fails(1, open), FailureCode::TransfersLocked);
    // A bid that moves the end beyond.
    let between = policy(|p| p.cut_off = Millis(EXPIRES + 1));
    let (_, items) = world.under(between, 1);
    let deal = world.open(1, auction(&items, 1));
    world.done(2, bid(deal, 1));
    world.now = EXPIRES - 1;
    assert_eq!(world.bid_fails(3, deal, 2).0, FailureCode::TransfersOver);
}

#[test]
fn l32_nothing_frozen_is_bid_for() {
    let mut world = World::new();
    let (items, deal) = world.auctioned(2, 100);
    world.done(0, freeze(true, &items[..1]));
    assert_eq!(world.bid_fails(2, deal, 100).0, FailureCode::Frozen);
    world.done(0, freeze(false, &items[..1]));
    world.done(2, bid(deal, 100));
}
