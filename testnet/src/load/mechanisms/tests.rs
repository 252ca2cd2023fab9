use super::*;
use crate::load::accounts::{player, players};
use std::collections::BTreeSet;
use weft_types::ed25519::SecretKey;
use weft_types::testing::{availability_certificate, genesis};

fn network() -> NetworkId {
    genesis(4).network.id()
}

fn lane(items: u64) -> Mechanisms {
    let source = SecretKey::from_seed([7; 32]);
    let maker = player(&source, "maker", 0);
    let edition = Default::default();
    let claim = claim(Epoch::ZERO, b"data", Millis(u64::MAX / 2));
    let stock = Stock {
        maker,
        items: (1..=items).map(|n| ItemId::derive(&edition, n)).collect(),
        players: players(&source, "party", 7),
        wards: players(&source, "ward", 2),
        posts: vec![availability_certificate(claim, &[0, 1, 2])],
    };
    Mechanisms::new(network(), stock, Pools::default(), (2.0, 1))
}

fn name(operation: &Operation) -> String {
    let json = serde_json::to_value(operation).unwrap();
    json["type"].as_str().unwrap().to_owned()
}

#[test]
fn every_kind_comes_in_turn_and_each_step_names_the_one_before() {
    let draft = Draft::new(&genesis(4));
    let mut lane = lane(items(300));
    let mut seen = BTreeSet::new();
    let mut waits = 0;
    for place in 0..300 {
        let (transaction, after) = lane.next(place, &draft);
        assert!(after.iter().all(|before| *before < place), "{after:?}");
        waits += after.len();
        let body = transaction.body();
        seen.extend(body.operations.iter().flat_map(Operation::parts).map(name));
        let verified = transaction.verify(network());
        assert!(verified.is_ok(), "{verified:?}");
    }
    assert!(waits > 150, "{waits}");
    let kinds = [
        "burn",
        "channel_challenge",
        "channel_close",
        "deal_cancel",
        "deal_open",
        "deal_take",
        "exit_address",
        "freeze",
        "pass_pack",
        "post_data",
        "recover",
        "reveal",
        "set_keys",
        "transfer",
        "void",
        "voucher_issue",
        "voucher_open",
        "voucher_spend",
        "withdraw",
    ];
    assert_eq!(seen, kinds.map(str::to_owned).into());
    assert!(!lane.pools.named().is_empty());
}

#[test]
fn what_lacks_its_stock_is_passed_over() {
    let draft = Draft::new(&genesis(4));
    let mut lane = lane(0);
    lane.posts.clear();
    lane.wards.clear();
    for place in 0..100 {
        let (transaction, _) = lane.next(place, &draft);
        let operation = name(&transaction.body().operations[0]);
        assert!(!["freeze", "post_data", "set_keys"].contains(&&operation[..]));
    }
}

/// [`ROUND`] and [`ITEMS`] are what a round takes.
#[test]
fn a_round_is_as_long_as_is_said() {
    let draft = Draft::new(&genesis(4));
    let mut lane = lane(ITEMS);
    let mut place = 0;
    for kind in KINDS {
        let mut story = kind(&mut lane, Millis(1_000));
        while let Some(told) = story.take() {
            let (_, then) = told.go_on(place, &draft);
            place += 1;
            if let Then::GoesOn(rest) = then {
                story = Some(*rest);
            }
        }
    }
    // A hash lock has one less when it is left to expire.
    assert!([ROUND, ROUND - 1].contains(&place), "{place}");
    assert_eq!(lane.items.len(), 0);
}
