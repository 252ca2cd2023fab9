use super::*;
use crate::PageRequest;
use crate::options::{BLOCK_CACHE_BYTES, MEMTABLES_BYTES};
use crate::testing::{EPOCH, NETWORK, reopen, store, vertex};
use tempfile::TempDir;
use weft_types::Round;

#[test]
fn a_database_opens_again_for_its_own_network_only() {
    let (folder, store) = store();
    let path = store.path().to_owned();
    drop(store);
    drop(reopen(&folder));
    let other = NetworkId([2; 32]);
    let expected = StoreError::Network {
        path: path.clone(),
        expected: other,
        found: NETWORK,
    };
    assert_eq!(Store::open(&path, other).unwrap_err(), expected);
}

#[test]
fn a_database_that_is_open_is_refused_by_the_name_of_its_folder() {
    let (_folder, store) = store();
    let refused = Store::open(store.path(), NETWORK).unwrap_err();
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
    let name = store.path().display().to_string();
    assert!(refused.to_string().contains(&name), "{refused}");
}

#[test]
fn a_database_of_another_schema_is_refused() {
    let (folder, store) = store();
    let path = store.path().to_owned();
    let mut batch = WriteBatch::default();
    store.put(&mut batch, Family::Meta, meta::SCHEMA, 7u32.to_be_bytes());
    store.write(batch, Durability::Synced).unwrap();
    drop(store);
    let refused = Store::open(&path, NETWORK).unwrap_err();
    assert!(refused.to_string().contains("schema 7"), "{refused}");

    let strange = folder.path().join("strange");
    let options = options::database();
    drop(DB::open_cf(&options, &strange, ["blocks"]).unwrap());
    let refused = Store::open(&strange, NETWORK).unwrap_err();
    assert!(refused.to_string().contains("\"blocks\""), "{refused}");
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"x").unwrap();
    let refused = Store::open(&path, NETWORK).unwrap_err();
    assert!(matches!(refused, StoreError::Open { .. }), "{refused}");
}

#[test]
fn memory_stays_within_its_budgets_while_much_is_written_and_read() {
    let (_folder, store) = store();
    for round in 0..400 {
        let vertices = [vertex(0, round, 0, 200 << 10)];
        store.put_vertices(&vertices, Durability::Buffered).unwrap();
    }
    let page = PageRequest::ascending(1_000);
    let first = store.vertices(EPOCH, Round::ZERO, &page).unwrap();
    assert!(first.next.is_some());
    let tables = 4 << 20;
    let budget = (BLOCK_CACHE_BYTES + MEMTABLES_BYTES + tables) as u64;
    let used = store.memory_bytes();
    assert!(used < budget, "{used} bytes, budget {budget}");
}
