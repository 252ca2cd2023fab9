//! V4: asking for what is missing. First its sender, then those whose vertices need it, directly or through
//! others; when F + 1 of stake is among these, then somebody honest has it, and the others are asked in
//! rotation too. When all that may be asked have been, again after a pause that doubles, or as soon as
//! another member names it.
//! Whoever takes longer than answers do as a rule is not waited for: the next one is asked too.
//! A member that has let its last request time out comes after all that answer: else whoever sends a
//! vertex and withholds what it links to would cost everybody a time-out for each. Many vertices go into
//! one request, and a bounded number of requests is under way to each member.
//!
//! Links can be made up. What is named by less than F + 1 of stake is *unproven*: only those that name it
//! are asked, and an author is the payer of a bounded number of such links at a time. So what a liar makes
//! the others ask for does not grow with what it writes, and it answers for it alone. Nothing is lost
//! by it: who is honest has what it names, and what nobody honest names nobody needs.
//!
//! A member that is many rounds behind asks for whole rounds, upwards from its own DAG: going down
//! the links from the top would take one round trip for each round, and would have to keep all of
//! them until the lowest is here.

mod budget;
mod room;
mod rounds;
mod want;

use crate::config::CoreConfig;
use crate::interface::{Effect, FetchId, FetchRequest, Wanted};
use crate::suspended::in_tree;
use budget::Budget;
use room::Room;
use rounds::Rounds;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use want::{Next, Standing, Turn, Want};
use weft_types::{MemberIndex, MemberSet, Millis, Round, VertexRef};

/// Vertices that are looked at in one call, so that a flood of made-up links costs little at a time.
const WANTS_AT_ONCE: usize = 1024;

/// Memory that one vertex takes at the most while it is looked for.
pub(crate) const WANT_COST: usize = in_tree(size_of::<(VertexRef, Want)>())
    + in_tree(size_of::<(Millis, VertexRef)>())
    + in_tree(size_of::<VertexRef>());

pub(crate) struct Fetch {
    config: Arc<CoreConfig>,
    wants: BTreeMap<VertexRef, Want>,
    /// When to ask for a vertex.
    due: BTreeSet<(Millis, VertexRef)>,
    /// Vertices whose time has come, but whoever may be asked has as many requests as it may.
    busy: BTreeSet<VertexRef>,
    /// Vertices of rounds that are not asked for yet.
    above: BTreeSet<VertexRef>,
    budget: Budget,
    requests: BTreeMap<FetchId, Request>,
    /// By member: how many of the requests are to it.
    under_way: Vec<usize>,
    rounds: Rounds,
    /// Members whose last answer did not come in time.
    mute: MemberSet,
    next_id: u64,
    /// How long answers take, smoothed, in milliseconds.
    answer: u64,
}

struct Request {
    to: MemberIndex,
    /// Those not here yet.
    vertices: BTreeSet<VertexRef>,
    proven: bool,
    brought: bool,
    at: Millis,
    /// When another member is asked too.
    doubt_at: Millis,
    doubted: bool,
    deadline: Millis,
}

impl Fetch {
    pub fn new(config: &Arc<CoreConfig>) -> Self {
        Self {
            wants: BTreeMap::new(),
            due: BTreeSet::new(),
            busy: BTreeSet::new(),
            above: BTreeSet::new(),
            budget: Budget::new(config.committee.size(), config.limits.fetch_vertices_max),
            requests: BTreeMap::new(),
            under_way: vec![0; config.committee.size()],
            rounds: Rounds::new(config.committee.size(), config.own),
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

    /// After how long another member is asked too, in milliseconds.
    fn patience(&self) -> u64 {
        let least = self.config.timing.fetch_timeout_min.0;
        (self.answer * 3 / 2).max(least)
    }

    fn next_id(&mut self) -> FetchId {
        self.next_id += 1;
        FetchId(self.next_id)
    }

    /// Looks for a vertex that vertices by `holders` link to, the newest of them sent by `sender`. It is
    /// asked for when it is `due`.
    pub fn want(
        &mut self,
        vertex: VertexRef,
        holders: &MemberSet,
        sender: Option<MemberIndex>,
        due: Millis,
    ) {
        if !self.wants.contains_key(&vertex) {
            let want = Want {
                sender,
                holders: MemberSet::default(),
                standing: Standing::Unpaid,
                asked: MemberSet::default(),
                paused: false,
                attempts: 0,
                next: Turn::Due(due),
            };
            self.due.insert((due, vertex));
            self.wants.insert(vertex, want);
            self.held_by(&vertex, holders.iter().chain(sender));
        } else {
            self.named(&vertex, holders, due);
        }
    }

    /// Members have named a vertex that is looked for. No need to wait for the end of a pause if they were
    /// not known to have it.
    pub fn named(&mut self, vertex: &VertexRef, by: &MemberSet, due: Millis) {
        if self.held_by(vertex, by.iter()) {
            self.hurry(*vertex, due);
        }
    }

    /// Members have shown that they have a vertex. Whether one of them is new.
    fn held_by(&mut self, vertex: &VertexRef, by: impl Iterator<Item = MemberIndex>) -> bool {
        let Some(want) = self.wants.get_mut(vertex) else {
            return false;
        };
        let before = want.holders.len();
        want.holders = want.holders.iter().chain(by).collect();
        if want.standing == Standing::Proven {
            return want.holders.len() > before;
        }
        if self.config.committee.is_validity(&want.holders) {
            self.budget.free(want.standing);
            want.standing = Standing::Proven;
        } else if want.standing == Standing::Unpaid {
            want.standing = self.budget.charge(&want.holders);
        }
        want.holders.len() > before
    }

    fn hurry(&mut self, vertex: VertexRef, due: Millis) {
        if let Some(want) = self.wants.get_mut(&vertex)
            && let Turn::Due(later) = want.next
            && later > due
        {
            self.due.remove(&(later, vertex));
            self.due.insert((due, vertex));
            want.next = Turn::Due(due);
        }
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
        self.budget.free(want.standing);
        match want.next {
            Turn::Due(due) => {
                self.due.remove(&(due, *vertex));
            }
            Turn::Busy => {
                self.busy.remove(vertex);
            }
            Turn::Above => {
                self.above.remove(vertex);
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
        // Its member may be asked for something else.
        for vertex in std::mem::take(&mut self.busy) {
            self.turn(vertex, Turn::Due(request.at));
        }
        Some(request)
    }

    fn turn(&mut self, vertex: VertexRef, next: Turn) {
        let Some(want) = self.wants.get_mut(&vertex) else {
            return;
        };
        want.next = next;
        match next {
            Turn::Due(due) => {
                self.due.insert((due, vertex));
            }
            Turn::Busy => {
                self.busy.insert(vertex);
            }
            Turn::Above => {
                self.above.insert(vertex);
            }
            Turn::Asked(_) => {}
        }
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

    /// A member has sent a vertex that was not known.
    pub fn brought(&mut self, from: MemberIndex, round: Round) {
        self.rounds.brought(from, round);
    }

    /// A request is over.
    pub fn ended(&mut self, id: FetchId, now: Millis) {
        self.rounds.ended(id, now);
        let Some(request) = self.close(id) else {
            return;
        };
        for vertex in request.vertices {
            let asked = |w: &&mut Want| w.next == Turn::Asked(id);
            if let Some(want) = self.wants.get_mut(&vertex).filter(asked) {
                // An answer may have been cut off where it became too long.
                if !request.brought {
                    want.asked.insert(request.to);
                }
                self.turn(vertex, Turn::Due(now));
            }
        }
    }

    /// Ends the requests that have taken too long.
    pub fn expire(&mut self, now: Millis) {
        self.lose_patience(now);
        let late = self.requests.iter().filter(|(_, r)| r.deadline <= now);
        let late: Vec<FetchId> = late.map(|(id, _)| *id).collect();
        let silent = late.iter().map(|id| &self.requests[id]);
        let silent = silent.filter(|r| !r.brought).map(|r| r.to);
        self.mute = self.mute.iter().chain(silent).collect();
        for id in late.into_iter().chain(self.rounds.late(now)) {
            self.ended(id, now);
        }
    }

    /// Another member may be asked beside one that takes longer than answers do as a rule.
    fn lose_patience(&mut self, now: Millis) {
        let slow = |r: &&mut Request| !r.doubted && r.doubt_at <= now;
        let mut doubted = Vec::new();
        for request in self.requests.values_mut().filter(slow) {
            request.doubted = true;
            doubted.extend(request.vertices.iter().map(|v| (request.to, *v)));
        }
        for (to, vertex) in doubted {
            if let Some(want) = self.wants.get_mut(&vertex) {
                want.asked.insert(to);
                self.turn(vertex, Turn::Due(now));
            }
        }
    }

    /// What may be asked for now. What is unproven takes at most half of the requests, so that whoever
    /// makes it up and does not answer holds nothing else up.
    fn room(&self) -> Room {
        let limits = &self.config.limits;
        let unproven = self.requests.values().filter(|r| !r.proven).count();
        Room::new(
            limits.fetch_vertices_max,
            self.free(),
            limits.fetches_max.saturating_sub(self.requests.len()),
            (limits.fetches_max / 2).saturating_sub(unproven),
        )
    }

    /// Members that may be asked now, and how many requests more each.
    fn free(&self) -> impl Iterator<Item = (MemberIndex, usize)> {
        let limits = &self.config.limits;
        let most = limits.fetches_per_member;
        let full = self.requests.len() >= limits.fetches_max;
        let others = self.config.committee.indices();
        let others = others.filter(move |m| !full && Some(*m) != self.config.own);
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
        while let Some(vertex) = self.above.first().copied().filter(|v| v.round <= up_to) {
            self.above.remove(&vertex);
            self.turn(vertex, Turn::Due(now));
        }
        let due = self.due.iter().take_while(|(due, _)| *due <= now);
        let due: Vec<(Millis, VertexRef)> = due.take(WANTS_AT_ONCE).copied().collect();
        if due.is_empty() {
            return;
        }
        let mut room = self.room();
        let mut batches = BTreeMap::<MemberIndex, Vec<VertexRef>>::new();
        for (time, vertex) in due {
            if !lacks(&vertex) {
                self.forget(&vertex);
                continue;
            }
            // The rest stays due, until a request ends.
            if room.is_empty() {
                break;
            }
            self.due.remove(&(time, vertex));
            if vertex.round > up_to {
                self.turn(vertex, Turn::Above);
                continue;
            }
            self.held_by(&vertex, holders(&vertex).iter());
            let Some(want) = self.wants.get_mut(&vertex) else {
                continue;
            };
            match want::next(&self.config, want, &vertex, &room, &self.mute) {
                Next::Ask(member) => {
                    room.take(member, want.is_proven());
                    batches.entry(member).or_default().push(vertex);
                }
                Next::Busy => self.turn(vertex, Turn::Busy),
                Next::Later(pause) => self.turn(vertex, Turn::Due(now.saturating_add(pause))),
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
        let (mut asked_before, mut proven) = (0, false);
        for (place, vertex) in vertices.iter().enumerate() {
            if let Some(want) = self.wants.get_mut(vertex) {
                // As it was counted when it was begun.
                proven |= place == 0 && want.is_proven();
                want.next = Turn::Asked(id);
                asked_before = asked_before.max(want.asked.len());
            }
        }
        let request = Request {
            to,
            vertices: vertices.iter().copied().collect(),
            proven,
            brought: false,
            at: now,
            doubt_at: now.saturating_add(self.patience()),
            doubted: false,
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
        let timeout = self.config.timing.fetch_timeout_max.0;
        let Some(from) = self.rounds.next(ahead, timeout, now) else {
            return;
        };
        let id = self.next_id();
        let deadline = now.saturating_add(timeout * 4);
        self.rounds.asked(id, from, after, deadline);
        let until = after.saturating_add(self.config.limits.fetch_rounds_max);
        let wanted = Wanted::Rounds { after, until, held };
        out.push(Effect::Fetch(FetchRequest { id, from, wanted }));
    }

    /// When something is to be done, `None` when nothing is.
    pub fn deadline(&self, behind: bool) -> Option<Millis> {
        let may_ask = !self.due.is_empty() && self.free().next().is_some();
        let due = self.due.first().filter(|_| may_ask).map(|(due, _)| *due);
        let next = |r: &Request| if r.doubted { r.deadline } else { r.doubt_at };
        let requests = self.requests.values().map(next).min();
        let rounds = self.rounds.deadline(behind);
        [due, requests, rounds].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
