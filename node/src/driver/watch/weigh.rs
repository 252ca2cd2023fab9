//! W1: a statement that somebody else has signed against the own one.

use super::Watcher;
use crate::driver::epochs;
use weft_storage::StoreError;
use weft_types::{Certificate, Height, Statement, StatementDigest, Verified};

/// How a statement stands to the own one of its height.
pub enum Weighed {
    Same,
    /// The own one is another; or there is none, though its commit was executed.
    Other(Option<Box<Statement>>),
    /// Its height is not executed here yet.
    Ahead,
    /// Its height was executed before this watcher came to be, or was deleted for its age.
    Past,
}

impl Watcher {
    pub(super) fn weigh(&self, statement: &Statement) -> Result<Weighed, StoreError> {
        // Before the store is asked, which has all that a view shows.
        let executed = self.views.borrow().commit;
        let weighed = self.weigh_digest(statement.height, statement.digest())?;
        // F1: a height and its commit are executed at once. Whoever numbers heights otherwise does not wait to be seen.
        Ok(match weighed {
            Weighed::Ahead if statement.commit <= executed => Weighed::Other(None),
            weighed => weighed,
        })
    }

    pub(super) fn weigh_digest(
        &self,
        height: Height,
        digest: StatementDigest,
    ) -> Result<Weighed, StoreError> {
        let reached = self.views.borrow().height;
        Ok(match self.store.statement(height)? {
            Some(own) if own.digest() == digest => Weighed::Same,
            Some(own) => Weighed::Other(Some(Box::new(own))),
            None if height > reached => Weighed::Ahead,
            None => Weighed::Past,
        })
    }

    /// The certificate, if a quorum of its epoch has made it.
    pub(super) fn verified(
        &self,
        certificate: Certificate,
    ) -> Result<Option<Verified<Certificate>>, StoreError> {
        let epoch = certificate.statement.epoch;
        let committee = epochs::committee(&self.store, &self.genesis, epoch)?;
        let verified = committee.map(|c| certificate.verify(&self.genesis.network, &c));
        Ok(verified.and_then(Result::ok))
    }
}
