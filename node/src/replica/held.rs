//! S2.1: the snapshots that are held for others: of certified heights that were due for posting, one for
//! each interval of the ledger's time, so that members with one setting hold the same ones.

use crate::view::CertifiedView;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{Height, Millis};

/// Snapshots held at a time. One stays for two intervals at least, which is how long taking it over may
/// take.
pub const HELD_MAX: usize = 3;

pub(super) struct Held {
    interval: Millis,
    /// Due for posting, and not certified yet.
    due: BTreeSet<Height>,
    /// The newest height that was certified here.
    certified: Height,
    views: Arc<[CertifiedView]>,
}

impl Held {
    pub fn new(interval: Millis, certified: Height) -> Self {
        Self {
            interval: interval.max(Millis(1)),
            due: BTreeSet::new(),
            certified,
            views: Arc::new([]),
        }
    }

    /// A height was closed that is due for posting.
    pub fn due(&mut self, height: Height) {
        self.due.insert(height);
    }

    /// A height was certified. Its snapshot is held when it is the first of its interval, was due, and
    /// the height before it was certified by itself, which has to be shown (S2.4).
    pub fn certified(&mut self, view: &CertifiedView) {
        let statement = &view.certificate.statement;
        let height = statement.height;
        let due = self.due.contains(&height);
        self.due = self.due.split_off(&height.next());
        let follows = height <= self.certified.next();
        self.certified = self.certified.max(height);
        let of = |time: Millis| time.0 / self.interval.0;
        let newest = self.views.last();
        let newest = newest.map(|v| of(v.certificate.statement.timestamp));
        if due && follows && newest.is_none_or(|n| n < of(statement.timestamp)) {
            let kept = self.views.len().saturating_sub(HELD_MAX - 1);
            let kept = self.views.iter().skip(kept).cloned();
            self.views = kept.chain([view.clone()]).collect();
        }
    }

    /// Ascending.
    pub fn views(&self) -> Arc<[CertifiedView]> {
        self.views.clone()
    }
}
