//! One step in the life of an item or an account, as a row.

use super::{Row, history_prefix};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::sync::Arc;
use weft_types::{CommitIndex, Item, ItemId, Millis, Object, ObjectId, Operation, TransactionId};

/// Names of the bits of `kinds`, as in an operation's JSON, but for the three that are no operations. New ones come at the
/// end, for the bits are in the store.
pub const KINDS: [&str; 18] = [
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
];
const DEPOSIT: u32 = 1 << 11;
const EXPIRY: u32 = 1 << 12;
const FEE_SHARE: u32 = 1 << 15;

const APPLIED: u8 = 1;
const BY_TRANSACTION: u8 = 2;
/// Above these two stand the kinds from the 17th on.
const FLAGS: u32 = 2;

/// Time, flags, kinds, transaction; an item follows in an item's history.
const HEAD_BYTES: usize = 8 + 1 + 2 + 32;

/// The bit of an operation; a `MultiParty` has those of its parts.
pub(super) fn kind(operation: &Operation) -> u32 {
    let bit = match operation {
        Operation::Transfer { .. } => 0,
        Operation::CreateCollection { .. } => 1,
        Operation::CreateEdition(_) => 2,
        Operation::Mint { .. } => 3,
        Operation::UpdateItem { .. } => 4,
        Operation::Burn { .. } => 5,
        Operation::DealOpen(_) => 6,
        Operation::DealTake(_) => 7,
        Operation::DealCancel { .. } => 8,
        Operation::Withdraw { .. } => 9,
        Operation::ExitAddress { .. } => 10,
        Operation::SetKeys { .. } => 13,
        Operation::Recover { .. } => 14,
        Operation::SetPolicy { .. } => 16,
        Operation::Freeze { .. } => 17,
        Operation::MultiParty(_) => return 0,
    };
    1 << bit
}

/// The value of a row in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    pub timestamp: Millis,
    /// `None`: the ledger did it: a deal has expired, a deposit has come in, an epoch's fees were shared.
    pub transaction: Option<TransactionId>,
    pub applied: bool,
    /// One bit for each kind of operation in the transaction.
    pub kinds: u32,
    /// The item as the commit left it; of an item's history alone.
    pub item: Option<Arc<Item>>,
}

impl HistoryRow {
    pub(super) fn deposit(timestamp: Millis, item: Option<Arc<Item>>) -> Self {
        Self::by_ledger(timestamp, DEPOSIT, item)
    }

    pub(super) fn expiry(timestamp: Millis, item: Option<Arc<Item>>) -> Self {
        Self::by_ledger(timestamp, EXPIRY, item)
    }

    pub(super) fn fee_share(timestamp: Millis) -> Self {
        Self::by_ledger(timestamp, FEE_SHARE, None)
    }

    fn by_ledger(timestamp: Millis, kinds: u32, item: Option<Arc<Item>>) -> Self {
        Self {
            timestamp,
            transaction: None,
            applied: true,
            kinds,
            item,
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
        let more = ((self.kinds >> 16) << FLAGS) as u8;
        value.put_u8(applied | by | more);
        value.put_u16(self.kinds as u16);
        value.put_slice(&self.transaction.unwrap_or_default().0);
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
        let kinds = ((u32::from(flags) >> FLAGS) << 16) | u32::from(value.get_u16());
        let transaction = TransactionId::try_from(value.split_to(32).as_ref()).ok()?;
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
            item,
        };
        Some((commit, row))
    }
}
