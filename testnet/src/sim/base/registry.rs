//! E1: the registry of a run. Nodes bond and leave by its own functions, again and again until the chain has it, which a
//! reorganisation may take away; members are shown what lies in final blocks.

use super::{BOND, Base};
use crate::sim::churn::{Change, Move};
use std::rc::Rc;
use weft_basechain::Registration;
use weft_node::replica::Confirmed;
use weft_types::{QueueEntry, ed25519};

/// Blocks after which a call that is not on the chain is sent again.
const AGAIN_BLOCKS: u64 = 3;

#[derive(Default)]
pub struct Registry {
    /// What was asked for so far, in its order, and the block at which it was sent last.
    asked: Vec<(Asked, Option<u64>)>,
    /// Of the final blocks.
    confirmed: Rc<[Confirmed<QueueEntry>]>,
}

/// A node's call of the registry.
pub struct Asked {
    pub change: Change,
    /// It is of the genesis, whose ids are in the order of its nodes.
    pub is_first: bool,
    pub key: ed25519::PublicKey,
    pub registration: Registration,
}

impl Base {
    pub fn ask_registry(&mut self, asked: Asked) {
        self.registry.asked.push((asked, None));
    }

    /// What members are shown.
    pub fn queue(&self) -> Rc<[Confirmed<QueueEntry>]> {
        self.registry.confirmed.clone()
    }

    /// A block was sealed: what is not in the chain is sent again, what is final is read.
    pub(super) fn read_queue(&mut self) {
        if self.registry.asked.is_empty() {
            return;
        }
        let head = self.local.chain().head().number();
        let found = self.local.queued_between(self.first + 1, head);
        let finalized = self.local.chain().finalized();
        let deep = found.iter().filter(|q| q.block <= finalized);
        self.registry.confirmed = deep.cloned().collect();
        // A node's calls one after the other: the next one once the chain has those before.
        let id_of = |asked: &Asked| {
            if asked.is_first {
                return Some(asked.change.node as u64 + 1);
            }
            let joined = found.iter().find(|q| {
                let keys = q.event.keys.as_ref();
                keys.is_some_and(|keys| keys.vertex_key == asked.key)
            });
            joined.map(|q| q.event.id)
        };
        let there = |asked: &Asked| {
            let id = id_of(asked);
            found.iter().filter(|q| Some(q.event.id) == id).count()
        };
        let mut due = Vec::new();
        let mut before = std::collections::BTreeMap::<usize, usize>::new();
        for (place, (asked, sent)) in self.registry.asked.iter().enumerate() {
            let number = before.entry(asked.change.node).or_default();
            let again = sent.is_none_or(|at| head >= at + AGAIN_BLOCKS);
            if there(asked) == *number && again {
                due.push(place);
            }
            *number += 1;
        }
        for place in due {
            self.send(place, head);
        }
    }

    fn send(&mut self, place: usize, head: u64) {
        let (asked, sent) = &mut self.registry.asked[place];
        *sent = Some(head);
        let operator = &self.operators[asked.change.node];
        // A call that the chain does not take is made again.
        let _ = match asked.change.does {
            Move::Join => self.local.bond(operator, &asked.registration),
            Move::Leave => self.local.request_exit(operator),
            Move::TopUp => self.local.top_up(operator, BOND),
        };
    }
}
