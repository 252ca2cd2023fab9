//! B1: deposits are credited once, when a quorum has reported the same; what leaves is a leaf for good.

use crate::world::*;
use weft_types::testing::user;
use weft_types::{
    Amount, AssetId, BaseAsset, CollectionId, DEPOSITS_MAX, Deposit, EditionId, FailureCode,
    FeedReport, ItemId, Object, ObjectId, Observation, Root, Withdrawal, WithdrawalId,
};

fn native(to: u64, amount: u64) -> Deposit {
    let amount = Amount(amount);
    deposit(to, BaseAsset::Native { amount })
}

fn card(to: u64) -> Deposit {
    let id = card_number(0);
    deposit(to, BaseAsset::Erc721 { token: CARDS, id })
}

fn says(member: u64, report: FeedReport) -> Said {
    let said = Observation {
        report: Some(report),
        ..Observation::default()
    };
    (member, said)
}

fn brings(deposits: &[Deposit]) -> Said {
    let said = Observation {
        deposits: deposits.to_vec(),
        ..Observation::default()
    };
    (4, said)
}

fn withdrawal(world: &World, index: u64) -> Withdrawal {
    let found = world.get(ObjectId::Withdrawal(WithdrawalId::new(index)));
    **found
        .as_ref()
        .and_then(Object::as_withdrawal)
        .expect("there is one")
}

#[test]
fn coin_a_token_and_a_card_are_credited() {
    let mut world = World::new();
    let before = world.balance(user(1));
    let amount = Amount(7);
    let token = BaseAsset::Erc20 {
        token: COINS,
        amount,
    };
    let deposits = [native(1, 5), deposit(1, token), card(2)];
    let applied = world.commit_with(&deposits, &[]);
    assert_eq!(applied.deposits, deposits);
    assert_eq!(world.balance(user(1)), before + 5);
    let account = world.get(ObjectId::Account(user(1))).unwrap();
    let account = account.as_account().unwrap();
    assert_eq!(account.balance(&AssetId::erc20(COINS)), amount);
    let edition = EditionId::erc721(CARDS, &card_number(0));
    assert_eq!(world.owner(ItemId::derive(&edition, 1)), user(2));
    assert_eq!(world.ledger.bridge().deposits.processed, 3);
}

#[test]
fn less_than_a_quorum_credits_nothing() {
    let mut world = World::new();
    let deposits = [native(1, 5)];
    let report = world.report(&deposits);
    // The same member twice is one member; somebody who is none is nobody.
    let few = [
        says(1, report),
        says(1, report),
        says(2, report),
        says(99, report),
    ];
    world.observe(&few, &[]);
    world.observe(&[brings(&deposits)], &[]);
    assert_eq!(world.ledger.bridge().deposits.agreed, None);
    assert_eq!(world.ledger.bridge().deposits.processed, 0);

    world.observe(&[says(3, report)], &[]);
    assert_eq!(world.ledger.bridge().deposits.agreed, Some(report));
    let applied = world.observe(&[brings(&deposits)], &[]);
    assert_eq!(applied.deposits, deposits);
}

#[test]
fn reports_that_differ_do_not_add_up() {
    let mut world = World::new();
    let report = world.report(&[native(1, 5)]);
    let other = world.report(&[native(2, 5)]);
    world.observe(
        &[
            says(1, report),
            says(2, report),
            says(3, other),
            says(4, other),
        ],
        &[],
    );
    assert_eq!(world.ledger.bridge().deposits.agreed, None);
    // A member's newest report is the one that counts.
    world.observe(&[says(3, report)], &[]);
    assert_eq!(world.ledger.bridge().deposits.agreed, Some(report));
}

#[test]
fn deposits_are_credited_once_and_only_those_agreed() {
    let mut world = World::new();
    let deposits = [native(1, 5)];
    world.commit_with(&deposits, &[]);
    let balance = world.balance(user(1));
    for again in [
        &deposits[..],
        &[native(1, 6)],
        &[native(1, 5), native(1, 5)],
    ] {
        let applied = world.observe(&[brings(again)], &[]);
        assert_eq!((applied.deposits, applied.changes), (vec![], vec![]));
    }
    assert_eq!(world.balance(user(1)), balance);
}

#[test]
fn the_next_deposits_follow_when_members_were_ahead() {
    let mut world = World::new();
    let all = [native(1, 5), native(1, 6)];
    let (first, both) = (world.report(&all[..1]), world.report(&all));
    let reports = [says(1, first), says(2, first), says(3, first)];
    world.observe(&reports, &[]);
    world.observe(&[says(1, both), says(2, both), says(3, both)], &[]);
    assert_eq!(
        world.ledger.bridge().deposits.agreed,
        Some(first),
        "one thing at a time"
    );
    world.observe(&[brings(&all[..1])], &[]);
    assert_eq!(
        world.ledger.bridge().deposits.agreed,
        Some(both),
        "nobody has to say it again"
    );
    world.observe(&[brings(&all[1..])], &[]);
    assert_eq!(world.ledger.bridge().deposits.processed, 2);
}

#[test]
fn reports_of_nothing_new_or_of_too_much_are_not_kept() {
    let mut world = World::new();
    let digest = Root([1; 32]);
    for count in [0, DEPOSITS_MAX + 1, u64::MAX] {
        let applied = world.observe(&[says(1, FeedReport { count, digest })], &[]);
        assert_eq!(applied.changes, vec![], "{count}");
    }
}

#[test]
fn a_card_that_comes_again_is_another_item_of_its_edition() {
    let mut world = World::new();
    let edition = EditionId::erc721(CARDS, &card_number(0));
    for serial in 1..=2 {
        world.commit_with(&[card(1)], &[]);
        let item = ItemId::derive(&edition, serial);
        assert_eq!(world.owner(item), user(1));
        world.done(1, send(2, &[item]));
        world.done(2, withdraw(cards(&[item])));
        assert_eq!(world.item(item), None, "it has left");
        let left = withdrawal(&world, serial - 1);
        assert_eq!((left.asset, left.account), (card(1).asset, user(2)));
    }
    let collection = world.get(ObjectId::Collection(CollectionId::erc721(CARDS)));
    let collection = collection.as_ref().and_then(Object::as_collection).unwrap();
    assert_eq!((collection.editions, collection.issued), (1, 2));
}

#[test]
fn withdrawals_are_leaves_in_their_order_under_the_root_of_the_height() {
    let mut world = World::new();
    let empty = world.close_height(false).withdrawals_root;
    assert_eq!(empty, weft_types::AppendTree::default().root());
    world.done(1, withdraw(assets(5)));
    world.done(2, withdraw(assets(6)));
    let leaves = [0, 1].map(|i| withdrawal(&world, i).leaf());
    let mut tree = weft_types::AppendTree::default();
    leaves.into_iter().for_each(|leaf| tree.push(leaf));
    assert_eq!(world.close_height(false).withdrawals_root, tree.root());
}

#[test]
fn what_did_not_come_over_the_bridge_does_not_leave_by_it() {
    let mut world = World::new();
    let own = world.items(1, 1, 1);
    assert_eq!(
        world.fails(1, withdraw(cards(&own))),
        FailureCode::NotBridged
    );
    let other = weft_types::Bundle {
        assets: vec![weft_types::AssetAmount {
            asset: AssetId([7; 32]),
            amount: Amount(1),
        }],
        items: vec![],
    };
    assert_eq!(world.fails(1, withdraw(other)), FailureCode::NotBridged);
}

#[test]
fn l17_a_contract_of_the_network_is_nobodys_recipient_and_no_exit_address() {
    let mut world = World::new();
    world.commit_with(&[card(1)], &[]);
    let given = || weft_types::Bundle {
        assets: vec![weft_types::AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(5),
        }],
        items: vec![],
    };
    for contract in CONTRACTS {
        let to = weft_types::Operation::Withdraw {
            recipient: contract,
            gives: given(),
        };
        let named = weft_types::Operation::ExitAddress {
            address: contract,
            items: vec![],
        };
        for operation in [to, named] {
            let signed = world.signed(1, vec![operation]);
            let applied = world.commit_with(&[], &[signed]);
            let failure = applied.receipts[0].failure.map(|f| f.code);
            assert_eq!(failure, Some(FailureCode::ContractAddress));
        }
    }
    assert_eq!(world.ledger.bridge().withdrawals.count(), 0);
    world.done(1, withdraw(given()));
    assert_eq!(world.ledger.bridge().withdrawals.count(), 1);
}

#[test]
fn nobody_makes_an_edition_that_passes_for_a_card_of_the_base_chain() {
    let mut world = World::new();
    world.commit_with(&[card(1)], &[]);
    let (collection, _) = world.edition(2, 5);
    let mut terms = weft_types::erc721_edition(CARDS, &card_number(0));
    terms.collection = collection;
    let receipt = world.done(2, weft_types::Operation::CreateEdition(terms));
    let [ObjectId::Edition(edition)] = receipt.created[..] else {
        panic!("one edition: {:?}", receipt.created);
    };
    let forged = items_of(&world.done(2, mint(edition, 2, 1)));
    assert_eq!(
        world.fails(2, withdraw(cards(&forged))),
        FailureCode::NotBridged
    );
    // And nobody has the key of the creator of the true one.
    let true_one = EditionId::erc721(CARDS, &card_number(0));
    assert_eq!(world.fails(2, mint(true_one, 2, 1)), FailureCode::NoRole);
    let collection = CollectionId::erc721(CARDS);
    let lay_down = set_policy(collection, policy(|p| p.personal = true));
    assert_eq!(world.fails(2, lay_down), FailureCode::NotCreator);
}

#[test]
fn what_another_holds_or_a_deal_locks_does_not_leave() {
    let mut world = World::new();
    world.commit_with(&[card(1)], &[]);
    let item = ItemId::derive(&EditionId::erc721(CARDS, &card_number(0)), 1);
    assert_eq!(
        world.fails(2, withdraw(cards(&[item]))),
        FailureCode::NotOwner
    );
    world.open(1, terms(cards(&[item]), assets(1)));
    assert_eq!(
        world.fails(1, withdraw(cards(&[item]))),
        FailureCode::ItemLocked
    );
    let all = withdraw(assets(u64::MAX));
    assert_eq!(world.fails(1, all), FailureCode::InsufficientBalance);
    assert_eq!(world.ledger.bridge().withdrawals.count(), 0);
}
