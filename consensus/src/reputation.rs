//! D5: which members are out of the leader schedule.
//!
//! After each commit, two things are read off the committed history of the last rounds: whose
//! vertices the others voted for although they did not have to wait for them, and which leaders' slots
//! a quorum could not commit directly. A member with less than half of the votes that members
//! usually have, or with an eighth of its slots failed, is *demoted*: it leads no round above the
//! committing leader's until that has passed. Everything else stays as it is: it proposes, votes,
//! and is ordered.
//!
//! Rounds that a member leads are left out of its votes, for they are waited for (R1): a slow leader
//! would look like a quick one. Its slots show instead.
//!
//! Why little can be done with it. Never more than F of stake is demoted, the worst first, so that the
//! schedule keeps F + 1 of honest stake. F of stake that vote for nobody take a third of an honest
//! member's votes, which is neither the half that demotes nor the two fifths that keep it out. F of
//! stake that vote for a member nobody else hears of give it a third, which demotes it still.
//!
//! Why members agree: the set is a function of the commits up to this one and of the vertices that
//! they output. What else a member holds, and when it came, plays no part. The set is in the
//! commit's record, so that whoever has a commit has the schedule after it.

use crate::config::{CoreConfig, sabotaged};
use crate::dag::{Dag, Node};
use crate::schedule::Leaders;
use std::collections::VecDeque;
use std::sync::Arc;
use weft_types::{Commit, Committee, MemberIndex, MemberSet, Round, Stake, StakeSums};

/// Rounds of voters, up to the last leader's, whose votes count. A crashed member is out when half
/// of them have none of it.
const VOTES_WINDOW: usize = 12;
/// Rounds, up to the last leader's, in which a failed slot counts. A leader that fails on
/// purpose costs little in so many rounds.
const SLOTS_WINDOW: u64 = 58;
/// One failed slot in so many demotes.
const FAILED_SLOTS: u64 = 8;
/// Shares are fractions of this.
const WHOLE: u128 = 1 << 32;
/// With fewer voters' rounds than this nothing is said of a member's votes.
const ROUNDS_MIN: u64 = 2;

pub(crate) struct Reputation {
    config: Arc<CoreConfig>,
    leaders: Arc<Leaders>,
    /// Round of the last commit's leader: the first commit of a round assesses for all of them, unless one
    /// convicts.
    assessed: Round,
    /// V8: of whom an offence was ordered, up to the last commit.
    convicted: MemberSet,
    /// Sets of demoted members, and the round above which each ruled or rules, ascending.
    rulings: VecDeque<(Round, MemberSet)>,
    /// Round of the first row.
    first: Round,
    /// By voters' round.
    rows: VecDeque<Row>,
}

/// What the output vertices of one round say of the two rounds below.
#[derive(Default, Clone)]
struct Row {
    /// Their authors, of each its first version in the order of output, and their stake.
    voters: MemberSet,
    stake: u64,
    /// Leaders of the round below.
    led: MemberSet,
    /// By member: the stake that voted for a vertex of it.
    votes: Vec<u64>,
    /// The slots two rounds below: the leader, and the stake that holds the certificate pattern for
    /// a vertex of it.
    slots: Vec<(MemberIndex, u64)>,
    /// Those leaders, and those of them that less than a quorum's part of the voters holds the pattern
    /// for; `None` while that is not counted.
    leaders: MemberSet,
    failed: Option<MemberSet>,
}

impl Row {
    /// Counts the failed slots, if a voter came since.
    fn judge(&mut self, committee: &Committee) -> MemberSet {
        if let Some(failed) = self.failed {
            return failed;
        }
        let (total, quorum) = (committee.total().0, committee.quorum().0);
        let part = u128::from(quorum) * u128::from(self.stake);
        let below = |holding: u64| u128::from(holding) * u128::from(total) < part;
        let slots = self.slots.iter().filter(|(_, holding)| below(*holding));
        let failed: MemberSet = slots.map(|(leader, _)| *leader).collect();
        self.failed = Some(failed);
        failed
    }
}

impl Reputation {
    pub fn new(config: &Arc<CoreConfig>, leaders: &Arc<Leaders>) -> Self {
        Self {
            leaders: leaders.clone(),
            assessed: Round::ZERO,
            convicted: config.convicted,
            rulings: [(Round::ZERO, config.demoted())].into(),
            first: Round(1),
            rows: VecDeque::new(),
            config: config.clone(),
        }
    }

    /// Who is out of the schedule for a round not above the next commit's leader.
    fn demoted(&self, round: Round) -> MemberSet {
        let ruling = self.rulings.iter().rev().find(|(above, _)| *above < round);
        ruling.map(|(_, demoted)| *demoted).unwrap_or_default()
    }

    /// The leaders of a round not above the next commit's leader.
    fn leaders(&self, round: Round) -> Vec<MemberIndex> {
        self.leaders.of(round, &self.demoted(round))
    }

    /// The lowest round of voters that count for a commit with a leader of this round: so high that
    /// a restarted member holds them and their parents, and knows who led two rounds below.
    pub fn window_start(&self, leader: Round) -> Round {
        let window = SLOTS_WINDOW.min(self.config.gc_depth.saturating_sub(2));
        leader.next().saturating_sub(window)
    }

    fn row(&mut self, round: Round) -> Option<&mut Row> {
        let place = usize::try_from(round.0.checked_sub(self.first.0)?).ok()?;
        while self.rows.len() <= place {
            let round = self.first.saturating_add(self.rows.len() as u64);
            let leaders = self.leaders(round.saturating_sub(2));
            let led = self.leaders(round.saturating_sub(1)).into_iter();
            self.rows.push_back(Row {
                led: led.collect(),
                leaders: leaders.iter().copied().collect(),
                slots: leaders.into_iter().map(|leader| (leader, 0)).collect(),
                votes: vec![0; self.config.committee.size()],
                ..Row::default()
            });
        }
        self.rows.get_mut(place)
    }

    /// A vertex is output, as part of a commit whose leader is of round `leader`. Its parents are in
    /// the DAG, if it counts.
    pub fn output(&mut self, dag: &Dag, node: &Node, leader: Round) {
        if self.config.schedule.is_fixed() {
            return;
        }
        self.forget(leader);
        let (vertex, author) = (&node.vertex, node.vertex.author());
        let stake = self.config.committee.stake(author).0;
        let Some(row) = self.row(vertex.round()) else {
            return;
        };
        if !row.voters.insert(author) {
            return;
        }
        row.stake += stake;
        row.failed = None;
        for parent in vertex.voting_parents() {
            if let Some(votes) = row.votes.get_mut(parent.author.as_usize()) {
                *votes += stake;
            }
        }
        for (leader, holding) in &mut row.slots {
            if node.patterns.certified(dag, *leader).is_some() {
                *holding += stake;
            }
        }
    }

    /// Drops what is below the window of a commit with a leader of this round.
    fn forget(&mut self, leader: Round) {
        let first = self.window_start(leader);
        while self.first < first {
            self.rows.pop_front();
            self.first = self.first.next();
        }
        // A ruling ends where the next begins.
        let oldest = first.saturating_sub(2);
        while self
            .rulings
            .get(1)
            .is_some_and(|(above, _)| *above < oldest)
        {
            self.rulings.pop_front();
        }
    }

    /// Who is out of the schedule above a committed leader's round, once the commit's vertices are
    /// output.
    pub fn commit(&mut self, leader: Round, convicted: MemberSet) -> MemberSet {
        if self.config.schedule.is_fixed() {
            return MemberSet::default();
        }
        if leader == self.assessed && convicted == self.convicted {
            return self.last();
        }
        self.assessed = leader;
        self.convicted = convicted;
        self.forget(leader);
        let demoted = self.assess(leader);
        self.rule(leader, demoted);
        demoted
    }

    /// Who is demoted by the last commit.
    fn last(&self) -> MemberSet {
        self.rulings.back().map(|(_, d)| *d).unwrap_or_default()
    }

    fn rule(&mut self, above: Round, demoted: MemberSet) {
        match self.rulings.back_mut() {
            Some((round, last)) if *round == above => *last = demoted,
            Some((_, last)) if *last == demoted => {}
            _ => self.rulings.push_back((above, demoted)),
        }
    }

    /// Takes over what earlier commits have fixed, in their order, ending with the last one. The
    /// vertices within its window are in the DAG.
    pub fn restore(&mut self, dag: &Dag, commits: &[Commit]) {
        let Some(last) = commits.last() else { return };
        let from = self.window_start(last.leader.round);
        for commit in commits {
            let counting = commit.vertices.iter().filter(|v| v.round >= from);
            for node in counting.filter_map(|v| dag.get(v)) {
                self.output(dag, node, commit.leader.round);
            }
            if !sabotaged!(self.config, DemotedForgotten) {
                self.rule(commit.leader.round, commit.demoted);
            }
        }
        self.assessed = last.leader.round;
        if !sabotaged!(self.config, ConvictedForgotten) {
            self.convicted = last.convicted;
        }
    }

    fn assess(&mut self, leader: Round) -> MemberSet {
        let (all, failed) = self.slots(leader);
        let committee = &self.config.committee;
        let before = self.last();
        let shares: Vec<u128> = committee.indices().map(|m| self.share(m)).collect();
        let usual = self.usual(&shares);
        let mut candidates: Vec<(u128, MemberIndex)> = Vec::new();
        for member in committee.indices() {
            let share = shares[member.as_usize()];
            let (all, failed) = (all.of(member).0, failed.of(member).0);
            let failing = failed > 0 && failed * FAILED_SLOTS >= all;
            let kept_out = before.contains(member) && share * 5 < usual * 3;
            if failing || share * 2 < usual || kept_out {
                candidates.push((share / (1 + u128::from(failed)), member));
            }
        }
        candidates.sort_unstable();
        let convicted = (!sabotaged!(self.config, ConvictedLead)).then_some(self.convicted);
        let convicted = convicted.unwrap_or_default();
        let candidates = candidates.into_iter().map(|(_, member)| member);
        self.config
            .within_faulty(convicted.iter().chain(candidates))
    }

    /// By member: its slots three rounds or more below a leader of which a quorum could tell, and
    /// those of them for which less than a quorum's part holds the certificate pattern.
    fn slots(&mut self, leader: Round) -> (StakeSums, StakeSums) {
        let committee = &self.config.committee;
        let (mut all, mut failed) = (StakeSums::default(), StakeSums::default());
        let complete = leader.0.saturating_sub(self.first.0);
        let complete = usize::try_from(complete).unwrap_or(usize::MAX);
        let rows = self.rows.iter_mut().take(complete);
        for row in rows.filter(|row| row.stake >= committee.quorum().0) {
            all.add(&row.leaders, Stake(1));
            failed.add(&row.judge(committee), Stake(1));
        }
        (all, failed)
    }

    /// The part of the votes that a member has, of those that it could have in rounds that it did
    /// not lead; all of them when these were too few.
    fn share(&self, member: MemberIndex) -> u128 {
        let (mut votes, mut whole) = (0u128, 0u128);
        let rows = self.rows.iter().rev().take(VOTES_WINDOW);
        for row in rows.filter(|r| !r.led.contains(member)) {
            votes += u128::from(row.votes[member.as_usize()]);
            whole += u128::from(row.stake);
        }
        let least = u128::from(ROUNDS_MIN) * u128::from(self.config.committee.total().0);
        if whole < least {
            return WHOLE;
        }
        votes * WHOLE / whole
    }

    /// The median of the shares by stake: the lowest one that members with half of the stake do not
    /// exceed. F of stake cannot move it out of what honest members have.
    fn usual(&self, shares: &[u128]) -> u128 {
        let committee = &self.config.committee;
        let stakes = committee.indices().map(|m| committee.stake(m).0);
        let mut sorted: Vec<(u128, u64)> = shares.iter().copied().zip(stakes).collect();
        sorted.sort_unstable();
        let mut sum = 0u128;
        let median = sorted.into_iter().find(|(_, stake)| {
            sum += u128::from(*stake);
            2 * sum >= u128::from(committee.total().0)
        });
        median.map_or(WHOLE, |(share, _)| share)
    }
}

#[cfg(test)]
mod tests;
