//! What the consensus does, one behaviour a file. Most are drawings of a DAG (`common/drawing.rs`
//! explains the language) and what a core makes of it.

mod common;

mod commits;
mod liveness;
mod order_property;
