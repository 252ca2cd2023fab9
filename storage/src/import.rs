//! S2.5: a state that comes from elsewhere, written part by part into a database that nobody uses yet.
//! What makes it the node's database is the caller's, after the last part is synced.

use crate::error::StoreError;
use crate::schema::{Family, number_key, place_key};
use crate::store::{Durability, Store};
use bytes::Bytes;
use rocksdb::WriteBatch;
use weft_types::{Certificate, Commit, CommitIndex, ObjectId, Statement, TransactionId};

/// One part: whatever of it is set is written, buffered.
#[derive(Debug, Clone, Default)]
pub struct Import<'a> {
    pub objects: &'a [(ObjectId, Bytes)],
    /// Encoded, with their commits and positions.
    pub receipts: &'a [(CommitIndex, u32, TransactionId, Bytes)],
    /// Index entries by key, as in [`crate::CommitBatch::indexes`].
    pub indexes: &'a [(Bytes, Option<Bytes>)],
    pub commits: &'a [Commit],
    pub statements: &'a [Statement],
    pub certificates: &'a [&'a Certificate],
}

impl Store {
    /// Writes a part, all of it or nothing.
    pub fn import(&self, part: &Import<'_>) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for (id, object) in part.objects {
            self.put(&mut batch, Family::State, id.to_bytes(), object);
        }
        for (commit, position, transaction, receipt) in part.receipts {
            let place = place_key(*commit, *position);
            self.put(&mut batch, Family::Receipts, transaction.0, receipt);
            self.put(&mut batch, Family::ReceiptsByCommit, place, transaction.0);
        }
        for (key, value) in part.indexes {
            if let Some(value) = value {
                self.put(&mut batch, Family::Indexes, key, value);
            }
        }
        for commit in part.commits {
            let key = number_key(commit.index.0);
            self.put(&mut batch, Family::Commits, key, commit.encode());
        }
        for statement in part.statements {
            let key = number_key(statement.height.0);
            self.put(&mut batch, Family::Heights, key, statement.encode());
        }
        for certificate in part.certificates {
            let key = number_key(certificate.statement.height.0);
            self.put(&mut batch, Family::Certificates, key, certificate.encode());
        }
        self.write(batch, Durability::Buffered)
    }
}

#[cfg(test)]
mod tests;
