//! V4: asking for what is missing. First its sender, then those whose vertices need it, directly or through
//! others: these have shown that they have it. Once members with F+1 of stake have, one of them is honest,
//! and it exists: then the others are asked in rotation, too. Until then it may be made up
//! (`doubted.rs`). When all have been asked, again after a pause that doubles.
//! A member that has let its last request time out comes after all that answer: else whoever sends a
//! vertex and withholds what it links to would cost everybody a time-out for each. Many vertices go into
//! one request, and a bounded number of requests is under way to each member.
//!
//! A member that is many rounds behind asks for whole rounds, upwards from its own DAG: going down
//! the links from the top would take one round trip for each round, and would have to keep all of
//! them until the lowest is here.

mod asking;
mod doubted;
mod rounds;

use crate::config::CoreConfig;
use crate::interface::{Effect, FetchId};
#[cfg(test)]
use crate::interface::{FetchRequest, Wanted};
use doubted::Doubted;
use rounds::Rounds;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use weft_types::{MemberIndex, MemberSet, Millis, Round, VertexRef};

/// Longest pause before members are asked once more, in milliseconds.
const PAUSE_MAX: u64 = 2_000;

pub(crate) struct Fetch {
    config: Arc<CoreConfig>,
    wants: BTreeMap<VertexRef, Want>,
    /// When to ask for a vertex, of those that no request under way asks for.
    due: BTreeSet<(Millis, VertexRef)>,
    requests: BTreeMap<FetchId, Request>,
    /// By member: how many of the requests are to it.
    under_way: Vec<usize>,
    doubted: Doubted,
    rounds: Rounds,
    /// Members whose last answer did not come in time.
    mute: MemberSet,
    next_id: u64,
    /// How long answers take, smoothed, in milliseconds.
    answer: u64,
}

#[derive(Debug, Clone)]
struct Want {
    /// Whom to ask first.
    sender: Option<MemberIndex>,
    /// Members that have shown that they have it.
    holders: MemberSet,
    asked: MemberSet,
    /// How often everybody has been asked.
    attempts: u32,
    next: Turn,
}

/// What is next for a vertex that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Due(Millis),
    /// It waits for its turn to be asked for of a member.
    Doubted(MemberIndex),
    /// A request for it is under way.
    Asked(FetchId),
}

struct Request {
    to: MemberIndex,
    /// Those not here yet.
    vertices: BTreeSet<VertexRef>,
    brought: bool,
    doubted: bool,
    at: Millis,
    deadline: Millis,
}

impl Fetch {
    pub fn new(config: &Arc<CoreConfig>) -> Self {
        Self {
            wants: BTreeMap::new(),
            due: BTreeSet::new(),
            requests: BTreeMap::new(),
            under_way: vec![0; config.committee.size()],
            doubted: Doubted::new(config.committee.size()),
            rounds: Rounds::new(config),
            mute: MemberSet::default(),
            next_id: 0,
            answer: config.timing.fetch_timeout_max.0 / 4,
            config: config.clone(),
        }
    }

    /// Number of vertices looked for.
    pub fn missing(&self) -> usize {
        self.wants.len()
    }

    /// How long a request may take, in milliseconds: twice as long after each member that was asked
    /// before, for it may be that answers take longer than they used to.
    fn timeout(&self, asked_before: usize) -> u64 {
        let timing = &self.config.timing;
        let (low, high) = (timing.fetch_timeout_min.0, timing.fetch_timeout_max.0);
        let usual = (4 * self.answer).max(low);
        (usual << asked_before.min(8)).min(high)
    }

    fn next_id(&mut self) -> FetchId {
        self.next_id += 1;
        FetchId(self.next_id)
    }

    /// Looks for a vertex that `by`, sent by `sender`, links to. It is asked for when it is `due`.
    pub fn want(
        &mut self,
        vertex: VertexRef,
        by: MemberIndex,
        sender: Option<MemberIndex>,
        due: Millis,
    ) {
        if self.wants.contains_key(&vertex) {
            return self.shown(&vertex, by, due);
        }
        let holders = [by].into_iter().chain(sender).collect();
        self.begin(vertex, sender, holders, due);
    }

    /// Looks for a vertex that is known to exist.
    pub fn want_known(&mut self, vertex: VertexRef, due: Millis) {
        let holders = self.config.committee.indices().collect();
        self.begin(vertex, None, holders, due);
    }

    fn begin(
        &mut self,
        vertex: VertexRef,
        sender: Option<MemberIndex>,
        holders: MemberSet,
        due: Millis,
    ) {
        let want = Want {
            sender,
            holders,
            asked: MemberSet::default(),
            attempts: 0,
            next: Turn::Due(due),
        };
        self.due.insert((due, vertex));
        self.wants.insert(vertex, want);
    }

    /// A member has shown that it has a vertex that is looked for. If that was not known, there is no
    /// need to wait for the end of a pause.
    pub fn shown(&mut self, vertex: &VertexRef, by: MemberIndex, due: Millis) {
        let Some(want) = self.wants.get_mut(vertex) else {
            return;
        };
        if !want.holders.insert(by) {
            return;
        }
        match want.next {
            Turn::Due(later) if later > due => {
                self.due.remove(&(later, *vertex));
            }
            Turn::Doubted(member) => self.doubted.remove(member, vertex),
            Turn::Due(_) | Turn::Asked(_) => return,
        }
        want.next = Turn::Due(due);
        self.due.insert((due, *vertex));
    }

    /// A vertex has come.
    pub fn arrived(&mut self, vertex: &VertexRef, now: Millis) {
        let Some(want) = self.wants.get(vertex) else {
            return;
        };
        if !self.config.committee.is_validity(&want.holders) {
            self.doubted.guessed(&want.holders, true);
        }
        if let Turn::Asked(id) = want.next
            && let Some(request) = self.requests.get_mut(&id)
            && !request.brought
        {
            request.brought = true;
            self.mute.remove(request.to);
            let took = now.0.saturating_sub(request.at.0);
            self.answer = (3 * self.answer + took) / 4;
        }
        self.forget(vertex, now);
    }

    /// A vertex is no longer looked for.
    pub fn forget(&mut self, vertex: &VertexRef, now: Millis) {
        let Some(want) = self.wants.remove(vertex) else {
            return;
        };
        match want.next {
            Turn::Due(due) => {
                self.due.remove(&(due, *vertex));
            }
            Turn::Doubted(member) => self.doubted.remove(member, vertex),
            Turn::Asked(id) => {
                let request = self.requests.get_mut(&id);
                let done = request.is_some_and(|request| {
                    request.vertices.remove(vertex);
                    request.vertices.is_empty()
                });
                if done {
                    self.close(id, now);
                }
            }
        }
    }

    fn close(&mut self, id: FetchId, now: Millis) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        self.under_way[request.to.as_usize()] -= 1;
        if request.doubted {
            self.doubted.ended(request.to, request.brought, now);
        }
        Some(request)
    }

    /// O2: nothing below the floor is looked for.
    pub fn collect_garbage(&mut self, floor: Round, now: Millis) {
        while let Some((vertex, _)) = self.wants.first_key_value() {
            let vertex = *vertex;
            if vertex.round >= floor {
                break;
            }
            self.forget(&vertex, now);
        }
    }

    /// A member has sent a vertex that was not known.
    pub fn brought(&mut self, from: MemberIndex, round: Round) {
        self.rounds.brought(from, round);
    }

    /// A request is over.
    pub fn ended(&mut self, id: FetchId, now: Millis) {
        self.rounds.ended(id, now);
        let Some(request) = self.close(id, now) else {
            return;
        };
        let mut in_vain = MemberSet::default();
        for vertex in request.vertices {
            let Some(want) = self.wants.get_mut(&vertex) else {
                continue;
            };
            // An answer may have been cut off where it became too long.
            if !request.brought {
                want.asked.insert(request.to);
                if !request.doubted && !self.config.committee.is_validity(&want.holders) {
                    in_vain = in_vain.iter().chain(want.holders.iter()).collect();
                }
            }
            want.next = Turn::Due(now);
            self.due.insert((now, vertex));
        }
        self.doubted.guessed(&in_vain, false);
    }

    /// Ends the requests that have taken too long.
    pub fn expire(&mut self, now: Millis) {
        if self.requests.is_empty() && !self.rounds.is_under_way() {
            return;
        }
        let late = self.requests.iter().filter(|(_, r)| r.deadline <= now);
        let late: Vec<FetchId> = late.map(|(id, _)| *id).collect();
        let silent = late.iter().map(|id| &self.requests[id]);
        let silent = silent.filter(|r| !r.brought).map(|r| r.to);
        self.mute = self.mute.iter().chain(silent).collect();
        for id in late.into_iter().chain(self.rounds.late(now)) {
            self.ended(id, now);
        }
    }

    /// Asks one of the members that are ahead for the rounds above `after`.
    pub fn ask_rounds(
        &mut self,
        after: Round,
        held: MemberSet,
        ahead: &MemberSet,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let next_id = || {
            self.next_id += 1;
            FetchId(self.next_id)
        };
        let request = self.rounds.ask((after, held), ahead, now, next_id);
        out.extend(request.map(Effect::Fetch));
    }

    /// When something is to be done, `None` when nothing is.
    pub fn deadline(&self, behind: bool) -> Option<Millis> {
        let may_ask = !self.due.is_empty() && self.free().next().is_some();
        let due = self.due.first().filter(|_| may_ask).map(|(due, _)| *due);
        let requests = self.requests.values().map(|r| r.deadline).min();
        let doubted = self.doubted.ready().filter(|(m, _)| self.has_room(*m));
        let doubted = doubted.map(|(_, at)| at).min();
        let rounds = self.rounds.deadline(behind);
        [due, requests, doubted, rounds].into_iter().flatten().min()
    }
}

/// The pause after everybody has been asked `attempts` times, in milliseconds.
fn pause(attempts: u32) -> u64 {
    asking::doubling(attempts).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests;
