use super::*;
use crate::CommitBatch;
use crate::testing::{EPOCH, commit, reopen, store, transaction, vertex};
use bytes::Bytes;
use weft_types::Vertex;

fn rounds(store: &Store, epoch: Epoch) -> Vec<u64> {
    let page = PageRequest::ascending(1_000);
    let page = store.vertices(epoch, Round::ZERO, &page).unwrap();
    page.entries.iter().map(|v| v.round().0).collect()
}

#[test]
fn vertices_below_a_round_are_gone_and_stay_gone() {
    let (folder, store) = store();
    let vertices: Vec<Vertex> = (1..=9).map(|round| vertex(0, round, 0, 0)).collect();
    store.put_vertices(&vertices, Durability::Synced).unwrap();
    store.prune_vertices(EPOCH, Round(4)).unwrap();
    assert_eq!(rounds(&store, EPOCH), [4, 5, 6, 7, 8, 9]);
    let gone = vertices[0].reference();
    assert_eq!(store.vertex(EPOCH, &gone).unwrap(), None);
    // A lower round prunes nothing, and does not move the mark back.
    store.prune_vertices(EPOCH, Round(2)).unwrap();
    assert_eq!(store.vertices_from().unwrap(), (EPOCH, Round(4)));
    store.prune_vertices(EPOCH, Round(8)).unwrap();
    drop(store);
    assert_eq!(rounds(&reopen(&folder), EPOCH), [8, 9]);
}

#[test]
fn pruning_a_round_of_an_epoch_prunes_the_epochs_before_it() {
    let (_folder, store) = store();
    let vertices = [vertex(0, 900, 0, 0), vertex(1, 1, 0, 0), vertex(1, 2, 0, 0)];
    store.put_vertices(&vertices, Durability::Buffered).unwrap();
    store.prune_vertices(Epoch(1), Round(2)).unwrap();
    assert!(rounds(&store, EPOCH).is_empty());
    assert_eq!(rounds(&store, Epoch(1)), [2]);
}

#[test]
fn pruning_gives_the_disk_back() {
    let (folder, store) = store();
    let bytes_on_disk = || -> u64 {
        let files = std::fs::read_dir(folder.path().join("db")).unwrap();
        let length =
            |f: std::io::Result<std::fs::DirEntry>| f.unwrap().metadata().map_or(0, |m| m.len());
        files.map(length).sum()
    };
    for round in 0..300 {
        let vertices = [vertex(0, round, 0, 256 << 10)];
        store.put_vertices(&vertices, Durability::Buffered).unwrap();
        if round % 50 == 49 {
            store.prune_vertices(EPOCH, Round(round - 9)).unwrap();
        }
    }
    // 75 MiB were written; what is left is ten rounds, the log, and files not yet compacted.
    drop(store);
    drop(reopen(&folder));
    let left = bytes_on_disk();
    assert!(left < 50 << 20, "{left} bytes left");
}

#[test]
fn receipts_go_by_commit_a_bounded_number_at_a_time() {
    let (_folder, store) = store();
    for index in 1..=3 {
        let mut batch = CommitBatch::new(commit(index));
        for n in 0..2 {
            batch.push_receipt(transaction(index * 10 + n), Bytes::from_static(b"r"));
        }
        store.write_commit(&batch, Durability::Buffered).unwrap();
    }
    assert!(store.prune_receipts(CommitIndex(3), 3).unwrap());
    assert_eq!(store.receipt(&transaction(20)).unwrap(), None);
    assert!(store.receipt(&transaction(21)).unwrap().is_some());
    assert!(!store.prune_receipts(CommitIndex(3), 3).unwrap());
    assert!(!store.prune_receipts(CommitIndex(3), 3).unwrap());
    assert_eq!(store.receipt(&transaction(21)).unwrap(), None);
    assert!(store.receipt(&transaction(30)).unwrap().is_some());
}
