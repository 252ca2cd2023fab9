//! V6: vertices whose timestamp is far ahead of the clock. They wait, not long, and in a bounded
//! number of bytes (`shares.rs`). Timestamps of others bind nobody, so that letting such a vertex
//! in harms nothing; keeping it out for good would cost its transactions.

use crate::shares::{Room, Shares};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use weft_types::{MemberIndex, Millis, Round, Verified, Vertex, VertexDigest, VertexRef};

/// What a vertex costs beside its own bytes.
const ENTRY_COST: usize = 4096;

pub(crate) struct Early {
    vertices: BTreeMap<VertexRef, Held>,
    until: BTreeSet<(Millis, VertexRef)>,
    shares: Shares,
}

pub(crate) struct Held {
    pub vertex: Verified<Vertex>,
    pub from: Option<MemberIndex>,
    /// When it is let in.
    pub until: Millis,
}

fn cost(held: &Held) -> usize {
    held.vertex.size() + ENTRY_COST
}

/// All references of an author's vertices of a round.
pub(crate) fn versions_of(round: Round, author: MemberIndex) -> RangeInclusive<VertexRef> {
    let with = |byte| VertexRef {
        round,
        author,
        digest: VertexDigest([byte; 32]),
    };
    with(0)..=with(0xff)
}

impl Early {
    pub fn new(shares: Shares) -> Self {
        Self {
            vertices: BTreeMap::new(),
            until: BTreeSet::new(),
            shares,
        }
    }

    /// Some held vertex of this author and round.
    pub fn version(&self, round: Round, author: MemberIndex) -> Option<&Verified<Vertex>> {
        let mut versions = self.vertices.range(versions_of(round, author));
        versions.next().map(|(_, held)| &held.vertex)
    }

    /// Holds a vertex, unless it is held already or there is no room for it.
    pub fn hold(&mut self, held: Held) {
        let reference = held.vertex.reference();
        let cost = cost(&held);
        if self.vertices.contains_key(&reference) {
            return;
        }
        loop {
            match self.shares.room(&reference, cost) {
                Room::Fits => break,
                Room::After(victim) => {
                    self.take(&victim);
                }
                Room::None => return,
            }
        }
        self.shares.add(reference, cost);
        self.until.insert((held.until, reference));
        self.vertices.insert(reference, held);
    }

    /// Lets the next vertex go whose time has come.
    pub fn release(&mut self, now: Millis) -> Option<Held> {
        let next = self.until.first().filter(|(until, _)| *until <= now);
        let (_, vertex) = *next?;
        self.take(&vertex)
    }

    /// Takes a vertex out before its time.
    pub fn take(&mut self, vertex: &VertexRef) -> Option<Held> {
        let until = self.vertices.get(vertex)?.until;
        self.until.remove(&(until, *vertex));
        let held = self.vertices.remove(vertex)?;
        self.shares.remove(vertex, cost(&held));
        Some(held)
    }

    pub fn shares(&self) -> &Shares {
        &self.shares
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.until.first().map(|(until, _)| *until)
    }
}
