//! Who sits where. A node has one number for the whole run; its place in a committee is by the members' ids, and
//! changes from epoch to epoch.

use std::sync::Arc;
use weft_node::NodeKeys;
use weft_types::{Committee, Epoch, MemberIndex};

/// A committee with the nodes that are its members.
pub struct Seating {
    pub committee: Arc<Committee>,
    /// By place.
    nodes: Vec<usize>,
    /// By node.
    places: Vec<Option<MemberIndex>>,
}

impl Seating {
    /// `keys` are those of all nodes.
    pub fn new(committee: Arc<Committee>, keys: &[NodeKeys]) -> Self {
        let place = |keys: &NodeKeys| committee.index_of(&keys.vertex.public());
        let places: Vec<_> = keys.iter().map(place).collect();
        let mut nodes = vec![0; committee.size()];
        for (node, place) in places.iter().enumerate() {
            if let Some(place) = place {
                nodes[place.as_usize()] = node;
            }
        }
        Self {
            committee,
            nodes,
            places,
        }
    }

    pub fn epoch(&self) -> Epoch {
        self.committee.epoch()
    }

    /// `None`: it is no member.
    pub fn place(&self, node: usize) -> Option<MemberIndex> {
        self.places.get(node).copied().flatten()
    }

    pub fn node(&self, place: MemberIndex) -> Option<usize> {
        self.nodes.get(place.as_usize()).copied()
    }

    /// The members, in the committee's order.
    pub fn nodes(&self) -> &[usize] {
        &self.nodes
    }
}
