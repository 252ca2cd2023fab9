//! W6: posted checkpoints whose height is not executed here, and when to tell of them. It decides without a clock.

use super::base::OnBase;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use weft_types::Height;

/// W1: posted heights that wait for their execution.
const POSTED_MAX: usize = 1024;
/// W6: between two alarms for heights that are forgotten.
const FORGOTTEN_EVERY: Duration = Duration::from_secs(60);
/// W6: how long one has to be missing that was final before it was seen.
const FINAL_MISSING: Duration = Duration::from_secs(60);

/// What waits.
pub struct Waiting {
    /// From posting until final.
    window: Duration,
    posted: BTreeMap<Height, Entry>,
    /// Since the last alarm, and when the next one for them may come.
    forgotten: u64,
    forgotten_last: Option<OnBase>,
    forgotten_at: Option<Instant>,
}

struct Entry {
    on_base: OnBase,
    told: bool,
    /// When it is told next.
    due: Option<Instant>,
    /// When it is told for the second time.
    again: Option<Instant>,
}

/// What is to be told.
#[derive(Debug)]
pub struct Due {
    /// The oldest one.
    pub named: OnBase,
    /// Whether it was told before.
    pub again: bool,
    /// So many were forgotten since the last time.
    pub forgotten: u64,
}

/// One that waits no longer.
pub struct Reached {
    pub on_base: OnBase,
    /// Whether there was an alarm for it.
    pub told: bool,
}

impl Waiting {
    pub fn new(window: Duration) -> Self {
        Self {
            window,
            posted: BTreeMap::new(),
            forgotten: 0,
            forgotten_last: None,
            forgotten_at: None,
        }
    }

    /// W6: told by half of the window, and again after three quarters of what is left then. Of what is seen too late for
    /// that, half of the rest is given to its data.
    pub fn add(&mut self, on_base: OnBase, left: Duration, now: Instant) {
        let height = on_base.checkpoint.height;
        let known = self.posted.get(&height);
        let same = |e: &Entry| e.on_base.checkpoint.statement == on_base.checkpoint.statement;
        if known.is_some_and(same) {
            return;
        }
        let half = self.window / 2;
        let (first, again) = match left {
            Duration::ZERO => (half.max(FINAL_MISSING), None),
            left => {
                let first = left.checked_sub(half).unwrap_or(left / 2);
                (first, Some(first + (left - first) * 3 / 4))
            }
        };
        let entry = Entry {
            on_base,
            told: false,
            due: Some(now + first),
            again: again.map(|after| now + after),
        };
        self.posted.insert(height, entry);
        while self.posted.len() > POSTED_MAX {
            if let Some((_, oldest)) = self.posted.pop_first() {
                self.forgotten += 1;
                self.forgotten_last = Some(oldest.on_base);
                self.forgotten_at.get_or_insert(now);
            }
        }
    }

    /// The oldest one, if its height is reached.
    pub fn reached(&mut self, height: Height) -> Option<Reached> {
        let first = self.posted.first_entry()?;
        (*first.key() <= height).then(|| {
            let entry = first.remove();
            Reached {
                on_base: entry.on_base,
                told: entry.told,
            }
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.posted.len()
    }

    /// How many there are that were told of.
    pub fn told(&self) -> u64 {
        self.posted.values().filter(|e| e.told).count() as u64
    }

    pub fn deadline(&self) -> Option<Instant> {
        let due = self.posted.values().filter_map(|e| e.due);
        let forgotten = self.forgotten_at.filter(|_| self.forgotten > 0);
        due.chain(forgotten).min()
    }

    /// W6: what is to be told now. What will be due soon is told with it, so that a cluster that withholds everything
    /// does not raise an alarm for each of its checkpoints.
    pub fn due(&mut self, now: Instant) -> Option<Due> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        let soon = now + self.window / 8;
        let mut oldest = None;
        for entry in self.posted.values_mut() {
            if entry.due.is_some_and(|at| at <= soon) {
                oldest.get_or_insert((entry.on_base.clone(), entry.told));
                entry.due = entry.again.take();
                entry.told = true;
            }
        }
        let mut forgotten = 0;
        let mut last = None;
        if self.forgotten > 0 && self.forgotten_at.is_none_or(|at| at <= now) {
            forgotten = std::mem::take(&mut self.forgotten);
            last = self.forgotten_last.take();
            self.forgotten_at = Some(now + FORGOTTEN_EVERY);
        }
        let (named, again) = oldest.or(last.map(|last| (last, false)))?;
        Some(Due {
            named,
            again,
            forgotten,
        })
    }
}

#[cfg(test)]
mod tests;
