//! The state tree: a sparse Merkle tree in its compact form (see `weft_types::StateProof`), whose
//! nodes are shared between the live tree and its snapshots.
//!
//! A node that a snapshot shares is copied before it changes, any other changes in place, so a
//! snapshot costs one counter and stays as it was. Hashes are computed when asked for and kept in
//! the node: a change clears those on its path only, so a height hashes what has changed since the
//! last one. A hash may be computed through a snapshot as well as through the live tree; both see it.

use std::sync::{Arc, LazyLock, OnceLock};
use weft_types::{
    Object, Root, StateKey, StateProof, empty_hash, key_bit, leaf_hash, node_hash, value_hash,
};

type Hash = [u8; 32];

static EMPTY: LazyLock<Hash> = LazyLock::new(empty_hash);

/// Objects by state key. A clone is a snapshot.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    root: Node,
}

#[derive(Clone, Default)]
enum Node {
    #[default]
    Empty,
    Leaf(Arc<Leaf>),
    Branch(Arc<Branch>),
}

struct Leaf {
    key: StateKey,
    object: Object,
    hash: OnceLock<Hash>,
}

/// Has at least two leaves below: a subtree of one leaf is that leaf.
#[derive(Default)]
struct Branch {
    left: Node,
    right: Node,
    hash: OnceLock<Hash>,
}

/// Copied in order to change, hence without its hash.
impl Clone for Branch {
    fn clone(&self) -> Self {
        Self {
            left: self.left.clone(),
            right: self.right.clone(),
            hash: OnceLock::new(),
        }
    }
}

impl Branch {
    fn child(&self, right: bool) -> &Node {
        if right { &self.right } else { &self.left }
    }

    fn child_mut(&mut self, right: bool) -> &mut Node {
        if right {
            &mut self.right
        } else {
            &mut self.left
        }
    }
}

impl Leaf {
    fn value_hash(&self) -> Hash {
        value_hash(&self.object.encode())
    }
}

impl Tree {
    pub fn get(&self, key: &StateKey) -> Option<&Object> {
        let mut node = &self.root;
        for depth in 0.. {
            match node {
                Node::Empty => return None,
                Node::Leaf(leaf) => return (leaf.key == *key).then_some(&leaf.object),
                Node::Branch(branch) => node = branch.child(key_bit(key, depth)),
            }
        }
        None
    }

    pub fn insert(&mut self, key: StateKey, object: Object) {
        let leaf = Leaf {
            key,
            object,
            hash: OnceLock::new(),
        };
        self.root.insert(0, Arc::new(leaf));
    }

    pub fn remove(&mut self, key: &StateKey) {
        self.root.remove(0, key);
    }

    pub fn root(&self) -> Root {
        Root(self.root.hash())
    }

    /// What stands at the key, with the siblings that lead there.
    pub fn prove(&self, key: &StateKey) -> (Option<&Object>, StateProof) {
        let mut siblings = Vec::new();
        let mut node = &self.root;
        while let Node::Branch(branch) = node {
            let right = key_bit(key, siblings.len());
            siblings.push(Root(branch.child(!right).hash()));
            node = branch.child(right);
        }
        let (object, other) = match node {
            Node::Leaf(leaf) if leaf.key == *key => (Some(&leaf.object), None),
            Node::Leaf(leaf) => (None, Some((leaf.key, Root(leaf.value_hash())))),
            _ => (None, None),
        };
        (object, StateProof { siblings, other })
    }
}

impl Node {
    fn hash(&self) -> Hash {
        match self {
            Self::Empty => *EMPTY,
            Self::Leaf(leaf) => *leaf
                .hash
                .get_or_init(|| leaf_hash(&leaf.key, &leaf.value_hash())),
            Self::Branch(branch) => *branch
                .hash
                .get_or_init(|| node_hash(&branch.left.hash(), &branch.right.hash())),
        }
    }

    fn insert(&mut self, depth: usize, new: Arc<Leaf>) {
        match self {
            Self::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                branch.hash.take();
                let right = key_bit(&new.key, depth);
                branch.child_mut(right).insert(depth + 1, new);
            }
            Self::Leaf(leaf) if leaf.key != new.key => {
                // Both leaves go one level down, until their keys part.
                let mut branch = Branch::default();
                *branch.child_mut(key_bit(&leaf.key, depth)) = Self::Leaf(leaf.clone());
                *self = Self::Branch(Arc::new(branch));
                self.insert(depth, new);
            }
            _ => *self = Self::Leaf(new),
        }
    }

    fn remove(&mut self, depth: usize, key: &StateKey) {
        match self {
            Self::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                branch.hash.take();
                branch.child_mut(key_bit(key, depth)).remove(depth + 1, key);
                match (&branch.left, &branch.right) {
                    (Self::Empty, Self::Leaf(leaf)) | (Self::Leaf(leaf), Self::Empty) => {
                        *self = Self::Leaf(leaf.clone());
                    }
                    _ => {}
                }
            }
            Self::Leaf(leaf) if leaf.key == *key => *self = Self::Empty,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
