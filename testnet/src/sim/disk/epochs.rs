//! E2: which epoch a disk stands in, and what it remembers of those before (`node/src/driver/epochs.rs`).

use super::{Disk, Span, Undo};
use crate::sim::time::Time;
use std::sync::Arc;
use weft_node::replica::restore::{RestoreError, in_office};
use weft_types::{
    Certificate, CommitIndex, Committee, Epoch, Genesis, Height, Object, ObjectId, Roster,
    RosterId, Verified,
};

pub const ROSTER: ObjectId = ObjectId::Roster(RosterId::THE_ONE);

/// An epoch's committee, and what closed the epoch before.
pub type Opened = (Arc<Committee>, Arc<Verified<Certificate>>);

/// Where a restart begins.
pub struct Standing {
    pub committee: Arc<Committee>,
    /// Those before it, as far as they are known.
    pub earlier: Vec<Arc<Committee>>,
    /// The last commit of the epoch before.
    pub after: CommitIndex,
}

impl Disk {
    /// Remembers an epoch, synced.
    pub fn put_epoch(&mut self, opened: Opened, (begins, durable): Span, now: Time) {
        let epoch = opened.0.epoch();
        if self.epochs.insert(epoch, opened).is_none() {
            self.wrote(begins, Undo::Epoch(epoch));
        }
        self.sync(durable, now);
    }

    pub fn roster(&self) -> Option<Arc<Roster>> {
        let mut newest_first = self.commits.iter().rev().flat_map(|c| &c.changes);
        if let Some(change) = newest_first.find(|c| c.id == ROSTER) {
            return change.after.as_ref().and_then(Object::as_roster).cloned();
        }
        let stored = self.before.objects.get(&ROSTER)?;
        let object = Object::decode(&ROSTER, stored.clone()).ok()?;
        object.as_roster().cloned()
    }

    /// The epoch that the disk stands in; remembers it, if power has failed before that.
    pub fn standing(&mut self, genesis: &Genesis) -> Result<Standing, RestoreError> {
        let inconsistent = |e: &dyn std::fmt::Display| RestoreError::Inconsistent(e.to_string());
        let last = self.commits.last();
        let last = last.ok_or_else(|| inconsistent(&"the disk has no genesis"))?;
        let certificate = self.newest_certificate();
        let newest = certificate.as_ref().map(|c| &***c);
        let (committee, after) =
            in_office(genesis, self.roster().as_deref(), &last.commit, newest)?;
        let (committee, epoch) = (Arc::new(committee), self.newest_epoch());
        let closes =
            |c: &&Arc<Verified<Certificate>>| c.statement.epoch.next() == committee.epoch();
        if let Some(by) = certificate.as_ref().filter(closes)
            && epoch < committee.epoch()
        {
            let opened = (committee.clone(), by.clone());
            self.epochs.insert(committee.epoch(), opened);
        }
        let first = genesis.committee().map_err(|e| inconsistent(&e))?;
        let later = self.epochs.values().map(|(committee, _)| committee.clone());
        let earlier = std::iter::once(Arc::new(first)).chain(later);
        let before = |c: &Arc<Committee>| c.epoch() < committee.epoch();
        Ok(Standing {
            earlier: earlier.filter(before).collect(),
            committee,
            after,
        })
    }

    fn newest_epoch(&self) -> Epoch {
        let newest = self.epochs.last_key_value();
        newest.map_or(Epoch::ZERO, |(epoch, _)| *epoch)
    }

    /// E3: what closed an epoch, if it is here.
    pub fn closing(&self, epoch: Epoch) -> Option<&Arc<Verified<Certificate>>> {
        self.epochs.get(&epoch.next()).map(|(_, by)| by)
    }

    /// B2: the certificates that closed epochs above a height, ascending.
    pub fn closings(&self, above: Height) -> impl Iterator<Item = &Arc<Verified<Certificate>>> {
        let by = self.epochs.values().map(|(_, by)| by);
        by.filter(move |by| by.statement.height > above)
    }
}
