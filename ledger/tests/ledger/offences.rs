//! V8: an offence that is ordered convicts its author, once an epoch, in the state and in every statement.

use crate::world::World;
use weft_ledger::Ledger;
use weft_types::testing::offence;
use weft_types::{CommitIndex, Epoch, Object, ObjectId, Offender, OffendersId, Root, Round};

/// Ids of the committee of tests are a member's place plus one.
fn offender(author: u64, round: u64, commit: u64) -> Offender {
    Offender {
        id: author + 1,
        epoch: Epoch::ZERO,
        round: Round(round),
        commit: CommitIndex(commit),
    }
}

#[test]
fn v8_the_first_proof_that_is_ordered_convicts_and_the_next_does_not() {
    let mut world = World::new();
    let (first, second) = ([offence(2, 9), offence(3, 4)], [offence(2, 5)]);
    let applied = world.prove(&[&first, &second]);
    let expected = [offender(2, 9, 1), offender(3, 4, 1)];
    assert_eq!(applied.convicted, expected);
    let again = world.prove(&[&second]);
    assert_eq!((again.convicted, again.changes), (vec![], vec![]));
    assert_eq!(world.ledger.offenders().list(), expected);
}

#[test]
fn v8_f1_a_conviction_makes_a_height_whose_statement_has_the_root() {
    let mut world = World::new();
    let nobody = world.close_height(true).offenders_root;
    assert_ne!(nobody, Root::ZERO);
    assert!(!world.ledger.meta().changed);
    world.prove(&[&[offence(1, 3)]]);
    assert!(world.ledger.meta().changed);
    let roots = world.close_height(true);
    assert_ne!(roots.offenders_root, nobody);
    assert_eq!(roots.offenders_root, world.ledger.offenders().root());
    let id = ObjectId::Offenders(OffendersId::THE_ONE);
    let object = world.get(id).unwrap();
    let held = object.as_offenders().unwrap();
    assert_eq!(held.root(), roots.offenders_root);
}

#[test]
fn v8_a_restart_knows_the_convicted_and_goes_on_alike() {
    let mut world = World::new();
    let applied = world.prove(&[&[offence(0, 7)]]);
    let objects = applied.changes.iter().filter_map(|change| {
        let after = change.after.as_ref()?;
        Some((change.id, Object::encode(after)))
    });
    let (params, meta) = (world.ledger.params().clone(), world.ledger.meta());
    let restored = Ledger::restore(&params, meta, objects.collect::<Vec<_>>(), []).unwrap();
    assert_eq!(restored.offenders(), world.ledger.offenders());
    world.ledger = restored;
    let again = world.prove(&[&[offence(0, 8), offence(1, 2)]]);
    assert_eq!(again.convicted, [offender(1, 2, 2)]);
}
