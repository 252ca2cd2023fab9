//! V4: asking for what is missing. First its sender, then those whose vertices need it, directly or through
//! others, then the others in rotation; when all have been asked, again after a pause that doubles.
//! A member that has let its last request time out comes after all that answer: else whoever sends a
//! vertex and withholds what it links to would cost everybody a time-out for each. Many vertices go into
//! one request, and a bounded number of requests is under way to each member.
//!
//! A member that is many rounds behind asks for whole rounds, upwards from its own DAG: going down
//! the links from the top would take one round trip for each round, and would have to keep all of
//! them until the lowest is here.

use crate::config::CoreConfig;
use crate::interface::{Effect, FetchId, FetchRequest, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use weft_types::{MemberIndex, MemberSet, Millis, Round, VertexRef};

/// Longest pause before members are asked once more, in milliseconds.
const PAUSE_MAX: u64 = 2_000;
/// The first pause.
const PAUSE_MIN: u64 = 250;
/// Vertices that are looked at in one call, so that a flood of made-up links costs little at a time.
const WANTS_AT_ONCE: usize = 1024;

pub(crate) struct Fetch {
    config: Arc<CoreConfig>,
    wants: BTreeMap<VertexRef, Want>,
    /// When to ask for a vertex, of those that no request under way asks for.
    due: BTreeSet<(Millis, VertexRef)>,
    requests: BTreeMap<FetchId, Request>,
    /// By member: how many of the requests are to it.
    under_way: Vec<usize>,
    rounds: Option<RoundsRequest>,
    /// When whole rounds may be asked for again, and how often in a row that brought nothing.
    rounds_at: Millis,
    rounds_failed: u32,
    /// Whom to ask for whole rounds: the same member as long as it brings something.
    rounds_from: MemberIndex,
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
    /// A request for it is under way.
    Asked(FetchId),
}

struct Request {
    to: MemberIndex,
    /// Those not here yet.
    vertices: BTreeSet<VertexRef>,
    brought: bool,
    at: Millis,
    deadline: Millis,
}

struct RoundsRequest {
    id: FetchId,
    from: MemberIndex,
    after: Round,
    brought: bool,
    deadline: Millis,
}

impl Fetch {
    pub fn new(config: &Arc<CoreConfig>) -> Self {
        Self {
            wants: BTreeMap::new(),
            due: BTreeSet::new(),
            requests: BTreeMap::new(),
            under_way: vec![0; config.committee.size()],
            rounds: None,
            rounds_at: Millis::ZERO,
            rounds_failed: 0,
            rounds_from: MemberIndex(0),
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
        if let Some(want) = self.wants.get_mut(&vertex) {
            // A member that was not known to have it: no need to wait for the end of a pause.
            if want.holders.insert(by)
                && let Turn::Due(later) = want.next
                && later > due
            {
                self.due.remove(&(later, vertex));
                self.due.insert((due, vertex));
                want.next = Turn::Due(due);
            }
            return;
        }
        let want = Want {
            sender,
            holders: [by].into_iter().chain(sender).collect(),
            asked: MemberSet::default(),
            attempts: 0,
            next: Turn::Due(due),
        };
        self.due.insert((due, vertex));
        self.wants.insert(vertex, want);
    }

    /// A vertex has come.
    pub fn arrived(&mut self, vertex: &VertexRef, now: Millis) {
        let Some(want) = self.wants.get(vertex) else {
            return;
        };
        if let Turn::Asked(id) = want.next
            && let Some(request) = self.requests.get_mut(&id)
            && !request.brought
        {
            request.brought = true;
            self.mute.remove(request.to);
            let took = now.0.saturating_sub(request.at.0);
            self.answer = (3 * self.answer + took) / 4;
        }
        self.forget(vertex);
    }

    /// A vertex is no longer looked for.
    pub fn forget(&mut self, vertex: &VertexRef) {
        let Some(want) = self.wants.remove(vertex) else {
            return;
        };
        match want.next {
            Turn::Due(due) => {
                self.due.remove(&(due, *vertex));
            }
            Turn::Asked(id) => {
                let request = self.requests.get_mut(&id);
                let done = request.is_some_and(|request| {
                    request.vertices.remove(vertex);
                    request.vertices.is_empty()
                });
                if done {
                    self.close(id);
                }
            }
        }
    }

    fn close(&mut self, id: FetchId) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        self.under_way[request.to.as_usize()] -= 1;
        Some(request)
    }

    /// O2: nothing below the floor is looked for.
    pub fn collect_garbage(&mut self, floor: Round) {
        while let Some((vertex, _)) = self.wants.first_key_value() {
            let vertex = *vertex;
            if vertex.round >= floor {
                break;
            }
            self.forget(&vertex);
        }
    }

    /// A member has sent a vertex that was not known. What answers a request for rounds starts with
    /// the lowest of them; what the member has just made is of a later one.
    pub fn brought(&mut self, from: MemberIndex, round: Round) {
        let answered = |r: &&mut RoundsRequest| r.from == from && r.after.next() == round;
        if let Some(request) = self.rounds.as_mut().filter(answered) {
            request.brought = true;
        }
    }

    /// A request is over.
    pub fn ended(&mut self, id: FetchId, now: Millis) {
        if let Some(request) = self.rounds.take_if(|r| r.id == id) {
            self.rounds_ended(request.brought, now);
        }
        let Some(request) = self.close(id) else {
            return;
        };
        for vertex in request.vertices {
            let Some(want) = self.wants.get_mut(&vertex) else {
                continue;
            };
            // An answer may have been cut off where it became too long.
            if !request.brought {
                want.asked.insert(request.to);
            }
            want.next = Turn::Due(now);
            self.due.insert((now, vertex));
        }
    }

    fn rounds_ended(&mut self, success: bool, now: Millis) {
        self.rounds_at = now;
        if success {
            self.rounds_failed = 0;
            return;
        }
        // The next member at once, and a pause when all have been asked.
        self.rounds_from = self.rounds_from.next();
        self.rounds_failed = self.rounds_failed.saturating_add(1);
        let members = self.config.committee.size() as u32;
        if self.rounds_failed.is_multiple_of(members) {
            self.rounds_at = now.saturating_add(pause(self.rounds_failed / members));
        }
    }

    /// Ends the requests that have taken too long.
    pub fn expire(&mut self, now: Millis) {
        if self.requests.is_empty() && self.rounds.is_none() {
            return;
        }
        let late = self.requests.iter().filter(|(_, r)| r.deadline <= now);
        let late: Vec<FetchId> = late.map(|(id, _)| *id).collect();
        let silent = late.iter().map(|id| &self.requests[id]);
        let silent = silent.filter(|r| !r.brought).map(|r| r.to);
        self.mute = self.mute.iter().chain(silent).collect();
        let rounds = self.rounds.as_ref().filter(|r| r.deadline <= now);
        for id in late.into_iter().chain(rounds.map(|r| r.id)) {
            self.ended(id, now);
        }
    }

    /// How many more vertices each member may be asked for now.
    fn room(&self) -> BTreeMap<MemberIndex, usize> {
        let room = self.free().map(|(member, requests)| {
            let vertices = requests * self.config.limits.fetch_vertices_max;
            (member, vertices)
        });
        room.collect()
    }

    /// Members that may be asked now, and how many requests more each.
    fn free(&self) -> impl Iterator<Item = (MemberIndex, usize)> {
        let most = self.config.limits.fetches_per_member;
        let others = self.config.committee.indices();
        let others = others.filter(|m| Some(*m) != self.config.own);
        let free = others.map(move |m| (m, most.saturating_sub(self.under_way[m.as_usize()])));
        free.filter(|(_, requests)| *requests > 0)
    }

    /// Asks for what is due, from the lowest round up to `up_to`. What `lacks` denies is forgotten;
    /// `holders` have shown that they have a vertex.
    pub fn ask(
        &mut self,
        up_to: Round,
        lacks: impl Fn(&VertexRef) -> bool,
        holders: impl Fn(&VertexRef) -> MemberSet,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let due = self.due.iter().take_while(|(due, _)| *due <= now);
        let due: Vec<VertexRef> = due.take(WANTS_AT_ONCE).map(|(_, vertex)| *vertex).collect();
        if due.is_empty() {
            return;
        }
        let mut room = self.room();
        let mut batches = BTreeMap::<MemberIndex, Vec<VertexRef>>::new();
        for vertex in due {
            if !lacks(&vertex) {
                self.forget(&vertex);
                continue;
            }
            // The rest stays due, until a request ends.
            if room.is_empty() {
                break;
            }
            let Some(want) = self.wants.get_mut(&vertex) else {
                continue;
            };
            let next = if vertex.round > up_to {
                Next::Later(self.config.timing.fetch_timeout_max.0)
            } else {
                want.holders = want.holders.iter().chain(holders(&vertex).iter()).collect();
                next(&self.config, want, &vertex, &room, &self.mute)
            };
            if let Turn::Due(before) = want.next {
                self.due.remove(&(before, vertex));
            }
            match next {
                Next::Ask(member) => {
                    batches.entry(member).or_default().push(vertex);
                    if let Some(left) = room.get_mut(&member) {
                        *left -= 1;
                        if *left == 0 {
                            room.remove(&member);
                        }
                    }
                }
                Next::Later(pause) => {
                    let due = now.saturating_add(pause);
                    want.next = Turn::Due(due);
                    self.due.insert((due, vertex));
                }
            }
        }
        for (member, batch) in batches {
            for vertices in batch.chunks(self.config.limits.fetch_vertices_max) {
                let request = self.request(member, vertices, now);
                out.push(Effect::Fetch(request));
            }
        }
    }

    fn request(&mut self, to: MemberIndex, vertices: &[VertexRef], now: Millis) -> FetchRequest {
        let id = self.next_id();
        let mut asked_before = 0;
        for vertex in vertices {
            if let Some(want) = self.wants.get_mut(vertex) {
                want.next = Turn::Asked(id);
                asked_before = asked_before.max(want.asked.len());
            }
        }
        let request = Request {
            to,
            vertices: vertices.iter().copied().collect(),
            brought: false,
            at: now,
            deadline: now.saturating_add(self.timeout(asked_before)),
        };
        self.requests.insert(id, request);
        self.under_way[to.as_usize()] += 1;
        FetchRequest {
            id,
            from: to,
            wanted: Wanted::Vertices(vertices.to_vec()),
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
        let own = self.config.own;
        if self.rounds.is_some() || self.rounds_at > now {
            return;
        }
        let others = || ahead.iter().filter(|m| Some(*m) != own);
        let next = others().find(|m| *m >= self.rounds_from);
        let Some(from) = next.or_else(|| others().next()) else {
            self.rounds_at = now.saturating_add(self.config.timing.fetch_timeout_max.0);
            return;
        };
        self.rounds_from = from;
        let id = self.next_id();
        self.rounds = Some(RoundsRequest {
            id,
            from,
            after,
            brought: false,
            deadline: now.saturating_add(self.config.timing.fetch_timeout_max.0 * 4),
        });
        let until = after.saturating_add(self.config.limits.fetch_rounds_max);
        let wanted = Wanted::Rounds { after, until, held };
        out.push(Effect::Fetch(FetchRequest { id, from, wanted }));
    }

    /// When something is to be done, `None` when nothing is.
    pub fn deadline(&self, behind: bool) -> Option<Millis> {
        let may_ask = !self.due.is_empty() && self.free().next().is_some();
        let due = self.due.first().filter(|_| may_ask).map(|(due, _)| *due);
        let requests = self.requests.values().map(|r| r.deadline).min();
        let rounds = match &self.rounds {
            Some(request) => Some(request.deadline),
            None => behind.then_some(self.rounds_at),
        };
        [due, requests, rounds].into_iter().flatten().min()
    }
}

enum Next {
    Ask(MemberIndex),
    /// In so many milliseconds.
    Later(u64),
}

/// Whom to ask for a vertex: a member that was not asked yet and has room, mute ones last.
fn next(
    config: &CoreConfig,
    want: &mut Want,
    vertex: &VertexRef,
    room: &BTreeMap<MemberIndex, usize>,
    mute: &MemberSet,
) -> Next {
    let start = usize::from(vertex.digest.0[0]);
    let size = config.committee.size();
    let rotation = (0..size).map(|i| MemberIndex(((start + i) % size) as u32));
    let fresh = |m: &MemberIndex| Some(*m) != config.own && !want.asked.contains(*m);
    let holders = rotation.clone().filter(|m| want.holders.contains(*m));
    let order = want.sender.into_iter().chain(holders);
    let mut order = order.chain(rotation.clone());
    let free = |m: &MemberIndex| fresh(m) && room.contains_key(m);
    let answers = |m: &MemberIndex| free(m) && !mute.contains(*m);
    if let Some(member) = order.clone().find(answers).or_else(|| order.find(free)) {
        return Next::Ask(member);
    }
    if rotation.clone().any(|m| fresh(&m)) {
        return Next::Later(config.timing.fetch_delay.0);
    }
    want.asked = MemberSet::default();
    want.attempts = want.attempts.saturating_add(1);
    Next::Later(pause(want.attempts))
}

/// The pause after everybody has been asked `attempts` times, in milliseconds.
fn pause(attempts: u32) -> u64 {
    let doubled = PAUSE_MIN.saturating_mul(1 << attempts.min(16).saturating_sub(1));
    doubled.min(PAUSE_MAX)
}

#[cfg(test)]
mod tests;
