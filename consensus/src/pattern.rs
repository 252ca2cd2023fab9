//! D1: what a vertex says of the leaders one and two rounds below it.
//!
//! Both follow from the vertex and its parents alone, so that everybody who has a vertex reads the
//! same in it. Only voting parents count: a weak link is made when others have already decided.

use crate::config::{CoreConfig, sabotaged};
use crate::dag::Dag;
use weft_types::{MemberIndex, Stake, Vertex, VertexRef};

/// D1: the vertex of the previous round by this author that the vertex votes for.
pub(crate) fn vote(vertex: &Vertex, author: MemberIndex) -> Option<VertexRef> {
    let (own, others) = vertex.parents().split_first()?;
    if own.author == author {
        return (own.round.checked_add(1) == Some(vertex.round())).then_some(*own);
    }
    let place = others.binary_search_by_key(&author, |p| p.author).ok()?;
    others.get(place).copied()
}

/// D1: the vertex of `leader`, two rounds below, for which the vertex holds the certificate pattern:
/// parents with `enough` stake vote for it. Parents are of distinct members, so at most one.
pub(crate) fn certified(
    config: &CoreConfig,
    dag: &Dag,
    vertex: &Vertex,
    leader: MemberIndex,
    enough: Stake,
) -> Option<VertexRef> {
    let mut sums: Vec<(VertexRef, Stake)> = Vec::new();
    let mut add = |voted: VertexRef, member| {
        let stake = config.committee.stake(member).0;
        let same =
            |s: &&mut (VertexRef, Stake)| s.0 == voted || sabotaged!(config, VersionsShareVotes);
        match sums.iter_mut().find(same) {
            Some((_, sum)) => sum.0 += stake,
            None => sums.push((voted, Stake(stake))),
        }
    };
    for parent in vertex.voting_parents() {
        let node = dag.get(parent);
        if let Some(voted) = node.and_then(|n| vote(&n.vertex, leader)) {
            add(voted, parent.author);
        }
    }
    if sabotaged!(config, WeakLinksVote) {
        let round = vertex.round().saturating_sub(2);
        let late = |l: &&VertexRef| l.round == round && l.author == leader;
        if let Some(link) = vertex.weak_links().iter().find(late) {
            add(*link, vertex.author());
        }
    }
    let found = sums.into_iter().find(|(_, stake)| *stake >= enough);
    found.map(|(vertex, _)| vertex)
}
