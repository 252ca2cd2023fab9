//! One member's view of some rounds of a run, kept for a drawing: the vertices with their links, the
//! commits, and what transactions took.
//!
//! Which rounds: those from a given one on; else those around the first broken rule; else the last ones. Of
//! others nothing stays, however long the run.

use super::faults::{Fault, Kind};
use super::oracle::Violation;
use super::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use weft_consensus::Schedule;
use weft_types::{Commit, Committee, MemberIndex, MemberSet, NetworkId, Round, Vertex, VertexRef};

/// Rounds of a drawing.
pub const ROUNDS: u64 = 60;
/// Rounds that are kept while nobody knows which will be drawn: a rule may be seen to be broken late.
const KEPT: u64 = 2 * ROUNDS;
/// How long a fault is drawn that has no length and is over at once, in milliseconds.
const BRIEF_MS: u64 = 500;
/// Broken rules that are marked.
const MARKS_MAX: usize = 8;

/// A vertex as it came.
pub struct Seen {
    pub at: Time,
    pub parents: Vec<VertexRef>,
    pub weak: Vec<VertexRef>,
}

/// Where a rule was broken, and by whom.
pub struct Mark {
    pub at: Time,
    pub round: Round,
    pub member: MemberIndex,
    pub words: String,
}

/// While a fault lasted.
pub struct Window {
    pub name: String,
    pub begins: Time,
    pub ends: Time,
}

pub struct Record {
    pub members: usize,
    pub vertices: BTreeMap<VertexRef, Seen>,
    /// When each leader was committed.
    pub committed: BTreeMap<VertexRef, Time>,
    pub output: BTreeSet<VertexRef>,
    /// When submitted, and microseconds to the commit.
    pub latencies: Vec<(Time, u64)>,
    /// The scheduled leaders of each round that is kept.
    pub leaders: BTreeMap<Round, Vec<MemberIndex>>,
    pub marks: Vec<Mark>,
    /// Faults that began or ended during the run.
    pub windows: Vec<Window>,
    /// When the faults were over.
    pub healed: Time,
    /// The first round that is asked for.
    from: Option<Round>,
    /// The highest round seen, whether it is kept or not.
    top: Round,
    /// The highest round of a committed leader: slots below it are decided.
    pub decided: Round,
    /// D5: who was out of the schedule above the round of each committed leader.
    demoted: BTreeMap<Round, MemberSet>,
}

impl Record {
    pub fn new(members: usize, from: Option<u64>) -> Self {
        Self {
            members,
            vertices: BTreeMap::new(),
            committed: BTreeMap::new(),
            output: BTreeSet::new(),
            latencies: Vec::new(),
            leaders: BTreeMap::new(),
            marks: Vec::new(),
            windows: Vec::new(),
            healed: Time::default(),
            from: from.map(Round),
            top: Round::ZERO,
            decided: Round::ZERO,
            demoted: BTreeMap::new(),
        }
    }

    /// The rounds that are to be drawn, as far as it is known; both are drawn.
    pub fn rounds(&self) -> (Round, Round) {
        let asked = self.from.map(|from| from.0);
        let around = self.marks.first().map(|mark| mark.round.0);
        let first = asked.or_else(|| around.map(|round| round.saturating_sub(ROUNDS / 2)));
        match first {
            Some(first) => {
                let last = first.max(1).saturating_add(ROUNDS - 1);
                (Round(first.max(1)), Round(last.min(self.top.0)))
            }
            None => {
                let first = self.top.0.saturating_sub(ROUNDS - 1).max(1);
                (Round(first), self.top)
            }
        }
    }

    fn keeps(&self, round: Round) -> bool {
        if self.from.is_some() || !self.marks.is_empty() {
            let (first, _) = self.rounds();
            return (first.0..first.0.saturating_add(ROUNDS)).contains(&round.0);
        }
        round.0.saturating_add(KEPT) > self.top.0
    }

    pub fn vertex(&mut self, now: Time, vertex: &Vertex) {
        let round = vertex.round();
        if round > self.top {
            self.top = round;
            self.forget();
        }
        if self.keeps(round) {
            let seen = Seen {
                at: now,
                parents: vertex.parents().to_vec(),
                weak: vertex.weak_links().to_vec(),
            };
            self.vertices.insert(vertex.reference(), seen);
        }
    }

    /// Drops what will not be drawn. Once the rounds are known, nothing of others is taken in.
    fn forget(&mut self) {
        if self.from.is_some() || !self.marks.is_empty() {
            return;
        }
        let floor = Round((self.top.0 + 1).saturating_sub(KEPT));
        let below = |vertex: &VertexRef| vertex.round < floor;
        while self
            .vertices
            .first_key_value()
            .is_some_and(|(v, _)| below(v))
        {
            self.vertices.pop_first();
        }
        while self
            .committed
            .first_key_value()
            .is_some_and(|(v, _)| below(v))
        {
            self.committed.pop_first();
        }
        while self.output.first().is_some_and(below) {
            self.output.pop_first();
        }
    }

    pub fn commit(&mut self, now: Time, commit: &Commit) {
        self.decided = self.decided.max(commit.leader.round);
        self.demoted.insert(commit.leader.round, commit.demoted);
        if self.keeps(commit.leader.round) {
            self.committed.insert(commit.leader, now);
        }
        for vertex in &commit.vertices {
            if self.keeps(vertex.round) {
                self.output.insert(*vertex);
            }
        }
    }

    /// Broken rules; from the first one on the rounds around it are those that are drawn.
    pub fn broken(&mut self, violations: &[Violation]) {
        for violation in violations.iter().skip(self.marks.len()).take(MARKS_MAX) {
            if self.marks.len() == MARKS_MAX {
                return;
            }
            let at = Time((violation.at_s * 1e6) as u64);
            self.marks.push(Mark {
                at,
                round: violation.round.unwrap_or(self.top),
                member: MemberIndex(violation.node as u32),
                words: violation.rule.to_string(),
            });
        }
    }

    /// Fills in who was to lead.
    pub fn finish(&mut self, network: NetworkId, committee: &Committee, per_round: u32) {
        let schedule = Schedule::by_stake(network.0, per_round);
        let (first, last) = self.rounds();
        for round in first.0..=last.0 {
            let ruling = self.demoted.range(..Round(round)).next_back();
            let demoted = ruling.map_or(MemberSet::default(), |(_, demoted)| *demoted);
            let leaders = schedule.leaders(committee, Round(round), &demoted);
            self.leaders.insert(Round(round), leaders);
        }
    }

    /// Fills in when faults were: those that began after the start or ended before the heal. Faults that
    /// were there all the time stand in the title.
    pub fn happened(&mut self, faults: &[Fault], healed: Time) {
        self.healed = healed;
        for fault in faults {
            let begins = Time::millis(fault.start.unwrap_or(0));
            let brief = match fault.kind {
                Kind::Restart | Kind::Wipe | Kind::OldCopy => Some(BRIEF_MS),
                _ => None,
            };
            let length = fault.length.or(brief);
            let ends = length.map_or(healed, |ms| begins.after(ms * 1000).min(healed));
            if begins < healed && (begins.0 > 0 || ends < healed) {
                self.windows.push(Window {
                    name: fault.kind.name().to_owned(),
                    begins,
                    ends,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
