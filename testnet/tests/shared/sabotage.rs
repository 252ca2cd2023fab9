//! What a program that credits wrongly would leave on a member's disk.

use std::path::Path;
use weft_node::replica::ledger_meta;
use weft_storage::{Durability, Import, Store};
use weft_types::{Account, Address, Amount, AssetId, NetworkId, Object, ObjectId};

/// Puts money from nothing into the database of a node that is down.
pub fn sabotage(database: &Path, network: NetworkId) {
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
    // A root that was stated already would be compared with at the start.
    let meta = store.meta("ledger").unwrap().unwrap();
    let mut meta = ledger_meta::decode(&meta).unwrap();
    meta.changed = true;
    let encoded = ledger_meta::encode(&meta);
    store
        .put_meta("ledger", &encoded, Durability::Synced)
        .unwrap();
}
