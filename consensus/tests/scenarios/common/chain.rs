//! What every sequence of commits must keep, and what two of them must share.

use std::collections::BTreeSet;
use weft_consensus::{LastCommit, gc_floor};
use weft_types::{Commit, Millis};

/// O1 to O3 as far as the commits alone show them: indices and digests chain up, vertices are in
/// order with the leader last, none below the GC floor, none twice, time goes forward.
pub fn check_chain(commits: &[Commit], gc_depth: u64) -> Result<(), String> {
    let mut last = LastCommit::genesis(Millis::ZERO);
    let mut output = BTreeSet::new();
    for commit in commits {
        let wrong = |what: &str| Err(format!("commit {} {what}", commit.index));
        if commit.index != last.index.next() || commit.previous != last.digest {
            return wrong("does not follow the one before it");
        }
        if commit.timestamp < last.timestamp {
            return wrong("goes back in time");
        }
        if !commit.vertices.is_sorted_by(|a, b| a < b) {
            return wrong("is not in order");
        }
        if commit.vertices.last() != Some(&commit.leader) {
            return wrong("does not end with its leader");
        }
        let floor = gc_floor(commit.leader.round, gc_depth);
        for vertex in &commit.vertices {
            if vertex.round < floor {
                return wrong("outputs a vertex below its GC floor");
            }
            if !output.insert(*vertex) {
                return wrong("outputs a vertex again");
            }
        }
        last = LastCommit::of(commit);
    }
    Ok(())
}

/// What a restart needs of the commits: those with leaders from the last one's floor on, and the one
/// before them.
pub fn recent(commits: &[Commit], gc_depth: u64) -> Vec<Commit> {
    let Some(last) = commits.last() else {
        return Vec::new();
    };
    let floor = gc_floor(last.leader.round, gc_depth);
    let before = commits.iter().rposition(|c| c.leader.round < floor);
    commits[before.unwrap_or(0)..].to_vec()
}

/// O4: of any two sequences one is a prefix of the other.
pub fn check_agreement(chains: &[Vec<Commit>]) -> Result<(), String> {
    let Some(longest) = chains.iter().max_by_key(|c| c.len()) else {
        return Ok(());
    };
    for chain in chains {
        for (one, other) in chain.iter().zip(longest) {
            if one.digest() != other.digest() {
                return Err(format!("{one:?} is not {other:?}"));
            }
        }
    }
    Ok(())
}
