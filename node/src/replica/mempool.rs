//! Transactions that wait to be ordered, in order of arrival, bounded in bytes. A transaction leaves
//! for a vertex, and is forgotten when that vertex is ordered; when the vertex can no longer be
//! ordered (it fell behind the GC round) its transactions wait again. What is forgotten too early
//! costs a client a resubmission; what is proposed twice is applied once all the same (O3).

use crate::api::Refusal;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use weft_types::{Millis, Round, Transaction, TransactionId, Verified};

type Pending = Arc<Verified<Transaction>>;

/// Waiting and proposed transactions together, in encoded bytes.
#[derive(Debug)]
pub struct Mempool {
    bytes_max: usize,
    bytes: usize,
    known: HashSet<TransactionId>,
    waiting: VecDeque<Pending>,
    proposed: BTreeMap<Round, Vec<Pending>>,
}

impl Mempool {
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            known: HashSet::new(),
            waiting: VecDeque::new(),
            proposed: BTreeMap::new(),
        }
    }

    /// Takes a transaction in; one that waits already is taken once.
    pub fn insert(&mut self, transaction: Pending) -> Result<(), Refusal> {
        if self.known.contains(&transaction.id()) {
            return Ok(());
        }
        let bytes = self.bytes + transaction.encoded().len();
        if bytes > self.bytes_max {
            return Err(Refusal::Full {
                bytes: self.bytes,
                bytes_max: self.bytes_max,
            });
        }
        self.bytes = bytes;
        self.known.insert(transaction.id());
        self.waiting.push_back(transaction);
        Ok(())
    }

    /// The oldest transactions within the bounds, for the vertex of `round`. Those that have expired
    /// are dropped on the way.
    pub fn take(
        &mut self,
        round: Round,
        now: Millis,
        count_max: usize,
        bytes_max: usize,
    ) -> Vec<Pending> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            let size = next.encoded().len();
            let expired = next.body().valid_until < now;
            if !expired && (taken.len() == count_max || bytes + size > bytes_max) {
                break;
            }
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            if expired {
                self.forget(&next);
                continue;
            }
            bytes += size;
            taken.push(next);
        }
        if !taken.is_empty() {
            self.proposed.insert(round, taken.clone());
        }
        taken
    }

    /// The own vertex of `round` was ordered: its transactions have their outcome.
    pub fn ordered(&mut self, round: Round) {
        for transaction in self.proposed.remove(&round).unwrap_or_default() {
            self.forget(&transaction);
        }
    }

    /// The own vertex of `round` can no longer be ordered: its transactions wait again, before
    /// younger ones.
    pub fn reclaim(&mut self, round: Round) {
        let lost = self.proposed.remove(&round).unwrap_or_default();
        for transaction in lost.into_iter().rev() {
            self.waiting.push_front(transaction);
        }
    }

    fn forget(&mut self, transaction: &Transaction) {
        self.known.remove(&transaction.id());
        self.bytes -= transaction.encoded().len();
    }

    /// Whether anything waits or is proposed but not ordered (R2).
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Encoded bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{Operation, testing};

    fn pending(n: u64) -> Pending {
        let operation = Operation::Burn {
            items: vec![weft_types::ItemId([1; 32])],
        };
        let transaction = testing::transaction(1, n, vec![operation]);
        Arc::new(transaction.verify(testing::network().id()).unwrap())
    }

    fn filled(count: u64) -> Mempool {
        let mut mempool = Mempool::new(1 << 20);
        for n in 0..count {
            mempool.insert(pending(n)).unwrap();
        }
        mempool
    }

    fn take(mempool: &mut Mempool, round: u64, count: usize) -> Vec<TransactionId> {
        let taken = mempool.take(Round(round), Millis(0), count, 1 << 20);
        taken.iter().map(|t| t.id()).collect()
    }

    #[test]
    fn transactions_leave_in_order_of_arrival_within_both_bounds() {
        let mut mempool = filled(5);
        let ids: Vec<_> = (0..5).map(|n| pending(n).id()).collect();
        assert_eq!(take(&mut mempool, 1, 2), ids[..2]);
        let size = pending(0).encoded().len();
        let by_bytes = mempool.take(Round(2), Millis(0), 9, size * 2 + 1);
        assert_eq!(by_bytes.len(), 2);
        assert_eq!(take(&mut mempool, 3, 9), ids[4..]);
    }

    #[test]
    fn the_same_transaction_waits_once() {
        let mut mempool = filled(1);
        mempool.insert(pending(0)).unwrap();
        assert_eq!(take(&mut mempool, 1, 9).len(), 1);
        mempool.insert(pending(0)).unwrap();
        assert!(take(&mut mempool, 2, 9).is_empty(), "proposed already");
    }

    #[test]
    fn a_full_mempool_refuses_and_takes_again_once_something_was_ordered() {
        let size = pending(0).encoded().len();
        let mut mempool = Mempool::new(2 * size);
        mempool.insert(pending(0)).unwrap();
        mempool.insert(pending(1)).unwrap();
        let (bytes, bytes_max) = (2 * size, 2 * size);
        let refused = mempool.insert(pending(2));
        assert_eq!(refused, Err(Refusal::Full { bytes, bytes_max }));
        take(&mut mempool, 1, 1);
        mempool.ordered(Round(1));
        mempool.insert(pending(2)).unwrap();
    }

    #[test]
    fn transactions_of_a_vertex_that_was_never_ordered_wait_again_first() {
        let mut mempool = filled(3);
        let ids = take(&mut mempool, 5, 2);
        assert_eq!(
            take(&mut mempool, 6, 1).len(),
            1,
            "round 5 may still be ordered"
        );
        mempool.reclaim(Round(5));
        assert_eq!(take(&mut mempool, 7, 9), ids);
    }

    #[test]
    fn expired_transactions_are_dropped_instead_of_proposed() {
        let mut mempool = filled(3);
        assert!(
            mempool
                .take(Round(1), Millis(60_001), 9, 1 << 20)
                .is_empty()
        );
        assert!(mempool.is_empty());
        assert_eq!(mempool.bytes(), 0);
    }
}
