use super::*;
use crate::testing::{reopen, store};

const ALL: u64 = u64::MAX;

fn put(store: &Store, bytes: &[u8], bytes_max: u64) -> Kept {
    let hash = ContentHash::of(bytes);
    let put = store.put_content(&hash, bytes, bytes_max, Durability::Buffered);
    put.unwrap()
}

#[test]
fn a3_content_is_kept_once_and_over_a_restart() {
    let (folder, store) = store();
    let long = vec![7; 200 << 10];
    for (bytes, kept) in [
        (&b"short"[..], Kept::Now),
        (&long, Kept::Now),
        (&b"short"[..], Kept::Before),
    ] {
        assert_eq!(put(&store, bytes, ALL), kept);
    }
    let sum = 5 + long.len() as u64;
    assert_eq!(store.content_bytes(), sum);
    drop(store);
    let store = reopen(&folder);
    assert_eq!(store.content_bytes(), sum);
    let read = store.content(&ContentHash::of(&long)).unwrap();
    assert_eq!(read.as_deref(), Some(&long[..]));
    assert!(!store.has_content(&ContentHash([9; 32])).unwrap());
    assert_eq!(store.content(&ContentHash([9; 32])).unwrap(), None);
}

#[test]
fn a3_beyond_the_bound_nothing_is_kept_until_there_is_room_again() {
    let (_folder, store) = store();
    assert_eq!(put(&store, b"four", 8), Kept::Now);
    assert_eq!(put(&store, b"fives", 8), Kept::Full(4));
    assert_eq!(put(&store, b"also", 8), Kept::Now);
    // One that is there already needs no room.
    assert_eq!(put(&store, b"four", 8), Kept::Before);
    let gone = [ContentHash::of(b"four"), ContentHash([9; 32])];
    store.delete_contents(&[gone[0], gone[0], gone[1]]).unwrap();
    assert_eq!(store.content_bytes(), 4);
    assert!(!store.has_content(&gone[0]).unwrap());
    assert_eq!(store.content(&gone[0]).unwrap(), None);
    assert_eq!(put(&store, b"even", 8), Kept::Now);
}

#[test]
fn content_is_listed_with_its_length() {
    let (_folder, store) = store();
    let mut all: Vec<_> = (1..6)
        .map(|n: u32| {
            let bytes = vec![n as u8; n as usize];
            put(&store, &bytes, ALL);
            (ContentHash::of(&bytes), n)
        })
        .collect();
    all.sort();
    let page = store.contents(&PageRequest::ascending(3)).unwrap();
    let rest = PageRequest::ascending(3).after(page.next);
    let rest = store.contents(&rest).unwrap();
    assert_eq!([page.entries, rest.entries].concat(), all);
    assert_eq!(rest.next, None);
}
