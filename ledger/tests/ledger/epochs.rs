//! E1, E2: the registry's queue is taken up, the next committee announced, the epoch closed and the next one opened,
//! all of it by commits.

use crate::world::*;
use weft_ledger::Applied;
use weft_types::testing::{members, network, vertex_key};
use weft_types::{
    Chained, Committee, CommitteeDigest, FeedReport, MemberKeys, Millis, Observation, QueueEntry,
    Ready, Roster, Stake, WAITING_MAX,
};

pub const DURATION: u64 = 10_000;

fn world() -> World {
    World::with(|params| params.epoch_duration_ms = Millis(DURATION))
}

pub fn entry(id: u64, weight: u64) -> QueueEntry {
    let joins = id > 4 && weight > 0;
    QueueEntry {
        id,
        weight: Stake(weight),
        slashed: false,
        keys: joins.then(|| MemberKeys::of(&members(id as usize)[id as usize - 1])),
    }
}

pub fn roster(world: &World) -> Roster {
    world
        .ledger
        .roster()
        .map(|r| Roster::clone(&r))
        .expect("there is one")
}

pub fn report(world: &World, entries: &[QueueEntry]) -> FeedReport {
    let start = FeedReport {
        count: 0,
        digest: QueueEntry::digest_start(),
    };
    let taken = world.ledger.roster().map_or(start, |r| r.queue.taken());
    let numbered = entries.iter().zip(taken.count + 1..);
    FeedReport {
        count: taken.count + entries.len() as u64,
        digest: numbered.fold(taken.digest, |d, (entry, i)| entry.extend(&d, i)),
    }
}

/// Three of four report the entries, the last one brings them.
pub fn queue(world: &mut World, entries: &[QueueEntry]) {
    let queue_report = Some(report(world, entries));
    let says = |member| {
        let entries = if member == 3 { entries } else { &[] };
        let said = Observation {
            queue_report,
            entries: entries.to_vec(),
            ..Observation::default()
        };
        (member, said)
    };
    world.observe(&[says(1), says(2), says(3)], &[]);
}

/// A commit at the time, in which a vertex brings ready messages of these ids.
pub fn ready(world: &mut World, now: u64, ids: &[u64]) -> Applied {
    world.now = now;
    let next = world.ledger.roster().and_then(|r| r.next_committee());
    let digest = next.map_or(CommitteeDigest::ZERO, |next| next.digest());
    let sign = |id: &u64| Ready::sign(*id, network().id(), digest, &vertex_key(*id as usize - 1));
    let said = Observation {
        readies: ids.iter().map(sign).collect(),
        ..Observation::default()
    };
    world.observe(&[(1, said)], &[])
}

/// The committee of the next epoch, with all before it done.
pub fn to_next(world: &mut World) -> Committee {
    // Without a roster the genesis committee is in office.
    let since = world.ledger.roster().map_or(0, |r| r.since.0);
    let now = world.now.max(since + DURATION);
    ready(world, now, &[]);
    let next = roster(world).next_committee().expect("announced");
    let ids: Vec<u64> = next.members().iter().map(|m| m.id).collect();
    ready(world, now, &ids);
    world.close_height(true);
    next
}

#[test]
fn nothing_is_written_while_nothing_is_to_be_decided() {
    let mut world = world();
    let applied = ready(&mut world, 5_000, &[1, 2, 3, 4]);
    assert_eq!(applied.changes, vec![]);
    assert!(world.ledger.roster().is_none());
}

#[test]
fn a_member_joins_with_the_next_epoch() {
    let mut world = world();
    queue(&mut world, &[entry(5, 1)]);
    assert_eq!(roster(&world).waiting, [entry(5, 1)]);
    ready(&mut world, DURATION - 1, &[]);
    assert_eq!(roster(&world).announced, None);
    ready(&mut world, DURATION, &[]);
    assert_eq!(roster(&world).announced, Some(1));
    let roots = world.close_height(false);
    assert_eq!(roots.registry_cursor, 1, "named from the announcement on");
    assert_eq!(roots.next_committee, CommitteeDigest::ZERO, "not closed");

    let next = to_next(&mut world);
    assert_eq!((next.size(), next.epoch().0), (5, 1));
    assert!(world.ledger.is_closed(world.committee.epoch()));
    let roots = world.close_height(false);
    assert_eq!(roots.next_committee, next.digest());

    world.committee = next.clone();
    ready(&mut world, DURATION + 5, &[]);
    let roster = roster(&world);
    assert_eq!(
        (roster.epoch, roster.since),
        (next.epoch(), Millis(DURATION + 5))
    );
    assert!(!roster.closed && roster.ready.is_empty() && roster.waiting.is_empty());
    assert_eq!(roster.committee(), Ok(next));
    let roots = world.close_height(false);
    assert_eq!(
        (roots.registry_cursor, roots.next_committee.is_zero()),
        (1, true)
    );
}

#[test]
fn an_epoch_closes_only_when_a_quorum_of_the_next_committee_is_ready() {
    let mut world = world();
    queue(&mut world, &[entry(5, 1)]);
    ready(&mut world, DURATION, &[1, 2, 3, 4]);
    assert!(!roster(&world).closed, "signed before the announcement");
    ready(&mut world, DURATION, &[1, 2, 2, 2, 5]);
    assert!(!roster(&world).closed, "three of five");
    // One that another has signed, and one of nobody.
    let next = roster(&world).next_committee().expect("announced").digest();
    let forged =
        [(3, 0), (77, 76)].map(|(id, key)| Ready::sign(id, network().id(), next, &vertex_key(key)));
    let said = Observation {
        readies: forged.into(),
        ..Observation::default()
    };
    world.observe(&[(1, said)], &[]);
    assert_eq!(roster(&world).ready, [1, 2, 5]);
    ready(&mut world, DURATION, &[3]);
    assert!(roster(&world).closed);
}

/// The announced committee has a fifth member that does not run, and another one of the four is down.
fn stuck() -> World {
    let mut world = world();
    queue(&mut world, &[entry(5, 1)]);
    ready(&mut world, DURATION, &[]);
    ready(&mut world, DURATION, &[1, 2, 3]);
    assert_eq!(roster(&world).ready, [1, 2, 3]);
    world
}

#[test]
fn e2_a_committee_that_never_gets_ready_is_announced_anew_with_what_waits() {
    let mut world = stuck();
    // It leaves again, or its bond is taken.
    queue(&mut world, &[entry(5, 0)]);
    ready(&mut world, 2 * DURATION - 1, &[]);
    assert_eq!(roster(&world).announced, Some(1), "it has its time");
    ready(&mut world, 2 * DURATION, &[]);
    assert_eq!(roster(&world).announced, Some(2));
    let ready_ids = roster(&world).ready;
    assert!(
        ready_ids.is_empty(),
        "{ready_ids:?} were ready for another one"
    );
    assert_eq!(world.close_height(false).registry_cursor, 2);
    let next = roster(&world).next_committee().expect("announced");
    assert_eq!(next.size(), 4);
    ready(&mut world, 2 * DURATION + 1, &[1, 2, 3]);
    assert!(roster(&world).closed);
    let roots = world.close_height(false);
    assert_eq!(
        (roots.next_committee, roots.registry_cursor),
        (next.digest(), 2)
    );
}

#[test]
fn e2_an_announcement_stays_while_nothing_else_waits_and_for_its_time() {
    let mut world = stuck();
    ready(&mut world, 5 * DURATION, &[]);
    assert_eq!(roster(&world).ready, [1, 2, 3], "nothing would be another");
    queue(&mut world, &[entry(1, 2)]);
    // Its time is over: what comes now is taken in at once, and what comes then waits for as long again.
    assert_eq!(roster(&world).announced, Some(2));
    queue(&mut world, &[entry(1, 3)]);
    ready(&mut world, 6 * DURATION - 1, &[]);
    assert_eq!(roster(&world).announced, Some(2));
    ready(&mut world, 6 * DURATION, &[]);
    assert_eq!(roster(&world).announced, Some(3));
}

#[test]
#[should_panic(expected = "a commit of epoch 0 is applied in epoch 0")]
fn nothing_is_applied_once_the_epoch_is_closed() {
    let mut world = world();
    queue(&mut world, &[]);
    to_next(&mut world);
    ready(&mut world, DURATION + 5, &[]);
}

#[test]
fn less_than_a_quorum_takes_up_no_entry() {
    let mut world = world();
    let entries = [entry(5, 1)];
    let queue_report = Some(report(&world, &entries));
    let said = Observation {
        queue_report,
        entries: entries.to_vec(),
        ..Observation::default()
    };
    world.observe(&[(1, said.clone()), (2, said.clone()), (2, said)], &[]);
    assert_eq!(roster(&world).queue.processed, 0);
}

#[test]
fn what_waits_is_bounded_and_goes_on_after_the_edge() {
    let mut world = world();
    let mut weight = 1;
    while roster_len(&world) < WAITING_MAX {
        weight += 1;
        let entries: Vec<_> = (0..32).map(|_| entry(1, weight)).collect();
        queue(&mut world, &entries);
    }
    queue(&mut world, &[entry(2, 9)]);
    assert_eq!(roster_len(&world), WAITING_MAX, "the queue is full");
    world.committee = to_next(&mut world);
    queue(&mut world, &[entry(2, 9)]);
    assert_eq!(roster(&world).waiting, [entry(2, 9)]);
}

fn roster_len(world: &World) -> u64 {
    world.ledger.roster().map_or(0, |r| r.waiting.len() as u64)
}

#[test]
fn a_restart_in_each_state_goes_on_as_if_there_had_been_none() {
    let run = |restarts: bool| {
        let mut world = world();
        queue(&mut world, &[entry(5, 1), entry(1, 0)]);
        ready(&mut world, DURATION, &[1]);
        for _ in 0..2 {
            if restarts {
                world.restart();
            }
            world.committee = to_next(&mut world);
            if restarts {
                world.restart();
            }
            let now = world.now + 1;
            ready(&mut world, now, &[]);
        }
        (roster(&world), world.close_height(false))
    };
    let ran_on = run(false);
    assert_eq!(ran_on.0.epoch.0, 2);
    assert_eq!(run(true), ran_on);
}
