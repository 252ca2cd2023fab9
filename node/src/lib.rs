//! One masternode.
//!
//! [`replica`] is what a node decides, pure: consensus, mempool, execution and finality composed.
//! `driver` runs it over network, disk, clock and base chain ([`Node`]). [`api`] is what the world
//! sees of it, over [`View`]s, which the driver replaces after every commit.

pub mod api;
mod config;
mod contents;
mod driver;
mod events;
pub mod evidence;
mod index;
mod keys;
mod metrics;
pub mod replica;
mod sealed;
mod staging;
mod tracker;
mod view;

pub use config::{
    CONFIG_FILE, ConfigError, LogFormat, NodeConfig, Override, UnknownVariable, unknown_variables,
};
pub use driver::{
    Alarm, Blind, DriverError, Node, Notice, Seen, Shown, Watch, Withheld, guard_file,
};
pub use events::{EventLog, RING_BYTES_MAX, STREAMS_MAX};
pub use index::{Indexed, Row, rows as index_rows};
pub use keys::{
    FINALITY_KEY_FILE, FINALITY_KEYSTORE_FILE, KeyError, KeyFiles, Keystores, Made, NodeKeys,
    VERTEX_KEY_FILE, VERTEX_KEYSTORE_FILE, public_vertex_key, read_secret, write_secret,
};
pub use metrics::{CheckpointResult, Direction, Metrics, TransactionResult, resident_bytes};
pub use tracker::Tracker;
pub use view::{CertifiedView, View};
pub use weft_network::{AddressesError, check_addresses};
