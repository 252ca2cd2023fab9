//! L53: data that a quorum has are posted.

use super::decode::positive;
use super::encode::bytes;
use super::*;
use crate::availability::{Availability, AvailabilityCertificate, AvailabilitySignature};
use crate::committee::MemberSet;
use crate::ids::Epoch;

impl From<&AvailabilityCertificate> for wire::PostData {
    fn from(certificate: &AvailabilityCertificate) -> Self {
        let claim = &certificate.claim;
        Self {
            hash: bytes(&claim.hash.0),
            size: claim.size,
            until_ms: claim.until.0,
            by_ms: claim.by.0,
            epoch: claim.epoch.0,
            signers: certificate.signers.to_shortest_bitmap().into(),
            signature: Bytes::copy_from_slice(&certificate.signature.0),
        }
    }
}

impl TryFrom<&wire::PostData> for AvailabilityCertificate {
    type Error = OperationError;

    fn try_from(wire: &wire::PostData) -> Result<Self, OperationError> {
        let signers = MemberSet::from_shortest_bitmap(&wire.signers);
        let signers = signers.filter(|s| !s.is_empty());
        Ok(Self {
            claim: Availability {
                epoch: Epoch(wire.epoch),
                hash: ContentHash::try_from(wire.hash.as_ref())?,
                size: positive("size of data", wire.size)?,
                until: Millis(wire.until_ms),
                by: Millis(wire.by_ms),
            },
            signers: signers.ok_or(OperationError::Signers(wire.signers.len()))?,
            signature: AvailabilitySignature::try_from(wire.signature.as_ref())?,
        })
    }
}
