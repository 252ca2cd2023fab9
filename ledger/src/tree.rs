//! The state tree: a sparse Merkle tree in its compact form (see `weft_types::StateProof`), whose
//! nodes are shared between the live tree and its snapshots.
//!
//! A node that a snapshot shares is copied before it changes, any other changes in place, so a
//! snapshot costs one counter and stays as it was. Hashes are computed when asked for and kept: a
//! change clears those on its path only, so a height hashes what has changed since the last one.
//! They are kept with the parent, not in the node that they are of, because hashing a changed branch
//! then touches no unchanged neighbour. A hash may be computed through a snapshot as well as
//! through the live tree; in the nodes that they share both see it.

mod pieces;

use std::sync::{Arc, LazyLock, OnceLock};
use weft_types::{
    Object, ObjectId, Root, StateKey, StateProof, empty_hash, key_bit, leaf_hash, node_hash,
    value_hash,
};

type Hash = [u8; 32];

static EMPTY: LazyLock<Hash> = LazyLock::new(empty_hash);

/// Objects by state key. A clone is a snapshot.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    root: Subtree,
}

/// A node with its hash, unless that has to be computed anew.
#[derive(Clone, Default)]
struct Subtree {
    node: Node,
    hash: OnceLock<Hash>,
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
    /// Of which the key is the hash: whoever takes over a state needs it (S2).
    id: ObjectId,
    object: Object,
}

/// Has at least two leaves below: a subtree of one leaf is that leaf.
#[derive(Clone, Default)]
struct Branch {
    left: Subtree,
    right: Subtree,
}

impl Branch {
    fn child(&self, right: bool) -> &Subtree {
        if right { &self.right } else { &self.left }
    }

    fn child_mut(&mut self, right: bool) -> &mut Subtree {
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
        let (mut subtree, mut depth) = (&self.root, 0);
        while let Node::Branch(branch) = &subtree.node {
            subtree = branch.child(key_bit(key, depth));
            depth += 1;
        }
        match &subtree.node {
            Node::Leaf(leaf) if leaf.key == *key => Some(&leaf.object),
            _ => None,
        }
    }

    /// Puts an object under its state key.
    pub fn insert(&mut self, key: StateKey, id: ObjectId, object: Object) {
        self.root.insert(0, Arc::new(Leaf { key, id, object }));
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
        let mut subtree = &self.root;
        while let Node::Branch(branch) = &subtree.node {
            let right = key_bit(key, siblings.len());
            siblings.push(Root(branch.child(!right).hash()));
            subtree = branch.child(right);
        }
        let (object, other) = match &subtree.node {
            Node::Leaf(leaf) if leaf.key == *key => (Some(&leaf.object), None),
            Node::Leaf(leaf) => (None, Some((leaf.key, Root(leaf.value_hash())))),
            _ => (None, None),
        };
        (object, StateProof { siblings, other })
    }
}

impl Subtree {
    fn hash(&self) -> Hash {
        *self.hash.get_or_init(|| match &self.node {
            Node::Empty => *EMPTY,
            Node::Leaf(leaf) => leaf_hash(&leaf.key, &leaf.value_hash()),
            Node::Branch(branch) => node_hash(&branch.left.hash(), &branch.right.hash()),
        })
    }

    fn insert(&mut self, depth: usize, new: Arc<Leaf>) {
        self.hash.take();
        match &mut self.node {
            Node::Branch(branch) => {
                let right = key_bit(&new.key, depth);
                let child = Arc::make_mut(branch).child_mut(right);
                child.insert(depth + 1, new);
            }
            Node::Leaf(leaf) if leaf.key != new.key => {
                // Both leaves go one level down, until their keys part.
                let mut branch = Branch::default();
                branch.child_mut(key_bit(&leaf.key, depth)).node = Node::Leaf(leaf.clone());
                self.node = Node::Branch(Arc::new(branch));
                self.insert(depth, new);
            }
            node => *node = Node::Leaf(new),
        }
    }

    fn remove(&mut self, depth: usize, key: &StateKey) {
        match &mut self.node {
            Node::Branch(branch) => {
                self.hash.take();
                let branch = Arc::make_mut(branch);
                let child = branch.child_mut(key_bit(key, depth));
                child.remove(depth + 1, key);
                if let (Node::Empty, Node::Leaf(leaf)) | (Node::Leaf(leaf), Node::Empty) =
                    (&branch.left.node, &branch.right.node)
                {
                    self.node = Node::Leaf(leaf.clone());
                }
            }
            Node::Leaf(leaf) if leaf.key == *key => *self = Self::default(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
