//! Bytes that are no part of the ledger, as JSON: content that it names, posted data.

use crate::availability::{Availability, AvailabilitySignature};
use crate::ids::{Address, ContentHash, MemberIndex, Millis};
use crate::object;
use serde::{Deserialize, Serialize};

/// A3: content that a node stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Content {
    pub hash: ContentHash,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it is served as.
    pub media_type: String,
}

/// That a quorum has said that it has data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Posted {
    pub hash: ContentHash,
    /// In bytes.
    pub size: u64,
    /// The latest that was paid for.
    pub until: Millis,
    /// Who posted them first.
    pub poster: Address,
}

/// What a member says of data that it has on its disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedAvailability {
    pub member: MemberIndex,
    pub claim: Availability,
    /// Its own alone: one of a quorum's that are summed.
    pub signature: AvailabilitySignature,
}

impl Posted {
    pub fn new(hash: ContentHash, posted: &object::Posted) -> Self {
        Self {
            hash,
            size: posted.size,
            until: posted.until,
            poster: posted.poster,
        }
    }
}
