use super::*;
use crate::driver::fetch::{MEMBERS, OBSERVERS};
use crate::driver::testing::NETWORK;
use tempfile::TempDir;
use weft_storage::Import;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), NETWORK).unwrap();
    (folder, store)
}

fn put(store: &Store, bytes: &[u8]) -> ContentHash {
    let hash = ContentHash::of(bytes);
    let put = store.put_content(&hash, bytes, u64::MAX, Durability::Buffered);
    put.unwrap();
    hash
}

fn asked(hashes: &[ContentHash]) -> Vec<Bytes> {
    let hashes = hashes.iter().map(|h| Bytes::copy_from_slice(&h.0));
    hashes.collect()
}

fn contents(store: &Store, hashes: &[Bytes], limits: AnswerLimits) -> Vec<Bytes> {
    let answer = answer(store, hashes, limits).unwrap();
    wire::FetchResponse::decode(answer).unwrap().contents
}

#[test]
fn a4_an_answer_has_what_is_here_and_is_cut_at_its_bytes() {
    let (_folder, store) = store();
    let all = (0..40).map(|n| put(&store, &[n; CONTENT_BYTES_MAX]));
    let mut all = asked(&all.collect::<Vec<_>>());
    for (limits, count) in [(MEMBERS, 24), (OBSERVERS, 16)] {
        assert_eq!(contents(&store, &all, limits).len(), count);
    }
    let odd = [
        asked(&[ContentHash([9; 32])]),
        vec![Bytes::from_static(b"odd")],
    ]
    .concat();
    all.truncate(1);
    assert_eq!(
        contents(&store, &[odd, all.clone()].concat(), MEMBERS).len(),
        1
    );
    let many = vec![all[0].clone(); CONTENTS_ASKED_MAX + 1];
    let refused = answer(&store, &many, MEMBERS).unwrap_err();
    assert!(matches!(
        refused,
        ServeError::TooMany {
            asked: 257,
            max: 256
        }
    ));
}

#[test]
fn a4_only_what_was_asked_for_is_believed() {
    let long = Bytes::from(vec![7; CONTENT_BYTES_MAX + 1]);
    let sent = [&b"asked"[..], b"not asked"].map(Bytes::from_static);
    let wanted = [
        ContentHash::of(b"asked"),
        ContentHash::of(&long),
        ContentHash([9; 32]),
    ];
    let found = believed(&wanted.into(), [&sent[..], &[long]].concat());
    let expected = (wanted[0], sent[0].clone());
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [expected]);
}

#[test]
fn a4_what_is_named_and_missing_is_found_in_pieces() {
    let (_folder, store) = store();
    let here = put(&store, b"here");
    let hash = |n: u32| ContentHash::of(&n.to_be_bytes());
    let mut named: BTreeSet<ContentHash> = (0..600).map(hash).collect();
    let row = |h: &ContentHash| {
        let row = [&b"n"[..], &h.0, &[4; 33]].concat();
        (Bytes::from(row), Some(Bytes::new()))
    };
    let indexes: Vec<_> = named.iter().chain([&here]).map(row).collect();
    let rows = Import {
        indexes: &indexes,
        ..Import::default()
    };
    store.import(&rows).unwrap();
    let mut after = None;
    loop {
        let (missing, next) = index::missing(&store, after).unwrap();
        assert!(missing.len() <= CONTENTS_ASKED_MAX);
        assert!(missing.iter().all(|hash| named.remove(hash)));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert!(named.is_empty(), "{} were left out", named.len());
    assert!(index::is_named(&store, &here).unwrap());
    assert!(!index::is_named(&store, &ContentHash([9; 32])).unwrap());
}
