//! Each operation at its smallest and at its greatest, and what the ledger does by itself: for the bench that measures
//! them (`benches/operations.rs`) and for the test that their cost is bounded (`cost.rs`).

pub mod accounts;
pub mod deals;
pub mod due;
pub mod things;

use crate::world::{World, verified};
use std::sync::Arc;
use weft_ledger::Applied;
use weft_types::testing::{stranger, user, user_key};
use weft_types::{
    Amount, GenesisAccount, Millis, Operation, Template, Transaction, UserKey, Verified,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One entry, the shortest texts.
    Smallest,
    /// As many entries as an operation may have, each of the greatest object of its kind.
    Greatest,
}

impl Size {
    pub const BOTH: &[Self] = &[Self::Smallest, Self::Greatest];
    /// Of what has one size.
    pub const ONE: &[Self] = &[Self::Smallest];

    pub fn of<T>(self, smallest: T, greatest: T) -> T {
        match self {
            Self::Smallest => smallest,
            Self::Greatest => greatest,
        }
    }
}

/// The users of one instance, whom no other one has.
#[derive(Debug, Clone, Copy)]
pub struct Cast(pub u64);

impl Cast {
    /// With coin from the beginning.
    pub const SIZE: u64 = 16;

    pub fn user(self, place: u64) -> u64 {
        self.0 * Self::SIZE + place
    }

    /// 256 more, who have nothing.
    pub fn crowd(self, place: u64) -> u64 {
        (1 << 32) + self.0 * 256 + place
    }
}

/// What is measured.
pub struct Act {
    pub sender: u64,
    /// Who signs beside the sender.
    pub others: Vec<u64>,
    pub operation: Operation,
}

impl Act {
    pub fn by(sender: u64, operation: Operation) -> Self {
        Self {
            sender,
            others: vec![],
            operation,
        }
    }

    /// Right in form, too.
    pub fn signed(&self, world: &mut World) -> Arc<Verified<Transaction>> {
        let mut body = world.body(self.sender, vec![self.operation.clone()]);
        body.max_fee = Amount(u64::MAX);
        let parties = std::iter::once(&self.sender).chain(&self.others);
        let keys: Vec<UserKey> = parties.map(|i| UserKey::from(&user_key(*i))).collect();
        let signed = body.sign_with(&keys.iter().collect::<Vec<_>>());
        verified(Transaction::decode(signed.encoded().clone()).expect("right in form"))
    }
}

pub struct Row {
    pub operation: &'static str,
    /// What of it: a rule of deals, or what it lists.
    pub what: &'static str,
    pub sizes: &'static [Size],
    /// Does all that comes before it.
    pub make: fn(&mut World, Cast, Size) -> Act,
}

/// A new operation has no row, and this does not compile.
macro_rules! rows {
    ($($operation:ident: $([$what:literal, $sizes:ident, $make:path])+;)+) => {
        pub const ROWS: &[Row] = &[$($(Row {
            operation: stringify!($operation),
            what: $what,
            sizes: Size::$sizes,
            make: $make,
        },)+)+];

        pub fn row_of(operation: &Operation) -> &'static str {
            match operation {
                $(Operation::$operation { .. } => stringify!($operation),)+
            }
        }
    };
}

rows! {
    Transfer:
        ["amounts", BOTH, accounts::amounts]
        ["to accounts with sessions", BOTH, accounts::to_accounts_with_sessions]
        ["items", BOTH, things::items];
    CreateCollection: ["", BOTH, things::create_collection];
    CreateEdition: ["", BOTH, things::create_edition];
    Mint:
        ["of one edition", BOTH, things::mint]
        ["of as many editions", BOTH, things::mint_of_many];
    UpdateItem: ["", BOTH, things::update_item];
    Burn: ["", BOTH, things::burn];
    DealOpen:
        ["fixed", BOTH, deals::open_fixed]
        ["auction", BOTH, deals::open_auction]
        ["draw", BOTH, deals::open_draw]
        ["secret", BOTH, deals::open_secret]
        ["co_signed", BOTH, deals::open_channel]
        ["book, ask", BOTH, deals::open_ask]
        ["book, bid", BOTH, deals::open_bid];
    DealTake:
        ["fixed", BOTH, deals::take_fixed]
        ["fixed, of as many collections", BOTH, deals::take_of_many_collections]
        ["fixed, any items", BOTH, deals::take_any]
        ["draw", BOTH, deals::take_pack]
        ["draw, of as many collections", BOTH, deals::take_pack_of_many_collections]
        ["secret", BOTH, deals::take_secret];
    DealCancel:
        ["fixed", BOTH, deals::cancel_fixed]
        ["book, ask", BOTH, deals::cancel_ask];
    Withdraw:
        ["amounts", BOTH, accounts::withdraw_amounts]
        ["cards", BOTH, accounts::withdraw_cards];
    ExitAddress: ["", BOTH, accounts::exit_address];
    SetKeys: ["", BOTH, accounts::set_keys];
    Recover: ["", BOTH, accounts::recover];
    SetPolicy: ["", BOTH, things::set_policy];
    Freeze:
        ["items", BOTH, things::freeze_items]
        ["editions", BOTH, things::freeze_editions];
    Bid:
        ["", BOTH, deals::bid]
        ["for as many collections", BOTH, deals::bid_for_many_collections];
    Redeem: ["", BOTH, things::redeem];
    Void: ["", BOTH, things::void];
    SetSale: ["", BOTH, things::set_sale];
    Buy: ["", BOTH, things::buy];
    Reveal: ["", BOTH, deals::reveal];
    PassPack: ["", BOTH, deals::pass_pack];
    MultiParty: ["", BOTH, accounts::multi_party];
    ChannelClose:
        ["as opened", BOTH, deals::close_as_opened]
        ["last state", BOTH, deals::close_by_last]
        ["last state, all back", BOTH, deals::close_with_all_back];
    ChannelChallenge: ["", BOTH, deals::challenge];
    VoucherOpen: ["", ONE, accounts::open_vouchers];
    VoucherIssue: ["", ONE, accounts::issue_vouchers];
    VoucherSpend: ["", ONE, accounts::spend_voucher];
    PostData: ["", BOTH, accounts::post_data];
}

/// The casts' users, and so many strangers.
pub fn template(casts: u64, strangers: u64) -> Template {
    let rich = (0..casts * Cast::SIZE).map(|i| (user(i), Amount(1 << 40)));
    let others = (0..strangers).map(|i| (stranger(i), Amount(1_000)));
    let accounts = rich.chain(others);
    let accounts = accounts.map(|(address, balance)| GenesisAccount { address, balance });
    Template {
        accounts: accounts.collect(),
        ..crate::world::template()
    }
}

/// One of each instance, made; then what waits for a lot has one, under a height.
pub fn made(row: &Row, size: Size, world: &mut World, casts: u64) -> Vec<Act> {
    let acts = (0..casts).map(|n| (row.make)(world, Cast(n), size));
    let acts = acts.collect();
    for _ in 0..3 {
        world.lead();
        world.commit(&[]);
        world.now += world.ledger.params().finality_interval_ms.0;
    }
    acts
}

/// Encoded bytes of what a commit has written: objects as they are now, or were last, and receipts.
pub fn written(applied: &Applied) -> u64 {
    let changes = applied.changes.iter();
    let objects = changes.flat_map(|c| c.after.iter().chain(&c.retired));
    let objects: usize = objects.map(|object| object.encode().len()).sum();
    let receipts: usize = applied.receipts.iter().map(|r| r.encode().len()).sum();
    (objects + receipts) as u64
}

/// As long as a text may be.
fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Later than anything here.
const LATER: Millis = Millis(1_000_000);
