use super::*;
use weft_types::api::ItemState;
use weft_types::{
    EditionId, Item, ItemId, StateKey, StateProof, Statement, empty_hash, key_bit, leaf_hash,
    node_hash, testing, value_hash,
};

const CARD: ObjectId = ObjectId::Item(ItemId([7; 32]));

fn encoded_card() -> Bytes {
    let card = Item {
        status: "mint".to_owned(),
        ..Item::new(EditionId([3; 32]), 5, testing::user(1))
    };
    weft_types::Object::Item(card.into()).encode()
}

/// The root over a path that ends in `end`.
fn root(key: &StateKey, end: [u8; 32], siblings: &[Root]) -> Root {
    let up = |hash, (depth, sibling): (usize, &Root)| match key_bit(key, depth) {
        true => node_hash(&sibling.0, &hash),
        false => node_hash(&hash, &sibling.0),
    };
    Root(siblings.iter().enumerate().rev().fold(end, up))
}

/// A bundle under a certificate by these members.
fn bundle(value: Option<Bytes>, other: Option<(StateKey, Root)>, signers: &[usize]) -> ProofBundle {
    let key = CARD.state_key();
    let end = match (&value, &other) {
        (Some(value), _) => leaf_hash(&key, &value_hash(value)),
        (None, Some((key, value))) => leaf_hash(key, &value.0),
        (None, None) => empty_hash(),
    };
    let siblings = vec![Root([1; 32]), Root([2; 32]), Root([3; 32])];
    let statement = Statement {
        network: testing::genesis(4).network,
        state_root: root(&key, end, &siblings),
        ..testing::statement(9)
    };
    ProofBundle {
        object: CARD,
        value: value.map(hex::encode),
        proof: StateProof { siblings, other },
        certificate: testing::certify(&statement, signers).to_json(),
        kept: None,
    }
}

fn present() -> ProofBundle {
    bundle(Some(encoded_card()), None, &[0, 1, 3])
}

fn known() -> Committees {
    Committees::genesis(&testing::genesis(4)).unwrap()
}

fn text(bundle: &ProofBundle) -> String {
    serde_json::to_string_pretty(bundle).unwrap()
}

#[test]
fn a_proof_holds_with_the_genesis_alone() {
    let verified = verify_text(&text(&present()), &known()).unwrap();
    assert_eq!((verified.id, verified.height), (CARD, Height(9)));
    let Some(Object::Item(item)) = verified.object else {
        panic!("an item is proven");
    };
    assert_eq!((item.serial, item.state), (5, ItemState::Held));
    assert_eq!(item.owner, testing::user(1));
}

#[test]
fn absence_is_proven_by_an_empty_place_or_another_leaf_on_the_path() {
    let mut neighbour = CARD.state_key();
    neighbour.0[31] ^= 1;
    for other in [None, Some((neighbour, Root([8; 32])))] {
        let absent = bundle(None, other, &[1, 2, 3]);
        let verified = verify_text(&text(&absent), &known()).unwrap();
        assert_eq!(verified.object, None);
    }
}

#[test]
fn no_byte_of_a_proof_can_be_changed() {
    let known = known();
    let genuine = text(&present());
    for place in 0..genuine.len() {
        // The next character of its class, and the other letter case.
        for mask in [0x01, 0x20] {
            let mut bytes = genuine.clone().into_bytes();
            bytes[place] ^= mask;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            let found = verify_text(&changed, &known);
            assert!(found.is_err(), "byte {place} ^ {mask} of {genuine}");
        }
    }
}

#[test]
fn nothing_can_be_left_out_or_added() {
    let known = known();
    let genuine = serde_json::to_value(present()).unwrap();
    let fields: Vec<String> = genuine.as_object().unwrap().keys().cloned().collect();
    for field in fields {
        let mut without = genuine.clone();
        without.as_object_mut().unwrap().remove(&field);
        assert!(
            verify_text(&without.to_string(), &known).is_err(),
            "{field}"
        );
    }
    let mut more = genuine;
    more["certificate"]["statement"]["note"] = "hello".into();
    let refused = verify_text(&more.to_string(), &known);
    assert_eq!(refused, Err(VerifyError::NotCanonical));
}

#[test]
fn a_proof_of_presence_is_none_of_absence() {
    let mut bundle = present();
    bundle.value = None;
    let refused = verify(bundle, &known()).unwrap_err();
    assert!(matches!(refused, VerifyError::Proof(_)), "{refused}");
}

#[test]
fn two_of_four_members_prove_nothing() {
    let weak = bundle(Some(encoded_card()), None, &[0, 1]);
    let refused = verify(weak, &known()).unwrap_err();
    let quorum = CertificateError::Quorum {
        signed: 2,
        quorum: 3,
    };
    assert_eq!(refused, VerifyError::Certificate(quorum));
}

#[test]
fn a_proof_of_another_network_is_refused() {
    let mut genesis = testing::genesis(4);
    genesis.network.chain_id += 1;
    let other = Committees::genesis(&genesis).unwrap();
    let refused = verify(present(), &other).unwrap_err();
    assert!(refused.to_string().contains("network"), "{refused}");
    genesis.network.genesis.0[0] ^= 1;
    let refused = Committees::genesis(&genesis).unwrap_err();
    assert!(matches!(refused, VerifyError::Genesis(_)), "{refused}");
}

#[test]
fn a_value_that_is_certified_but_of_another_kind_is_refused() {
    let odd = bundle(Some(Bytes::from_static(b"\xff")), None, &[0, 1, 2]);
    let refused = verify(odd, &known()).unwrap_err();
    assert!(matches!(refused, VerifyError::Object { .. }), "{refused}");
}

#[test]
fn malformed_and_endless_texts_are_refused() {
    let known = known();
    for wrong in ["", "{}", "[]", "null", "{\"object\":1}"] {
        let refused = verify_text(wrong, &known);
        assert!(matches!(refused, Err(VerifyError::Malformed(_))), "{wrong}");
    }
    let endless = " ".repeat(BUNDLE_BYTES_MAX + 1);
    let refused = verify_text(&endless, &known);
    assert!(matches!(refused, Err(VerifyError::TooLong(_))));
}
