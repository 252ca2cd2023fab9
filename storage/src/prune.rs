//! Forgetting. What is numbered, vertices and the chain, goes by one range delete, and files that held
//! nothing else are dropped whole. Receipts go by commit, index entries by what the caller says of
//! them, both a bounded number at a time.
//!
//! Range deletes are synced before any file goes. So the commit that allowed them is on the disk
//! as well, and a power loss never leaves an older commit that still needs what is gone.

use crate::error::StoreError;
use crate::page::{Cursor, PageRequest, Range};
use crate::schema::{
    Family, meta, number_key, read_round_key, read_transaction_id, round_key, vertex_key,
};
use crate::store::{Durability, Store, damaged};
use rocksdb::WriteBatch;
use weft_types::{CommitIndex, Epoch, Height, Round};

/// Where the chain is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainFrom {
    pub commit: CommitIndex,
    /// Of statements and certificates.
    pub height: Height,
    pub checkpoint: Height,
}

impl Store {
    /// Deletes commits, statements, certificates and checkpoints below these. The caller keeps what a
    /// restart reads. As with [`Self::prune_vertices`], not to be called at every commit.
    pub fn prune_chain(&self, from: &ChainFrom) -> Result<(), StoreError> {
        let ranges = [
            (Family::Commits, from.commit.0),
            (Family::Heights, from.height.0),
            (Family::Certificates, from.height.0),
            (Family::Checkpoints, from.checkpoint.0),
        ];
        let mut batch = WriteBatch::default();
        for (family, end) in ranges {
            let (start, end) = (number_key(0), number_key(end));
            batch.delete_range_cf(self.handle(family), start, end);
        }
        self.write(batch, Durability::Synced)?;
        for (family, end) in ranges {
            self.drop_files(family, &[], &number_key(end))?;
        }
        Ok(())
    }

    /// Looks through `limit` index entries (as a page's) after a cursor, and deletes those of which
    /// `is_past` says so. Returns where to go on; `None` at the end.
    pub fn prune_indexes(
        &self,
        after: Option<Cursor>,
        limit: usize,
        is_past: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Option<Cursor>, StoreError> {
        let request = PageRequest::ascending(limit).after(after);
        let past = |key: &[u8], value: &[u8]| Ok(is_past(key, value).then(|| key.to_vec()));
        let page = self.scan(Family::Indexes, Range::all(), &request, past)?;
        let mut batch = WriteBatch::default();
        for key in page.entries.into_iter().flatten() {
            batch.delete_cf(self.handle(Family::Indexes), key);
        }
        self.write(batch, Durability::Buffered)?;
        Ok(page.next)
    }

    /// Deletes the vertices of earlier epochs and those of this one below `round`, but for the own latest
    /// one, which S1 asks for however old it is. Each call leaves a marker in the database until
    /// compaction takes it: call it every hundred rounds or so.
    pub fn prune_vertices(&self, epoch: Epoch, round: Round) -> Result<(), StoreError> {
        let (from, to) = (self.vertices_from()?, (epoch, round));
        if to <= from {
            return Ok(());
        }
        let (start, end) = (round_key(from.0, from.1), round_key(epoch, round));
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(self.handle(Family::Vertices), start, end);
        if let Some(own) = self.own_vertex()?
            && let Some(vertex) = self.vertex_encoded(own.epoch, &own.vertex)?
        {
            let key = vertex_key(own.epoch, &own.vertex);
            self.put(&mut batch, Family::Vertices, key, vertex);
        }
        self.put(&mut batch, Family::Meta, meta::VERTICES_FROM, end);
        self.write(batch, Durability::Synced)?;
        self.drop_files(Family::Vertices, &[], &end)
    }

    /// The epoch and round below which vertices have been deleted.
    pub fn vertices_from(&self) -> Result<(Epoch, Round), StoreError> {
        match self.get(Family::Meta, meta::VERTICES_FROM)? {
            None => Ok((Epoch::ZERO, Round::ZERO)),
            Some(key) => read_round_key(&key)
                .ok_or_else(|| damaged(Family::Meta, "pruned round is no key".to_owned())),
        }
    }

    /// Deletes receipts of commits before `commit`, the oldest first and `limit` at most (as a
    /// page's). Returns whether there are more.
    pub fn prune_receipts(&self, commit: CommitIndex, limit: usize) -> Result<bool, StoreError> {
        let old = Range::below(&number_key(commit.0));
        let request = PageRequest::ascending(limit);
        let page = self.scan(Family::ReceiptsByCommit, old, &request, |key, value| {
            let transaction = read_transaction_id(value).ok_or("a value is no transaction's id")?;
            Ok((key.to_vec(), transaction))
        })?;
        let mut batch = WriteBatch::default();
        for (place, transaction) in &page.entries {
            batch.delete_cf(self.handle(Family::ReceiptsByCommit), place);
            batch.delete_cf(self.handle(Family::Receipts), transaction.0);
        }
        self.write(batch, Durability::Buffered)?;
        Ok(page.next.is_some())
    }
}

#[cfg(test)]
mod tests;
