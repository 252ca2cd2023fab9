//! The state tree in its plainest form: built from all leaves at once, by the definition. The
//! ledger's own tree must have the same roots and proofs.

use std::collections::BTreeMap;
use weft_types::{
    Root, StateKey, StateProof, empty_hash, key_bit, leaf_hash, node_hash, value_hash,
};

/// Leaves: the state keys with the values under them.
pub type Leaves = BTreeMap<StateKey, Vec<u8>>;

/// The leaves on either side of a node.
fn split(leaves: &Leaves, depth: usize) -> (Leaves, Leaves) {
    let (right, left) = leaves
        .iter()
        .map(|(key, value)| (*key, value.clone()))
        .partition(|(key, _)| key_bit(key, depth));
    (left, right)
}

fn hash(leaves: &Leaves, depth: usize) -> [u8; 32] {
    let mut all = leaves.iter();
    match (all.next(), all.next()) {
        (None, _) => empty_hash(),
        (Some((key, value)), None) => leaf_hash(key, &value_hash(value)),
        _ => {
            let (left, right) = split(leaves, depth);
            node_hash(&hash(&left, depth + 1), &hash(&right, depth + 1))
        }
    }
}

pub fn root(leaves: &Leaves) -> Root {
    Root(hash(leaves, 0))
}

/// The proof of what stands at `key`, present or not.
pub fn proof(leaves: &Leaves, key: &StateKey) -> StateProof {
    let mut siblings = Vec::new();
    let mut rest = leaves.clone();
    while rest.len() > 1 {
        let depth = siblings.len();
        let (left, right) = split(&rest, depth);
        let (path, sibling) = if key_bit(key, depth) {
            (right, left)
        } else {
            (left, right)
        };
        siblings.push(Root(hash(&sibling, depth + 1)));
        rest = path;
    }
    let end = rest.first_key_value().filter(|(found, _)| *found != key);
    StateProof {
        siblings,
        other: end.map(|(found, value)| (*found, Root(value_hash(value)))),
    }
}
