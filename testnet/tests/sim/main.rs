//! The simulator under test, and under it the whole replica: determinism, every fault and every crime,
//! planted bugs that must be noticed, and a matrix of seeds.

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod bugs;
mod censors;
mod clones;
mod common;
mod crimes;
mod determinism;
mod epochs;
mod faults;
mod matrix;
mod memory;
mod posting;
mod recovery;
mod snapshots;
mod speed;
mod twins;
mod two_delay;
