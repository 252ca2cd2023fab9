//! L30 and L31: offers for a trait, and what the application has that brings a deal.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    Amount, Bundle, CollectionId, EditionId, FailureCode, ItemId, NewDeal, ObjectId, Operation,
    Policy, Trait, WantedFrom, WantedItems,
};

fn rarity(value: &str) -> Trait {
    Trait {
        name: "rarity".to_owned(),
        value: value.to_owned(),
    }
}

fn rare(collection: CollectionId, count: u64) -> NewDeal {
    let Trait { name, value } = rarity("rare");
    NewDeal {
        wants_any: vec![WantedItems {
            from: WantedFrom::Trait {
                collection,
                name,
                value,
            },
            count,
        }],
        ..terms(assets(100), Bundle::default())
    }
}

impl World {
    /// Two items of user 1, of an edition with these traits.
    fn with_traits(&mut self, collection: CollectionId, traits: &[Trait]) -> Vec<ItemId> {
        let mut edition = new_edition(collection, 10);
        edition.traits = traits.to_vec();
        let receipt = self.done(0, Operation::CreateEdition(edition));
        let [ObjectId::Edition(edition)] = receipt.created[..] else {
            panic!("one edition: {:?}", receipt.created);
        };
        items_of(&self.done(0, mint(edition, 1, 2)))
    }

    fn commissioned(&mut self, terms: NewDeal, parts: u32) -> Operation {
        Operation::DealOpen(NewDeal {
            commission: commission(5, parts),
            ..terms
        })
    }
}

#[test]
fn l30_an_offer_for_a_trait_is_filled_with_any_item_that_has_it() {
    let mut world = World::new();
    let (collection, _) = world.edition(0, 10);
    let (other, _) = world.edition(0, 10);
    let plain = world.with_traits(collection, &[rarity("common")]);
    let both = [rarity("common"), rarity("rare")];
    let wanted = world.with_traits(collection, &both);
    let named = Trait {
        name: "rare".to_owned(),
        value: "rarity".to_owned(),
    };
    let twisted = world.with_traits(collection, &[named]);
    let foreign = world.with_traits(other, &both);
    let deal = world.open(2, rare(collection, 2));
    for wrong in [plain[0], twisted[0], foreign[0]] {
        let code = world.fails(1, take(deal, &[wanted[0], wrong]));
        assert_eq!(code, FailureCode::WrongItem);
    }
    // One of an edition that is newer than the offer.
    let later = world.with_traits(collection, &[rarity("rare")]);
    world.done(1, take(deal, &[wanted[1], later[0]]));
    assert_eq!(world.owner(wanted[1]), user(2));
    assert_eq!(world.owner(later[0]), user(2));
}

#[test]
fn l30_policies_judge_an_offer_for_a_trait_as_one_for_the_collection() {
    let mut world = World::new();
    let (collection, items) = world.under(policy(|p| p.floor_price = Amount(51)), 1);
    let failure = world.failed(2, vec![Operation::DealOpen(rare(collection, 2))]);
    assert_eq!(failure.code, FailureCode::PriceTooLow);
    assert_eq!((failure.found, failure.limit), (100, 102));
    let deal = world.open(2, rare(collection, 1));
    assert_eq!(world.fails(1, take(deal, &items)), FailureCode::WrongItem);
    let none = Operation::DealOpen(rare(CollectionId([9; 32]), 1));
    assert_eq!(world.fails(2, none), FailureCode::NotFound);
}

#[test]
fn l31_a_commission_is_paid_out_of_what_the_seller_gets_on_either_side() {
    let mut world = World::new();
    let (_, items) = world.under(policy(|p| p.royalty = royalty(4, 1_000)), 2);
    let gains = |world: &mut World, taker: u64, operation| {
        let receipt = world.run(0, vec![pay(0, 1)]);
        assert!(receipt.is_applied());
        let before = [1, 2, 4, 5].map(|n| world.balance(user(n)));
        let fee = world.done(taker, operation).fee.0;
        let after = [1, 2, 4, 5].map(|n| world.balance(user(n)));
        let taker = if taker == 1 { 0 } else { 1 };
        let gain = |i: usize| {
            let fee = if i == taker { fee } else { 0 };
            i128::from(after[i]) + i128::from(fee) - i128::from(before[i])
        };
        [0, 1, 2, 3].map(gain)
    };
    let open = world.commissioned(terms(cards(&items[..1]), assets(999)), 250);
    let ObjectId::Deal(deal) = world.done(1, open).created[0] else {
        panic!("a deal");
    };
    let listed = gains(&mut world, 2, take(deal, &[]));
    assert_eq!(listed, [999 - 99 - 24, -999, 99, 24]);
    // The price has been locked by the buyer.
    let open = world.commissioned(terms(assets(999), cards(&items[1..])), 250);
    let ObjectId::Deal(deal) = world.done(2, open).created[0] else {
        panic!("a deal");
    };
    let offered = gains(&mut world, 1, take(deal, &[]));
    assert_eq!(offered, [999 - 99 - 24, 0, 99, 24]);
}

#[test]
fn l31_what_has_no_price_owes_no_commission() {
    let mut world = World::new();
    let mine = world.items(0, 1, 1);
    let theirs = world.items(0, 2, 1);
    let before = world.balance(user(5));
    let deals = [
        terms(cards(&mine), cards(&theirs)),
        terms(assets(500), assets(600)),
        terms(assets(500), Bundle::default()),
    ];
    for terms in deals {
        let open = world.commissioned(terms, 10_000);
        let ObjectId::Deal(deal) = world.done(1, open).created[0] else {
            panic!("a deal");
        };
        world.done(2, take(deal, &[]));
    }
    assert_eq!(world.balance(user(5)), before);
}

#[test]
fn l31_a_royalty_and_the_commission_are_no_more_than_the_price() {
    let mut world = World::new();
    let rate = policy(|p| p.royalty = royalty(4, 7_500));
    let (_, items) = world.under(rate, 1);
    let listing =
        |world: &mut World, parts| world.commissioned(terms(cards(&items), assets(1_000)), parts);
    let open = listing(&mut world, 2_501);
    let failure = world.failed(1, vec![open]);
    assert_eq!(failure.code, FailureCode::SharesTooHigh);
    assert_eq!((failure.found, failure.limit), (10_001, 10_000));
    let open = listing(&mut world, 2_500);
    let ObjectId::Deal(deal) = world.done(1, open).created[0] else {
        panic!("a deal");
    };
    let before = world.balance(user(1));
    world.done(2, take(deal, &[]));
    assert_eq!(world.balance(user(1)), before, "all of it is others'");
}

#[test]
fn l31_is_asked_again_when_a_deal_is_taken() {
    let mut world = World::new();
    let (collection, edition) = world.edition(0, 10);
    let open = world.commissioned(
        NewDeal {
            wants_any: vec![WantedItems {
                from: WantedFrom::Edition(edition),
                count: 1,
            }],
            ..terms(assets(100), Bundle::default())
        },
        5_000,
    );
    let ObjectId::Deal(deal) = world.done(2, open).created[0] else {
        panic!("a deal");
    };
    // Before the first item any policy is set.
    let rate = Policy {
        royalty: royalty(4, 5_001),
        ..Policy::default()
    };
    world.done(0, set_policy(collection, rate));
    let items = items_of(&world.done(0, mint(EditionId::derive(&collection, 1), 1, 1)));
    let code = world.fails(1, take(deal, &items));
    assert_eq!(code, FailureCode::SharesTooHigh);
}
