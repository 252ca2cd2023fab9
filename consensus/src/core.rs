//! The state machine: receives vertices, keeps the DAG, decides, orders, proposes.
//!
//! Every input runs through the same steps: take the input in; decide and output until nothing moves;
//! propose if it is time (R1, R2); ask for what is missing (V4). Timers are deadlines compared with
//! the time given, and run on elapsed time: a clock that is set back does not stop them.

#[cfg(any(test, feature = "testing"))]
use crate::config::Sabotage;
use crate::config::{CoreConfig, sabotaged};
use crate::dag::Dag;
use crate::early::{Early, Held};
use crate::fetch::Fetch;
use crate::interface::{
    Effect, Evidence, Input, LastCommit, OrderedCommit, Proposal, Recovered, Status,
};
use crate::order::{gc_floor, history, timestamp};
use crate::pace::Pace;
use crate::relay::Relay;
use crate::slots::{Decision, Slots};
use crate::suspended::{Outcome, Suspended};
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{
    Commit, MemberIndex, MemberSet, Millis, Round, Verified, Vertex, VertexRef, WEAK_LINKS_MAX,
};

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
    /// Accepted vertices with payload that are not output.
    unordered: usize,
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
            unordered: 0,
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
            unordered: self.unordered,
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

    /// V4, V5, V6: what to do with a vertex from outside.
    fn receive(
        &mut self,
        vertex: Verified<Vertex>,
        from: Option<MemberIndex>,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let reference = vertex.reference();
        let VertexRef { round, author, .. } = reference;
        let ours = vertex.epoch() == self.config.committee.epoch();
        if !ours || self.config.committee.member(author).is_none() {
            return;
        }
        if from == Some(author) {
            let sent = &mut self.sent[author.as_usize()];
            if *sent == round {
                self.asked_at = self.asked_at.max(Some(round));
            }
            *sent = round.max(*sent);
        }
        self.saw(author, round);
        if self.config.own == Some(author) {
            // An own vertex that this store does not know: never sign at its round again.
            self.signed = self.signed.max(round);
        }
        self.fetch.arrived(&reference);
        if round < self.dag.floor()
            || self.dag.contains(&reference)
            || self.suspended.contains(&reference)
        {
            return;
        }
        if let Some(from) = from {
            self.fetch.brought(from);
        }
        let needed = self.suspended.needs(&reference);
        // V5: the first version is kept, another only when something here refers to it.
        if self.is_second_version(&vertex, out) && !needed {
            return;
        }
        if round
            > self
                .dag
                .quorum_round()
                .saturating_add(self.config.limits.window)
        {
            return;
        }
        if !needed && self.is_early(&vertex) {
            self.hold(vertex, from, now);
            return;
        }
        self.admit(vertex, from, false, now, out);
    }

    fn is_second_version(&mut self, vertex: &Verified<Vertex>, out: &mut Vec<Effect>) -> bool {
        let (round, author) = (vertex.round(), vertex.author());
        let accepted = self.dag.versions(round, author).first();
        let first = accepted
            .map(|n| &n.vertex)
            .or_else(|| self.suspended.version(round, author))
            .or_else(|| self.early.version(round, author))
            .filter(|first| first.digest() != vertex.digest());
        let Some(first) = first.cloned() else {
            return false;
        };
        if self.equivocators.insert(author) {
            let second = vertex.clone();
            out.push(Effect::Equivocation(Evidence { first, second }));
        }
        true
    }

    /// V6: whether a timestamp is far ahead of the clock, or of the last commit's when that is later:
    /// then it is this clock that is behind.
    fn is_early(&self, vertex: &Vertex) -> bool {
        let clock = self.clock.wall.max(self.last.timestamp);
        let drift = self.config.timing.clock_drift_max.0;
        vertex.timestamp() > clock.saturating_add(drift)
    }

    /// V6: lets a vertex wait until the clock gets there, but not long. Others' timestamps bind nobody.
    fn hold(&mut self, vertex: Verified<Vertex>, from: Option<MemberIndex>, now: Millis) {
        let timing = &self.config.timing;
        let target = vertex.timestamp().saturating_sub(timing.clock_drift_max.0);
        let ahead = target.0.saturating_sub(self.clock.wall.0);
        let until = now.saturating_add(ahead.min(timing.early_wait_max.0));
        let held = Held {
            vertex,
            from,
            until,
        };
        self.early.hold(held);
    }

    fn release_early(&mut self, now: Millis, out: &mut Vec<Effect>) {
        while let Some(held) = self.early.release(now) {
            self.let_in(held, now, out);
        }
    }

    fn let_in(&mut self, held: Held, now: Millis, out: &mut Vec<Effect>) {
        let reference = held.vertex.reference();
        let known = self.dag.contains(&reference) || self.suspended.contains(&reference);
        if reference.round >= self.dag.floor() && !known {
            self.admit(held.vertex, held.from, false, now, out);
        }
    }

    /// V4: accepts a vertex whose history is here; lets any other wait. `stored`: it is on disk.
    fn admit(
        &mut self,
        vertex: Verified<Vertex>,
        from: Option<MemberIndex>,
        stored: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let mut missing = self.dag.missing_links(&vertex);
        if sabotaged!(self.config, FirstVersionOnly) {
            missing.retain(|l| self.dag.versions(l.round, l.author).is_empty());
        }
        if missing.is_empty() {
            self.accept_all(vec![vertex], stored, now, out);
            return;
        }
        let (reference, author) = (vertex.reference(), vertex.author());
        let look_for = match self.suspended.insert(vertex, missing) {
            Outcome::Waits { look_for } => look_for,
            Outcome::NoRoom if self.suspended.needs(&reference) => vec![reference],
            Outcome::NoRoom => Vec::new(),
        };
        for link in look_for {
            match self.early.take(&link) {
                // V6: others have let it in.
                Some(held) => self.let_in(held, now, out),
                None => self.fetch.want(link, author, from, now),
            }
        }
    }

    /// Accepts vertices whose history is here, and those that waited for them.
    fn accept_all(
        &mut self,
        mut ready: Vec<Verified<Vertex>>,
        stored: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        while let Some(vertex) = ready.pop() {
            let reference = vertex.reference();
            if reference.round < self.dag.floor() || self.is_behind_own_parent(&vertex) {
                continue;
            }
            self.accept(vertex, stored, now, out);
            ready.extend(self.suspended.arrived(&reference));
        }
    }

    /// V6: whether a timestamp goes behind the author's own previous one. Such a vertex is not taken,
    /// unless others refer to it: they may have taken it when the previous one was gone.
    fn is_behind_own_parent(&self, vertex: &Vertex) -> bool {
        let own = vertex.parents().first().and_then(|p| self.dag.get(p));
        own.is_some_and(|n| n.vertex.timestamp() > vertex.timestamp())
            && !self.suspended.needs(&vertex.reference())
    }

    fn accept(
        &mut self,
        vertex: Verified<Vertex>,
        stored: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let (reference, round, author) = (vertex.reference(), vertex.round(), vertex.author());
        self.dag.insert(vertex.clone(), now).output = self.output.remove(&reference);
        self.slots.count(&self.dag, &vertex);
        self.unlinked.insert(reference);
        if self.dag.get(&reference).is_some_and(|n| !n.output) {
            self.unordered += usize::from(carries_payload(&vertex));
        }
        if Some(author) == self.config.own && self.own_round() < round {
            self.link_history(reference);
            self.own = Some(vertex.clone());
        }
        if !stored {
            out.push(Effect::Accepted(vertex.clone()));
        }
        self.pace.enter(self.dag.quorum_round(), now);
        // What comes in while catching up says nothing about how late anybody is.
        if round.saturating_add(2) > self.dag.quorum_round() && self.behind().is_none() {
            let quorum_at = self.dag.quorum_at(round).unwrap_or(now);
            let late = Millis(now.0.saturating_sub(quorum_at.0));
            self.pace.arrived(author, late, round >= self.signed);
        }
        self.relay.accepted(&self.dag, &vertex, now, out);
    }

    /// Decides, orders and collects garbage until nothing moves.
    fn settle(&mut self, now: Millis, out: &mut Vec<Effect>) {
        loop {
            self.slots.decide(&mut self.dag);
            match self.slots.take() {
                None => break,
                Some(Decision::Skip) => {}
                Some(Decision::Commit(leader)) => self.commit(leader, now, out),
            }
        }
        self.pace.decided(self.slots.direct());
    }

    /// O1 to O3: outputs a leader with its history.
    fn commit(&mut self, leader: VertexRef, now: Millis, out: &mut Vec<Effect>) {
        let Some(node) = self.dag.get(&leader) else {
            unreachable!("the leader {leader} is decided and not in the DAG");
        };
        let vertex = node.vertex.clone();
        let floor = self.floor_after(leader.round);
        let timestamp = timestamp(
            &self.config.committee,
            &self.dag,
            &vertex,
            self.last.timestamp,
        );
        let order = history(&mut self.dag, leader, floor);
        let nodes = order.iter().filter_map(|v| self.dag.get(v));
        let vertices: Vec<Verified<Vertex>> = nodes.map(|n| n.vertex.clone()).collect();
        let payloads = vertices.iter().filter(|v| carries_payload(v)).count();
        self.unordered -= payloads;
        let commit = Commit {
            index: self.last.index.next(),
            leader,
            vertices: order,
            timestamp,
            previous: self.last.digest,
        };
        self.last = LastCommit::of(&commit);
        out.push(Effect::Committed(OrderedCommit { commit, vertices }));
        self.collect_garbage(floor, now, out);
    }

    fn floor_after(&self, leader: Round) -> Round {
        let floor = gc_floor(leader, self.config.gc_depth);
        #[cfg(any(test, feature = "testing"))]
        if self.config.broken(Sabotage::GarbageByLocalState) && self.dag.top().0 > leader.0 + 3 {
            return floor.next();
        }
        floor
    }

    /// O2: drops what can no longer be output.
    fn collect_garbage(&mut self, floor: Round, now: Millis, out: &mut Vec<Effect>) {
        for node in self.dag.collect_garbage(floor) {
            if node.output {
                continue;
            }
            self.unordered -= usize::from(carries_payload(&node.vertex));
            if self.config.own == Some(node.vertex.author()) {
                out.push(Effect::Expired(node.vertex));
            }
        }
        for set in [&mut self.unlinked, &mut self.output] {
            while set.first().is_some_and(|v| v.round < floor) {
                set.pop_first();
            }
        }
        self.fetch.collect_garbage(floor);
        let free = self.suspended.collect_garbage(floor);
        self.accept_all(free, false, now, out);
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

    fn is_resting(&self) -> bool {
        !self.work && self.unordered == 0
    }

    /// R2: whether to go on: something is unordered, or others have gone on, or one of them is
    /// stuck in a round that is complete here.
    fn is_awake(&self) -> bool {
        let quorum_round = self.dag.quorum_round();
        !self.is_resting()
            || self.dag.top() > quorum_round
            || self.asked_at.is_some_and(|round| round <= quorum_round)
    }

    /// R1, R2: asks the replica for the next vertex when it is time.
    fn propose(&mut self, now: Millis, out: &mut Vec<Effect>) {
        self.propose_at = None;
        let Some(own) = self.config.own else { return };
        let previous = self.dag.quorum_round();
        let round = previous.next();
        let quorum = self.dag.has_quorum(previous);
        // R1 (a): a quorum of the previous round. Each round is signed once (V3).
        if self.proposing.is_some() || !quorum || round <= self.signed || self.behind().is_some() {
            return;
        }
        // R1 (b), (c), or the time-out.
        let missing = self.missing_leaders(own, previous);
        let mut excused = self.pace.excused();
        for equivocator in self.equivocators.iter() {
            excused.insert(equivocator);
        }
        let below = previous.saturating_sub(1);
        let ready =
            missing.iter().all(|l| excused.contains(*l)) && self.slots.voted(below, &excused);
        let allowed = if ready { now } else { self.pace.timeout_at() };
        // R2: at once when there is something to do, else by the heartbeat.
        let wanted = if self.is_awake() {
            now
        } else {
            self.pace.heartbeat_at().unwrap_or(now)
        };
        let at = allowed.max(wanted).max(self.pace.proposal_at());
        if at > now {
            self.propose_at = Some(at);
            return;
        }
        if !ready {
            self.pace.timed_out(&missing, self.slots.direct());
        }
        self.pace.proposed(now);
        self.asked_at = None;
        self.proposing = Some(round);
        let proposal = self.proposal(own, round);
        out.push(Effect::Propose(proposal));
    }

    /// The round of the own latest vertex; zero before the first.
    fn own_round(&self) -> Round {
        self.own.as_ref().map_or(Round::ZERO, |v| v.round())
    }

    /// Leaders of a round that have no vertex in it. This member does not wait for itself.
    fn missing_leaders(&mut self, own: MemberIndex, round: Round) -> Vec<MemberIndex> {
        let present = self.dag.authors(round);
        let mut leaders = self.slots.leaders(round);
        leaders.retain(|l| *l != own && !present.contains(*l));
        leaders
    }

    /// V2: the links of the own vertex of a round.
    fn proposal(&mut self, own: MemberIndex, round: Round) -> Proposal {
        let previous = round.saturating_sub(1);
        let (epoch, network) = (self.config.committee.epoch(), self.config.network);
        let last = self.own.as_ref().map_or_else(
            || {
                (
                    Vertex::genesis(network, epoch, own).reference(),
                    Millis::ZERO,
                )
            },
            |v| (v.reference(), v.timestamp()),
        );
        let mut parents = vec![last.0];
        for author in self.config.committee.indices().filter(|m| *m != own) {
            let first = self.dag.versions(previous, author).first();
            parents.extend(first.map(|n| n.vertex.reference()));
        }
        for parent in &parents {
            self.link_history(*parent);
        }
        let weak_links = self.weak_links(round);
        Proposal {
            round,
            parents,
            weak_links,
            timestamp_floor: last.1,
        }
    }

    /// V2: links to older vertices that the parents do not bring along, from above, for a vertex
    /// brings those below it. What is out of reach of the new vertex is left out.
    fn weak_links(&mut self, round: Round) -> Vec<VertexRef> {
        let (previous, reach) = (
            round.saturating_sub(1),
            gc_floor(round, self.config.gc_depth),
        );
        let older = |v: &&VertexRef| v.round < previous && v.round >= reach;
        let candidates: Vec<VertexRef> =
            self.unlinked.iter().rev().filter(older).copied().collect();
        let mut links = Vec::<VertexRef>::new();
        for vertex in candidates {
            let same_place = |l: &VertexRef| (l.round, l.author) == (vertex.round, vertex.author);
            let full = links.len() == WEAK_LINKS_MAX;
            if full || !self.unlinked.contains(&vertex) || links.last().is_some_and(same_place) {
                continue;
            }
            self.link_history(vertex);
            links.push(vertex);
        }
        links.reverse();
        links
    }

    /// Marks the history of what an own vertex links to.
    fn link_history(&mut self, vertex: VertexRef) {
        let walk = self.dag.walk(vertex);
        for vertex in walk.take(&mut self.dag, |n| !n.linked) {
            self.unlinked.remove(&vertex);
            if let Some(node) = self.dag.get_mut(&vertex) {
                node.linked = true;
            }
        }
    }

    /// The replica has made the own vertex.
    ///
    /// # Panics
    /// When it is not the one that was asked for: our own bug.
    fn proposed(&mut self, vertex: Verified<Vertex>, now: Millis, out: &mut Vec<Effect>) {
        assert_eq!(self.proposing.take(), Some(vertex.round()), "{vertex:?}");
        assert_eq!(self.config.own, Some(vertex.author()), "{vertex:?}");
        let previous = self.own.as_ref().map_or(Millis::ZERO, |v| v.timestamp());
        assert!(
            vertex.timestamp() >= previous,
            "{vertex:?} is behind its author's previous"
        );
        self.signed = self.signed.max(vertex.round());
        self.saw(vertex.author(), vertex.round());
        self.pace.sent(now);
        let reference = vertex.reference();
        if reference.round < self.dag.floor() {
            self.own = Some(vertex.clone());
            out.push(Effect::Expired(vertex));
        } else if !self.dag.contains(&reference) {
            self.accept_all(vec![vertex], true, now, out);
        }
    }

    /// The own latest vertex, when there is no quorum at its round: others may not have it.
    fn stuck(&self) -> Option<&Verified<Vertex>> {
        let own = self.own.as_ref()?;
        (own.round() > self.dag.quorum_round()).then_some(own)
    }

    fn resend(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let Some(vertex) = self.stuck().filter(|_| self.pace.resend_at() <= now) else {
            return;
        };
        let vertex = vertex.clone();
        let others = self.config.committee.indices();
        for to in others.filter(|m| Some(*m) != self.config.own) {
            let vertex = vertex.clone();
            out.push(Effect::Relay { to, vertex });
        }
        self.pace.resent(now);
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
