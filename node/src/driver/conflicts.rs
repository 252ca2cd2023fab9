//! F4, BC21: two certificates for one height with different statements. Of those that come in the one is looked for that
//! contradicts what this node has; both are kept, and the contracts shown them.

use super::engine::{Command, Commands};
use super::{DriverError, epochs};
use crate::replica::Input;
use crate::replica::reporting::Case;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use weft_storage::{Durability, Store};
use weft_types::{
    Certificate, CertificateJson, Committee, Epoch, Genesis, Height, Member, MemberIndex,
    MemberSet, Verified,
};

/// The store's name for the first conflict. There is no second: the bridge is frozen for good by the first.
const NAME: &str = "conflict";
/// Of each sender one certificate that contradicts is looked at in so long: a check costs a pairing.
const JUDGED_EVERY: Duration = Duration::from_millis(200);

/// A certificate that contradicts this node's own statement, and the own one, if there is one of that height.
#[derive(Debug)]
pub struct Conflict {
    own: Option<Certificate>,
    other: Certificate,
    /// Of their epoch.
    pub committee: Committee,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    own: Option<CertificateJson>,
    other: CertificateJson,
    members: Vec<Member>,
}

impl Conflict {
    /// Both certificates, if there are two.
    pub fn pair(&self) -> Option<[&Certificate; 2]> {
        Some([self.own.as_ref()?, &self.other])
    }

    /// What is to be reported, if it can be.
    pub fn case(&self) -> Option<Case> {
        let statement = &self.pair()?[1].statement;
        let (epoch, height) = (statement.epoch, statement.height);
        Some(Case::Conflict { epoch, height })
    }

    /// Ids of the members that have signed both.
    pub fn culprits(&self) -> Vec<u64> {
        let size = self.committee.size();
        let signers = |c: &Certificate| MemberSet::from_bitmap(&c.bitmap, size).unwrap_or_default();
        let (Some(own), other) = (self.own.as_ref().map(signers), signers(&self.other)) else {
            return Vec::new();
        };
        let both = own.iter().filter(|member| other.contains(*member));
        both.filter_map(|m| self.committee.member(m))
            .map(|m| m.id)
            .collect()
    }

    /// The same with the own certificate, which was not there yet. `None` if it is no such one.
    fn completed(&self, own: &Certificate) -> Option<Self> {
        let (ours, theirs) = (&own.statement, &self.other.statement);
        let same = (ours.epoch, ours.height) == (theirs.epoch, theirs.height);
        (self.own.is_none() && same && ours != theirs).then(|| Self {
            own: Some(own.clone()),
            other: self.other.clone(),
            committee: self.committee.clone(),
        })
    }

    /// Keeps it, synced, unless there is one. What is kept is returned.
    pub fn keep(
        store: &Store,
        genesis: &Genesis,
        other: Verified<Certificate>,
    ) -> Result<Self, DriverError> {
        if let Some(kept) = Self::read(store)? {
            return Ok(kept);
        }
        let (epoch, height) = (other.statement.epoch, other.statement.height);
        let committee = committee_of(store, genesis, epoch)?;
        let committee = committee
            .ok_or_else(|| DriverError::Inconsistent(format!("no committee of epoch {epoch}")))?;
        let conflict = Self {
            own: store.certificate(height)?,
            other: other.into_inner(),
            committee: Committee::clone(&committee),
        };
        conflict.write(store)?;
        Ok(conflict)
    }

    fn write(&self, store: &Store) -> Result<(), DriverError> {
        let stored = Stored {
            own: self.own.as_ref().map(Certificate::to_json),
            other: self.other.to_json(),
            members: self.committee.members().to_vec(),
        };
        let value = serde_json::to_vec(&stored).map_err(|e| inconsistent(&e))?;
        Ok(store.put_meta(NAME, &value, Durability::Synced)?)
    }

    /// The one that is kept, if there is one.
    pub fn read(store: &Store) -> Result<Option<Self>, DriverError> {
        let Some(value) = store.meta(NAME)? else {
            return Ok(None);
        };
        let stored: Stored = serde_json::from_slice(&value).map_err(|e| inconsistent(&e))?;
        let read = |json| Certificate::try_from(json).map_err(|e| inconsistent(&e));
        let other = read(stored.other)?;
        let committee = Committee::new(other.statement.epoch, stored.members);
        Ok(Some(Self {
            own: stored.own.map(read).transpose()?,
            other,
            committee: committee.map_err(|e| inconsistent(&e))?,
        }))
    }

    /// The certificate that contradicts, verified again: a node that starts again stops again.
    pub fn verified(&self, genesis: &Genesis) -> Option<Verified<Certificate>> {
        self.other
            .clone()
            .verify(&genesis.network, &self.committee)
            .ok()
    }
}

/// Looks at certificates of heights that are executed here.
#[derive(Clone)]
pub struct Judge {
    store: Arc<Store>,
    genesis: Arc<Genesis>,
    in_office: watch::Receiver<Arc<Committee>>,
    /// What is kept.
    conflict: watch::Sender<Option<Arc<Conflict>>>,
    commands: Commands,
    judged: Arc<Mutex<BTreeMap<Option<MemberIndex>, Instant>>>,
    /// Members whose certificate is being looked at: of each one at a time.
    in_work: Arc<Mutex<BTreeSet<MemberIndex>>>,
}

impl Judge {
    pub fn new(
        store: Arc<Store>,
        genesis: Arc<Genesis>,
        in_office: watch::Receiver<Arc<Committee>>,
        conflict: watch::Sender<Option<Arc<Conflict>>>,
        commands: Commands,
    ) -> Self {
        Self {
            store,
            genesis,
            in_office,
            conflict,
            commands,
            judged: Arc::default(),
            in_work: Arc::default(),
        }
    }

    /// Looks at a member's certificate on the blocking pool; not at another of the same member meanwhile.
    pub fn start(&self, from: MemberIndex, bytes: Bytes) {
        let in_work = || self.in_work.lock().unwrap_or_else(PoisonError::into_inner);
        if !in_work().insert(from) {
            return;
        }
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            let looked = Certificate::decode(bytes).map(|c| this.look_at(Some(from), c));
            if let Ok(Err(error)) = looked {
                tracing::warn!(%error, "a certificate was not compared with the own statement");
            }
            let mut in_work = this.in_work.lock().unwrap_or_else(PoisonError::into_inner);
            in_work.remove(&from);
        });
    }

    /// Tells the replica of a certificate if it is one, and contradicts what was executed here. `from` is a member, or the base
    /// chain. Reads the store, and checks a signature if need be: not for the replica's thread.
    pub fn look_at(
        &self,
        from: Option<MemberIndex>,
        certificate: Certificate,
    ) -> Result<(), DriverError> {
        let height = certificate.statement.height;
        let Some(own) = self.store.statement(height)? else {
            return Ok(());
        };
        let is_own = own == certificate.statement;
        let is_wanted = !is_own || self.lacks_own() == Some(height);
        if !is_wanted || !self.may_judge(from) {
            return Ok(());
        }
        let epoch = certificate.statement.epoch;
        let in_office = self.in_office.borrow().clone();
        let committee = match in_office.epoch() == epoch {
            true => Some(in_office),
            false => committee_of(&self.store, &self.genesis, epoch)?,
        };
        let verified = committee
            .and_then(|committee| certificate.verify(&self.genesis.network, &committee).ok());
        if let Some(verified) = verified.as_ref().filter(|_| is_own) {
            return self.complete(verified);
        }
        if let Some(verified) = verified {
            let contradiction = Input::Contradiction(Box::new(verified));
            // Shown again, if the replica has no room.
            let _ = self.commands.try_send(Command(contradiction, None));
        }
        Ok(())
    }

    /// The height of a kept certificate to which the own one is missing: the contracts take no single one.
    pub fn lacks_own(&self) -> Option<Height> {
        let kept = self.conflict.borrow();
        let kept = kept.as_ref().filter(|c| c.own.is_none())?;
        Some(kept.other.statement.height)
    }

    /// BC21: the own certificate has come, after the one that contradicts it.
    fn complete(&self, own: &Certificate) -> Result<(), DriverError> {
        let kept = self.conflict.borrow().clone();
        let Some(complete) = kept.and_then(|kept| kept.completed(own)) else {
            return Ok(());
        };
        complete.write(&self.store)?;
        self.conflict.send_replace(Some(Arc::new(complete)));
        Ok(())
    }

    fn may_judge(&self, from: Option<MemberIndex>) -> bool {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let recent = judged
            .get(&from)
            .is_some_and(|at| now.duration_since(*at) < JUDGED_EVERY);
        if !recent {
            judged.insert(from, now);
        }
        !recent
    }
}

/// The committee of an epoch that this node has seen.
fn committee_of(
    store: &Store,
    genesis: &Genesis,
    epoch: Epoch,
) -> Result<Option<Arc<Committee>>, DriverError> {
    Ok(epochs::committee(store, genesis, epoch)?.map(Arc::new))
}

fn inconsistent(error: &dyn std::fmt::Display) -> DriverError {
    DriverError::Inconsistent(error.to_string())
}

#[cfg(test)]
mod tests;
