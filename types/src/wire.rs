//! The protobuf messages of `proto/`, as prost generates them. They carry bytes; what is checked has
//! a type of its own in this crate.

#![allow(clippy::doc_markdown)]

include!(concat!(env!("OUT_DIR"), "/weft.v1.rs"));
