//! The accepted vertices from the GC floor on, by round and author.
//!
//! V4: a vertex enters after its whole *live* history. A link is live when its round is above the GC
//! round and less than the GC depth below the vertex that carries it. A link that is not live can
//! never bring anything into the order: a leader that brings the vertex is of its round or a later
//! one, and its GC round is at or above the link's (O2). So whether a member still holds what such a
//! link names changes nothing, and nobody waits for it.

use crate::config::{CoreConfig, sabotaged};
use crate::pattern::Votes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use weft_types::{
    Committee, MemberIndex, MemberSet, Millis, Round, Stake, Verified, Vertex, VertexRef,
};

pub(crate) struct Dag {
    config: Arc<CoreConfig>,
    /// O2: the lowest round kept.
    floor: Round,
    rows: VecDeque<Row>,
    quorum_round: Round,
    /// By author: the highest vertex, the first version of its round.
    latest: Vec<Option<VertexRef>>,
    vertices: usize,
    /// By author: encoded bytes of its vertices.
    bytes: Vec<usize>,
    walks: u64,
}

#[derive(Default)]
struct Row {
    /// By author: the accepted versions, in order of acceptance. More than one only of an
    /// equivocator (V5).
    places: Vec<Vec<Node>>,
    authors: MemberSet,
    stake: Stake,
    /// When the stake reached a quorum.
    quorum_at: Option<Millis>,
}

pub(crate) struct Node {
    pub vertex: Verified<Vertex>,
    /// D1.
    pub votes: Votes,
    /// Part of a commit.
    pub output: bool,
    /// In the history of an own vertex.
    pub linked: bool,
    /// The last walk that came by.
    walk: u64,
}

impl Dag {
    /// With the vertices of round 0, when the floor is there. They carry nothing and count as
    /// output.
    pub fn new(config: &Arc<CoreConfig>, floor: Round) -> Self {
        let mut dag = Self {
            floor,
            rows: VecDeque::new(),
            quorum_round: floor.saturating_sub(1),
            latest: vec![None; config.committee.size()],
            vertices: 0,
            bytes: vec![0; config.committee.size()],
            walks: 0,
            config: config.clone(),
        };
        if floor == Round::ZERO {
            let committee = dag.config.committee.clone();
            for author in committee.indices() {
                let vertex = Vertex::genesis(config.network, committee.epoch(), author);
                dag.insert(vertex, Millis::ZERO).output = true;
            }
        }
        dag
    }

    fn committee(&self) -> &Committee {
        &self.config.committee
    }

    pub fn floor(&self) -> Round {
        self.floor
    }

    /// Highest round of which a quorum is here; below the floor when there is none.
    pub fn quorum_round(&self) -> Round {
        self.quorum_round
    }

    /// Highest round of which anything is here.
    pub fn top(&self) -> Round {
        let above = self.rows.len() as u64;
        Round((self.floor.0 + above).saturating_sub(1))
    }

    /// Number of vertices held.
    pub fn len(&self) -> usize {
        self.vertices
    }

    /// Encoded bytes of the vertices of an author.
    pub fn bytes_of(&self, author: MemberIndex) -> usize {
        self.bytes[author.as_usize()]
    }

    /// Encoded bytes of all vertices.
    pub fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    /// The author's highest vertex that is here.
    pub fn latest(&self, author: MemberIndex) -> Option<VertexRef> {
        self.latest.get(author.as_usize()).copied().flatten()
    }

    fn row(&self, round: Round) -> Option<&Row> {
        let place = round.0.checked_sub(self.floor.0)?;
        self.rows.get(usize::try_from(place).ok()?)
    }

    /// The versions that an author has in a round.
    pub fn versions(&self, round: Round, author: MemberIndex) -> &[Node] {
        let row = self.row(round);
        row.and_then(|r| r.places.get(author.as_usize()))
            .map_or(&[], Vec::as_slice)
    }

    /// Who has a vertex in a round.
    pub fn authors(&self, round: Round) -> MemberSet {
        self.row(round).map(|r| r.authors).unwrap_or_default()
    }

    /// Whether a quorum of a round is here.
    pub fn has_quorum(&self, round: Round) -> bool {
        self.quorum_at(round).is_some()
    }

    /// When a round's stake reached a quorum.
    pub fn quorum_at(&self, round: Round) -> Option<Millis> {
        self.row(round).and_then(|r| r.quorum_at)
    }

    pub fn get(&self, vertex: &VertexRef) -> Option<&Node> {
        let versions = self.versions(vertex.round, vertex.author);
        versions.iter().find(|n| n.vertex.digest() == vertex.digest)
    }

    pub fn get_mut(&mut self, vertex: &VertexRef) -> Option<&mut Node> {
        let place = vertex.round.0.checked_sub(self.floor.0)?;
        let row = self.rows.get_mut(usize::try_from(place).ok()?)?;
        let versions = row.places.get_mut(vertex.author.as_usize())?;
        versions
            .iter_mut()
            .find(|n| n.vertex.digest() == vertex.digest)
    }

    pub fn contains(&self, vertex: &VertexRef) -> bool {
        self.get(vertex).is_some()
    }

    /// All vertices of rounds above this one, lower rounds first.
    pub fn vertices_above(&self, round: Round) -> impl Iterator<Item = &Verified<Vertex>> {
        let from = round.0.saturating_add(1).saturating_sub(self.floor.0);
        let rows = self
            .rows
            .iter()
            .skip(usize::try_from(from).unwrap_or(usize::MAX));
        let nodes = rows.flat_map(|row| row.places.iter().flatten());
        nodes.map(|node| &node.vertex)
    }

    /// The links that must be here before the vertex is, and along which histories run.
    pub fn live_links<'a>(
        &self,
        vertex: &'a Vertex,
    ) -> impl Iterator<Item = &'a VertexRef> + use<'a> {
        let floor = self.floor;
        let (depth, round) = (self.config.gc_depth, vertex.round());
        let reach = Round(round.0.saturating_add(1).saturating_sub(depth));
        vertex
            .links()
            .filter(move |l| l.round >= floor && l.round >= reach)
    }

    /// The live links that are not here.
    pub fn missing_links(&self, vertex: &Vertex) -> Vec<VertexRef> {
        let missing = self.live_links(vertex).filter(|l| !self.contains(l));
        let mut missing: Vec<VertexRef> = missing.copied().collect();
        if sabotaged!(self.config, AcceptWithoutWeakLinks) {
            missing.retain(|l| !vertex.weak_links().contains(l));
        }
        missing
    }

    /// Adds a vertex of a round not below the floor, that is not yet here.
    pub fn insert(&mut self, vertex: Verified<Vertex>, now: Millis) -> &mut Node {
        let (reference, round, author) = (vertex.reference(), vertex.round(), vertex.author());
        assert!(round >= self.floor && !self.contains(&reference));
        let votes = Votes::new(self, &vertex);
        let members = self.committee().size();
        let stake = self.committee().stake(author);
        let quorum = self.committee().quorum();
        let place = (round.0 - self.floor.0) as usize;
        while self.rows.len() <= place {
            self.rows.push_back(Row {
                places: std::iter::repeat_with(Vec::new).take(members).collect(),
                ..Row::default()
            });
        }
        let row = &mut self.rows[place];
        if row.authors.insert(author) {
            row.stake.0 += stake.0;
            if row.stake >= quorum && row.quorum_at.is_none() {
                row.quorum_at = Some(now);
                self.quorum_round = self.quorum_round.max(round);
            }
        }
        let latest = &mut self.latest[author.as_usize()];
        if latest.is_none_or(|l| l.round < round) {
            *latest = Some(reference);
        }
        self.vertices += 1;
        self.bytes[author.as_usize()] += vertex.size();
        let versions = &mut row.places[author.as_usize()];
        versions.push(Node {
            vertex,
            votes,
            output: false,
            linked: false,
            walk: 0,
        });
        versions.last_mut().expect("just added")
    }

    /// O2: drops all rounds below the floor and hands out their vertices.
    pub fn collect_garbage(&mut self, floor: Round) -> Vec<Node> {
        let mut dropped = Vec::new();
        while self.floor < floor {
            self.floor = self.floor.next();
            if let Some(row) = self.rows.pop_front() {
                dropped.extend(row.places.into_iter().flatten());
            }
        }
        self.vertices -= dropped.len();
        for node in &dropped {
            self.bytes[node.vertex.author().as_usize()] -= node.vertex.size();
        }
        self.quorum_round = self.quorum_round.max(self.floor.saturating_sub(1));
        dropped
    }

    /// Starts a walk down the history of a vertex that is here.
    pub fn walk(&mut self, from: VertexRef) -> Walk {
        self.walks += 1;
        let mut walk = Walk {
            id: self.walks,
            pending: BTreeMap::new(),
        };
        walk.visit(self, from);
        walk
    }
}

/// A walk down a history along live links, round by round, that can be continued. Each vertex is
/// visited once, and the DAG remembers by which walk: only the latest walk may be asked.
pub(crate) struct Walk {
    id: u64,
    pending: BTreeMap<Round, Vec<VertexRef>>,
}

impl Walk {
    fn visit(&mut self, dag: &mut Dag, vertex: VertexRef) {
        let id = self.id;
        let Some(node) = dag.get_mut(&vertex) else {
            return;
        };
        if node.walk != id {
            node.walk = id;
            self.pending.entry(vertex.round).or_default().push(vertex);
        }
    }

    /// Goes on until every vertex of the history from `down_to` on has been visited.
    pub fn descend(&mut self, dag: &mut Dag, down_to: Round) {
        while let Some(entry) = self.pending.last_entry() {
            if *entry.key() <= down_to {
                return;
            }
            for vertex in entry.remove() {
                let links: Vec<VertexRef> = match dag.get(&vertex) {
                    Some(node) => dag.live_links(&node.vertex).copied().collect(),
                    None => continue,
                };
                for link in links {
                    self.visit(dag, link);
                }
            }
        }
    }

    /// Visits the history as far as `enter` says of each vertex that it is to be taken; returns
    /// those taken, in no order.
    pub fn take(mut self, dag: &mut Dag, enter: impl Fn(&Node) -> bool) -> Vec<VertexRef> {
        let begun = std::mem::take(&mut self.pending).into_values().flatten();
        let begun = begun.filter(|v| dag.get(v).is_some_and(&enter));
        let mut taken: Vec<VertexRef> = begun.collect();
        let (mut next, mut links) = (0, Vec::new());
        while let Some(node) = taken.get(next).and_then(|vertex| dag.get(vertex)) {
            next += 1;
            links.clear();
            links.extend(dag.live_links(&node.vertex));
            for link in &links {
                let Some(node) = dag.get_mut(link).filter(|n| n.walk != self.id) else {
                    continue;
                };
                node.walk = self.id;
                if enter(node) {
                    taken.push(*link);
                }
            }
        }
        taken
    }

    /// Whether the walk has come by a vertex.
    pub fn visited(&self, dag: &Dag, vertex: &VertexRef) -> bool {
        dag.get(vertex).is_some_and(|n| n.walk == self.id)
    }
}
