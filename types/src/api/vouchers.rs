//! Pools of vouchers as JSON, and the marks of those that are spent.

use crate::ids::{Address, Amount, AssetId, Millis, SpentVoucherId, VoucherPoolId};
use crate::object;
use crate::voucher::VoucherKey;
use serde::{Deserialize, Serialize};

/// What an issuer covers its vouchers with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoucherPool {
    pub id: VoucherPoolId,
    pub issuer: Address,
    /// Whose blind signatures are its vouchers.
    pub key: VoucherKey,
    pub asset: AssetId,
    /// What each voucher pays.
    pub denomination: Amount,
    /// From then on none is paid.
    pub ends: Millis,
    /// Vouchers ever covered.
    pub issued: u64,
    /// Vouchers paid.
    pub spent: u64,
    /// What it holds for those that are not.
    pub cover: Amount,
    /// Whether what was not spent has gone back to the issuer.
    pub ended: bool,
}

/// That an account's voucher of a pool is spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SpentVoucher {
    pub id: SpentVoucherId,
    pub pool: VoucherPoolId,
}

impl VoucherPool {
    pub fn new(id: VoucherPoolId, pool: &object::VoucherPool) -> Self {
        Self {
            id,
            issuer: pool.issuer,
            key: pool.key,
            asset: pool.asset,
            denomination: pool.denomination,
            ends: pool.ends,
            issued: pool.issued,
            spent: pool.spent,
            cover: pool.cover(),
            ended: pool.ended,
        }
    }
}

impl SpentVoucher {
    pub fn new(id: SpentVoucherId, spent: &object::SpentVoucher) -> Self {
        let pool = spent.pool;
        Self { id, pool }
    }
}
