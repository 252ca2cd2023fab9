//! What the consensus does, one behaviour a file. Most are drawings of a DAG (`common/drawing.rs`
//! explains the language) and what a core makes of it.

mod common;

mod anchors;
mod commits;
mod equivocation;
mod fetching;
mod history;
mod liveness;
mod offences;
mod order_property;
mod output;
mod proposals;
mod published;
mod recovery;
mod relays;
mod reputation;
mod rest;
mod skips;
mod small_model;
mod timestamps;
mod two_delay_model;
mod two_delay_property;
