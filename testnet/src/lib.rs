//! Many nodes: the deterministic simulator, testnets of real processes on one machine, their faults,
//! the load generator, and the faucet. What has more than one node is tested in this crate's `tests/`.

pub mod cluster;
mod faucet;
pub mod load;
mod ports;
mod process;
pub mod sim;

pub use faucet::{FaucetError, FaucetLimits, serve_faucet};
pub use ports::{Busy, Holder, Ports};
pub use process::{ProcessId, StopError, Usage, command};
