//! The ledger: a pure, deterministic function from commits to receipts and state.
//!
//! [`Ledger::apply`] executes a commit's transactions in their order, [`Ledger::close_height`] hashes
//! the state tree for a certified height, [`Ledger::snapshot`] hands out a reading that stays as it is
//! while execution goes on. Nothing here reads a clock, a disk or a socket; time is the commit's
//! timestamp. `docs/spec/ledger.md` is the specification.
//!
//! Three rules carry the rest:
//! - **One outcome.** A receipt, a remembered digest and a paid fee come together. A transaction that is
//!   not taken leaves nothing behind, and may be ordered again while it is valid.
//! - **All or nothing.** The operations of a transaction apply together or not at all; the fee stays
//!   paid either way.
//! - **Nothing is made or lost.** Balances, open deals and the fee pool add up to what genesis handed
//!   out and the bridge brought in, less what it took out; an item has one owner, or one owner and one lock.

mod admission;
mod authority;
mod books;
mod clearing;
mod draft;
mod due;
mod execute;
mod exits;
mod ledger;
mod live;
mod piece;
mod places;
#[cfg(feature = "testing")]
mod reads;
mod remembered;
mod snapshot;
mod tree;

pub use admission::Refusal;
pub use authority::Denied;
pub use books::{BOOK_ITEMS_MAX, BOOK_ORDERS_MAX};
pub use draft::Change;
pub use execute::{
    BOOK_WORK_MAX, BookTrade, Cleared, EXPIRY_WORK_MAX, POOL_WORK_MAX, POSTED_WORK_MAX,
};
pub use ledger::{Applied, Ledger, LedgerError, LedgerMeta, Observed, Office, Refused};
pub use piece::{DIGITS_MAX, PARTS, PIECE_BYTES_MAX, Part, Piece, PieceError, Prefix};
pub use places::{BaseTrees, Leaf, PlaceTree};
#[cfg(feature = "testing")]
pub use reads::{Reads, reads};
pub use remembered::REMEMBERED_MAX;
pub use snapshot::Snapshot;
