//! Four masternodes as processes of their own, with a base chain beside them: what a user of `weft
//! testnet` has. Each test has a network to itself, in a temporary folder, on ports that are free.

mod accounts;
mod card;
mod channels;
mod common;
mod escape;
mod faults;
mod gates;
mod given_up;
mod keys;
mod life;
mod networks;
mod people;
mod power;
mod refusals;
mod reorganised;
mod routes;
#[path = "../shared/sabotage.rs"]
mod sabotage;
mod snapshots;
mod swap;
mod watched;
