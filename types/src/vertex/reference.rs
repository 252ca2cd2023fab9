//! How vertices are named, and how names travel.

use crate::ids::{IdError, MemberIndex, Round, VertexDigest};
use crate::wire;
use bytes::Bytes;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, uint64};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest encoding of a link as a field: tag, length, and [`VertexRef`].
pub(super) const LINK_BYTES_MAX: usize = 2 + (1 + 10) + (1 + 5) + (2 + 32);

/// Names a vertex. Ordered by round, author, digest: the order of output (O1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VertexRef {
    pub round: Round,
    pub author: MemberIndex,
    pub digest: VertexDigest,
}

impl VertexRef {
    /// Appends this as a field of a message, as prost writes a `wire::VertexRef`.
    pub(crate) fn encode_field(&self, field: u32, to: &mut Vec<u8>) {
        let (round, author) = (self.round.0, u64::from(self.author.0));
        let number = |value: u64| match value {
            0 => 0,
            value => 1 + encoded_len_varint(value),
        };
        let length = number(round) + number(author) + 2 + self.digest.0.len();
        encode_key(field, WireType::LengthDelimited, to);
        encode_varint(length as u64, to);
        for (field, value) in [(1, round), (2, author)] {
            if value != 0 {
                uint64::encode(field, &value, to);
            }
        }
        wire::encode_bytes(3, &self.digest.0, to);
    }
}

impl fmt::Display for VertexRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = hex::encode(&self.digest.0[..4]);
        write!(f, "{}@{}:{digest}", self.author, self.round)
    }
}

impl fmt::Debug for VertexRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<&VertexRef> for wire::VertexRef {
    fn from(vertex: &VertexRef) -> Self {
        Self {
            round: vertex.round.0,
            author: vertex.author.0,
            digest: Bytes::copy_from_slice(&vertex.digest.0),
        }
    }
}

impl TryFrom<&wire::VertexRef> for VertexRef {
    type Error = IdError;

    fn try_from(wire: &wire::VertexRef) -> Result<Self, IdError> {
        Ok(Self {
            round: Round(wire.round),
            author: MemberIndex(wire.author),
            digest: VertexDigest::try_from(wire.digest.as_ref())?,
        })
    }
}
