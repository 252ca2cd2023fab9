//! L53: data that somebody is about to post. They are kept before anything on the ledger names them, because a signature
//! says that they are here: bounded in bytes, and until the ledger no longer takes what was signed.
//!
//! Nothing goes before that time, for nobody's sake: else a flood of uploads could push out what a quorum has just signed
//! for, and the record would name bytes that nobody has. Who comes when it is full is refused. After a restart it is not
//! known what was signed for; so nothing unnamed goes until all of that is over.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use weft_storage::{Durability, Kept, Store, StoreError};
use weft_types::{
    Availability, AvailabilitySignature, Committee, ContentHash, MemberIndex, Millis, NetworkId,
    bls,
};

/// All data that are staged, each counted as [`ENTRY_BYTES_MIN`] at least.
pub const STAGED_BYTES_MAX: u64 = 64 << 20;
/// What a short one counts, so that there are not too many of them.
const ENTRY_BYTES_MIN: u64 = 4 << 10;
/// How far ahead of the ledger's time a signature may be taken by it.
pub const STAGED_MAX: Millis = Millis(600_000);

/// The data that this member has signed for, and the key that it signs with.
pub struct Staging {
    network: NetworkId,
    key: Option<bls::SecretKey>,
    /// Before then it may have signed for what nothing names.
    unknown_until: Millis,
    staged: Mutex<Staged>,
}

#[derive(Default)]
struct Staged {
    /// What each counts, and until when it stays.
    data: BTreeMap<ContentHash, (u64, Millis)>,
    bytes: u64,
}

/// What became of data that were brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    Signed(AvailabilitySignature),
    /// So many bytes are staged.
    Full(u64),
    /// So many bytes are in the store, as many as may.
    StoreFull(u64),
}

impl Staged {
    fn forget(&mut self, now: Millis) {
        self.data.retain(|_, (_, by)| *by > now);
        self.bytes = self.data.values().map(|(bytes, _)| bytes).sum();
    }

    fn remove(&mut self, hash: &ContentHash) {
        if let Some((bytes, _)) = self.data.remove(hash) {
            self.bytes -= bytes;
        }
    }

    /// Takes the room, or says how much is taken.
    fn add(&mut self, hash: ContentHash, size: u64, by: Millis) -> Result<(), u64> {
        let (before, until) = self.data.get(&hash).copied().unwrap_or_default();
        let counts = size.max(ENTRY_BYTES_MIN);
        let bytes = self.bytes - before + counts;
        if bytes > STAGED_BYTES_MAX {
            return Err(self.bytes);
        }
        self.bytes = bytes;
        self.data.insert(hash, (counts, by.max(until)));
        Ok(())
    }
}

impl Staging {
    /// At the ledger's time `now`. Without a key nothing is signed for.
    pub fn new(network: NetworkId, key: Option<bls::SecretKey>, now: Millis) -> Self {
        let unknown_until = match &key {
            // A power loss may set the ledger's time back a little.
            Some(_) => now.saturating_add(2 * STAGED_MAX.0),
            None => Millis::ZERO,
        };
        Self {
            network,
            key,
            unknown_until,
            staged: Mutex::default(),
        }
    }

    /// The member that signs here.
    pub fn member(&self, committee: &Committee) -> Option<MemberIndex> {
        let key = self.key.as_ref()?.public();
        let mut members = committee.indices();
        members.find(|i| committee.member(*i).is_some_and(|m| m.finality_key == key))
    }

    /// Keeps data whose hash the caller has checked, and signs for them: in this order, and the first one synced.
    /// `None` without a key.
    pub fn bring(
        &self,
        (store, bytes_max): (&Store, u64),
        claim: &Availability,
        bytes: &Bytes,
        now: Millis,
    ) -> Result<Option<Brought>, StoreError> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        // Held until it is written: else it could be swept away in between.
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        staged.forget(now);
        if let Err(full) = staged.add(claim.hash, bytes.len() as u64, claim.by) {
            return Ok(Some(Brought::Full(full)));
        }
        let kept = store.put_content(&claim.hash, bytes, bytes_max, Durability::Synced)?;
        match kept {
            Kept::Now => {}
            // Another member may have sent them, which is not synced.
            Kept::Before => store.sync()?,
            Kept::Full(held) => {
                staged.remove(&claim.hash);
                return Ok(Some(Brought::StoreFull(held)));
            }
        }
        let signature = claim.sign(self.network, key);
        Ok(Some(Brought::Signed(AvailabilitySignature(
            signature.to_bytes(),
        ))))
    }

    /// Deletes of what nothing named at the ledger's time `now` what was not signed for either.
    pub fn sweep(
        &self,
        store: &Store,
        unnamed: &[ContentHash],
        now: Millis,
    ) -> Result<(), StoreError> {
        if now < self.unknown_until {
            return Ok(());
        }
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        staged.forget(now);
        let gone = unnamed.iter().filter(|h| !staged.data.contains_key(*h));
        let gone: Vec<ContentHash> = gone.copied().collect();
        match gone.is_empty() {
            true => Ok(()),
            false => store.delete_contents(&gone),
        }
    }
}

#[cfg(test)]
mod tests;
