use super::*;
use crate::CommitBatch;
use crate::Cursor;
use crate::testing::{commit, reopen, store};
use weft_types::testing;

#[test]
fn commits_are_listed_from_where_a_follower_stands() {
    let (_folder, store) = store();
    assert_eq!(store.last_commit().unwrap(), None);
    for index in [1, 2, 255, 256] {
        let batch = CommitBatch::new(commit(index));
        store.write_commit(&batch, Durability::Buffered).unwrap();
    }
    let after = |index| PageRequest::ascending(9).after(Some(Cursor::commit(CommitIndex(index))));
    let page = store.commits(&after(2)).unwrap();
    assert_eq!(page.entries, [commit(255), commit(256)]);
    assert_eq!(store.commits(&after(256)).unwrap().entries, []);
    assert_eq!(store.last_commit().unwrap(), Some(commit(256)));
}

#[test]
fn certificates_come_back_as_they_were_verified() {
    let (folder, store) = store();
    for height in [3, 1, 2] {
        let certificate = testing::certify(&testing::statement(height), &[0, 1, 2]);
        store
            .put_certificate(&certificate, Durability::Synced)
            .unwrap();
    }
    drop(store);
    let store = reopen(&folder);
    let last = store.last_certificate().unwrap().unwrap();
    let genuine = last.verify(&testing::network(), &testing::committee(4));
    assert_eq!(genuine.unwrap().statement.height, Height(3));
    let page = store.certificates(&PageRequest::descending(2)).unwrap();
    let heights: Vec<u64> = page.entries.iter().map(|c| c.statement.height.0).collect();
    assert_eq!(heights, [3, 2]);
    assert_eq!(store.certificate(Height(4)).unwrap(), None);
}

#[test]
fn a_checkpoint_is_replaced_by_what_is_known_later() {
    let (_folder, store) = store();
    for (height, text) in [(7, "posted"), (9, "posted"), (7, "anchored")] {
        let durability = Durability::Buffered;
        store
            .put_checkpoint(Height(height), text.as_bytes(), durability)
            .unwrap();
    }
    assert_eq!(store.checkpoint(Height(7)).unwrap().unwrap(), "anchored");
    let last = store.last_checkpoint().unwrap().unwrap();
    assert_eq!(last, (Height(9), Bytes::from_static(b"posted")));
    let all = store.checkpoints(&PageRequest::ascending(9)).unwrap();
    assert_eq!(all.entries.len(), 2);
}

#[test]
fn checkpoints_that_the_base_chain_took_back_are_forgotten() {
    let (_folder, store) = store();
    for height in [3, 7, 9] {
        let put = store.put_checkpoint(Height(height), b"posted", Durability::Buffered);
        put.unwrap();
    }
    store.forget_checkpoints_above(Height(7)).unwrap();
    let left = store.checkpoints(&PageRequest::ascending(9)).unwrap();
    let left: Vec<u64> = left.entries.iter().map(|(h, _)| h.0).collect();
    assert_eq!(left, [3, 7]);
    store.forget_checkpoints_above(Height(7)).unwrap();
}
