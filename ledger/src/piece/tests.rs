use super::*;
use crate::tree::Tree;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::{Account, Address, Amount, AssetId, Object};

type Change<'a> = &'a dyn Fn(&mut Vec<(ObjectId, Bytes)>);

/// Small, so that trees of some dozens of accounts split several times.
const BYTES_MAX: usize = 400;

fn account(n: u64) -> (ObjectId, Object) {
    let mut address = [7; 32];
    address[..8].copy_from_slice(&n.to_be_bytes());
    let mut account = Account::default();
    account.set(AssetId::NATIVE, Amount(n + 1));
    let id = ObjectId::Account(Address(address));
    (id, Object::Account(Arc::new(account)))
}

fn tree(accounts: impl IntoIterator<Item = u64>) -> Tree {
    let mut tree = Tree::default();
    for (id, object) in accounts.into_iter().map(account) {
        tree.insert(id.state_key(), id, object);
    }
    tree
}

/// Every piece from the root down, with what it is checked against.
fn pieces(tree: &Tree) -> Vec<(Prefix, Root, Piece)> {
    let mut open = vec![(Prefix::default(), tree.root())];
    let mut pieces = Vec::new();
    while let Some((prefix, root)) = open.pop() {
        let piece = tree.piece(&prefix, BYTES_MAX);
        assert_eq!(piece.check(&prefix, &root), Ok(()), "below {prefix}");
        if let Piece::Split(parts) = &piece {
            let children = (0..).zip(parts.iter()).filter(|(_, p)| **p != Part::Empty);
            open.extend(children.map(|(digit, part)| (prefix.child(digit), part.root())));
        }
        pieces.push((prefix, root, piece));
    }
    pieces
}

/// Each way to change one thing of a piece.
fn lies(piece: &Piece) -> Vec<Piece> {
    match piece {
        Piece::Leaves(leaves) => {
            let mut lies = Vec::new();
            let changed = |change: Change<'_>| {
                let mut leaves = leaves.clone();
                change(&mut leaves);
                Piece::Leaves(leaves)
            };
            for place in 0..leaves.len() {
                lies.push(changed(&|l| drop(l.remove(place))));
                lies.push(changed(&|l| {
                    l.insert(place, account(1_000_000).clone_encoded())
                }));
                lies.push(changed(&|l| l.insert(place, l[place].clone())));
                lies.push(changed(&|l| l[place].0 = account(1_000_000).0));
                for byte in 0..leaves[place].1.len() {
                    lies.push(changed(&|l| {
                        let mut value = l[place].1.to_vec();
                        value[byte] ^= 1;
                        l[place].1 = value.into();
                    }));
                }
                if place > 0 {
                    lies.push(changed(&|l| l.swap(place - 1, place)));
                }
            }
            lies
        }
        Piece::Split(parts) => {
            let with = |place: usize, part| {
                let mut parts = parts.clone();
                parts[place] = part;
                Piece::Split(parts)
            };
            let mut lies = vec![Piece::Leaves(Vec::new())];
            for (place, part) in parts.iter().enumerate() {
                let other = Part::Branch(Root([3; 32]));
                lies.push(with(place, other));
                if *part != Part::Empty {
                    lies.push(with(place, Part::Empty));
                }
            }
            lies
        }
    }
}

trait Encoded {
    fn clone_encoded(&self) -> (ObjectId, Bytes);
}

impl Encoded for (ObjectId, Object) {
    fn clone_encoded(&self) -> (ObjectId, Bytes) {
        (self.0, self.1.encode())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn pieces_are_the_whole_state_and_each_is_checked_alone(
        accounts in prop::collection::btree_set(0..100_000u64, 0..200),
    ) {
        let mut found = BTreeMap::new();
        for (_, _, piece) in pieces(&tree(accounts.iter().copied())) {
            if let Piece::Leaves(leaves) = &piece {
                prop_assert!(leaves.len() <= 1 || piece.bytes() <= BYTES_MAX);
                found.extend(leaves.iter().cloned());
            }
        }
        let all: BTreeMap<_, _> = accounts.iter().map(|n| account(*n).clone_encoded()).collect();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn a_lie_anywhere_is_found_in_the_piece_that_it_is_in(
        accounts in prop::collection::btree_set(0..100_000u64, 1..40),
    ) {
        for (prefix, root, piece) in pieces(&tree(accounts)) {
            for lie in lies(&piece) {
                prop_assert!(lie.check(&prefix, &root).is_err(), "below {}: {:?}", prefix, lie);
            }
        }
    }
}

#[test]
fn a_leaf_that_is_called_a_branch_is_found_where_it_matters() {
    // One of the sixteen has a leaf with nothing beside it, so that it is hashed as it stands.
    let tree = tree(0..12);
    let lone = |parts: &[Part]| {
        let mut pairs = parts.chunks(2).enumerate();
        let alone = |pair: &[Part]| matches!(pair, [Part::Leaf(_), Part::Empty]);
        pairs.find(|(_, pair)| alone(pair)).map(|(i, _)| 2 * i)
    };
    let found = pieces(&tree).into_iter().find_map(|(prefix, root, piece)| {
        let Piece::Split(parts) = piece else {
            return None;
        };
        Some((prefix, root, lone(&parts[..])?, parts))
    });
    let (prefix, root, place, mut parts) = found.expect("twelve accounts have one");
    parts[place] = Part::Branch(parts[place].root());
    assert!(Piece::Split(parts).check(&prefix, &root).is_err());
}

#[test]
fn a_split_of_fewer_than_two_leaves_is_refused() {
    let tree = tree([5]);
    let (id, _) = account(5);
    let mut parts = Box::new([Part::Empty; PARTS]);
    let digit = id.state_key().0[0] >> 4;
    parts[usize::from(digit)] = Part::Leaf(tree.root());
    let split = Piece::Split(parts);
    assert_eq!(
        split.check(&Prefix::default(), &tree.root()),
        Err(PieceError::NoSplit)
    );
}

#[test]
fn a_piece_over_its_bound_is_refused() {
    let leaf = |n: u64| {
        let value = vec![0; PIECE_BYTES_MAX / 2];
        (account(n).0, Bytes::from(value))
    };
    let mut leaves = vec![leaf(1), leaf(2)];
    leaves.sort_by_key(|(id, _)| id.state_key());
    let error = Piece::Leaves(leaves).check(&Prefix::default(), &Root([0; 32]));
    assert!(
        matches!(error, Err(PieceError::TooLong { leaves: 2, .. })),
        "{error:?}"
    );
}

#[test]
fn prefixes_are_of_digits_and_no_longer_than_a_key() {
    assert!(Prefix::new(&[15; DIGITS_MAX]).is_some());
    assert!(Prefix::new(&[0; DIGITS_MAX + 1]).is_none());
    assert!(Prefix::new(&[16]).is_none());
    let key = StateKey([0xa5; 32]);
    assert!(Prefix::new(&[10, 5, 10]).unwrap().has(&key));
    assert!(!Prefix::new(&[10, 5, 11]).unwrap().has(&key));
}
