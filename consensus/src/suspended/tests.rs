use super::*;
use weft_types::testing::{network, vertex_key};
use weft_types::{Epoch, Millis, Observation, VertexBody, VertexDigest};

/// Room for five vertices of `waiting`.
fn bytes_max() -> usize {
    let (vertex, missing) = waiting(0, 100);
    5 * cost(&vertex, missing.len()) + 100
}

fn link(author: u32, round: u64, i: u8) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([i; 32]),
    }
}

/// A vertex that needs five vertices of the round before.
fn waiting(author: u32, round: u64) -> (Verified<Vertex>, Vec<VertexRef>) {
    let links: Vec<VertexRef> = (1..=5).map(|i| link(author, round - 1, i)).collect();
    (vertex(author, round, links.clone()), links)
}

fn vertex(author: u32, round: u64, parents: Vec<VertexRef>) -> Verified<Vertex> {
    let body = VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(round),
        author: MemberIndex(author),
        timestamp: Millis(1),
        parents,
        weak_links: Vec::new(),
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: Vec::new(),
    };
    Vertex::sign(body, Vec::new(), &vertex_key(author as usize))
}

fn suspended(members: usize) -> Suspended {
    Suspended::new(Shares::new(members, bytes_max(), usize::MAX))
}

fn insert(suspended: &mut Suspended, author: u32, round: u64) -> Inserted {
    let (vertex, missing) = waiting(author, round);
    suspended.insert(vertex, &missing)
}

fn rounds(suspended: &Suspended, author: u32) -> Vec<u64> {
    let keys = suspended.waiting.keys();
    let of = keys.filter(|v| v.author == MemberIndex(author));
    of.map(|v| v.round.0).collect()
}

#[test]
fn at_the_bound_an_authors_highest_rounds_go_first_and_nobody_elses() {
    let mut suspended = suspended(2);
    insert(&mut suspended, 1, 90);
    for round in [10, 50, 40, 30, 20] {
        assert!(insert(&mut suspended, 0, round).waits);
    }
    assert_eq!(insert(&mut suspended, 0, 60), Inserted::default());
    assert_eq!(rounds(&suspended, 0), [10, 20, 30, 40, 50]);
    insert(&mut suspended, 0, 15);
    assert_eq!(rounds(&suspended, 0), [10, 15, 20, 30, 40]);
    assert_eq!(rounds(&suspended, 1), [90]);
    assert!(suspended.shares.fullest() <= bytes_max());
}

#[test]
fn a_dropped_vertex_that_another_needs_is_looked_for_again() {
    let mut suspended = suspended(2);
    let (needed, missing) = waiting(0, 50);
    let reference = needed.reference();
    suspended.insert(needed, &missing);
    let (other, _) = waiting(1, 51);
    let inserted = suspended.insert(other, &[reference]);
    assert!(inserted.waits);
    assert_eq!(inserted.look_for, [], "it is here, though it waits");
    for round in [10, 20, 30, 40] {
        insert(&mut suspended, 0, round);
    }
    let inserted = insert(&mut suspended, 0, 15);
    assert!(inserted.waits, "there is room when the highest goes");
    assert!(inserted.look_for.contains(&reference));
    assert!(suspended.lacks(&reference));
    assert!(!suspended.lacks(&link(0, 49, 1)), "nobody else needed that");
    let needed: Vec<VertexRef> = (1..=5).map(|i| link(0, 49, i)).collect();
    assert_eq!(inserted.no_longer, needed);
}

#[test]
fn all_is_given_back_when_the_missing_arrive() {
    let mut suspended = suspended(2);
    insert(&mut suspended, 0, 10);
    for i in 1..5 {
        assert!(suspended.arrived(&link(0, 9, i)).is_empty());
    }
    assert_eq!(suspended.arrived(&link(0, 9, 5)).len(), 1);
    assert_eq!((suspended.len(), suspended.shares.bytes().0), (0, 0));
    assert!(suspended.needed_by.is_empty());
}

#[test]
fn garbage_collection_drops_below_the_floor_and_frees_what_waited_for_it() {
    let mut suspended = suspended(2);
    insert(&mut suspended, 0, 9);
    insert(&mut suspended, 0, 10);
    insert(&mut suspended, 1, 11);
    let free = suspended.collect_garbage(Round(10));
    let rounds: Vec<Round> = free.iter().map(|v| v.round()).collect();
    assert_eq!(rounds, [Round(10)], "what it needs is of round 9");
    assert_eq!(suspended.len(), 1);
    assert_eq!(suspended.collect_garbage(Round(20)), []);
    assert_eq!(suspended.shares.bytes().0, 0);
    assert!(suspended.needed_by.is_empty());
}

#[test]
fn whoever_needs_a_vertex_through_others_holds_it_too() {
    let mut suspended = suspended(4);
    let (first, missing) = waiting(0, 10);
    let lacked = missing[0];
    let reference = first.reference();
    suspended.insert(first, &missing);
    suspended.insert(waiting(1, 11).0, &[reference]);
    suspended.insert(waiting(2, 11).0, &[link(3, 10, 9)]);
    let holders: Vec<u32> = suspended.holders(&lacked).iter().map(|m| m.0).collect();
    assert_eq!(holders, [0, 1]);
}

#[test]
fn what_is_lacked_further_down_is_found_through_those_that_wait() {
    let mut suspended = suspended(4);
    let (first, missing) = waiting(0, 10);
    let reference = first.reference();
    suspended.insert(first, &missing);
    let second = vertex(1, 11, vec![reference, link(2, 10, 7)]);
    let above = second.reference();
    suspended.insert(second, &[reference, link(2, 10, 7)]);
    let mut lacked: BTreeSet<VertexRef> = missing.into_iter().collect();
    assert_eq!(suspended.lacking(&reference), lacked);
    lacked.insert(link(2, 10, 7));
    assert_eq!(suspended.lacking(&above), lacked);
}
