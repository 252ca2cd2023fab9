//! Posted data: recorded for a quorum's signature (L53), and gone when their time is over (L55).

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{
    Address, AvailabilityCertificate, CONTENT_BYTES_MAX, ContentHash, FailureCode, Millis, Object,
    ObjectId, Posted, RETENTION_MAX,
};

/// Records that go in one commit. What remains goes with the commits after it.
pub const POSTED_WORK_MAX: usize = 256;

/// L55: records whose time is over go, the earliest first.
pub(crate) fn end_posted<B: Objects>(
    draft: &mut Draft<'_, B>,
    due: &BTreeSet<(Millis, ContentHash)>,
    now: Millis,
) {
    let over = due.range(..=(now, ContentHash([0xff; 32])));
    for (_, hash) in over.take(POSTED_WORK_MAX) {
        draft.remove(ObjectId::Posted(*hash));
    }
    draft.keep();
}

impl<B: Objects> Execution<'_, '_, B> {
    /// What costs little is looked at first.
    pub(super) fn post_data(
        &mut self,
        poster: Address,
        certificate: &AvailabilityCertificate,
    ) -> Result<(), Fault> {
        let claim = &certificate.claim;
        let id = ObjectId::Posted(claim.hash);
        let fails = |code, found, limit| Err(Fault::figures(code, Some(id), found, limit));
        let now = self.now.0;
        if claim.size > CONTENT_BYTES_MAX as u64 {
            let (code, limit) = (FailureCode::DataTooLarge, CONTENT_BYTES_MAX as u64);
            return fails(code, claim.size, limit);
        }
        let ends = claim.until.0.min(claim.by.0);
        if ends <= now {
            return fails(FailureCode::ExpiryPassed, ends, now);
        }
        let latest = now.saturating_add(RETENTION_MAX.0);
        if claim.until.0 > latest {
            return fails(FailureCode::Retention, claim.until.0, latest);
        }
        let Some(committee) = self.committee else {
            return fails(FailureCode::Unavailable, 0, 0);
        };
        if claim.epoch != committee.epoch() {
            let (found, limit) = (claim.epoch.0, committee.epoch().0);
            return fails(FailureCode::OtherEpoch, found, limit);
        }
        let before = self.draft.get(&id).and_then(Object::as_posted).cloned();
        // Who signs two sizes for one hash has no such data.
        if before.as_ref().is_some_and(|b| b.size != claim.size) {
            return fails(FailureCode::Unavailable, 0, committee.quorum().0);
        }
        if let Err(refused) = certificate.check(self.network, committee) {
            let (found, limit) = (refused.signed.0, refused.quorum.0);
            return fails(FailureCode::Unavailable, found, limit);
        }
        let posted = match &before {
            Some(before) => Posted {
                until: before.until.max(claim.until),
                ..Posted::clone(before)
            },
            None => Posted {
                size: claim.size,
                until: claim.until,
                poster,
            },
        };
        let object = Object::Posted(Arc::new(posted));
        match before {
            Some(_) => self.draft.put(id, object),
            None => self.create(id, object),
        }
        Ok(())
    }
}
