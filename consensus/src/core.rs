//! The state machine: receives vertices, keeps the DAG, decides, orders, proposes.
//!
//! Every input runs through the same steps: take the input in; decide and output until nothing moves;
//! propose if it is time (R1, R2); ask for what is missing (V4). Timers are deadlines compared with
//! the time given, and run on elapsed time: a clock that is set back does not stop them.

mod ordering;
mod proposing;
mod receiving;

use crate::config::CoreConfig;
use crate::dag::Dag;
use crate::early::Early;
use crate::fetch::Fetch;
use crate::interface::{Effect, Input, LastCommit, Recovered, Status};
use crate::order::gc_floor;
use crate::pace::Pace;
use crate::relay::Relay;
use crate::slots::Slots;
use crate::suspended::Suspended;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{MemberIndex, MemberSet, Millis, Round, Verified, Vertex, VertexRef};

/// A member whose highest vertex is further than this below the quorum's round is silent.
const SILENT_ROUNDS: u64 = 10;

/// One member's view of the DAG and of the total order.
pub struct Core {
    config: Arc<CoreConfig>,
    clock: Clock,
    dag: Dag,
    slots: Slots,
    suspended: Suspended,
    fetch: Fetch,
    pace: Pace,
    relay: Relay,
    last: LastCommit,
    early: Early,
    /// What the recovered commits have output and the DAG does not hold.
    output: BTreeSet<VertexRef>,
    equivocators: MemberSet,
    /// By author: the highest round of which a signed vertex was seen, here or not.
    seen: Vec<Round>,
    /// By author: the highest round of which the author itself sent a vertex.
    sent: Vec<Round>,
    /// Accepted vertices that no own vertex has in its history.
    unlinked: BTreeSet<VertexRef>,
    /// By author: accepted vertices with payload that are not output.
    unordered: Vec<usize>,
    /// R2: the replica has work.
    work: bool,
    /// A member sent its latest vertex again: it waits for others at this round.
    asked_at: Option<Round>,
    own: Option<Verified<Vertex>>,
    /// Highest round that this member may have signed.
    signed: Round,
    proposing: Option<Round>,
    propose_at: Option<Millis>,
}

/// Elapsed time from a clock that may be set back.
struct Clock {
    wall: Millis,
    elapsed: Millis,
}

impl Clock {
    fn advance(&mut self, wall: Millis) -> Millis {
        let passed = wall.0.saturating_sub(self.wall.0);
        self.wall = wall;
        self.elapsed = self.elapsed.saturating_add(passed);
        self.elapsed
    }

    fn wall_of(&self, elapsed: Millis) -> Millis {
        let ahead = elapsed.0.saturating_sub(self.elapsed.0);
        self.wall.saturating_add(ahead)
    }
}

fn carries_payload(vertex: &Vertex) -> bool {
    !vertex.transactions().is_empty() || !vertex.shares().is_empty()
}

impl Core {
    /// Resumes from what was recovered. Commits that the vertices support beyond the last one come
    /// out of the first [`Core::handle`], which is due at once.
    ///
    /// # Panics
    /// When the configuration is out of range; `validate` it first.
    pub fn new(config: CoreConfig, recovered: Recovered, now: Millis) -> Self {
        config.validate().expect("a validated configuration");
        let config = Arc::new(config);
        let last = recovered.last;
        let floor = last
            .leader
            .map_or(Round::ZERO, |l| gc_floor(l.round, config.gc_depth));
        let members = config.committee.size();
        let mut core = Self {
            clock: Clock {
                wall: now,
                elapsed: now,
            },
            dag: Dag::new(&config, floor),
            slots: Slots::new(&config, last.leader),
            suspended: Suspended::new(members, config.limits.suspended_bytes_max),
            fetch: Fetch::new(&config),
            pace: Pace::new(&config, now),
            relay: Relay::new(&config),
            early: Early::new(members, config.limits.suspended_bytes_max),
            output: BTreeSet::new(),
            equivocators: MemberSet::default(),
            seen: vec![Round::ZERO; members],
            sent: vec![Round::ZERO; members],
            unlinked: BTreeSet::new(),
            unordered: vec![0; members],
            work: false,
            asked_at: None,
            own: None,
            signed: recovered.signed,
            proposing: None,
            propose_at: Some(now),
            last,
            config,
        };
        let commits = recovered.commits.iter();
        let output = commits.flat_map(|c| c.vertices.iter().copied());
        core.output = output.filter(|v| v.round >= floor).collect();
        core.restore(recovered.vertices, now);
        core.restore_own(recovered.own);
        core
    }

    /// Fills the DAG with what an earlier run accepted. A store keeps histories whole; what it has
    /// lost all the same is fetched.
    fn restore(&mut self, mut vertices: Vec<Verified<Vertex>>, now: Millis) {
        vertices.sort_unstable_by_key(|v| v.reference());
        let mut effects = Vec::new();
        for vertex in vertices {
            let reference = vertex.reference();
            if reference.round >= self.dag.floor() && !self.dag.contains(&reference) {
                self.saw(reference.author, reference.round);
                self.admit(vertex, None, true, now, &mut effects);
            }
        }
    }

    fn restore_own(&mut self, own: Option<Verified<Vertex>>) {
        let Some(index) = self.config.own else { return };
        let stored = self.dag.latest(index).and_then(|l| self.dag.get(&l));
        let stored = stored.map(|n| n.vertex.clone());
        let latest = own.into_iter().chain(stored).max_by_key(|v| v.round());
        if let Some(own) = latest {
            self.signed = self.signed.max(own.round());
            self.link_history(own.reference());
            self.own = Some(own);
        }
    }

    /// Takes one input in and appends what is to be done, in order.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        let now = self.clock.advance(now);
        match input {
            Input::Vertex { vertex, from } => self.receive(vertex, from, now, out),
            Input::Proposed(vertex) => self.proposed(vertex, now, out),
            Input::Unordered(work) => self.work = work,
            Input::FetchEnded(id) => self.fetch.ended(id, now),
            Input::Tick => {}
        }
        self.release_early(now, out);
        self.settle(now, out);
        self.propose(now, out);
        self.resend(now, out);
        self.ask(now, out);
    }

    /// When [`Core::handle`] wants to be called with [`Input::Tick`], if nothing happens before.
    pub fn next_deadline(&self) -> Option<Millis> {
        let early = self.early.deadline();
        let resend = self.stuck().map(|_| self.pace.resend_at());
        let fetch = self.fetch.deadline(self.behind().is_some());
        let deadlines = [early, resend, fetch, self.propose_at];
        let first = deadlines.into_iter().flatten().min()?;
        Some(self.clock.wall_of(first))
    }

    /// How the core does, for people and metrics.
    pub fn status(&self) -> Status {
        let quorum_round = self.dag.quorum_round();
        let silent = |m: &MemberIndex| {
            let latest = self.dag.latest(*m).map_or(Round::ZERO, |l| l.round);
            latest.saturating_add(SILENT_ROUNDS) < quorum_round
        };
        Status {
            own_round: self.signed,
            quorum_round,
            last: self.last.clone(),
            floor: self.dag.floor(),
            undecided_from: self.slots.first(),
            vertices: self.dag.len(),
            unordered: self.unordered.iter().sum(),
            suspended: self.suspended.len(),
            suspended_bytes: self.suspended.bytes(),
            missing: self.fetch.missing(),
            silent: self.config.committee.indices().filter(silent).collect(),
            equivocators: self.equivocators,
            behind: self.behind(),
            resting: self.is_resting(),
            leader_timeout: self.pace.leader_timeout(),
        }
    }

    fn saw(&mut self, author: MemberIndex, round: Round) {
        let seen = &mut self.seen[author.as_usize()];
        *seen = (*seen).max(round);
    }

    /// The round that F+1 of stake has shown, if it is so far ahead that this member catches up.
    fn behind(&self) -> Option<Round> {
        let committee = &self.config.committee;
        let mut ahead: Vec<(Round, MemberIndex)> =
            self.ahead().map(|m| (self.seen[m.as_usize()], m)).collect();
        ahead.sort_unstable_by(|a, b| b.cmp(a));
        let mut shown = MemberSet::default();
        let reached = ahead.into_iter().find(|(_, member)| {
            shown.insert(*member);
            committee.is_validity(&shown)
        });
        reached.map(|(round, _)| round)
    }

    /// Members that have shown a round far above the DAG's.
    fn ahead(&self) -> impl Iterator<Item = MemberIndex> {
        let near = self.dag.quorum_round();
        let near = near.saturating_add(self.config.limits.behind_after);
        let members = self.config.committee.indices();
        members.filter(move |m| self.seen[m.as_usize()] > near)
    }

    /// V4: asks for what is missing; for whole rounds when this member is behind.
    fn ask(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let frontier = self.dag.quorum_round();
        self.fetch.expire(now);
        let mut up_to = Round::MAX;
        if self.behind().is_some() {
            let ahead = self.ahead().collect();
            let held = self.dag.authors(frontier.next());
            self.fetch.ask_rounds(frontier, held, &ahead, now, out);
            up_to = frontier.next();
        }
        let suspended = &self.suspended;
        self.fetch.ask(up_to, |v| suspended.lacks(v), now, out);
    }
}
