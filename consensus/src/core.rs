//! The state machine: receives vertices, keeps the DAG, decides, orders, proposes.
//!
//! Every input runs through the same steps: take the input in; decide and output until nothing moves;
//! propose if it is time (R1, R2); ask for what is missing (V4). Timers are deadlines compared with
//! the time given, and run on elapsed time: a clock that is set back does not stop them.

mod ordering;
mod proposing;
mod receiving;

use crate::config::{CoreConfig, sabotaged};
use crate::dag::Dag;
use crate::early::Early;
use crate::fetch::{Fetch, WANT_COST};
use crate::interface::{Buffer, Effect, Input, LastCommit, Recovered, Status};
use crate::offences::Offences;
use crate::order::gc_floor;
use crate::pace::Pace;
use crate::relay::Relay;
use crate::reputation::Reputation;
use crate::schedule::Leaders;
use crate::shares::Shares;
use crate::slots::Slots;
use crate::suspended::Suspended;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{
    Commit, CommitIndex, Epoch, MemberIndex, MemberSet, Millis, Round, Verified, Vertex, VertexRef,
};

/// A member whose highest vertex is further than this below the quorum's round is silent.
const SILENT_ROUNDS: u64 = 10;

/// One member's view of the DAG and of the total order.
pub struct Core {
    config: Arc<CoreConfig>,
    clock: Clock,
    dag: Dag,
    slots: Slots,
    reputation: Reputation,
    recalled: Recalled,
    suspended: Suspended,
    fetch: Fetch,
    pace: Pace,
    relay: Relay,
    last: LastCommit,
    early: Early,
    /// What the recovered commits have output and the DAG does not hold.
    output: BTreeSet<VertexRef>,
    offences: Offences,
    /// By author: the highest round of which a signed vertex was seen, here or not.
    seen: Vec<Round>,
    /// The highest of these.
    seen_top: Round,
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
    /// S1: there may be higher ones.
    recovering: bool,
    proposing: Option<Round>,
    propose_at: Option<Millis>,
}

/// D5: the commits before this core's first, until the vertices that they output are here.
#[derive(Default)]
struct Recalled {
    commits: Vec<Commit>,
    missing: BTreeSet<VertexRef>,
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

/// V4, V6: what may wait.
fn waiting(config: &CoreConfig) -> Shares {
    let limits = &config.limits;
    let (author, all) = if sabotaged!(config, WaitingUnbounded) {
        (usize::MAX, usize::MAX)
    } else {
        (limits.suspended_bytes_max, limits.waiting_bytes_max)
    };
    Shares::new(config.committee.size(), author, all)
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
        let mut last = recovered.last;
        let floor = last
            .leader
            .map_or(Round::ZERO, |l| gc_floor(l.round, config.gc_depth));
        let members = config.committee.size();
        // D5: the last commit at a round below the last leader's ruled that round.
        let below = |c: &&Commit| last.leader.is_some_and(|l| c.leader.round < l.round);
        let before = recovered.commits.iter().rfind(below);
        let before = before.map_or_else(|| config.demoted(), |c| c.demoted);
        let demoted = last.leader.map_or(before, |_| last.demoted);
        let forgets = sabotaged!(config, ConvictedForgotten);
        let known = if forgets {
            MemberSet::default()
        } else {
            last.convicted
        };
        let convicted: MemberSet = config.convicted.iter().chain(known.iter()).collect();
        (last.demoted, last.convicted) = (demoted, convicted);
        let leaders = Leaders::new(&config);
        let slots = Slots::new(&config, &leaders, last.leader, (before, demoted));
        let mut core = Self {
            clock: Clock {
                wall: now,
                elapsed: now,
            },
            dag: Dag::new(&config, floor),
            slots,
            reputation: Reputation::new(&config, &leaders),
            recalled: Recalled::default(),
            suspended: Suspended::new(waiting(&config)),
            fetch: Fetch::new(&config),
            pace: Pace::new(&config, now),
            relay: Relay::new(&config),
            early: Early::new(waiting(&config)),
            output: BTreeSet::new(),
            offences: Offences::new(convicted),
            seen: vec![Round::ZERO; members],
            seen_top: Round::ZERO,
            sent: vec![Round::ZERO; members],
            unlinked: BTreeSet::new(),
            unordered: vec![0; members],
            work: false,
            asked_at: None,
            own: None,
            signed: recovered.signed.unwrap_or(Round::ZERO),
            recovering: recovered.signed.is_none(),
            proposing: None,
            propose_at: Some(now),
            last,
            config,
        };
        for member in convicted.iter() {
            core.dag.distrust(member);
        }
        let commits = recovered.commits.iter();
        let output = commits.flat_map(|c| c.vertices.iter().copied());
        core.output = output.filter(|v| v.round >= floor).collect();
        core.restore(recovered.vertices, now);
        core.restore_own(recovered.own);
        core.look_back(recovered.commits, now);
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
                // V8: what was known of offenders before.
                self.is_second_version(&vertex, &mut effects);
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

    /// D5: what earlier commits output in the last rounds says who leads next. What the store has lost
    /// of it is fetched.
    fn look_back(&mut self, commits: Vec<Commit>, now: Millis) {
        let Some(leader) = self.last.leader else {
            return;
        };
        // Our own bug: without them this core would make other commits than everybody else.
        let complete = commits.first().is_some_and(|first| {
            let floor = gc_floor(leader.round, self.config.gc_depth);
            first.leader.round < floor || first.index == CommitIndex(1)
        });
        let later_epoch = self.config.committee.epoch() > Epoch::ZERO;
        assert!(
            complete || later_epoch,
            "recovered commits do not reach below the floor"
        );
        // Those that count, and their parents.
        let from = self.reputation.window_start(leader.round).saturating_sub(1);
        // Whoever has made these commits has it.
        let holders = self.config.committee.indices().collect();
        for commit in &commits {
            for vertex in commit.vertices.iter().filter(|v| v.round >= from) {
                if !self.dag.contains(vertex) {
                    self.recalled.missing.insert(*vertex);
                    self.fetch.want(*vertex, &holders, None, now);
                }
            }
        }
        self.recalled.commits = commits;
    }

    /// D5: whether what earlier commits say is known.
    fn recall(&mut self) -> bool {
        if !self.recalled.missing.is_empty() {
            return false;
        }
        let commits = std::mem::take(&mut self.recalled.commits);
        self.reputation.restore(&self.dag, &commits);
        true
    }

    /// Whether something that is here, or was, refers to a vertex.
    fn needs(&self, vertex: &VertexRef) -> bool {
        self.suspended.needs(vertex) || self.recalled.missing.contains(vertex)
    }

    /// Peers, and what they ask for, may be named by places in another epoch's committee; or by none at all.
    fn is_member(&self, place: MemberIndex) -> bool {
        place.as_usize() < self.config.committee.size()
    }

    /// Takes one input in and appends what is to be done, in order.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        let now = self.clock.advance(now);
        match input {
            Input::Vertex { vertex, from } => {
                let from = from.filter(|from| self.is_member(*from));
                self.receive(vertex, from, now, out);
            }
            Input::Proposed(vertex) => self.proposed(vertex, now, out),
            Input::Unordered(work) => self.work = work,
            Input::Signed(round) => {
                self.signed = self.signed.max(round);
                self.recovering = false;
            }
            Input::Doubt => {
                self.recovering = true;
                self.proposing = None;
            }
            Input::Asked { by, mut vertices } => {
                vertices.retain(|vertex| self.is_member(vertex.author));
                if self.is_member(by) {
                    self.relay.asked(&self.dag, by, &vertices, now);
                }
            }
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

    /// Highest round of which a quorum of vertices is here.
    pub fn quorum_round(&self) -> Round {
        self.dag.quorum_round()
    }

    /// V5, V8: members that are known to sign two vertices a round.
    pub fn equivocators(&self) -> MemberSet {
        self.dag.distrusted()
    }

    /// The highest round that this member has signed, as far as it knows.
    pub fn signed_round(&self) -> Round {
        self.signed
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
            versions: self.dag.further(),
            dag_bytes: self.dag.bytes(),
            unordered: self.unordered.iter().sum(),
            suspended: self.suspended.len(),
            suspended_bytes: self.suspended.shares().bytes().0,
            missing: self.fetch.missing(),
            silent: self.config.committee.indices().filter(silent).collect(),
            equivocators: self.dag.distrusted(),
            behind: self.behind(),
            resting: self.is_resting(),
            leader_timeout: self.pace.leader_timeout(),
            demoted: self.last.demoted,
            convicted: self.last.convicted,
        }
    }

    /// What others can make this core hold beside the DAG: of what has a bound for each author, the
    /// fullest author's too.
    pub fn buffers(&self) -> [Buffer; 5] {
        let limits = &self.config.limits;
        let (author, all) = (limits.suspended_bytes_max, limits.waiting_bytes_max);
        let links = self.suspended.links() + self.recalled.missing.len();
        let buffer = |name, bytes, bytes_max| Buffer {
            name,
            bytes,
            bytes_max,
        };
        let (suspended, early) = (self.suspended.shares(), self.early.shares());
        [
            buffer("suspended", suspended.fullest(), author),
            buffer("early", early.fullest(), author),
            buffer("suspended-all", suspended.bytes().0, all),
            buffer("early-all", early.bytes().0, all),
            // What is looked for is paid for by what waits for it.
            buffer(
                "missing",
                self.fetch.missing() * WANT_COST,
                links * WANT_COST,
            ),
        ]
    }

    fn saw(&mut self, author: MemberIndex, round: Round) {
        let seen = &mut self.seen[author.as_usize()];
        *seen = (*seen).max(round);
        self.seen_top = self.seen_top.max(round);
    }

    /// The round that F+1 of stake has shown, if it is so far ahead that this member catches up.
    pub fn behind(&self) -> Option<Round> {
        // Asked several times for each input, and nearly always so.
        if self.seen_top <= self.near() {
            return None;
        }
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
        let near = self.near();
        let members = self.config.committee.indices();
        members.filter(move |m| self.seen[m.as_usize()] > near)
    }

    /// The highest round that is not far above the DAG's.
    fn near(&self) -> Round {
        let near = self.dag.quorum_round();
        near.saturating_add(self.config.limits.behind_after)
    }

    /// V4: asks for what is missing; for whole rounds when this member is behind.
    fn ask(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let frontier = self.dag.quorum_round();
        self.fetch.expire(now);
        // What is further up is needed only once a quorum is below it, or F + 1 say that it is: then
        // whole rounds are asked for.
        let mut up_to = frontier.saturating_add(self.config.limits.behind_after);
        if self.behind().is_some() {
            let ahead = self.ahead().collect();
            let held = self.dag.authors(frontier.next());
            self.fetch.ask_rounds(frontier, held, &ahead, now, out);
            up_to = frontier.next();
        }
        let (suspended, recalled) = (&self.suspended, &self.recalled.missing);
        let lacks =
            |v: &VertexRef| suspended.lacks(v) || (recalled.contains(v) && !suspended.contains(v));
        let holders = |v: &VertexRef| self.suspended.holders(v);
        self.fetch.ask(up_to, lacks, holders, now, out);
    }
}
