//! Items that were sold, as rows. A price is that of L25: the native asset that a side of a deal gets, less what it
//! gives along. It is one here only where nothing but the side's items and the native asset changes hands; what came
//! with other items or assets has no price that anybody could compare.
//!
//! Each row has the totals up to it, so that what was sold in a time is the difference of two. So rows of sales follow
//! from the commit *and* from the newest row before it, which is kept beside them for each edition and collection.

use super::{Indexed, Row, key};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::collections::{BTreeMap, HashMap};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, CollectionId, CommitIndex, Deal, DealId,
    DealState, EditionId, ItemId, Millis, NewDeal, ObjectId, Operation, Taking, TransactionId,
};

/// Sales by scope: time, commit, position, deal, place in the deal.
pub(super) const SALES: u8 = b's';
/// The newest one of each scope.
pub(super) const LAST_SALE: u8 = b'l';

/// Who sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Giver,
    Taker,
}

/// What a deal sells for coin alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Priced {
    pub side: Side,
    /// Of all items together, more than nothing.
    pub price: u128,
    /// At least one.
    pub items: u64,
}

/// A deal's price, where it has one.
pub(super) fn priced(terms: &NewDeal) -> Option<Priced> {
    let is_coin = |a: &AssetAmount| a.asset == AssetId::NATIVE;
    let mut assets = terms.gives.assets.iter().chain(&terms.wants.assets);
    if !assets.all(is_coin) {
        return None;
    }
    let coin = |bundle: &Bundle| -> u128 {
        let amounts = bundle.assets.iter().map(|a| u128::from(a.amount.0));
        amounts.sum()
    };
    let (give, want) = (coin(&terms.gives), coin(&terms.wants));
    let given = terms.gives.items.len() as u64;
    let any = terms.wants_any.iter().map(|any| any.count);
    let wanted = any.fold(terms.wants.items.len() as u64, u64::saturating_add);
    let (side, price, items) = match (given, wanted) {
        (items, 0) => (Side::Giver, want.checked_sub(give)?, items),
        (0, items) => (Side::Taker, give.checked_sub(want)?, items),
        _ => return None,
    };
    (price > 0 && items > 0).then_some(Priced { side, price, items })
}

/// An item that changed hands by a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traded {
    pub item: ItemId,
    pub deal: DealId,
    /// Among all items of the deal.
    pub(super) place: u32,
    pub(super) seller: Address,
    pub buyer: Address,
    /// Its part of the deal's price. The parts differ by one at most, and add up to the price.
    pub price: Option<Amount>,
    /// Absent when the ledger did it by itself.
    pub transaction: Option<TransactionId>,
    pub(super) position: u32,
}

/// How a deal was taken by a transaction.
struct Taken<'a> {
    transaction: TransactionId,
    position: u32,
    picks: &'a [ItemId],
}

/// What changed hands by the deals that the commit ended as taken, in the order of the commit, and by books.
pub(super) fn traded(indexed: &Indexed<'_>) -> Vec<Traded> {
    let taken = indexed.applied.changes.iter().filter_map(|change| {
        let ObjectId::Deal(id) = change.id else {
            return None;
        };
        let deal = change.retired.as_ref()?.as_deal()?;
        match deal.state {
            // What a book has traded says the ledger.
            DealState::Taken { .. } if deal.order.is_some() => None,
            DealState::Taken { by } => Some((id, deal, by)),
            DealState::Open | DealState::Cancelled | DealState::Expired => None,
        }
    });
    let taken: Vec<_> = taken.collect();
    let mut traded: Vec<Traded> = super::book::traded(indexed).collect();
    if taken.is_empty() {
        return traded;
    }
    let takes = takes(indexed);
    for (id, deal, by) in taken {
        let how = takes.get(&id);
        let priced = match &deal.bid {
            Some(bid) => priced(&deal.sold_for(bid.amount)),
            None => priced(&deal.terms),
        };
        let picks = how.map_or(&[][..], |how| how.picks);
        let moved = moved(&id, deal, by, picks).into_iter();
        for (place, (item, seller, buyer)) in (0u32..).zip(moved) {
            traded.push(Traded {
                item,
                deal: id,
                place,
                seller,
                buyer,
                price: priced.map(|priced| priced.part(place)),
                transaction: how.map(|how| how.transaction),
                position: how.map_or(u32::MAX, |how| how.position),
            });
        }
    }
    traded.sort_by_key(|t| (t.position, t.deal, t.place));
    traded
}

/// The items of a deal that is taken, with whose they were and whose they became.
fn moved(
    id: &DealId,
    deal: &Deal,
    by: Address,
    picks: &[ItemId],
) -> Vec<(ItemId, Address, Address)> {
    if let Some(drawing) = &deal.drawing {
        let drawn = drawing.secret.and_then(|secret| deal.draw(id, &secret));
        let packs = drawn.into_iter().flat_map(|drawn| drawn.packs);
        let packs = packs.zip(drawing.packs.iter().map(|pack| pack.holder));
        let of_pack = |(items, holder): (Vec<ItemId>, Address)| {
            let items = items.into_iter();
            items.map(move |item| (item, deal.giver, holder))
        };
        return packs.flat_map(of_pack).collect();
    }
    let given = deal.terms.gives.items.iter();
    let given = given.map(|item| (*item, deal.giver, by));
    let wanted = deal.terms.wants.items.iter().chain(picks);
    let wanted = wanted.map(|item| (*item, by, deal.giver));
    given.chain(wanted).collect()
}

impl Priced {
    /// Of the item at a place: items are on one side alone, so that places count from its first.
    fn part(&self, place: u32) -> Amount {
        let up_to = |n: u128| self.price.saturating_mul(n) / u128::from(self.items);
        let place = u128::from(place);
        let part = up_to(place + 1).saturating_sub(up_to(place));
        Amount(u64::try_from(part).unwrap_or(u64::MAX))
    }
}

/// The deals that transactions have taken.
fn takes<'a>(indexed: &Indexed<'a>) -> HashMap<DealId, Taken<'a>> {
    let transactions = indexed.transactions.iter().map(|t| (t.id(), t));
    let transactions: HashMap<TransactionId, _> = transactions.collect();
    let mut takes = HashMap::new();
    let receipts = indexed.applied.receipts.iter();
    for receipt in receipts.filter(|receipt| receipt.is_applied()) {
        let Some(transaction) = transactions.get(&receipt.transaction) else {
            continue;
        };
        each(&transaction.body().operations, &mut |operation| {
            let (deal, picks) = match operation {
                Operation::DealTake(Taking { deal, items, .. }) => (deal, &items[..]),
                Operation::Reveal { deal, .. } => (deal, &[][..]),
                _ => return,
            };
            let taken = Taken {
                transaction: receipt.transaction,
                position: receipt.position,
                picks,
            };
            takes.insert(*deal, taken);
        });
    }
    takes
}

/// Every operation, those of parties in their place.
pub(super) fn each<'a>(operations: &'a [Operation], look: &mut impl FnMut(&'a Operation)) {
    for operation in operations {
        match operation {
            Operation::MultiParty(parties) => {
                for party in parties {
                    each(&party.operations, look);
                }
            }
            operation => look(operation),
        }
    }
}

/// Whose sales a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SaleScope {
    Edition(EditionId),
    Collection(CollectionId),
}

impl SaleScope {
    fn key(&self, tag: u8) -> Bytes {
        match self {
            Self::Edition(id) => key(tag, &[&[0], &id.0]),
            Self::Collection(id) => key(tag, &[&[1], &id.0]),
        }
    }
}

/// The prefix of a scope's sales, in their order; time, commit, position, deal and place follow.
pub fn sales_prefix(scope: &SaleScope) -> Bytes {
    scope.key(SALES)
}

/// The key of a scope's newest sale, whose value is a [`SaleRow`].
pub fn last_sale_key(scope: &SaleScope) -> Bytes {
    scope.key(LAST_SALE)
}

/// Items sold, and for how much together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub items: u64,
    pub volume: u128,
}

impl Totals {
    /// What was sold since these.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            items: self.items.saturating_sub(before.items),
            volume: self.volume.saturating_sub(before.volume),
        }
    }
}

/// An item that was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleRow {
    pub timestamp: Millis,
    pub commit: CommitIndex,
    pub item: ItemId,
    pub edition: EditionId,
    pub deal: DealId,
    pub price: Amount,
    pub seller: Address,
    pub buyer: Address,
    pub transaction: Option<TransactionId>,
    /// Up to this sale and with it, as far back as this node knows.
    pub totals: Totals,
}

const SALE_BYTES: usize = 8 + 8 + 5 * 32 + 8 + 8 + 16;

impl SaleRow {
    /// Those up to the sale, without it.
    pub fn totals_before(&self) -> Totals {
        let this = Totals {
            items: 1,
            volume: u128::from(self.price.0),
        };
        self.totals.since(&this)
    }

    fn encode(&self) -> Bytes {
        let mut value = BytesMut::with_capacity(SALE_BYTES + 32);
        value.put_u64(self.timestamp.0);
        value.put_u64(self.commit.0);
        for id in [
            &self.item.0,
            &self.edition.0,
            &self.deal.0,
            &self.seller.0,
            &self.buyer.0,
        ] {
            value.put_slice(id);
        }
        value.put_u64(self.price.0);
        value.put_u64(self.totals.items);
        value.put_u128(self.totals.volume);
        if let Some(transaction) = self.transaction {
            value.put_slice(&transaction.0);
        }
        value.freeze()
    }

    /// Reads a row's value.
    pub fn read(mut value: Bytes) -> Option<Self> {
        if value.len() != SALE_BYTES && value.len() != SALE_BYTES + 32 {
            return None;
        }
        let (timestamp, commit) = (Millis(value.get_u64()), CommitIndex(value.get_u64()));
        let mut id = || value.split_to(32);
        Some(Self {
            timestamp,
            commit,
            item: ItemId::try_from(id().as_ref()).ok()?,
            edition: EditionId::try_from(id().as_ref()).ok()?,
            deal: DealId::try_from(id().as_ref()).ok()?,
            seller: Address::try_from(id().as_ref()).ok()?,
            buyer: Address::try_from(id().as_ref()).ok()?,
            price: Amount(value.get_u64()),
            totals: Totals {
                items: value.get_u64(),
                volume: value.get_u128(),
            },
            transaction: match value.is_empty() {
                true => None,
                false => Some(TransactionId::try_from(value.as_ref()).ok()?),
            },
        })
    }
}

/// The rows of what was sold. `stored` reads the rows as they were before the commit.
pub(super) fn sale_rows<E>(
    indexed: &Indexed<'_>,
    traded: &[Traded],
    stored: impl Fn(&[u8]) -> Result<Option<Bytes>, E>,
    rows: &mut Vec<Row>,
) -> Result<(), E> {
    let mut last: BTreeMap<SaleScope, SaleRow> = BTreeMap::new();
    for sold in traded {
        let edition = indexed.edition_of_item(&sold.item);
        let (Some(price), Some(edition)) = (sold.price, edition) else {
            continue;
        };
        let collection = indexed.collection_of(&edition).map(SaleScope::Collection);
        for scope in [SaleScope::Edition(edition)].into_iter().chain(collection) {
            let before = match last.get(&scope) {
                Some(row) => row.totals,
                None => {
                    let row = stored(&last_sale_key(&scope))?.and_then(SaleRow::read);
                    row.map_or_else(Totals::default, |row| row.totals)
                }
            };
            let row = SaleRow {
                timestamp: indexed.timestamp,
                commit: indexed.commit,
                item: sold.item,
                edition,
                deal: sold.deal,
                price,
                seller: sold.seller,
                buyer: sold.buyer,
                transaction: sold.transaction,
                totals: Totals {
                    items: before.items.saturating_add(1),
                    volume: before.volume.saturating_add(u128::from(price.0)),
                },
            };
            let mut key = BytesMut::from(sales_prefix(&scope));
            key.put_u64(indexed.timestamp.0);
            key.put_u64(indexed.commit.0);
            key.put_u32(sold.position);
            key.put_slice(&sold.deal.0);
            key.put_u32(sold.place);
            rows.push((key.freeze(), Some(row.encode())));
            last.insert(scope, row);
        }
    }
    let last = last.iter();
    rows.extend(last.map(|(scope, row)| (last_sale_key(scope), Some(row.encode()))));
    Ok(())
}

/// The commit of a row of sales, by its key without the tag.
pub(super) fn commit_of(rest: &[u8]) -> Option<u64> {
    let bytes = rest.get(1 + 32 + 8..)?.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*bytes))
}
