use super::*;

fn key(first: u8) -> StateKey {
    let mut key = [0; 32];
    key[0] = first;
    StateKey(key)
}

fn leaf(first: u8, value: &[u8]) -> [u8; 32] {
    leaf_hash(&key(first), &value_hash(value))
}

/// Leaves at 00..., 01... and 1...; what is under 1 is a leaf of its own.
fn tree() -> (Root, StateProof, StateProof) {
    let low = node_hash(&leaf(0b0000_0000, b"a"), &leaf(0b0100_0000, b"b"));
    let high = leaf(0b1000_0000, b"c");
    let presence = StateProof {
        siblings: vec![Root(high), Root(leaf(0b0000_0000, b"a"))],
        other: None,
    };
    let absence = StateProof {
        siblings: vec![Root(low)],
        other: Some((key(0b1000_0000), Root(value_hash(b"c")))),
    };
    (Root(node_hash(&low, &high)), presence, absence)
}

#[test]
fn presence_is_proven_with_its_value_only() {
    let (root, proof, _) = tree();
    let key = key(0b0100_0000);
    assert_eq!(proof.verify(&root, &key, Some(b"b")), Ok(()));
    assert!(proof.verify(&root, &key, Some(b"x")).is_err());
    assert!(proof.verify(&root, &key, None).is_err());
}

#[test]
fn absence_is_proven_by_another_leaf_on_the_path_only() {
    let (root, _, proof) = tree();
    assert_eq!(proof.verify(&root, &key(0b1100_0000), None), Ok(()));
    let off_path = proof.verify(&root, &key(0b0010_0000), None);
    assert_eq!(off_path, Err(ProofError::OtherLeaf));
    let itself = proof.verify(&root, &key(0b1000_0000), None);
    assert_eq!(itself, Err(ProofError::OtherLeaf));
}

#[test]
fn an_empty_tree_proves_absence_and_its_root_is_not_zero() {
    let root = Root(empty_hash());
    let proof = StateProof {
        siblings: vec![],
        other: None,
    };
    assert!(!root.is_zero());
    assert_eq!(proof.verify(&root, &key(1), None), Ok(()));
    assert!(proof.verify(&root, &key(1), Some(b"v")).is_err());
}

#[test]
fn a_proof_longer_than_the_key_is_refused() {
    let (root, mut proof, _) = tree();
    proof.siblings = vec![Root::ZERO; 257];
    let error = proof.verify(&root, &key(0), Some(b"a"));
    assert_eq!(error, Err(ProofError::TooLong(257)));
}

#[test]
fn a_proof_survives_its_wire_form() {
    let (_, presence, absence) = tree();
    for proof in [presence, absence] {
        let wire = wire::StateProof::from(&proof);
        assert_eq!(StateProof::try_from(&wire), Ok(proof));
    }
}

#[test]
fn the_same_bytes_as_different_kinds_have_different_keys() {
    let item = ObjectId::Item(ItemId([1; 32]));
    let deal = ObjectId::Deal(DealId([1; 32]));
    assert_ne!(item.state_key(), deal.state_key());
    for id in [item, deal] {
        assert_eq!(ObjectId::from_parts(id.kind(), id.bytes()), Some(id));
    }
    assert_eq!(ObjectId::from_parts(99, &[0; 32]), None);
}

#[test]
fn ids_derive_from_all_their_parts() {
    let (creator, other) = (Address([1; 32]), Address([2; 32]));
    let collection = CollectionId::derive(&creator, &[0; 16], 0);
    assert_ne!(collection, CollectionId::derive(&other, &[0; 16], 0));
    assert_ne!(collection, CollectionId::derive(&creator, &[1; 16], 0));
    assert_ne!(collection, CollectionId::derive(&creator, &[0; 16], 1));
    let edition = EditionId::derive(&collection, 1);
    assert_ne!(edition, EditionId::derive(&collection, 2));
    let item = ItemId::derive(&edition, 1);
    assert_ne!(item, ItemId::derive(&edition, 2));
    assert_ne!(item, ItemId::derive(&EditionId::derive(&collection, 2), 1));
    let deal = DealId::derive(&TransactionId([1; 32]), 0);
    assert_ne!(deal, DealId::derive(&TransactionId([1; 32]), 1));
    assert_ne!(deal, DealId::derive(&TransactionId([2; 32]), 0));
}

#[test]
fn an_object_id_survives_its_bytes() {
    let id = ObjectId::Deal(DealId([7; 32]));
    assert_eq!(ObjectId::from_bytes(&id.to_bytes()), Some(id));
    assert_eq!(ObjectId::from_bytes(&id.to_bytes()[..32]), None);
    assert_eq!(ObjectId::from_bytes(&[]), None);
}
