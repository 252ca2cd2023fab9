//! S2.1: the snapshots that are held for others: of certified heights that were due for posting, one for
//! each interval of the ledger's time, so that members with one setting hold the same ones.

use super::sync::remembered_from;
use crate::view::CertifiedView;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{Certificate, Height, Millis, ProtocolParams, Statement};

/// Snapshots held at a time. One stays for two intervals at least, which is how long taking it over may
/// take.
pub const HELD_MAX: usize = 3;

pub(super) struct Held {
    interval: Millis,
    params: ProtocolParams,
    /// Due for posting, and not certified yet.
    due: BTreeSet<Height>,
    /// The newest height that was certified here.
    certified: Height,
    /// S2.4: each height from this time on has a certificate of its own; zero if all have.
    whole_from: Millis,
    views: Arc<[CertifiedView]>,
}

impl Held {
    pub fn new(
        interval: Millis,
        params: &ProtocolParams,
        certified: Height,
        whole_from: Millis,
    ) -> Self {
        Self {
            interval: interval.max(Millis(1)),
            params: params.clone(),
            due: BTreeSet::new(),
            certified,
            whole_from,
            views: Arc::new([]),
        }
    }

    /// A height was closed that is due for posting.
    pub fn due(&mut self, height: Height) {
        self.due.insert(height);
    }

    /// A height was certified. Its snapshot is held when it is the first of its interval, was due, and its
    /// window can be shown: each height in it and the one before have certificates of their own (S2.4).
    /// Until that is so again, older snapshots stay.
    /// Without a view, which a restart does not have of heights before it, nothing new is held.
    pub fn certified(&mut self, statement: &Statement, view: Option<&CertifiedView>) {
        let height = statement.height;
        let due = self.due.contains(&height);
        self.due = self.due.split_off(&height.next());
        if height > self.certified.next() {
            self.whole_from = statement.timestamp;
        }
        self.certified = self.certified.max(height);
        let window = remembered_from(statement, &self.params);
        let shown = self.whole_from == Millis::ZERO || self.whole_from < window;
        let of = |time: Millis| time.0 / self.interval.0;
        let newest = self.views.last();
        let newest = newest.map(|v| of(v.certificate.statement.timestamp));
        if let Some(view) = view.filter(|_| due && shown)
            && newest.is_none_or(|n| n < of(statement.timestamp))
        {
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

/// S2.4: from which time on each height has a certificate of its own, as far as that matters for heights
/// above the newest certified one; zero if all have.
pub fn whole_from<E>(
    newest: Option<&Certificate>,
    params: &ProtocolParams,
    mut certificate: impl FnMut(Height) -> Result<Option<Certificate>, E>,
) -> Result<Millis, E> {
    let Some(newest) = newest else {
        return Ok(Millis::ZERO);
    };
    let window = remembered_from(&newest.statement, params);
    let (mut height, mut from) = (newest.statement.height, newest.statement.timestamp);
    while from >= window {
        if height == Height(1) {
            return Ok(Millis::ZERO);
        }
        height = height.saturating_sub(1);
        match certificate(height)? {
            Some(before) => from = before.statement.timestamp,
            None => break,
        }
    }
    Ok(from)
}

#[cfg(test)]
mod tests;
