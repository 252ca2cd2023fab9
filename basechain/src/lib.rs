//! The base chain, seen from Weft: the chain that holds the bonds and the checkpoints.
//!
//! - [`embedded`]: a small EVM chain in memory, for testnets on one machine and for the simulator;
//!   [`serve_embedded`] puts JSON-RPC, a clock and a disk around it.

pub mod embedded;
mod rpc;
mod server;

pub use server::{
    EmbeddedConfig, JournalError, Pace, ServeError, ServerHandle, run_embedded, serve_embedded,
};
