use super::*;
use weft_types::{AppendTree, SplitMix64, tree_proof, tree_root_of};

fn leaf(n: u64) -> Hash {
    let mut leaf = [0xaa; 32];
    leaf[..8].copy_from_slice(&n.to_be_bytes());
    leaf
}

#[test]
fn a_tree_filled_from_the_left_is_the_vaults_at_every_count() {
    let (mut tree, mut plain) = (PlaceTree::default(), AppendTree::default());
    assert_eq!(tree.root(), plain.root(), "nothing");
    for n in 0..70 {
        tree.set(n, Some(leaf(n)));
        plain.push(leaf(n));
        assert_eq!(tree.root(), plain.root(), "{n}");
    }
}

/// The leaves, empty ones as zero, and what leads to the root from each.
fn check(tree: &PlaceTree<Hash>, leaves: &[Hash]) {
    for (place, leaf) in leaves.iter().enumerate() {
        let siblings = tree_proof(leaves, place).unwrap();
        let root = tree_root_of(*leaf, place as u64, &siblings);
        assert_eq!(tree.root(), root, "place {place}");
        assert_eq!(tree.prove(place as u64), siblings, "place {place}");
        let expected = (*leaf != [0; 32]).then_some(leaf);
        assert_eq!(tree.get(place as u64), expected, "place {place}");
    }
}

#[test]
fn leaves_come_change_and_go_and_snapshots_stay() {
    let (mut tree, mut leaves) = (PlaceTree::default(), vec![[0; 32]; 40]);
    let mut random = SplitMix64::new(7);
    let mut held = Vec::new();
    for n in 0..300 {
        let place = random.draw() % 40;
        let new = (!random.draw().is_multiple_of(3)).then(|| leaf(n));
        tree.set(place, new);
        leaves[place as usize] = new.unwrap_or([0; 32]);
        if n % 10 == 0 {
            check(&tree, &leaves);
            held.push((tree.clone(), leaves.clone()));
        }
    }
    for (tree, leaves) in &held {
        check(tree, leaves);
    }
    for place in 0..40 {
        tree.set(place, None);
    }
    assert_eq!(tree.root(), AppendTree::default().root(), "empty again");
}

#[test]
fn an_empty_place_beyond_all_others_is_proven_too() {
    let mut tree = PlaceTree::default();
    for used in 0..6 {
        for place in [used, used + 1, 8, 64, 1_000_000] {
            let proven = tree_root_of([0; 32], place, &tree.prove(place));
            assert_eq!(proven, tree.root(), "{place} of {used}");
        }
        tree.set(used, Some(leaf(used)));
    }
}

#[test]
fn a_tree_that_grew_proves_what_it_had_when_it_was_smaller() {
    let (mut tree, mut leaves) = (PlaceTree::default(), Vec::new());
    for n in 0..40 {
        tree.set(n, Some(leaf(n)));
        leaves.push(leaf(n));
    }
    for count in 1..=40 {
        for place in 0..count {
            let expected = tree_proof(&leaves[..count], place).unwrap();
            let found = tree.prove_among(place as u64, count as u64);
            assert_eq!(found, expected, "{place} of {count}");
        }
    }
}

#[test]
fn the_last_place_has_a_proof_and_there_is_none_beyond() {
    let mut tree = PlaceTree::default();
    let last = TREE_PLACES - 1;
    tree.set(last, Some(leaf(1)));
    for (place, leaf) in [(last, leaf(1)), (0, [0; 32]), (last - 1, [0; 32])] {
        let siblings = tree.prove(place);
        assert_eq!(tree_root_of(leaf, place, &siblings), tree.root());
    }
    let root = tree.root();
    tree.set(TREE_PLACES, Some(leaf(2)));
    assert_eq!((tree.root(), tree.get(TREE_PLACES)), (root, None));
}
