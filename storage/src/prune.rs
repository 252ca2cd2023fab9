//! Forgetting. Vertices below a round go by one range delete, and files that held nothing else are
//! dropped whole. Receipts go by commit, a bounded number at a time. Commits, statements,
//! certificates and checkpoints stay: they are the chain that newcomers follow.
//!
//! Pruning of vertices is synced before any file goes. So the commit that allowed it is on the disk
//! as well, and a power loss never leaves an older commit that still needs what is gone.

use crate::error::StoreError;
use crate::page::{PageRequest, Range};
use crate::schema::{Family, meta, number_key, read_round_key, read_transaction_id, round_key};
use crate::store::{Durability, Store, damaged};
use rocksdb::WriteBatch;
use weft_types::{CommitIndex, Epoch, Round};

impl Store {
    /// Deletes the vertices of earlier epochs and those of this one below `round`. Each call leaves
    /// a marker in the database until compaction takes it: call it every hundred rounds or so.
    pub fn prune_vertices(&self, epoch: Epoch, round: Round) -> Result<(), StoreError> {
        let (from, to) = (self.vertices_from()?, (epoch, round));
        if to <= from {
            return Ok(());
        }
        let (start, end) = (round_key(from.0, from.1), round_key(epoch, round));
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(self.handle(Family::Vertices), start, end);
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
