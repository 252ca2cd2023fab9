//! A pool of vouchers, and what marks those that are spent.

use super::ObjectError;
use crate::ids::{Address, Amount, AssetId, Millis, SpentVoucherId, VoucherPoolId};
use crate::operation::decode::{asset, optional};
use crate::operation::encode::{asset_bytes, bytes};
use crate::voucher::VoucherKey;
use crate::wire;
use bytes::Bytes;

/// Most vouchers that a pool ever covers. Each signature that a blind key makes tells a little of it to who could make use of
/// very many of them (`docs/adr/vouchers.md`), and each voucher that is spent leaves a mark until the pool's end.
pub const VOUCHERS_MAX: u64 = 1 << 20;

/// L49: what an issuer covers its vouchers with. It never leaves the state, so that its key is never another pool's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherPool {
    pub issuer: Address,
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
    /// The newest mark that is left: each names the one before it.
    pub last: Option<SpentVoucherId>,
    /// L52: what was not spent has gone back.
    pub ended: bool,
}

/// L51: that an account's voucher of a pool is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentVoucher {
    pub pool: VoucherPoolId,
    /// The pool's mark before it.
    pub before: Option<SpentVoucherId>,
}

impl VoucherPool {
    /// What it holds: enough for each voucher that is covered and not spent, and nothing once it has ended.
    pub fn cover(&self) -> Amount {
        match self.ended {
            true => Amount::ZERO,
            false => Amount((self.issued - self.spent).saturating_mul(self.denomination.0)),
        }
    }

    /// L52: whether anything of it is left to be done once its time has come.
    pub fn is_over(&self) -> bool {
        self.ended && self.last.is_none()
    }
}

fn mark_bytes(mark: Option<SpentVoucherId>) -> Bytes {
    mark.map_or(Bytes::new(), |m| bytes(&m.0))
}

impl From<&VoucherPool> for wire::VoucherPool {
    fn from(pool: &VoucherPool) -> Self {
        Self {
            issuer: bytes(&pool.issuer.0),
            key: Bytes::copy_from_slice(&pool.key.0),
            asset: asset_bytes(&pool.asset),
            denomination: pool.denomination.0,
            ends_ms: pool.ends.0,
            issued: pool.issued,
            spent: pool.spent,
            last: mark_bytes(pool.last),
            ended: pool.ended,
        }
    }
}

impl TryFrom<wire::VoucherPool> for VoucherPool {
    type Error = ObjectError;

    fn try_from(wire: wire::VoucherPool) -> Result<Self, ObjectError> {
        let pool = Self {
            issuer: Address::try_from(wire.issuer.as_ref())?,
            key: VoucherKey::try_from(wire.key.as_ref())?,
            asset: asset(&wire.asset)?,
            denomination: Amount(wire.denomination),
            ends: Millis(wire.ends_ms),
            issued: wire.issued,
            spent: wire.spent,
            last: optional(&wire.last)?,
            ended: wire.ended,
        };
        let covered = pool.spent <= pool.issued && pool.issued <= VOUCHERS_MAX;
        let unspent = pool.issued.saturating_sub(pool.spent);
        let fits = unspent.checked_mul(pool.denomination.0).is_some();
        let marked = pool.last.is_none() || pool.spent > 0;
        if !covered || !fits || !marked || pool.denomination == Amount::ZERO {
            return Err(ObjectError::VoucherPool);
        }
        Ok(pool)
    }
}

impl From<&SpentVoucher> for wire::SpentVoucher {
    fn from(spent: &SpentVoucher) -> Self {
        Self {
            pool: bytes(&spent.pool.0),
            before: mark_bytes(spent.before),
        }
    }
}

impl TryFrom<wire::SpentVoucher> for SpentVoucher {
    type Error = ObjectError;

    fn try_from(wire: wire::SpentVoucher) -> Result<Self, ObjectError> {
        Ok(Self {
            pool: VoucherPoolId::try_from(wire.pool.as_ref())?,
            before: optional(&wire.before)?,
        })
    }
}
