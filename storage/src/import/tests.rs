use super::*;
use crate::PageRequest;
use crate::testing::{commit, reopen, store, transaction};
use weft_types::{Height, ItemId, testing};

const CARD: ObjectId = ObjectId::Item(ItemId([1; 32]));

#[test]
fn what_was_imported_and_synced_is_there_after_a_restart() {
    let (folder, store) = store();
    let (statement, receipt) = (testing::statement(3), Bytes::from_static(b"receipt"));
    let certificate = testing::certify(&statement, &[0, 1, 2]);
    store
        .import(&Import {
            objects: &[(CARD, Bytes::from_static(b"card"))],
            receipts: &[
                (CommitIndex(4), 1, transaction(7), receipt.clone()),
                (CommitIndex(4), 0, transaction(8), receipt.clone()),
                (CommitIndex(9), 0, transaction(9), receipt),
            ],
            indexes: &[(Bytes::from_static(b"i"), Some(Bytes::new()))],
            commits: &[commit(9)],
            statements: std::slice::from_ref(&statement),
            certificates: &[&certificate],
        })
        .unwrap();
    store.sync().unwrap();
    drop(store);

    let store = reopen(&folder);
    assert_eq!(store.object(&CARD).unwrap().unwrap(), "card");
    assert!(store.index(b"i").unwrap().is_some());
    assert_eq!(store.last_commit().unwrap(), Some(commit(9)));
    assert_eq!(store.statement(Height(3)).unwrap(), Some(statement));
    assert_eq!(store.last_certificate().unwrap(), Some(certificate));
    assert_eq!(store.receipt(&transaction(7)).unwrap().unwrap(), "receipt");
    let between = |first, last| {
        let page = PageRequest::ascending(9);
        let page = store.receipts_between(CommitIndex(first), CommitIndex(last), &page);
        page.unwrap().entries
    };
    assert_eq!(between(4, 8), [transaction(8), transaction(7)]);
    assert_eq!(between(5, 9), [transaction(9)]);
    assert_eq!(between(5, 8), []);
}
