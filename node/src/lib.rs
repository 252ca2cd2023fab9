//! One masternode: [`replica`] is what it decides, pure; [`driver`] runs it over network, disk and base
//! chain; `api` is what the world sees of it.

pub mod config;
pub mod keys;
pub mod replica;
mod view;

pub use view::{CertifiedView, View};
