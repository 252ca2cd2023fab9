//! The base chain, seen from Weft: the chain that holds the bonds and the checkpoints.
//!
//! - [`embedded`]: a small EVM chain in memory, for testnets on one machine and for the simulator.

pub mod embedded;
