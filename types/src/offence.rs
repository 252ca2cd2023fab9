//! V8: an offence, proven by two signatures of one member under different digests for one place. An
//! honest member signs one vertex a round (V3), so that nobody but the offender can make a proof: not
//! by relaying, nor by encoding a body in another way, for the digest is of the bytes that were signed.
//! The proof needs no body, only its hash: about 210 bytes.

mod offenders;
mod wired;

pub use offenders::{Offender, Offenders};
pub use wired::OffenceError;

use crate::committee::{Committee, Member};
use crate::ed25519::SIGNATURE_BYTES;
use crate::ids::{Epoch, MemberIndex, NetworkId, Round};
use crate::vertex::{Place, Vertex, body_hash, is_signature};

/// Most offences in one vertex. Each costs every member two signature checks.
pub const OFFENCES_MAX: usize = 4;

/// Two versions of a vertex that one member has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    pub epoch: Epoch,
    pub round: Round,
    pub author: MemberIndex,
    /// In ascending order of the body's hash, so that a pair has one form.
    pub versions: [SignedVersion; 2],
}

/// What of a version proves that its author has signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedVersion {
    /// The hash of the body's bytes.
    pub body: [u8; 32],
    pub signature: [u8; SIGNATURE_BYTES],
}

impl Offence {
    /// The proof that these two make; `None` if they are one, or of different places, or unsigned.
    pub fn of(first: &Vertex, second: &Vertex) -> Option<Self> {
        let place = |v: &Vertex| (v.epoch(), v.round(), v.author());
        let mut versions = [SignedVersion::of(first)?, SignedVersion::of(second)?];
        if place(first) != place(second) || versions[0].body == versions[1].body {
            return None;
        }
        versions.sort_unstable_by_key(|v| v.body);
        let (epoch, round, author) = place(first);
        Some(Self {
            epoch,
            round,
            author,
            versions,
        })
    }

    /// V8: what is wrong with it, for a committee; signatures come last, as the dearest.
    pub(crate) fn fault(&self, network: NetworkId, committee: &Committee) -> Option<&'static str> {
        let Some(member) = committee.member(self.author) else {
            return Some("an offence is by no member");
        };
        if self.epoch != committee.epoch() || self.round == Round::ZERO {
            return Some("an offence is of another epoch, or of round 0");
        }
        if self.versions[0].body >= self.versions[1].body {
            return Some("an offence's versions are not two in ascending order");
        }
        let proven = self.is_proven(network, member);
        (!proven).then_some("an offence is not signed by its author")
    }

    fn is_proven(&self, network: NetworkId, member: &Member) -> bool {
        let place = Place {
            network,
            epoch: self.epoch,
            round: self.round,
            author: self.author,
        };
        let signed = |v: &SignedVersion| is_signature(member, &place.digest(&v.body), &v.signature);
        self.versions.iter().all(signed)
    }
}

impl SignedVersion {
    fn of(vertex: &Vertex) -> Option<Self> {
        let (encoded, signature) = vertex.signed_parts();
        Some(Self {
            body: body_hash(encoded),
            signature: signature.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
