//! From decided slots to commits, and what is dropped after them.

use super::{Core, carries_payload};
#[cfg(any(test, feature = "testing"))]
use crate::config::Sabotage;
use crate::interface::{Effect, LastCommit, OrderedCommit};
use crate::order::{gc_floor, history, timestamp};
use crate::slots::Decision;
use weft_types::{Commit, Millis, Round, Verified, Vertex, VertexRef};

impl Core {
    /// Decides, orders and collects garbage until nothing moves.
    pub(super) fn settle(&mut self, now: Millis, out: &mut Vec<Effect>) {
        if !self.recall() {
            return;
        }
        loop {
            self.slots.decide(&mut self.dag);
            match self.slots.take() {
                None => break,
                Some(Decision::Skip) => {}
                Some(Decision::Commit(leader)) => self.commit(leader, now, out),
            }
        }
        self.pace.decided(self.slots.direct());
    }

    /// O1 to O3: outputs a leader with its history.
    fn commit(&mut self, leader: VertexRef, now: Millis, out: &mut Vec<Effect>) {
        let Some(node) = self.dag.get(&leader) else {
            unreachable!("the leader {leader} is decided and not in the DAG");
        };
        let vertex = node.vertex.clone();
        let floor = self.floor_after(leader.round);
        let timestamp = timestamp(
            &self.config.committee,
            &self.dag,
            &vertex,
            self.last.timestamp,
        );
        #[cfg_attr(not(any(test, feature = "testing")), allow(unused_mut))]
        let mut order = history(&mut self.dag, leader, floor);
        let nodes = order.iter().filter_map(|v| self.dag.get(v));
        let vertices: Vec<Verified<Vertex>> = nodes.map(|n| n.vertex.clone()).collect();
        for vertex in &vertices {
            self.settled(vertex);
            if let Some(node) = self.dag.get(&vertex.reference()) {
                self.reputation.output(&self.dag, node, leader.round);
            }
        }
        #[cfg(any(test, feature = "testing"))]
        if self.config.broken(Sabotage::OutputAgain) {
            order.extend(vertex.parents().iter().filter(|p| p.round >= floor));
            order.sort_unstable();
            order.dedup();
        }
        self.offences.convict(&vertices);
        let convicted = self.offences.convicted();
        for member in convicted.iter() {
            self.dag.distrust(member);
        }
        let demoted = self.reputation.commit(leader.round, convicted);
        let commit = Commit {
            index: self.last.index.next(),
            leader,
            vertices: order,
            timestamp,
            previous: self.last.digest,
            demoted,
            convicted,
        };
        self.last = LastCommit::of(&commit);
        let digest = self.last.digest;
        out.push(Effect::Committed(OrderedCommit {
            commit,
            digest,
            vertices,
        }));
        self.slots.reschedule(&self.dag, leader.round, demoted);
        self.collect_garbage(floor, now, out);
    }

    fn floor_after(&self, leader: Round) -> Round {
        let floor = gc_floor(leader, self.config.gc_depth);
        #[cfg(any(test, feature = "testing"))]
        if self.config.broken(Sabotage::GarbageByLocalState) && self.dag.top().0 > leader.0 + 3 {
            return floor.next();
        }
        floor
    }

    /// A vertex is output, or never will be.
    fn settled(&mut self, vertex: &Vertex) {
        let unordered = &mut self.unordered[vertex.author().as_usize()];
        *unordered -= usize::from(carries_payload(vertex));
    }

    /// O2: drops what can no longer be output.
    fn collect_garbage(&mut self, floor: Round, now: Millis, out: &mut Vec<Effect>) {
        while let Some(row) = self.dag.collect_garbage(floor) {
            for node in row.nodes().filter(|node| !node.output) {
                self.settled(&node.vertex);
                if self.config.own == Some(node.vertex.author()) {
                    out.push(Effect::Expired(node.vertex.clone()));
                }
            }
        }
        for set in [&mut self.unlinked, &mut self.output] {
            while set.first().is_some_and(|v| v.round < floor) {
                set.pop_first();
            }
        }
        self.fetch.collect_garbage(floor);
        let free = self.suspended.collect_garbage(floor);
        self.accept_all(free, false, now, out);
    }
}
