//! Books of editions: open orders by price, what clearings have traded, and the newest clearing of each book.

use super::sales::Traded;
use super::{HistoryRow, Indexed, Passing, Row, key};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::collections::BTreeSet;
use weft_ledger::Change;
use weft_types::{
    Amount, BookSide, CommitIndex, Deal, DealId, EditionId, Millis, Object, ObjectId,
};

/// Open orders by edition, side and price.
const ORDERS: u8 = b'b';
/// The newest clearing of each edition's book.
const LAST_CLEARING: u8 = b'q';

/// The prefix of a side's open orders, the best first; the price (bids: taken from the largest number) and the deal follow.
/// Values are items, eight bytes.
pub fn orders_prefix(edition: &EditionId, side: BookSide) -> Bytes {
    let side = match side {
        BookSide::Bid => 0,
        BookSide::Ask => 1,
    };
    key(ORDERS, &[&edition.0, &[side]])
}

/// Reads the price and the items of an order, by what follows [`orders_prefix`] and the value.
pub fn read_order(side: BookSide, rest: &[u8], value: &[u8]) -> Option<(Amount, u64)> {
    let price = u64::from_be_bytes(*rest.first_chunk::<8>()?);
    let price = match side {
        BookSide::Bid => !price,
        BookSide::Ask => price,
    };
    let items = u64::from_be_bytes(value.try_into().ok()?);
    Some((Amount(price), items))
}

pub(super) fn order_rows(id: &DealId, change: &Change, rows: &mut Vec<Row>) {
    let row = |object: &Option<Object>| {
        let deal: &Deal = object.as_ref()?.as_deal()?;
        let (limit, order) = deal.terms.limit().zip(deal.order)?;
        let mut key = BytesMut::from(orders_prefix(&order.edition, limit.side));
        key.put_u64(match limit.side {
            BookSide::Bid => !limit.price.0,
            BookSide::Ask => limit.price.0,
        });
        key.put_slice(&id.0);
        let items = Bytes::copy_from_slice(&limit.count.to_be_bytes());
        Some((key.freeze(), items))
    };
    let (before, after) = (row(&change.before), row(&change.after));
    // What is left of an order has its price: the row stays, with another value.
    if after.is_none() {
        rows.extend(before.map(|(key, _)| (key, None)));
    }
    rows.extend(after.map(|(key, items)| (key, Some(items))));
}

/// What a book has traded at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearingRow {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    /// Of each item.
    pub price: Amount,
    pub items: u64,
}

const CLEARING_BYTES: usize = 4 * 8;

impl ClearingRow {
    fn encode(&self) -> Bytes {
        let mut value = BytesMut::with_capacity(CLEARING_BYTES);
        value.put_u64(self.commit.0);
        value.put_u64(self.timestamp.0);
        value.put_u64(self.price.0);
        value.put_u64(self.items);
        value.freeze()
    }

    /// Reads a row's value.
    pub fn read(mut value: Bytes) -> Option<Self> {
        (value.len() == CLEARING_BYTES).then(|| Self {
            commit: CommitIndex(value.get_u64()),
            timestamp: Millis(value.get_u64()),
            price: Amount(value.get_u64()),
            items: value.get_u64(),
        })
    }
}

/// The key of an edition's newest clearing, whose value is a [`ClearingRow`].
pub fn last_clearing_key(edition: &EditionId) -> Bytes {
    key(LAST_CLEARING, &[&edition.0])
}

pub(super) fn clearing_rows(indexed: &Indexed<'_>, rows: &mut Vec<Row>) {
    let cleared = indexed.applied.cleared.iter().map(|cleared| {
        let row = ClearingRow {
            commit: indexed.commit,
            timestamp: indexed.timestamp,
            price: cleared.price,
            items: cleared.trades.len() as u64,
        };
        (last_clearing_key(&cleared.edition), Some(row.encode()))
    });
    rows.extend(cleared);
}

/// L57: the ledger has done it by itself. The deal of a trade is the ask.
pub(super) fn traded(indexed: &Indexed<'_>) -> impl Iterator<Item = Traded> {
    indexed.applied.cleared.iter().flat_map(|cleared| {
        let trades = (0u32..).zip(&cleared.trades);
        trades.map(|(place, trade)| Traded {
            item: trade.item,
            deal: trade.ask,
            place,
            seller: trade.seller,
            buyer: trade.buyer,
            price: Some(cleared.price),
            transaction: None,
            position: u32::MAX,
        })
    })
}

impl Indexed<'_> {
    /// Steps of the items that clearings have traded, and of the accounts that had a part in it.
    pub(super) fn steps_of_books(&self) -> Vec<(ObjectId, HistoryRow)> {
        let mut accounts = BTreeSet::new();
        let mut steps = Vec::new();
        for traded in traded(self) {
            accounts.extend([traded.seller, traded.buyer]);
            let between = (Some(traded.seller), Some(traded.buyer));
            let passing = Passing::new(between, Some(&traded));
            let item = ObjectId::Item(traded.item);
            let row = HistoryRow::book_traded(self.timestamp);
            steps.push((item, row.of_item(self.last_item(&item), passing)));
        }
        let trades = self.applied.cleared.iter().flat_map(|c| &c.trades);
        let asks: BTreeSet<DealId> = trades.map(|trade| trade.ask).collect();
        let asks = asks.iter().filter_map(|ask| self.last_deal(ask));
        accounts.extend(asks.flat_map(|deal| self.shared_with(deal, &[])));
        let step = |account| {
            let row = HistoryRow::book_traded(self.timestamp);
            (ObjectId::Account(account), row)
        };
        steps.extend(accounts.into_iter().map(step));
        steps
    }
}
