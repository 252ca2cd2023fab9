//! V4: vertices that wait for their history.
//!
//! Bounded in bytes for each author, so that nobody can crowd out another's vertices. At the bound the
//! author's highest rounds go first: history is completed from below, and what was dropped is fetched
//! again once something else needs it. A vertex whose history is here never waits, so that the bound
//! cannot stop progress.

use crate::early::versions_of;
use std::collections::{BTreeMap, BTreeSet};
use weft_types::{MemberIndex, MemberSet, Round, Verified, Vertex, VertexRef};

pub(crate) struct Suspended {
    waiting: BTreeMap<VertexRef, Waiting>,
    /// What is not in the DAG yet, and which suspended vertices need it. Its keys are either
    /// suspended themselves or missing.
    needed_by: BTreeMap<VertexRef, BTreeSet<VertexRef>>,
    authors: Vec<Author>,
    bytes_max: usize,
}

struct Waiting {
    vertex: Verified<Vertex>,
    /// Links that are not in the DAG yet.
    missing: BTreeSet<VertexRef>,
    cost: usize,
}

#[derive(Default, Clone)]
struct Author {
    vertices: BTreeSet<VertexRef>,
    bytes: usize,
}

/// What became of a vertex that was to wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It waits. To be looked for: what it needs and is not here, and dropped vertices that others
    /// still need.
    Waits { look_for: Vec<VertexRef> },
    /// There is no room for it.
    NoRoom,
}

/// Memory that one link of a waiting vertex costs in the tables here and in those of the fetches.
const LINK_COST: usize = 400;

/// Vertices that are looked at for the holders of one.
const HOLDERS_LOOK_MAX: usize = 64;

fn cost(vertex: &Vertex, missing: usize) -> usize {
    vertex.size() + LINK_COST * (missing + 1)
}

impl Suspended {
    pub fn new(members: usize, bytes_max: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            needed_by: BTreeMap::new(),
            authors: vec![Author::default(); members],
            bytes_max,
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn bytes(&self) -> usize {
        self.authors.iter().map(|a| a.bytes).sum()
    }

    pub fn contains(&self, vertex: &VertexRef) -> bool {
        self.waiting.contains_key(vertex)
    }

    /// Whether a suspended vertex needs this one.
    pub fn needs(&self, vertex: &VertexRef) -> bool {
        self.needed_by.contains_key(vertex)
    }

    /// Whether a suspended vertex needs this one, and it is not here.
    pub fn lacks(&self, vertex: &VertexRef) -> bool {
        self.needs(vertex) && !self.contains(vertex)
    }

    /// Members that have shown that they hold a vertex which is missing here: authors of vertices that
    /// wait for it, directly or through others. A bounded number of these is looked at.
    pub fn holders(&self, missing: &VertexRef) -> MemberSet {
        let mut seen = BTreeSet::new();
        let mut open = vec![missing];
        while let Some(vertex) = open.pop() {
            for dependent in self.needed_by.get(vertex).into_iter().flatten() {
                if seen.len() < HOLDERS_LOOK_MAX && seen.insert(dependent) {
                    open.push(dependent);
                }
            }
        }
        seen.into_iter().map(|dependent| dependent.author).collect()
    }

    /// Some suspended vertex of this author and round.
    pub fn version(&self, round: Round, author: MemberIndex) -> Option<&Verified<Vertex>> {
        let mut versions = self.waiting.range(versions_of(round, author));
        versions.next().map(|(_, w)| &w.vertex)
    }

    /// Lets a vertex wait for the links that the DAG lacks.
    pub fn insert(&mut self, vertex: Verified<Vertex>, missing: Vec<VertexRef>) -> Outcome {
        let reference = vertex.reference();
        let place = reference.author.as_usize();
        let cost = cost(&vertex, missing.len());
        let mut look_for = Vec::new();
        while self.authors[place].bytes + cost > self.bytes_max {
            match self.authors[place].vertices.last().copied() {
                Some(highest) if highest > reference => {
                    self.remove(&highest);
                    if self.needs(&highest) {
                        look_for.push(highest);
                    }
                }
                _ => return Outcome::NoRoom,
            }
        }
        for link in &missing {
            self.needed_by.entry(*link).or_default().insert(reference);
            if !self.waiting.contains_key(link) {
                look_for.push(*link);
            }
        }
        let author = &mut self.authors[place];
        author.vertices.insert(reference);
        author.bytes += cost;
        let waiting = Waiting {
            vertex,
            missing: missing.into_iter().collect(),
            cost,
        };
        self.waiting.insert(reference, waiting);
        Outcome::Waits { look_for }
    }

    /// Takes a vertex out, with its needs.
    fn remove(&mut self, vertex: &VertexRef) -> Option<Verified<Vertex>> {
        let waiting = self.waiting.remove(vertex)?;
        let author = &mut self.authors[vertex.author.as_usize()];
        author.vertices.remove(vertex);
        author.bytes -= waiting.cost;
        for link in &waiting.missing {
            if let Some(needed_by) = self.needed_by.get_mut(link) {
                needed_by.remove(vertex);
                if needed_by.is_empty() {
                    self.needed_by.remove(link);
                }
            }
        }
        Some(waiting.vertex)
    }

    /// A vertex is in the DAG, or no longer needed: hands out those that waited for nothing else.
    pub fn arrived(&mut self, vertex: &VertexRef) -> Vec<Verified<Vertex>> {
        let mut free = Vec::new();
        for dependent in self.needed_by.remove(vertex).into_iter().flatten() {
            let Some(waiting) = self.waiting.get_mut(&dependent) else {
                continue;
            };
            waiting.missing.remove(vertex);
            if waiting.missing.is_empty() {
                free.extend(self.remove(&dependent));
            }
        }
        free
    }

    /// O2: drops what is below the floor, and hands out the vertices that waited for nothing else.
    pub fn collect_garbage(&mut self, floor: Round) -> Vec<Verified<Vertex>> {
        while let Some((vertex, _)) = self.waiting.first_key_value() {
            let vertex = *vertex;
            if vertex.round >= floor {
                break;
            }
            self.remove(&vertex);
        }
        let mut free = Vec::new();
        while let Some((link, _)) = self.needed_by.first_key_value() {
            let link = *link;
            if link.round >= floor {
                break;
            }
            free.extend(self.arrived(&link));
        }
        free
    }
}

#[cfg(test)]
mod tests;
