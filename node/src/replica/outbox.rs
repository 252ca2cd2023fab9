//! F2: the own shares that wait for the next own vertex. What fits into one vertex waits for it, whatever is
//! certified meanwhile: others may still lack a certificate of that very height, which S2.4 asks for. Beyond
//! that, shares of heights that a certificate covers go. So a node that catches up, and executes heights by
//! the thousand before it proposes again, keeps few.

use std::collections::VecDeque;
use weft_consensus::Buffer;
use weft_types::{FINALITY_SHARES_MAX, FinalityShare, Height};

/// The newest ones are kept, for a certificate covers what is below.
const SHARES_MAX: usize = 1024;
/// What one costs in memory.
const SHARE_BYTES: usize = size_of::<FinalityShare>();

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Ascending by height.
    shares: VecDeque<FinalityShare>,
}

impl Outbox {
    pub fn push(&mut self, share: FinalityShare) {
        if self.shares.len() == SHARES_MAX {
            self.shares.pop_front();
        }
        self.shares.push_back(share);
    }

    /// A certificate covers heights up to this one, which may be collecting signers (F3).
    pub fn certified(&mut self, height: Height) {
        let covered = |share: &FinalityShare| share.height < height;
        while self.shares.len() > FINALITY_SHARES_MAX && self.shares.front().is_some_and(covered) {
            self.shares.pop_front();
        }
    }

    /// The oldest ones, so many at the most.
    pub fn take(&mut self, most: usize) -> Vec<FinalityShare> {
        let most = most.min(self.shares.len());
        self.shares.drain(..most).collect()
    }

    /// They are of an epoch that is over.
    pub fn clear(&mut self) {
        self.shares.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }

    pub fn buffer(&self) -> Buffer {
        Buffer {
            name: "outbox",
            bytes: self.shares.len() * SHARE_BYTES,
            bytes_max: SHARES_MAX * SHARE_BYTES,
        }
    }
}

#[cfg(test)]
mod tests;
