//! Posted data, as plainly as can be: a list of records, and signatures that are made again to compare them.

use super::{Bug, Model, Step, demand, find};
use weft_types::testing::{availability_certificate, committee};
use weft_types::{
    Address, AvailabilityCertificate, Epoch, FailureCode, Object, ObjectId, Posted, TransactionBody,
};

impl Model {
    pub fn posted_objects(&self) -> Vec<(ObjectId, Object)> {
        let records = self.posted.iter().cloned();
        let records = records.map(|(hash, p)| (ObjectId::Posted(hash), Object::Posted(p.into())));
        records.collect()
    }

    /// L55.
    pub fn end_posted(&mut self) {
        let late = u64::from(self.bug(Bug::PostedDataStay)) * 200;
        let now = self.now;
        self.posted
            .retain(|(_, posted)| posted.until.0.saturating_add(late) > now);
    }

    /// Whether the members that it names have signed this, and are enough.
    fn vouched(&self, certificate: &AvailabilityCertificate) -> bool {
        let signers = certificate.signers.iter().map(|m| m.as_usize());
        let signers: Vec<usize> = signers.collect();
        let enough = signers.len() >= 3 || self.bug(Bug::PostNeedsNoQuorum);
        let known = signers.iter().all(|i| *i < committee(4).size());
        let made_again = || availability_certificate(certificate.claim, &signers);
        let genuine = self.bug(Bug::ForgedPostPasses) || known && made_again() == *certificate;
        enough && known && genuine
    }

    pub fn post_data(&mut self, poster: Address, certificate: &AvailabilityCertificate) -> Step {
        let claim = &certificate.claim;
        let fits = claim.size <= 262_144 || self.bug(Bug::LargeDataArePosted);
        demand(fits, FailureCode::DataTooLarge)?;
        let lasts = claim.until.0 > self.now;
        let in_time = claim.by.0 > self.now || self.bug(Bug::LatePostPasses);
        demand(lasts && in_time, FailureCode::ExpiryPassed)?;
        let month = u128::from(self.now) + 30 * 86_400_000;
        let short = u128::from(claim.until.0) <= month || self.bug(Bug::PostLastsForEver);
        demand(short, FailureCode::Retention)?;
        let same_epoch = claim.epoch == Epoch::ZERO || self.bug(Bug::AnyEpochPosts);
        demand(same_epoch, FailureCode::OtherEpoch)?;
        let other_size = self.bug(Bug::OtherSizePosts);
        let before = find(&mut self.posted, &claim.hash).cloned();
        let same = before.as_ref().is_none_or(|b| b.size == claim.size);
        demand(same || other_size, FailureCode::Unavailable)?;
        demand(self.vouched(certificate), FailureCode::Unavailable)?;
        let new = Posted {
            size: claim.size,
            until: claim.until,
            poster,
        };
        let (shortens, renames) = (self.bug(Bug::PostShortens), self.bug(Bug::LastPosterStands));
        match find(&mut self.posted, &claim.hash) {
            Some(there) => {
                if claim.until > there.until || shortens {
                    there.until = claim.until;
                }
                if renames {
                    there.poster = poster;
                }
            }
            None => self.posted.push((claim.hash, new)),
        }
        Ok(())
    }

    /// L54: bytes that are paid for beside the transaction's.
    pub fn posted_bytes(&self, body: &TransactionBody) -> u128 {
        let mut bytes = 0;
        for certificate in body.posted() {
            let claim = &certificate.claim;
            let earliest = u128::from(body.valid_until.0).saturating_sub(600_000);
            let kept = u128::from(claim.until.0).saturating_sub(earliest);
            let days = kept.div_ceil(86_400_000).max(1);
            bytes += 7_280;
            if !self.bug(Bug::KeepingIsFree) {
                bytes += (u128::from(claim.size) * days).div_ceil(16);
            }
        }
        bytes
    }
}
