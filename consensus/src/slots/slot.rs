//! One leader slot, and what vertices say of it.

use super::Decision;
use crate::config::{CoreConfig, sabotaged};
use crate::dag::{Dag, Walk};
use weft_types::{MemberIndex, MemberSet, Round, Stake, VertexRef};

pub(super) struct Slot {
    pub leader: MemberIndex,
    pub candidates: Vec<Candidate>,
    /// Members with a vertex that votes for no vertex of this slot.
    pub blanks: Tally,
    pub decision: Option<Decision>,
}

/// A vertex of the leader that somebody voted for.
pub(super) struct Candidate {
    pub vertex: VertexRef,
    pub votes: Tally,
    /// D6: the vertices that vote for it.
    pub voters: Vertices,
    /// Members with a vertex that holds the certificate pattern, and those vertices.
    pub certifiers: Tally,
    pub certificates: Vertices,
}

/// Vertices of one round: by author where it is the version that came first here, else by name.
#[derive(Default)]
pub(super) struct Vertices {
    first: MemberSet,
    others: Vec<VertexRef>,
}

impl Vertices {
    pub fn add(&mut self, vertex: VertexRef, came_first: bool) {
        if came_first {
            self.first.insert(vertex.author);
        } else {
            self.others.push(vertex);
        }
    }

    /// The authors of those that a walk has come by, which are of `round`.
    pub fn visited(
        &self,
        walk: &Walk,
        dag: &Dag,
        round: Round,
    ) -> impl Iterator<Item = MemberIndex> {
        let first = self.first.iter().filter(move |author| {
            let first = dag.versions(round, *author).first();
            first.is_some_and(|node| walk.came_by(node))
        });
        let others = self.others.iter().filter(|v| walk.visited(dag, v));
        first.chain(others.map(|v| v.author))
    }
}

#[derive(Default)]
pub(super) struct Tally {
    members: MemberSet,
    pub stake: Stake,
}

impl Tally {
    pub fn add(&mut self, config: &CoreConfig, (member, stake): (MemberIndex, Stake)) -> Stake {
        if self.members.insert(member) || sabotaged!(config, VotesCountedTwice) {
            self.stake.0 += stake.0;
        }
        self.stake
    }
}

impl Slot {
    pub fn new(leader: MemberIndex) -> Self {
        Self {
            leader,
            candidates: Vec::new(),
            blanks: Tally::default(),
            decision: None,
        }
    }

    pub fn candidate(&mut self, vertex: VertexRef) -> &mut Candidate {
        let place = self.candidates.iter().position(|c| c.vertex == vertex);
        let place = place.unwrap_or_else(|| {
            // One, unless the leader has signed several.
            self.candidates.reserve_exact(1);
            self.candidates.push(Candidate {
                vertex,
                votes: Tally::default(),
                voters: Vertices::default(),
                certifiers: Tally::default(),
                certificates: Vertices::default(),
            });
            self.candidates.len() - 1
        });
        &mut self.candidates[place]
    }
}
