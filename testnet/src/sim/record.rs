//! One member's view of a run, kept for a drawing: the vertices with their links, the commits, and what
//! transactions took.

use super::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use weft_consensus::Schedule;
use weft_types::{Commit, Committee, MemberIndex, MemberSet, NetworkId, Round, Vertex, VertexRef};

/// Rounds that are kept; a drawing of more is no drawing.
const ROUNDS_MAX: u64 = 400;

pub struct Record {
    pub members: usize,
    /// By vertex: when it came, and its parents.
    pub vertices: BTreeMap<VertexRef, (Time, Vec<VertexRef>)>,
    /// When each leader was committed.
    pub committed: BTreeMap<VertexRef, Time>,
    pub output: BTreeSet<VertexRef>,
    /// When submitted, and microseconds to the commit.
    pub latencies: Vec<(Time, u64)>,
    /// The scheduled leaders of each round that is kept.
    pub leaders: BTreeMap<Round, Vec<MemberIndex>>,
    /// D5: who was out of the schedule above the round of each committed leader.
    demoted: BTreeMap<Round, MemberSet>,
}

impl Record {
    pub fn new(members: usize) -> Self {
        Self {
            members,
            vertices: BTreeMap::new(),
            committed: BTreeMap::new(),
            output: BTreeSet::new(),
            latencies: Vec::new(),
            leaders: BTreeMap::new(),
            demoted: BTreeMap::new(),
        }
    }

    pub fn vertex(&mut self, now: Time, vertex: &Vertex) {
        if vertex.round().0 <= ROUNDS_MAX {
            let parents = vertex.parents().to_vec();
            self.vertices.insert(vertex.reference(), (now, parents));
        }
    }

    pub fn commit(&mut self, now: Time, commit: &Commit) {
        self.committed.insert(commit.leader, now);
        self.output.extend(commit.vertices.iter().copied());
        self.demoted.insert(commit.leader.round, commit.demoted);
    }

    /// Fills in who was to lead.
    pub fn finish(&mut self, network: NetworkId, committee: &Committee, per_round: u32) {
        let schedule = Schedule::by_stake(network.0, per_round);
        let last = self.last_round();
        for round in 1..=last.0 {
            let ruling = self.demoted.range(..Round(round)).next_back();
            let demoted = ruling.map_or(MemberSet::default(), |(_, demoted)| *demoted);
            let leaders = schedule.leaders(committee, Round(round), &demoted);
            self.leaders.insert(Round(round), leaders);
        }
    }

    pub fn last_round(&self) -> Round {
        let last = self.vertices.last_key_value();
        last.map_or(Round::ZERO, |(vertex, _)| vertex.round)
    }

    /// The round of the last leader that was committed: slots below it are decided.
    pub fn decided(&self) -> Round {
        let last = self.committed.last_key_value();
        last.map_or(Round::ZERO, |(leader, _)| leader.round)
    }
}
