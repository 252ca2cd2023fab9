//! Transactions that wait for a block: by sender and nonce, taken in the order in which they came as
//! far as nonces allow. Bounded in number and bytes; at the bound new ones are refused, so that
//! nothing taken is lost to a later one.

use super::limits::{POOL_BYTES_MAX, POOL_SECONDS_MAX, POOL_TRANSACTIONS_MAX};
use super::transaction::{SubmitError, fees};
use alloy::consensus::transaction::Recovered;
use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, B256};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
struct Waiting {
    transaction: Recovered<TxEnvelope>,
    arrival: u64,
    /// Chain time of the arrival, in seconds.
    since: u64,
    bytes: usize,
}

#[derive(Debug, Clone, Default)]
pub struct Pool {
    waiting: BTreeMap<(Address, u64), Waiting>,
    arrivals: u64,
    bytes: usize,
}

/// What the next transaction of a block must fit.
pub struct Room {
    pub base_fee: u64,
    pub gas: u64,
}

impl Pool {
    pub fn find(&self, hash: &B256) -> Option<&Recovered<TxEnvelope>> {
        let mut waiting = self.waiting.values().map(|w| &w.transaction);
        waiting.find(|transaction| transaction.inner().tx_hash() == hash)
    }

    /// Takes a checked transaction. One with the nonce of another replaces it for a tenth more.
    pub fn insert(
        &mut self,
        transaction: Recovered<TxEnvelope>,
        now: u64,
    ) -> Result<(), SubmitError> {
        let key = (transaction.signer(), transaction.nonce());
        let bytes = transaction.inner().encode_2718_len();
        let replaced = self.waiting.get(&key);
        if let Some(other) = replaced {
            if other.transaction.inner().tx_hash() == transaction.inner().tx_hash() {
                return Err(SubmitError::AlreadyKnown);
            }
            let tenth_more = |n: u128| n.saturating_add(n.div_ceil(10));
            let (other_fee, other_tip) = fees(&other.transaction);
            let (fee, tip) = (tenth_more(other_fee), tenth_more(other_tip));
            let offered = fees(&transaction);
            if offered.0 < fee || offered.1 < tip {
                return Err(SubmitError::Underpriced { fee, tip });
            }
        }
        let (count, freed) = replaced.map_or((self.waiting.len(), 0), |other| {
            (self.waiting.len() - 1, other.bytes)
        });
        if count >= POOL_TRANSACTIONS_MAX || self.bytes - freed + bytes > POOL_BYTES_MAX {
            return Err(SubmitError::PoolFull {
                transactions: self.waiting.len(),
                bytes: self.bytes,
            });
        }
        self.arrivals += 1;
        let waiting = Waiting {
            transaction,
            arrival: self.arrivals,
            since: now,
            bytes,
        };
        self.bytes = self.bytes - freed + bytes;
        self.waiting.insert(key, waiting);
        Ok(())
    }

    /// The first that came among those whose turn it is and that fit.
    fn next(&self, next_nonce: impl Fn(Address) -> u64, room: &Room) -> Option<(Address, u64)> {
        let ready = self.waiting.iter().filter(|((sender, nonce), waiting)| {
            waiting.transaction.max_fee_per_gas() >= u128::from(room.base_fee)
                && waiting.transaction.gas_limit() <= room.gas
                && *nonce == next_nonce(*sender)
        });
        let first = ready.min_by_key(|(_, waiting)| waiting.arrival)?;
        Some(*first.0)
    }

    /// Whether a block could hold any of them.
    pub fn is_ready(&self, next_nonce: impl Fn(Address) -> u64, room: &Room) -> bool {
        self.next(next_nonce, room).is_some()
    }

    /// Removes and returns the next for a block.
    pub fn take(
        &mut self,
        next_nonce: impl Fn(Address) -> u64,
        room: &Room,
    ) -> Option<Recovered<TxEnvelope>> {
        let key = self.next(next_nonce, room)?;
        let waiting = self.waiting.remove(&key)?;
        self.bytes -= waiting.bytes;
        Some(waiting.transaction)
    }

    pub fn remove(&mut self, hash: &B256) {
        let mut waiting = self.waiting.iter();
        let found = waiting.find(|(_, w)| w.transaction.inner().tx_hash() == hash);
        let key = found.map(|(key, _)| *key);
        if let Some(removed) = key.and_then(|key| self.waiting.remove(&key)) {
            self.bytes -= removed.bytes;
        }
    }

    /// The nonce after the sender's transactions that wait without a gap from `next` on.
    pub fn nonce_after(&self, sender: Address, mut next: u64) -> u64 {
        while self.waiting.contains_key(&(sender, next)) {
            next += 1;
        }
        next
    }

    /// Drops what can no longer be executed, and what has waited too long.
    pub fn purge(&mut self, next_nonce: impl Fn(Address) -> u64, now: u64) {
        let mut bytes = 0;
        self.waiting.retain(|(sender, nonce), waiting| {
            let stays = *nonce >= next_nonce(*sender)
                && now.saturating_sub(waiting.since) <= POOL_SECONDS_MAX;
            bytes += if stays { waiting.bytes } else { 0 };
            stays
        });
        self.bytes = bytes;
    }
}
