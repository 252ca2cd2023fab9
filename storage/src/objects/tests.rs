use super::*;
use crate::testing::{commit, store, transaction};
use crate::{CommitBatch, Cursor};
use weft_types::ItemId;

#[test]
fn the_whole_state_is_read_page_by_page() {
    let (_folder, store) = store();
    let item = |n: u8| ObjectId::Item(ItemId([n; 32]));
    let mut batch = CommitBatch::new(commit(1));
    for n in 0..7 {
        batch.put_object(item(n), Bytes::copy_from_slice(&[n]));
    }
    store.write_commit(&batch, Durability::Buffered).unwrap();
    let (mut read, mut next) = (Vec::new(), None);
    loop {
        let page = store
            .objects(&PageRequest::ascending(3).after(next))
            .unwrap();
        read.extend(page.entries.into_iter().map(|(id, _)| id));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(read, (0..7).map(item).collect::<Vec<_>>());
    let from = PageRequest::ascending(9).after(Some(Cursor::object(&item(5))));
    assert_eq!(store.objects(&from).unwrap().entries.len(), 1);
}

#[test]
fn receipts_of_neighbouring_commits_do_not_mix() {
    let (_folder, store) = store();
    for index in 1..=3 {
        let mut batch = CommitBatch::new(commit(index));
        batch.push_receipt(transaction(index), Bytes::from_static(b"r"));
        store.write_commit(&batch, Durability::Buffered).unwrap();
    }
    let page = store.receipts_of(CommitIndex(2), &PageRequest::ascending(9));
    assert_eq!(page.unwrap().entries, [transaction(2)]);
    let none = store.receipts_of(CommitIndex(9), &PageRequest::ascending(9));
    assert_eq!(none.unwrap().entries, []);
}

#[test]
fn a_named_value_is_kept() {
    let (_folder, store) = store();
    assert_eq!(store.meta("base-cursor").unwrap(), None);
    store
        .put_meta("base-cursor", b"12", Durability::Synced)
        .unwrap();
    assert_eq!(store.meta("base-cursor").unwrap().unwrap(), "12");
}
