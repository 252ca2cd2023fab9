use crate::world::*;
use weft_ledger::{Ledger, LedgerError, Snapshot};
use weft_types::testing::user;
use weft_types::{
    Amount, CommitIndex, DealState, Item, ItemState, Object, ObjectId, Receipt, Template, list_root,
};

/// A ledger after some of everything, with the receipts of its history.
fn history() -> (World, Vec<Receipt>) {
    let mut world = World::new();
    let mut receipts = Vec::new();
    let items = world.items(0, 1, 3);
    let deal = world.open(1, terms(cards(&items[..1]), assets(7)));
    world.close_height(false);
    for step in 0..5 {
        world.now += 100;
        let transactions = [
            world.signed(2, vec![pay(3, 10 + step)]),
            world.signed(1, vec![send(4, &items[1..2])]),
        ];
        receipts.extend(world.commit(&transactions).receipts);
    }
    let taken = world.signed(5, vec![take(deal, &[])]);
    receipts.extend(world.commit(&[taken]).receipts);
    let open = world.signed(
        1,
        vec![weft_types::Operation::DealOpen(terms(
            cards(&items[2..]),
            assets(9),
        ))],
    );
    receipts.extend(world.commit(&[open]).receipts);
    (world, receipts)
}

/// What a store would hold: the sum of all changes.
fn objects(snapshot: &Snapshot, ids: &[ObjectId]) -> Vec<(ObjectId, bytes::Bytes)> {
    let found = ids.iter().filter_map(|id| Some((*id, snapshot.get(id)?)));
    found.map(|(id, object)| (id, object.encode())).collect()
}

#[test]
fn genesis_hands_out_the_accounts_as_changes() {
    let template: Template = template();
    let (mut ledger, changes) = Ledger::genesis(&template).unwrap();
    assert_eq!(changes.len(), template.accounts.len());
    let snapshot = ledger.snapshot();
    for change in &changes {
        assert_eq!(change.before, None);
        assert_eq!(snapshot.get(&change.id), change.after);
    }
    let roots = ledger.close_height(false, &mut vec![]);
    assert_eq!(roots.state_root, snapshot.root());
    assert_eq!(roots.receipts_root, list_root([]));
}

#[test]
fn every_object_and_every_absence_is_proven_under_the_heights_root() {
    let (mut world, _) = history();
    let root = world.close_height(false).state_root;
    let snapshot = world.ledger.snapshot();
    assert_eq!(snapshot.root(), root);
    for i in [0, 1, 2, 99] {
        let id = ObjectId::Account(user(i));
        let (value, proof) = snapshot.prove(&id);
        assert_eq!(value.is_some(), i != 99);
        let key = id.state_key();
        assert_eq!(proof.verify(&root, &key, value.as_deref()), Ok(()));
        assert!(proof.verify(&root, &key, Some(b"forged")).is_err());
    }
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let mut world = World::new();
    let before = world.ledger.snapshot();
    let root = before.root();
    world.done(0, pay(1, 5));
    world.close_height(false);
    let after = world.ledger.snapshot();
    let id = ObjectId::Account(user(1));
    let balance = |s: &Snapshot| {
        let account = s.get(&id).unwrap();
        account
            .as_account()
            .unwrap()
            .balance(&weft_types::AssetId::NATIVE)
    };
    assert_eq!(
        (balance(&before), balance(&after)),
        (Amount(1_000_000), Amount(1_000_005))
    );
    assert_eq!(before.root(), root);
    assert_ne!(after.root(), root);
    assert_eq!(
        (before.index(), after.index()),
        (CommitIndex(0), CommitIndex(1))
    );
}

#[test]
fn snapshots_are_read_from_other_threads_while_execution_goes_on() {
    let mut world = World::new();
    let snapshot = world.ledger.snapshot();
    let root = snapshot.root();
    let reader = std::thread::spawn(move || {
        let ids = (0..10).map(|i| ObjectId::Account(user(i)));
        ids.cycle().take(2_000).all(|id| {
            let (value, proof) = snapshot.prove(&id);
            proof
                .verify(&root, &id.state_key(), value.as_deref())
                .is_ok()
        })
    });
    for i in 0..50 {
        world.done(i % 10, pay((i + 1) % 10, 5));
        world.close_height(false);
    }
    assert!(reader.join().unwrap());
}

#[test]
fn the_receipts_root_is_over_the_receipts_since_the_last_height() {
    let (mut world, receipts) = history();
    let encoded: Vec<_> = receipts.iter().map(Receipt::encode).collect();
    let expected = list_root(encoded.iter().map(|r| r.as_ref()));
    assert_eq!(world.close_height(false).receipts_root, expected);
    assert_eq!(world.close_height(false).receipts_root, list_root([]));
}

#[test]
fn a_height_is_due_after_a_receipt_or_an_expiry_only() {
    let mut world = World::new();
    assert!(!world.ledger.meta().changed);
    let poor = world.signed(50, vec![pay(1, 5)]);
    world.refused(poor);
    assert!(!world.ledger.meta().changed);
    let deal = terms(assets(5), assets(6));
    world.open(
        0,
        weft_types::NewDeal {
            expires: weft_types::Millis(9_000),
            ..deal
        },
    );
    assert!(world.ledger.meta().changed);
    world.close_height(false);
    assert!(!world.ledger.meta().changed);
    world.tick(8_999);
    assert!(!world.ledger.meta().changed);
    world.tick(9_000);
    assert!(world.ledger.meta().changed);
}

#[test]
fn the_same_commits_make_the_same_ledger() {
    let (mut one, receipts) = history();
    let (mut other, same) = history();
    assert_eq!(receipts, same);
    assert_eq!(one.close_height(false), other.close_height(false));
}

/// Everything that can be in the state of `history`.
fn ids(world: &World, receipts: &[Receipt]) -> Vec<ObjectId> {
    let accounts = (0..10).map(|i| ObjectId::Account(user(i)));
    let pool = ObjectId::Account(weft_types::Address::FEE_POOL);
    let mut ids: Vec<ObjectId> = accounts.chain([pool]).collect();
    ids.extend(receipts.iter().flat_map(|r| r.created.clone()));
    let collection = weft_types::CollectionId::derive(&user(0), &idempotency(1), 0);
    let edition = weft_types::EditionId::derive(&collection, 1);
    ids.push(ObjectId::Collection(collection));
    ids.push(ObjectId::Edition(edition));
    ids.extend((1..=3).map(|s| ObjectId::Item(weft_types::ItemId::derive(&edition, s))));
    assert!(world.get(ObjectId::Edition(edition)).is_some());
    ids
}

fn idempotency(nonce: u64) -> [u8; 16] {
    weft_types::testing::body(0, nonce, vec![]).idempotency
}

#[test]
fn a_restored_ledger_goes_on_as_the_original() {
    let (mut original, receipts) = history();
    let stored = objects(&original.ledger.snapshot(), &ids(&original, &receipts));
    let meta = original.ledger.meta();
    let params = original.ledger.params().clone();
    let mut restored = World::new();
    restored.ledger = Ledger::restore(&params, meta, stored, receipts).unwrap();
    assert_eq!(restored.ledger.meta(), meta);
    assert_eq!(
        restored.ledger.snapshot().root(),
        original.ledger.snapshot().root()
    );

    // A payment, and in the end the payment again and the expiry of the deal still open.
    original.now += 10;
    let fresh = original.signed(6, vec![pay(7, 1)]);
    for now in [original.now, 2_000_000] {
        let index = original.ledger.meta().index.next();
        let now = weft_types::Millis(now);
        let first = original.ledger.apply(index, now, [&fresh]);
        let second = restored.ledger.apply(index, now, [&fresh]);
        assert_eq!(first, second);
    }
    assert_eq!(original.close_height(false), restored.close_height(false));
}

#[test]
fn a_restored_ledger_remembers_the_outcomes_inside_the_window() {
    let mut world = World::new();
    let transaction = world.signed(0, vec![pay(1, 5)]);
    let receipt = world.run_signed(transaction.clone());
    let meta = world.ledger.meta();
    let params = world.ledger.params().clone();
    let mut ids: Vec<_> = (0..10).map(|i| ObjectId::Account(user(i))).collect();
    ids.push(ObjectId::Account(weft_types::Address::FEE_POOL));
    let stored = objects(&world.ledger.snapshot(), &ids);
    world.ledger = Ledger::restore(&params, meta, stored, [receipt]).unwrap();
    assert!(world.ledger.remembers(&transaction));
    assert_eq!(world.refused(transaction), weft_ledger::Refusal::Replayed);
}

#[test]
fn what_cannot_be_part_of_a_state_is_not_restored() {
    let (world, receipts) = history();
    let (params, meta) = (world.ledger.params(), world.ledger.meta());
    let restore = |object: (ObjectId, Object)| {
        let stored = [(object.0, object.1.encode())];
        Ledger::restore(params, meta, stored, []).err().unwrap()
    };
    let ids = ids(&world, &receipts);
    let item = ids.iter().find_map(|id| match world.get(*id)? {
        Object::Item(item) => Some((*id, item)),
        _ => None,
    });
    let (id, item) = item.unwrap();
    let burned = Item {
        state: ItemState::Burned,
        ..Item::clone(&item)
    };
    let refused = restore((id, Object::Item(burned.into())));
    assert_eq!(refused, LedgerError::Retired(id));
    let deal = ids.iter().find_map(|id| match world.get(*id)? {
        Object::Deal(deal) => Some((*id, deal)),
        _ => None,
    });
    let (id, deal) = deal.unwrap();
    let closed = weft_types::Deal {
        state: DealState::Expired,
        ..weft_types::Deal::clone(&deal)
    };
    let refused = restore((id, Object::Deal(closed.into())));
    assert_eq!(refused, LedgerError::Retired(id));
    let id = ObjectId::Account(user(1));
    let refused = restore((id, Object::Account(std::sync::Arc::default())));
    assert_eq!(refused, LedgerError::Retired(id));

    let noise = [(id, bytes::Bytes::from_static(&[0xff; 4]))];
    let refused = Ledger::restore(params, meta, noise, []).err().unwrap();
    assert!(matches!(refused, LedgerError::Object { .. }), "{refused}");
    let mut late = receipts[0].clone();
    late.commit = meta.index.next();
    let refused = Ledger::restore(params, meta, [], [late]).err().unwrap();
    assert!(matches!(refused, LedgerError::Receipt { .. }), "{refused}");
}
