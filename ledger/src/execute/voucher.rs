//! Pools of vouchers: opened (L49), covered (L50), spent from (L51), and at their end (L52). That a key is the issuer's and
//! a voucher the key's was checked with the transaction's signatures; here is what depends on the state.

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{
    Address, Amount, AssetId, FailureCode, Millis, NewVoucherPool, Object, ObjectId, Operation,
    SpentVoucher, SpentVoucherId, Transaction, VOUCHERS_MAX, VoucherKey, VoucherPool,
    VoucherPoolId,
};

/// Pools whose cover goes back and marks that are removed, in one commit. What remains is done by the commits after it.
pub const POOL_WORK_MAX: usize = 256;

/// L52: of pools whose time has come, the earliest first.
pub(crate) fn end_pools<B: Objects>(
    draft: &mut Draft<'_, B>,
    due: &BTreeSet<(Millis, VoucherPoolId)>,
    now: Millis,
) {
    let mut work = 0;
    for (_, id) in due.range(..=(now, VoucherPoolId([0xff; 32]))) {
        if work >= POOL_WORK_MAX {
            break;
        }
        let found = draft.voucher_pool(id).expect("a pool that is due exists");
        let mut pool = VoucherPool::clone(found);
        draft.credit_some(pool.issuer, pool.asset, pool.cover());
        pool.ended = true;
        work += 1;
        while let Some(mark) = pool.last.filter(|_| work < POOL_WORK_MAX) {
            let id = ObjectId::SpentVoucher(mark);
            let found = draft.get(&id).and_then(Object::as_spent_voucher);
            pool.last = found.expect("a pool's marks are in the state").before;
            draft.remove(id);
            work += 1;
        }
        draft.put_pool(*id, pool);
    }
    draft.keep();
}

/// L51: what the sender's own voucher adds to pay the fee with: that of the first operation, if it would be paid, in the
/// asset that fees are paid in, and nobody else pays.
pub(crate) fn fee_voucher(
    objects: &impl Objects,
    transaction: &Transaction,
    now: Millis,
) -> Option<Amount> {
    let body = transaction.body();
    let (Some(Operation::VoucherSpend { key, .. }), None) = (body.operations.first(), body.sponsor)
    else {
        return None;
    };
    let (_, _, pool) = payable(objects, key, body.sender, now).ok()?;
    (pool.asset == AssetId::NATIVE).then_some(pool.denomination)
}

/// The pool that pays the account's voucher now, and the mark that it leaves.
fn payable<'o>(
    objects: &'o impl Objects,
    key: &VoucherKey,
    account: Address,
    now: Millis,
) -> Result<(VoucherPoolId, SpentVoucherId, &'o Arc<VoucherPool>), Fault> {
    let id = key.pool();
    let subject = ObjectId::VoucherPool(id);
    let found = objects.get(&subject).and_then(Object::as_voucher_pool);
    let pool = found.ok_or(Fault::new(FailureCode::NotFound, subject))?;
    lasts(subject, pool, now)?;
    let mark = SpentVoucherId::derive(&id, &account);
    let marked = ObjectId::SpentVoucher(mark);
    if objects.get(&marked).is_some() {
        return Err(Fault::new(FailureCode::VoucherSpent, marked));
    }
    let (found, limit) = (pool.spent, pool.issued);
    if found >= limit {
        let code = FailureCode::NotCovered;
        return Err(Fault::figures(code, Some(subject), found, limit));
    }
    Ok((id, mark, pool))
}

/// L52: by the time alone, not by whether its cover has gone back.
fn lasts(subject: ObjectId, pool: &VoucherPool, now: Millis) -> Result<(), Fault> {
    let (found, limit) = (now.0, pool.ends.0);
    if found < limit {
        return Ok(());
    }
    let code = FailureCode::PoolEnded;
    Err(Fault::figures(code, Some(subject), found, limit))
}

impl<B: Objects> Execution<'_, '_, B> {
    pub(super) fn open_pool(
        &mut self,
        issuer: Address,
        terms: &NewVoucherPool,
    ) -> Result<(), Fault> {
        let id = ObjectId::VoucherPool(terms.key.pool());
        if self.draft.get(&id).is_some() {
            return Err(Fault::new(FailureCode::AlreadyExists, id));
        }
        let (found, limit) = (terms.ends.0, self.now.0);
        if found <= limit {
            let code = FailureCode::ExpiryPassed;
            return Err(Fault::figures(code, Some(id), found, limit));
        }
        let pool = VoucherPool {
            issuer,
            key: terms.key,
            asset: terms.asset,
            denomination: terms.denomination,
            ends: terms.ends,
            issued: 0,
            spent: 0,
            last: None,
            ended: false,
        };
        self.create(id, Object::VoucherPool(Arc::new(pool)));
        Ok(())
    }

    pub(super) fn issue_vouchers(
        &mut self,
        actor: Address,
        id: &VoucherPoolId,
        count: u64,
    ) -> Result<(), Fault> {
        let mut pool = VoucherPool::clone(self.draft.voucher_pool(id)?);
        let subject = ObjectId::VoucherPool(*id);
        if pool.issuer != actor {
            return Err(Fault::new(FailureCode::NotIssuer, subject));
        }
        lasts(subject, &pool, self.now)?;
        let (found, limit) = (pool.issued.saturating_add(count), VOUCHERS_MAX);
        if found > limit {
            let code = FailureCode::TooManyVouchers;
            return Err(Fault::figures(code, Some(subject), found, limit));
        }
        // What does not fit is more than there is of any asset.
        let cover = Amount(count.saturating_mul(pool.denomination.0));
        self.debit(actor, pool.asset, cover)?;
        pool.issued = found;
        self.draft.put_pool(*id, pool);
        Ok(())
    }

    pub(super) fn spend_voucher(&mut self, actor: Address, key: &VoucherKey) -> Result<(), Fault> {
        self.draft.pay_voucher(actor, key, self.now)
    }
}

impl<B: Objects> Draft<'_, B> {
    fn voucher_pool(&self, id: &VoucherPoolId) -> Result<&Arc<VoucherPool>, Fault> {
        let id = ObjectId::VoucherPool(*id);
        let found = self.get(&id).and_then(Object::as_voucher_pool);
        found.ok_or(Fault::new(FailureCode::NotFound, id))
    }

    fn put_pool(&mut self, id: VoucherPoolId, pool: VoucherPool) {
        let object = Object::VoucherPool(Arc::new(pool));
        self.put(ObjectId::VoucherPool(id), object);
    }

    fn credit_some(&mut self, to: Address, asset: AssetId, amount: Amount) {
        if amount > Amount::ZERO {
            self.credit(to, asset, amount);
        }
    }

    /// L51: pays an account its voucher, and marks it as spent.
    pub(super) fn pay_voucher(
        &mut self,
        account: Address,
        key: &VoucherKey,
        now: Millis,
    ) -> Result<(), Fault> {
        let (id, mark, pool) = payable(self, key, account, now)?;
        let mut pool = VoucherPool::clone(pool);
        let spent = SpentVoucher {
            pool: id,
            before: pool.last.replace(mark),
        };
        pool.spent += 1;
        let (asset, amount) = (pool.asset, pool.denomination);
        self.put_pool(id, pool);
        let object = Object::SpentVoucher(Arc::new(spent));
        self.put(ObjectId::SpentVoucher(mark), object);
        self.credit(account, asset, amount);
        Ok(())
    }
}
