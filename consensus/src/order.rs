//! O1 to O3: what a committed leader brings, in which order and at which time.
//!
//! Everything here is a function of the leader's history and of the commits before it. Which
//! vertices a member happens to hold, and when it received them, plays no part (O4).

use crate::dag::Dag;
use weft_types::{Committee, Millis, Round, Stake, Vertex, VertexRef};

/// O2: the lowest round that a commit with this leader, or one after it, can output: the round above
/// the GC round, which is `leader - gc_depth`.
pub fn gc_floor(leader: Round, gc_depth: u64) -> Round {
    Round(leader.0.saturating_add(1).saturating_sub(gc_depth))
}

/// O1: the leader's history from `floor` on that is not output yet, in order. Marks it as output.
///
/// The history of a vertex that is output has been output with it, from a floor that was not higher,
/// so that the walk need not go below such a vertex.
pub(crate) fn history(dag: &mut Dag, leader: VertexRef, floor: Round) -> Vec<VertexRef> {
    let mut vertices = dag.take(leader, |n| !n.output && n.vertex.round() >= floor);
    vertices.sort_unstable();
    for vertex in &vertices {
        if let Some(node) = dag.get_mut(vertex) {
            node.output = true;
        }
    }
    vertices
}

/// O3: the stake-weighted median of the timestamps of the leader's voting parents, not behind the
/// previous commit's. The median is the lowest timestamp that parents with half of the parents' stake
/// do not exceed. Parents are a quorum, so that at least one honest member is at or below it and one
/// at or above it.
pub(crate) fn timestamp(
    committee: &Committee,
    dag: &Dag,
    leader: &Vertex,
    previous: Millis,
) -> Millis {
    let parents = leader.voting_parents().filter_map(|p| dag.get(p));
    let mut times: Vec<(Millis, Stake)> = parents
        .map(|n| (n.vertex.timestamp(), committee.stake(n.vertex.author())))
        .collect();
    times.sort_unstable();
    let total: u64 = times.iter().map(|(_, stake)| stake.0).sum();
    let mut sum = 0;
    let median = times.into_iter().find(|(_, stake)| {
        sum += stake.0;
        2 * sum >= total
    });
    median.map_or(previous, |(time, _)| time.max(previous))
}
