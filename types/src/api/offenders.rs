//! V8: the convicted as JSON.

use super::LeafClaim;
use crate::ids::Root;
use crate::offence::{self, Offender};
use serde::{Deserialize, Serialize};

/// The members that signed two vertices of one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offenders {
    /// In the order of conviction, which is that of the leaves.
    pub offenders: Vec<Offender>,
    /// The root of their tree.
    pub root: Root,
    /// Ids of those whose bond the registry has taken, ascending, as far as the node that answers has seen. Absent where
    /// the object of the state is shown, which does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slashed: Option<Vec<u64>>,
}

impl Offenders {
    pub fn new(offenders: &offence::Offenders) -> Self {
        Self {
            offenders: offenders.list().to_vec(),
            root: offenders.root(),
            slashed: None,
        }
    }
}

/// A member's first conviction, and what the registry is shown to take its bond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OffenderStatus {
    #[serde(flatten)]
    pub offender: Offender,
    /// The place of its leaf, from 0.
    pub index: u64,
    /// Once a checkpoint is posted that has it: always by the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<LeafClaim>,
    /// Whether the registry has taken its bond, as far as this node has seen; absent before it has looked. `false` also
    /// of one that has withdrawn it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slashed: Option<bool>,
}
