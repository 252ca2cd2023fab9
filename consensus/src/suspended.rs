//! V4: vertices that wait for their history.
//!
//! Bounded in bytes for each author and for all (`shares.rs`), so that nobody can crowd out another's
//! vertices. What was dropped is fetched again once something else needs it. A vertex whose history is
//! here never waits, so that the bound cannot stop progress.

use crate::early::versions_of;
use crate::fetch::WANT_COST;
use crate::shares::{Room, Shares};
use std::collections::{BTreeMap, BTreeSet};
use weft_types::{MemberIndex, MemberSet, Round, Verified, Vertex, VertexDigest, VertexRef};

pub(crate) struct Suspended {
    waiting: BTreeMap<VertexRef, Waiting>,
    /// Pairs of what is not in the DAG yet, suspended itself or missing, and a suspended vertex that
    /// links to it.
    needed_by: BTreeSet<(VertexRef, VertexRef)>,
    shares: Shares,
}

struct Waiting {
    vertex: Verified<Vertex>,
    /// How many of its links are not in the DAG yet.
    missing: usize,
    cost: usize,
}

/// What became of a vertex that was to wait.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Whether it waits: there was room for it.
    pub waits: bool,
    /// What it needs and is not here, and dropped vertices that others still need.
    pub look_for: Vec<VertexRef>,
    /// What only dropped vertices needed: nobody has to look for it any more.
    pub no_longer: Vec<VertexRef>,
}

/// Memory that one link of a waiting vertex costs at the most in the tables here and in those of the fetches.
pub(crate) const LINK_COST: usize = in_tree(size_of::<(VertexRef, VertexRef)>()) + WANT_COST;

/// What a waiting vertex costs beside its bytes and links.
const ENTRY_COST: usize =
    in_tree(size_of::<(VertexRef, Waiting)>()) + in_tree(size_of::<VertexRef>());

/// Bytes that an entry of a B-tree takes at the most: nodes have room for 11 entries and 12 children, and at
/// least 5 entries.
pub(crate) const fn in_tree(entry: usize) -> usize {
    (11 * entry + 12 * size_of::<usize>() + 16).div_ceil(5)
}

/// Before and after all others.
const FIRST: VertexRef = VertexRef {
    round: Round::ZERO,
    author: MemberIndex(0),
    digest: VertexDigest([0; 32]),
};
const LAST: VertexRef = VertexRef {
    round: Round::MAX,
    author: MemberIndex(u32::MAX),
    digest: VertexDigest([0xff; 32]),
};

/// Vertices that are looked at for the holders of one.
const HOLDERS_LOOK_MAX: usize = 64;

/// Links that are looked at for what one vertex lacks.
const LINKS_LOOK_MAX: usize = 1024;

fn cost(vertex: &Vertex, missing: usize) -> usize {
    vertex.size() + ENTRY_COST + LINK_COST * (missing + 1)
}

impl Suspended {
    pub fn new(shares: Shares) -> Self {
        Self {
            waiting: BTreeMap::new(),
            needed_by: BTreeSet::new(),
            shares,
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Links of what waits that are not in the DAG.
    pub fn links(&self) -> usize {
        self.needed_by.len()
    }

    pub fn contains(&self, vertex: &VertexRef) -> bool {
        self.waiting.contains_key(vertex)
    }

    /// The suspended vertices that link to one, ascending.
    fn dependents(&self, vertex: &VertexRef) -> impl Iterator<Item = &VertexRef> {
        let pairs = self.needed_by.range((*vertex, FIRST)..=(*vertex, LAST));
        pairs.map(|(_, dependent)| dependent)
    }

    /// Whether a suspended vertex needs this one.
    pub fn needs(&self, vertex: &VertexRef) -> bool {
        self.dependents(vertex).next().is_some()
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
            for dependent in self.dependents(vertex) {
                if seen.len() < HOLDERS_LOOK_MAX && seen.insert(dependent) {
                    open.push(dependent);
                }
            }
        }
        seen.into_iter().map(|dependent| dependent.author).collect()
    }

    /// What a suspended vertex needs, directly or through others that wait, and is not here. A bounded
    /// number of links is looked at.
    pub fn lacking(&self, vertex: &VertexRef) -> BTreeSet<VertexRef> {
        let (mut lacking, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let (mut open, mut looks) = (vec![*vertex], 0);
        while let Some(dependent) = open.pop() {
            let links = self.waiting.get(&dependent).into_iter();
            for link in links.flat_map(|w| w.vertex.links()) {
                looks += 1;
                if looks > LINKS_LOOK_MAX {
                    return lacking;
                }
                if !self.needed_by.contains(&(*link, dependent)) {
                    continue;
                }
                if !self.contains(link) {
                    lacking.insert(*link);
                } else if seen.insert(*link) {
                    open.push(*link);
                }
            }
        }
        lacking
    }

    /// Some suspended vertex of this author and round.
    pub fn version(&self, round: Round, author: MemberIndex) -> Option<&Verified<Vertex>> {
        let mut versions = self.waiting.range(versions_of(round, author));
        versions.next().map(|(_, w)| &w.vertex)
    }

    /// Lets a vertex wait for the links that the DAG lacks.
    pub fn insert(&mut self, vertex: Verified<Vertex>, missing: &[VertexRef]) -> Inserted {
        let reference = vertex.reference();
        let cost = cost(&vertex, missing.len());
        let mut inserted = Inserted::default();
        if self.waiting.contains_key(&reference) {
            inserted.waits = true;
            return inserted;
        }
        loop {
            match self.shares.room(&reference, cost) {
                Room::Fits => break,
                Room::After(victim) => self.drop(&victim, &mut inserted),
                Room::None => return inserted,
            }
        }
        let mut waits_for = 0;
        for link in missing {
            waits_for += usize::from(self.needed_by.insert((*link, reference)));
            if !self.waiting.contains_key(link) {
                inserted.look_for.push(*link);
            }
        }
        self.shares.add(reference, cost);
        let waiting = Waiting {
            vertex,
            missing: waits_for,
            cost,
        };
        self.waiting.insert(reference, waiting);
        inserted.waits = true;
        inserted
    }

    /// Drops a vertex for which there is no room any more.
    fn drop(&mut self, vertex: &VertexRef, inserted: &mut Inserted) {
        let Some(dropped) = self.remove(vertex) else {
            return;
        };
        let gone = |link: &&VertexRef| !self.needs(link);
        inserted.no_longer.extend(dropped.links().filter(gone));
        if self.needs(vertex) {
            inserted.look_for.push(*vertex);
        }
    }

    /// Takes a vertex out, with its needs.
    fn remove(&mut self, vertex: &VertexRef) -> Option<Verified<Vertex>> {
        let waiting = self.waiting.remove(vertex)?;
        self.shares.remove(vertex, waiting.cost);
        if waiting.missing > 0 {
            for link in waiting.vertex.links() {
                self.needed_by.remove(&(*link, *vertex));
            }
        }
        Some(waiting.vertex)
    }

    /// A vertex is in the DAG, or no longer needed: hands out those that waited for nothing else.
    pub fn arrived(&mut self, vertex: &VertexRef) -> Vec<Verified<Vertex>> {
        let mut free = Vec::new();
        let dependents: Vec<VertexRef> = self.dependents(vertex).copied().collect();
        for dependent in dependents {
            self.needed_by.remove(&(*vertex, dependent));
            let Some(waiting) = self.waiting.get_mut(&dependent) else {
                continue;
            };
            waiting.missing -= 1;
            if waiting.missing == 0 {
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
        while let Some((link, _)) = self.needed_by.first().copied() {
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
