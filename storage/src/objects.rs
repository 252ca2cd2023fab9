//! The ledger's state and receipts, the indexes over them, and named values of the caller.

use crate::batch::caller_meta;
use crate::error::StoreError;
use crate::page::{Page, PageRequest, Range};
use crate::schema::{Family, number_key, read_transaction_id};
use crate::store::{Durability, Store};
use bytes::Bytes;
use rocksdb::WriteBatch;
use weft_types::{CommitIndex, ObjectId, TransactionId};

impl Store {
    /// An object's encoding.
    pub fn object(&self, object: &ObjectId) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::State, &object.to_bytes())
    }

    /// All objects, by kind and id.
    pub fn objects(&self, page: &PageRequest) -> Result<Page<(ObjectId, Bytes)>, StoreError> {
        self.scan(Family::State, Range::all(), page, |key, value| {
            let object = ObjectId::from_bytes(key).ok_or("a key is no object's")?;
            Ok((object, Bytes::copy_from_slice(value)))
        })
    }

    /// A transaction's encoded receipt.
    pub fn receipt(&self, transaction: &TransactionId) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::Receipts, &transaction.0)
    }

    /// The transactions that a commit applied, by position.
    pub fn receipts_of(
        &self,
        commit: CommitIndex,
        page: &PageRequest,
    ) -> Result<Page<TransactionId>, StoreError> {
        let range = Range::prefix(&number_key(commit.0));
        self.scan(Family::ReceiptsByCommit, range, page, |_, value| {
            Ok(read_transaction_id(value).ok_or("a value is no transaction's id")?)
        })
    }

    /// The transactions that the commits of a range applied, by commit and position.
    pub fn receipts_between(
        &self,
        first: CommitIndex,
        last: CommitIndex,
        page: &PageRequest,
    ) -> Result<Page<TransactionId>, StoreError> {
        let range = Range::between(&number_key(first.0), &number_key(last.0));
        self.scan(Family::ReceiptsByCommit, range, page, |_, value| {
            Ok(read_transaction_id(value).ok_or("a value is no transaction's id")?)
        })
    }

    pub fn index(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::Indexes, key)
    }

    /// The index entries whose keys begin with `prefix`: whole keys and values.
    pub fn indexes(
        &self,
        prefix: &[u8],
        page: &PageRequest,
    ) -> Result<Page<(Bytes, Bytes)>, StoreError> {
        let range = Range::prefix(prefix);
        self.scan(Family::Indexes, range, page, |key, value| {
            let (key, value) = (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
            Ok((key, value))
        })
    }

    /// A value that the caller named, here or in a [`crate::CommitBatch`].
    pub fn meta(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::Meta, &caller_meta(name))
    }

    pub fn put_meta(
        &self,
        name: &str,
        value: &[u8],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put(&mut batch, Family::Meta, caller_meta(name), value);
        self.write(batch, durability)
    }
}

#[cfg(test)]
mod tests;
