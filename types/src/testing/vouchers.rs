//! Pools of vouchers.

use super::*;
use crate::ids::{Address, Amount, AssetId, Millis, SpentVoucherId};
use crate::object::{SpentVoucher, VoucherPool};
use crate::operation::NewVoucherPool;
use crate::voucher::{Blinding, IssuerKey, VoucherPoint};

/// The key of the `i`th pool of vouchers.
pub fn issuer_key(i: u64) -> IssuerKey {
    let mut entropy = [0xbb; 32];
    entropy[..8].copy_from_slice(&i.to_be_bytes());
    IssuerKey::from_entropy(&entropy)
}

/// An account's voucher of the `i`th pool.
///
/// # Panics
/// Never: what is blinded is a point of the group.
pub fn voucher(i: u64, account: Address) -> VoucherPoint {
    // With the factor one nothing is to be undone.
    let mut one = [0; 32];
    one[31] = 1;
    let (key, one) = (issuer_key(i), Blinding::from_bytes(&one).expect("a factor"));
    let blinded = one.blind(network().id(), &key.public(), account);
    key.sign(&blinded).expect("a point of the group")
}

/// The first pool, of user 1's, from which something was spent.
pub fn voucher_pool() -> VoucherPool {
    let key = issuer_key(1).public();
    VoucherPool {
        issuer: user(1),
        key,
        asset: AssetId([5; 32]),
        denomination: Amount(5_000),
        ends: Millis(90_000),
        issued: 40,
        spent: 17,
        last: Some(SpentVoucherId::derive(&key.pool(), &user(2))),
        ended: false,
    }
}

/// The terms that it was opened with.
pub fn new_voucher_pool() -> NewVoucherPool {
    let (key, pool) = (issuer_key(1), voucher_pool());
    NewVoucherPool {
        key: key.public(),
        proof: key.prove(network().id(), pool.issuer),
        asset: pool.asset,
        denomination: pool.denomination,
        ends: pool.ends,
    }
}

/// Its last mark.
pub fn spent_voucher() -> SpentVoucher {
    let pool = issuer_key(1).public().pool();
    SpentVoucher {
        pool,
        before: Some(SpentVoucherId::derive(&pool, &user(3))),
    }
}
