//! What a masternode keeps on disk: the [`Store`], a RocksDB database of vertices, commits, state,
//! receipts and certificates, and the [`SigningGuard`], a small file beside it that remembers what
//! the member's keys have signed.
//!
//! The crate sees keys, bytes and the words of `weft_types`; what the bytes of objects, receipts and
//! index entries mean is the ledger's and the node's affair. `docs/spec/storage.md` has the schema.
//!
//! Three rules hold everywhere:
//! - What belongs together is written in one atomic batch ([`CommitBatch`]).
//! - [`Durability::Synced`] returns after the disk has the write *and every earlier one*: the
//!   database has a single log.
//! - A failed write is fatal. The store (or the guard) refuses every later write, because nobody
//!   knows what the disk has; the node stops and recovers by opening anew.

mod batch;
mod chain;
mod contents;
mod error;
mod guard;
mod import;
mod objects;
mod options;
mod page;
mod prune;
mod schema;
mod store;
mod vertices;

#[cfg(test)]
mod testing;

pub use batch::CommitBatch;
pub use contents::Kept;
pub use error::StoreError;
pub use guard::{
    EXPORT_BYTES_MAX, ExportError, GuardError, GuardExport, GuardFloor, Record as GuardRecord,
    STATEMENTS_REMEMBERED, SignedVertex, SigningGuard,
};
pub use import::Import;
pub use page::{
    CURSOR_BYTES_MAX, Cursor, CursorError, Order, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, Page,
    PageRequest,
};
pub use prune::ChainFrom;
pub use schema::SCHEMA_VERSION;
pub use store::{Durability, Store};
pub use vertices::OwnVertex;
