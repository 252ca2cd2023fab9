//! A record of posted data.

use super::ObjectError;
use crate::content::CONTENT_BYTES_MAX;
use crate::ids::{Address, Millis};
use crate::operation::encode::bytes;
use crate::wire;

/// L55: that a quorum has said that it has data, and until when. Its id is their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// In bytes.
    pub size: u64,
    /// The latest that was paid for.
    pub until: Millis,
    /// Who posted them first.
    pub poster: Address,
}

impl From<&Posted> for wire::Posted {
    fn from(posted: &Posted) -> Self {
        Self {
            size: posted.size,
            until_ms: posted.until.0,
            poster: bytes(&posted.poster.0),
        }
    }
}

impl TryFrom<wire::Posted> for Posted {
    type Error = ObjectError;

    fn try_from(wire: wire::Posted) -> Result<Self, ObjectError> {
        if wire.size == 0 || wire.size > CONTENT_BYTES_MAX as u64 {
            return Err(ObjectError::Posted(wire.size));
        }
        Ok(Self {
            size: wire.size,
            until: Millis(wire.until_ms),
            poster: Address::try_from(wire.poster.as_ref())?,
        })
    }
}
