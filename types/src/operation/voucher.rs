//! L49 to L51: a pool of vouchers is opened, covered, and spent from.

use super::decode::{asset, positive};
use super::encode::{asset_bytes, bytes};
use super::*;
use crate::ids::VoucherPoolId;
use crate::voucher::{VoucherKey, VoucherPoint};

/// Terms that never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewVoucherPool {
    /// Names the pool, and signs for no other.
    pub key: VoucherKey,
    /// L49: that the issuer has the key.
    pub proof: VoucherPoint,
    pub asset: AssetId,
    /// What each voucher pays.
    pub denomination: Amount,
    /// From then on none is paid, and what was not spent is the issuer's again.
    pub ends: Millis,
}

fn point_bytes(point: &[u8]) -> Bytes {
    Bytes::copy_from_slice(point)
}

impl From<&NewVoucherPool> for wire::VoucherOpen {
    fn from(pool: &NewVoucherPool) -> Self {
        Self {
            key: point_bytes(&pool.key.0),
            proof: point_bytes(&pool.proof.0),
            asset: asset_bytes(&pool.asset),
            denomination: pool.denomination.0,
            ends_ms: pool.ends.0,
        }
    }
}

impl TryFrom<&wire::VoucherOpen> for NewVoucherPool {
    type Error = OperationError;

    fn try_from(wire: &wire::VoucherOpen) -> Result<Self, OperationError> {
        Ok(Self {
            key: VoucherKey::try_from(wire.key.as_ref())?,
            proof: VoucherPoint::try_from(wire.proof.as_ref())?,
            asset: asset(&wire.asset)?,
            denomination: Amount(positive("denomination", wire.denomination)?),
            ends: Millis(wire.ends_ms),
        })
    }
}

pub(super) fn issue_to_wire(pool: &VoucherPoolId, count: u64) -> wire::VoucherIssue {
    wire::VoucherIssue {
        pool: bytes(&pool.0),
        count,
    }
}

pub(super) fn issue(wire: &wire::VoucherIssue) -> Result<Operation, OperationError> {
    Ok(Operation::VoucherIssue {
        pool: VoucherPoolId::try_from(wire.pool.as_ref())?,
        count: positive("count of vouchers", wire.count)?,
    })
}

pub(super) fn spend_to_wire(key: &VoucherKey, voucher: &VoucherPoint) -> wire::VoucherSpend {
    wire::VoucherSpend {
        key: point_bytes(&key.0),
        voucher: point_bytes(&voucher.0),
    }
}

pub(super) fn spend(wire: &wire::VoucherSpend) -> Result<Operation, OperationError> {
    Ok(Operation::VoucherSpend {
        key: VoucherKey::try_from(wire.key.as_ref())?,
        voucher: VoucherPoint::try_from(wire.voucher.as_ref())?,
    })
}
