//! The base chain, seen from Weft: the chain that holds the bonds and the checkpoints.
//!
//! - [`BaseChain`] is the client of a network's contracts, on whatever chain they are: registering,
//!   reading the committee, posting certificates.
//! - [`SubmitterSchedule`] says whose turn it is to post.
//! - [`embedded`] is a small EVM chain in memory, for testnets on one machine and for the simulator;
//!   [`serve_embedded`] puts JSON-RPC, a clock and a disk around it, [`local`] the contracts without a
//!   connection.

mod client;
pub mod embedded;
pub mod local;
mod rpc;
mod schedule;
mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use client::{
    AccountKey, At, BaseChain, BlockRef, BondChange, BondEvent, CLAIM_STAKE, Checkpoint, Claim,
    ClaimState, ClientError, Contracts, Counting, DeployParams, Deposited, Endpoint,
    HISTORY_BLOCKS_MAX, HashLocked, HashLocks, KeyError, LOG_BLOCKS_MAX, Latch, LockId, LockState,
    LockTerms, MINED_TIME_MAX, MemberState, MemberStatus, Mined, NATIVE_UNIT, NewestCounting,
    Offender, Order, Payout, Placed, Posted, PostedAs, ProvenPlace, Queued, Quote, Refusal,
    Registered, Registration, RegistryCall, SIGNED_BYTES_MAX, Signed, Signer, SubmitOutcome, Times,
};
pub use schedule::{Duty, ScheduleError, SubmitterSchedule};
pub use server::{
    EmbeddedConfig, JournalError, Pace, ReorganiseError, ServeError, ServerHandle, run_embedded,
    serve_embedded,
};
