//! Bounded reads. Nothing is ever read "to the end": a scan returns a page, at most so many entries
//! and so many bytes, and a cursor that goes on where it ended. A cursor is the last key returned; a
//! scan never leaves its own range, so that a cursor made up by a client reads nothing else.

use crate::error::StoreError;
use crate::schema::{Family, after_prefix, number_key};
use crate::store::Store;
use rocksdb::{DBRawIterator, ReadOptions};
use std::fmt;
use std::str::FromStr;
use weft_types::{CommitIndex, Height, ObjectId};

/// Most entries of one page.
pub const PAGE_ENTRIES_MAX: usize = 10_000;
/// Keys and values of one page, in bytes. Its last entry may go beyond, so that every page has one.
pub const PAGE_BYTES_MAX: usize = 8 << 20;
/// Longest cursor in bytes; its text has twice as many characters.
pub const CURSOR_BYTES_MAX: usize = 512;

/// Where a page ended. Its text is hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cursor is not 2 to {} hexadecimal digits", 2 * CURSOR_BYTES_MAX)]
pub struct CursorError;

impl Cursor {
    /// After this commit, for commits.
    pub fn commit(index: CommitIndex) -> Self {
        Self(number_key(index.0).to_vec())
    }

    /// After this height, for statements, certificates and checkpoints.
    pub fn height(height: Height) -> Self {
        Self(number_key(height.0).to_vec())
    }

    /// After this object.
    pub fn object(object: &ObjectId) -> Self {
        Self(object.to_bytes().to_vec())
    }

    /// After this whole key (prefix included), for indexes.
    pub fn index(key: &[u8]) -> Self {
        Self(key.to_vec())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let fits = (2..=2 * CURSOR_BYTES_MAX).contains(&text.len());
        let bytes = fits.then(|| hex::decode(text).ok()).flatten();
        bytes.map(Self).ok_or(CursorError)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    #[default]
    Ascending,
    Descending,
}

/// Which page to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    order: Order,
    after: Option<Cursor>,
    limit: usize,
}

impl PageRequest {
    /// The first `limit` entries, at least 1 and at most [`PAGE_ENTRIES_MAX`].
    pub fn ascending(limit: usize) -> Self {
        Self {
            order: Order::Ascending,
            after: None,
            limit: limit.clamp(1, PAGE_ENTRIES_MAX),
        }
    }

    /// The last `limit` entries, the last one first.
    pub fn descending(limit: usize) -> Self {
        Self {
            order: Order::Descending,
            ..Self::ascending(limit)
        }
    }

    /// Goes on behind (descending: before) the cursor, which itself is not returned again.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }
}

/// A piece of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Set exactly when there are more entries.
    pub next: Option<Cursor>,
}

/// The keys that a scan may see.
pub(crate) struct Range {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl Range {
    pub fn all() -> Self {
        Self::prefix(&[])
    }

    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            start: prefix.to_vec(),
            end: after_prefix(prefix),
        }
    }

    /// From `start` on, as far as `prefix` reaches.
    pub fn from(start: &[u8], prefix: &[u8]) -> Self {
        Self {
            start: start.to_vec(),
            end: after_prefix(prefix),
        }
    }

    /// From `start` on, up to and with whatever begins with `last`.
    pub fn between(start: &[u8], last: &[u8]) -> Self {
        Self {
            start: start.to_vec(),
            end: after_prefix(last),
        }
    }

    /// All keys below `end`.
    pub fn below(end: &[u8]) -> Self {
        Self {
            start: Vec::new(),
            end: Some(end.to_vec()),
        }
    }
}

impl Store {
    /// Reads a page, decoding each entry; an entry that does not decode is damage.
    pub(crate) fn scan<T>(
        &self,
        family: Family,
        range: Range,
        request: &PageRequest,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, String>,
    ) -> Result<Page<T>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(range.start);
        if let Some(end) = range.end {
            options.set_iterate_upper_bound(end);
        }
        let mut iterator = self.raw_iterator(family, options);
        seek(&mut iterator, request);

        let mut entries = Vec::new();
        let (mut bytes, mut last, mut next) = (0, Vec::new(), None);
        while let Some((key, value)) = iterator.item() {
            if entries.len() == request.limit || bytes >= PAGE_BYTES_MAX {
                next = Some(Cursor(last));
                break;
            }
            entries.push(decode(key, value).map_err(|reason| StoreError::Damaged {
                family: family.name(),
                reason,
            })?);
            bytes += key.len() + value.len();
            last = key.to_vec();
            step(&mut iterator, request.order);
        }
        iterator.status().map_err(|e| StoreError::Read {
            family: family.name(),
            reason: e.into_string(),
        })?;
        Ok(Page { entries, next })
    }

    /// The entry with the greatest key.
    pub(crate) fn last<T>(
        &self,
        family: Family,
        decode: impl Fn(&[u8], &[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, StoreError> {
        let page = self.scan(family, Range::all(), &PageRequest::descending(1), decode)?;
        Ok(page.entries.into_iter().next())
    }
}

/// To the first entry that the page may have.
fn seek(iterator: &mut DBRawIterator<'_>, request: &PageRequest) {
    match (&request.after, request.order) {
        (None, Order::Ascending) => iterator.seek_to_first(),
        (None, Order::Descending) => iterator.seek_to_last(),
        (Some(cursor), Order::Ascending) => iterator.seek(&cursor.0),
        (Some(cursor), Order::Descending) => iterator.seek_for_prev(&cursor.0),
    }
    let seen = |c: &Cursor| iterator.key() == Some(&c.0);
    if request.after.as_ref().is_some_and(seen) {
        step(iterator, request.order);
    }
}

fn step(iterator: &mut DBRawIterator<'_>, order: Order) {
    match order {
        Order::Ascending => iterator.next(),
        Order::Descending => iterator.prev(),
    }
}

#[cfg(test)]
mod tests;
