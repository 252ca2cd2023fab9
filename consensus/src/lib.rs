//! Weft's consensus: an uncertified DAG of vertices and a commit rule that reads a total order out of
//! it (Mysticeti's family). `docs/spec/consensus.md` states the rules; their numbers (V4, D2, ...)
//! stand beside the code that keeps them.
//!
//! [`Core`] is a pure state machine: inputs and the time go in, effects and a deadline come out. No
//! I/O, no clock, no entropy, no async. The same inputs give the same effects, always, and two cores
//! that have seen the same vertices, in whatever order and over whatever restarts, give the same
//! commits.

mod config;
mod core;
mod dag;
mod early;
mod fetch;
mod interface;
mod offences;
mod order;
mod pace;
mod pattern;
mod relay;
mod reputation;
mod schedule;
mod shares;
mod slots;
mod suspended;

#[cfg(feature = "testing")]
pub use config::Sabotage;
pub use config::{ConfigError, CoreConfig, Limits, Timing};
pub use core::Core;
pub use interface::{
    Buffer, Effect, Evidence, FetchId, FetchRequest, Input, LastCommit, OrderedCommit, Proposal,
    Recovered, Status, Wanted,
};
pub use order::gc_floor;
pub use schedule::Schedule;
