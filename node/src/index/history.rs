//! One step in the life of an item or an account, as a row.

use super::provenance::Passing;
use super::{Row, history_prefix};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::sync::Arc;
use weft_types::{
    Address, Amount, CommitIndex, DealId, Item, ItemId, Millis, Object, ObjectId, Operation,
    TransactionId,
};

/// Names of the bits of `kinds`, as in an operation's JSON, but for the six that are no operations. New ones come at the
/// end, for the bits are in the store.
pub const KINDS: [&str; 34] = [
    "transfer",
    "create_collection",
    "create_edition",
    "mint",
    "update_item",
    "burn",
    "deal_open",
    "deal_take",
    "deal_cancel",
    "withdraw",
    "exit_address",
    "deposit",
    "deal_expired",
    "set_keys",
    "recover",
    "fee_share",
    "set_policy",
    "freeze",
    "bid",
    "auction_sold",
    "redeem",
    "void",
    "set_sale",
    "buy",
    "reveal",
    "pass_pack",
    "channel_close",
    "channel_challenge",
    "voucher_open",
    "voucher_issue",
    "voucher_spend",
    "voucher_pool_ended",
    "post_data",
    "book_traded",
];
const APPLIED: u8 = 1;
const BY_TRANSACTION: u8 = 2;
const FROM: u8 = 4;
const TO: u8 = 8;
const DEAL: u8 = 16;
const PRICE: u8 = 32;

/// A kind is a bit of a row's number.
const _: () = assert!(KINDS.len() <= u64::BITS as usize);

/// Time, flags, kinds, transaction; in an item's history who had it, who got it, by which deal and for how much
/// follow, each where its flag is set, and the item.
const HEAD_BYTES: usize = 8 + 1 + 8 + 32;

/// The bit of an operation; a `MultiParty` has those of its parts.
pub(super) fn kind(operation: &Operation) -> u64 {
    match operation {
        Operation::MultiParty(_) => 0,
        operation => bit(operation.name()),
    }
}

fn bit(name: &str) -> u64 {
    let place = KINDS.iter().position(|kind| *kind == name);
    1 << place.expect("all that stands in histories has a kind")
}

/// The value of a row in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    pub timestamp: Millis,
    /// `None`: the ledger did it: a deal has expired, or an auction was sold, a deposit has come in, an epoch's fees were shared.
    /// `None`: the ledger did it: a deal has expired, a deposit has come in, an epoch's fees were shared, a pool of vouchers
    /// has ended.
    pub transaction: Option<TransactionId>,
    pub applied: bool,
    /// One bit for each kind of operation in the transaction.
    pub kinds: u64,
    /// How the item changed hands; of an item's history alone.
    pub passing: Passing,
    /// The item as the commit left it; of an item's history alone.
    pub item: Option<Arc<Item>>,
}

impl HistoryRow {
    pub(super) fn deposit(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, bit("deposit"))
    }

    pub(super) fn expiry(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, bit("deal_expired"))
    }

    pub(super) fn fee_share(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, bit("fee_share"))
    }

    pub(super) fn auction_sold(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, bit("auction_sold"))
    }

    pub(super) fn book_traded(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, bit("book_traded"))
    }

    pub(super) fn pool_ended(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, bit("voucher_pool_ended"))
    }

    fn by_ledger(timestamp: Millis, kinds: u64) -> Self {
        Self {
            timestamp,
            transaction: None,
            applied: true,
            kinds,
            passing: Passing::default(),
            item: None,
        }
    }

    /// Of an item, which the commit left so.
    #[must_use]
    pub(super) fn of_item(self, item: Option<Arc<Item>>, passing: Passing) -> Self {
        Self {
            item,
            passing,
            ..self
        }
    }

    /// The names of the kinds.
    pub fn kind_names(&self) -> impl Iterator<Item = &'static str> {
        let kinds = self.kinds;
        let names = KINDS.into_iter().enumerate();
        names.filter_map(move |(bit, name)| (kinds >> bit & 1 == 1).then_some(name))
    }

    pub(super) fn row(
        &self,
        subject: &ObjectId,
        commit: CommitIndex,
        position: u32,
    ) -> Option<Row> {
        let mut key = BytesMut::from(history_prefix(subject)?);
        key.put_u64(commit.0);
        key.put_u32(position);
        Some((key.freeze(), Some(self.encode())))
    }

    fn encode(&self) -> Bytes {
        let item = self.item.clone().map(|item| Object::Item(item).encode());
        let item = item.unwrap_or_default();
        let mut value = BytesMut::with_capacity(HEAD_BYTES + item.len());
        value.put_u64(self.timestamp.0);
        let applied = if self.applied { APPLIED } else { 0 };
        let by = self.transaction.map_or(0, |_| BY_TRANSACTION);
        let Passing {
            from,
            to,
            deal,
            price,
        } = self.passing;
        let passing = from.map_or(0, |_| FROM)
            | to.map_or(0, |_| TO)
            | deal.map_or(0, |_| DEAL)
            | price.map_or(0, |_| PRICE);
        value.put_u8(applied | by | passing);
        value.put_u64(self.kinds);
        value.put_slice(&self.transaction.unwrap_or_default().0);
        let ids = [from.map(|a| a.0), to.map(|a| a.0), deal.map(|d| d.0)];
        for id in ids.into_iter().flatten() {
            value.put_slice(&id);
        }
        if let Some(price) = price {
            value.put_u64(price.0);
        }
        value.put_slice(&item);
        value.freeze()
    }

    /// Reads a row: its place, which follows the prefix of its key, and its value.
    pub fn read(rest: &[u8], mut value: Bytes) -> Option<(CommitIndex, Self)> {
        let (commit, _position) = rest.split_at_checked(8)?;
        let commit = CommitIndex(u64::from_be_bytes(commit.try_into().ok()?));
        if value.len() < HEAD_BYTES {
            return None;
        }
        let timestamp = Millis(value.get_u64());
        let flags = value.get_u8();
        let kinds = value.get_u64();
        let transaction = TransactionId::try_from(value.split_to(32).as_ref()).ok()?;
        let mut id = |flag: u8| match flags & flag == 0 {
            true => Some(None),
            false if value.len() < 32 => None,
            false => Some(Some(
                <[u8; 32]>::try_from(value.split_to(32).as_ref()).ok()?,
            )),
        };
        let (from, to, deal) = (id(FROM)?, id(TO)?, id(DEAL)?);
        let price = match flags & PRICE == 0 {
            true => None,
            false => Some(Amount(value.try_get_u64().ok()?)),
        };
        let passing = Passing {
            from: from.map(Address),
            to: to.map(Address),
            deal: deal.map(DealId),
            price,
        };
        let item = if value.is_empty() {
            None
        } else {
            // The id only tells which kind of object to read.
            let object = Object::decode(&ObjectId::Item(ItemId::ZERO), value).ok()?;
            Some(object.as_item()?.clone())
        };
        let row = Self {
            timestamp,
            transaction: (flags & BY_TRANSACTION != 0).then_some(transaction),
            applied: flags & APPLIED != 0,
            kinds,
            passing,
            item,
        };
        Some((commit, row))
    }
}
