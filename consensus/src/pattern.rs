//! D1: what a vertex says of the leaders one and two rounds below it.
//!
//! Both follow from the vertex and its parents alone, so that everybody who has a vertex reads the
//! same in it. Only voting parents count: a weak link is made when others have already decided.
//!
//! With every member a leader a vertex holds up to N patterns of up to N votes each. So the DAG keeps
//! with each vertex the set of authors of whom it votes for the version that came first here, and
//! certificates are sums over sets. Which version came first differs between members; what is read
//! does not, for votes for other versions are kept by name. What a vertex holds patterns for is kept too:
//! the slots count it when the vertex is accepted and after a change of the schedule, the reputation
//! when it is output.

use crate::config::{CoreConfig, sabotaged};
use crate::dag::{Dag, Node};
use weft_types::{MemberIndex, MemberSet, Round, Stake, StakeSums, Vertex, VertexRef};

/// D1: the vertex of the previous round by this author that the vertex votes for.
pub(crate) fn vote(vertex: &Vertex, author: MemberIndex) -> Option<VertexRef> {
    let (own, others) = vertex.parents().split_first()?;
    if own.author == author {
        return (own.round.checked_add(1) == Some(vertex.round())).then_some(*own);
    }
    // Where all members have a vertex, the place is known.
    let usual = author.as_usize() - usize::from(own.author < author);
    if let Some(parent) = others.get(usual).filter(|p| p.author == author) {
        return Some(*parent);
    }
    let place = others.binary_search_by_key(&author, |p| p.author).ok()?;
    others.get(place).copied()
}

/// What a vertex votes for, as its DAG knows it.
#[derive(Default)]
pub(crate) struct Votes {
    /// Authors of whom it votes for the version that came first.
    first: MemberSet,
    /// All others that it votes for.
    others: Vec<VertexRef>,
}

impl Votes {
    pub fn new(dag: &Dag, vertex: &Vertex) -> Self {
        let mut votes = Self::default();
        for parent in vertex.voting_parents() {
            if came_first(dag, parent) {
                votes.first.insert(parent.author);
            } else {
                votes.others.push(*parent);
            }
        }
        votes
    }
}

/// Whether a vertex is the version of its place that came first here.
pub(crate) fn came_first(dag: &Dag, vertex: &VertexRef) -> bool {
    let first = dag.versions(vertex.round, vertex.author).first();
    first.is_some_and(|n| n.vertex.digest() == vertex.digest)
}

/// What the voting parents of a vertex vote for, two rounds below it, with enough stake.
pub(crate) struct Patterns {
    round: Round,
    /// Authors whose version that came first has enough.
    first: MemberSet,
    /// Other versions that have enough.
    others: Vec<VertexRef>,
}

impl Patterns {
    pub fn new(config: &CoreConfig, dag: &Dag, vertex: &Vertex, enough: Stake) -> Self {
        let mut sums = Sums::default();
        for parent in vertex.voting_parents() {
            let stake = config.committee.stake(parent.author);
            if let Some(Node { votes, .. }) = dag.get(parent) {
                sums.first.add(&votes.first, stake);
                for voted in &votes.others {
                    sums.add(dag, *voted, stake);
                }
            }
        }
        let round = vertex.round().saturating_sub(2);
        if sabotaged!(config, WeakLinksVote) {
            for link in vertex.weak_links().iter().filter(|l| l.round == round) {
                sums.add(dag, *link, config.committee.stake(vertex.author()));
            }
        }
        if sabotaged!(config, VersionsShareVotes) {
            for (voted, stake) in sums.others.clone() {
                let author = [voted.author].into_iter().collect();
                sums.first.add(&author, stake);
            }
        }
        let others = sums.others.into_iter().filter(|(_, sum)| *sum >= enough);
        Self {
            round,
            first: sums.first.at_least(enough),
            others: others.map(|(voted, _)| voted).collect(),
        }
    }

    /// D1: the vertex of `leader` for which the vertex holds the certificate pattern: parents with
    /// enough stake vote for it. Parents are of distinct members, so at most one.
    pub fn certified(&self, dag: &Dag, leader: MemberIndex) -> Option<VertexRef> {
        if self.first.contains(leader) {
            let first = dag.versions(self.round, leader).first()?;
            return Some(first.vertex.reference());
        }
        self.others.iter().find(|v| v.author == leader).copied()
    }
}

#[derive(Default)]
struct Sums {
    first: StakeSums,
    others: Vec<(VertexRef, Stake)>,
}

impl Sums {
    /// Votes for one version are one sum, though the version may have come after some of them.
    fn add(&mut self, dag: &Dag, voted: VertexRef, stake: Stake) {
        if came_first(dag, &voted) {
            let author = [voted.author].into_iter().collect();
            return self.first.add(&author, stake);
        }
        match self.others.iter_mut().find(|(known, _)| *known == voted) {
            Some((_, sum)) => sum.0 += stake.0,
            None => self.others.push((voted, stake)),
        }
    }
}
