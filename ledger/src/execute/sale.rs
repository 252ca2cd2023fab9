//! What a deal is in the eyes of the collections whose items change hands in it: for what coin each side is sold (L25),
//! and what of that is owed as royalties (L28) and as commission (L31).

use super::policy::stands;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::collections::BTreeMap;
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, CollectionId, Commission, FailureCode, ItemId,
    Millis, NewDeal, ObjectId, ROYALTY_WHOLE, WantedFrom,
};

/// The items that one side of a deal gives, and what for.
pub(super) struct Side {
    /// How many of each collection.
    items: BTreeMap<CollectionId, u64>,
    /// The native asset that the side gets, less what it gives itself; none if that is more.
    price: u128,
    /// Whether nothing but these items and the native asset changes hands.
    for_coin: bool,
}

impl<B: Objects> Draft<'_, B> {
    /// The sides of a deal, if both can change hands at some time between two for what they are sold for.
    pub(super) fn judged(
        &self,
        terms: &NewDeal,
        deal: ObjectId,
        times: (Millis, Millis),
    ) -> Result<[Side; 2], Fault> {
        let sides = self.sides(terms)?;
        for side in &sides {
            self.judge(side, deal, times)?;
        }
        for side in &sides {
            self.leaves_something(side, deal, terms.commission)?;
        }
        Ok(sides)
    }

    /// What the giver sells, and what the taker does. The terms alone say it: whatever the taker picks is of the
    /// collections that are wanted.
    fn sides(&self, terms: &NewDeal) -> Result<[Side; 2], Fault> {
        let (gives, wants) = (&terms.gives, &terms.wants);
        if let Some(series) = terms.series() {
            // L45: all of the contents are sold, for what all packs cost; the bond is no part of it.
            let given = self.sold(&gives.items, terms.series_price(series))?;
            return Ok([given, self.sold(&[], 0)?]);
        }
        let given = self.by_collection(&gives.items)?;
        let mut wanted = self.by_collection(&wants.items)?;
        for any in &terms.wants_any {
            let collection = match &any.from {
                WantedFrom::Edition(edition) => self.edition(edition)?.terms.collection,
                WantedFrom::Collection(collection) | WantedFrom::Trait { collection, .. } => {
                    *collection
                }
            };
            *wanted.entry(collection).or_default() += any.count;
        }
        let is_coin = |a: &AssetAmount| a.asset == AssetId::NATIVE;
        let coin_alone = gives.assets.iter().chain(&wants.assets).all(is_coin);
        let (give, want) = (coin(gives), coin(wants));
        let (given_for_coin, wanted_for_coin) = (
            coin_alone && wanted.is_empty(),
            coin_alone && given.is_empty(),
        );
        let given = Side {
            items: given,
            price: want.saturating_sub(give),
            for_coin: given_for_coin,
        };
        let wanted = Side {
            items: wanted,
            price: give.saturating_sub(want),
            for_coin: wanted_for_coin,
        };
        Ok([given, wanted])
    }

    /// Items sold for coin alone.
    pub(super) fn sold(&self, items: &[ItemId], price: u128) -> Result<Side, Fault> {
        Ok(Side {
            items: self.by_collection(items)?,
            price,
            for_coin: true,
        })
    }

    fn by_collection(&self, items: &[ItemId]) -> Result<BTreeMap<CollectionId, u64>, Fault> {
        let mut counts = BTreeMap::new();
        for id in items {
            let edition = self.item(id)?.edition;
            let collection = self.edition(&edition)?.terms.collection;
            *counts.entry(collection).or_default() += 1;
        }
        Ok(counts)
    }

    /// L25: whether a side can change hands at some time between two, for what it is sold for.
    fn judge(&self, side: &Side, deal: ObjectId, times: (Millis, Millis)) -> Result<(), Fault> {
        let (mut floors, mut caps, mut capped) = (0u128, 0u128, 0);
        for (id, count) in &side.items {
            let policy = &self.collection(id)?.policy;
            stands(id, policy, times)?;
            floors += u128::from(policy.floor_price.0) * u128::from(*count);
            caps += u128::from(policy.cap_price.0) * u128::from(*count);
            capped += usize::from(policy.cap_price != Amount::ZERO);
        }
        let figures = |code, limit| {
            let shown = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
            Fault::figures(code, Some(deal), shown(side.price), shown(limit))
        };
        if side.price < floors {
            return Err(figures(FailureCode::PriceTooLow, floors));
        }
        if capped == 0 {
            return Ok(());
        }
        // What has no cap, or is no coin, could be worth anything.
        if capped < side.items.len() || !side.for_coin {
            return Err(Fault::new(FailureCode::PriceUnclear, deal));
        }
        match side.price > caps {
            true => Err(figures(FailureCode::PriceTooHigh, caps)),
            false => Ok(()),
        }
    }

    /// L31: no royalty and the commission together are more than a price.
    fn leaves_something(
        &self,
        side: &Side,
        deal: ObjectId,
        commission: Option<Commission>,
    ) -> Result<(), Fault> {
        let (Some(commission), true) = (commission, side.price > 0) else {
            return Ok(());
        };
        for id in side.items.keys() {
            let royalty = self.collection(id)?.policy.royalty;
            let parts = royalty.map_or(0, |r| r.parts) + commission.parts;
            if parts > ROYALTY_WHOLE {
                let (code, limit) = (FailureCode::SharesTooHigh, ROYALTY_WHOLE.into());
                return Err(Fault::figures(code, Some(deal), parts.into(), limit));
            }
        }
        Ok(())
    }

    /// L28: each item has an equal part of the price, and each collection's royalty is of its items' parts, rounded
    /// down. L31: the commission is of the whole price, rounded down. The rest stays the seller's, who has been paid.
    pub(super) fn pay_shares(
        &mut self,
        seller: Address,
        side: &Side,
        commission: Option<Commission>,
    ) -> Result<(), Fault> {
        let all: u64 = side.items.values().sum();
        for (id, count) in &side.items {
            let Some(royalty) = self.collection(id)?.policy.royalty else {
                continue;
            };
            let parts = side.price * u128::from(*count) * u128::from(royalty.parts);
            let owed = parts / (u128::from(all) * u128::from(ROYALTY_WHOLE));
            self.pay_share(seller, royalty.to, owed);
        }
        if let (Some(commission), true) = (commission, all > 0) {
            let owed = side.price * u128::from(commission.parts) / u128::from(ROYALTY_WHOLE);
            self.pay_share(seller, commission.to, owed);
        }
        Ok(())
    }

    fn pay_share(&mut self, seller: Address, to: Address, owed: u128) {
        let owed = Amount(u64::try_from(owed).expect("a part of what was paid"));
        if owed > Amount::ZERO {
            let taken = self.debit(seller, AssetId::NATIVE, owed);
            taken.expect("the seller has been paid the price");
            self.credit(to, AssetId::NATIVE, owed);
        }
    }
}

fn coin(bundle: &Bundle) -> u128 {
    let native = bundle.assets.iter().filter(|a| a.asset == AssetId::NATIVE);
    native.map(|a| u128::from(a.amount.0)).sum()
}
