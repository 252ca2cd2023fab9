//! L25 and L28: what deals are sold for, and what of it is paid as royalties.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    Amount, AssetAmount, AssetId, BaseAsset, Bundle, FailureCode, ItemId, ObjectId, Operation,
    Policy, SessionKind, WantedFrom, WantedItems,
};

fn with(amount: u64, items: &[ItemId]) -> Bundle {
    let items = items.to_vec();
    Bundle {
        items,
        ..assets(amount)
    }
}

fn floor(price: u64) -> Policy {
    policy(|p| p.floor_price = Amount(price))
}

fn cap(price: u64) -> Policy {
    policy(|p| p.cap_price = Amount(price))
}

impl World {
    /// What opening comes to: the code, and the figures.
    fn opens(&mut self, giver: u64, gives: Bundle, wants: Bundle) -> Option<(u32, u64, u64)> {
        let receipt = self.run(giver, vec![Operation::DealOpen(terms(gives, wants))]);
        let failure = receipt.failure;
        if failure.is_none() {
            let [ObjectId::Deal(deal)] = receipt.created[..] else {
                panic!("one deal: {:?}", receipt.created);
            };
            self.done(giver, cancel(deal));
        }
        failure.map(|f| (f.code.number(), f.found, f.limit))
    }

    /// What users have more than before, fees of the taker aside.
    fn taking(&mut self, taker: u64, operation: Operation, of: &[u64]) -> Vec<i128> {
        let balance = |world: &Self, n: &u64| i128::from(world.balance(user(*n)));
        let before: Vec<_> = of.iter().map(|n| balance(self, n)).collect();
        let receipt = self.done(taker, operation);
        let fee = |n: &u64| i128::from(if *n == taker { receipt.fee.0 } else { 0 });
        let after = of.iter().map(|n| balance(self, n) + fee(n));
        after.zip(before).map(|(a, b)| a - b).collect()
    }
}

#[test]
fn an_item_with_a_floor_is_sold_for_as_much_or_more() {
    let mut world = World::new();
    let (_, items) = world.under(floor(50), 3);
    let low = |found, limit| Some((FailureCode::PriceTooLow.number(), found, limit));
    let one = || cards(&items[..1]);
    assert_eq!(world.opens(1, one(), assets(49)), low(49, 50));
    assert_eq!(world.opens(1, one(), assets(50)), None);
    assert_eq!(world.opens(1, one(), Bundle::default()), low(0, 50));
    // Coin that goes along comes off.
    assert_eq!(
        world.opens(1, with(10, &items[..1]), assets(59)),
        low(49, 50)
    );
    assert_eq!(world.opens(1, with(10, &items[..1]), assets(60)), None);
    // Together for as much as one by one.
    assert_eq!(world.opens(1, cards(&items), assets(149)), low(149, 150));
    // An offer sells too.
    assert_eq!(world.opens(2, assets(49), one()), low(49, 50));
    assert_eq!(world.opens(2, assets(50), one()), None);
    // A swap sells for the coin in it.
    let other = world.items(4, 2, 1);
    assert_eq!(world.opens(2, cards(&other), one()), low(0, 50));
    assert_eq!(world.opens(2, with(50, &other), one()), None);
    // A gift outside of deals has no price.
    world.done(1, send(2, &items[..1]));
}

#[test]
fn prices_of_any_size_are_compared_and_do_not_wrap() {
    let mut world = World::new();
    let (_, items) = world.under(floor(u64::MAX), 2);
    let mut most = assets(u64::MAX);
    assert_eq!(world.opens(1, cards(&items[..1]), most.clone()), None);
    let low = FailureCode::PriceTooLow.number();
    let failure = world.opens(1, cards(&items), most.clone());
    assert_eq!(failure, Some((low, u64::MAX, u64::MAX)));
    most.assets = vec![most.assets[0].clone(); 256];
    assert_eq!(world.opens(1, cards(&items), most), None);
}

#[test]
fn a_floor_that_was_raised_holds_when_a_deal_is_taken() {
    let mut world = World::new();
    let (collection, items) = world.under(floor(50), 1);
    let deal = world.open(1, terms(cards(&items), assets(60)));
    world.done(0, set_policy(collection, floor(61)));
    let failure = world.failed(2, vec![take(deal, &[])]);
    assert_eq!(failure.code, FailureCode::PriceTooLow);
    assert_eq!((failure.found, failure.limit), (60, 61));
    assert_eq!(failure.subject, Some(ObjectId::Deal(deal)));
    world.done(1, cancel(deal));
}

#[test]
fn an_item_with_a_cap_is_sold_for_coin_alone_and_no_more_than_that() {
    let mut world = World::new();
    let (_, items) = world.under(cap(50), 2);
    let (_, wider) = world.under(cap(80), 1);
    let free = world.items(4, 1, 1);
    let other = world.items(4, 2, 1);
    let high = |found, limit| Some((FailureCode::PriceTooHigh.number(), found, limit));
    let unclear = Some((FailureCode::PriceUnclear.number(), 0, 0));
    let one = || cards(&items[..1]);
    assert_eq!(world.opens(1, one(), assets(51)), high(51, 50));
    assert_eq!(world.opens(1, one(), assets(50)), None);
    assert_eq!(world.opens(1, one(), Bundle::default()), None);
    assert_eq!(world.opens(2, assets(51), one()), high(51, 50));
    assert_eq!(world.opens(1, with(5, &items[..1]), assets(55)), None);
    let three = [&items[..], &wider].concat();
    assert_eq!(world.opens(1, cards(&three), assets(181)), high(181, 180));
    assert_eq!(world.opens(1, cards(&three), assets(180)), None);
    // Beside or for what has no cap, a price is anything.
    let beside = [&items[..1], &free].concat();
    assert_eq!(world.opens(1, cards(&beside), assets(1)), unclear);
    assert_eq!(world.opens(1, one(), cards(&other)), unclear);
    assert_eq!(world.opens(2, with(1, &other), one()), unclear);
    let tokens = Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::erc20(COINS),
            amount: Amount(1),
        }],
        items: vec![],
    };
    assert_eq!(world.opens(1, one(), tokens), unclear);
}

#[test]
fn l28_a_royalty_comes_out_of_what_the_seller_gets() {
    let mut world = World::new();
    let rate = policy(|p| p.royalty = royalty(3, 250));
    let (collection, items) = world.under(rate, 3);
    // 2.5 % of 999, rounded down.
    let listed = world.open(1, terms(cards(&items[..1]), assets(999)));
    let paid = world.taking(2, take(listed, &[]), &[1, 2, 3]);
    assert_eq!(paid, [999 - 24, -999, 24]);
    // The taker of an offer sells.
    let mut offer = terms(assets(1_000), cards(&[]));
    offer.wants_any = vec![WantedItems {
        from: WantedFrom::Collection(collection),
        count: 1,
    }];
    let offer = world.open(2, offer);
    let paid = world.taking(1, take(offer, &items[1..2]), &[1, 2, 3]);
    assert_eq!(paid, [975, 0, 25]);
    // Of what is left of the price when the seller pays some back.
    let back = world.open(1, terms(with(600, &items[2..]), assets(1_000)));
    let paid = world.taking(2, take(back, &[]), &[1, 2, 3]);
    assert_eq!(paid, [990, -400, 10]);
    // A swap without coin, a gift and too little owe nothing.
    let other = world.items(4, 1, 1);
    let swap = world.open(1, terms(cards(&other), cards(&items[..1])));
    assert_eq!(world.taking(2, take(swap, &[]), &[1, 2, 3]), [0, 0, 0]);
    let cheap = world.open(1, terms(cards(&items[..1]), assets(39)));
    assert_eq!(world.taking(2, take(cheap, &[]), &[1, 3]), [39, 0]);
    let gift = send(1, &items[..1]);
    assert_eq!(world.taking(2, gift, &[1, 2, 3]), [0, 0, 0]);
}

#[test]
fn l28_each_collection_of_a_bundle_has_its_royalty_of_its_items_part() {
    let mut world = World::new();
    let tenth = policy(|p| p.royalty = royalty(3, 1_000));
    let third = policy(|p| p.royalty = royalty(4, 3_333));
    let (_, two) = world.under(tenth, 2);
    let (_, one) = world.under(third, 1);
    let free = world.items(5, 1, 1);
    let all = [&two[..], &one, &free].concat();
    let deal = world.open(1, terms(cards(&all), assets(1_001)));
    // 1001 * 2 / 4 / 10 = 50.05, and 1001 / 4 * 0.3333 = 83.4.
    let paid = world.taking(2, take(deal, &[]), &[1, 2, 3, 4]);
    assert_eq!(paid, [1_001 - 50 - 83, -1_001, 50, 83]);
}

#[test]
fn l28_a_royalty_can_be_all_of_it_and_the_sellers_own() {
    let mut world = World::new();
    let (collection, items) = world.under(policy(|p| p.royalty = royalty(1, 10_000)), 2);
    let deal = world.open(1, terms(cards(&items[..1]), assets(100)));
    assert_eq!(world.taking(2, take(deal, &[]), &[1, 2]), [100, -100]);
    let moved = policy(|p| p.royalty = royalty(77, 10_000));
    world.done(0, set_policy(collection, moved));
    let deal = world.open(1, terms(cards(&items[1..]), assets(100)));
    assert_eq!(world.taking(2, take(deal, &[]), &[1, 77]), [0, 100]);
}

#[test]
fn l28_no_other_asset_owes_and_no_session_pays_a_royalty() {
    let mut world = World::new();
    let rate = policy(|p| p.royalty = royalty(3, 5_000));
    let (collection, items) = world.under(rate, 2);
    let amount = Amount(500);
    let token = COINS;
    world.commit_with(&[deposit(2, BaseAsset::Erc20 { token, amount })], &[]);
    let asset = AssetId::erc20(COINS);
    let tokens = Bundle {
        assets: vec![AssetAmount { asset, amount }],
        items: vec![],
    };
    let deal = world.open(1, terms(cards(&items[..1]), tokens));
    assert_eq!(world.taking(2, take(deal, &[]), &[1, 2, 3]), [0, 0, 0]);
    // What comes in was never the session's to spend.
    let kinds = [SessionKind::DealTake];
    let session = session(61, &kinds, &[collection], 2_000);
    world.done(1, set_keys(&[weft_types::KeyChange::Session(session)]));
    let offer = world.open(2, terms(assets(10_000), cards(&items[1..])));
    let before = world.balance(user(1));
    let receipt = world.run_for(1, 61, vec![take(offer, &[])]);
    assert!(receipt.is_applied());
    assert_eq!(world.left(1, 61), 2_000 - receipt.fee.0);
    assert_eq!(world.balance(user(1)), before + 5_000 - receipt.fee.0);
}
