//! W4: which certificates a committee has made, as far as a file shows it: the genesis' committee is known, each later
//! one is named by a certificate of the one before.

use super::record::Opened;
use super::replay::Unusable;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::{Certificate, Committee, Epoch, Genesis, MemberSet, Network, Statement, Verified};

/// Epochs that a file may lead through.
const EPOCHS_MAX: usize = 1 << 20;

/// The committees of a network, by epoch.
pub struct Committees {
    network: Network,
    by_epoch: BTreeMap<Epoch, Arc<Committee>>,
}

impl Committees {
    pub fn genesis(genesis: &Genesis) -> Result<Self, Unusable> {
        let first = genesis.committee();
        let first = first.map_err(|e| Unusable::new(format!("genesis: {e}")))?;
        Ok(Self {
            network: genesis.network,
            by_epoch: BTreeMap::from([(Epoch::ZERO, Arc::new(first))]),
        })
    }

    pub fn of(&self, epoch: Epoch) -> Result<&Arc<Committee>, Unusable> {
        let found = self.by_epoch.get(&epoch);
        found.ok_or_else(|| {
            Unusable::new(format!("it does not show the committee of epoch {epoch}"))
        })
    }

    /// The next epoch.
    pub fn open(&mut self, opened: Opened) -> Result<(), Unusable> {
        let of = self.by_epoch.len() as u64;
        let epoch = Epoch(of);
        if self.by_epoch.len() >= EPOCHS_MAX {
            return Err(Unusable::new("it has too many epochs"));
        }
        let wrong =
            |e: &dyn std::fmt::Display| Unusable::new(format!("committee of epoch {epoch}: {e}"));
        let committee = Committee::new(epoch, opened.members).map_err(|e| wrong(&e))?;
        let by = Certificate::try_from(opened.by).map_err(|e| wrong(&e))?;
        let closes = by.statement.next_committee == committee.digest();
        let by = self.verify("closing", by)?;
        if !closes || by.statement.epoch.next() != epoch {
            return Err(wrong(&"it is not the one that the epoch before has named"));
        }
        self.by_epoch.insert(epoch, Arc::new(committee));
        Ok(())
    }

    /// What a quorum has signed.
    pub fn verify(
        &self,
        which: &str,
        certificate: Certificate,
    ) -> Result<Verified<Certificate>, Unusable> {
        let committee = self.of(certificate.statement.epoch)?;
        let height = certificate.statement.height;
        let verified = certificate.verify(&self.network, committee);
        verified
            .map_err(|e| Unusable::new(format!("the {which} certificate of height {height}: {e}")))
    }

    /// The ids in the registry of those who have signed.
    pub fn signers(&self, certificate: &Certificate) -> Result<Vec<u64>, Unusable> {
        let committee = self.of(certificate.statement.epoch)?;
        let signers = MemberSet::from_bitmap(&certificate.bitmap, committee.size());
        let signers = signers.unwrap_or_default();
        let ids = signers.iter().filter_map(|m| committee.member(m));
        Ok(ids.map(|member| member.id).collect())
    }

    /// Whether the one was signed after the other: by its height, within and across epochs.
    pub fn is_before(earlier: &Statement, later: &Statement) -> bool {
        earlier.height < later.height && earlier.epoch <= later.epoch
    }
}
