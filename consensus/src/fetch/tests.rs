use super::want::PAUSE_MAX;
use super::*;
use weft_types::testing::{committee, network};
use weft_types::{ProtocolParams, VertexDigest};

fn fetch(change: impl FnOnce(&mut CoreConfig)) -> Fetch {
    let params = ProtocolParams::default();
    let own = Some(MemberIndex(0));
    let mut config = CoreConfig::new(network().id(), Arc::new(committee(4)), own, &params);
    change(&mut config);
    Fetch::new(&Arc::new(config))
}

fn vertex(i: u32) -> VertexRef {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&i.to_be_bytes());
    VertexRef {
        round: Round(u64::from(i) + 1),
        author: MemberIndex(1),
        digest: VertexDigest(digest),
    }
}

fn members(list: &[u32]) -> MemberSet {
    list.iter().copied().map(MemberIndex).collect()
}

/// Looks for a vertex that a quorum names.
fn want(fetch: &mut Fetch, i: u32, sender: Option<u32>) {
    let sender = sender.map(MemberIndex);
    fetch.want(vertex(i), &members(&[1, 2, 3]), sender, Millis(5));
}

fn ask(fetch: &mut Fetch, now: u64) -> Vec<FetchRequest> {
    ask_with(fetch, now, &[])
}

/// These members have shown that they have what is missing.
fn ask_with(fetch: &mut Fetch, now: u64, holders: &[u32]) -> Vec<FetchRequest> {
    let mut out = Vec::new();
    let holders = |_: &VertexRef| members(holders);
    fetch.ask(Round::MAX, |_| true, holders, Millis(now), &mut out);
    let request = |effect| match effect {
        Effect::Fetch(request) => request,
        other => panic!("{other:?}"),
    };
    out.into_iter().map(request).collect()
}

fn asked_for(requests: &[FetchRequest]) -> usize {
    let vertices = |r: &FetchRequest| match &r.wanted {
        Wanted::Vertices(list) => list.len(),
        Wanted::Rounds { .. } => 0,
    };
    requests.iter().map(vertices).sum()
}

#[test]
fn a_flood_of_links_is_asked_for_in_bounded_pieces_from_below() {
    let mut fetch = fetch(|config| {
        config.limits.fetch_vertices_max = 10;
        config.limits.fetches_per_member = 2;
    });
    for i in (0..5_000).rev() {
        want(&mut fetch, i, Some(2));
    }
    let requests = ask(&mut fetch, 5);
    assert_eq!(
        (requests.len(), asked_for(&requests)),
        (6, 60),
        "two for each of three"
    );
    let lowest = Wanted::Vertices((0..10).map(vertex).collect());
    assert!(
        requests
            .iter()
            .any(|r| r.from == MemberIndex(2) && r.wanted == lowest)
    );
    assert_eq!(ask(&mut fetch, 6).len(), 0);
    assert_eq!(
        fetch.deadline(false),
        Some(Millis(5 + 187)),
        "nothing to do until one ends or is slow"
    );
    fetch.ended(requests[0].id, Millis(7));
    assert_eq!(fetch.deadline(false), Some(Millis(5)));
    assert_eq!(ask(&mut fetch, 7).len(), 1);
}

#[test]
fn what_is_no_longer_lacked_is_forgotten() {
    let mut fetch = fetch(|_| {});
    want(&mut fetch, 1, None);
    let mut out = Vec::new();
    fetch.ask(
        Round::MAX,
        |_| false,
        |_| MemberSet::default(),
        Millis(5),
        &mut out,
    );
    assert!(out.is_empty());
    assert_eq!((fetch.missing(), fetch.deadline(false)), (0, None));
}

#[test]
fn the_pause_after_everybody_was_asked_doubles_up_to_a_bound() {
    let mut fetch = fetch(|_| {});
    want(&mut fetch, 1, None);
    let (mut now, mut pauses) = (5, Vec::new());
    for _ in 0..10 {
        for _ in 0..3 {
            let request = ask(&mut fetch, now).pop().expect("a member is left");
            fetch.ended(request.id, Millis(now));
        }
        assert!(ask(&mut fetch, now).is_empty());
        let next = fetch.deadline(false).expect("it is not given up").0;
        pauses.push(next - now);
        now = next;
    }
    assert_eq!(pauses[..5], [250, 500, 1_000, PAUSE_MAX, PAUSE_MAX]);
}

#[test]
fn what_a_member_has_just_made_does_not_pass_for_an_answer() {
    let mut fetch = fetch(|_| {});
    let ahead = members(&[1, 2]);
    let rounds = |fetch: &mut Fetch, now| {
        let mut out = Vec::new();
        let held = MemberSet::default();
        fetch.ask_rounds(Round(10), held, &ahead, Millis(now), &mut out);
        match out.pop() {
            Some(Effect::Fetch(request)) => (request.id, request.from),
            other => panic!("{other:?}"),
        }
    };
    let (id, first) = rounds(&mut fetch, 1);
    fetch.brought(first, Round(11));
    fetch.ended(id, Millis(1));
    let (id, again) = rounds(&mut fetch, 2);
    assert_eq!(again, first, "it brought what was asked for");
    fetch.brought(first, Round(90));
    fetch.ended(id, Millis(2));
    let (_, other) = rounds(&mut fetch, 3);
    assert_ne!(other, first);
}

#[test]
fn holders_are_asked_first_and_mute_members_last() {
    let mut fetch = fetch(|_| {});
    let first = |fetch: &mut Fetch, i, holders: &[u32]| {
        fetch.want(vertex(i), &members(&[1]), Some(MemberIndex(1)), Millis(5));
        let request = ask_with(fetch, 5, holders).pop().expect("a request");
        (request.id, request.from.0)
    };
    let (silent, from) = first(&mut fetch, 0, &[]);
    assert_eq!(from, 1, "the sender");
    assert_eq!(first(&mut fetch, 1, &[3]).1, 1, "it has not failed yet");
    fetch.expire(Millis(60_000));
    assert!(!fetch.requests.contains_key(&silent));
    assert_eq!(first(&mut fetch, 2, &[3]).1, 3, "a holder that answers");
    // When the others do not have it; and an answer brings it back to its place.
    let (mut id, mut from) = first(&mut fetch, 3, &[]);
    while from != 1 {
        fetch.ended(id, Millis(5));
        let request = ask(&mut fetch, 5).pop().expect("a member is left");
        (id, from) = (request.id, request.from.0);
    }
    fetch.arrived(&vertex(3), Millis(6));
    assert_eq!(first(&mut fetch, 4, &[3]).1, 1);
}

#[test]
fn what_one_member_names_is_asked_of_it_alone_until_more_than_f_name_it() {
    let mut fetch = fetch(|_| {});
    fetch.want(vertex(1), &members(&[1]), Some(MemberIndex(1)), Millis(5));
    let request = ask(&mut fetch, 5).pop().expect("its author is asked");
    assert_eq!(request.from, MemberIndex(1));
    fetch.ended(request.id, Millis(6));
    assert!(ask(&mut fetch, 6).is_empty(), "nobody else is");
    assert_eq!(fetch.deadline(false), Some(Millis(256)));
    fetch.named(&vertex(1), &members(&[2]), Millis(9));
    let mut asked = Vec::new();
    while let Some(request) = ask(&mut fetch, 9).pop() {
        asked.push(request.from.0);
        fetch.ended(request.id, Millis(9));
    }
    asked.sort_unstable();
    assert_eq!(asked, [2, 3], "who named it, and everybody else");
}

#[test]
fn what_an_author_makes_up_is_asked_for_up_to_its_budget_whatever_its_number() {
    let mut fetch = fetch(|config| config.limits.fetch_vertices_max = 10);
    for i in 0..5_000 {
        fetch.want(vertex(i), &members(&[1]), Some(MemberIndex(1)), Millis(5));
    }
    let (mut requests, mut vertices) = (Vec::new(), BTreeSet::new());
    for now in (5..60_000).step_by(50) {
        fetch.expire(Millis(now));
        for request in ask(&mut fetch, now) {
            assert_eq!(request.from, MemberIndex(1));
            if let Wanted::Vertices(list) = &request.wanted {
                vertices.extend(list.iter().copied());
            }
            fetch.ended(request.id, Millis(now));
            requests.push(now);
        }
    }
    assert_eq!(vertices.len(), 10);
    // Four pauses up to eight seconds, and eight seconds from then on.
    assert!(requests.len() < 15, "{requests:?}");
    // It is no harm to anybody else.
    fetch.want(vertex(4_999), &members(&[2]), None, Millis(60_000));
    assert_eq!(asked_for(&ask(&mut fetch, 60_000)), 1);
    // What is no longer looked for makes room.
    for vertex in vertices {
        fetch.forget(&vertex);
    }
    assert_eq!(asked_for(&ask(&mut fetch, 80_000)), 10);
}

#[test]
fn what_is_far_above_is_asked_for_once_it_is_within_reach() {
    let mut fetch = fetch(|_| {});
    want(&mut fetch, 9, None);
    let mut asked = |up_to, now| {
        let mut out = Vec::new();
        let nobody = |_: &VertexRef| MemberSet::default();
        fetch.ask(Round(up_to), |_| true, nobody, Millis(now), &mut out);
        (out.len(), fetch.deadline(false))
    };
    assert_eq!(asked(9, 5), (0, None), "no time is waited for");
    assert_eq!(asked(10, 6).0, 1);
}

#[test]
fn beside_a_member_that_is_slow_the_next_is_asked_too() {
    let mut fetch = fetch(|_| {});
    want(&mut fetch, 1, Some(1));
    let first = ask(&mut fetch, 5).pop().expect("a request");
    fetch.arrived(&vertex(1), Millis(105));
    fetch.ended(first.id, Millis(105));
    want(&mut fetch, 2, Some(1));
    let slow = ask(&mut fetch, 200).pop().expect("a request");
    // Answers took (3 * 125 + 100) / 4 = 118 ms.
    assert_eq!(fetch.deadline(false), Some(Millis(200 + 118 * 3 / 2)));
    fetch.expire(Millis(377));
    let next = ask(&mut fetch, 377).pop().expect("another request");
    assert_eq!(slow.from, MemberIndex(1));
    assert_ne!(next.from, slow.from);
    // The late one that brings nothing takes nothing away from the other.
    fetch.ended(slow.id, Millis(400));
    assert!(ask(&mut fetch, 400).is_empty());
    fetch.ended(next.id, Millis(401));
    assert_eq!(ask(&mut fetch, 401).len(), 1, "the third");
}

#[test]
fn requests_are_bounded_in_all_and_half_of_them_are_for_what_is_proven() {
    let mut fetch = fetch(|config| {
        config.limits.fetch_vertices_max = 1;
        config.limits.fetches_per_member = 10;
        config.limits.fetches_max = 4;
    });
    for author in [1, 2, 3] {
        fetch.want(vertex(author), &members(&[author]), None, Millis(5));
    }
    assert_eq!(ask(&mut fetch, 5).len(), 2, "unproven");
    for i in 10..20 {
        want(&mut fetch, i, None);
    }
    let proven = ask(&mut fetch, 5);
    assert_eq!(proven.len(), 2);
    assert_eq!(
        fetch.deadline(false),
        Some(Millis(5 + 187)),
        "all are under way"
    );
    fetch.ended(proven[0].id, Millis(6));
    assert_eq!(ask(&mut fetch, 6).len(), 1);
}
