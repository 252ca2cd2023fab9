//! Seats, entries and ready messages to their wire messages and back.

use super::{MemberKeys, QueueEntry, Ready, Seat};
use crate::bls;
use crate::committee::ADDRESSES_BYTES_MAX;
use crate::ed25519::PublicKey;
use crate::ids::{CommitteeDigest, IdError, Stake};
use crate::wire;
use bytes::Bytes;

/// A message of the roster that is wrong in form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("vertex key has {0} bytes, not 32")]
    VertexKey(usize),
    #[error("finality key: {0}")]
    FinalityKey(#[from] bls::BlsError),
    #[error("addresses have {0} bytes, more than {ADDRESSES_BYTES_MAX}")]
    Addresses(usize),
    #[error("entry slashes member {0}, and has a weight or keys")]
    Slash(u64),
    #[error("ready message's signature has {0} bytes, not 64")]
    Signature(usize),
}

impl MemberKeys {
    fn read(vertex_key: &[u8], finality_key: &[u8], addresses: &str) -> Result<Self, RosterError> {
        let found = vertex_key.len();
        let vertex_key = vertex_key.try_into();
        if addresses.len() > ADDRESSES_BYTES_MAX {
            return Err(RosterError::Addresses(addresses.len()));
        }
        Ok(Self {
            vertex_key: PublicKey(vertex_key.map_err(|_| RosterError::VertexKey(found))?),
            finality_key: bls::PublicKey::from_bytes(finality_key)?,
            addresses: addresses.to_owned(),
        })
    }
}

fn bytes(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

impl From<&QueueEntry> for wire::QueueEntry {
    fn from(entry: &QueueEntry) -> Self {
        let keys = entry.keys.as_ref();
        Self {
            member: entry.id,
            weight: entry.weight.0,
            slashed: entry.slashed,
            vertex_key: keys.map_or_else(Bytes::new, |k| bytes(&k.vertex_key.0)),
            finality_key: keys.map_or_else(Bytes::new, |k| bytes(&k.finality_key.to_bytes())),
            addresses: keys.map_or_else(String::new, |k| k.addresses.clone()),
        }
    }
}

impl TryFrom<&wire::QueueEntry> for QueueEntry {
    type Error = RosterError;

    fn try_from(wire: &wire::QueueEntry) -> Result<Self, RosterError> {
        let (vertex_key, finality_key) = (&wire.vertex_key, &wire.finality_key);
        let joins =
            !(vertex_key.is_empty() && finality_key.is_empty() && wire.addresses.is_empty());
        let keys = || MemberKeys::read(vertex_key, finality_key, &wire.addresses);
        // The digest has no word of its own for it: with keys it would be another entry with the same digest.
        if wire.slashed && (joins || wire.weight > 0) {
            return Err(RosterError::Slash(wire.member));
        }
        Ok(Self {
            id: wire.member,
            weight: Stake(wire.weight),
            slashed: wire.slashed,
            keys: joins.then(keys).transpose()?,
        })
    }
}

impl From<&Seat> for wire::Seat {
    fn from(seat: &Seat) -> Self {
        Self {
            member: seat.id,
            target: seat.target.0,
            effective: seat.effective.0,
            slashed: seat.slashed,
            vertex_key: bytes(&seat.keys.vertex_key.0),
            finality_key: bytes(&seat.keys.finality_key.to_bytes()),
            addresses: seat.keys.addresses.clone(),
        }
    }
}

impl TryFrom<&wire::Seat> for Seat {
    type Error = RosterError;

    fn try_from(wire: &wire::Seat) -> Result<Self, RosterError> {
        Ok(Self {
            id: wire.member,
            target: Stake(wire.target),
            effective: Stake(wire.effective),
            slashed: wire.slashed,
            keys: MemberKeys::read(&wire.vertex_key, &wire.finality_key, &wire.addresses)?,
        })
    }
}

impl From<&Ready> for wire::Ready {
    fn from(ready: &Ready) -> Self {
        Self {
            member: ready.member,
            committee: bytes(&ready.committee.0),
            signature: bytes(&ready.signature),
        }
    }
}

impl TryFrom<&wire::Ready> for Ready {
    type Error = RosterError;

    fn try_from(wire: &wire::Ready) -> Result<Self, RosterError> {
        let signature = wire.signature.as_ref().try_into();
        Ok(Self {
            member: wire.member,
            committee: CommitteeDigest::try_from(wire.committee.as_ref())?,
            signature: signature.map_err(|_| RosterError::Signature(wire.signature.len()))?,
        })
    }
}
