//! Rows of deals: by scope and state, by price while they are open to anybody, and their last form.

use super::sales::{Priced, Side, priced};
use super::{CLOSED, DEALS, Indexed, Row, key};
use bytes::{BufMut as _, Bytes, BytesMut};
use std::collections::BTreeSet;
use weft_ledger::Change;
use weft_types::{
    Address, Amount, AssetAmount, AssetId, CollectionId, Deal, DealId, DealState, EditionId,
    ItemId, Object, WantedFrom,
};

/// Open deals that anybody may take, by price.
pub(super) const PRICES: u8 = b'p';

/// Which deals a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DealScope {
    All,
    Giver(Address),
    /// Those that give an item of the collection, or want any of it.
    Collection(CollectionId),
    /// Those that give an item of the edition, or want any of it.
    Edition(EditionId),
    /// Those that this account alone may take, or has taken.
    Taker(Address),
    /// Those with this asset on a side. Of the native one there is no list.
    Asset(AssetId),
}

/// Whose prices a list has: listings with the cheapest first, offers with the highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceScope {
    ListingsOfEdition(EditionId),
    ListingsOfCollection(CollectionId),
    /// For any item of it.
    OffersForEdition(EditionId),
    OffersForCollection(CollectionId),
    /// For this very one.
    OffersForItem(ItemId),
}

impl PriceScope {
    fn is_offer(&self) -> bool {
        match self {
            Self::ListingsOfEdition(_) | Self::ListingsOfCollection(_) => false,
            Self::OffersForEdition(_) | Self::OffersForCollection(_) | Self::OffersForItem(_) => {
                true
            }
        }
    }
}

/// The number of a deal's state in keys.
pub fn state_byte(state: &DealState) -> u8 {
    match state {
        DealState::Open => 0,
        DealState::Taken { .. } => 1,
        DealState::Cancelled => 2,
        DealState::Expired => 3,
    }
}

/// The prefix of deals of one scope and state; expiry and id follow.
pub fn deals_prefix(scope: &DealScope, state: u8) -> Bytes {
    match scope {
        DealScope::All => key(DEALS, &[&[0], &[state]]),
        DealScope::Giver(giver) => key(DEALS, &[&[1], &giver.0, &[state]]),
        DealScope::Collection(id) => key(DEALS, &[&[2], &id.0, &[state]]),
        DealScope::Edition(id) => key(DEALS, &[&[3], &id.0, &[state]]),
        DealScope::Taker(taker) => key(DEALS, &[&[4], &taker.0, &[state]]),
        DealScope::Asset(asset) => key(DEALS, &[&[5], &asset.0, &[state]]),
    }
}

/// Reads what follows [`deals_prefix`].
pub fn read_deal(rest: &[u8]) -> Option<DealId> {
    let (_expires, id) = rest.split_at_checked(8)?;
    DealId::try_from(id).ok()
}

/// The prefix of open deals by the price of an item; the price (offers: taken from the largest number) and id follow.
pub fn prices_prefix(scope: &PriceScope) -> Bytes {
    match scope {
        PriceScope::ListingsOfEdition(id) => key(PRICES, &[&[0], &id.0]),
        PriceScope::ListingsOfCollection(id) => key(PRICES, &[&[1], &id.0]),
        PriceScope::OffersForEdition(id) => key(PRICES, &[&[2], &id.0]),
        PriceScope::OffersForCollection(id) => key(PRICES, &[&[3], &id.0]),
        PriceScope::OffersForItem(id) => key(PRICES, &[&[4], &id.0]),
    }
}

/// Reads what follows [`prices_prefix`].
pub fn read_price(scope: &PriceScope, rest: &[u8]) -> Option<(Amount, DealId)> {
    let (price, id) = rest.split_at_checked(8)?;
    let price = u64::from_be_bytes(price.try_into().ok()?);
    let price = if scope.is_offer() { !price } else { price };
    Some((Amount(price), DealId::try_from(id).ok()?))
}

/// The key of a deal that is open no longer; its value is the encoded [`Object`].
pub fn closed_key(deal: &DealId) -> Bytes {
    key(CLOSED, &[&deal.0])
}

pub(super) fn deal_rows(indexed: &Indexed<'_>, id: &DealId, change: &Change, rows: &mut Vec<Row>) {
    let before = change.before.as_ref().and_then(Object::as_deal);
    let last = change.after.as_ref().or(change.retired.as_ref());
    let Some(deal) = last.and_then(Object::as_deal) else {
        return;
    };
    // A deal's terms never change but in what is left of an order (a bid moves the expiry), so that what it is about has to be looked up once.
    let about = About::new(indexed, deal);
    let (delete, put) = (
        before.map(|deal| about.keys(id, deal)),
        about.keys(id, deal),
    );
    rows.extend(delete.into_iter().flatten().map(|key| (key, None)));
    rows.extend(put.into_iter().map(|key| (key, Some(Bytes::new()))));
    let retired = change.retired.as_ref();
    rows.extend(retired.map(|object| (closed_key(id), Some(object.encode()))));
}

impl Indexed<'_> {
    /// The collections that a deal gives items of, or wants any items of.
    pub fn collections_of(&self, deal: &Deal) -> BTreeSet<CollectionId> {
        About::new(self, deal).collections().collect()
    }
}

/// What a deal gives items of, and what it wants any items of.
struct About {
    given: (BTreeSet<EditionId>, BTreeSet<CollectionId>),
    wanted: (BTreeSet<EditionId>, BTreeSet<CollectionId>),
    /// The collections of the wanted editions, and those of which some are wanted by a trait.
    beyond: BTreeSet<CollectionId>,
}

impl About {
    fn new(indexed: &Indexed<'_>, deal: &Deal) -> Self {
        let collections = |editions: &BTreeSet<EditionId>| -> BTreeSet<CollectionId> {
            let of = editions.iter().filter_map(|e| indexed.collection_of(e));
            of.collect()
        };
        let given = deal.terms.gives.items.iter();
        let given: BTreeSet<_> = given.filter_map(|i| indexed.edition_of_item(i)).collect();
        let (mut wanted, mut beyond) = ((BTreeSet::new(), BTreeSet::new()), BTreeSet::new());
        for any in &deal.terms.wants_any {
            match &any.from {
                WantedFrom::Edition(edition) => wanted.0.insert(*edition),
                WantedFrom::Collection(collection) => wanted.1.insert(*collection),
                WantedFrom::Trait { collection, .. } => beyond.insert(*collection),
            };
        }
        beyond.extend(collections(&wanted.0));
        Self {
            beyond,
            given: (given.clone(), collections(&given)),
            wanted,
        }
    }

    /// Some of them more than once.
    fn collections(&self) -> impl Iterator<Item = CollectionId> {
        let all = self.given.1.iter().chain(&self.wanted.1);
        all.chain(&self.beyond).copied()
    }

    /// The keys that the deal has as it stands.
    fn keys(&self, id: &DealId, deal: &Deal) -> Vec<Bytes> {
        let taker = match deal.state {
            DealState::Taken { by } => Some(by),
            _ => deal.terms.taker,
        };
        let terms = &deal.terms;
        let assets = terms.gives.assets.iter().chain(&terms.wants.assets);
        let assets = assets.map(|a: &AssetAmount| a.asset);
        let assets: BTreeSet<_> = assets.filter(|a| *a != AssetId::NATIVE).collect();
        let editions: BTreeSet<_> = self.given.0.union(&self.wanted.0).copied().collect();
        let collections: BTreeSet<_> = self.collections().collect();
        let scopes = [DealScope::All, DealScope::Giver(deal.giver)].into_iter();
        let scopes = scopes
            .chain(collections.into_iter().map(DealScope::Collection))
            .chain(editions.into_iter().map(DealScope::Edition))
            .chain(taker.map(DealScope::Taker))
            .chain(assets.into_iter().map(DealScope::Asset));
        let mut keys: Vec<Bytes> = scopes
            .map(|scope| {
                let mut key = BytesMut::from(deals_prefix(&scope, state_byte(&deal.state)));
                key.put_u64(deal.expires().0);
                key.put_slice(&id.0);
                key.freeze()
            })
            .collect();
        if deal.state == DealState::Open && terms.taker.is_none() && terms.rule.is_fixed() {
            keys.extend(self.price_keys(id, deal));
        }
        keys
    }

    fn price_keys(&self, id: &DealId, deal: &Deal) -> Vec<Bytes> {
        let Some(Priced { side, price, items }) = priced(&deal.terms) else {
            return Vec::new();
        };
        let price = u64::try_from(price / u128::from(items)).unwrap_or(u64::MAX);
        let wanted = deal.terms.wants.items.iter().copied();
        let scopes: Vec<PriceScope> = match side {
            Side::Giver => {
                let editions = self.given.0.iter().copied();
                let collections = self.given.1.iter().copied();
                editions
                    .map(PriceScope::ListingsOfEdition)
                    .chain(collections.map(PriceScope::ListingsOfCollection))
                    .collect()
            }
            Side::Taker => {
                let editions = self.wanted.0.iter().copied();
                let collections = self.wanted.1.iter().copied();
                editions
                    .map(PriceScope::OffersForEdition)
                    .chain(collections.map(PriceScope::OffersForCollection))
                    .chain(wanted.map(PriceScope::OffersForItem))
                    .collect()
            }
        };
        let keys = scopes.into_iter().map(|scope| {
            let mut key = BytesMut::from(prices_prefix(&scope));
            key.put_u64(if scope.is_offer() { !price } else { price });
            key.put_slice(&id.0);
            key.freeze()
        });
        keys.collect()
    }
}
