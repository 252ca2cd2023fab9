//! What a program that credits wrongly would leave on a member's disk.
//!
//! It is done where something waits for its height anyway: then a height is closed by the next commit that closes one for everybody, and nothing but the state differs.

use std::path::{Path, PathBuf};
use weft_node::replica::ledger_meta;
use weft_storage::{Import, Store};
use weft_types::{Account, Address, Amount, AssetId, NetworkId, Object, ObjectId};

/// The same on all disks of nodes that are down, if something has changed on each since its newest height. Whether it has.
pub fn sabotage_all(databases: &[PathBuf], network: NetworkId) -> bool {
    let changed = databases.iter().all(|d| has_changed(d, network));
    if changed {
        databases.iter().for_each(|d| sabotage(d, network));
    }
    changed
}

/// Whether something has changed in the database of a node that is down since its newest height.
fn has_changed(database: &Path, network: NetworkId) -> bool {
    let store = Store::open(database, network).unwrap();
    let meta = store.meta("ledger").unwrap().unwrap();
    ledger_meta::decode(&meta).unwrap().changed
}

/// Puts money from nothing into the database of a node that is down.
fn sabotage(database: &Path, network: NetworkId) {
    let store = Store::open(database, network).unwrap();
    let mut account = Account::default();
    account.set(AssetId::NATIVE, Amount(1_000_000));
    let favourite = ObjectId::Account(Address([0xfa; 32]));
    let objects = [(favourite, Object::Account(account.into()).encode())];
    let import = Import {
        objects: &objects,
        ..Import::default()
    };
    store.import(&import).unwrap();
}
