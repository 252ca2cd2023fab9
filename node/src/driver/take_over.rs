//! S2.5: a state that was taken over becomes the node's database. It is written into a folder of its own,
//! which gets its name when all of it is on the disk, and takes the old one's place while nothing runs:
//!
//! | what a crash leaves | what the next start does |
//! |---|---|
//! | `db`, and `db.part` | deletes `db.part` |
//! | `db`, and `db.new` | puts `db.new` in the place of `db` |
//! | `db.old`, and `db.new` | the same |
//! | `db`, and `db.old` | deletes `db.old` |
//!
//! Nothing is signed between the writing and the exchange: the replica has ended, and a start
//! exchanges before it opens. So the own latest vertex, which is copied, stays the latest.

use super::DriverError;
use super::epochs;
use super::restore::{AFTER_META, LEDGER_META, PAGE_ENTRIES, SYNCED_META};
use crate::index;
use crate::replica::ledger_meta;
use crate::replica::restore::first_round;
use crate::replica::sync::Synced;
use std::fs::{File, remove_dir_all, rename};
use std::io::ErrorKind;
use std::path::Path;
use weft_storage::{Durability, Import, PageRequest, Store};
use weft_types::{Certificate, CommitIndex, Epoch, NetworkId, Receipt};

/// The database's folder in a node's data.
pub const DATABASE: &str = "db";
const PART: &str = "db.part";
const NEW: &str = "db.new";
const OLD: &str = "db.old";

/// Finishes what an earlier run had begun. Whether a state was taken over.
pub fn adopt(data: &Path) -> Result<bool, DriverError> {
    let [current, part, new, old] = [DATABASE, PART, NEW, OLD].map(|name| data.join(name));
    let failed = |e: std::io::Error| DriverError::Exchange(data.to_owned(), e);
    remove(&part).map_err(failed)?;
    let adopts = new.exists();
    if adopts {
        if current.exists() {
            remove(&old).map_err(failed)?;
            rename(&current, &old).map_err(failed)?;
        }
        rename(&new, &current).map_err(failed)?;
        sync(data).map_err(failed)?;
    }
    remove(&old).map_err(failed)?;
    Ok(adopts)
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes the state beside the database. [`adopt`] does the rest.
pub fn store_aside(
    data: &Path,
    network: NetworkId,
    gc_depth: u64,
    before: &Store,
    synced: &Synced,
) -> Result<(), DriverError> {
    let failed = |e: std::io::Error| DriverError::Exchange(data.to_owned(), e);
    let part = data.join(PART);
    remove(&part).map_err(failed)?;
    let store = Store::open(&part, network)?;
    write_state(&store, synced)?;
    write_chain(&store, synced)?;
    keep_vertices(&store, before, synced, gc_depth)?;
    keep_contents(&store, before)?;
    store.sync()?;
    drop(store);
    rename(&part, data.join(NEW)).map_err(failed)?;
    sync(data).map_err(failed)
}

fn write_state(store: &Store, synced: &Synced) -> Result<(), DriverError> {
    for objects in synced.objects.chunks(PAGE_ENTRIES) {
        store.import(&Import {
            objects,
            ..Import::default()
        })?;
    }
    let rows = index::rows_of_state(&synced.objects, &synced.snapshot);
    let rows = rows.map_err(|e| DriverError::Inconsistent(e.to_string()))?;
    for indexes in rows.chunks(PAGE_ENTRIES) {
        store.import(&Import {
            indexes,
            ..Import::default()
        })?;
    }
    Ok(())
}

fn write_chain(store: &Store, synced: &Synced) -> Result<(), DriverError> {
    let place = |r: &Receipt| (r.commit, r.position, r.transaction, r.encode());
    for receipts in synced.receipts.chunks(PAGE_ENTRIES) {
        let receipts: Vec<_> = receipts.iter().map(place).collect();
        store.import(&Import {
            receipts: &receipts,
            ..Import::default()
        })?;
    }
    for heights in synced.heights.chunks(PAGE_ENTRIES) {
        let statements: Vec<_> = heights.iter().map(|c| c.statement.clone()).collect();
        let certificates: Vec<&Certificate> = heights.iter().map(|c| &***c).collect();
        store.import(&Import {
            statements: &statements,
            certificates: &certificates,
            ..Import::default()
        })?;
    }
    store.import(&Import {
        commits: &synced.commits,
        ..Import::default()
    })?;
    let meta = ledger_meta::encode(&synced.meta);
    store.put_meta(LEDGER_META, &meta, Durability::Buffered)?;
    let first = synced.receipts.first().map(|r| r.commit);
    let first = first.unwrap_or(synced.meta.index.next());
    store.put_meta(SYNCED_META, &first.0.to_be_bytes(), Durability::Buffered)?;
    let after = synced.meta.index.0.to_be_bytes();
    store.put_meta(AFTER_META, &after, Durability::Buffered)?;
    Ok(())
}

/// What others may still ask for, the own latest vertex, and what is known of the base chain.
fn keep_vertices(
    store: &Store,
    before: &Store,
    synced: &Synced,
    gc_depth: u64,
) -> Result<(), DriverError> {
    let epoch: Epoch = synced.certificate.statement.epoch;
    let floor = synced.commits.last().map(|c| first_round(c, gc_depth));
    // S2.8: who asks for more is told that it is not here.
    store.prune_vertices(epoch, floor.unwrap_or_default())?;
    let mut cursor = None;
    loop {
        let request = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
        let page = before.vertices(epoch, floor.unwrap_or_default(), &request)?;
        store.put_vertices(&page.entries, Durability::Buffered)?;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if let Some(own) = before.own_vertex()?
        && let Some(vertex) = before.vertex(own.epoch, &own.vertex)?
    {
        store.put_own_vertex(&vertex)?;
    }
    epochs::copy(before, store, synced.certificate.statement.epoch)?;
    for opened in &synced.epochs {
        epochs::remember(store, &opened.committee, &opened.by)?;
    }
    if let Some((height, checkpoint)) = before.last_checkpoint()? {
        store.put_checkpoint(height, &checkpoint, Durability::Buffered)?;
    }
    Ok(())
}

/// A4: what this node has of what the ledger names, others may lack. What nothing names any more goes later (A5).
fn keep_contents(store: &Store, before: &Store) -> Result<(), DriverError> {
    let mut cursor = None;
    loop {
        let request = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
        let page = before.contents(&request)?;
        for (hash, _) in &page.entries {
            if let Some(content) = before.content(hash)? {
                store.put_content(hash, &content, u64::MAX, Durability::Buffered)?;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// The first commit whose receipts a database has that was taken over; `None` for any other.
pub fn synced_from(store: &Store) -> Result<Option<CommitIndex>, DriverError> {
    commit_in(store, SYNCED_META)
}

/// The commit whose state was taken over: what comes after it was executed here. `None` where all was.
pub fn synced_after(store: &Store) -> Result<Option<CommitIndex>, DriverError> {
    commit_in(store, AFTER_META)
}

fn commit_in(store: &Store, name: &str) -> Result<Option<CommitIndex>, DriverError> {
    let Some(bytes) = store.meta(name)? else {
        return Ok(None);
    };
    let number = <[u8; 8]>::try_from(bytes.as_ref());
    let number = number.map_err(|_| DriverError::Inconsistent(format!("no commit in {name}")))?;
    Ok(Some(CommitIndex(u64::from_be_bytes(number))))
}

#[cfg(test)]
mod tests;
