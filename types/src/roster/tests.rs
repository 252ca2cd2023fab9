use super::*;
use crate::feed::Chained;
use crate::ids::{CommitIndex, Root};
use crate::testing::{finality_key, members, network, vertex_key};

fn committee(weights: &[u64]) -> Committee {
    let mut members = members(weights.len());
    for (member, weight) in members.iter_mut().zip(weights) {
        member.stake = Stake(*weight);
    }
    Committee::new(Epoch::ZERO, members).expect("a committee")
}

fn roster(weights: &[u64]) -> Roster {
    Roster::genesis(&committee(weights), Millis(1_000))
}

fn entry(id: u64, weight: u64) -> QueueEntry {
    QueueEntry {
        id,
        weight: Stake(weight),
        keys: None,
    }
}

fn join(id: u64, weight: u64) -> QueueEntry {
    let i = id as usize - 1;
    QueueEntry {
        keys: Some(MemberKeys {
            vertex_key: vertex_key(i).public(),
            finality_key: finality_key(i).public(),
            addresses: "/ip4/127.0.0.1/tcp/1".to_owned(),
        }),
        ..entry(id, weight)
    }
}

/// Entries arrive and an edge applies them.
fn edge(roster: &mut Roster, entries: &[QueueEntry]) {
    roster.waiting.extend_from_slice(entries);
    roster.queue.processed += entries.len() as u64;
    roster.announce(Millis(7)).expect("a committee");
    roster.open_next(CommitIndex(9), Millis(2_000));
}

fn weights(roster: &Roster) -> Vec<(u64, u64)> {
    let members = roster.committee().expect("a committee");
    let members = members.members().iter();
    members.map(|m| (m.id, m.stake.0)).collect()
}

#[test]
fn a_member_joins_leaves_and_bonds_more_at_the_edge() {
    let mut roster = roster(&[10, 10, 10, 10]);
    edge(&mut roster, &[join(5, 4), entry(1, 13), entry(2, 7)]);
    assert_eq!(
        weights(&roster),
        [(1, 13), (2, 7), (3, 10), (4, 10), (5, 4)]
    );
    assert_eq!(roster.epoch, Epoch(1));
    assert_eq!((roster.applied(), roster.queue.processed), (3, 3));
    assert!(roster.moving.is_empty() && roster.announced.is_none());
}

#[test]
fn less_than_a_third_of_the_weight_changes_at_an_edge_and_the_rest_follows() {
    let mut roster = roster(&[10, 10, 10, 10]);
    edge(&mut roster, &[entry(1, 0), join(5, 20)]);
    // F of 40 is 13: one leaves with 10, the other comes with 3.
    assert_eq!(weights(&roster), [(2, 10), (3, 10), (4, 10), (5, 3)]);
    edge(&mut roster, &[]);
    // F of 33 is 10.
    assert_eq!(weights(&roster), [(2, 10), (3, 10), (4, 10), (5, 13)]);
    edge(&mut roster, &[]);
    assert_eq!(weights(&roster), [(2, 10), (3, 10), (4, 10), (5, 20)]);
    assert!(roster.moving.is_empty());
    assert_eq!(roster.seats.len(), 4, "who has left has no seat");
}

#[test]
fn an_entry_that_is_larger_than_the_bound_does_not_block_those_behind_it_for_good() {
    let mut roster = roster(&[1, 1, 1, 1]);
    edge(&mut roster, &[entry(1, 100), join(5, 1)]);
    assert_eq!(weights(&roster), [(1, 2), (2, 1), (3, 1), (4, 1)]);
    let mut edges = 1;
    while !roster.moving.is_empty() {
        edge(&mut roster, &[]);
        edges += 1;
    }
    assert_eq!(weights(&roster), [(1, 100), (2, 1), (3, 1), (4, 1), (5, 1)]);
    assert!(edges < 20, "{edges} edges");
}

#[test]
fn the_last_weight_stays() {
    let mut roster = roster(&[1]);
    edge(&mut roster, &[entry(1, 0), join(2, 1)]);
    // Who came goes on; who wanted to leave goes when somebody else is there.
    assert_eq!(weights(&roster), [(1, 1), (2, 1)]);
    edge(&mut roster, &[]);
    assert_eq!(weights(&roster), [(2, 1)]);
}

#[test]
fn all_are_replaced_over_several_edges() {
    let mut roster = roster(&[1, 1, 1, 1]);
    let coming = (5..9).map(|id| join(id, 1));
    let going = (1..5).map(|id| entry(id, 0));
    let entries: Vec<_> = coming.zip(going).flat_map(|(a, b)| [a, b]).collect();
    edge(&mut roster, &entries);
    let mut edges = 1;
    while !roster.moving.is_empty() {
        let before = weights(&roster);
        edge(&mut roster, &[]);
        let after = weights(&roster);
        let changed = before.iter().filter(|m| !after.contains(m)).count()
            + after.iter().filter(|m| !before.contains(m)).count();
        assert!(changed <= 1, "{before:?} to {after:?}");
        edges += 1;
    }
    assert_eq!(edges, 8);
    assert_eq!(weights(&roster), [(5, 1), (6, 1), (7, 1), (8, 1)]);
}

#[test]
fn who_leaves_before_it_came_never_sits() {
    let mut roster = roster(&[1, 1, 1, 1]);
    edge(&mut roster, &[join(5, 1), entry(5, 0), entry(99, 0)]);
    assert_eq!(roster.seats.len(), 4);
    assert!(roster.moving.is_empty());
}

#[test]
fn entries_that_arrive_after_the_announcement_wait_for_the_next_edge() {
    let mut roster = roster(&[1, 1, 1, 1]);
    roster.waiting.push(join(5, 1));
    roster.queue.processed = 1;
    let next = roster.announce(Millis(7)).expect("a committee");
    assert_eq!(next.size(), 5);
    assert_eq!((next.epoch(), roster.epoch), (Epoch(1), Epoch(0)));
    roster.waiting.push(join(6, 1));
    roster.queue.processed = 2;
    assert_eq!(
        roster.next_committee().map(|c| c.digest()),
        Some(next.digest())
    );
    roster.open_next(CommitIndex(7), Millis(5));
    assert_eq!(roster.committee().map(|c| c.digest()), Ok(next.digest()));
    assert_eq!((roster.applied(), roster.waiting.len()), (1, 1));
}

#[test]
fn a_quorum_of_the_next_committee_has_to_be_ready() {
    let mut roster = roster(&[1, 1, 1, 1]);
    roster.waiting.push(join(5, 1));
    roster.queue.processed = 1;
    let next = roster.announce(Millis(7)).expect("a committee");
    for (id, ready) in [
        (2, false),
        (5, false),
        (5, false),
        (99, false),
        (1, false),
        (4, true),
    ] {
        roster.note_ready(id);
        assert_eq!(roster.is_ready(&next), ready, "{id}");
    }
}

#[test]
fn a_ready_message_is_its_members_and_of_one_epoch() {
    let next = committee(&[1, 1, 1, 1]);
    let digest = next.digest();
    let network = network().id();
    let ready = Ready::sign(2, network, digest, &vertex_key(1));
    assert!(ready.is_of(network, &next, digest));
    let foreign = Ready::sign(2, network, digest, &vertex_key(2));
    assert!(!foreign.is_of(network, &next, digest));
    assert!(
        !Ready {
            member: 9,
            ..ready.clone()
        }
        .is_of(network, &next, digest)
    );
    let later = Committee::new(Epoch(1), next.members().to_vec()).expect("a committee");
    assert!(!ready.is_of(network, &later, later.digest()));
}

#[test]
fn an_entry_changes_the_digest_by_each_of_its_parts() {
    let start = QueueEntry::digest_start();
    let digests: Vec<Root> = [
        join(5, 1).extend(&start, 1),
        join(5, 1).extend(&start, 2),
        join(5, 2).extend(&start, 1),
        join(6, 1).extend(&start, 1),
        entry(5, 1).extend(&start, 1),
        join(5, 1).extend(&Root([1; 32]), 1),
    ]
    .into();
    for (i, digest) in digests.iter().enumerate() {
        assert!(!digests[..i].contains(digest), "{i}");
    }
}
