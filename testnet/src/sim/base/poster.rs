//! A machine's posting: the real state machine, with what its driver keeps around it.

use crate::sim::time::Time;
use std::sync::Arc;
use weft_node::replica::posting::{Posting, Unposted};
use weft_types::{Certificate, Height, Verified};

/// What a machine asks of the base chain.
pub enum Question {
    Look,
    Submit(Arc<Verified<Certificate>>),
}

pub struct Poster {
    pub posting: Posting,
    pub unposted: Unposted,
    /// When the next tick is scheduled.
    pub wake_at: Option<Time>,
    /// The newest height that the replica was told is final.
    pub anchored: Height,
    /// The certificate before the newest, for those who post what is stale.
    pub stale: Option<Arc<Verified<Certificate>>>,
    pub newest: Option<Arc<Verified<Certificate>>>,
}

impl Poster {
    pub fn new(posting: Posting, unposted: Unposted, anchored: Height) -> Self {
        Self {
            posting,
            unposted,
            wake_at: None,
            anchored,
            stale: None,
            newest: None,
        }
    }
}
