use super::*;
use crate::testing::{EPOCH, reopen, store, vertex};

#[test]
fn vertices_come_back_whole_whether_small_or_large() {
    let (folder, store) = store();
    let vertices = [vertex(0, 1, 0, 10), vertex(0, 1, 1, 1 << 20)];
    store.put_vertices(&vertices, Durability::Synced).unwrap();
    drop(store);
    let store = reopen(&folder);
    for expected in &vertices {
        let found = store.vertex(EPOCH, &expected.reference()).unwrap().unwrap();
        assert_eq!(found.encode(), expected.encode());
    }
    let reference = vertices[0].reference();
    assert_eq!(store.vertex(Epoch(1), &reference).unwrap(), None);
}

#[test]
fn vertices_are_listed_from_a_round_on_and_within_their_epoch() {
    let (_folder, store) = store();
    let places = [(0, 1, 1), (0, 2, 1), (0, 2, 0), (0, 300, 0), (1, 0, 0)];
    let vertices = places.map(|(epoch, round, author)| vertex(epoch, round, author, 0));
    store.put_vertices(&vertices, Durability::Buffered).unwrap();

    let listed = |from, page: &PageRequest| {
        let page = store.vertices(EPOCH, Round(from), page).unwrap();
        let places = page.entries.iter().map(|v| (v.round().0, v.author().0));
        (places.collect::<Vec<_>>(), page.next)
    };
    let (first, next) = listed(2, &PageRequest::ascending(2));
    assert_eq!(first, [(2, 0), (2, 1)]);
    let (second, end) = listed(2, &PageRequest::ascending(2).after(next));
    assert_eq!((second, end), (vec![(300, 0)], None));
    assert_eq!(listed(301, &PageRequest::ascending(9)).0, []);
}

#[test]
fn the_latest_own_vertex_is_known_after_a_restart() {
    let (folder, store) = store();
    assert_eq!(store.own_vertex().unwrap(), None);
    let latest = vertex(3, 8, 2, 100);
    store.put_own_vertex(&vertex(3, 7, 2, 100)).unwrap();
    store.put_own_vertex(&latest).unwrap();
    drop(store);
    let store = reopen(&folder);
    let own = store.own_vertex().unwrap().unwrap();
    assert_eq!((own.epoch, own.vertex), (Epoch(3), latest.reference()));
    assert!(store.vertex(own.epoch, &own.vertex).unwrap().is_some());
}
