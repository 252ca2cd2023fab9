use super::*;
use crate::driver::testing::{NETWORK, vertex, vertex_in};
use tempfile::TempDir;
use weft_network::HistoryLimits;
use weft_storage::Durability;
use weft_types::MemberIndex;

/// As long as a vertex may be.
fn longest(round: u64) -> Vertex {
    let around = vertex(round, 0, 3 << 20).encode().len() - (3 << 20);
    let longest = vertex(round, 0, VERTEX_BYTES_MAX - around);
    assert_eq!(longest.encode().len(), VERTEX_BYTES_MAX);
    longest
}

fn store(vertices: &[Vertex]) -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), NETWORK).unwrap();
    store.put_vertices(vertices, Durability::Buffered).unwrap();
    (folder, store)
}

fn source(store: &Store) -> Source<'_> {
    Source { store, held: &[] }
}

fn answer(store: &Store, request: &wire::FetchRequest, limits: AnswerLimits) -> Bytes {
    let request = request.encode_to_vec().into();
    serve(&source(store), request, limits, None).unwrap()
}

/// The places of the vertices that come for all rounds above one.
fn rounds_after(store: &Store, after: u64, limits: AnswerLimits) -> Vec<(u64, u32)> {
    let request = wire::FetchRequest {
        rounds: Some(wire::Rounds {
            after,
            until: u64::MAX,
            held: Bytes::new(),
        }),
        ..wire::FetchRequest::default()
    };
    let answer = answer(store, &request, limits);
    let vertices = wire::FetchResponse::decode(answer).unwrap().vertices;
    let vertices = vertices.into_iter().map(|v| Vertex::decode(v).unwrap());
    vertices.map(|v| (v.round().0, v.author().0)).collect()
}

fn named(vertices: &[Vertex]) -> wire::FetchRequest {
    wire::FetchRequest {
        vertices: vertices.iter().map(|v| (&v.reference()).into()).collect(),
        ..wire::FetchRequest::default()
    }
}

#[test]
fn rounds_come_in_order_and_observers_get_fewer_at_a_time() {
    let places = (1..=600).flat_map(|round| [(round, 0), (round, 1)]);
    let vertices: Vec<Vertex> = places.clone().map(|(r, a)| vertex(r, a, 10)).collect();
    let (_folder, store) = store(&vertices);
    for limits in [MEMBERS, OBSERVERS] {
        let expected: Vec<_> = places.clone().skip(20).take(limits.vertices_max).collect();
        assert_eq!(rounds_after(&store, 10, limits), expected);
    }
}

#[test]
fn answers_are_cut_at_their_bytes() {
    let vertices: Vec<Vertex> = (1..=10).map(|round| vertex(round, 0, 1 << 20)).collect();
    let (_folder, store) = store(&vertices);
    for (limits, count) in [(MEMBERS, 5), (OBSERVERS, 3)] {
        assert_eq!(rounds_after(&store, 0, limits).len(), count);
        let answer = answer(&store, &named(&vertices), limits);
        let answer = wire::FetchResponse::decode(answer).unwrap();
        assert_eq!(answer.vertices.len(), count);
    }
}

/// Else an observer could never pass it.
#[test]
fn the_longest_vertex_fits_into_an_observers_answer() {
    let vertices = [longest(1), longest(2)];
    let (_folder, store) = store(&vertices);
    assert_eq!(rounds_after(&store, 0, OBSERVERS), [(1, 0)]);
    let answer = answer(&store, &named(&vertices[1..]), OBSERVERS);
    assert!(answer.len() > VERTEX_BYTES_MAX);
    assert!(answer.len() <= HistoryLimits::default().answer_bytes_max);
}

/// What surrounds many small vertices has room, too.
#[test]
fn the_fullest_answer_fits_through_the_network() {
    let payload = VERTEX_BYTES_MAX / OBSERVERS.vertices_max - 200;
    let vertices: Vec<Vertex> = (1..=256).map(|round| vertex(round, 0, payload)).collect();
    let (_folder, store) = store(&vertices);
    assert_eq!(rounds_after(&store, 0, OBSERVERS).len(), 256);
    let answer = answer(&store, &named(&vertices), OBSERVERS);
    assert!(answer.len() <= HistoryLimits::default().answer_bytes_max);
    let request = named(&vertices).encode_to_vec();
    assert!(request.len() <= HistoryLimits::default().request_bytes_max);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let (_folder, store) = store(&[]);
    let serve = |request: Bytes| serve(&source(&store), request, OBSERVERS, None);
    let malformed = serve(Bytes::from_static(b"\xff"));
    assert!(matches!(malformed, Err(ServeError::Malformed(_))));
    let many: Vec<Vertex> = (1..=257).map(|round| vertex(round, 0, 0)).collect();
    let too_many = serve(named(&many).encode_to_vec().into());
    assert!(matches!(
        too_many,
        Err(ServeError::TooMany {
            asked: 257,
            max: 256
        })
    ));
    // A member that is not there has made nothing.
    let nobody = vertex(1, MemberIndex(99).0, 0);
    assert!(serve(named(&[nobody]).encode_to_vec().into()).is_ok());
}

#[test]
fn s1_the_latest_own_vertex_is_shown_by_whoever_knows_that_it_is_the_latest() {
    let of_asker = [vertex(2, 1, 10), vertex(4, 1, 10), vertex(6, 1, 10)];
    let (_folder, store) = store(&of_asker);
    let ask = |shows| {
        let request = wire::FetchRequest {
            latest: true,
            ..wire::FetchRequest::default()
        };
        let request = request.encode_to_vec().into();
        let answer = serve(&source(&store), request, MEMBERS, shows).unwrap();
        wire::FetchResponse::decode(answer).unwrap()
    };
    let show = |to, knows_signed| {
        let to = Some(MemberIndex(to));
        ask(Some(Shows {
            to,
            knows_signed,
            another: false,
        }))
    };
    let latest = |answer: wire::FetchResponse| answer.latest.unwrap().answer.unwrap();
    assert_eq!(latest(show(1, true)), Answer::NothingSigned(true));
    assert_eq!(latest(show(1, false)), Answer::Recovering(true));
    for round in [3, 5] {
        let own = vertex(round, 0, 10);
        store.put_own_vertex(&own).unwrap();
        assert_eq!(latest(show(1, true)), Answer::Vertex(own.encode()));
        assert_eq!(latest(show(1, false)), Answer::Recovering(true));
        // With the newest of the member that asks.
        assert_eq!(show(1, true).vertices, [of_asker[2].encode()]);
        assert!(show(2, true).vertices.is_empty());
    }
    // Outsiders are not told.
    assert_eq!(ask(None), wire::FetchResponse::default());
}

#[test]
fn s1_the_latest_of_who_asks_is_of_its_epoch_whatever_was_signed_here_in_another() {
    let (_folder, store) = store(&[vertex(2, 1, 10), vertex(4, 1, 10)]);
    let own = vertex_in(1, 500, 0, 10);
    store.put_own_vertex(&own).unwrap();
    let show = |to| {
        let request = wire::FetchRequest {
            latest: true,
            epoch: 0,
            ..wire::FetchRequest::default()
        };
        let shows = Shows {
            to,
            knows_signed: true,
            another: true,
        };
        let request = request.encode_to_vec().into();
        let answer = serve(&source(&store), request, MEMBERS, Some(shows)).unwrap();
        wire::FetchResponse::decode(answer).unwrap()
    };
    let answer = show(Some(MemberIndex(1)));
    assert_eq!(answer.vertices, [vertex(4, 1, 10).encode()]);
    assert!(answer.latest.unwrap().another);
    assert!(show(Some(MemberIndex(2))).vertices.is_empty());
    assert!(show(None).vertices.is_empty(), "it had no place there");
}

/// S2.8: it is no use to ask again, and what is left of the rounds would only wait for what is gone.
#[test]
fn who_asks_for_what_was_deleted_is_told_so() {
    let vertices: Vec<Vertex> = (1..=9).map(|round| vertex(round, 0, 10)).collect();
    let (_folder, store) = store(&vertices);
    store.prune_vertices(Epoch::ZERO, Round(5)).unwrap();
    let answered = |request: &wire::FetchRequest| {
        let answer = wire::FetchResponse::decode(answer(&store, request, MEMBERS)).unwrap();
        (answer.rounds_from, answer.vertices.len())
    };
    let after = |after: u64| wire::FetchRequest {
        rounds: Some(wire::Rounds {
            after,
            until: u64::MAX,
            held: Bytes::new(),
        }),
        ..wire::FetchRequest::default()
    };
    assert_eq!(answered(&after(3)), (5, 0));
    assert_eq!(answered(&after(4)), (0, 5));
    assert_eq!(answered(&after(u64::MAX)), (0, 0));
    assert_eq!(answered(&named(&vertices[4..6])), (0, 2));
    assert_eq!(answered(&named(&vertices[3..6])), (5, 2));
}
