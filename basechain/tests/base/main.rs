//! The client against real chains over HTTP: the embedded one and anvil.

mod away;
mod epochs;
mod escape;
mod fixture;
mod hash_lock;
mod killed;
mod payouts;
mod posting;
mod quoted;
mod scenario;
mod sending;
mod signer;
mod slashed;
mod support;
mod tls;
mod wallets;
