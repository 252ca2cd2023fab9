//! Objects with proofs as JSON.

use crate::state::{ObjectId, StateProof};
use crate::statement::CertificateJson;
use serde::{Deserialize, Serialize};

/// An object with the proof that it is, or is not, in the certified state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProofBundle {
    pub object: ObjectId,
    /// The object's encoding in hexadecimal; absent when the proof is one of absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub proof: StateProof,
    pub certificate: CertificateJson,
    /// Of a series of packs whose draw the node has kept a proof for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// What the node that gave a proof of a sealed series keeps; no part of what is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// One for when the series is in the state no more. This one is of the newest certified height.
    ForLater,
    /// This one, of an earlier height: the series is in the newest certified state no more.
    Past,
}
