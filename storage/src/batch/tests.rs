use super::*;
use crate::PageRequest;
use crate::testing::{commit, reopen, store, transaction};
use weft_types::{Address, CommitIndex, Height, ItemId, testing};

const CARD: ObjectId = ObjectId::Item(ItemId([1; 32]));
const ACCOUNT: ObjectId = ObjectId::Account(Address([2; 32]));

#[test]
fn a_commit_is_written_with_all_its_effects() {
    let (folder, store) = store();
    let mut batch = CommitBatch::new(commit(5));
    batch
        .put_object(CARD, Bytes::from_static(b"card"))
        .put_object(ACCOUNT, Bytes::from_static(b"account"))
        .push_receipt(transaction(1), Bytes::from_static(b"first"))
        .push_receipt(transaction(0), Bytes::from_static(b"second"))
        .put_index(Bytes::from_static(b"owner/x"), Bytes::new())
        .put_statement(testing::statement(3))
        .put_meta("supply", Bytes::from_static(b"9"));
    store.write_commit(&batch, Durability::Synced).unwrap();
    drop(store);

    let store = reopen(&folder);
    assert_eq!(store.last_commit().unwrap(), Some(commit(5)));
    assert_eq!(store.object(&CARD).unwrap().unwrap(), "card");
    assert_eq!(store.receipt(&transaction(0)).unwrap().unwrap(), "second");
    let applied = store.receipts_of(CommitIndex(5), &PageRequest::ascending(9));
    assert_eq!(applied.unwrap().entries, [transaction(1), transaction(0)]);
    assert!(store.index(b"owner/x").unwrap().is_some());
    let statement = store.statement(Height(3)).unwrap();
    assert_eq!(statement, Some(testing::statement(3)));
    assert_eq!(store.meta("supply").unwrap().unwrap(), "9");
    let objects = store.objects(&PageRequest::ascending(9)).unwrap();
    let kinds: Vec<ObjectId> = objects.entries.iter().map(|(id, _)| *id).collect();
    assert_eq!(kinds, [ACCOUNT, CARD]);
}

#[test]
fn a_later_commit_replaces_and_deletes() {
    let (_folder, store) = store();
    let mut first = CommitBatch::new(commit(1));
    first
        .put_object(CARD, Bytes::from_static(b"old"))
        .put_object(ACCOUNT, Bytes::from_static(b"account"))
        .put_index(Bytes::from_static(b"i"), Bytes::new());
    let mut second = CommitBatch::new(commit(2));
    second
        .put_object(CARD, Bytes::from_static(b"new"))
        .delete_object(ACCOUNT)
        .delete_index(Bytes::from_static(b"i"));
    for batch in [first, second] {
        store.write_commit(&batch, Durability::Buffered).unwrap();
    }
    assert_eq!(store.object(&CARD).unwrap().unwrap(), "new");
    assert_eq!(store.object(&ACCOUNT).unwrap(), None);
    assert_eq!(store.index(b"i").unwrap(), None);
    assert_eq!(store.commit(CommitIndex(1)).unwrap(), Some(commit(1)));
}

#[test]
fn names_of_the_caller_never_meet_the_store_s_own() {
    let (folder, store) = store();
    let mut batch = CommitBatch::new(commit(1));
    batch.put_meta("store/schema", Bytes::from_static(b"mine"));
    store.write_commit(&batch, Durability::Synced).unwrap();
    drop(store);
    let store = reopen(&folder);
    assert_eq!(store.meta("store/schema").unwrap().unwrap(), "mine");
}
