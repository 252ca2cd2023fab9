//! All that one commit changes, written at once: after a crash either the whole commit is there or
//! nothing of it. The batch is plain data, so that the replica can build it without a database.

use crate::error::StoreError;
use crate::schema::{Family, meta, number_key, place_key};
use crate::store::{Durability, Store};
use bytes::Bytes;
use rocksdb::WriteBatch;
use weft_types::{Commit, ObjectId, Statement, TransactionId};

/// A commit with its effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitBatch {
    pub commit: Commit,
    /// Objects by their new encoding; `None` deletes. Of two entries for one object the later wins.
    pub objects: Vec<(ObjectId, Option<Bytes>)>,
    /// Encoded receipts, in the order in which the transactions were applied.
    pub receipts: Vec<(TransactionId, Bytes)>,
    /// Index entries by key; `None` deletes. The keys are the caller's, and begin with a tag.
    pub indexes: Vec<(Bytes, Option<Bytes>)>,
    /// When the commit is a height.
    pub statement: Option<Statement>,
    /// Named values of the caller, see [`Store::meta`].
    pub meta: Vec<(&'static str, Bytes)>,
}

impl CommitBatch {
    pub fn new(commit: Commit) -> Self {
        Self {
            commit,
            objects: Vec::new(),
            receipts: Vec::new(),
            indexes: Vec::new(),
            statement: None,
            meta: Vec::new(),
        }
    }

    pub fn put_object(&mut self, object: ObjectId, encoded: Bytes) -> &mut Self {
        self.objects.push((object, Some(encoded)));
        self
    }

    pub fn delete_object(&mut self, object: ObjectId) -> &mut Self {
        self.objects.push((object, None));
        self
    }

    /// The next transaction's receipt: its position is the number of those before it.
    pub fn push_receipt(&mut self, transaction: TransactionId, encoded: Bytes) -> &mut Self {
        self.receipts.push((transaction, encoded));
        self
    }

    pub fn put_index(&mut self, key: Bytes, value: Bytes) -> &mut Self {
        self.indexes.push((key, Some(value)));
        self
    }

    pub fn delete_index(&mut self, key: Bytes) -> &mut Self {
        self.indexes.push((key, None));
        self
    }

    pub fn put_statement(&mut self, statement: Statement) -> &mut Self {
        self.statement = Some(statement);
        self
    }

    pub fn put_meta(&mut self, name: &'static str, value: Bytes) -> &mut Self {
        self.meta.push((name, value));
        self
    }
}

impl Store {
    /// Writes a commit with all its effects, atomically.
    pub fn write_commit(
        &self,
        commit: &CommitBatch,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let index = commit.commit.index;
        let encoded = commit.commit.encode();
        self.put(&mut batch, Family::Commits, number_key(index.0), encoded);
        for (object, value) in &commit.objects {
            self.change(
                &mut batch,
                Family::State,
                &object.to_bytes(),
                value.as_ref(),
            );
        }
        for (position, (transaction, receipt)) in (0u32..).zip(&commit.receipts) {
            let place = place_key(index, position);
            self.put(&mut batch, Family::Receipts, transaction.0, receipt);
            self.put(&mut batch, Family::ReceiptsByCommit, place, transaction.0);
        }
        for (key, value) in &commit.indexes {
            self.change(&mut batch, Family::Indexes, key, value.as_ref());
        }
        if let Some(statement) = &commit.statement {
            let key = number_key(statement.height.0);
            self.put(&mut batch, Family::Heights, key, statement.encode());
        }
        for (name, value) in &commit.meta {
            self.put(&mut batch, Family::Meta, caller_meta(name), value);
        }
        self.write(batch, durability)
    }

    /// Writes index entries that come with no commit; `None` deletes.
    pub fn write_indexes(
        &self,
        rows: &[(Bytes, Option<Bytes>)],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for (key, value) in rows {
            self.change(&mut batch, Family::Indexes, key, value.as_ref());
        }
        self.write(batch, durability)
    }

    fn change(&self, batch: &mut WriteBatch, family: Family, key: &[u8], value: Option<&Bytes>) {
        match value {
            Some(value) => self.put(batch, family, key, value),
            None => batch.delete_cf(self.handle(family), key),
        }
    }
}

/// The key of a value that the caller names.
pub(crate) fn caller_meta(name: &str) -> Vec<u8> {
    [meta::CALLER, name.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
