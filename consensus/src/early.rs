//! V6: vertices whose timestamp is far ahead of the clock. They wait, not long, and in a bounded
//! number of bytes for each author. Timestamps of others bind nobody, so that letting such a vertex
//! in harms nothing; keeping it out for good would cost its transactions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use weft_types::{MemberIndex, Millis, Round, Verified, Vertex, VertexDigest, VertexRef};

/// What a vertex costs beside its own bytes.
const ENTRY_COST: usize = 4096;

pub(crate) struct Early {
    vertices: BTreeMap<VertexRef, Held>,
    until: BTreeSet<(Millis, VertexRef)>,
    bytes: Vec<usize>,
    bytes_max: usize,
}

pub(crate) struct Held {
    pub vertex: Verified<Vertex>,
    pub from: Option<MemberIndex>,
    /// When it is let in.
    pub until: Millis,
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
    pub fn new(members: usize, bytes_max: usize) -> Self {
        Self {
            vertices: BTreeMap::new(),
            until: BTreeSet::new(),
            bytes: vec![0; members],
            bytes_max,
        }
    }

    /// Some held vertex of this author and round.
    pub fn version(&self, round: Round, author: MemberIndex) -> Option<&Verified<Vertex>> {
        let mut versions = self.vertices.range(versions_of(round, author));
        versions.next().map(|(_, held)| &held.vertex)
    }

    /// Holds a vertex, unless it is held already or its author has no room left.
    pub fn hold(&mut self, held: Held) {
        let reference = held.vertex.reference();
        let bytes = &mut self.bytes[reference.author.as_usize()];
        let cost = held.vertex.size() + ENTRY_COST;
        if self.vertices.contains_key(&reference) || *bytes + cost > self.bytes_max {
            return;
        }
        *bytes += cost;
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
        self.bytes[vertex.author.as_usize()] -= held.vertex.size() + ENTRY_COST;
        Some(held)
    }

    /// Bytes of the author that has most.
    pub fn fullest(&self) -> usize {
        self.bytes.iter().copied().max().unwrap_or_default()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.until.first().map(|(until, _)| *until)
    }
}
