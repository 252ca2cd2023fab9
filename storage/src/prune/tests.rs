use super::*;
use crate::CommitBatch;
use crate::testing::{EPOCH, commit, reopen, store, transaction, vertex};
use bytes::Bytes;
use weft_types::Vertex;

fn bytes_on_disk(folder: &tempfile::TempDir) -> u64 {
    let files = std::fs::read_dir(folder.path().join("db")).unwrap();
    let length =
        |f: std::io::Result<std::fs::DirEntry>| f.unwrap().metadata().map_or(0, |m| m.len());
    files.map(length).sum()
}

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

/// S1: a member that does not find it any longer would say that it has never signed.
#[test]
fn the_own_latest_vertex_stays_however_old_it_is() {
    let (folder, store) = store();
    let own = vertex(0, 3, 0, 0);
    store.put_own_vertex(&vertex(0, 2, 0, 0)).unwrap();
    store.put_own_vertex(&own).unwrap();
    for round in [5, 9] {
        store
            .put_vertices(&[vertex(0, round, 1, 0)], Durability::Buffered)
            .unwrap();
        store.prune_vertices(EPOCH, Round(round)).unwrap();
    }
    drop(store);
    let store = reopen(&folder);
    assert_eq!(rounds(&store, EPOCH), [3, 9]);
    assert_eq!(store.own_vertex().unwrap().unwrap().vertex, own.reference());
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
    let left = bytes_on_disk(&folder);
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

#[test]
fn the_chain_begins_where_it_was_pruned_and_goes_on() {
    let (folder, store) = store();
    let write = |index: u64| {
        let batch = CommitBatch::new(commit(index));
        store.write_commit(&batch, Durability::Buffered).unwrap();
        let height = Height(index);
        let checkpoint = store.put_checkpoint(height, b"c", Durability::Buffered);
        checkpoint.unwrap();
    };
    (0..=9).for_each(write);
    let from = |commit: u64, checkpoint: u64| ChainFrom {
        commit: CommitIndex(commit),
        height: Height(commit),
        checkpoint: Height(checkpoint),
    };
    store.prune_chain(&from(4, 2)).unwrap();
    // What is gone already may be named again.
    store.prune_chain(&from(3, 1)).unwrap();
    write(10);
    drop(store);
    let store = reopen(&folder);
    let page = store.commits(&PageRequest::ascending(100)).unwrap();
    let commits: Vec<u64> = page.entries.iter().map(|c| c.index.0).collect();
    assert_eq!(commits, [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(store.commit(CommitIndex(3)).unwrap(), None);
    assert_eq!(store.last_commit().unwrap().unwrap().index, CommitIndex(10));
    let page = store.checkpoints(&PageRequest::ascending(100)).unwrap();
    assert_eq!(page.entries[0].0, Height(2));
}

#[test]
fn index_entries_go_a_bounded_number_at_a_time_and_those_that_are_not_past_stay() {
    let (_folder, store) = store();
    let mut batch = CommitBatch::new(commit(1));
    for n in 0..10u8 {
        batch.put_index(Bytes::copy_from_slice(&[b'h', n]), Bytes::new());
    }
    store.write_commit(&batch, Durability::Buffered).unwrap();
    let odd = |key: &[u8], _: &[u8]| key[1] % 2 == 1;
    let next = store.prune_indexes(None, 4, odd).unwrap();
    let left = || {
        let page = store.indexes(b"h", &PageRequest::ascending(100)).unwrap();
        let keys = page.entries.iter().map(|(key, _)| key[key.len() - 1]);
        keys.collect::<Vec<u8>>()
    };
    assert_eq!(left(), [0, 2, 4, 5, 6, 7, 8, 9]);
    let next = store.prune_indexes(next, 4, odd).unwrap();
    assert_eq!(store.prune_indexes(next, 4, odd).unwrap(), None);
    assert_eq!(left(), [0, 2, 4, 6, 8]);
}
