//! V4, V6: what waits is bounded in bytes, for each author and for all together.
//!
//! At an author's bound its own highest rounds make room. At the bound for all the author that has most does,
//! so that whoever fills it up loses what exceeds an equal share as soon as others need theirs. Highest rounds
//! go first, because history is completed from below; what something needs is fetched again.

use std::collections::BTreeSet;
use weft_types::{MemberIndex, VertexRef};

pub(crate) struct Shares {
    authors: Vec<Share>,
    bytes: usize,
    author_max: usize,
    all_max: usize,
}

#[derive(Default, Clone)]
struct Share {
    vertices: BTreeSet<VertexRef>,
    bytes: usize,
}

/// What has to happen before a vertex can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Fits,
    /// Another has to go.
    After(VertexRef),
    /// It has to go itself.
    None,
}

impl Shares {
    pub fn new(members: usize, author_max: usize, all_max: usize) -> Self {
        Self {
            authors: vec![Share::default(); members],
            bytes: 0,
            author_max,
            all_max: all_max.min(author_max.saturating_mul(members)),
        }
    }

    /// Whether there is room for a vertex of this cost.
    pub fn room(&self, vertex: &VertexRef, cost: usize) -> Room {
        let author = vertex.author;
        let own = self.authors[author.as_usize()].bytes + cost;
        let victim = if own > self.author_max {
            author
        } else if self.bytes + cost <= self.all_max {
            return Room::Fits;
        } else {
            self.most(author, own)
        };
        match self.authors[victim.as_usize()].vertices.last() {
            Some(highest) if victim != author || highest > vertex => Room::After(*highest),
            _ => Room::None,
        }
    }

    /// Who has most, if one author had this much.
    fn most(&self, author: MemberIndex, bytes: usize) -> MemberIndex {
        let shares = self.authors.iter().enumerate();
        let others = shares.filter(|(place, _)| *place != author.as_usize());
        let most = others.max_by_key(|(_, share)| share.bytes);
        let more = most.filter(|(_, share)| share.bytes > bytes);
        more.map_or(author, |(place, _)| MemberIndex(place as u32))
    }

    pub fn add(&mut self, vertex: VertexRef, cost: usize) {
        let share = &mut self.authors[vertex.author.as_usize()];
        if share.vertices.insert(vertex) {
            share.bytes += cost;
            self.bytes += cost;
        }
    }

    pub fn remove(&mut self, vertex: &VertexRef, cost: usize) {
        let share = &mut self.authors[vertex.author.as_usize()];
        if share.vertices.remove(vertex) {
            share.bytes -= cost;
            self.bytes -= cost;
        }
    }

    /// Bytes of all, and how many there may be.
    pub fn bytes(&self) -> (usize, usize) {
        (self.bytes, self.all_max)
    }

    /// Bytes of the author that has most.
    pub fn fullest(&self) -> usize {
        let bytes = self.authors.iter().map(|a| a.bytes);
        bytes.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
