use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use weft_types::{Account, Address, Amount, AssetId};

/// Roots and proofs are over keys alone.
const ID: ObjectId = ObjectId::Account(Address([0; 32]));

fn account(amount: u64) -> Object {
    let mut account = Account::default();
    account.set(AssetId::NATIVE, Amount(amount));
    Object::Account(Arc::new(account))
}

/// Keys that share long prefixes as often as not.
fn key(n: u16) -> StateKey {
    let mut key = [0; 32];
    key[0] = (n >> 12) as u8;
    key[17] = (n >> 8 & 15) as u8;
    key[31] = n as u8;
    StateKey(key)
}

fn root_of(leaves: &BTreeMap<StateKey, Object>) -> Root {
    fn hash(leaves: &[(&StateKey, &Object)], depth: usize) -> Hash {
        match leaves {
            [] => empty_hash(),
            [(key, object)] => leaf_hash(key, &value_hash(&object.encode())),
            _ => {
                let split = leaves.partition_point(|(key, _)| !key_bit(key, depth));
                let (left, right) = leaves.split_at(split);
                node_hash(&hash(left, depth + 1), &hash(right, depth + 1))
            }
        }
    }
    Root(hash(&leaves.iter().collect::<Vec<_>>(), 0))
}

/// One change to a tree: a key, and its new value or none.
fn changes() -> impl Strategy<Value = Vec<(u16, Option<u64>)>> {
    prop::collection::vec((any::<u16>(), prop::option::of(1..5u64)), 0..60)
}

fn apply(tree: &mut Tree, leaves: &mut BTreeMap<StateKey, Object>, changes: &[(u16, Option<u64>)]) {
    for (n, value) in changes {
        match value {
            Some(value) => {
                tree.insert(key(n % 300), ID, account(*value));
                leaves.insert(key(n % 300), account(*value));
            }
            None => {
                tree.remove(&key(n % 300));
                leaves.remove(&key(n % 300));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_root_is_that_of_a_recomputation_however_the_tree_came_about(
        batches in prop::collection::vec(changes(), 1..5),
    ) {
        let (mut tree, mut leaves) = (Tree::default(), BTreeMap::new());
        let mut kept = Vec::new();
        for batch in &batches {
            apply(&mut tree, &mut leaves, batch);
            kept.push((tree.clone(), leaves.clone()));
            prop_assert_eq!(tree.root(), root_of(&leaves));
        }
        for (tree, leaves) in kept {
            prop_assert_eq!(tree.root(), root_of(&leaves));
        }
    }

    #[test]
    fn every_key_is_proven_present_or_absent(batch in changes()) {
        let (mut tree, mut leaves) = (Tree::default(), BTreeMap::new());
        apply(&mut tree, &mut leaves, &batch);
        let root = tree.root();
        for n in 0..300 {
            let (object, proof) = tree.prove(&key(n));
            prop_assert_eq!(object, leaves.get(&key(n)));
            prop_assert_eq!(object, tree.get(&key(n)));
            let value = object.map(Object::encode);
            prop_assert_eq!(proof.verify(&root, &key(n), value.as_deref()), Ok(()));
            let wrong = account(9).encode();
            prop_assert!(proof.verify(&root, &key(n), Some(&wrong)).is_err());
            if value.is_some() {
                prop_assert!(proof.verify(&root, &key(n), None).is_err());
            }
        }
    }
}

#[test]
fn keys_that_differ_in_the_last_bit_alone_are_told_apart() {
    let mut tree = Tree::default();
    let (mut even, mut odd) = ([7; 32], [7; 32]);
    (even[31], odd[31]) = (6, 7);
    let (even, odd) = (StateKey(even), StateKey(odd));
    tree.insert(even, ID, account(1));
    tree.insert(odd, ID, account(2));
    let (object, proof) = tree.prove(&odd);
    assert_eq!(object, Some(&account(2)));
    assert_eq!(proof.siblings.len(), weft_types::PROOF_SIBLINGS_MAX);
    let value = account(2).encode();
    assert_eq!(proof.verify(&tree.root(), &odd, Some(&value)), Ok(()));
    tree.remove(&odd);
    let alone = tree.prove(&even).1;
    assert!(alone.siblings.is_empty());
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let mut tree = Tree::default();
    tree.remove(&key(1));
    assert_eq!(tree.root(), Root(empty_hash()));
    tree.insert(key(1), ID, account(1));
    tree.insert(key(2), ID, account(2));
    let root = tree.root();
    tree.remove(&key(3));
    assert_eq!(tree.root(), root);
}
