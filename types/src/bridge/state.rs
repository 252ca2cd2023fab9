//! The ledger's side of the bridge, an object of the state: so a snapshot has it, and a restart.

use super::{AppendTree, Deposit, DepositReport};
use crate::ids::Root;

/// How far deposits are credited, what members have reported since, and the tree of withdrawals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// How many deposits are credited.
    pub processed: u64,
    /// Their running digest.
    pub digest: Root,
    /// What a quorum has reported, and nobody has brought the deposits for yet.
    pub agreed: Option<DepositReport>,
    /// The newest report of each member, by its id, beyond what is credited; ascending.
    pub reports: Vec<(u64, DepositReport)>,
    pub withdrawals: AppendTree,
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            processed: 0,
            digest: Deposit::digest_start(),
            agreed: None,
            reports: Vec::new(),
            withdrawals: AppendTree::default(),
        }
    }
}

impl Bridge {
    /// Puts a member's report in the place of its last one.
    pub fn report(&mut self, member: u64, report: DepositReport) {
        match self.reports.binary_search_by_key(&member, |(id, _)| *id) {
            Ok(i) => self.reports[i].1 = report,
            Err(i) => self.reports.insert(i, (member, report)),
        }
    }

    /// Those who have reported the same last.
    pub fn reporters(&self, report: DepositReport) -> impl Iterator<Item = u64> + '_ {
        let same = move |(_, other): &&(u64, DepositReport)| *other == report;
        self.reports.iter().filter(same).map(|(id, _)| *id)
    }

    /// Whether these deposits are just those that follow, up to what is agreed.
    pub fn reaches_agreed(&self, deposits: &[Deposit]) -> bool {
        let Some(agreed) = self.agreed else {
            return false;
        };
        if self.processed.checked_add(deposits.len() as u64) != Some(agreed.count) {
            return false;
        }
        let numbered = deposits.iter().zip(self.processed + 1..);
        let digest = numbered.fold(self.digest, |d, (deposit, i)| deposit.extend(&d, i));
        digest == agreed.digest
    }

    /// Takes the deposits up to what is agreed as credited.
    pub fn credit_agreed(&mut self) {
        if let Some(agreed) = self.agreed.take() {
            self.processed = agreed.count;
            self.digest = agreed.digest;
            self.reports.retain(|(_, r)| r.count > agreed.count);
        }
    }
}
