//! L45 to L48: packs are sold sealed, and drawn by what nobody knew when the last one was bought.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    Address, Amount, CollectionId, DealId, DealState, DrawSecret, Drawing, FailureCode, ItemId,
    ItemState, Millis, NewDeal, Object, ObjectId, Operation, Policy, SessionKind, Taking,
};

const PRICE: u64 = 60;
const BOND: u64 = 100;
const REVEAL: u64 = 5_000;
/// Time within which a height has what has changed (F1).
const HEIGHT: u64 = 250;

/// A series of user 1: three packs of two cards.
struct Shop {
    world: World,
    collection: CollectionId,
    cards: Vec<ItemId>,
    deal: DealId,
}

impl Shop {
    fn new() -> Self {
        Self::under(Policy::default())
    }

    fn under(rule: Policy) -> Self {
        let mut world = World::new();
        let (collection, cards) = world.under(rule, 6);
        let deal = world.open(1, three(&cards));
        Self {
            world,
            collection,
            cards,
            deal,
        }
    }

    /// A commit with a leader and one operation.
    fn step(&mut self, sender: u64, operation: Operation) -> Option<FailureCode> {
        self.world.lead();
        let receipt = self.world.run(sender, vec![operation]);
        receipt.failure.map(|f| f.code)
    }

    fn applied(&mut self, sender: u64, operation: Operation) {
        assert_eq!(self.step(sender, operation), None);
    }

    fn buy(&mut self, buyer: u64) {
        self.applied(buyer, buy(self.deal, buyer as u8));
    }

    /// Commits without transactions.
    fn rest(&mut self, commits: u64) {
        for _ in 0..commits {
            self.world.lead();
            self.world.commit(&[]);
        }
    }

    fn sold_out() -> Self {
        let mut shop = Self::new();
        (2..=4).for_each(|buyer| shop.buy(buyer));
        shop
    }

    /// The sale is over: the lot comes, and so much later a commit by which a height has it.
    fn settle(&mut self) {
        self.rest(3);
        self.world.now += HEIGHT;
        self.rest(1);
    }

    fn with_lot() -> Self {
        let mut shop = Self::sold_out();
        shop.settle();
        shop
    }

    fn drawing(&self) -> Drawing {
        self.world.deal(self.deal).unwrap().drawing.unwrap()
    }

    fn owners(&self) -> Vec<Address> {
        self.cards.iter().map(|c| self.world.owner(*c)).collect()
    }

    fn count(&self, owner: u64) -> usize {
        let owner = user(owner);
        self.owners().iter().filter(|o| **o == owner).count()
    }

    fn held(&self) -> [u64; 4] {
        [1, 2, 3, 4].map(|n| self.world.balance(user(n)))
    }
}

fn three(cards: &[ItemId]) -> NewDeal {
    series(user(1), (cards, 3), (PRICE, BOND), REVEAL)
}

fn right() -> DrawSecret {
    secret(user(1))
}

#[test]
fn l45_contents_and_bond_are_locked_when_the_series_opens() {
    let shop = Shop::new();
    let mut world = shop.world;
    let deal = shop.deal;
    for card in &shop.cards {
        assert_eq!(world.item(*card).unwrap().state, ItemState::Locked { deal });
    }
    let terms = NewDeal {
        expires: Millis(1),
        ..three(&shop.cards)
    };
    let late = world.fails(1, Operation::DealOpen(terms));
    assert_eq!(late, FailureCode::ExpiryPassed);
    let again = world.fails(1, Operation::DealOpen(three(&shop.cards)));
    assert_eq!(again, FailureCode::ItemLocked);
    let before = world.balance(user(1));
    let receipt = world.done(1, cancel(deal));
    assert_eq!(world.balance(user(1)), before + 3 * BOND - receipt.fee.0);
}

#[test]
fn l46_a_pack_is_bought_sealed_and_its_price_stays_in_the_deal() {
    let mut shop = Shop::new();
    let before = shop.held();
    shop.world.lead();
    let receipt = shop.world.done(2, buy(shop.deal, 9));
    let after = shop.held();
    assert_eq!(after[1] + PRICE + receipt.fee.0, before[1]);
    assert_eq!(after[0], before[0], "the giver is paid when it is drawn");
    let deal = shop.world.deal(shop.deal).unwrap();
    let drawing = deal.drawing.unwrap();
    assert_eq!(drawing.packs[0].holder, user(2));
    assert_eq!(drawing.packs[0].entropy.0, [9; 32]);
    assert_eq!(drawing.closing, None);
    assert_eq!(shop.count(1), 6);

    let own = shop.step(1, buy(shop.deal, 1));
    assert_eq!(own, Some(FailureCode::OwnDeal));
    let without = shop.step(2, take(shop.deal, &[]));
    assert_eq!(without, Some(FailureCode::WrongEntropy));
    let picked = Taking {
        items: vec![shop.cards[0]],
        ..Taking::pack(shop.deal, Default::default())
    };
    let picked = shop.step(2, Operation::DealTake(picked));
    assert_eq!(picked, Some(FailureCode::WrongItemCount));
    let listing = shop.world.open(2, terms(assets(1), assets(1)));
    let other = shop.step(3, buy(listing, 1));
    assert_eq!(other, Some(FailureCode::WrongEntropy));
}

#[test]
fn l46_nothing_is_cancelled_once_a_pack_is_sold() {
    let mut shop = Shop::new();
    shop.buy(2);
    let refused = shop.step(1, cancel(shop.deal));
    assert_eq!(refused, Some(FailureCode::PacksSold));
}

#[test]
fn l46_a_sealed_pack_is_handed_on_until_the_sale_is_over() {
    let mut shop = Shop::new();
    shop.buy(2);
    let (deal, world) = (shop.deal, &mut shop.world);
    assert_eq!(world.fails(3, pass(deal, 0, 3)), FailureCode::NotPackHolder);
    let none = world.failed(2, vec![pass(deal, 1, 3)]);
    assert_eq!(
        (none.code, none.found, none.limit),
        (FailureCode::NoPack, 1, 1)
    );
    let listing = world.open(2, terms(assets(1), assets(1)));
    assert_eq!(world.fails(2, pass(listing, 0, 3)), FailureCode::WrongRule);
    shop.applied(2, pass(deal, 0, 5));
    // What a buyer has added stays with the pack.
    let packs = shop.world.deal(deal).unwrap().drawing.unwrap().packs;
    assert_eq!((packs[0].holder, packs[0].entropy.0), (user(5), [2; 32]));
    shop.buy(3);
    shop.buy(4);
    let late = shop.step(5, pass(deal, 0, 2));
    assert_eq!(late, Some(FailureCode::SaleOver));
    let sold_out = shop.step(2, buy(deal, 1));
    assert_eq!(sold_out, Some(FailureCode::SaleOver));
}

#[test]
fn l46_a_pack_is_sold_on_by_one_transaction_of_both() {
    let mut shop = Shop::new();
    shop.buy(2);
    let parties = [(2, pass(shop.deal, 0, 5)), (5, pay(2, 75))].map(|(account, operation)| {
        weft_types::Party {
            account: user(account),
            operations: vec![operation],
        }
    });
    let body = shop
        .world
        .body(2, vec![Operation::MultiParty(parties.to_vec())]);
    let receipt = shop.world.run_signed(with_keys(&body, &[(2, 2), (5, 5)]));
    assert_eq!(receipt.failure, None);
    let packs = shop.world.deal(shop.deal).unwrap().drawing.unwrap().packs;
    assert_eq!(packs[0].holder, user(5));
}

#[test]
fn l47_the_lot_is_of_a_leader_two_rounds_above_that_of_the_last_sale() {
    let mut shop = Shop::sold_out();
    let closing = shop.drawing().closing;
    let closed = closing.unwrap().round;
    let early = shop.step(5, reveal(shop.deal, right()));
    assert_eq!(early, Some(FailureCode::NoLot));
    let lot = shop.drawing().lot;
    assert_eq!(lot, None, "one round above may be there already");
    // Another commit of the same round makes none.
    let last = shop.world.ledger.meta().index;
    shop.world.ordered = vec![leader_of(last)];
    shop.world.commit(&[]);
    assert_eq!(shop.drawing().lot, None);
    shop.rest(1);
    let commit = shop.world.ledger.meta().index;
    let lot = shop.drawing().lot;
    assert_eq!(lot.unwrap().digest, leader_of(commit).digest);
    assert!(leader_round(commit).0 >= closed.0 + 2);
    // It stays.
    shop.rest(3);
    assert_eq!(shop.drawing().lot, lot);
}

#[test]
fn l47_a_secret_is_taken_behind_a_commit_by_which_a_height_has_the_lot_and_not_before() {
    let mut shop = Shop::sold_out();
    assert_eq!(shop.world.ledger.params().finality_interval_ms.0, HEIGHT);
    shop.rest(1);
    // In the lot's commit, while a height may be open still, and in the one that ends it at the latest.
    for later in [0, HEIGHT - 1, 1] {
        shop.world.now += later;
        let early = shop.step(5, reveal(shop.deal, right()));
        assert_eq!(early, Some(FailureCode::NoLot));
        let drawing = shop.drawing();
        assert!(drawing.lot.is_some() && drawing.reveal_from.is_none());
    }
    shop.applied(5, reveal(shop.deal, right()));
    assert_eq!(shop.world.deal(shop.deal), None);
}

#[test]
fn l48_the_time_to_reveal_begins_behind_that_commit_however_late_it_comes() {
    let mut shop = Shop::sold_out();
    shop.rest(2);
    shop.world.now += 10 * REVEAL;
    shop.rest(1);
    assert_eq!(shop.drawing().reveal_from, None);
    shop.world.now += 10 * REVEAL;
    shop.rest(1);
    let began = shop.world.now;
    assert_eq!(shop.drawing().reveal_from, Some(Millis(began)));
    shop.world.now = began + REVEAL - 1;
    shop.applied(5, reveal(shop.deal, right()));
}

#[test]
fn l47_who_takes_the_state_over_knows_that_a_height_has_the_lot() {
    let mut shop = Shop::sold_out();
    shop.rest(2);
    shop.world.now += HEIGHT;
    shop.rest(1);
    shop.world.take_over();
    shop.applied(5, reveal(shop.deal, right()));
}

#[test]
fn l47_whoever_shows_the_secret_draws_for_all_and_the_giver_is_paid() {
    let mut shop = Shop::with_lot();
    let wrong = shop.step(5, reveal(shop.deal, secret(user(2))));
    assert_eq!(wrong, Some(FailureCode::WrongSecret));
    let listing = shop.world.open(2, terms(assets(1), assets(1)));
    let other = shop.step(5, reveal(listing, right()));
    assert_eq!(other, Some(FailureCode::WrongRule));
    let before = shop.held();
    let deal = shop.world.deal(shop.deal).unwrap();
    let expected = deal.draw(&shop.deal, &right()).unwrap();
    shop.applied(5, reveal(shop.deal, right()));
    assert_eq!(
        shop.held(),
        [
            before[0] + 3 * (BOND + PRICE),
            before[1],
            before[2],
            before[3]
        ]
    );
    for (buyer, items) in [2, 3, 4].into_iter().zip(&expected.packs) {
        assert_eq!(shop.count(buyer), 2);
        for item in items {
            assert_eq!(shop.world.owner(*item), user(buyer));
            assert_eq!(shop.world.item(*item).unwrap().state, ItemState::Held);
        }
    }
    assert_eq!(shop.world.get(ObjectId::Deal(shop.deal)), None);
    let again = shop.step(5, reveal(shop.deal, right()));
    assert_eq!(again, Some(FailureCode::DealNotOpen));
}

#[test]
fn l47_the_last_form_has_all_that_the_draw_was_made_from() {
    let mut shop = Shop::with_lot();
    shop.world.lead();
    let transaction = shop.world.signed(5, vec![reveal(shop.deal, right())]);
    let applied = shop.world.commit(&[transaction]);
    let mut retired = applied.changes.into_iter().filter_map(|c| c.retired);
    let Some(Object::Deal(last)) = retired.next() else {
        panic!("the deal has ended");
    };
    assert_eq!(last.state, DealState::Taken { by: user(5) });
    let drawing = last.drawing.clone().unwrap();
    assert_eq!(drawing.secret, Some(right()));
    let drawn = last.draw(&shop.deal, &right()).unwrap();
    for (pack, items) in drawing.packs.iter().zip(drawn.packs) {
        assert!(items.iter().all(|i| shop.world.owner(*i) == pack.holder));
    }
}

#[test]
fn l47_what_is_not_sold_when_the_time_is_over_goes_back_to_the_giver() {
    let mut shop = Shop::new();
    shop.buy(2);
    shop.world.now = 1_000_000;
    let late = shop.step(3, buy(shop.deal, 1));
    assert_eq!(late, Some(FailureCode::SaleOver));
    shop.settle();
    let before = shop.held();
    shop.applied(5, reveal(shop.deal, right()));
    assert_eq!(shop.held()[0], before[0] + 3 * BOND + PRICE);
    assert_eq!((shop.count(1), shop.count(2)), (4, 2));
}

#[test]
fn l46_a_series_of_which_nothing_is_sold_expires_as_any_deal_does() {
    let mut shop = Shop::new();
    let before = shop.held();
    shop.world.now = 1_000_000;
    let late = shop.step(3, buy(shop.deal, 1));
    assert_eq!(late, Some(FailureCode::DealNotOpen));
    assert_eq!(shop.held()[0], before[0] + 3 * BOND);
    assert_eq!(shop.count(1), 6);
}

#[test]
fn l48_a_secret_that_is_late_costs_price_and_bond_of_every_pack() {
    let mut shop = Shop::new();
    shop.buy(2);
    shop.buy(3);
    shop.applied(2, pass(shop.deal, 0, 4));
    shop.world.now = 1_000_000;
    shop.settle();
    shop.rest(1);
    let before = shop.held();
    // The time begins behind the height.
    shop.world.now += REVEAL;
    let late = shop.step(5, reveal(shop.deal, right()));
    assert_eq!(late, Some(FailureCode::DealNotOpen));
    let (one, both) = (BOND, PRICE + BOND);
    let after = [
        before[0] + one,
        before[1],
        before[2] + both,
        before[3] + both,
    ];
    assert_eq!(shop.held(), after);
    assert_eq!(shop.count(1), 6);
}

#[test]
fn l48_until_then_the_secret_is_in_time() {
    let mut shop = Shop::with_lot();
    shop.rest(1);
    shop.world.now += REVEAL - 1;
    shop.applied(5, reveal(shop.deal, right()));
}

#[test]
fn l25_a_series_is_one_sale_of_its_contents_for_the_price_of_all_packs() {
    let mut world = World::new();
    let opens = |world: &mut World, rule: Policy| {
        let (_, cards) = world.under(rule, 6);
        let receipt = world.run(1, vec![Operation::DealOpen(three(&cards))]);
        receipt.failure.map(|f| f.code)
    };
    // 60 a pack of two, 30 a card; the bond is none of it.
    let floor = |n| policy(|p| p.floor_price = Amount(n));
    assert_eq!(opens(&mut world, floor(30)), None);
    let low = opens(&mut world, floor(31));
    assert_eq!(low, Some(FailureCode::PriceTooLow));
    let cap = |n| policy(|p| p.cap_price = Amount(n));
    assert_eq!(opens(&mut world, cap(30)), None);
    let high = opens(&mut world, cap(29));
    assert_eq!(high, Some(FailureCode::PriceTooHigh));
    let personal = opens(&mut world, policy(|p| p.personal = true));
    assert_eq!(personal, Some(FailureCode::Personal));
    // Sold until 1,000,000 and drawn within 5,000.
    let ends = |n| policy(|p| p.cut_off = Millis(n));
    assert_eq!(opens(&mut world, ends(1_005_001)), None);
    let over = opens(&mut world, ends(1_005_000));
    assert_eq!(over, Some(FailureCode::TransfersOver));
}

#[test]
fn l25_policies_and_freezing_are_asked_at_each_sale_and_stop_no_draw_but_by_the_cut_off() {
    let mut shop = Shop::new();
    shop.buy(2);
    let (collection, card) = (shop.collection, shop.cards[3]);
    shop.applied(0, freeze(true, &[card]));
    let frozen = shop.step(3, buy(shop.deal, 1));
    assert_eq!(frozen, Some(FailureCode::Frozen));
    shop.applied(0, set_policy(collection, policy(|p| p.personal = true)));
    shop.world.now = 1_000_000;
    shop.settle();
    let over = policy(|p| {
        p.personal = true;
        p.cut_off = Millis(1_000_001);
    });
    shop.applied(0, set_policy(collection, over));
    shop.world.now += 1;
    let stopped = shop.step(5, reveal(shop.deal, right()));
    assert_eq!(stopped, Some(FailureCode::TransfersOver));
    shop.world.now -= 1;

    let mut shop = Shop::with_lot();
    shop.applied(0, freeze(true, &[shop.cards[3]]));
    let strict = policy(|p| p.personal = true);
    shop.applied(0, set_policy(shop.collection, strict));
    shop.applied(5, reveal(shop.deal, right()));
    assert_eq!(shop.count(1), 0);
    assert!(shop.world.item(shop.cards[3]).unwrap().frozen);
}

#[test]
fn l28_royalties_are_owed_when_it_is_drawn_of_what_was_sold() {
    let mut shop = Shop::under(policy(|p| p.royalty = royalty(7, 1_000)));
    shop.buy(2);
    shop.buy(3);
    assert_eq!(shop.world.balance(user(7)), 1_000_000);
    shop.world.now = 1_000_000;
    shop.settle();
    let before = shop.held()[0];
    shop.applied(5, reveal(shop.deal, right()));
    let owed = 2 * PRICE / 10;
    assert_eq!(shop.world.balance(user(7)), 1_000_000 + owed);
    assert_eq!(shop.held()[0], before + 3 * BOND + 2 * PRICE - owed);
}

#[test]
fn l20_a_session_buys_packs_within_its_limit_and_neither_hands_them_on_nor_draws() {
    let mut shop = Shop::new();
    let kinds = [SessionKind::DealTake, SessionKind::Transfer];
    let limit = 2_000;
    let grant = session(9, &kinds, &[], limit);
    shop.applied(2, set_keys(&[weft_types::KeyChange::Session(grant)]));
    let bought = shop.world.run_for(2, 9, vec![buy(shop.deal, 1)]);
    assert_eq!(bought.failure, None);
    assert_eq!(shop.world.left(2, 9), limit - PRICE - bought.fee.0);
    shop.world.denied(2, 9, pass(shop.deal, 0, 3));
    shop.world.denied(2, 9, reveal(shop.deal, right()));
}

#[test]
fn a_restart_knows_which_series_wait_for_a_lot_or_a_height_and_which_are_late() {
    let mut shop = Shop::sold_out();
    shop.world.restart();
    shop.rest(2);
    assert!(shop.drawing().lot.is_some());
    shop.world.restart();
    shop.rest(1);
    shop.world.now += HEIGHT;
    shop.rest(1);
    assert_eq!(shop.drawing().reveal_from, None);
    shop.world.restart();
    shop.rest(1);
    assert!(shop.drawing().reveal_from.is_some());
    shop.world.restart();
    shop.world.now += REVEAL;
    shop.rest(1);
    assert_eq!(shop.world.deal(shop.deal), None);
    assert_eq!(shop.count(1), 6);
}
