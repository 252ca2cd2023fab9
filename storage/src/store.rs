//! Opening, and the one way in which anything is written.
//!
//! A folder is opened only for the network that it was made for and with the schema of this program;
//! both are written with the first batch. After a write has failed, the store is poisoned: it reads,
//! but refuses to write. RocksDB itself may go on after some errors, for example when a full disk
//! has room again; what was acknowledged in between cannot be known, so this store does not.

use crate::error::StoreError;
use crate::options;
use crate::schema::{Family, SCHEMA_VERSION, meta};
use bytes::Bytes;
use rocksdb::{ColumnFamily, DB, DBRawIterator, ErrorKind, ReadOptions, WriteBatch, WriteOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use weft_types::NetworkId;

/// When a write returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Once the operating system has it: survives the process, not a power loss.
    Buffered,
    /// Once the disk has it, and with it every earlier write.
    Synced,
}

/// The database of one node. All functions may be called from several threads.
pub struct Store {
    db: DB,
    path: PathBuf,
    /// Why the first failed write failed.
    poison: OnceLock<String>,
    /// A3: bytes of all content.
    pub(crate) contents: Mutex<u64>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

impl Store {
    /// Opens the database in the folder, or makes one there.
    ///
    /// # Errors
    /// When another process has it open, it is another network's or of another schema, or it cannot
    /// be read.
    pub fn open(path: &Path, network: NetworkId) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Open {
            path: path.to_owned(),
            reason,
        };
        std::fs::create_dir_all(path).map_err(|e| failed(e.to_string()))?;
        let options = options::database();
        if path.join("CURRENT").exists() {
            let found = DB::list_cf(&options, path).map_err(|e| failed(e.into_string()))?;
            check_families(path, &found)?;
        }
        let opened = DB::open_cf_descriptors(&options, path, options::families());
        let db = opened.map_err(|e| {
            if e.kind() == ErrorKind::IOError && e.as_ref().contains("/LOCK") {
                return StoreError::Locked {
                    path: path.to_owned(),
                };
            }
            failed(e.into_string())
        })?;
        let store = Self {
            db,
            path: path.to_owned(),
            poison: OnceLock::new(),
            contents: Mutex::new(0),
        };
        store.check_identity(network)?;
        let held = store.count_contents()?;
        *store
            .contents
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = held;
        Ok(store)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts every write so far on the disk.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.check_poison()?;
        self.db.flush_wal(true).map_err(|e| self.poisoned_by(e))
    }

    /// Memory of memtables, block cache and open tables, in bytes, as RocksDB estimates it.
    pub fn memory_bytes(&self) -> u64 {
        use rocksdb::properties::{
            BLOCK_CACHE_USAGE, CUR_SIZE_ALL_MEM_TABLES, ESTIMATE_TABLE_READERS_MEM,
        };
        let of = |family: Family, property| {
            let value = self.db.property_int_value_cf(self.handle(family), property);
            value.ok().flatten().unwrap_or(0)
        };
        let families = Family::ALL.iter();
        let own =
            families.map(|f| of(*f, CUR_SIZE_ALL_MEM_TABLES) + of(*f, ESTIMATE_TABLE_READERS_MEM));
        own.sum::<u64>() + of(Family::Meta, BLOCK_CACHE_USAGE)
    }

    fn check_identity(&self, network: NetworkId) -> Result<(), StoreError> {
        let schema = self.get(Family::Meta, meta::SCHEMA)?;
        let Some(schema) = schema else {
            // New, or cut short while it was made: then there is nothing in it yet.
            let mut batch = WriteBatch::default();
            self.put(
                &mut batch,
                Family::Meta,
                meta::SCHEMA,
                SCHEMA_VERSION.to_be_bytes(),
            );
            self.put(&mut batch, Family::Meta, meta::NETWORK, network.0);
            return self.write(batch, Durability::Synced);
        };
        if *schema != SCHEMA_VERSION.to_be_bytes() {
            let number = <[u8; 4]>::try_from(schema.as_ref()).map(u32::from_be_bytes);
            return Err(StoreError::Schema {
                path: self.path.clone(),
                expected: SCHEMA_VERSION,
                found: number.map_or_else(|_| hex::encode(&schema), |n| n.to_string()),
            });
        }
        let stored = self.get(Family::Meta, meta::NETWORK)?.unwrap_or_default();
        let found = NetworkId::try_from(stored.as_ref())
            .map_err(|e| damaged(Family::Meta, e.to_string()))?;
        if found != network {
            return Err(StoreError::Network {
                path: self.path.clone(),
                expected: network,
                found,
            });
        }
        Ok(())
    }

    /// # Panics
    /// Never: all families are made when the database is opened.
    pub(crate) fn handle(&self, family: Family) -> &ColumnFamily {
        self.db
            .cf_handle(family.name())
            .expect("every family is opened")
    }

    pub(crate) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = self.db.get_cf(self.handle(family), key);
        let value = value.map_err(|e| StoreError::Read {
            family: family.name(),
            reason: e.into_string(),
        })?;
        Ok(value.map(Bytes::from))
    }

    pub(crate) fn raw_iterator(&self, family: Family, options: ReadOptions) -> DBRawIterator<'_> {
        self.db.raw_iterator_cf_opt(self.handle(family), options)
    }

    pub(crate) fn put(
        &self,
        batch: &mut WriteBatch,
        family: Family,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) {
        batch.put_cf(self.handle(family), key, value);
    }

    /// Writes the batch, all of it or nothing. Every write goes through here.
    pub(crate) fn write(
        &self,
        batch: WriteBatch,
        durability: Durability,
    ) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.db
            .write_opt(batch, &options)
            .map_err(|e| self.poisoned_by(e))
    }

    /// Drops the files that hold nothing but keys of the range. What else is in the range stays.
    pub(crate) fn drop_files(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), StoreError> {
        self.check_poison()?;
        let dropped = self
            .db
            .delete_file_in_range_cf(self.handle(family), from, to);
        dropped.map_err(|e| self.poisoned_by(e))
    }

    fn check_poison(&self) -> Result<(), StoreError> {
        match self.poison.get() {
            Some(cause) => Err(StoreError::Poisoned(cause.clone())),
            None => Ok(()),
        }
    }

    fn poisoned_by(&self, error: rocksdb::Error) -> StoreError {
        let reason = error.into_string();
        self.poison.get_or_init(|| reason.clone());
        StoreError::Write(reason)
    }
}

impl Drop for Store {
    /// Waits for flushes and compactions, so that nothing of RocksDB runs on after the store.
    fn drop(&mut self) {
        self.db.cancel_all_background_work(true);
    }
}

pub(crate) fn damaged(family: Family, reason: String) -> StoreError {
    StoreError::Damaged {
        family: family.name(),
        reason,
    }
}

/// A database with families that this program does not know was written by another.
fn check_families(path: &Path, found: &[String]) -> Result<(), StoreError> {
    let known = |name: &String| name == "default" || Family::ALL.iter().any(|f| f.name() == name);
    match found.iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(stranger) => Err(StoreError::Schema {
            path: path.to_owned(),
            expected: SCHEMA_VERSION,
            found: format!("with the column family {stranger:?}"),
        }),
    }
}

#[cfg(test)]
mod tests;
