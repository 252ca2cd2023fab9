//! S2.3: pieces out of a tree.

use super::{Node, Subtree, Tree};
use crate::piece::{PARTS, Part, Piece, Prefix, leaf_bytes};
use bytes::Bytes;
use weft_types::{ObjectId, Root, key_bit};

impl Tree {
    /// What stands below the prefix: its leaf, or its leaves if they have at most `bytes_max`, else how
    /// it splits.
    pub fn piece(&self, prefix: &Prefix, bytes_max: usize) -> Piece {
        let mut subtree = &self.root;
        for depth in 0..prefix.depth() {
            match &subtree.node {
                Node::Branch(branch) => subtree = branch.child(prefix.bit(depth)),
                Node::Leaf(leaf) if prefix.has(&leaf.key) => break,
                Node::Leaf(_) | Node::Empty => return Piece::Leaves(Vec::new()),
            }
        }
        let mut leaves = Leaves {
            found: Vec::new(),
            room: bytes_max,
        };
        if leaves.collect(subtree) {
            return Piece::Leaves(leaves.found);
        }
        let mut parts = Box::new([Part::Empty; PARTS]);
        subtree.split(prefix.depth(), &mut parts[..]);
        Piece::Split(parts)
    }
}

/// Leaves from left to right, as long as there is room.
struct Leaves {
    found: Vec<(ObjectId, Bytes)>,
    room: usize,
}

impl Leaves {
    /// False once two leaves or more do not fit.
    fn collect(&mut self, subtree: &Subtree) -> bool {
        match &subtree.node {
            Node::Empty => true,
            Node::Leaf(leaf) => {
                let entry = (leaf.id, leaf.object.encode());
                let fits = self.room.checked_sub(leaf_bytes(&entry));
                self.room = fits.unwrap_or(0);
                self.found.push(entry);
                fits.is_some() || self.found.len() == 1
            }
            Node::Branch(branch) => self.collect(&branch.left) && self.collect(&branch.right),
        }
    }
}

impl Subtree {
    /// Fills a power of two of parts that lie below this subtree.
    fn split(&self, depth: usize, parts: &mut [Part]) {
        let (left, right) = parts.split_at_mut(parts.len() / 2);
        match &self.node {
            Node::Empty => {}
            Node::Leaf(_) if left.is_empty() => right[0] = Part::Leaf(Root(self.hash())),
            Node::Branch(_) if left.is_empty() => right[0] = Part::Branch(Root(self.hash())),
            Node::Leaf(leaf) => {
                let half = if key_bit(&leaf.key, depth) {
                    right
                } else {
                    left
                };
                self.split(depth + 1, half);
            }
            Node::Branch(branch) => {
                branch.left.split(depth + 1, left);
                branch.right.split(depth + 1, right);
            }
        }
    }
}
