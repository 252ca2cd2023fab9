//! L56 to L59: orders of an edition's book, and what the ledger makes of them by itself.

use crate::world::*;
use std::sync::Arc;
use weft_ledger::{Applied, BOOK_ITEMS_MAX, BOOK_ORDERS_MAX};
use weft_types::testing::user;
use weft_types::{
    Address, Amount, BaseAsset, CollectionId, DealId, DealState, EditionId, FailureCode, ItemId,
    ItemState, Millis, NewDeal, Object, ObjectId, Operation, Policy, Transaction, Verified,
};

const LATER: Millis = Millis(1_000_000);

/// Cards of user 1's in a collection of user 0's.
struct Market {
    world: World,
    collection: CollectionId,
    edition: EditionId,
    cards: Vec<ItemId>,
}

impl Market {
    fn new(count: u64) -> Self {
        Self::under(Policy::default(), count)
    }

    fn under(rule: Policy, count: u64) -> Self {
        let mut world = World::new();
        let (collection, cards) = world.under(rule, count);
        let edition = world.item(cards[0]).unwrap().edition;
        Self {
            world,
            collection,
            edition,
            cards,
        }
    }

    fn bid_terms(&self, price: u64, count: u64) -> NewDeal {
        NewDeal::bid(self.edition, Amount(price), count, LATER).unwrap()
    }

    fn bid(&mut self, buyer: u64, price: u64, count: u64) -> DealId {
        let terms = self.bid_terms(price, count);
        self.world.open(buyer, terms)
    }

    fn ask(&mut self, cards: std::ops::Range<usize>, price: u64) -> DealId {
        let terms = ask_terms(&self.cards[cards], price);
        self.world.open(1, terms)
    }

    /// Orders of one commit, which has no other transactions.
    fn together(&mut self, orders: &[(u64, NewDeal)]) -> Vec<DealId> {
        let signed = self.signed(orders);
        let applied = self.world.commit(&signed);
        let created = applied.receipts.iter().map(|r| match r.created[..] {
            [ObjectId::Deal(deal)] => deal,
            _ => panic!("one deal: {r:?}"),
        });
        created.collect()
    }

    fn signed(&mut self, orders: &[(u64, NewDeal)]) -> Vec<Arc<Verified<Transaction>>> {
        let orders = orders.iter();
        let signed = orders.map(|(giver, terms)| {
            let open = Operation::DealOpen(terms.clone());
            self.world.signed(*giver, vec![open])
        });
        signed.collect()
    }

    fn clear(&mut self) -> Applied {
        self.world.lead();
        self.world.commit(&[])
    }

    fn left(&self, deal: DealId) -> Option<u64> {
        let deal = self.world.deal(deal)?;
        deal.terms.limit().map(|limit| limit.count)
    }

    fn count(&self, owner: u64) -> usize {
        let owned = |card: &&ItemId| {
            let item = self.world.item(**card).unwrap();
            item.owner == user(owner) && item.state == ItemState::Held
        };
        self.cards.iter().filter(owned).count()
    }
}

fn ask_terms(cards: &[ItemId], price: u64) -> NewDeal {
    NewDeal::ask(cards.to_vec(), Amount(price), LATER).unwrap()
}

#[test]
fn l56_orders_meet_in_the_next_commit_at_one_price_and_not_before() {
    let mut market = Market::new(2);
    let (bid, ask) = (market.bid_terms(60, 2), ask_terms(&market.cards, 40));
    let deals = market.together(&[(2, bid), (1, ask)]);
    assert_eq!(
        (market.left(deals[0]), market.left(deals[1])),
        (Some(2), Some(2))
    );
    let before = [1, 2].map(|n| market.world.balance(user(n)));
    let applied = market.clear();
    assert_eq!(
        (applied.cleared.len(), applied.cleared[0].price),
        (1, Amount(50))
    );
    assert_eq!(applied.cleared[0].trades.len(), 2);
    assert_eq!(applied.receipts, []);
    // What was bid above the price has come back.
    let after = [1, 2].map(|n| market.world.balance(user(n)));
    assert_eq!(after, [before[0] + 100, before[1] + 20]);
    assert_eq!(market.count(2), 2);
    let last = applied.changes.into_iter().filter_map(|c| c.retired);
    let states: Vec<DealState> = last.filter_map(|o| o.as_deal().map(|d| d.state)).collect();
    let (seller, buyer) = (user(1), user(2));
    assert!(states.contains(&DealState::Taken { by: seller }));
    assert!(states.contains(&DealState::Taken { by: buyer }));
    assert!(market.clear().changes.is_empty());
}

#[test]
fn l56_the_order_of_transactions_inside_a_commit_decides_nothing() {
    let ends = [false, true].map(|turned| {
        let mut market = Market::new(6);
        let asks = [0..2, 2..4, 4..6].map(|cards| (1, ask_terms(&market.cards[cards], 40)));
        let bids = [(2, 40, 3), (3, 40, 4), (4, 50, 1)];
        let bids = bids.map(|(who, price, count)| (who, market.bid_terms(price, count)));
        let orders: Vec<_> = bids.into_iter().chain(asks).collect();
        let mut signed = market.signed(&orders);
        if turned {
            signed.reverse();
        }
        market.world.commit(&signed);
        market.clear();
        let owners: Vec<Address> = market
            .cards
            .iter()
            .map(|c| market.world.owner(*c))
            .collect();
        let balances: Vec<u64> = (1..6).map(|n| market.world.balance(user(n))).collect();
        (owners, balances)
    });
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn l56_an_order_is_neither_taken_nor_bid_for_and_of_one_edition() {
    let mut market = Market::new(2);
    let ask = market.ask(0..1, 40);
    let world = &mut market.world;
    assert_eq!(world.fails(2, take(ask, &[])), FailureCode::WrongRule);
    assert_eq!(world.fails(2, bid(ask, 50)), FailureCode::WrongRule);
    let (_, others) = world.under(Policy::default(), 1);
    let mixed = ask_terms(&[market.cards[1], others[0]], 40);
    let refused = world.failed(1, vec![Operation::DealOpen(mixed)]);
    let subject = Some(ObjectId::Item(others[0]));
    assert_eq!(
        (refused.code, refused.subject),
        (FailureCode::WrongItem, subject)
    );
    let nothing = NewDeal::bid(EditionId([1; 32]), Amount(1), 1, LATER).unwrap();
    assert_eq!(
        world.fails(2, Operation::DealOpen(nothing)),
        FailureCode::NotFound
    );
}

#[test]
fn l57_the_side_that_is_short_has_the_better_price() {
    for (bids, asks, price) in [(2, 1, 60), (1, 2, 40), (2, 2, 50)] {
        let mut market = Market::new(2);
        market.bid(2, 60, bids);
        market.ask(0..asks, 40);
        let applied = market.clear();
        assert_eq!(applied.cleared[0].price, Amount(price));
        assert_eq!(
            applied.cleared[0].trades.len(),
            1.max(bids as usize + asks - 2)
        );
    }
}

#[test]
fn l58_price_goes_before_time_and_time_before_lot() {
    let mut market = Market::new(3);
    let early = market.bid(2, 50, 2);
    let late = market.bid(3, 50, 2);
    let best = market.bid(4, 55, 1);
    market.ask(0..2, 45);
    market.clear();
    assert_eq!(market.left(best), None);
    assert_eq!((market.left(early), market.left(late)), (Some(1), Some(2)));
    assert_eq!([2, 3, 4].map(|n| market.count(n)), [1, 0, 1]);
    market.ask(2..3, 45);
    market.clear();
    assert_eq!((market.left(early), market.left(late)), (None, Some(2)));
}

#[test]
fn l58_those_of_one_commit_share_and_what_is_left_stays_an_order() {
    let mut market = Market::new(10);
    let (large, small) = (market.bid_terms(50, 6), market.bid_terms(50, 3));
    let deals = market.together(&[(2, large), (3, small)]);
    market.ask(0..3, 50);
    market.clear();
    assert_eq!(
        (market.left(deals[0]), market.left(deals[1])),
        (Some(4), Some(2))
    );
    let deal = market.world.deal(deals[0]).unwrap();
    assert_eq!(deal.order.unwrap().traded, 2);
    assert_eq!(deal.terms.gives, assets(200));
    // It is cancelled as it stands.
    let before = market.world.balance(user(2));
    let receipt = market.world.done(2, cancel(deals[0]));
    assert_eq!(market.world.balance(user(2)), before + 200 - receipt.fee.0);
}

#[test]
fn l58_remainders_go_by_a_lot_that_the_clearing_commit_makes() {
    let winners = (0..12).map(|wait| {
        let mut market = Market::new(1);
        let bids = [2, 3].map(|who| (who, market.bid_terms(50, 1)));
        market.together(&bids);
        (0..wait).for_each(|_| drop(market.clear()));
        market.ask(0..1, 50);
        market.clear();
        market.count(2)
    });
    let winners: Vec<usize> = winners.collect();
    let first: usize = winners.iter().sum();
    assert!((1..12).contains(&first), "{winners:?}");
}

#[test]
fn l58_of_an_ask_the_lowest_serials_go_first() {
    let mut market = Market::new(4);
    market.cards.reverse();
    let ask = market.ask(0..4, 40);
    market.bid(2, 40, 2);
    market.clear();
    let serials = |owner: u64| {
        let items = market.cards.iter().map(|c| market.world.item(*c).unwrap());
        let owned = items.filter(|i| i.owner == user(owner));
        let mut serials: Vec<u64> = owned.map(|i| i.serial).collect();
        serials.sort_unstable();
        serials
    };
    assert_eq!((serials(2), serials(1)), (vec![1, 2], vec![3, 4]));
    let rest = market.world.deal(ask).unwrap().terms;
    assert_eq!(rest.gives.items, market.cards[..2]);
    assert_eq!(rest.wants, assets(80));
    let locked = ItemState::Locked { deal: ask };
    assert_eq!(market.world.item(market.cards[0]).unwrap().state, locked);
}

#[test]
fn l59_what_would_trade_and_cannot_change_hands_goes_back() {
    let mut market = Market::new(4);
    let (cheap, dear) = (market.ask(0..1, 30), market.ask(1..2, 40));
    market.world.done(0, freeze(true, &market.cards[..1]));
    market.clear();
    assert_eq!(market.left(cheap), Some(1), "nobody would have it");
    let bid = market.bid(2, 50, 1);
    market.clear();
    assert_eq!(market.left(cheap), None);
    assert_eq!(market.world.owner(market.cards[0]), user(1));
    assert_eq!((market.left(dear), market.left(bid)), (None, None));
    assert_eq!(market.world.owner(market.cards[1]), user(2));

    market.ask(2..3, 30);
    market
        .world
        .done(0, void(&market.cards[2..3], "charged back"));
    let waits = market.bid(3, 50, 1);
    assert!(market.clear().cleared.is_empty());
    let free = market.world.item(market.cards[2]).unwrap().state;
    assert_eq!(free, ItemState::Held);
    market.ask(3..4, 50);
    market.clear();
    assert_eq!(market.left(waits), None);
}

/// Who has ended in the very commit meets nobody.
#[test]
fn l59_a_bid_that_nobody_open_would_trade_with_stays() {
    let mut market = Market::new(1);
    let expires = Millis(market.world.now + 50);
    let ask = NewDeal {
        expires,
        ..ask_terms(&market.cards, 10)
    };
    let orders = [(1, ask), (2, market.bid_terms(10, 1))];
    let mut commit = market.signed(&orders);
    let floor = policy(|p| p.floor_price = Amount(40));
    let set = set_policy(market.collection, floor);
    commit.push(market.world.signed(0, vec![set]));
    let applied = market.world.commit(&commit);
    let [ObjectId::Deal(bid)] = applied.receipts[1].created[..] else {
        panic!("one bid: {:?}", applied.receipts);
    };
    assert!(applied.receipts[2].is_applied());
    market.world.now = expires.0;
    assert!(market.clear().cleared.is_empty());
    assert_eq!(market.world.owner(market.cards[0]), user(1));
    assert_eq!(market.left(bid), Some(1));
}

/// L59: it is asked once for all of them, and costs next to nothing.
#[test]
fn l59_orders_wait_while_their_edition_is_frozen() {
    let mut market = Market::new(1);
    let freeze = |frozen| Operation::Freeze {
        frozen,
        collections: vec![],
        editions: vec![market.edition],
        items: vec![],
    };
    let [stop, go_on] = [true, false].map(freeze);
    let orders = [
        (1, ask_terms(&market.cards, 30)),
        (2, market.bid_terms(50, 1)),
    ];
    let mut commit = market.signed(&orders);
    commit.push(market.world.signed(0, vec![stop]));
    let applied = market.world.commit(&commit);
    assert!(applied.receipts.iter().all(|r| r.is_applied()));
    let waits = market.clear();
    assert!(waits.cleared.is_empty() && waits.changes.is_empty());
    market.world.done(0, go_on);
    market.clear();
    assert_eq!(market.world.owner(market.cards[0]), user(2));
}

#[test]
fn l25_policies_of_now_decide_who_trades() {
    let mut market = Market::new(4);
    let low = market.ask(0..1, 30);
    let high = market.ask(1..2, 45);
    market.world.done(
        0,
        set_policy(market.collection, policy(|p| p.floor_price = Amount(40))),
    );
    let refused = Operation::DealOpen(market.bid_terms(39, 1));
    assert_eq!(market.world.fails(2, refused), FailureCode::PriceTooLow);
    market.bid(2, 50, 2);
    market.clear();
    assert_eq!((market.left(low), market.left(high)), (None, None));
    assert_eq!(market.world.owner(market.cards[0]), user(1));
    let over = market.world.now;
    let cut_off = policy(|p| {
        p.floor_price = Amount(40);
        p.cut_off = Millis(over + 1);
    });
    market.world.done(0, set_policy(market.collection, cut_off));
    market.ask(2..3, 45);
    market.world.now = over + 1;
    assert!(market.clear().cleared.is_empty());
}

#[test]
fn l28_l31_royalty_and_commission_are_of_what_the_seller_is_paid() {
    let mut market = Market::under(policy(|p| p.royalty = royalty(7, 1_000)), 3);
    let mut terms = ask_terms(&market.cards, 40);
    terms.commission = commission(8, 500);
    market.world.open(1, terms);
    market.bid(2, 50, 2);
    let before = market.world.balance(user(1));
    market.clear();
    let of = |n| market.world.balance(user(n)) - 1_000_000;
    assert_eq!((of(7), of(8)), (8, 4));
    assert_eq!(market.world.balance(user(1)), before + 80 - 12);
}

#[test]
fn l14_an_order_that_has_expired_trades_no_more_and_comes_back() {
    let mut market = Market::new(1);
    let bid = market.bid_terms(50, 1);
    market.ask(0..1, 40);
    let expires = Millis(market.world.now + 5);
    let order = Operation::DealOpen(NewDeal { expires, ..bid });
    let fee = market.world.done(2, order).fee.0;
    market.world.now = expires.0;
    assert!(market.clear().cleared.is_empty());
    assert_eq!(market.world.balance(user(2)), 1_000_000 - fee);
}

#[test]
fn x3_what_is_left_of_an_order_exits_to_who_brought_it() {
    let mut market = Market::new(3);
    market.world.done(2, exit_address(9, &[]));
    market.bid(2, 40, 3);
    market.ask(0..1, 40);
    market.clear();
    let balance = market.world.balance(user(2));
    let exit = market.world.ledger.base_trees().exits.get(0).unwrap();
    let amount = Amount(balance + 80);
    assert_eq!(exit.asset, BaseAsset::Native { amount });
}

#[test]
fn l59_the_worst_of_a_full_book_go_back() {
    let mut market = Market::new(1);
    let lowest = market.bid(9, 1, 1);
    let mut open = 0;
    while open < BOOK_ORDERS_MAX {
        let count = 64.min(BOOK_ORDERS_MAX - open);
        let terms = Operation::DealOpen(market.bid_terms(2, 1));
        let sender = 2 + (open as u64 / 64) % 7;
        let receipt = market.world.run(sender, vec![terms; count]);
        assert_eq!(receipt.failure, None);
        open += count;
    }
    assert!(market.world.deal(lowest).is_some());
    let before = market.world.balance(user(9));
    let applied = market.clear();
    assert_eq!(market.world.deal(lowest), None);
    assert_eq!(market.world.balance(user(9)), before + 1);
    let mut last = applied.changes.iter().filter_map(|c| c.retired.as_ref());
    let state = last.find_map(Object::as_deal).unwrap().state;
    assert_eq!(state, DealState::Expired);
    assert!(market.clear().changes.is_empty());
}

#[test]
fn l59_a_commit_clears_no_more_than_it_has_work_for() {
    let mut world = World::new();
    let orders = BOOK_ITEMS_MAX / 2 / 256;
    let editions = [(); 2].map(|()| {
        let (_, edition) = world.edition(0, BOOK_ITEMS_MAX);
        for _ in 0..orders {
            let receipt = world.done(0, mint(edition, 1, 256));
            world.open(1, ask_terms(&items_of(&receipt), 1));
        }
        edition
    });
    let bids = editions.map(|edition| {
        let bid = NewDeal::bid(edition, Amount(1), 256, LATER).unwrap();
        world.signed(2, vec![Operation::DealOpen(bid); orders as usize])
    });
    world.commit(&bids);
    let cleared = [(); 3].map(|()| {
        let cleared = world.commit(&[]).cleared;
        cleared
            .into_iter()
            .map(|c| c.trades.len())
            .collect::<Vec<_>>()
    });
    let each = (orders * 256) as usize;
    assert_eq!(cleared, [vec![each], vec![each], vec![]]);
}

#[test]
fn a_restart_knows_the_books() {
    let mut market = Market::new(2);
    let (bid, ask) = (market.bid_terms(60, 2), ask_terms(&market.cards, 40));
    market.together(&[(2, bid), (1, ask)]);
    market.world.restart();
    assert_eq!(market.clear().cleared.len(), 1);
    assert_eq!(market.count(2), 2);
}
