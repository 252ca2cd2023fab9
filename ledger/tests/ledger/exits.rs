//! X3: whose on the base chain is what the ledger holds, if the network ends.

use crate::world::*;
use weft_ledger::Ledger;
use weft_types::testing::{user, user_key};
use weft_types::{
    Address, Amount, AppendTree, AssetAmount, AssetId, BaseAddress, BaseAsset, Bundle, Deposit,
    EditionId, Exit, FailureCode, ItemId, Millis, Object, ObjectId, Operation, Root, tree_root_of,
};

fn native(amount: u64) -> BaseAsset {
    let amount = Amount(amount);
    BaseAsset::Native { amount }
}

fn card() -> BaseAsset {
    let id = card_number(0);
    BaseAsset::Erc721 { token: CARDS, id }
}

fn item(serial: u64) -> ItemId {
    ItemId::derive(&EditionId::erc721(CARDS, &card_number(0)), serial)
}

fn owner(n: u8) -> BaseAddress {
    BaseAddress([n; 20])
}

/// What stands in the tree: asset and owner of each place.
fn leaves(world: &World) -> Vec<Option<(BaseAsset, BaseAddress)>> {
    let tree = &world.ledger.base_trees().exits;
    let places = 0..world.ledger.bridge().exit_places;
    let leaf = |place| tree.get(place).map(|e: &Exit| (e.asset, e.owner));
    places.map(leaf).collect()
}

fn restart(world: &World) -> Ledger {
    let snapshot = world.ledger.snapshot();
    let mut pieces = vec![weft_ledger::Prefix::default()];
    let mut objects = Vec::new();
    while let Some(prefix) = pieces.pop() {
        match snapshot.piece(&prefix) {
            weft_ledger::Piece::Leaves(leaves) => objects.extend(leaves),
            weft_ledger::Piece::Split(_) => {
                let digits = 0..weft_ledger::PARTS as u8;
                pieces.extend(digits.map(|digit| prefix.child(digit)));
            }
        }
    }
    let params = world.ledger.params();
    Ledger::restore(params, world.ledger.meta(), objects, []).expect("a state")
}

#[test]
fn nobody_owns_anything_before_an_address_is_named_and_the_root_is_of_an_empty_tree() {
    let mut world = World::new();
    world.done(1, pay(2, 5));
    let empty = AppendTree::default().root();
    assert_eq!(world.close_height(false).exit_root, empty);
    assert_ne!(empty, Root::ZERO);
    assert_eq!(leaves(&world), []);
}

/// A stranger deposits next to nothing for an account, to be the owner of what comes there later.
fn dust(account: Address) -> Deposit {
    Deposit {
        asset: native(1),
        sender: owner(9),
        account,
    }
}

/// An operation whose fee the first user pays.
fn sponsored(world: &mut World, sender: u64, operation: Operation) {
    let mut body = world.body(sender, vec![operation]);
    body.sponsor = Some(user(1));
    let receipt = world.run_signed(verified(body.sign(&[&user_key(sender), &user_key(1)])));
    assert_eq!(receipt.failure, None);
}

fn address_of(world: &World, account: Address) -> Option<BaseAddress> {
    let account = world.get(ObjectId::Account(account));
    account
        .as_ref()
        .and_then(Object::as_account)?
        .exit_address()
}

#[test]
fn a_strangers_dust_before_the_first_deposit_makes_nobody_the_owner() {
    let mut world = World::new();
    world.commit_with(&[dust(user(20))], &[]);
    world.commit_with(&[deposit(20, native(700_000)), deposit(20, card())], &[]);
    world.done(1, pay(20, 5));
    assert_eq!(address_of(&world, user(20)), None);
    assert_eq!(leaves(&world), []);
    let empty = AppendTree::default().root();
    assert_eq!(world.close_height(false).exit_root, empty);
    // What the account's own key names later has all of it.
    world.done(20, exit_address(5, &[item(1)]));
    world.commit_with(&[dust(user(20))], &[]);
    let balance = world.balance(user(20));
    assert_eq!(
        leaves(&world),
        [Some((native(balance), owner(5))), Some((card(), owner(5)))]
    );
}

#[test]
fn dust_to_an_account_whose_value_is_all_in_cards_or_deals_makes_nobody_its_owner() {
    let mut world = World::new();
    world.commit_with(&[deposit(20, card())], &[]);
    assert!(world.get(ObjectId::Account(user(20))).is_none());
    world.commit_with(&[dust(user(20))], &[]);
    assert_eq!(address_of(&world, user(20)), None);
    // The same when the card moves, to an account that has nothing either.
    world.done(1, pay(20, 200_000));
    world.done(20, send(21, &[item(1)]));
    world.commit_with(&[dust(user(21))], &[]);
    // And where all that there was is locked in a deal.
    let token = BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(7),
    };
    world.commit_with(&[deposit(22, token)], &[]);
    let asset = AssetId::erc20(COINS);
    let gives = Bundle {
        assets: vec![AssetAmount {
            asset,
            amount: Amount(7),
        }],
        items: vec![],
    };
    sponsored(&mut world, 22, Operation::DealOpen(terms(gives, assets(1))));
    assert!(world.get(ObjectId::Account(user(22))).is_none());
    world.commit_with(&[dust(user(22))], &[]);
    for n in [20, 21, 22] {
        assert_eq!(address_of(&world, user(n)), None, "{n}");
    }
    assert_eq!(leaves(&world), []);
}

#[test]
fn a_deposit_to_an_account_that_no_key_controls_makes_nobody_its_owner() {
    for keyless in [Address::FEE_POOL, Address::BRIDGE] {
        let mut world = World::new();
        world.commit_with(&[dust(keyless)], &[]);
        assert_eq!(address_of(&world, keyless), None);
        assert_eq!(leaves(&world), []);
    }
}

#[test]
fn a_named_address_has_amounts_and_what_comes_later_and_can_be_changed() {
    let mut world = World::new();
    let token = BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(7),
    };
    world.commit_with(&[deposit(1, token)], &[]);
    world.done(1, exit_address(5, &[]));
    let balance = world.balance(user(1));
    assert_eq!(
        leaves(&world),
        [Some((native(balance), owner(5))), Some((token, owner(5)))],
        "places by asset"
    );
    world.done(1, exit_address(6, &[]));
    world.done(2, pay(1, 3));
    let balance = world.balance(user(1));
    assert_eq!(
        leaves(&world),
        [Some((native(balance), owner(6))), Some((token, owner(6)))]
    );
}

#[test]
fn a_place_stays_its_holdings_when_nothing_is_held_and_when_it_comes_again() {
    let mut world = World::new();
    let token = |amount| BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(amount),
    };
    world.done(1, exit_address(5, &[]));
    world.commit_with(&[deposit(1, token(7))], &[]);
    world.done(2, exit_address(6, &[]));
    world.done(1, pay_asset(2, AssetId::erc20(COINS), 7));
    let places = leaves(&world);
    assert_eq!(places[1], None, "spent");
    assert_eq!(places[3], Some((token(7), owner(6))));
    world.done(2, pay_asset(1, AssetId::erc20(COINS), 4));
    let places = leaves(&world);
    assert_eq!(
        (places[1], places[3]),
        (Some((token(4), owner(5))), Some((token(3), owner(6))))
    );
    assert_eq!(places.len(), 4);
}

#[test]
fn a_card_goes_with_its_holder_and_leaves_its_place_empty_when_it_leaves() {
    let mut world = World::new();
    world.done(1, exit_address(5, &[]));
    world.commit_with(&[deposit(1, card())], &[]);
    assert_eq!(leaves(&world)[1], Some((card(), owner(5))));
    // To somebody without an address: then it is nobody's.
    world.done(1, send(2, &[item(1)]));
    assert_eq!(leaves(&world)[1], None);
    world.done(2, exit_address(6, &[item(1)]));
    assert_eq!(leaves(&world)[1], Some((card(), owner(6))));
    world.done(2, withdraw(cards(&[item(1)])));
    assert_eq!(leaves(&world)[1], None, "it has left");
    // It is another holding when it comes again.
    world.commit_with(&[deposit(1, card())], &[]);
    assert_eq!(leaves(&world)[1], None);
    assert_eq!(leaves(&world)[3], Some((card(), owner(5))));
}

#[test]
fn a_new_address_reaches_the_cards_that_are_listed_and_no_others() {
    let mut world = World::new();
    world.done(1, exit_address(5, &[]));
    world.commit_with(&[deposit(1, card()), deposit(1, card())], &[]);
    world.done(1, exit_address(6, &[item(2)]));
    let mut owners: Vec<_> = leaves(&world)[1..].iter().flatten().map(|l| l.1).collect();
    owners.sort();
    assert_eq!(owners, [owner(5), owner(6)]);
    let found = world.item(item(1)).unwrap().exit.unwrap().address;
    assert_eq!(found, Some(owner(5)), "the one not listed");
    let found = world.item(item(2)).unwrap().exit.unwrap().address;
    assert_eq!(found, Some(owner(6)), "the one listed");
}

#[test]
fn what_a_deal_locks_is_the_givers_until_it_is_taken() {
    let mut world = World::new();
    world.done(1, exit_address(5, &[]));
    world.done(2, exit_address(6, &[]));
    world.commit_with(&[deposit(1, card())], &[]);
    let mut gives = assets(100);
    gives.items = vec![item(1)];
    let deal = world.open(1, terms(gives, assets(1)));
    let [first, second] = [1, 2].map(|n| world.balance(user(n)));
    let before = [
        Some((native(first + 100), owner(5))),
        Some((native(second), owner(6))),
        Some((card(), owner(5))),
    ];
    assert_eq!(leaves(&world), before);
    // Cards that are locked can be listed: they come back to this account.
    world.done(1, exit_address(7, &[item(1)]));
    assert_eq!(leaves(&world)[2], Some((card(), owner(7))));
    world.done(2, take(deal, &[]));
    let [first, second] = [1, 2].map(|n| world.balance(user(n)));
    let after = [
        Some((native(first), owner(7))),
        Some((native(second), owner(6))),
        Some((card(), owner(6))),
    ];
    assert_eq!(leaves(&world), after);
}

#[test]
fn all_that_is_locked_has_a_leaf_when_an_address_is_named_and_when_it_comes_back() {
    let mut world = World::new();
    let token = BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(7),
    };
    world.commit_with(&[deposit(1, token)], &[]);
    let gives = weft_types::Bundle {
        assets: vec![weft_types::AssetAmount {
            asset: AssetId::erc20(COINS),
            amount: Amount(7),
        }],
        items: vec![],
    };
    let mut terms = terms(gives, assets(1));
    terms.expires = Millis(world.now + 10);
    world.open(1, terms);
    world.done(1, exit_address(5, &[]));
    assert_eq!(leaves(&world)[1], Some((token, owner(5))), "locked");
    world.tick(world.now + 10);
    assert_eq!(leaves(&world)[1], Some((token, owner(5))), "returned");
}

#[test]
fn what_is_anothers_or_did_not_come_over_the_bridge_cannot_be_listed() {
    let mut world = World::new();
    world.commit_with(&[deposit(1, card())], &[]);
    let own = world.items(2, 2, 1);
    let fails = [
        (vec![item(1)], FailureCode::NotOwner),
        (own, FailureCode::NotBridged),
        (vec![ItemId([1; 32])], FailureCode::NotFound),
    ];
    for (cards, code) in fails {
        assert_eq!(world.fails(2, exit_address(5, &cards)), code);
    }
    assert_eq!(leaves(&world), []);
    // Nor does a transaction that fails later name anything.
    world.commit_with(&[deposit(2, card())], &[]);
    world.failed(2, vec![exit_address(5, &[item(2)]), pay(1, u64::MAX)]);
    assert_eq!(leaves(&world), []);
    let account = world.get(ObjectId::Account(user(2)));
    let account = account.as_ref().and_then(Object::as_account).unwrap();
    assert_eq!(account.exit_address(), None);
}

#[test]
fn what_comes_and_goes_within_a_commit_takes_no_place() {
    let mut world = World::new();
    world.done(3, exit_address(7, &[]));
    world.commit_with(&[deposit(1, card())], &[]);
    let before = leaves(&world).len();
    let (there, back) = (
        world.signed(1, vec![send(3, &[item(1)])]),
        world.signed(3, vec![send(2, &[item(1)])]),
    );
    world.commit(&[there, back]);
    assert_eq!(leaves(&world).len(), before);
}

#[test]
fn every_leaf_is_proven_under_the_root_of_the_height_and_a_restart_makes_the_same_tree() {
    let mut world = World::new();
    for n in 1..6 {
        world.done(n, exit_address(n as u8, &[]));
    }
    world.commit_with(&[deposit(1, card()), deposit(2, card())], &[]);
    world.open(3, terms(assets(50), assets(1)));
    world.done(1, withdraw(cards(&[item(1)])));
    let root = world.close_height(false).exit_root;
    let trees = world.ledger.base_trees().clone();
    let mut proven = 0;
    for place in 0..world.ledger.bridge().exit_places {
        let siblings = trees.exits.prove(place);
        if let Some(exit) = trees.exits.get(place) {
            assert_eq!(exit.place, place);
            assert_eq!(tree_root_of(exit.leaf(), place, &siblings), root);
            proven += 1;
        }
    }
    assert_eq!(proven, 6, "five amounts and a card");
    let again = restart(&world);
    assert_eq!(again.base_trees().exits.root(), root);
    let withdrawals = world.ledger.bridge().withdrawals.root();
    assert_eq!(again.base_trees().withdrawals.root(), withdrawals);
}

#[test]
fn a_reading_of_the_trees_stays_as_it_is() {
    let mut world = World::new();
    world.done(1, exit_address(5, &[]));
    let held = world.ledger.base_trees().clone();
    let (root, exit) = (held.exits.root(), held.exits.get(0).copied());
    world.done(1, pay(2, 5));
    assert_ne!(world.ledger.base_trees().exits.root(), root);
    assert_eq!(
        (held.exits.root(), held.exits.get(0).copied()),
        (root, exit)
    );
}

#[test]
fn an_account_keeps_its_address_and_its_places_when_it_is_empty() {
    let mut world = World::new();
    let token = BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(7),
    };
    world.commit_with(&[deposit(20, token)], &[]);
    sponsored(&mut world, 20, exit_address(1, &[]));
    sponsored(&mut world, 20, pay_asset(2, AssetId::erc20(COINS), 7));
    let account = world.get(ObjectId::Account(user(20)));
    let account = account.as_ref().and_then(Object::as_account).unwrap();
    assert_eq!(account.balances().count(), 0);
    assert_eq!(account.exit_address(), Some(owner(1)));
    let again = Deposit {
        sender: owner(9),
        ..deposit(20, token)
    };
    world.commit_with(&[again], &[]);
    assert_eq!(leaves(&world), [Some((token, owner(1)))]);
    assert_eq!(
        restart(&world).base_trees().exits.root(),
        world.ledger.base_trees().exits.root()
    );
}

/// Changes come in the order of ids, and so may a new deal before the one whose amount it takes over.
#[test]
fn an_amount_that_goes_from_deal_to_deal_in_one_commit_is_never_counted_twice() {
    let mut world = World::new();
    let amount = Amount(u64::MAX - 5);
    let token = COINS;
    world.commit_with(&[deposit(20, native(1_000_000))], &[]);
    world.done(20, exit_address(1, &[]));
    world.commit_with(&[deposit(20, BaseAsset::Erc20 { token, amount })], &[]);
    let asset = AssetId::erc20(COINS);
    let gives = Bundle {
        assets: vec![AssetAmount { asset, amount }],
        items: vec![],
    };
    let terms = terms(gives, assets(1));
    let mut deal = world.open(20, terms.clone());
    for _ in 0..16 {
        let again = vec![cancel(deal), Operation::DealOpen(terms.clone())];
        let receipt = world.run(20, again);
        let created = receipt.created.iter().find_map(|id| match id {
            ObjectId::Deal(deal) => Some(*deal),
            _ => None,
        });
        deal = created.expect("it is done");
    }
    let held = leaves(&world).into_iter().flatten();
    let coins: Vec<_> = held
        .filter(|(a, _)| matches!(a, BaseAsset::Erc20 { .. }))
        .collect();
    assert_eq!(coins, [(BaseAsset::Erc20 { token, amount }, owner(1))]);
}
