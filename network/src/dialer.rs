//! When to dial whom. A member that is not connected is dialled; each failure doubles the pause,
//! up to a limit, with jitter so that nodes that lost each other do not meet again and again at the
//! same moment. A connection that stood for a while starts the count anew; one that broke at once
//! does not, or a peer that refuses us would be dialled without pause.
//!
//! Both sides of a pair dial, since either may be the one that can. The lower peer id goes first and
//! the other waits a moment, so that usually one connection results; two are tolerated.

use crate::limits::Limits;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A connection that stood for so long was a good one.
const GOOD: Duration = Duration::from_secs(10);
/// How long the higher peer id waits, in first pauses.
const HEAD_START: u32 = 4;

/// `P` names a peer.
#[derive(Debug)]
pub(crate) struct Dialer<P> {
    /// This node, if it is a member.
    own: Option<P>,
    targets: BTreeMap<P, Target>,
    pause_min: Duration,
    pause_max: Duration,
}

#[derive(Debug)]
struct Target {
    /// Pause before the first dial after a good connection.
    head_start: Duration,
    failures: u32,
    /// When to dial; `None` while connected, dialling or blocked.
    due: Option<Instant>,
    connected: Option<Instant>,
}

impl<P: Copy + Ord> Dialer<P> {
    /// Dials nobody yet. `own` is this node, if it is a member.
    pub(crate) fn new(own: Option<P>, limits: &Limits) -> Self {
        Self {
            own,
            targets: BTreeMap::new(),
            pause_min: limits.redial_min,
            pause_max: limits.redial_max,
        }
    }

    /// Dials one more, unless it does already.
    pub(crate) fn add(&mut self, peer: P, now: Instant) {
        let head_start = match self.own.is_some_and(|own| own > peer) {
            true => self.pause_min * HEAD_START,
            false => Duration::ZERO,
        };
        let target = Target {
            head_start,
            failures: 0,
            due: Some(now + head_start),
            connected: None,
        };
        self.targets.entry(peer).or_insert(target);
    }

    /// Dials it no more.
    pub(crate) fn remove(&mut self, peer: P) {
        self.targets.remove(&peer);
    }

    /// The next moment at which [`due`](Self::due) returns somebody.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.targets.values().filter_map(|target| target.due).min()
    }

    /// Whom to dial now. Each of them is dialling until it is connected, failed or told otherwise.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<P> {
        let mut due = Vec::new();
        for (peer, target) in &mut self.targets {
            if target.due.is_some_and(|when| when <= now) {
                target.due = None;
                due.push(*peer);
            }
        }
        due
    }

    pub(crate) fn connected(&mut self, peer: P, now: Instant) {
        if let Some(target) = self.targets.get_mut(&peer) {
            target.due = None;
            target.connected.get_or_insert(now);
        }
    }

    /// The last connection with the peer ended.
    pub(crate) fn disconnected(&mut self, peer: P, now: Instant) {
        let Some(target) = self.targets.get_mut(&peer) else {
            return;
        };
        let stood = target.connected.take().map(|since| now - since);
        if stood.is_some_and(|stood| stood >= GOOD) {
            target.failures = 0;
            target.due = Some(now + target.head_start);
        } else {
            self.failed(peer, now);
        }
    }

    /// A dial failed. No matter while another connection stands.
    pub(crate) fn failed(&mut self, peer: P, now: Instant) {
        let Some(target) = self.targets.get_mut(&peer) else {
            return;
        };
        if target.connected.is_some() {
            return;
        }
        let doublings = target.failures.min(20);
        target.failures = target.failures.saturating_add(1);
        let pause = self
            .pause_min
            .saturating_mul(1 << doublings)
            .min(self.pause_max);
        // Between half of it and all of it.
        let pause = pause.mul_f64(rand::random_range(0.5..=1.0));
        target.due = Some(now + pause.max(target.head_start));
    }

    /// Dials no more until [`resume`](Self::resume).
    pub(crate) fn suspend(&mut self, peer: P) {
        if let Some(target) = self.targets.get_mut(&peer) {
            target.due = None;
        }
    }

    /// Dials as if for the first time.
    pub(crate) fn resume(&mut self, peer: P, now: Instant) {
        if let Some(target) = self.targets.get_mut(&peer)
            && target.connected.is_none()
        {
            target.failures = 0;
            target.due = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
