//! Tickets as plainly as can be: bought by who may, redeemed while uses are left, void for good.

use super::{Bug, Model, Step, demand, find};
use weft_types::{
    Address, AssetId, CollectionId, EditionId, FailureCode, ItemId, ItemState, Pass, Purchase,
    Role, Sale, SessionKind, Transaction,
};

const DAY: u64 = 86_400_000;

impl Model {
    pub fn redeem(&mut self, gate: Address, id: &ItemId, pass: &Pass) -> Step {
        let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
        let item = item.ok_or(FailureCode::NotFound)?.clone();
        let collection = self.collection_of(&item.edition)?;
        if !self.bug(Bug::AnybodyRedeems) {
            self.has_role(gate, &collection, Role::Gate)?;
        }
        let edition = find(&mut self.editions, &item.edition).expect("editions stay");
        let uses = edition.terms.uses;
        demand(uses > 0, FailureCode::NotRedeemable)?;
        if !self.bug(Bug::VoidItemIsRedeemed) {
            demand(item.void.is_none(), FailureCode::ItemVoid)?;
        }
        self.not_frozen(id)?;
        let more = u32::from(self.bug(Bug::OneUseMore));
        demand(item.used < uses + more, FailureCode::NoUseLeft)?;
        let locked = matches!(item.state, ItemState::Locked { .. });
        let locked = locked && !self.bug(Bug::LockedItemIsRedeemed);
        demand(!locked, FailureCode::ItemLocked)?;

        let here = pass.gate.is_none_or(|named| named == gate);
        let here = here || self.bug(Bug::PassIsForAnyGate);
        demand(here, FailureCode::WrongGate)?;
        let shows = self.shows(item.owner, pass.key(), &collection);
        demand(shows, FailureCode::NotHolder)?;
        let begins = u128::from(pass.slot) * 15_000;
        let now = u128::from(self.now);
        let fresh = begins <= now + 30_000 && now <= begins + u128::from(DAY);
        let fresh = fresh || self.bug(Bug::PassIsOfAnyTime);
        demand(fresh, FailureCode::PassStale)?;
        let newer = pass.slot > item.last_pass || self.bug(Bug::PassIsTakenTwice);
        demand(newer, FailureCode::PassSpent)?;
        let item = find(&mut self.items, id).expect("found");
        item.used += 1;
        item.last_pass = pass.slot;
        if item.used >= uses {
            item.state = ItemState::Redeemed;
        }
        Ok(())
    }

    fn shows(&mut self, account: Address, key: Address, collection: &CollectionId) -> bool {
        let keys = self.keys_of(account);
        let (now, any) = (self.now, self.bug(Bug::AnySessionShows));
        let mut sessions = keys.sessions.iter();
        let session = sessions.find(|s| s.key == key && s.expires.0 > now);
        let session = session.is_some_and(|s| {
            let named = s.kinds.iter().any(|kind| kind == SessionKind::Pass);
            (named || any) && s.collections.contains(collection)
        });
        keys.owner.unwrap_or(account) == key || session || self.bug(Bug::AnybodyShows)
    }

    pub fn void(&mut self, actor: Address, items: &[ItemId], reason: &str) -> Step {
        for id in items {
            let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
            let edition = item.ok_or(FailureCode::NotFound)?.edition;
            let collection = self.collection_of(&edition)?;
            self.created_by(&collection, actor)?;
            find(&mut self.items, id).expect("found").void = Some(reason.to_owned());
        }
        Ok(())
    }

    /// Neither void nor frozen, in this order.
    pub fn not_void(&mut self, id: &ItemId) -> Step {
        let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
        let void = item.ok_or(FailureCode::NotFound)?.void.is_some();
        let void = void && !self.bug(Bug::VoidItemMoves);
        demand(!void, FailureCode::ItemVoid)
    }

    pub fn set_sale(&mut self, actor: Address, id: &EditionId, sale: Option<&Sale>) -> Step {
        let collection = self.collection_of(id)?;
        self.created_by(&collection, actor)?;
        if let Some(sale) = sale {
            let ends = sale.until.0 == 0 || sale.until.0 > self.now;
            demand(ends, FailureCode::ExpiryPassed)?;
        }
        let edition = find(&mut self.editions, id).expect("found");
        let old = edition.sale.as_ref().and_then(|s| s.list);
        if old != sale.and_then(|s| s.list) {
            edition.bought = Default::default();
        }
        edition.sale = sale.cloned();
        Ok(())
    }

    pub fn buy(
        &mut self,
        transaction: &Transaction,
        buyer: Address,
        purchase: &Purchase,
        minted: &mut u128,
    ) -> Step {
        let Purchase {
            edition: id,
            count,
            price,
            listed,
        } = purchase;
        let collection = self.collection_of(id)?;
        self.in_scope(buyer, collection)?;
        let edition = find(&mut self.editions, id).expect("found").clone();
        let sale = edition.sale.ok_or(FailureCode::NotOnSale)?;
        let until = sale.until.0;
        let over = until != 0 && until <= self.now && !self.bug(Bug::SaleForgetsItsEnd);
        let on = sale.from.0 <= self.now && !over;
        demand(on, FailureCode::NotOnSale)?;
        if !self.permitted(transaction, &collection) {
            if let Some(list) = sale.list {
                let listed = listed.as_ref().filter(|l| list.has(id, &buyer, l));
                let listed = listed.ok_or(FailureCode::NotAllowed)?;
                let again = edition.bought.has(listed.place) && !self.bug(Bug::ListedBuyTwice);
                demand(!again, FailureCode::AlreadyBought)?;
                demand(*count <= listed.most, FailureCode::TooManyItems)?;
                let edition = find(&mut self.editions, id).expect("found");
                edition.bought.insert(listed.place);
            } else {
                demand(!sale.by_permit, FailureCode::NotAllowed)?;
            }
            let seen = *price == sale.price || self.bug(Bug::AnyPriceWillDo);
            demand(seen, FailureCode::PriceDiffers)?;
        }
        self.issue(id, buyer, *count, minted)?;
        let creator = find(&mut self.collections, &collection).expect("found");
        let creator = creator.creator;
        let price = u128::from(price.0) * u128::from(*count);
        if self.bug(Bug::PurchaseIsFree) {
            return Ok(());
        }
        self.give(buyer, creator, AssetId::NATIVE, price)
    }

    /// Whether a minter sponsors it with a key that may mint.
    fn permitted(&mut self, transaction: &Transaction, id: &CollectionId) -> bool {
        let Some(sponsor) = transaction.body().sponsor else {
            return false;
        };
        if self.bug(Bug::AnySponsorPermits) {
            return true;
        }
        let collection = find(&mut self.collections, id).expect("found");
        let mut holders = collection.roles.iter();
        let given = holders.any(|h| h.account == sponsor && h.roles.has(Role::Minter));
        let minter = given || collection.creator == sponsor;
        let any = self.bug(Bug::SponsoringSessionPermits);
        let session = self.session_of(sponsor).is_none_or(|s| {
            let mints = s.kinds.has(SessionKind::Mint) && s.collections.contains(id);
            mints || any
        });
        minter && session
    }
}
