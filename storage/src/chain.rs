//! The commit chain and what stands on it: commits, the statements of heights, their certificates
//! and the checkpoints on the base chain. All are numbered, and go from the oldest on, if at all
//! ([`crate::ChainFrom`]), but for checkpoints that the base chain takes back.

use crate::error::StoreError;
use crate::page::{Cursor, PAGE_ENTRIES_MAX, Page, PageRequest, Range};
use crate::schema::{Family, number_key, read_number};
use crate::store::{Durability, Store, damaged};
use bytes::Bytes;
use rocksdb::WriteBatch;
use weft_types::{Certificate, Commit, CommitIndex, Height, Statement};

impl Store {
    pub fn commit(&self, index: CommitIndex) -> Result<Option<Commit>, StoreError> {
        self.numbered(Family::Commits, index.0, decode_commit)
    }

    pub fn last_commit(&self) -> Result<Option<Commit>, StoreError> {
        self.last(Family::Commits, |_, value| decode_commit(value))
    }

    pub fn commits(&self, page: &PageRequest) -> Result<Page<Commit>, StoreError> {
        self.scan(Family::Commits, Range::all(), page, |_, value| {
            decode_commit(value)
        })
    }

    /// What this node stated of a height.
    pub fn statement(&self, height: Height) -> Result<Option<Statement>, StoreError> {
        self.numbered(Family::Heights, height.0, decode_statement)
    }

    pub fn last_statement(&self) -> Result<Option<Statement>, StoreError> {
        self.last(Family::Heights, |_, value| decode_statement(value))
    }

    pub fn statements(&self, page: &PageRequest) -> Result<Page<Statement>, StoreError> {
        self.scan(Family::Heights, Range::all(), page, |_, value| {
            decode_statement(value)
        })
    }

    /// Keeps a certificate that the caller has verified.
    pub fn put_certificate(
        &self,
        certificate: &Certificate,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let key = number_key(certificate.statement.height.0);
        let mut batch = WriteBatch::default();
        self.put(&mut batch, Family::Certificates, key, certificate.encode());
        self.write(batch, durability)
    }

    pub fn certificate(&self, height: Height) -> Result<Option<Certificate>, StoreError> {
        self.numbered(Family::Certificates, height.0, decode_certificate)
    }

    pub fn last_certificate(&self) -> Result<Option<Certificate>, StoreError> {
        self.last(Family::Certificates, |_, value| decode_certificate(value))
    }

    pub fn certificates(&self, page: &PageRequest) -> Result<Page<Certificate>, StoreError> {
        self.scan(Family::Certificates, Range::all(), page, |_, value| {
            decode_certificate(value)
        })
    }

    /// Keeps what is known of a height's checkpoint, in the caller's encoding; a later call for the
    /// same height replaces it.
    pub fn put_checkpoint(
        &self,
        height: Height,
        encoded: &[u8],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let key = number_key(height.0);
        self.put(&mut batch, Family::Checkpoints, key, encoded);
        self.write(batch, durability)
    }

    /// Forgets checkpoints above a height: the base chain has taken them back. Their loss is nothing that has to be
    /// synced.
    pub fn forget_checkpoints_above(&self, height: Height) -> Result<(), StoreError> {
        let page = PageRequest::ascending(PAGE_ENTRIES_MAX).after(Some(Cursor::height(height)));
        let mut batch = WriteBatch::default();
        for (height, _) in self.checkpoints(&page)?.entries {
            batch.delete_cf(self.handle(Family::Checkpoints), number_key(height.0));
        }
        self.write(batch, Durability::Buffered)
    }

    pub fn checkpoint(&self, height: Height) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::Checkpoints, &number_key(height.0))
    }

    pub fn last_checkpoint(&self) -> Result<Option<(Height, Bytes)>, StoreError> {
        self.last(Family::Checkpoints, decode_checkpoint)
    }

    pub fn checkpoints(&self, page: &PageRequest) -> Result<Page<(Height, Bytes)>, StoreError> {
        self.scan(Family::Checkpoints, Range::all(), page, decode_checkpoint)
    }

    fn numbered<T>(
        &self,
        family: Family,
        number: u64,
        decode: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, StoreError> {
        let value = self.get(family, &number_key(number))?;
        let decoded = value.map(|v| decode(&v)).transpose();
        decoded.map_err(|reason| damaged(family, format!("number {number}: {reason}")))
    }
}

fn decode_commit(value: &[u8]) -> Result<Commit, String> {
    Commit::decode(Bytes::copy_from_slice(value)).map_err(|e| e.to_string())
}

fn decode_statement(value: &[u8]) -> Result<Statement, String> {
    Statement::decode(value).map_err(|e| e.to_string())
}

fn decode_certificate(value: &[u8]) -> Result<Certificate, String> {
    Certificate::decode(Bytes::copy_from_slice(value)).map_err(|e| e.to_string())
}

fn decode_checkpoint(key: &[u8], value: &[u8]) -> Result<(Height, Bytes), String> {
    let height = read_number(key).ok_or("a key is no height")?;
    Ok((Height(height), Bytes::copy_from_slice(value)))
}

#[cfg(test)]
mod tests;
