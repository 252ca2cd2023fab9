//! Transactions on their way into the mempool and out of it: whose turn it is to propose them (P2), and
//! what others have done about them (P3).

use super::{Effect, Replica};
use crate::api::Refusal;
use std::sync::Arc;
use weft_ledger::Applied;
use weft_types::{MemberSet, Millis, Transaction, TransactionId, Verified, Vertex};

impl Replica {
    /// Takes transactions into the mempool, each or not. Their client has given each to the first
    /// `copies` members of its order (P1); 0 is the same as 1.
    pub fn submit(
        &mut self,
        now: Millis,
        transactions: Vec<Arc<Verified<Transaction>>>,
        copies: usize,
        out: &mut Vec<Effect>,
    ) -> Vec<Result<(), Refusal>> {
        let refused = self.not_accepting();
        let quorum = self.core.quorum_round();
        let absent = match copies {
            0 | 1 => MemberSet::default(),
            _ => self.absent(),
        };
        let mut results = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            results.push(match &refused {
                Some(reason) => Err(Refusal::NotAccepting(reason.clone())),
                // It was ordered while it was verified.
                None if self.ledger.remembers(&transaction) => Ok(()),
                None => {
                    let before = self.before(&transaction.id(), copies, &absent);
                    self.mempool.insert(transaction, quorum, before)
                }
            });
        }
        self.run(now, out);
        results
    }

    /// P2: members that are not waited for: nothing recent is here of them, or they sign twice.
    fn absent(&self) -> MemberSet {
        let status = self.core.status();
        let absent = status.silent.iter().chain(status.equivocators.iter());
        absent.collect()
    }

    /// P2: how many have been given a transaction and come before this member.
    fn before(&self, id: &TransactionId, copies: usize, absent: &MemberSet) -> usize {
        let Some((own, _)) = self.own.as_ref().filter(|_| copies > 1) else {
            return 0;
        };
        let order = self.committee.proposers(id, copies);
        let place = order.iter().position(|m| m == own);
        let before = place.map_or(&[][..], |place| &order[..place]);
        before.iter().filter(|m| !absent.contains(**m)).count()
    }

    /// P3: what another member's vertex carries.
    pub(super) fn note_carried(&mut self, vertex: &Vertex) {
        let own = self.own.as_ref().map(|(own, _)| *own);
        if own.is_some_and(|own| own != vertex.author()) {
            self.mempool.accepted(vertex);
        }
    }

    /// P3: what a commit has brought. One that was void may be applied at another place, unless it was
    /// void because it had its outcome.
    pub(super) fn note_outcomes(&mut self, applied: &Applied) {
        if self.mempool.is_empty() {
            return;
        }
        for receipt in &applied.receipts {
            self.mempool.settled(&receipt.transaction);
        }
        for refused in &applied.refused {
            match refused.refusal {
                weft_ledger::Refusal::Replayed => self.mempool.settled(&refused.transaction),
                _ => self.mempool.void(&refused.transaction),
            }
        }
    }
}
