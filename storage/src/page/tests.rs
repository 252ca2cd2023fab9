use super::*;
use crate::Durability;
use crate::testing::{commit, store};
use crate::{CommitBatch, StoreError};
use bytes::Bytes;

/// A store with index entries under three neighbouring prefixes.
fn indexed() -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    let mut batch = CommitBatch::new(commit(1));
    for key in ["a1", "b1", "b2", "b3", "c1"] {
        batch.put_index(key.into(), Bytes::from_static(b"v"));
    }
    store.write_commit(&batch, Durability::Buffered).unwrap();
    (folder, store)
}

fn keys(store: &Store, page: &PageRequest) -> (Vec<String>, Option<Cursor>) {
    let page = store.indexes(b"b", page).unwrap();
    let text = |(key, _): (Bytes, Bytes)| String::from_utf8(key.to_vec()).unwrap();
    (page.entries.into_iter().map(text).collect(), page.next)
}

#[test]
fn pages_follow_one_another_in_both_orders_and_end_without_a_cursor() {
    let (_folder, store) = indexed();
    let (first, next) = keys(&store, &PageRequest::ascending(2));
    assert_eq!(first, ["b1", "b2"]);
    let (second, end) = keys(&store, &PageRequest::ascending(2).after(next));
    assert_eq!((second, end), (vec!["b3".to_owned()], None));

    let (first, next) = keys(&store, &PageRequest::descending(2));
    assert_eq!(first, ["b3", "b2"]);
    let (second, end) = keys(&store, &PageRequest::descending(2).after(next));
    assert_eq!((second, end), (vec!["b1".to_owned()], None));

    let (all, end) = keys(&store, &PageRequest::ascending(3));
    assert_eq!((all.len(), end), (3, None));
}

#[test]
fn a_cursor_that_somebody_made_up_never_leaves_the_range() {
    let (_folder, store) = indexed();
    for order in [PageRequest::ascending(9), PageRequest::descending(9)] {
        for made_up in [&b"a"[..], b"b15", b"zz", b"\0", b"\xff\xff"] {
            let page = order.clone().after(Some(Cursor::index(made_up)));
            let (found, _) = keys(&store, &page);
            assert!(found.iter().all(|k| k.starts_with('b')), "{found:?}");
        }
    }
    let after_b1 = PageRequest::ascending(9).after(Some(Cursor::index(b"b15")));
    assert_eq!(keys(&store, &after_b1).0, ["b2", "b3"]);
}

#[test]
fn a_page_ends_at_its_bytes_and_always_has_an_entry() {
    let (_folder, store) = store();
    let mut batch = CommitBatch::new(commit(1));
    for n in 0..3u8 {
        let value = vec![n; PAGE_BYTES_MAX * 2 / 3];
        batch.put_index(Bytes::copy_from_slice(&[b'b', n]), value.into());
    }
    store.write_commit(&batch, Durability::Buffered).unwrap();
    let first = store.indexes(b"b", &PageRequest::ascending(9)).unwrap();
    assert_eq!(first.entries.len(), 2);
    let rest = PageRequest::ascending(9).after(first.next);
    let rest = store.indexes(b"b", &rest).unwrap();
    assert_eq!((rest.entries.len(), rest.next), (1, None));
}

#[test]
fn a_limit_is_at_least_one_and_at_most_the_constant() {
    assert_eq!(PageRequest::ascending(0), PageRequest::ascending(1));
    let most = PageRequest::ascending(PAGE_ENTRIES_MAX);
    assert_eq!(PageRequest::ascending(usize::MAX), most);
}

#[test]
fn a_cursor_is_read_from_its_text_and_nothing_else() {
    let cursor = Cursor::height(Height(77));
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    let long = "0".repeat(2 * CURSOR_BYTES_MAX + 2);
    for text in ["", "0", "zz", "012", long.as_str()] {
        assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
    }
}

#[test]
fn an_entry_that_does_not_decode_is_damage() {
    let (_folder, store) = store();
    let mut batch = rocksdb::WriteBatch::default();
    store.put(&mut batch, Family::Commits, number_key(4), b"\xff");
    store.write(batch, Durability::Buffered).unwrap();
    let page = store.commits(&PageRequest::ascending(1)).unwrap_err();
    let single = store.commit(CommitIndex(4)).unwrap_err();
    for error in [page, single] {
        assert!(matches!(
            error,
            StoreError::Damaged {
                family: "commits",
                ..
            }
        ));
        assert!(!error.is_fatal());
    }
}
