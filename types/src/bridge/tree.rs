//! The vault's `AppendTree`: a binary Merkle tree of keccak256 with places for 2^32 leaves, filled from
//! the left; places that are still empty count as zero.

use crate::hash::keccak;
use crate::ids::Root;
use std::sync::LazyLock;

/// Levels between a leaf and the root.
pub const TREE_DEPTH: usize = 32;

/// Leaves that fit.
pub const TREE_PLACES: u64 = (1 << TREE_DEPTH) - 1;

/// Of each level, from the leaves up: the hash of a subtree without leaves. Most of a tree is that, and each
/// height needs its root.
static EMPTY: LazyLock<[[u8; 32]; TREE_DEPTH + 1]> = LazyLock::new(|| {
    let mut empty = [[0; 32]; TREE_DEPTH + 1];
    for level in 0..TREE_DEPTH {
        empty[level + 1] = tree_node(&empty[level], &empty[level]);
    }
    empty
});

/// The tree without its leaves: what the next root follows from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendTree {
    count: u64,
    /// Of each level whose bit is set in `count`, the hash of the full subtree that ends there; zero
    /// elsewhere. As long as `count` has bits.
    peaks: Vec<[u8; 32]>,
}

impl AppendTree {
    /// `None` unless the peaks are those that a tree of `count` leaves has.
    pub fn from_parts(count: u64, peaks: Vec<[u8; 32]>) -> Option<Self> {
        let bits = (u64::BITS - count.leading_zeros()) as usize;
        let set =
            |(level, peak): (usize, &[u8; 32])| (count >> level & 1 == 1) != (*peak == [0; 32]);
        let fits = bits == peaks.len() && bits <= TREE_DEPTH && peaks.iter().enumerate().all(set);
        fits.then_some(Self { count, peaks })
    }

    /// How many leaves there are; the index of the next.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn peaks(&self) -> &[[u8; 32]] {
        &self.peaks
    }

    /// Whether no leaf fits any more.
    pub fn is_full(&self) -> bool {
        self.count >= TREE_PLACES
    }

    /// Appends a leaf.
    ///
    /// # Panics
    /// When the tree is full: who appends asks first.
    pub fn push(&mut self, leaf: [u8; 32]) {
        assert!(!self.is_full(), "a tree has places for 2^32 - 1 leaves");
        let mut node = leaf;
        for level in 0.. {
            if self.count >> level & 1 == 0 {
                if level == self.peaks.len() {
                    self.peaks.push(node);
                } else {
                    self.peaks[level] = node;
                }
                break;
            }
            node = tree_node(&std::mem::take(&mut self.peaks[level]), &node);
        }
        self.count += 1;
    }

    pub fn root(&self) -> Root {
        let is_set = |peak: &&[u8; 32]| **peak != [0; 32];
        let lowest = self.peaks.iter().position(|p| is_set(&p));
        let lowest = lowest.unwrap_or(TREE_DEPTH);
        let mut node = EMPTY[lowest];
        for (level, empty) in EMPTY[..TREE_DEPTH].iter().enumerate().skip(lowest) {
            node = match self.peaks.get(level).filter(is_set) {
                Some(peak) => tree_node(peak, &node),
                None => tree_node(&node, empty),
            };
        }
        Root(node)
    }
}

/// A tree with all of its nodes, for whoever proves many of its leaves. Takes twice the bytes of the leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeTree {
    /// From the leaves up, each without the subtrees that have no leaves; the last one is the root.
    rows: Vec<Vec<[u8; 32]>>,
}

impl WholeTree {
    pub fn new(leaves: Vec<[u8; 32]>) -> Self {
        let mut rows = vec![leaves];
        for (level, empty) in EMPTY[..TREE_DEPTH].iter().enumerate() {
            let pairs = rows[level].chunks(2);
            let above = pairs.map(|two| tree_node(&two[0], two.get(1).unwrap_or(empty)));
            rows.push(above.collect());
        }
        Self { rows }
    }

    pub fn root(&self) -> Root {
        let top = self.rows.last().and_then(|row| row.first());
        Root(top.copied().unwrap_or(EMPTY[TREE_DEPTH]))
    }

    /// The siblings of the leaf at `index`, from the leaf upwards; `None` when there is no such leaf.
    pub fn prove(&self, index: u64) -> Option<[Root; TREE_DEPTH]> {
        let index = usize::try_from(index).ok()?;
        self.rows[0].get(index)?;
        let mut siblings = [Root::ZERO; TREE_DEPTH];
        let levels = self.rows.iter().zip(EMPTY.iter()).enumerate();
        for (sibling, (level, (row, empty))) in siblings.iter_mut().zip(levels) {
            *sibling = Root(row.get(index >> level ^ 1).copied().unwrap_or(*empty));
        }
        Some(siblings)
    }
}

/// The root of a subtree without leaves, `level` levels above them, at most [`TREE_DEPTH`].
pub fn tree_empty(level: usize) -> [u8; 32] {
    EMPTY[level]
}

/// The siblings of the leaf at `index`, from the leaf upwards; `None` when there is no such leaf. Hashes the whole tree:
/// for more than one proof there is [`WholeTree`].
pub fn tree_proof(leaves: &[[u8; 32]], index: usize) -> Option<[Root; TREE_DEPTH]> {
    WholeTree::new(leaves.to_vec()).prove(u64::try_from(index).ok()?)
}

/// The root of the tree that has `leaf` at `index` with these siblings.
pub fn tree_root_of(leaf: [u8; 32], index: u64, siblings: &[Root; TREE_DEPTH]) -> Root {
    let climb = |node: [u8; 32], (level, sibling): (usize, &Root)| match index >> level & 1 {
        1 => tree_node(&sibling.0, &node),
        _ => tree_node(&node, &sibling.0),
    };
    Root(siblings.iter().enumerate().fold(leaf, climb))
}

/// The node above two others.
pub fn tree_node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    keccak(&[left, right])
}
