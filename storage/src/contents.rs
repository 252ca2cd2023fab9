//! Content by its hash (A3): the bytes of images and metadata that the ledger names. They stand beside
//! the ledger: no commit needs them, and what is lost is fetched again. Lengths have a family of their
//! own, so that what there is can be listed without reading it.

use crate::error::StoreError;
use crate::page::{Page, PageRequest, Range};
use crate::schema::Family;
use crate::store::{Durability, Store};
use bytes::Bytes;
use rocksdb::WriteBatch;
use std::sync::PoisonError;
use weft_types::ContentHash;

/// What became of content that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Now,
    /// It was there.
    Before,
    /// There is no room. How many bytes there are.
    Full(u64),
}

impl Store {
    pub fn content(&self, hash: &ContentHash) -> Result<Option<Bytes>, StoreError> {
        self.get(Family::ContentBytes, &hash.0)
    }

    /// Whether it is there; its bytes are not read.
    pub fn has_content(&self, hash: &ContentHash) -> Result<bool, StoreError> {
        Ok(self.get(Family::Contents, &hash.0)?.is_some())
    }

    /// Bytes of all content.
    pub fn content_bytes(&self) -> u64 {
        *self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps content whose hash the caller has checked, unless all would have more than `bytes_max`.
    pub fn put_content(
        &self,
        hash: &ContentHash,
        bytes: &[u8],
        bytes_max: u64,
        durability: Durability,
    ) -> Result<Kept, StoreError> {
        // Held until it is written: no two may take the same room.
        let mut held = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_content(hash)? {
            return Ok(Kept::Before);
        }
        let after = held.saturating_add(bytes.len() as u64);
        if after > bytes_max {
            return Ok(Kept::Full(*held));
        }
        let mut batch = WriteBatch::default();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.put(&mut batch, Family::Contents, hash.0, length.to_be_bytes());
        self.put(&mut batch, Family::ContentBytes, hash.0, bytes);
        self.write(batch, durability)?;
        *held = after;
        Ok(Kept::Now)
    }

    /// All content with its length, by hash.
    pub fn contents(&self, page: &PageRequest) -> Result<Page<(ContentHash, u32)>, StoreError> {
        self.scan(Family::Contents, Range::all(), page, |key, value| {
            let hash = ContentHash::try_from(key).map_err(|e| e.to_string())?;
            let length = <[u8; 4]>::try_from(value).map_err(|_| "a length has not 4 bytes")?;
            Ok((hash, u32::from_be_bytes(length)))
        })
    }

    /// Deletes content; what is not there does no harm.
    pub fn delete_contents(&self, hashes: &[ContentHash]) -> Result<(), StoreError> {
        let mut held = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = WriteBatch::default();
        let mut gone = std::collections::BTreeMap::new();
        for hash in hashes {
            if let Some(length) = self.get(Family::Contents, &hash.0)? {
                let length = <[u8; 4]>::try_from(length.as_ref()).unwrap_or_default();
                gone.insert(hash, u64::from(u32::from_be_bytes(length)));
            }
        }
        for hash in gone.keys() {
            batch.delete_cf(self.handle(Family::Contents), hash.0);
            batch.delete_cf(self.handle(Family::ContentBytes), hash.0);
        }
        self.write(batch, Durability::Buffered)?;
        *held = held.saturating_sub(gone.values().sum());
        Ok(())
    }

    /// At the opening.
    pub(crate) fn count_contents(&self) -> Result<u64, StoreError> {
        let (mut sum, mut after) = (0, None);
        loop {
            let page = PageRequest::ascending(crate::PAGE_ENTRIES_MAX).after(after);
            let page = self.contents(&page)?;
            sum += page
                .entries
                .iter()
                .map(|(_, length)| u64::from(*length))
                .sum::<u64>();
            after = page.next;
            if after.is_none() {
                return Ok(sum);
            }
        }
    }
}

#[cfg(test)]
mod tests;
