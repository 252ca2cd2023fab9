//! O3: digests of the transactions that have had their outcome, each until its `valid_until` has
//! passed. They stand in buckets by `valid_until`, which is part of what the digest is of: a
//! transaction that comes again looks into the bucket of the first. A bucket is dropped when every
//! transaction in it would be refused as expired anyway, so it makes no difference when.

use std::collections::{BTreeMap, HashSet};
use weft_types::{Millis, TransactionId};

/// Most digests remembered at a time: 128 MiB of them. Beyond, transactions are refused until older
/// ones expire; it takes as many fees to get there.
pub const REMEMBERED_MAX: usize = 4 << 20;

/// Span of one bucket in milliseconds.
pub(crate) const BUCKET_MS: u64 = 1_000;

pub(crate) struct Remembered {
    buckets: BTreeMap<u64, HashSet<TransactionId>>,
    count: usize,
    limit: usize,
}

impl Remembered {
    pub fn new(limit: usize) -> Self {
        Self {
            buckets: BTreeMap::new(),
            count: 0,
            limit,
        }
    }

    pub fn contains(&self, id: &TransactionId, valid_until: Millis) -> bool {
        let bucket = self.buckets.get(&(valid_until.0 / BUCKET_MS));
        bucket.is_some_and(|b| b.contains(id))
    }

    pub fn insert(&mut self, id: TransactionId, valid_until: Millis) {
        let bucket = self.buckets.entry(valid_until.0 / BUCKET_MS).or_default();
        self.count += usize::from(bucket.insert(id));
    }

    /// Drops what has expired at `now`.
    pub fn forget(&mut self, now: Millis) {
        while let Some(bucket) = self.buckets.first_entry() {
            if *bucket.key() >= now.0 / BUCKET_MS {
                return;
            }
            self.count -= bucket.remove().len();
        }
    }

    pub fn is_full(&self) -> bool {
        self.count >= self.limit
    }

    pub fn len(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests;
