//! D1 to D5: deciding leader slots.
//!
//! Votes and certificate patterns are counted once, when a vertex is accepted; a slot that reaches a
//! quorum is decided there and then (D2, D3), and only then are the undecided slots below looked at
//! again (D4), from the highest down. All counts are of distinct members' stake: an equivocator whose
//! two vertices vote differently is in two sums, once in each.
//!
//! Why no two members decide differently: two quorums share an honest member, which has one vertex a
//! round. So at most one vertex of a slot can ever gather a certificate pattern, and none when a
//! quorum of round r+1 votes for none (D3). When a quorum of round r+2 holds the pattern (D2), every
//! vertex of round r+3 has one of that quorum among its parents, hence every later vertex has it in
//! its history, hence every anchor commits (D4). And members that decide by an anchor use the same
//! one, by induction from the highest slot down, and the same history of it.
//!
//! D6, where it is on, commits a round earlier, on all votes but a slack's. It has thresholds of its
//! own (`CommitRule`), chosen so that every anchor sees enough of those votes to know; the argument
//! stands in `docs/spec/consensus.md`.

mod slot;

use crate::config::{CoreConfig, sabotaged};
use crate::dag::{Dag, Node, Walk};
use crate::pattern::{came_first, vote};
use crate::schedule::Leaders;
use slot::{Candidate, Slot};
use std::collections::VecDeque;
use std::sync::Arc;
use weft_types::{CommitRule, MemberIndex, MemberSet, Round, Stake, Vertex, VertexRef};

/// What became of a slot, under one schedule. Never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Commit(VertexRef),
    Skip,
}

pub(crate) struct Slots {
    config: Arc<CoreConfig>,
    leaders: Arc<Leaders>,
    quorum: Stake,
    rule: CommitRule,
    /// Round of the first row.
    first: Round,
    /// The first slot of that row that is not taken yet.
    offset: usize,
    rows: VecDeque<Vec<Slot>>,
    /// D5: round of the last commit's leader, who was demoted up to it, and who is above it.
    ruled_to: Round,
    demoted_before: MemberSet,
    demoted: MemberSet,
    /// A decision was made since D4 was last tried.
    changed: bool,
    /// Slots decided by D2 or D3 so far.
    direct: u64,
}

impl Slots {
    /// With everything up to the leader of the last commit decided and taken. `before` was demoted in
    /// the leader's round, `demoted` is above it.
    pub fn new(
        config: &Arc<CoreConfig>,
        leaders: &Arc<Leaders>,
        last: Option<VertexRef>,
        (before, demoted): (MemberSet, MemberSet),
    ) -> Self {
        let (quorum, rule) = thresholds(config);
        let mut slots = Self {
            quorum,
            rule,
            first: Round(1),
            offset: 0,
            rows: VecDeque::new(),
            ruled_to: last.map_or(Round::ZERO, |l| l.round),
            demoted_before: before,
            demoted,
            changed: false,
            direct: 0,
            leaders: leaders.clone(),
            config: config.clone(),
        };
        if let Some(leader) = last {
            let leaders = leaders.of(leader.round, &before);
            let place = leaders.iter().position(|l| *l == leader.author);
            slots.first = leader.round;
            slots.offset = place.map_or(leaders.len(), |p| p + 1);
        }
        slots
    }

    /// Round of the first slot that is not taken yet.
    pub fn first(&self) -> Round {
        self.first
    }

    /// How many slots were decided directly so far.
    pub fn direct(&self) -> u64 {
        self.direct
    }

    fn row_mut(&mut self, round: Round) -> Option<&mut Vec<Slot>> {
        let place = usize::try_from(round.0.checked_sub(self.first.0)?).ok()?;
        while self.rows.len() <= place {
            let round = self.first.saturating_add(self.rows.len() as u64);
            let leaders = self.scheduled(round);
            self.rows
                .push_back(leaders.into_iter().map(Slot::new).collect());
        }
        self.rows.get_mut(place)
    }

    /// Counts what a vertex of the DAG says.
    pub fn count(&mut self, dag: &Dag, node: &Node) {
        let round = node.vertex.round();
        if let Some(round) = round.checked_sub(1) {
            self.count_votes(dag, &node.vertex, round);
        }
        if let Some(round) = round.checked_sub(2) {
            self.count_certificates(dag, node, round);
        }
    }

    /// D1 and D3: what a vertex says of the slots one round below.
    fn count_votes(&mut self, dag: &Dag, vertex: &Vertex, round: Round) {
        let (rule, config) = (self.rule, self.config.clone());
        let voter = (vertex.author(), config.committee.stake(vertex.author()));
        let mut decided = 0;
        for slot in self.row_mut(round).into_iter().flatten() {
            match vote(vertex, slot.leader) {
                Some(leader) => {
                    let candidate = slot.candidate(leader);
                    let votes = candidate.votes.add(&config, voter);
                    let Some(fast) = rule.fast else { continue };
                    let came_first = came_first(dag, &vertex.reference());
                    candidate.voters.add(vertex.reference(), came_first);
                    // D6: all but the slack vote for one vertex.
                    if votes >= fast.votes && slot.decision.is_none() {
                        slot.decision = Some(Decision::Commit(leader));
                        decided += 1;
                    }
                }
                // D3: a quorum votes for no vertex of the slot.
                None => {
                    let blanks = slot.blanks.add(&config, voter);
                    if blanks >= rule.skip && slot.decision.is_none() {
                        slot.decision = Some(Decision::Skip);
                        decided += 1;
                    }
                }
            }
        }
        self.decided_directly(decided);
    }

    /// D1 and D2: which slots two rounds below a vertex holds the certificate pattern for.
    fn count_certificates(&mut self, dag: &Dag, node: &Node, round: Round) {
        let (rule, config) = (self.rule, self.config.clone());
        let vertex = node.vertex.reference();
        let came_first = came_first(dag, &vertex);
        let holder = (vertex.author, config.committee.stake(vertex.author));
        let mut decided = 0;
        for slot in self.row_mut(round).into_iter().flatten() {
            let Some(leader) = node.patterns.certified(dag, slot.leader) else {
                continue;
            };
            let candidate = slot.candidate(leader);
            candidate.certificates.add(vertex, came_first);
            // D2: a quorum holds the certificate pattern for one vertex.
            let certifiers = candidate.certifiers.add(&config, holder);
            if certifiers >= rule.slow && slot.decision.is_none() {
                slot.decision = Some(Decision::Commit(leader));
                decided += 1;
            }
        }
        self.decided_directly(decided);
    }

    fn decided_directly(&mut self, count: u64) {
        self.direct += count;
        self.changed |= count > 0;
    }

    /// D4: decides what can be decided by an anchor.
    pub fn decide(&mut self, dag: &mut Dag) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        // Of the rows r+1, r+2 and r+3: the first slot from there on that is not decided to skip.
        let mut open: [Option<Option<Decision>>; 3] = [None; 3];
        let mut walk: Option<(VertexRef, Walk)> = None;
        for place in (0..self.rows.len()).rev() {
            let round = self.first.saturating_add(place as u64);
            let early = usize::from(sabotaged!(self.config, AnchorTooEarly));
            if let Some(Some(Decision::Commit(anchor))) = open[2 - early] {
                for slot in self.rows[place].iter_mut() {
                    if slot.decision.is_none() {
                        if walk.as_ref().is_none_or(|(from, _)| *from != anchor) {
                            walk = Some((anchor, dag.walk(anchor)));
                        }
                        let (_, walk) = walk.as_mut().expect("just started");
                        // D6 looks for votes too, a round further down.
                        let down = if self.rule.fast.is_some() { 1 } else { 2 };
                        walk.descend(dag, round.saturating_add(down));
                        let decision = by_anchor(&self.config, &self.rule, slot, walk, dag);
                        slot.decision = Some(decision);
                    }
                }
            }
            let mut row = self.rows[place].iter().map(|s| s.decision);
            let mut first_open = row.find(|d| *d != Some(Decision::Skip));
            if sabotaged!(self.config, UndecidedPassedOver) {
                let committed = |s: &&Slot| matches!(s.decision, Some(Decision::Commit(_)));
                first_open = self.rows[place].iter().find(committed).map(|s| s.decision);
            }
            open = [first_open.or(open[0]), open[0], open[1]];
        }
    }

    /// D5: who leads a round, from the last commit's leader's on, as far as the commits say.
    fn scheduled(&self, round: Round) -> Vec<MemberIndex> {
        let above = round > self.ruled_to;
        let demoted = if above {
            &self.demoted
        } else {
            &self.demoted_before
        };
        self.leaders.of(round, demoted)
    }

    /// D5: a commit with a leader of this round was taken, and says who is demoted above it. When that
    /// changes, all that was decided ahead is void: slots above the round have other leaders, and
    /// those left in it have other anchors.
    pub fn reschedule(&mut self, dag: &Dag, leader: Round, demoted: MemberSet) {
        let before = std::mem::replace(&mut self.demoted, demoted);
        if leader > self.ruled_to {
            self.ruled_to = leader;
            self.demoted_before = before;
        }
        if before == demoted || sabotaged!(self.config, DecisionsOutliveSchedule) {
            return;
        }
        let kept = self.rows.front_mut().map(std::mem::take);
        self.rows.clear();
        let direct = self.direct;
        for node in dag.nodes_above(self.first) {
            self.count(dag, node);
        }
        if sabotaged!(self.config, SameRoundOutlivesSchedule) && self.first == leader {
            let left = self.rows.iter_mut().take(1).flatten();
            for (slot, before) in left.zip(kept.into_iter().flatten()) {
                slot.decision = before.decision;
            }
        }
        self.direct = direct;
        self.changed = true;
    }

    /// D5: the next slot in order, if it is decided.
    pub fn take(&mut self) -> Option<Decision> {
        loop {
            match self.rows.front()?.get(self.offset) {
                Some(slot) => {
                    let decision = slot.decision?;
                    self.offset += 1;
                    return Some(decision);
                }
                None => {
                    self.rows.pop_front();
                    self.first = self.first.next();
                    self.offset = 0;
                }
            }
        }
    }

    /// R1 (c): whether for each leader of a round, but for those excused, Q votes or a proof of skip
    /// are here.
    pub fn voted(&mut self, round: Round, excused: &MemberSet) -> bool {
        let (quorum, certificate) = (self.quorum, self.rule.certificate);
        let enough = |slot: &Slot| {
            let votes = slot.candidates.iter().map(|c| c.votes.stake).max();
            slot.decision.is_some()
                || slot.blanks.stake >= quorum
                || votes.is_some_and(|v| v >= certificate)
                || excused.contains(slot.leader)
        };
        // A round below the first row is decided and taken.
        self.row_mut(round).is_none_or(|row| row.iter().all(enough))
    }

    /// The leaders of a round.
    pub fn leaders(&mut self, round: Round) -> Vec<MemberIndex> {
        if let Some(row) = self.row_mut(round) {
            return row.iter().map(|s| s.leader).collect();
        }
        self.scheduled(round)
    }
}

/// D4: the vertex whose certificate pattern is in the anchor's history, down which `walk` went. D6:
/// else the one with enough votes there.
fn by_anchor(
    config: &CoreConfig,
    rule: &CommitRule,
    slot: &Slot,
    walk: &Walk,
    dag: &Dag,
) -> Decision {
    let above = |c: &Candidate, rounds| c.vertex.round.saturating_add(rounds);
    let certified = |c: &&Candidate| {
        let mut visited = c.certificates.visited(walk, dag, above(c, 2));
        visited.next().is_some()
    };
    let found = slot.candidates.iter().find(certified);
    if let Some(candidate) = found.filter(|_| !sabotaged!(config, CertificateIgnored)) {
        let ignore = sabotaged!(config, SkipIgnoresAnchor);
        return if ignore {
            Decision::Skip
        } else {
            Decision::Commit(candidate.vertex)
        };
    }
    let Some(fast) = rule.fast else {
        return Decision::Skip;
    };
    let linked = |candidate: &&Candidate| {
        let voters = candidate.voters.visited(walk, dag, above(candidate, 1));
        let voters: MemberSet = voters.collect();
        config.committee.stake_of(&voters) >= fast.linked
    };
    let mut enough = slot.candidates.iter().filter(linked).map(|c| c.vertex);
    let choice = if sabotaged!(config, TieByArrival) {
        enough.next()
    } else {
        enough.min_by_key(|v| v.digest)
    };
    choice.map_or(Decision::Skip, Decision::Commit)
}

/// The quorum and the thresholds that slots are decided by.
pub(crate) fn thresholds(config: &CoreConfig) -> (Stake, CommitRule) {
    let (mut quorum, mut rule) = (config.committee.quorum(), config.rule());
    if sabotaged!(config, QuorumLowered) {
        let low = Stake(2 * config.committee.faulty().0);
        (quorum, rule.certificate) = (low, low);
        (rule.slow, rule.skip) = (low, low);
    }
    sabotage_two_delay(config, &mut rule);
    (quorum, rule)
}

/// Thresholds of D6 broken on purpose, each by one unit of stake.
fn sabotage_two_delay(config: &CoreConfig, rule: &mut CommitRule) {
    let less = |stake: &mut Stake, broken: bool| stake.0 -= u64::from(broken);
    less(
        &mut rule.certificate,
        sabotaged!(config, CertificateLowered),
    );
    less(&mut rule.slow, sabotaged!(config, SlowLowered));
    less(&mut rule.skip, sabotaged!(config, SkipLowered));
    if let Some(fast) = &mut rule.fast {
        less(&mut fast.votes, sabotaged!(config, FastLowered));
        less(&mut fast.linked, sabotaged!(config, LinkedLowered));
        fast.linked.0 += u64::from(sabotaged!(config, LinkedRaised));
    }
}
