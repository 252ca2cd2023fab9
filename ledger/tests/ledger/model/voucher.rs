//! Pools of vouchers, as plainly as can be: a list of pools, and a list of what was spent in the order that it was.

use super::{Bug, Model, Step, demand, find};
use weft_types::{
    Address, Amount, AssetId, FailureCode, NewVoucherPool, Object, ObjectId, Operation,
    SpentVoucher, SpentVoucherId, Transaction, VoucherKey, VoucherPool, VoucherPoolId,
};

impl Model {
    /// The pool's own purse is an account that nobody has.
    pub fn pool_purse(id: &VoucherPoolId) -> Address {
        Address(id.0)
    }

    pub fn voucher_objects(&self) -> Vec<(ObjectId, Object)> {
        let mut objects = vec![];
        for (id, pool) in &self.pools {
            let (mut pool, mut last) = (pool.clone(), None);
            for (_, account) in self.spent.iter().filter(|(of, _)| of == id) {
                let mark = SpentVoucherId::derive(id, account);
                let before = last.replace(mark);
                let spent = SpentVoucher { pool: *id, before };
                objects.push((
                    ObjectId::SpentVoucher(mark),
                    Object::SpentVoucher(spent.into()),
                ));
            }
            pool.last = last;
            objects.push((ObjectId::VoucherPool(*id), Object::VoucherPool(pool.into())));
        }
        objects
    }

    fn pool_lasts(&self, pool: &VoucherPool) -> bool {
        let late = u64::from(self.bug(Bug::PoolEndsLate)) * 200;
        pool.ends.0.saturating_add(late) > self.now
    }

    /// L52.
    pub fn end_pools(&mut self) {
        for place in 0..self.pools.len() {
            let (id, pool) = self.pools[place].clone();
            if self.pool_lasts(&pool) || pool.ended {
                continue;
            }
            let purse = (Self::pool_purse(&id), pool.asset);
            let rest = self.money.remove(&purse).unwrap_or_default();
            if !self.bug(Bug::EndForgetsTheCover) {
                *self.money.entry((pool.issuer, pool.asset)).or_default() += rest;
            }
            if !self.bug(Bug::MarksStay) {
                self.spent.retain(|(of, _)| *of != id);
            }
            self.pools[place].1.ended = true;
        }
    }

    pub fn open_pool(&mut self, issuer: Address, terms: &NewVoucherPool) -> Step {
        let id = terms.key.pool();
        let there = find(&mut self.pools, &id);
        if self.bug == Some(Bug::KeyOpensAgain) && there.as_ref().is_some_and(|p| p.ended) {
            self.pools.retain(|(other, _)| *other != id);
        } else {
            demand(there.is_none(), FailureCode::AlreadyExists)?;
        }
        demand(terms.ends.0 > self.now, FailureCode::ExpiryPassed)?;
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
        self.pools.push((id, pool));
        Ok(())
    }

    pub fn issue_vouchers(&mut self, actor: Address, id: &VoucherPoolId, count: u64) -> Step {
        let found = find(&mut self.pools, id).ok_or(FailureCode::NotFound)?;
        let pool = found.clone();
        let may = pool.issuer == actor || self.bug(Bug::AnybodyCovers);
        demand(may, FailureCode::NotIssuer)?;
        demand(self.pool_lasts(&pool), FailureCode::PoolEnded)?;
        let issued = u128::from(pool.issued) + u128::from(count);
        demand(issued <= 1_048_576, FailureCode::TooManyVouchers)?;
        let cover = u128::from(count) * u128::from(pool.denomination.0);
        self.give(actor, Self::pool_purse(id), pool.asset, cover)?;
        find(&mut self.pools, id).expect("found").issued += count;
        Ok(())
    }

    pub fn spend_voucher(&mut self, account: Address, key: &VoucherKey) -> Step {
        let id = key.pool();
        let found = find(&mut self.pools, &id).ok_or(FailureCode::NotFound)?;
        let pool = found.clone();
        demand(self.pool_lasts(&pool), FailureCode::PoolEnded)?;
        let spent = self.spent.contains(&(id, account));
        let twice = self.bug(Bug::VoucherIsSpentTwice);
        demand(!spent || twice, FailureCode::VoucherSpent)?;
        let bare = self.bug(Bug::VoucherNeedsNoCover);
        demand(pool.spent < pool.issued || bare, FailureCode::NotCovered)?;
        let (asset, amount) = (pool.asset, u128::from(pool.denomination.0));
        match bare {
            true => *self.money.entry((account, asset)).or_default() += amount,
            false => self.pay(Self::pool_purse(&id), account, asset, amount)?,
        }
        self.spent.push((id, account));
        find(&mut self.pools, &id).expect("found").spent += 1;
        Ok(())
    }

    /// L51: whether the fee can be paid with the voucher that the transaction spends first. Then it is spent.
    pub fn fee_by_voucher(&mut self, transaction: &Transaction, fee: u128) -> bool {
        let body = transaction.body();
        let (Operation::VoucherSpend { key, .. }, None) = (&body.operations[0], body.sponsor)
        else {
            return false;
        };
        let purse = (body.sender, AssetId::NATIVE);
        let has = self.money.get(&purse).copied().unwrap_or_default();
        let pool = find(&mut self.pools, &key.pool()).cloned();
        let worth = pool.filter(|p| p.asset == AssetId::NATIVE);
        let worth = worth.map_or(Amount::ZERO, |p| p.denomination);
        has + u128::from(worth.0) >= fee && self.spend_voucher(body.sender, key).is_ok()
    }
}
