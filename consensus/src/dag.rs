//! The accepted vertices from the GC floor on, by round and author.
//!
//! V4: a vertex enters after its whole *live* history. A link is live when its round is above the GC
//! round and less than the GC depth below the vertex that carries it. A link that is not live can
//! never bring anything into the order: a leader that brings the vertex is of its round or a later
//! one, and its GC round is at or above the link's (O2). So whether a member still holds what such a
//! link names changes nothing, and nobody waits for it.

use crate::config::{CoreConfig, sabotaged};
use crate::pattern::{Patterns, Votes};
use crate::slots::thresholds;
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
    /// R1 (d): members that sign twice, and the highest round of which the others reached a quorum.
    distrusted: MemberSet,
    trusted_round: Round,
    /// By author: the highest vertex, the first version of its round.
    latest: Vec<Option<VertexRef>>,
    vertices: usize,
    /// V5: those of them that are not the first of their author and round.
    further: usize,
    /// By author: encoded bytes of its vertices.
    bytes: Vec<usize>,
    walks: u64,
    /// D1: the stake of votes that makes the certificate pattern.
    certificate: Stake,
}

/// What is here of a round.
#[derive(Default)]
pub(crate) struct Row {
    /// By author: the accepted versions, in order of acceptance. More than one only of an
    /// equivocator (V5).
    places: Vec<Place>,
    authors: MemberSet,
    stake: Stake,
    /// When the stake reached a quorum, and when that of members which are not distrusted did.
    quorum_at: Option<Millis>,
    trusted_at: Option<Millis>,
}

impl Row {
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.places.iter().flat_map(Place::versions)
    }
}

/// What is here of an author in a round.
enum Place {
    One(Option<Node>),
    Many(Vec<Node>),
}

impl Place {
    fn versions(&self) -> &[Node] {
        match self {
            Self::One(node) => node.as_slice(),
            Self::Many(nodes) => nodes,
        }
    }

    fn versions_mut(&mut self) -> &mut [Node] {
        match self {
            Self::One(node) => node.as_mut_slice(),
            Self::Many(nodes) => nodes,
        }
    }

    fn push(&mut self, node: Node) {
        match self {
            Self::One(None) => *self = Self::One(Some(node)),
            Self::One(first) => {
                *self = Self::Many(first.take().into_iter().chain([node]).collect())
            }
            Self::Many(nodes) => nodes.push(node),
        }
    }
}

pub(crate) struct Node {
    pub vertex: Verified<Vertex>,
    /// D1.
    pub votes: Votes,
    /// D1: what it holds certificate patterns for.
    pub patterns: Patterns,
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
            distrusted: MemberSet::default(),
            trusted_round: floor.saturating_sub(1),
            latest: vec![None; config.committee.size()],
            vertices: 0,
            further: 0,
            bytes: vec![0; config.committee.size()],
            walks: 0,
            certificate: thresholds(config).1.certificate,
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

    /// V5, V8: members that sign two vertices a round.
    pub fn distrusted(&self) -> MemberSet {
        self.distrusted
    }

    /// Whether this is new.
    pub fn distrust(&mut self, member: MemberIndex) -> bool {
        self.distrusted.insert(member)
    }

    /// Those with a vertex in a round that are not distrusted.
    pub fn trusted(&self, round: Round) -> MemberSet {
        self.authors(round).without(&self.distrusted)
    }

    /// Highest round of which these reached a quorum.
    pub fn trusted_round(&self) -> Round {
        self.trusted_round
    }

    /// When these reached a quorum of a round.
    pub fn trusted_at(&self, round: Round) -> Option<Millis> {
        self.row(round).and_then(|r| r.trusted_at)
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

    /// V5: number of vertices beside the first of their author and round.
    pub fn further(&self) -> usize {
        self.further
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
            .map_or(&[], Place::versions)
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
        let place = row.places.get_mut(vertex.author.as_usize())?;
        let mut versions = place.versions_mut().iter_mut();
        versions.find(|n| n.vertex.digest() == vertex.digest)
    }

    pub fn contains(&self, vertex: &VertexRef) -> bool {
        self.get(vertex).is_some()
    }

    /// All vertices of rounds above this one, lower rounds first.
    pub fn nodes_above(&self, round: Round) -> impl Iterator<Item = &Node> {
        let from = round.0.saturating_add(1).saturating_sub(self.floor.0);
        let rows = self
            .rows
            .iter()
            .skip(usize::try_from(from).unwrap_or(usize::MAX));
        rows.flat_map(Row::nodes)
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
        let patterns = Patterns::new(&self.config, self, &vertex, self.certificate);
        let members = self.committee().size();
        let stake = self.committee().stake(author);
        let quorum = self.committee().quorum();
        let place = (round.0 - self.floor.0) as usize;
        while self.rows.len() <= place {
            self.rows.push_back(Row {
                places: std::iter::repeat_with(|| Place::One(None))
                    .take(members)
                    .collect(),
                ..Row::default()
            });
        }
        let distrusted = self.distrusted;
        let row = &mut self.rows[place];
        if row.authors.insert(author) {
            row.stake.0 += stake.0;
            if row.stake >= quorum && row.quorum_at.is_none() {
                row.quorum_at = Some(now);
                self.quorum_round = self.quorum_round.max(round);
            }
            let trusted = row.authors.without(&distrusted);
            if row.quorum_at.is_some()
                && row.trusted_at.is_none()
                && self.config.committee.is_quorum(&trusted)
            {
                row.trusted_at = Some(now);
                self.trusted_round = self.trusted_round.max(round);
            }
        }
        let latest = &mut self.latest[author.as_usize()];
        if latest.is_none_or(|l| l.round < round) {
            *latest = Some(reference);
        }
        self.vertices += 1;
        self.bytes[author.as_usize()] += vertex.size();
        let place = &mut row.places[author.as_usize()];
        self.further += usize::from(!place.versions().is_empty());
        place.push(Node {
            vertex,
            votes,
            patterns,
            output: false,
            linked: false,
            walk: 0,
        });
        place.versions_mut().last_mut().expect("just added")
    }

    /// O2: drops the lowest round and hands it out, if it is below the floor.
    pub fn collect_garbage(&mut self, floor: Round) -> Option<Row> {
        if self.floor >= floor {
            return None;
        }
        self.quorum_round = self.quorum_round.max(self.floor);
        self.trusted_round = self.trusted_round.max(self.floor);
        self.floor = self.floor.next();
        let row = self.rows.pop_front().unwrap_or_default();
        let further = |place: &Place| place.versions().len().saturating_sub(1);
        self.further -= row.places.iter().map(further).sum::<usize>();
        for node in row.nodes() {
            self.vertices -= 1;
            self.bytes[node.vertex.author().as_usize()] -= node.vertex.size();
        }
        Some(row)
    }

    /// The history of a vertex, itself included, as far as `enter` says of each vertex that it is to be
    /// taken, in no order.
    pub fn take(&mut self, from: VertexRef, enter: impl Fn(&Node) -> bool) -> Vec<VertexRef> {
        self.walks += 1;
        let id = self.walks;
        let mut taken = Vec::new();
        if self.get(&from).is_some_and(&enter) {
            taken.push(from);
        }
        let mut next = 0;
        while let Some(node) = taken.get(next).and_then(|vertex| self.get(vertex)) {
            next += 1;
            // Shares the vertex, so that its links can be read while the walk leaves its marks.
            let vertex = node.vertex.clone();
            for link in self.live_links(&vertex) {
                let Some(node) = self.get_mut(link).filter(|n| n.walk != id) else {
                    continue;
                };
                node.walk = id;
                if enter(node) {
                    taken.push(*link);
                }
            }
        }
        taken
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
                let Some(vertex) = dag.get(&vertex).map(|n| n.vertex.clone()) else {
                    continue;
                };
                for link in dag.live_links(&vertex) {
                    self.visit(dag, *link);
                }
            }
        }
    }

    /// Whether the walk has come by a vertex.
    pub fn visited(&self, dag: &Dag, vertex: &VertexRef) -> bool {
        dag.get(vertex).is_some_and(|node| self.came_by(node))
    }

    pub fn came_by(&self, node: &Node) -> bool {
        node.walk == self.id
    }
}
