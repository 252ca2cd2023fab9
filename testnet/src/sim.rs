//! The deterministic simulator: the real replicas (consensus, mempool, execution, finality, encodings,
//! signatures) over simulated links, disks and clocks, in one thread.
//!
//! **One seed, one history.** A run is a function of its [`Plan`]: one queue ordered by time and sequence,
//! one stream of random numbers for each purpose, no clock, no map whose order depends on a machine. The
//! trace hash covers every input that a member was handed and everything that it did with it; the same
//! plan gives the same hash everywhere.
//!
//! A run has two phases. In the first the plan's faults happen, under load. Then the links are healed, a
//! quorum is up, the load stops, and everybody honest must come to agree by a deadline. Oracles watch
//! both: what the specification says must always hold is checked from outside of all members.
//!
//! With [`Plan::base`] the base chain is there too: the embedded EVM chain with the real contracts, to which
//! the members post by the real rules (`base.rs`).
//!
//! The simulator replaces the driver and nothing else. What a driver does with a replica's effects is
//! mirrored in `world/effects.rs`; how a restart finds its place, and what the signing guard lets pass, is
//! the driver's own code over another disk.

mod base;
mod cast;
mod churn;
mod clients;
mod compare;
mod crimes;
mod disk;
mod envelope;
mod faults;
mod latency;
mod links;
mod machine;
mod meter;
mod oracle;
mod partings;
mod plan;
mod plot;
mod queue;
mod record;
mod report;
mod rng;
mod seating;
mod summary;
mod time;
mod trace;
mod world;

pub use base::{Checkpoints, Pace, PaceError};
pub use churn::{Churn, ChurnError, Move, help as churn_help, parse as parse_churn};
pub use compare::{CrimeRow, Parts, SizeRow, crimes, sizes};
pub use faults::{
    Edge, Fault, FaultError, Kind as FaultKind, Moment, Role, help as faults_help, millis,
    parse as parse_faults,
};
pub use latency::{Latency, LatencyError};
pub use meter::{Percentiles, Return};
pub use oracle::{Rule, Violation};
pub use partings::Partition;
pub use plan::{End, Plan, PlanError, Planted, Signer};
pub use plot::{sizes_svg, svg};
pub use record::Record;
pub use report::{Delays, Epochs, Outcome, Pause, Report, Stopped};
pub use summary::Summary;

/// Runs a plan to its end.
///
/// # Errors
/// When the plan is out of range. What goes wrong in the run is in its outcome.
///
/// # Panics
/// When an assertion of the code under test fails: a bug, and the plan shows it again.
pub fn simulate(plan: Plan) -> Result<Outcome, PlanError> {
    Ok(world::World::new(plan)?.run())
}
