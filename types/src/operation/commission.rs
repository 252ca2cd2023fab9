//! L31: what the application that brings a deal has of its price.

use super::encode::bytes;
use super::policy::share;
use super::*;

/// What is paid to an account out of the price of a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Commission {
    pub to: Address,
    /// Of 10,000.
    pub parts: u32,
}

impl From<&Commission> for wire::Commission {
    fn from(commission: &Commission) -> Self {
        Self {
            to: bytes(&commission.to.0),
            parts: commission.parts,
        }
    }
}

impl TryFrom<&wire::Commission> for Commission {
    type Error = OperationError;

    fn try_from(wire: &wire::Commission) -> Result<Self, OperationError> {
        let (to, parts) = share("commission", &wire.to, wire.parts)?;
        Ok(Self { to, parts })
    }
}
