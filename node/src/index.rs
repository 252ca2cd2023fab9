//! Rows beside the ledger's state, for lists, searches and histories: a pure function of what a commit did, and of
//! the newest sales before it. They are written in the commit's batch, never hashed, and can be made anew from the
//! commits; but for proofs of draws (`sealed.rs`), which come with a height's certificate.
//!
//! A key is a tag, then fields of fixed length (a word ends with a zero), numbers big-endian; so a list is a prefix, in
//! the order of what follows. `docs/spec/api.md` has the layouts.

use bytes::{BufMut as _, Bytes, BytesMut};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use weft_ledger::{Applied, Change, Snapshot};
use weft_types::{
    Address, Amount, CollectionId, CommitIndex, Deal, DealId, DealState, EditionId, Item, ItemId,
    Millis, Object, ObjectId, Transaction, TransactionId, Verified,
};

mod book;
mod deals;
mod history;
mod named;
mod provenance;
mod sales;
mod sealed;
mod search;
mod state;
mod touched;
mod words;

use book::order_rows;
pub use book::{ClearingRow, last_clearing_key, orders_prefix, read_order};
use deals::deal_rows;
pub use deals::{
    DealScope, PriceScope, closed_key, deals_prefix, prices_prefix, read_deal, read_price,
};
pub use history::HistoryRow;
pub use named::{is_named, missing};
use provenance::{Owners, Passing};
use sales::{SALES, Traded};
pub use sales::{SaleRow, SaleScope, Totals, last_sale_key, sales_prefix};
use sealed::sealed_rows;
pub use sealed::{proofs, proven_key, read_proven, read_unproven, unproven_prefix};
use search::search_rows;
pub use search::{WordScope, read_number, read_word, trait_prefix, words_prefix};
pub use state::rows_of_state;
use touched::Touched;
pub use words::{words, words_of_collection, words_of_edition};

/// A key with its value, or without one to be deleted.
pub type Row = (Bytes, Option<Bytes>);

/// Items by owner: owner, edition, serial.
const OWNED: u8 = b'o';
/// Collections in the order of creation: commit, number.
const COLLECTIONS: u8 = b'c';
/// The same by creator.
const CREATED: u8 = b'k';
/// Deals by scope, state and expiry.
const DEALS: u8 = b'd';
/// The last form of deals that are open no longer.
const CLOSED: u8 = b'e';
/// Histories: subject, commit, position.
const ITEM_HISTORY: u8 = b'h';
const ACCOUNT_HISTORY: u8 = b'a';
/// Content that the state names: hash, object.
const NAMED: u8 = b'n';

fn key(tag: u8, parts: &[&[u8]]) -> Bytes {
    let mut key = BytesMut::with_capacity(1 + parts.iter().map(|p| p.len()).sum::<usize>());
    key.put_u8(tag);
    for part in parts {
        key.put_slice(part);
    }
    key.freeze()
}

/// The prefix of an account's items; edition and serial follow.
pub fn owned_prefix(owner: &Address) -> Bytes {
    key(OWNED, &[&owner.0])
}

/// Reads what follows [`owned_prefix`].
pub fn read_owned(rest: &[u8]) -> Option<(EditionId, u64)> {
    let (edition, serial) = rest.split_at_checked(32)?;
    let serial = u64::from_be_bytes(serial.try_into().ok()?);
    Some((EditionId::try_from(edition).ok()?, serial))
}

/// The prefix of all collections, or of one creator's; values are ids.
pub fn collections_prefix(creator: Option<&Address>) -> Bytes {
    match creator {
        None => key(COLLECTIONS, &[]),
        Some(creator) => key(CREATED, &[&creator.0]),
    }
}

/// The prefix of an item's or an account's history.
pub fn history_prefix(subject: &ObjectId) -> Option<Bytes> {
    match subject {
        ObjectId::Item(id) => Some(key(ITEM_HISTORY, &[&id.0])),
        ObjectId::Account(id) => Some(key(ACCOUNT_HISTORY, &[&id.0])),
        ObjectId::Collection(_)
        | ObjectId::Edition(_)
        | ObjectId::Deal(_)
        | ObjectId::Bridge(_)
        | ObjectId::Withdrawal(_)
        | ObjectId::Roster(_)
        | ObjectId::Offenders(_)
        | ObjectId::Work(_)
        | ObjectId::VoucherPool(_)
        | ObjectId::SpentVoucher(_)
        | ObjectId::Posted(_) => None,
    }
}

/// S2.8: whether a row is of a commit before this one, or of a deal that is open no longer and would have
/// expired before this time. Rows of what is live never are.
pub fn is_before(key: &[u8], value: &[u8], commit: CommitIndex, time: Millis) -> bool {
    let Some((tag, rest)) = key.split_first() else {
        return false;
    };
    let number = |bytes: Option<&[u8]>| {
        let bytes = bytes.and_then(|b| b.first_chunk::<8>());
        bytes.map(|b| u64::from_be_bytes(*b))
    };
    match *tag {
        ITEM_HISTORY | ACCOUNT_HISTORY => number(rest.get(32..)).is_some_and(|n| n < commit.0),
        SALES => sales::commit_of(rest).is_some_and(|n| n < commit.0),
        DEALS => {
            let scope = match rest.first() {
                Some(0) => 1,
                _ => 33,
            };
            let closed = rest.get(scope).is_some_and(|state| *state != 0);
            closed && number(rest.get(scope + 1..)).is_some_and(|expires| expires < time.0)
        }
        CLOSED => {
            let id = DealId::try_from(rest).unwrap_or_default();
            let value = Bytes::copy_from_slice(value);
            let object = Object::decode(&ObjectId::Deal(id), value).ok();
            let deal = object.as_ref().and_then(Object::as_deal);
            deal.is_some_and(|deal| deal.due() < time)
        }
        sealed::PROVEN => sealed::is_before(value, time),
        _ => false,
    }
}

/// A commit with what it did.
pub struct Indexed<'a> {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    /// Those of the commit, in any order; more than have receipts do no harm.
    pub transactions: &'a [Arc<Verified<Transaction>>],
    pub applied: &'a Applied,
    /// The state after the commit.
    pub snapshot: &'a Snapshot,
}

/// The rows that a commit puts and deletes. `stored` reads a row as it was before the commit: totals of what was
/// sold go on from the newest.
///
/// # Errors
/// Those of `stored`.
pub fn rows<E>(
    indexed: &Indexed<'_>,
    stored: impl Fn(&[u8]) -> Result<Option<Bytes>, E>,
) -> Result<Vec<Row>, E> {
    let mut rows = Vec::new();
    let mut created = 0u32;
    for change in &indexed.applied.changes {
        named::rows(change, &mut rows);
        match change.id {
            ObjectId::Item(_) => owned_rows(change, &mut rows),
            ObjectId::Collection(id) => {
                collection_rows(indexed, &id, change, &mut created, &mut rows);
            }
            ObjectId::Deal(id) => {
                deal_rows(indexed, &id, change, &mut rows);
                order_rows(&id, change, &mut rows);
                sealed_rows(&id, change, &mut rows);
            }
            ObjectId::Account(_)
            | ObjectId::Edition(_)
            | ObjectId::Bridge(_)
            | ObjectId::Withdrawal(_)
            | ObjectId::Roster(_)
            | ObjectId::Offenders(_)
            | ObjectId::Work(_)
            | ObjectId::VoucherPool(_)
            | ObjectId::SpentVoucher(_)
            | ObjectId::Posted(_) => {}
        }
    }
    book::clearing_rows(indexed, &mut rows);
    let traded = sales::traded(indexed);
    sales::sale_rows(indexed, &traded, stored, &mut rows)?;
    history_rows(indexed, &traded, &mut rows);
    Ok(rows)
}

/// Of a collection that is new, the `created`th of its commit, or has new editions.
fn collection_rows(
    indexed: &Indexed<'_>,
    id: &CollectionId,
    change: &Change,
    created: &mut u32,
    rows: &mut Vec<Row>,
) {
    let after = change.after.as_ref().and_then(Object::as_collection);
    let before = change.before.as_ref().and_then(Object::as_collection);
    if let Some(after) = after {
        search_rows(indexed.snapshot, id, before.map(|c| &**c), after, rows);
    }
    if before.is_some() {
        return;
    }
    let place = [
        &indexed.commit.0.to_be_bytes()[..],
        &created.to_be_bytes()[..],
    ]
    .concat();
    *created += 1;
    let value = Some(Bytes::copy_from_slice(&id.0));
    rows.push((key(COLLECTIONS, &[&place]), value.clone()));
    rows.extend(after.map(|c| (key(CREATED, &[&c.creator.0, &place]), value)));
}

fn owned_rows(change: &Change, rows: &mut Vec<Row>) {
    let row = |object: &Option<Object>| {
        let item = object.as_ref()?.as_item()?;
        let serial = item.serial.to_be_bytes();
        Some(key(OWNED, &[&item.owner.0, &item.edition.0, &serial]))
    };
    let (before, after) = (row(&change.before), row(&change.after));
    if before != after {
        rows.extend(before.map(|key| (key, None)));
        rows.extend(after.map(|key| (key, Some(Bytes::new()))));
    }
}

fn history_rows(indexed: &Indexed<'_>, traded: &[Traded], rows: &mut Vec<Row>) {
    let transactions = indexed.transactions.iter().map(|t| (t.id(), t));
    let transactions: HashMap<TransactionId, _> = transactions.collect();
    let mut owners = Owners::new(indexed, traded);
    let mut told = HashSet::new();
    let mut steps = Vec::new();
    // Of each item.
    let mut last_steps = HashMap::new();
    for receipt in &indexed.applied.receipts {
        let Some(transaction) = transactions.get(&receipt.transaction) else {
            continue;
        };
        let touched = Touched::by(indexed, transaction, receipt);
        let passed = match receipt.is_applied() {
            true => owners.follow(transaction, receipt),
            false => BTreeMap::new(),
        };
        for subject in &touched.subjects {
            let mut row = HistoryRow {
                timestamp: indexed.timestamp,
                transaction: Some(receipt.transaction),
                applied: receipt.is_applied(),
                kinds: touched.kinds,
                passing: Passing::default(),
                item: indexed.last_item(subject),
            };
            if let ObjectId::Item(item) = subject {
                // What names an item and leaves it as it was is no step in its life.
                if row.item.is_none() {
                    continue;
                }
                row.passing = passed.get(item).copied().unwrap_or_default();
                last_steps.insert(*item, steps.len());
            }
            steps.push((*subject, row, receipt.position));
            told.insert(*subject);
        }
    }
    // The last step leads to what the commit left, however it came to that.
    for (item, step) in last_steps {
        let (now, after) = (owners.now(&item), owners.after(&item));
        if let Some((_, row, _)) = steps.get_mut(step).filter(|_| now != after) {
            let from = row.passing.from.or(now);
            let traded = owners.traded(row.transaction, &item);
            row.passing = Passing::new((from, after), traded);
        }
    }
    for (subject, row, position) in steps {
        rows.extend(row.row(&subject, indexed.commit, position));
    }
    // B1: a step of its own, beside what a transaction did in the same commit.
    for deposit in &indexed.applied.deposits {
        let account = ObjectId::Account(deposit.account);
        let row = HistoryRow::deposit(indexed.timestamp);
        rows.extend(row.row(&account, indexed.commit, u32::MAX - 1));
        told.insert(account);
    }
    // L23: likewise. The pool has no history: it changes with nearly every commit.
    for share in &indexed.applied.shares {
        let account = ObjectId::Account(share.account);
        let row = HistoryRow::fee_share(indexed.timestamp);
        rows.extend(row.row(&account, indexed.commit, u32::MAX - 2));
        told.insert(account);
    }
    // L33: likewise.
    for sold in indexed.auctions_sold() {
        for subject in indexed.part_in(sold) {
            let row = HistoryRow::auction_sold(indexed.timestamp);
            let row = owners.by_ledger(row, &subject);
            rows.extend(row.row(&subject, indexed.commit, u32::MAX - 3));
            told.insert(subject);
        }
    }
    // L57: likewise.
    for (subject, row) in indexed.steps_of_books() {
        rows.extend(row.row(&subject, indexed.commit, u32::MAX - 4));
        told.insert(subject);
    }
    for issuer in indexed.ended_pools() {
        let account = ObjectId::Account(issuer);
        if told.insert(account) {
            let row = HistoryRow::pool_ended(indexed.timestamp);
            rows.extend(row.row(&account, indexed.commit, u32::MAX - 3));
        }
    }
    told.insert(ObjectId::Account(Address::FEE_POOL));
    // What none of these did, an expiry has done; but a card that is new has come in.
    for change in &indexed.applied.changes {
        if !told.contains(&change.id) {
            let item = indexed.last_item(&change.id);
            let row = match &change.before {
                None if item.is_some() => HistoryRow::deposit(indexed.timestamp),
                _ => HistoryRow::expiry(indexed.timestamp),
            };
            let row = owners.by_ledger(row, &change.id);
            rows.extend(row.row(&change.id, indexed.commit, u32::MAX));
        }
    }
}

impl Indexed<'_> {
    fn change(&self, id: &ObjectId) -> Option<&Change> {
        let changes = &self.applied.changes;
        let place = changes.binary_search_by_key(id, |c| c.id).ok()?;
        changes.get(place)
    }

    /// An item as the commit left it, if the commit changed it.
    fn last_item(&self, id: &ObjectId) -> Option<Arc<Item>> {
        let change = self.change(id)?;
        let last = change.after.as_ref().or(change.retired.as_ref())?;
        last.as_item().cloned()
    }

    /// A deal as the commit left it, if the commit changed it.
    fn last_deal(&self, id: &DealId) -> Option<&Arc<Deal>> {
        let change = self.change(&ObjectId::Deal(*id))?;
        change.after.as_ref().or(change.retired.as_ref())?.as_deal()
    }

    /// L52: whose pools the commit has ended and paid back what they held.
    fn ended_pools(&self) -> impl Iterator<Item = Address> {
        self.applied.changes.iter().filter_map(|change| {
            let before = change.before.as_ref()?.as_voucher_pool()?;
            let after = change.after.as_ref()?.as_voucher_pool()?;
            let paid = after.ended && before.cover() > Amount::ZERO;
            paid.then_some(after.issuer)
        })
    }

    fn collection_of(&self, edition: &EditionId) -> Option<CollectionId> {
        collection_of(self.snapshot, edition)
    }

    /// The edition of an item that a deal gives, or that was given for it.
    fn edition_of_item(&self, item: &ItemId) -> Option<EditionId> {
        let id = ObjectId::Item(*item);
        // It was locked, or has changed hands; it is gone only if this commit burned it.
        let item = self.snapshot.get(&id).or_else(|| {
            let change = self.change(&id)?;
            change.retired.clone().or_else(|| change.before.clone())
        })?;
        Some(item.as_item()?.edition)
    }

    fn collection_of_item(&self, item: &ItemId) -> Option<CollectionId> {
        self.collection_of(&self.edition_of_item(item)?)
    }

    /// L28, L31: whom a deal that was taken, with these picks, may have paid royalties and its commission: accounts that
    /// the commit has changed.
    fn shared_with(&self, deal: &Deal, picks: &[ItemId]) -> Vec<Address> {
        let terms = &deal.terms;
        let items = terms.gives.items.iter().chain(&terms.wants.items);
        let royalties = items.chain(picks).filter_map(|i| self.royalty_of(i));
        let all = royalties.chain(terms.commission.map(|c| c.to));
        all.filter(|to| self.change(&ObjectId::Account(*to)).is_some())
            .collect()
    }

    /// Who is paid for what is bought of an edition.
    fn creator_of(&self, edition: &EditionId) -> Option<Address> {
        let collection = ObjectId::Collection(self.collection_of(edition)?);
        let collection = self.snapshot.get(&collection)?;
        collection.as_collection().map(|c| c.creator)
    }

    fn royalty_of(&self, item: &ItemId) -> Option<Address> {
        let collection = ObjectId::Collection(self.collection_of_item(item)?);
        let collection = self.snapshot.get(&collection)?;
        Some(collection.as_collection()?.policy.royalty?.to)
    }

    /// L33: auctions whose highest bidder has the items by this commit.
    fn auctions_sold(&self) -> impl Iterator<Item = &Deal> {
        let changes = self.applied.changes.iter();
        let ended = changes.filter_map(|c| c.retired.as_ref()?.as_deal());
        let taken = |deal: &&Arc<Deal>| matches!(deal.state, DealState::Taken { .. });
        let sold = ended.filter(|deal| deal.bid.is_some()).filter(taken);
        sold.map(Arc::as_ref)
    }

    /// Who and what has a part in the sale of an auction.
    fn part_in(&self, sold: &Deal) -> BTreeSet<ObjectId> {
        let accounts = [sold.giver].into_iter().chain(sold.bid.map(|bid| bid.by));
        let accounts = accounts.chain(self.shared_with(sold, &[]));
        let items = sold.terms.gives.items.iter().copied();
        let accounts = accounts.map(ObjectId::Account);
        accounts.chain(items.map(ObjectId::Item)).collect()
    }

    /// L32: who had the highest bid before the commit.
    pub fn outbid(&self, deal: &DealId) -> Option<Address> {
        let before = self.change(&ObjectId::Deal(*deal))?.before.as_ref()?;
        Some(before.as_deal()?.bid?.by)
    }
}

/// The collection of an edition; editions stay for ever.
pub fn collection_of(snapshot: &Snapshot, edition: &EditionId) -> Option<CollectionId> {
    let edition = snapshot.get(&ObjectId::Edition(*edition))?;
    Some(edition.as_edition()?.terms.collection)
}

#[cfg(test)]
mod tests;
