//! A cluster of cores in virtual time: one event queue, links with delays and losses from a seed, a
//! disk for each node. Small and plain; the simulator of the whole node is in `testnet`.

use super::chain::{check_agreement, check_chain, recent};
use super::drawing::{committee, share};
use super::rng::Rng;
use super::view::sign;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_consensus::{
    Core, CoreConfig, Effect, FetchRequest, Input, LastCommit, Recovered, Wanted, gc_floor,
};
use weft_types::testing::network;
use weft_types::{
    Commit, MemberIndex, MemberSet, Millis, ProtocolParams, Round, Verified, Vertex, VertexRef,
};

const START: u64 = 1_000_000;
/// Vertices in one answer.
const ANSWER_MAX: usize = 200;

/// The way from one node to another at a time: milliseconds, or `None` for lost.
pub type Link = Box<dyn Fn(&mut Rng, u64, usize, usize) -> Option<u64>>;

pub struct Node {
    pub config: CoreConfig,
    pub core: Option<Core>,
    pub store: BTreeMap<VertexRef, Verified<Vertex>>,
    pub commits: Vec<Commit>,
    /// Payloads that wait for a vertex: when they came.
    waiting: Vec<u64>,
    /// Own vertices with payload that are not output yet, and when their payload came.
    unordered: BTreeMap<VertexRef, Vec<u64>>,
    /// How long each payload took to be ordered, in milliseconds.
    pub latencies: Vec<u64>,
    pub inputs: u64,
    pub expired: usize,
    /// Makes two versions of each vertex and sends one to the even nodes, the other to the odd ones.
    pub equivocates: bool,
    /// Members of whom this node was shown two versions.
    pub found_out: MemberSet,
    life: u64,
}

enum Event {
    Vertex {
        vertex: Verified<Vertex>,
        from: usize,
    },
    Request {
        request: FetchRequest,
        from: usize,
        life: u64,
    },
    Answer {
        vertices: Vec<Verified<Vertex>>,
        request: FetchRequest,
        life: u64,
    },
    Payload,
}

pub struct Cluster {
    pub nodes: Vec<Node>,
    pub now: u64,
    pub link: Link,
    rng: Rng,
    events: BTreeMap<(u64, u64), (usize, Event)>,
    sequence: u64,
}

/// Every message takes from `low` to `high` milliseconds.
pub fn uniform(low: u64, high: u64) -> Link {
    Box::new(move |rng, _, _, _| Some(low + rng.below(high - low + 1)))
}

/// Round trips in milliseconds between ten places: Virginia, Oregon, Dublin, Frankfurt, Tokyo,
/// Singapore, Sydney, Mumbai, Sao Paulo, Cape Town. Each row begins after its own place.
const ROUND_TRIPS: [&[u64]; 10] = [
    &[65, 68, 90, 150, 220, 200, 190, 115, 225],
    &[120, 140, 98, 165, 140, 220, 175, 280],
    &[25, 200, 175, 255, 122, 177, 160],
    &[225, 160, 250, 112, 203, 155],
    &[70, 105, 125, 255, 350],
    &[93, 57, 320, 240],
    &[150, 310, 400],
    &[300, 260],
    &[340],
    &[],
];

/// Members spread over ten places in turn; a tenth of jitter, 1 ms within a place.
pub fn regions() -> Link {
    Box::new(|rng, _, a, b| {
        let (near, far) = ((a % 10).min(b % 10), (a % 10).max(b % 10));
        let delay = if near == far {
            1
        } else {
            ROUND_TRIPS[near][far - near - 1] / 2
        };
        Some(delay + rng.below(delay / 10 + 1))
    })
}

/// Members below `lossy` lose one message of a hundred, in both directions.
pub fn losing(link: Link, lossy: usize) -> Link {
    Box::new(move |rng, now, a, b| {
        let lost = (a < lossy || b < lossy) && rng.chance(1);
        if lost { None } else { link(rng, now, a, b) }
    })
}

impl Cluster {
    pub fn new(stakes: &[u64], seed: u64, link: Link) -> Self {
        Self::with(stakes, seed, link, |_| {})
    }

    pub fn with(stakes: &[u64], seed: u64, link: Link, change: impl Fn(&mut CoreConfig)) -> Self {
        let committee = Arc::new(committee(stakes));
        let params = ProtocolParams::default();
        let node = |own| {
            let committee = committee.clone();
            let mut config = CoreConfig::new(network().id(), committee, Some(own), &params);
            change(&mut config);
            let fresh = Recovered::fresh(LastCommit::genesis(Millis(START)));
            Node {
                core: Some(Core::new(config.clone(), fresh, Millis(START))),
                config,
                store: BTreeMap::new(),
                commits: Vec::new(),
                waiting: Vec::new(),
                unordered: BTreeMap::new(),
                latencies: Vec::new(),
                inputs: 0,
                expired: 0,
                equivocates: false,
                found_out: MemberSet::default(),
                life: 0,
            }
        };
        Self {
            nodes: committee.indices().map(node).collect(),
            now: START,
            link,
            rng: Rng::new(seed),
            events: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Runs for so many milliseconds.
    pub fn run(&mut self, millis: u64) -> &mut Self {
        let until = self.now + millis;
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let deadline = |(i, node): (usize, &Node)| {
                let deadline = node.core.as_ref()?.next_deadline()?;
                Some((deadline.0.max(self.now), i))
            };
            let tick = self.nodes.iter().enumerate().filter_map(deadline).min();
            match (event, tick) {
                (Some(at), tick) if tick.is_none_or(|(t, _)| at <= t) && at <= until => {
                    self.now = self.now.max(at);
                    let (_, (node, event)) = self.events.pop_first().unwrap();
                    self.happen(node, event);
                }
                (_, Some((at, node))) if at <= until => {
                    self.now = at;
                    self.input(node, Input::Tick);
                }
                _ => {
                    self.now = until;
                    return self;
                }
            }
        }
    }

    /// Gives a node a payload at `in_millis` from now.
    pub fn submit(&mut self, node: usize, in_millis: u64) -> &mut Self {
        self.schedule(self.now + in_millis, node, Event::Payload);
        self
    }

    pub fn kill(&mut self, node: usize) -> &mut Self {
        self.nodes[node].core = None;
        self.nodes[node].life += 1;
        self
    }

    /// From its store; payload in memory is lost.
    pub fn restart(&mut self, node: usize) -> &mut Self {
        let now = Millis(self.now);
        let node = &mut self.nodes[node];
        let last = node.commits.last().map(LastCommit::of);
        let last = last.unwrap_or(LastCommit::genesis(Millis(START)));
        let depth = node.config.gc_depth;
        let floor = last
            .leader
            .map_or(Round::ZERO, |l| gc_floor(l.round, depth));
        let above = |v: &&Verified<Vertex>| v.round() >= floor;
        let own = |v: &&Verified<Vertex>| Some(v.author()) == node.config.own;
        let own = node
            .store
            .values()
            .filter(own)
            .max_by_key(|v| v.round())
            .cloned();
        let recovered = Recovered {
            last,
            commits: recent(&node.commits, depth),
            vertices: node.store.values().filter(above).cloned().collect(),
            signed: Some(own.as_ref().map_or(Round::ZERO, |v| v.round())),
            own,
        };
        node.waiting.clear();
        node.unordered.clear();
        node.core = Some(Core::new(node.config.clone(), recovered, now));
        self
    }

    fn schedule(&mut self, at: u64, node: usize, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), (node, event));
    }

    fn send(&mut self, from: usize, to: usize, event: Event) {
        if let Some(delay) = (self.link)(&mut self.rng, self.now - START, from, to) {
            self.schedule(self.now + delay, to, event);
        }
    }

    fn happen(&mut self, node: usize, event: Event) {
        if self.nodes[node].core.is_none() {
            return;
        }
        match event {
            Event::Vertex { vertex, from } => {
                let from = Some(MemberIndex(from as u32));
                self.input(node, Input::Vertex { vertex, from });
            }
            Event::Request {
                request,
                from,
                life,
            } => {
                let vertices = self.nodes[node].find(&request);
                let answer = Event::Answer {
                    vertices,
                    request,
                    life,
                };
                self.send(node, from, answer);
            }
            Event::Answer {
                vertices,
                request,
                life,
            } => {
                if life != self.nodes[node].life {
                    return;
                }
                let from = Some(request.from);
                for vertex in vertices {
                    self.input(node, Input::Vertex { vertex, from });
                }
                self.input(node, Input::FetchEnded(request.id));
            }
            Event::Payload => {
                let now = self.now;
                self.nodes[node].waiting.push(now);
                self.input(node, Input::Unordered(true));
            }
        }
    }

    fn input(&mut self, i: usize, input: Input) {
        let node = &mut self.nodes[i];
        let Some(core) = &mut node.core else { return };
        node.inputs += 1;
        let mut effects = Vec::new();
        core.handle(Millis(self.now), input, &mut effects);
        for effect in effects {
            self.perform(i, effect);
        }
    }

    fn perform(&mut self, i: usize, effect: Effect) {
        let now = self.now;
        match effect {
            Effect::Propose(proposal) => {
                let node = &mut self.nodes[i];
                let payload = std::mem::take(&mut node.waiting);
                let shares = if payload.is_empty() {
                    vec![]
                } else {
                    vec![share()]
                };
                let vertex = sign(i, proposal.clone(), shares, Millis(now));
                node.store.insert(vertex.reference(), vertex.clone());
                if !payload.is_empty() {
                    node.unordered.insert(vertex.reference(), payload);
                }
                let mut versions = [vertex.clone(), vertex.clone()];
                if self.nodes[i].equivocates {
                    versions[1] = sign(i, proposal, vec![share()], Millis(now + 1));
                    let second = versions[1].clone();
                    self.nodes[i].store.insert(second.reference(), second);
                }
                for to in (0..self.nodes.len()).filter(|to| *to != i) {
                    let vertex = versions[to % 2].clone();
                    self.send(i, to, Event::Vertex { vertex, from: i });
                }
                self.input(i, Input::Proposed(vertex));
                self.input(i, Input::Unordered(false));
            }
            Effect::Accepted(vertex) => {
                self.nodes[i].store.insert(vertex.reference(), vertex);
            }
            Effect::Committed(ordered) => {
                let node = &mut self.nodes[i];
                for vertex in &ordered.commit.vertices {
                    let came = node.unordered.remove(vertex).unwrap_or_default();
                    node.latencies.extend(came.into_iter().map(|at| now - at));
                }
                node.commits.push(ordered.commit);
            }
            Effect::Expired(vertex) => {
                let node = &mut self.nodes[i];
                node.expired += 1;
                let again = node.unordered.remove(&vertex.reference());
                node.waiting.extend(again.unwrap_or_default());
                if !node.waiting.is_empty() {
                    self.input(i, Input::Unordered(true));
                }
            }
            Effect::Fetch(request) => {
                let (to, life) = (request.from.as_usize(), self.nodes[i].life);
                self.send(
                    i,
                    to,
                    Event::Request {
                        request,
                        from: i,
                        life,
                    },
                );
            }
            Effect::Relay { to, vertex } => {
                self.send(i, to.as_usize(), Event::Vertex { vertex, from: i });
            }
            Effect::Equivocation(pair) => {
                self.nodes[i].found_out.insert(pair.first.author());
            }
            // Its store came back whole, or it equivocates.
            Effect::SignedElsewhere(_) => {}
        }
    }

    /// Agreement of all nodes, each chain by itself, and nothing lost: all payload given to nodes
    /// that never crashed is ordered.
    pub fn check(&self) -> &Self {
        let chains: Vec<Vec<Commit>> = self.nodes.iter().map(|n| n.commits.clone()).collect();
        check_agreement(&chains).unwrap();
        let equivocates = |(_, n): &(usize, &Node)| n.equivocates;
        let guilty = self.nodes.iter().enumerate().filter(equivocates);
        let guilty: MemberSet = guilty.map(|(i, _)| MemberIndex(i as u32)).collect();
        for node in &self.nodes {
            assert!(node.found_out.iter().all(|m| guilty.contains(m)));
            check_chain(&node.commits, node.config.gc_depth).unwrap();
        }
        self
    }

    /// Payloads that are not ordered yet, by node.
    pub fn unordered(&self) -> Vec<usize> {
        let open = |n: &Node| n.waiting.len() + n.unordered.values().map(Vec::len).sum::<usize>();
        self.nodes.iter().map(open).collect()
    }

    pub fn rounds(&self) -> Vec<u64> {
        let round = |n: &Node| n.core.as_ref().map_or(0, |c| c.status().quorum_round.0);
        self.nodes.iter().map(round).collect()
    }

    pub fn commit_counts(&self) -> Vec<usize> {
        self.nodes.iter().map(|n| n.commits.len()).collect()
    }

    /// All latencies so far, ascending.
    pub fn latencies(&self) -> Vec<u64> {
        let all = self.nodes.iter().flat_map(|n| n.latencies.iter().copied());
        let mut all: Vec<u64> = all.collect();
        all.sort_unstable();
        all
    }
}

impl Node {
    fn find(&self, request: &FetchRequest) -> Vec<Verified<Vertex>> {
        match &request.wanted {
            Wanted::Vertices(list) => {
                let found = list.iter().filter_map(|v| self.store.get(v));
                found.cloned().collect()
            }
            Wanted::Rounds { after, until, held } => {
                let within = |v: &&Verified<Vertex>| {
                    let first = v.round() == after.next();
                    v.round() > *after
                        && v.round() <= *until
                        && !(first && held.contains(v.author()))
                };
                let found = self.store.values().filter(within);
                found.take(ANSWER_MAX).cloned().collect()
            }
        }
    }
}
