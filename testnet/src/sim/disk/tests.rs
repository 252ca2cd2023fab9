use super::super::cast::Cast;
use super::super::plan::{Plan, Signer};
use super::super::rng::Stream;
use super::*;
use weft_types::{MemberIndex, Observation, VertexBody};

fn cast() -> Cast {
    let plan = Plan {
        nodes: 4,
        signer: Signer::Mock,
        ..Plan::default()
    };
    Cast::new(&plan).unwrap()
}

/// Member 0's vertex of round 1, told apart by its timestamp.
fn vertex(cast: &Cast, timestamp: u64) -> Verified<Vertex> {
    let genesis = |m| Vertex::genesis(cast.network, Epoch::ZERO, MemberIndex(m)).reference();
    let body = VertexBody {
        network: cast.network,
        epoch: Epoch::ZERO,
        round: Round(1),
        author: MemberIndex(0),
        timestamp: weft_types::Millis(timestamp),
        parents: (0..4).map(genesis).collect(),
        weak_links: Vec::new(),
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: Vec::new(),
    };
    Vertex::sign(body, Vec::new(), &cast.keys[0].vertex)
}

#[test]
fn what_was_synced_survives_every_crash_and_the_rest_is_cut_off_somewhere() {
    let cast = cast();
    let mut kept = Vec::new();
    for seed in 0..40 {
        let mut disk = Disk::new(&cast.genesis).unwrap();
        disk.put_vertex(vertex(&cast, 1), Time(0));
        disk.put_own(vertex(&cast, 2), (Time(0), Time(10)), Time(0));
        for timestamp in 3..7 {
            disk.put_vertex(vertex(&cast, timestamp), Time(10));
        }
        disk.crash(Time(10), &mut Rng::new(seed, Stream::Disks));
        let there: Vec<u64> = disk
            .vertices_from(Epoch::ZERO, Round(1))
            .map(|v| v.timestamp().0)
            .collect();
        assert!(there.contains(&1) && there.contains(&2), "{there:?}");
        assert_eq!(disk.own().map(|v| v.timestamp().0), Some(2));
        let most = there.iter().max().copied().unwrap();
        assert!(
            (1..=most).all(|t| there.contains(&t)),
            "a beginning: {there:?}"
        );
        kept.push(there.len());
    }
    assert!(kept.contains(&2) && kept.contains(&6), "{kept:?}");
}

#[test]
fn a_sync_that_is_not_over_keeps_nothing_for_certain() {
    let cast = cast();
    let outcomes: Vec<bool> = (0..40)
        .map(|seed| {
            let mut disk = Disk::new(&cast.genesis).unwrap();
            disk.put_own(vertex(&cast, 2), (Time(0), Time(10)), Time(0));
            disk.crash(Time(9), &mut Rng::new(seed, Stream::Disks));
            disk.own().is_some()
        })
        .collect();
    assert!(outcomes.contains(&true) && outcomes.contains(&false));
}

#[test]
fn the_guard_refuses_a_second_vertex_of_a_round_unless_the_record_was_lost() {
    let cast = cast();
    let place = |digest| (Epoch::ZERO, Round(1), VertexDigest([digest; 32]));
    let refused = (0..40).map(|seed| {
        let mut guard = Guard::new(cast.network, cast.keys[0].vertex.public());
        guard
            .sign_vertex(place(1), (Time(0), Time(10)), Time(0))
            .unwrap();
        assert!(
            guard
                .clone()
                .sign_vertex(place(2), (Time(10), Time(20)), Time(5))
                .is_err()
        );
        guard.crash(Time(9), &mut Rng::new(seed, Stream::Disks));
        guard
            .sign_vertex(place(2), (Time(15), Time(20)), Time(15))
            .is_err()
    });
    let refused: Vec<bool> = refused.collect();
    assert!(refused.contains(&true) && refused.contains(&false));
}

#[test]
fn a_fresh_disk_is_found_as_the_genesis() {
    let cast = cast();
    let mut disk = Disk::new(&cast.genesis).unwrap();
    let guard = Guard::new(cast.network, cast.keys[0].vertex.public());
    let standing = disk.standing(&cast.genesis).unwrap();
    let found = disk.found(&guard, Ok(Round::ZERO), &cast.genesis, &standing);
    let found = found.unwrap();
    assert_eq!(found.last.index, CommitIndex::ZERO);
    assert!(found.commits.is_empty() && !found.objects.is_empty());
    assert!(found.restore(&cast.genesis).is_ok());
}

#[test]
fn what_had_not_begun_is_gone_after_every_crash() {
    let cast = cast();
    for seed in 0..20 {
        let mut rng = Rng::new(seed, Stream::Disks);
        let mut disk = Disk::new(&cast.genesis).unwrap();
        disk.put_vertex(vertex(&cast, 1), Time(20));
        disk.crash(Time(19), &mut rng);
        assert_eq!(disk.vertices_from(Epoch::ZERO, Round(1)).count(), 0);
        let mut guard = Guard::new(cast.network, cast.keys[0].vertex.public());
        let place = (Epoch::ZERO, Round(1), VertexDigest([1; 32]));
        guard
            .sign_vertex(place, (Time(20), Time(30)), Time(0))
            .unwrap();
        guard.crash(Time(19), &mut rng);
        assert_eq!(guard.record.highest_vertex(), None);
    }
}
