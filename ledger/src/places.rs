//! A tree of keccak256 as the base chain's contracts check it (`weft_types::tree_root_of`): leaves at their places,
//! from the left, places that are empty count as zero. Nodes are shared with snapshots, and hashes are kept until
//! something below changes, as in the state tree: a height hashes what has changed since the last one, a proof
//! hashes nothing that a root has hashed.

use std::sync::{Arc, OnceLock};
use weft_types::{Exit, Root, TREE_DEPTH, TREE_PLACES, Withdrawal, tree_empty, tree_node};

type Hash = [u8; 32];

/// What stands at a place.
pub trait Leaf: Clone {
    fn hash(&self) -> Hash;
}

impl Leaf for Exit {
    fn hash(&self) -> Hash {
        self.leaf()
    }
}

impl Leaf for Hash {
    fn hash(&self) -> Hash {
        *self
    }
}

/// Leaves by their places. A clone is a snapshot.
#[derive(Clone)]
pub struct PlaceTree<T> {
    /// A subtree of `levels`, the leftmost of the whole: it has all places that were ever used.
    top: Subtree<T>,
    levels: usize,
    /// The root, unless something has changed since it was asked for: each height asks, and few change a tree.
    root: OnceLock<Root>,
}

/// A node with its hash, unless that has to be computed anew.
#[derive(Clone)]
struct Subtree<T> {
    node: Node<T>,
    hash: OnceLock<Hash>,
}

#[derive(Clone)]
enum Node<T> {
    Empty,
    Leaf(Arc<T>),
    Branch(Arc<[Subtree<T>; 2]>),
}

impl<T> Default for Subtree<T> {
    fn default() -> Self {
        Self {
            node: Node::Empty,
            hash: OnceLock::new(),
        }
    }
}

impl<T> Default for PlaceTree<T> {
    fn default() -> Self {
        Self {
            top: Subtree::default(),
            levels: 0,
            root: OnceLock::new(),
        }
    }
}

impl<T: Leaf> PlaceTree<T> {
    /// What stands at a place now; `None` empties it. A place beyond the tree is left out.
    pub fn set(&mut self, place: u64, leaf: Option<T>) {
        if place >= TREE_PLACES {
            return;
        }
        self.root.take();
        while place >> self.levels != 0 {
            let below = std::mem::take(&mut self.top);
            self.levels += 1;
            if !matches!(below.node, Node::Empty) {
                self.top.node = Node::Branch(Arc::new([below, Subtree::default()]));
            }
        }
        self.top.set(self.levels, place, leaf.map(Arc::new));
    }

    pub fn get(&self, place: u64) -> Option<&T> {
        if place >> self.levels != 0 {
            return None;
        }
        let mut subtree = &self.top;
        for level in (0..self.levels).rev() {
            match &subtree.node {
                Node::Branch(two) => subtree = &two[right(place, level)],
                _ => return None,
            }
        }
        match &subtree.node {
            Node::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    pub fn root(&self) -> Root {
        *self.root.get_or_init(|| {
            let top = self.top.hash(self.levels);
            let above = (self.levels..TREE_DEPTH).map(tree_empty);
            Root(above.fold(top, |node, empty| tree_node(&node, &empty)))
        })
    }

    /// The siblings that lead from a place to the root, from the leaf upwards, whether something stands there or not.
    pub fn prove(&self, place: u64) -> [Root; TREE_DEPTH] {
        self.prove_among(place, TREE_PLACES)
    }

    /// The same of the tree that only has the first `count` places.
    pub fn prove_among(&self, place: u64, count: u64) -> [Root; TREE_DEPTH] {
        let mut siblings = [Root::ZERO; TREE_DEPTH];
        let nothing = &Subtree::default();
        let mut subtree = &self.top;
        for (level, sibling) in siblings.iter_mut().enumerate().rev() {
            *sibling = Root(tree_empty(level));
            let (beside, right) = (place >> level ^ 1, right(place, level));
            if level < self.levels {
                if let Node::Branch(two) = &subtree.node {
                    *sibling = Root(two[1 - right].hash_among(level, beside << level, count));
                    subtree = &two[right];
                } else {
                    subtree = nothing;
                }
            } else if beside == 0 {
                // The place is beyond all that were used, which are on the left.
                let all = self.top.hash_among(self.levels, 0, count);
                let above = (self.levels..level).map(tree_empty);
                *sibling = Root(above.fold(all, |node, empty| tree_node(&node, &empty)));
                subtree = nothing;
            } else if place >> level != 0 {
                subtree = nothing;
            }
        }
        siblings
    }
}

impl<T: Leaf> Subtree<T> {
    fn set(&mut self, level: usize, place: u64, leaf: Option<Arc<T>>) {
        self.hash.take();
        let Some(below) = level.checked_sub(1) else {
            self.node = leaf.map_or(Node::Empty, Node::Leaf);
            return;
        };
        if matches!(self.node, Node::Empty) {
            if leaf.is_none() {
                return;
            }
            self.node = Node::Branch(Arc::default());
        }
        let Node::Branch(two) = &mut self.node else {
            unreachable!("leaves are at level 0");
        };
        let two = Arc::make_mut(two);
        two[right(place, below)].set(below, place, leaf);
        if two.iter().all(|s| matches!(s.node, Node::Empty)) {
            self.node = Node::Empty;
        }
    }

    /// Of the subtree that begins with place `first`, without those from `count` on.
    fn hash_among(&self, level: usize, first: u64, count: u64) -> Hash {
        if first >= count {
            return tree_empty(level);
        }
        if count - first >= 1 << level {
            return self.hash(level);
        }
        match &self.node {
            Node::Branch(two) => {
                let below = level - 1;
                let middle = first + (1 << below);
                let left = two[0].hash_among(below, first, count);
                tree_node(&left, &two[1].hash_among(below, middle, count))
            }
            Node::Empty | Node::Leaf(_) => self.hash(level),
        }
    }

    fn hash(&self, level: usize) -> Hash {
        *self.hash.get_or_init(|| match &self.node {
            Node::Empty => tree_empty(level),
            Node::Leaf(leaf) => leaf.hash(),
            Node::Branch(two) => tree_node(&two[0].hash(level - 1), &two[1].hash(level - 1)),
        })
    }
}

/// Which of the two below a node of `level + 1` leads to the place.
fn right(place: u64, level: usize) -> usize {
    (place >> level & 1) as usize
}

/// What the vault pays by at a height: as long as masternodes work and after.
#[derive(Clone, Default)]
pub struct BaseTrees {
    /// Of withdrawals, by their index.
    pub withdrawals: PlaceTree<[u8; 32]>,
    /// X3: of what everybody holds.
    pub exits: PlaceTree<Exit>,
}

impl BaseTrees {
    pub(crate) fn withdrawn(&mut self, withdrawal: &Withdrawal) {
        self.withdrawals
            .set(withdrawal.index, Some(withdrawal.leaf()));
    }
}

#[cfg(test)]
mod tests;
