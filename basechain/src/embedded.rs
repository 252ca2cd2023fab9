//! The embedded base chain's core: a small EVM chain in memory, on revm with Prague's rules, so with
//! the BLS12-381 precompiles of EIP-2537.
//!
//! It is a pure machine: time enters with each sealed block, randomness as a seed in the
//! configuration, and the same transactions sealed at the same times give the same block hashes. No
//! sockets, files or clock; [`crate::serve_embedded`] adds those.
//!
//! Where it differs from a real execution client, on purpose:
//! - one producer: a block that is sealed stays, unless a simulation rewinds the chain ([`Chain::rewind`]),
//!   which takes back nothing that is final; `finalized` and `safe` are the head less a configured depth;
//! - a header's state root is a running digest of every write instead of a Merkle root, so that two
//!   histories that differ anywhere differ in their hashes; nobody proves anything against it;
//! - timestamps never go back, and may stay: blocks can be faster than one a second;
//! - no system contracts (EIP-2935, 4788, 7002, 7251), no withdrawals, no blobs, no delegations;
//! - memory is bounded but for the state itself: see the constants of [`limits`].

mod block;
mod build;
mod chain;
mod config;
mod evm;
pub mod limits;
mod pool;
mod state;
mod transaction;

pub use block::{Block, Mined};
pub use chain::{Chain, PastError, Record, ReplayError, RewindError};
pub use config::{ChainConfig, ConfigError};
pub use evm::{Call, CallError, Caller};
pub use transaction::SubmitError;

#[cfg(test)]
pub(crate) mod tests;
