//! Posted data.

use super::*;
use crate::availability::{Availability, AvailabilityCertificate};
use crate::ids::{ContentHash, Epoch, MemberIndex, Millis};
use crate::object::Posted;

/// Data that members of epoch 0 have.
pub fn availability() -> Availability {
    let data = b"posted";
    Availability {
        epoch: Epoch::ZERO,
        hash: ContentHash::of(data),
        size: data.len() as u64,
        until: Millis(90_000_000),
        by: Millis(70_000),
    }
}

/// What these members have signed.
///
/// # Panics
/// When there are none.
pub fn availability_certificate(claim: Availability, signers: &[usize]) -> AvailabilityCertificate {
    let sign = |i: &usize| {
        let signature = claim.sign(network().id(), &finality_key(*i));
        (MemberIndex(*i as u32), signature)
    };
    let signed: Vec<_> = signers.iter().map(sign).collect();
    AvailabilityCertificate::gather(claim, &signed).expect("somebody has signed")
}

/// Its record, of user 1's.
pub fn posted() -> Posted {
    let claim = availability();
    Posted {
        size: claim.size,
        until: claim.until,
        poster: user(1),
    }
}
