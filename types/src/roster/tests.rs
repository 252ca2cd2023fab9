use super::*;
use crate::feed::Chained;
use crate::ids::{CommitIndex, Root};
use crate::testing::{finality_key, members, network, vertex_key};
use std::collections::BTreeMap;

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
        slashed: false,
        keys: None,
    }
}

fn slash(id: u64) -> QueueEntry {
    QueueEntry {
        slashed: true,
        ..entry(id, 0)
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
    edge(&mut roster, &[join(5, 20), entry(1, 0)]);
    // F of 40 is 13: 6 go, 7 come.
    let after = [(1, 4), (2, 10), (3, 10), (4, 10), (5, 7)];
    assert_eq!(weights(&roster), after);
    edge(&mut roster, &[]);
    // F of 41 is 13: what is left goes, and 9 come.
    assert_eq!(weights(&roster), [(2, 10), (3, 10), (4, 10), (5, 16)]);
    edge(&mut roster, &[]);
    assert_eq!(weights(&roster), [(2, 10), (3, 10), (4, 10), (5, 20)]);
    assert!(roster.moving.is_empty());
    assert_eq!(roster.seats.len(), 4, "who has left has no seat");
}

#[test]
fn each_way_goes_in_the_order_in_which_members_began_to_wait() {
    let mut roster = roster(&[10, 10, 10, 10]);
    let entries = [join(5, 20), join(6, 5), entry(4, 0), entry(2, 0)];
    edge(&mut roster, &entries);
    let after = [(1, 10), (2, 10), (3, 10), (4, 4), (5, 7)];
    assert_eq!(weights(&roster), after);
    assert_eq!(roster.moving, [5, 6, 4, 2]);
    edge(&mut roster, &[entry(6, 9)]);
    // F of 41 is 13: 6 go, of the second too, and 7 come.
    assert_eq!(weights(&roster), [(1, 10), (2, 8), (3, 10), (5, 14)]);
    assert_eq!(roster.moving, [5, 6, 2]);
}

#[test]
fn a_large_bond_moves_in_steps_and_holds_no_exit_up() {
    let mut roster = roster(&[10; 7]);
    edge(&mut roster, &[join(8, 1_000), entry(1, 13), entry(2, 0)]);
    // F of 70 is 23: 10 go, and 13 come.
    let weights_of = |roster: &Roster, id| weights(roster).iter().find(|w| w.0 == id).copied();
    assert_eq!(weights_of(&roster, 2), None);
    assert_eq!(weights_of(&roster, 8), Some((8, 13)));
    assert_eq!(roster.moving, [8, 1]);
    let mut edges = 1;
    while !roster.moving.is_empty() {
        edge(&mut roster, &[]);
        edges += 1;
    }
    assert_eq!(weights_of(&roster, 8), Some((8, 1_000)));
    assert_eq!(weights_of(&roster, 1), Some((1, 13)));
    assert_eq!(edges, 11);
}

#[test]
fn where_one_unit_moves_at_an_edge_it_is_of_who_comes_until_there_are_two() {
    let mut roster = roster(&[1, 1, 1, 1]);
    edge(&mut roster, &[entry(1, 0), join(5, 100)]);
    assert_eq!(weights(&roster), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    edge(&mut roster, &[]);
    edge(&mut roster, &[]);
    assert_eq!(weights(&roster)[4], (5, 3));
    // F of 7 is 2.
    edge(&mut roster, &[]);
    assert_eq!(weights(&roster), [(2, 1), (3, 1), (4, 1), (5, 4)]);
}

#[test]
fn an_offender_goes_before_all_others_whatever_waits() {
    let mut roster = roster(&[400, 20, 20, 20]);
    edge(&mut roster, &[join(5, 1_000), entry(1, 0), entry(2, 0)]);
    assert!(weights(&roster).contains(&(2, 20)), "behind another");
    edge(&mut roster, &[slash(2), entry(3, 0), slash(4)]);
    let ids: Vec<u64> = weights(&roster).iter().map(|w| w.0).collect();
    assert_eq!(ids, [1, 3, 5], "the offenders, and nobody else");
    assert_eq!(roster.moving, [5, 1, 3]);
}

#[test]
fn an_offender_takes_all_that_may_move_until_it_is_gone() {
    let mut roster = roster(&[40, 20, 20, 20]);
    edge(&mut roster, &[join(5, 10), entry(2, 0), slash(1)]);
    assert_eq!(weights(&roster), [(1, 7), (2, 20), (3, 20), (4, 20)]);
    edge(&mut roster, &[]);
    // F of 67 is 22: the last 7, then of 15 seven go and eight come.
    assert_eq!(weights(&roster), [(2, 13), (3, 20), (4, 20), (5, 8)]);
}

#[test]
fn the_last_weight_stays() {
    let mut roster = roster(&[1]);
    edge(&mut roster, &[entry(1, 0), join(2, 1)]);
    // Who came goes on; who wanted to leave goes when somebody else is there.
    assert_eq!(weights(&roster), [(1, 1), (2, 1)]);
    edge(&mut roster, &[]);
    assert_eq!(weights(&roster), [(2, 1)]);
    edge(&mut roster, &[slash(2)]);
    assert_eq!(weights(&roster), [(2, 1)], "an offender's too");
}

#[test]
fn members_that_are_replaced_leave_no_committee_of_few() {
    for weight in [1, 2, 10, 32] {
        let mut roster = roster(&[weight; 4]);
        let leave = (1..5).map(|id| entry(id, 0));
        let entries: Vec<_> = leave.chain((5..9).map(|id| join(id, weight))).collect();
        edge(&mut roster, &entries);
        let mut edges = 1;
        while !roster.moving.is_empty() {
            edge(&mut roster, &[]);
            edges += 1;
            let total: u64 = weights(&roster).iter().map(|w| w.1).sum();
            assert!(total >= 4 * weight, "{total} of {weight} each");
        }
        assert!(edges <= 9, "{edges} edges with {weight} each");
    }
}

#[test]
fn who_comes_waits_for_no_stream_of_exits_for_good() {
    // A hundred of weight 10, of which one more leaves before each edge: one that wants in has half of each.
    let mut roster = roster(&[10; 100]);
    edge(&mut roster, &[join(101, 500)]);
    let mut edges = 1;
    for id in 1..100 {
        edge(&mut roster, &[entry(id, 0)]);
        edges += 1;
        if !roster.moving.contains(&101) {
            break;
        }
    }
    assert!(edges <= 3, "{edges} edges");
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
        let total: u64 = before.iter().map(|w| w.1).sum();
        let bound = ((total - 1) / 3).max(1);
        assert!(changed as u64 <= bound, "{before:?} to {after:?}");
        edges += 1;
    }
    assert_eq!(edges, 6);
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
fn the_outlook_is_what_the_edges_come_to() {
    let mut roster = roster(&[10; 7]);
    edge(&mut roster, &[join(8, 1_000), join(9, 5), entry(2, 0)]);
    roster.waiting = vec![entry(3, 0), join(10, 1)];
    roster.queue.processed += 2;
    roster.announce(Millis(7)).expect("a committee");
    // Not among what is announced.
    roster.waiting.push(entry(4, 0));
    roster.queue.processed += 1;
    let outlook = roster.outlook();
    assert_eq!(
        outlook.keys().copied().collect::<Vec<_>>(),
        [3, 4, 8, 9, 10]
    );
    assert_eq!(
        (outlook[&3].settles_in, outlook[&3].joins_in),
        (Some(1), None)
    );
    assert_eq!(outlook[&4].settles_in, Some(2));
    assert_eq!(outlook[&8].joins_in, None, "it is in office");

    let mut edges = 0;
    let mut came = BTreeMap::new();
    let mut settled = BTreeMap::new();
    while !roster.moving.is_empty() || !roster.waiting.is_empty() {
        let before = weights(&roster);
        if roster.announced.is_none() {
            roster.announce(Millis(7)).expect("a committee");
        }
        roster.open_next(CommitIndex(9), Millis(2_000));
        edges += 1;
        for (id, _) in weights(&roster) {
            if !before.iter().any(|w| w.0 == id) {
                came.insert(id, edges);
            }
        }
        for id in outlook.keys() {
            let waits = roster.waiting.iter().any(|e| e.id == *id);
            if !waits && !roster.moving.contains(id) {
                settled.entry(*id).or_insert(edges);
            }
        }
    }
    for (id, outlook) in outlook {
        assert_eq!(outlook.settles_in, settled.get(&id).copied(), "{id}");
        assert_eq!(outlook.joins_in, came.get(&id).copied(), "{id}");
    }
    assert!(roster.outlook().is_empty());
}

#[test]
fn what_is_taken_up_after_the_announcement_waits_in_the_outlook_for_the_edge_after() {
    let mut roster = roster(&[10; 4]);
    roster.waiting.push(join(5, 1));
    roster.queue.processed = 1;
    roster.announce(Millis(7)).expect("a committee");
    // The first edge has room for both of these too: F of 40 is 13.
    roster.waiting.extend([join(6, 1), entry(1, 11)]);
    roster.queue.processed += 2;
    let outlook = roster.outlook();
    let of = |id| (outlook[&id].joins_in, outlook[&id].settles_in);
    assert_eq!(of(5), (Some(1), Some(1)));
    assert_eq!(of(6), (Some(2), Some(2)));
    assert_eq!(of(1), (None, Some(2)));
}

#[test]
fn the_outlook_ends() {
    let mut roster = roster(&[1]);
    edge(&mut roster, &[entry(1, 1_000_000)]);
    let outlook = roster.outlook();
    assert_eq!(outlook[&1], Outlook::default());
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
        entry(5, 0).extend(&start, 1),
        slash(5).extend(&start, 1),
        join(5, 1).extend(&Root([1; 32]), 1),
    ]
    .into();
    for (i, digest) in digests.iter().enumerate() {
        assert!(!digests[..i].contains(digest), "{i}");
    }
}
