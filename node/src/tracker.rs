//! Follows the transactions that were submitted here until they are ordered, and wakes those who
//! wait. What is ordered is answered from the store's receipts, so the tracker remembers only what
//! has no receipt yet, and how far certification and anchoring have come.
//!
//! The driver reports in this order: a commit's batch is in the store, then readers have the new
//! view, then [`Tracker::on_commit`]. So a transaction that is entered here *after* the replica took
//! it, and is then looked up in the store, is never missed: either its receipt is there already, or
//! the report is still to come.

use crate::metrics::{Metrics, TransactionResult};
use dashmap::DashMap;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{oneshot, watch};
use weft_types::{CommitIndex, Height, Millis, TransactionId};

/// Most transactions followed at a time: about 64 MiB. At the bound, submissions are refused.
pub const TRACKED_MAX: usize = 400_000;
/// Expired transactions that are still known as such; the oldest are forgotten first.
pub const EXPIRED_MAX: usize = 65_536;
/// Most requests waiting for one transaction.
pub const WAITERS_MAX: usize = 16;
/// Heights whose commits are remembered; older ones are looked up in the store.
const HEIGHTS_MAX: usize = 4_096;
/// Latencies under measurement; beyond it the oldest are not measured.
const UNCERTIFIED_MAX: usize = 65_536;
/// Commit time between two searches for expired transactions.
const EXPIRY_INTERVAL: Millis = Millis(1_000);

/// What ends the waiting for a transaction's place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has a receipt in the store.
    Ordered,
    /// Its validity passed; it never will be ordered.
    Expired,
}

/// What is known of a transaction without a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unordered {
    Submitted,
    Expired,
}

/// Certification and anchoring, each as the height and the last commit that it covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub certified: (Height, CommitIndex),
    pub anchored: (Height, CommitIndex),
}

/// The bound [`TRACKED_MAX`] is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} transactions wait to be ordered, as many as the node follows")]
pub struct TrackerFull(pub usize);

struct Pending {
    since: Instant,
    valid_until: Millis,
    waiters: Vec<oneshot::Sender<Outcome>>,
}

/// Shared by the API and the driver.
pub struct Tracker {
    pending: DashMap<TransactionId, Pending>,
    tracked_max: usize,
    expired: Mutex<Expired>,
    progress: watch::Sender<Progress>,
    /// The last commit of each recent certified height.
    heights: Mutex<BTreeMap<CommitIndex, Height>>,
    /// When the transactions of commits without a certificate were submitted, for the latency.
    uncertified: Mutex<VecDeque<(CommitIndex, Instant)>>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Expired {
    looked_at: Millis,
    ids: HashSet<TransactionId>,
    /// The same, the oldest first.
    order: VecDeque<TransactionId>,
}

impl Expired {
    fn insert(&mut self, id: TransactionId) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > EXPIRED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

/// A panic while such a lock is held leaves nothing half done that readers could see.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tracker {
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self::with_limit(metrics, TRACKED_MAX)
    }

    pub fn with_limit(metrics: Arc<Metrics>, tracked_max: usize) -> Self {
        Self {
            pending: DashMap::new(),
            tracked_max,
            expired: Mutex::default(),
            progress: watch::Sender::default(),
            heights: Mutex::default(),
            uncertified: Mutex::default(),
            metrics,
        }
    }

    /// Enters a transaction that the replica has taken; it was on its way since then. The caller looks
    /// for its receipt afterwards, and calls [`Tracker::ordered`] when it finds one.
    pub fn submitted(&self, id: TransactionId, valid_until: Millis, since: Instant) {
        self.pending.entry(id).or_insert(Pending {
            since,
            valid_until,
            waiters: Vec::new(),
        });
    }

    /// Whether `more` transactions may be entered.
    pub fn has_room(&self, more: usize) -> Result<(), TrackerFull> {
        let tracked = self.pending.len();
        if tracked.saturating_add(more) <= self.tracked_max {
            return Ok(());
        }
        Err(TrackerFull(tracked))
    }

    /// A signal for when a transaction is ordered or expires; `None` when it is not followed, or too
    /// many wait for it already.
    pub fn wait(&self, id: &TransactionId) -> Option<oneshot::Receiver<Outcome>> {
        let mut pending = self.pending.get_mut(id)?;
        // Those who gave up make room.
        pending.waiters.retain(|w| !w.is_closed());
        if pending.waiters.len() >= WAITERS_MAX {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        pending.waiters.push(sender);
        Some(receiver)
    }

    /// What is known of a transaction that has no receipt.
    pub fn unordered(&self, id: &TransactionId) -> Option<Unordered> {
        if self.pending.contains_key(id) {
            return Some(Unordered::Submitted);
        }
        let expired = lock(&self.expired).ids.contains(id);
        expired.then_some(Unordered::Expired)
    }

    /// Transactions followed at the moment.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// A transaction has a receipt in the store, of this commit.
    pub fn ordered(&self, id: &TransactionId, commit: CommitIndex) {
        let Some((_, pending)) = self.pending.remove(id) else {
            return;
        };
        self.metrics.commit_latency(pending.since.elapsed());
        let mut uncertified = lock(&self.uncertified);
        uncertified.push_back((commit, pending.since));
        if uncertified.len() > UNCERTIFIED_MAX {
            uncertified.pop_front();
        }
        drop(uncertified);
        wake(pending, Outcome::Ordered);
    }

    /// A commit's batch is in the store and readers have its view.
    pub fn on_commit(
        &self,
        commit: CommitIndex,
        timestamp: Millis,
        ordered: impl IntoIterator<Item = TransactionId>,
    ) {
        if self.pending.is_empty() {
            return;
        }
        for id in ordered {
            self.ordered(&id, commit);
        }
        self.expire(timestamp);
    }

    /// O3: timestamps of commits never go back, so what a commit's timestamp has passed is never
    /// applied later.
    fn expire(&self, timestamp: Millis) {
        let mut expired = lock(&self.expired);
        if timestamp < expired.looked_at.saturating_add(EXPIRY_INTERVAL.0) {
            return;
        }
        expired.looked_at = timestamp;
        let over = self.pending.iter();
        let over: Vec<TransactionId> = over
            .filter(|pending| pending.valid_until < timestamp)
            .map(|pending| *pending.key())
            .collect();
        for id in &over {
            // Known as expired before it stops being known as submitted.
            expired.insert(*id);
            if let Some((_, pending)) = self.pending.remove(id) {
                wake(pending, Outcome::Expired);
            }
        }
        let expired = over.len() as u64;
        self.metrics.count(TransactionResult::Expired, expired);
    }

    /// A height has its certificate, which covers all commits up to `commit`.
    pub fn on_certified(&self, height: Height, commit: CommitIndex) {
        let mut heights = lock(&self.heights);
        heights.insert(commit, height);
        while heights.len() > HEIGHTS_MAX {
            heights.pop_first();
        }
        drop(heights);
        let mut uncertified = lock(&self.uncertified);
        while uncertified.front().is_some_and(|(c, _)| *c <= commit) {
            if let Some((_, since)) = uncertified.pop_front() {
                self.metrics.certify_latency(since.elapsed());
            }
        }
        drop(uncertified);
        self.progress.send_if_modified(|progress| {
            let newer = height > progress.certified.0;
            if newer {
                progress.certified = (height, commit);
            }
            newer
        });
    }

    /// The base chain has finalised a height's checkpoint.
    pub fn on_anchored(&self, height: Height, commit: CommitIndex) {
        self.progress.send_if_modified(|progress| {
            let newer = height > progress.anchored.0;
            if newer {
                progress.anchored = (height, commit);
            }
            newer
        });
    }

    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// For waiting until a commit is certified.
    pub fn watch_progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The height that first covered a commit, if it is among the recent ones.
    pub fn height_of(&self, commit: CommitIndex) -> Option<Height> {
        let heights = lock(&self.heights);
        let (_, height) = heights.range(commit..).next()?;
        // Without an earlier one here, an earlier one may have covered it too.
        let known_before = heights.range(..commit).next_back().is_some();
        (known_before || *height == Height(1)).then_some(*height)
    }
}

/// Waiters who went away in the meantime are no error.
fn wake(pending: Pending, outcome: Outcome) {
    for waiter in pending.waiters {
        let _gone = waiter.send(outcome);
    }
}

#[cfg(test)]
mod tests;
