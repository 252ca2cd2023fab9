//! What creators lay down for their items and freezers stop, and what deals come to by it, item by item.

use super::{Bug, Model, Step, demand, find};
use weft_types::{
    Address, AssetId, Bundle, CollectionId, EditionId, FailureCode, ItemId, ItemState, NewDeal,
    Policy, Role, RoleHolder, WantedFrom,
};

/// What one side of a deal sells.
pub struct Sale {
    /// Of each item, ascending.
    collections: Vec<CollectionId>,
    price: u128,
    for_coin: bool,
}

fn coin(bundle: &Bundle) -> i128 {
    let native = bundle.assets.iter().filter(|a| a.asset == AssetId::NATIVE);
    native.map(|a| i128::from(a.amount.0)).sum()
}

impl Model {
    pub fn set_policy(
        &mut self,
        actor: Address,
        id: &CollectionId,
        policy: Option<&Policy>,
        roles: &[RoleHolder],
    ) -> Step {
        self.created_by(id, actor)?;
        let any = self.bug(Bug::LoosenedPolicyPasses);
        let collection = find(&mut self.collections, id).expect("found");
        if let Some(new) = policy {
            let old = collection.policy;
            let parts = |p: &Policy| p.royalty.map_or(0, |r| r.parts);
            let lower = |new: u64, old: u64| old == 0 || (new != 0 && new <= old);
            let tight = new.floor_price >= old.floor_price
                && new.locked_until >= old.locked_until
                && lower(new.cap_price.0, old.cap_price.0)
                && lower(new.cut_off.0, old.cut_off.0)
                && (new.personal || !old.personal)
                && parts(new) <= parts(&old);
            let fits = tight || collection.issued == 0 || any;
            demand(fits, FailureCode::PolicyLoosened)?;
            collection.policy = *new;
        }
        for holder in roles {
            collection.roles.retain(|h| h.account != holder.account);
            collection.roles.push(*holder);
        }
        collection.roles.retain(|h| h.roles.iter().next().is_some());
        collection.roles.sort_by_key(|h| h.account);
        demand(collection.roles.len() <= 16, FailureCode::TooManyRoles)
    }

    pub fn has_role(&mut self, actor: Address, id: &CollectionId, role: Role) -> Step {
        let found = find(&mut self.collections, id).ok_or(FailureCode::NotFound)?;
        let created = found.creator == actor;
        let anywhere = self.bug(Bug::MinterOfAnotherMints);
        let mut of = self.collections.iter();
        let given = of.any(|(other, c)| {
            let mut holders = c.roles.iter();
            let has = holders.any(|h| h.account == actor && h.roles.has(role));
            has && (other == id || anywhere)
        });
        demand(created || given, FailureCode::NoRole)?;
        self.in_scope(actor, *id)
    }

    pub fn not_frozen(&mut self, id: &ItemId) -> Step {
        let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
        let item = item.ok_or(FailureCode::NotFound)?;
        let (edition, mut frozen) = (item.edition, item.frozen);
        let collection = self.collection_of(&edition)?;
        frozen |= find(&mut self.editions, &edition).is_some_and(|e| e.frozen);
        frozen |= find(&mut self.collections, &collection).is_some_and(|c| c.frozen);
        demand(!frozen, FailureCode::Frozen)
    }

    fn policy(&mut self, id: &CollectionId) -> Policy {
        let found = find(&mut self.collections, id);
        found.expect("collections stay").policy
    }

    pub fn may_be_sent(&mut self, edition: &EditionId) -> Step {
        let collection = self.collection_of(edition)?;
        if self.policy(&collection).personal && self.bug(Bug::PersonalItemIsSent) {
            return Ok(());
        }
        self.can_move(&collection, self.now, self.now)
    }

    /// At some time from the first to the last.
    fn can_move(&mut self, id: &CollectionId, first: u64, last: u64) -> Step {
        let Policy {
            personal,
            locked_until,
            cut_off,
            ..
        } = self.policy(id);
        demand(!personal, FailureCode::Personal)?;
        let begun = locked_until.0 <= last || self.bug(Bug::LockIsForgotten);
        demand(begun, FailureCode::TransfersLocked)?;
        let over = cut_off.0 != 0 && cut_off.0 <= first && !self.bug(Bug::CutOffIsForgotten);
        demand(!over, FailureCode::TransfersOver)
    }

    /// The giver's and the taker's.
    pub fn sales(&mut self, terms: &NewDeal) -> Result<[Sale; 2], FailureCode> {
        if let Some(series) = terms.series() {
            let price = coin(&terms.wants) as u128 * u128::from(series.packs);
            let given = self.sold(&terms.gives.items, price)?;
            return Ok([given, self.sold(&[], 0)?]);
        }
        let mut sold = [vec![], vec![]];
        let listed = [&terms.gives.items, &terms.wants.items];
        for (side, items) in sold.iter_mut().zip(listed) {
            for id in items {
                let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
                let edition = item.ok_or(FailureCode::NotFound)?.edition;
                side.push(self.collection_of(&edition)?);
            }
        }
        for any in &terms.wants_any {
            let collection = match &any.from {
                WantedFrom::Edition(edition) => self.collection_of(edition)?,
                WantedFrom::Collection(id) | WantedFrom::Trait { collection: id, .. } => *id,
            };
            sold[1].extend((0..any.count).map(|_| collection));
        }
        let assets = terms.gives.assets.iter().chain(&terms.wants.assets);
        let coin_alone = assets.clone().all(|a| a.asset == AssetId::NATIVE);
        let more = coin(&terms.wants) - coin(&terms.gives);
        let [given, wanted] = sold;
        let (any_given, any_wanted) = (!given.is_empty(), !wanted.is_empty());
        let sale = |mut collections: Vec<CollectionId>, price: i128, for_coin| {
            collections.sort();
            Sale {
                collections,
                price: price.max(0) as u128,
                for_coin,
            }
        };
        Ok([
            sale(given, more, coin_alone && !any_wanted),
            sale(wanted, -more, coin_alone && !any_given),
        ])
    }

    /// Items for coin alone.
    pub fn sold(&mut self, items: &[ItemId], price: u128) -> Result<Sale, FailureCode> {
        let mut collections = vec![];
        for id in items {
            let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
            let edition = item.ok_or(FailureCode::NotFound)?.edition;
            collections.push(self.collection_of(&edition)?);
        }
        collections.sort();
        Ok(Sale {
            collections,
            price,
            for_coin: true,
        })
    }

    /// So many items of one collection, for coin alone.
    pub fn sold_of(&self, collection: CollectionId, count: usize, price: u128) -> Sale {
        Sale {
            collections: vec![collection; count],
            price,
            for_coin: true,
        }
    }

    pub fn judge_taking(&mut self, sale: &Sale) -> Step {
        let outcome = self.judge(sale, self.now, self.now);
        let forgets = self.bug(Bug::FloorIsForgottenInTaking);
        match outcome {
            Err(FailureCode::PriceTooLow) if forgets => Ok(()),
            outcome => outcome,
        }
    }

    pub fn judge(&mut self, sale: &Sale, first: u64, last: u64) -> Step {
        for id in &sale.collections {
            self.can_move(id, first, last)?;
        }
        let policies = sale.collections.iter().map(|id| self.policy(id));
        let policies: Vec<Policy> = policies.collect();
        let floors: u128 = policies.iter().map(|p| u128::from(p.floor_price.0)).sum();
        demand(sale.price >= floors, FailureCode::PriceTooLow)?;
        let caps: Vec<u64> = policies.iter().map(|p| p.cap_price.0).collect();
        if caps.iter().all(|cap| *cap == 0) {
            return Ok(());
        }
        let clear = caps.iter().all(|cap| *cap > 0) && sale.for_coin;
        let clear = clear || self.bug(Bug::CapLetsSwapsPass);
        demand(clear, FailureCode::PriceUnclear)?;
        let caps: u128 = caps.into_iter().map(u128::from).sum();
        demand(sale.price <= caps, FailureCode::PriceTooHigh)
    }

    pub fn leave_something(&mut self, sales: &[Sale; 2], terms: &NewDeal) -> Step {
        let forgotten = self.bug(Bug::SharesTakeMoreThanThePrice);
        let priced = sales.iter().filter(|s| s.price > 0 && !forgotten);
        for id in priced.flat_map(|s| &s.collections) {
            let royalty = self.policy(id).royalty.map_or(0, |r| r.parts);
            let commission = terms.commission.map_or(0, |c| c.parts);
            demand(royalty + commission <= 10_000, FailureCode::SharesTooHigh)?;
        }
        Ok(())
    }

    pub fn pay_shares(&mut self, seller: Address, sale: &Sale, terms: &NewDeal) -> Step {
        self.pay_royalties(seller, sale)?;
        match terms.commission {
            Some(c) if !sale.collections.is_empty() && !self.bug(Bug::CommissionIsNotPaid) => {
                let owed = sale.price * u128::from(c.parts) / 10_000;
                self.pay(seller, c.to, AssetId::NATIVE, owed)
            }
            _ => Ok(()),
        }
    }

    fn pay_royalties(&mut self, seller: Address, sale: &Sale) -> Step {
        if self.bug(Bug::RoyaltyIsNotPaid) {
            return Ok(());
        }
        let all = sale.collections.len() as u128;
        let mut each = sale.collections.clone();
        each.dedup();
        for id in each {
            let count = sale.collections.iter().filter(|c| **c == id).count() as u128;
            let share = match self.bug(Bug::RoyaltyIsOfTheWholePrice) {
                true => (1, 1),
                false => (count, all),
            };
            if let Some(royalty) = self.policy(&id).royalty {
                let owed = sale.price * share.0 * u128::from(royalty.parts) / (share.1 * 10_000);
                self.pay(seller, royalty.to, AssetId::NATIVE, owed)?;
            }
        }
        Ok(())
    }
}
