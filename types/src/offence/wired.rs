//! Offences and offenders to their wire messages and back.

use super::{Offence, Offender, Offenders, SignedVersion};
use crate::ids::{CommitIndex, Epoch, MemberIndex, Round};
use crate::wire;
use bytes::Bytes;

/// Bytes that are no offence in form, or no list of offenders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OffenceError {
    #[error("{what} of an offence has {found} bytes, not {expected}")]
    Length {
        what: &'static str,
        found: usize,
        expected: usize,
    },
    #[error("member {id} is convicted twice in epoch {epoch}, or epochs do not ascend")]
    Order { id: u64, epoch: Epoch },
}

impl From<&Offence> for wire::Offence {
    fn from(offence: &Offence) -> Self {
        let [first, second] = &offence.versions;
        Self {
            epoch: offence.epoch.0,
            round: offence.round.0,
            author: offence.author.0,
            first_body: Bytes::copy_from_slice(&first.body),
            first_signature: Bytes::copy_from_slice(&first.signature),
            second_body: Bytes::copy_from_slice(&second.body),
            second_signature: Bytes::copy_from_slice(&second.signature),
        }
    }
}

impl TryFrom<&wire::Offence> for Offence {
    type Error = OffenceError;

    fn try_from(wire: &wire::Offence) -> Result<Self, OffenceError> {
        let version = |body: &Bytes, signature: &Bytes| -> Result<SignedVersion, OffenceError> {
            Ok(SignedVersion {
                body: fixed("body hash", body)?,
                signature: fixed("signature", signature)?,
            })
        };
        Ok(Self {
            epoch: Epoch(wire.epoch),
            round: Round(wire.round),
            author: MemberIndex(wire.author),
            versions: [
                version(&wire.first_body, &wire.first_signature)?,
                version(&wire.second_body, &wire.second_signature)?,
            ],
        })
    }
}

fn fixed<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], OffenceError> {
    bytes.try_into().map_err(|_| OffenceError::Length {
        what,
        found: bytes.len(),
        expected: N,
    })
}

impl From<&Offenders> for wire::Offenders {
    fn from(offenders: &Offenders) -> Self {
        let list = offenders.list().iter().map(|o| wire::Offender {
            member: o.id,
            epoch: o.epoch.0,
            round: o.round.0,
            commit: o.commit.0,
        });
        Self {
            offenders: list.collect(),
        }
    }
}

impl TryFrom<wire::Offenders> for Offenders {
    type Error = OffenceError;

    fn try_from(wire: wire::Offenders) -> Result<Self, OffenceError> {
        let mut offenders = Self::default();
        for wire in &wire.offenders {
            let (id, epoch) = (wire.member, Epoch(wire.epoch));
            let offender = Offender {
                id,
                epoch,
                round: Round(wire.round),
                commit: CommitIndex(wire.commit),
            };
            if !offenders.convict(offender) {
                return Err(OffenceError::Order { id, epoch });
            }
        }
        Ok(offenders)
    }
}
