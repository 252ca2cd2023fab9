//! Hands the vertices of a DAG to a core in a random order, answers its requests, well or badly, and
//! lets it crash in between: then it resumes from what it had stored, with the last writes lost.

use super::chain::{check_chain, recent};
use super::random::START;
use super::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use weft_consensus::{
    Core, CoreConfig, Effect, FetchRequest, Input, LastCommit, Recovered, Wanted, gc_floor,
};
use weft_types::{Commit, MemberIndex, Millis, Round, Verified, Vertex, VertexRef};

/// Crashes of one replay: each has everything sent again that is not stored.
const CRASHES_MAX: u64 = 8;

/// How a replay goes.
#[derive(Debug, Clone)]
pub struct Style {
    /// Milliseconds over which neighbours in the given order are mixed.
    pub spread: u64,
    /// One in so many inputs is followed by a crash, up to [`CRASHES_MAX`]; zero for none.
    pub crashes: u64,
    /// Requests that bring nothing, in percent.
    pub failing: u64,
    /// Vertices that are never sent by themselves and have to be fetched, in percent.
    pub withheld: u64,
}

impl Style {
    pub fn random(rng: &mut Rng) -> Self {
        Self {
            spread: *rng.pick(&[0, 10, 60, 400]),
            crashes: *rng.pick(&[0, 400, 100, 40]),
            failing: *rng.pick(&[0, 20, 60]),
            withheld: *rng.pick(&[0, 10, 40]),
        }
    }
}

enum Stored {
    Vertex(Verified<Vertex>),
    Commit(Commit),
}

enum Item {
    Vertex(Verified<Vertex>, MemberIndex),
    Ended(weft_consensus::FetchId, u64),
}

struct Replay<'a> {
    all: BTreeMap<VertexRef, &'a Verified<Vertex>>,
    config: &'a CoreConfig,
    rng: Rng,
    style: Style,
    core: Core,
    now: u64,
    queue: BTreeMap<(u64, u64), Item>,
    sequence: u64,
    /// What a disk holds, in the order of writing.
    log: Vec<Stored>,
    life: u64,
}

/// The commits that a core makes of the vertices, checked as a chain of their own.
pub fn replay(
    config: &CoreConfig,
    vertices: &[Verified<Vertex>],
    style: Style,
    rng: Rng,
) -> Result<Vec<Commit>, String> {
    let fresh = Recovered::fresh(LastCommit::genesis(Millis(START)));
    let mut replay = Replay {
        all: vertices.iter().map(|v| (v.reference(), v)).collect(),
        core: Core::new(config.clone(), fresh, Millis(START)),
        config,
        rng,
        style,
        now: START,
        queue: BTreeMap::new(),
        sequence: 0,
        log: Vec::new(),
        life: 0,
    };
    for (i, vertex) in vertices.iter().enumerate() {
        if replay.rng.chance(replay.style.withheld) && i + 20 < vertices.len() {
            continue;
        }
        let at = START + 2 * i as u64 + replay.rng.below(replay.style.spread + 1);
        let from = vertex.author();
        replay.queue_at(at, Item::Vertex(vertex.clone(), from));
    }
    replay.run();
    let commits = replay.commits();
    check_chain(&commits, config.gc_depth)?;
    Ok(commits)
}

impl Replay<'_> {
    fn queue_at(&mut self, at: u64, item: Item) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), item);
    }

    fn commits(&self) -> Vec<Commit> {
        let commit = |stored: &Stored| match stored {
            Stored::Commit(commit) => Some(commit.clone()),
            Stored::Vertex(_) => None,
        };
        self.log.iter().filter_map(commit).collect()
    }

    fn run(&mut self) {
        let mut idle_until = None;
        loop {
            let next = self.queue.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.core.next_deadline().map(|d| d.0);
            let input = match (next, deadline) {
                (Some(at), deadline) if deadline.is_none_or(|d| at <= d) => {
                    let (_, item) = self.queue.pop_first().unwrap();
                    self.now = self.now.max(at);
                    match item {
                        Item::Vertex(vertex, from) => Input::Vertex {
                            vertex,
                            from: Some(from),
                        },
                        Item::Ended(id, life) if life == self.life => Input::FetchEnded(id),
                        Item::Ended(..) => continue,
                    }
                }
                (_, Some(deadline)) => {
                    self.now = self.now.max(deadline);
                    Input::Tick
                }
                (_, None) => return,
            };
            if self.queue.is_empty() {
                let until = *idle_until.get_or_insert(self.now + 20_000);
                if self.now > until {
                    return;
                }
            }
            self.handle(input);
            let may_crash = self.style.crashes > 0 && self.life < CRASHES_MAX;
            if may_crash && self.rng.below(self.style.crashes) == 0 {
                self.crash();
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.core.handle(Millis(self.now), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Accepted(vertex) => self.log.push(Stored::Vertex(vertex)),
                Effect::Committed(ordered) => self.log.push(Stored::Commit(ordered.commit)),
                Effect::Fetch(request) => self.answer(request),
                Effect::Equivocation(pair) => {
                    let (first, second) = (pair.first.reference(), pair.second.reference());
                    let place = |v: VertexRef| (v.round, v.author);
                    assert!(place(first) == place(second) && first.digest != second.digest);
                }
                Effect::Propose(_)
                | Effect::Relay { .. }
                | Effect::Expired(_)
                | Effect::SignedElsewhere(_) => {
                    panic!("an observer does not {effect:?}")
                }
            }
        }
    }

    fn answer(&mut self, request: FetchRequest) {
        let mut found: Vec<Verified<Vertex>> = match &request.wanted {
            Wanted::Vertices(list) => {
                let known = list.iter().filter_map(|v| self.all.get(v));
                known.map(|v| (*v).clone()).collect()
            }
            Wanted::Rounds { after, until, held } => {
                let rounds = |v: &&VertexRef| v.round > *after && v.round <= *until;
                let held = |v: &&VertexRef| v.round == after.next() && held.contains(v.author);
                let all = self.all.keys().filter(rounds).filter(|v| !held(v));
                all.take(40).map(|v| self.all[v].clone()).collect()
            }
        };
        if self.rng.chance(self.style.failing) {
            found.clear();
        }
        let at = self.now + 1 + self.rng.below(40);
        for vertex in found {
            self.queue_at(at, Item::Vertex(vertex, request.from));
        }
        self.queue_at(at, Item::Ended(request.id, self.life));
    }

    /// Starts again from the store, of which the last writes may be lost. What had been sent is
    /// sent once more.
    fn crash(&mut self) {
        self.life += 1;
        let lost = self.rng.below(4).min(self.log.len() as u64);
        self.log.truncate(self.log.len() - lost as usize);
        let commits = self.commits();
        let last = commits.last().map(LastCommit::of);
        let last = last.unwrap_or(LastCommit::genesis(Millis(START)));
        let floor = last
            .leader
            .map_or(Round::ZERO, |l| gc_floor(l.round, self.config.gc_depth));
        let vertex = |stored: &Stored| match stored {
            Stored::Vertex(vertex) => Some(vertex.clone()),
            Stored::Commit(_) => None,
        };
        let mut vertices: Vec<Verified<Vertex>> = self.log.iter().filter_map(vertex).collect();
        vertices.retain(|v| v.round() >= floor);
        let stored: BTreeSet<VertexRef> = vertices.iter().map(|v| v.reference()).collect();
        let recovered = Recovered {
            commits: recent(&commits, self.config.gc_depth),
            vertices,
            ..Recovered::fresh(last)
        };
        self.core = Core::new(self.config.clone(), recovered, Millis(self.now));
        let pending = self.queue.values().filter_map(|item| match item {
            Item::Vertex(vertex, _) => Some(vertex.reference()),
            Item::Ended(..) => None,
        });
        let pending: BTreeSet<VertexRef> = pending.collect();
        let again = |v: &&Verified<Vertex>| {
            let reference = v.reference();
            reference.round >= floor
                && !stored.contains(&reference)
                && !pending.contains(&reference)
        };
        let again: Vec<Verified<Vertex>> =
            self.all.values().copied().filter(again).cloned().collect();
        for vertex in again {
            let at = self.now + self.rng.below(200);
            let from = vertex.author();
            self.queue_at(at, Item::Vertex(vertex, from));
        }
    }
}
