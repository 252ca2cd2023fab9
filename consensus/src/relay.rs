//! Passing on what a member's own vertices show that it lacks.
//!
//! When a member's vertices show no link to another's recent ones for a while, though this member
//! holds them, the way between the two is cut or slow. For a time, each new vertex of the one is then
//! passed on to the other. Two members take this on, another two as rounds go by, so that a faulty
//! one does not keep the two apart; ordinary jitter is shorter than the wait. Without relays the
//! history would still arrive, by fetching, one round trip later.
//!
//! And when a member asks for a recent vertex of another, it will lack the next ones too: for a time they
//! are passed on as they come. So an author that shows its vertices to few costs the others one
//! round trip, not one in each round. When more than F of stake ask for an author's vertices, then it
//! shows them to few indeed, and whoever gets one from it passes it on to everybody: for twice as long each
//! time that it begins again soon, since nobody has to ask meanwhile. Who asks without need gets vertices
//! twice; the number of pairs, and of authors, served at a time bounds that to six times what is sent anyway.

use crate::config::CoreConfig;
use crate::dag::Dag;
use crate::interface::Effect;
use std::sync::Arc;
use weft_types::{MemberIndex, MemberSet, Millis, Round, Vertex, VertexRef};

/// Consecutive vertices without a trace of another member, at least.
const TRACELESS_MIN: u32 = 3;
/// How far below a vertex those are that it should show a trace of.
const RECENT_ROUNDS: u64 = 3;
/// Members that pass on at the same time.
const RELAYS: u32 = 2;
/// Pairs served at a time for which a member asked, for each member of the committee; and authors whose
/// vertices are passed on to all.
const PAIRS_PER_MEMBER: usize = 3;
/// Rounds after which others pass on.
const TURN_ROUNDS: u64 = 128;
/// Most doublings of the time for which vertices shown to few are passed on to all.
const DOUBLINGS_MAX: u32 = 3;

pub(crate) struct Relay {
    config: Arc<CoreConfig>,
    /// By (who lacks, whose vertices), row by row.
    pairs: Vec<Pair>,
    /// What members have asked for: whose vertices are passed on to whom, and until when.
    asked: Vec<Asked>,
    /// By author.
    thin: Vec<Thin>,
}

/// Who has asked of late for recent vertices of an author.
#[derive(Default, Clone)]
struct Thin {
    by: MemberSet,
    since: Millis,
    /// So long it counts as shown to few.
    until: Millis,
    doublings: u32,
}

struct Asked {
    by: MemberIndex,
    author: MemberIndex,
    until: Millis,
}

#[derive(Default, Clone)]
struct Pair {
    traceless: u32,
    since: Millis,
    until: Millis,
}

impl Relay {
    pub fn new(config: &Arc<CoreConfig>) -> Self {
        let members = config.committee.size();
        let pairs = vec![Pair::default(); members * members];
        Self {
            pairs,
            asked: Vec::new(),
            thin: vec![Thin::default(); members],
            config: config.clone(),
        }
    }

    fn pair(&mut self, lacks: MemberIndex, author: MemberIndex) -> &mut Pair {
        let members = self.config.committee.size();
        &mut self.pairs[lacks.as_usize() * members + author.as_usize()]
    }

    /// A member has asked for vertices, of whatever authors it likes to name.
    pub fn asked(&mut self, dag: &Dag, by: MemberIndex, vertices: &[VertexRef], now: Millis) {
        let Some(own) = self.config.own else { return };
        let recent = dag.quorum_round().saturating_sub(RECENT_ROUNDS);
        self.asked.retain(|asked| asked.until > now);
        let until = now.saturating_add(self.config.timing.relay_for.0);
        for vertex in vertices.iter().filter(|v| v.round >= recent) {
            let author = vertex.author;
            let is_member = self.config.committee.member(author).is_some();
            if author == own || author == by || !is_member {
                continue;
            }
            self.lacked(author, by, now);
            let known = |a: &&mut Asked| (a.by, a.author) == (by, author);
            let full = self.asked.len() >= PAIRS_PER_MEMBER * self.config.committee.size();
            match self.asked.iter_mut().find(known) {
                Some(asked) => asked.until = until,
                None if !full => {
                    self.asked.push(Asked { by, author, until });
                }
                None => {}
            }
        }
    }

    /// Somebody lacks an author's vertices.
    fn lacked(&mut self, author: MemberIndex, by: MemberIndex, now: Millis) {
        let full = self.thin.iter().filter(|t| t.until > now).count() >= PAIRS_PER_MEMBER;
        let period = self.config.timing.relay_for.0;
        let thin = &mut self.thin[author.as_usize()];
        if thin.since.saturating_add(period) <= now {
            (thin.since, thin.by) = (now, MemberSet::default());
        }
        thin.by.insert(by);
        if thin.until <= now && !full && self.config.committee.is_validity(&thin.by) {
            // Soon after the last time: it goes on.
            let before = period << thin.doublings;
            let again = thin.until > Millis::ZERO && thin.until.saturating_add(before) > now;
            thin.doublings = if again {
                (thin.doublings + 1).min(DOUBLINGS_MAX)
            } else {
                0
            };
            thin.until = now.saturating_add(period << thin.doublings);
        }
    }

    /// Whether more than F of stake have asked for an author's recent vertices of late.
    fn is_thin(&self, author: MemberIndex, now: Millis) -> bool {
        self.thin[author.as_usize()].until > now
    }

    /// A vertex was accepted, and is in the DAG; `direct`: its author has sent it here.
    pub fn accepted(
        &mut self,
        dag: &Dag,
        vertex: &Vertex,
        direct: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let Some(own) = self.config.own else { return };
        let author = vertex.author();
        // Old vertices come in while somebody catches up, and say nothing.
        if author == own || vertex.round().saturating_add(RECENT_ROUNDS) < dag.quorum_round() {
            return;
        }
        // Links to rounds further down are no trace of a member's recent vertices.
        let recent = vertex.round().saturating_sub(RECENT_ROUNDS);
        let recently = vertex.links().filter(|l| l.round >= recent);
        let traces: MemberSet = recently.map(|l| l.author).collect();
        let config = self.config.clone();
        let to_all = direct && self.is_thin(author, now);
        for other in config.committee.indices() {
            if other == own || other == author {
                continue;
            }
            let latest = dag.latest(other).filter(|l| l.round >= recent);
            match latest.filter(|_| !traces.contains(other)) {
                Some(latest) => self.traceless(dag, vertex, latest, now, out),
                None => self.pair(author, other).traceless = 0,
            }
            let asked = |a: &Asked| (a.by, a.author) == (other, author) && a.until > now;
            if to_all || self.pair(other, author).until > now || self.asked.iter().any(asked) {
                pass_on(dag, vertex, other, out);
            }
        }
    }

    /// A vertex shows no trace of another member's `latest`, which is here.
    fn traceless(
        &mut self,
        dag: &Dag,
        vertex: &Vertex,
        latest: VertexRef,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let (lacks, round) = (vertex.author(), vertex.round());
        let after = self.config.timing.relay_after.0;
        let pair = self.pair(lacks, latest.author);
        if pair.traceless == 0 {
            pair.since = now;
        }
        pair.traceless = pair.traceless.saturating_add(1);
        let waited = now >= pair.since.saturating_add(after);
        let enough = pair.traceless >= TRACELESS_MIN && waited && pair.until <= now;
        if enough && self.is_turn(lacks, latest.author, round) {
            let until = now.saturating_add(self.config.timing.relay_for.0);
            self.pair(lacks, latest.author).until = until;
            if let Some(node) = dag.get(&latest) {
                pass_on(dag, &node.vertex, lacks, out);
            }
        }
    }

    /// Whether it is this member's turn to pass on.
    fn is_turn(&self, lacks: MemberIndex, author: MemberIndex, round: Round) -> bool {
        let members = self.config.committee.size() as u32;
        let turn = (round.0 / TURN_ROUNDS % u64::from(members)) as u32;
        let start = (lacks.0 + author.0 + turn) % members;
        let mut order = (0..members).map(|i| MemberIndex((start + i) % members));
        let others = order.by_ref().filter(|m| *m != lacks && *m != author);
        others
            .take(RELAYS as usize)
            .any(|m| Some(m) == self.config.own)
    }
}

fn pass_on(dag: &Dag, vertex: &Vertex, to: MemberIndex, out: &mut Vec<Effect>) {
    if let Some(node) = dag.get(&vertex.reference()) {
        let vertex = node.vertex.clone();
        out.push(Effect::Relay { to, vertex });
    }
}
