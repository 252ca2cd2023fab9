//! Whom to ask for what is due.

use super::doubted::Doubted;
use super::{Fetch, PAUSE_MAX, Request, Turn, Want};
use crate::config::CoreConfig;
use crate::interface::{Effect, FetchRequest, Wanted};
use std::collections::BTreeMap;
use weft_types::{MemberIndex, MemberSet, Millis, Round, VertexRef};

/// The first pause after everybody has been asked, in milliseconds.
const PAUSE_MIN: u64 = 250;
/// The longest for what few have shown: others are asked as soon as they show it too.
const DOUBTED_PAUSE_MAX: u64 = 16_000;
/// Vertices that are looked at in one call, so that a flood of made-up links costs little at a time.
const WANTS_AT_ONCE: usize = 1024;

impl Fetch {
    /// How many more vertices each member may be asked for now.
    fn room(&self) -> BTreeMap<MemberIndex, usize> {
        let room = self.free().map(|(member, requests)| {
            let vertices = requests * self.config.limits.fetch_vertices_max;
            (member, vertices)
        });
        room.collect()
    }

    /// Members that may be asked now, and how many requests more each.
    pub(super) fn free(&self) -> impl Iterator<Item = (MemberIndex, usize)> {
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
        self.ask_for_due(up_to, &lacks, holders, now, out);
        self.ask_for_doubted(up_to, lacks, now, out);
    }

    fn ask_for_due(
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
                self.forget(&vertex, now);
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
                next(
                    &self.config,
                    want,
                    &vertex,
                    (&room, &self.mute, &self.doubted),
                )
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
                Next::Doubt(member) => {
                    want.next = Turn::Doubted(member);
                    self.doubted.put(member, vertex);
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
                let request = self.request(member, vertices, false, now);
                out.push(Effect::Fetch(request));
            }
        }
    }

    /// Whether a member may be asked for something doubted.
    pub(super) fn has_room(&self, member: MemberIndex) -> bool {
        self.under_way[member.as_usize()] < self.config.limits.fetches_per_member
    }

    fn ask_for_doubted(
        &mut self,
        up_to: Round,
        lacks: impl Fn(&VertexRef) -> bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let ready = self.doubted.ready();
        let ready = ready.filter(|(m, at)| *at <= now && self.has_room(*m));
        let ready: Vec<MemberIndex> = ready.map(|(member, _)| member).collect();
        for member in ready {
            while self.doubted.may_ask(member) && self.has_room(member) {
                let Some(request) = self.doubted_request(member, up_to, &lacks, now) else {
                    break;
                };
                out.push(Effect::Fetch(request));
            }
        }
    }

    /// The next request to a member for what it has shown; none if nothing is left.
    fn doubted_request(
        &mut self,
        member: MemberIndex,
        up_to: Round,
        lacks: impl Fn(&VertexRef) -> bool,
        now: Millis,
    ) -> Option<FetchRequest> {
        let mut vertices = Vec::new();
        let mut looked_at = 0;
        while let Some(vertex) = self.doubted.lowest(member, up_to)
            && vertices.len() < self.config.limits.fetch_vertices_max
            && looked_at < WANTS_AT_ONCE
        {
            looked_at += 1;
            if lacks(&vertex) {
                self.doubted.remove(member, &vertex);
                vertices.push(vertex);
            } else {
                self.forget(&vertex, now);
            }
        }
        if vertices.is_empty() {
            let later = self.config.timing.fetch_timeout_max.0;
            self.doubted.postpone(member, now.saturating_add(later));
            return None;
        }
        self.doubted.asked(member);
        Some(self.request(member, &vertices, true, now))
    }

    fn request(
        &mut self,
        to: MemberIndex,
        vertices: &[VertexRef],
        doubted: bool,
        now: Millis,
    ) -> FetchRequest {
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
            doubted,
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
}

enum Next {
    Ask(MemberIndex),
    /// To be asked for of this member alone, in its turn.
    Doubt(MemberIndex),
    /// In so many milliseconds.
    Later(u64),
}

/// Whom to ask for a vertex: a member that was not asked yet, those that have shown that they have it
/// first, mute ones last. Others than these only when it must exist.
fn next(
    config: &CoreConfig,
    want: &mut Want,
    vertex: &VertexRef,
    (room, mute, doubted): (&BTreeMap<MemberIndex, usize>, &MemberSet, &Doubted),
) -> Next {
    let start = usize::from(vertex.digest.0[0]);
    let size = config.committee.size();
    let rotation = (0..size).map(|i| MemberIndex(((start + i) % size) as u32));
    let fresh = |m: &MemberIndex| Some(*m) != config.own && !want.asked.contains(*m);
    let holders = rotation.clone().filter(|m| want.holders.contains(*m));
    let mut known = want.sender.into_iter().chain(holders);
    // Not all of them are faulty.
    let exists = config.committee.is_validity(&want.holders);
    if exists {
        let mut order = known.chain(rotation.clone());
        let free = |m: &MemberIndex| fresh(m) && room.contains_key(m);
        let answers = |m: &MemberIndex| free(m) && !mute.contains(*m);
        if let Some(member) = order.clone().find(answers).or_else(|| order.find(free)) {
            return Next::Ask(member);
        }
        if rotation.clone().any(|m| fresh(&m)) {
            return Next::Later(config.timing.fetch_delay.0);
        }
    } else {
        let answers = |m: &MemberIndex| fresh(m) && !mute.contains(*m) && !doubted.fails(*m);
        if let Some(member) = known.clone().find(answers) {
            return Next::Doubt(member);
        }
        if doubted.may_guess(&want.holders) {
            let free = |m: &MemberIndex| answers(m) && room.contains_key(m);
            if let Some(member) = rotation.clone().find(free) {
                return Next::Ask(member);
            }
        }
        if let Some(member) = known.find(fresh) {
            return Next::Doubt(member);
        }
    }
    want.asked = MemberSet::default();
    want.attempts = want.attempts.saturating_add(1);
    let longest = if exists { PAUSE_MAX } else { DOUBTED_PAUSE_MAX };
    Next::Later(doubling(want.attempts).min(longest))
}

/// The pause after `attempts` in vain, without a bound.
pub(super) fn doubling(attempts: u32) -> u64 {
    PAUSE_MIN.saturating_mul(1 << attempts.min(16).saturating_sub(1))
}
