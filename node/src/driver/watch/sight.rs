//! W7: whether the base chain is seen, and when to tell that it is not. It decides without a clock.

use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// W7: how long the base chain may be silent whatever the window.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// The same for the shortest windows.
const SILENT_MIN: Duration = Duration::from_secs(2);

/// What the task that reads the base chain has found.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its newest answer.
    pub answer: Option<Answer>,
    /// Why there was no newer one.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub at: Instant,
    /// Of the newest block, in Unix seconds.
    pub time: u64,
    /// The newest block that was looked at.
    pub read: u64,
}

/// What has changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// W7: it was silent for too long.
    Lost,
    /// It answers, for the first time or again.
    Found { was_told: bool },
}

/// How the base chain is seen.
pub struct Sight {
    patience: Duration,
    /// Of the newest answer, or of the start.
    since: Instant,
    seen: Seen,
    told: bool,
}

impl Sight {
    pub fn new(window: Duration, now: Instant) -> Self {
        Self {
            patience: (window / 2).clamp(SILENT_MIN, SILENT_MAX),
            since: now,
            seen: Seen::default(),
            told: false,
        }
    }

    /// The task has looked.
    pub fn looked(&mut self, seen: Seen) -> Option<Change> {
        let first = self.seen.answer.is_none();
        self.seen = seen;
        let answer = self.seen.answer?;
        self.since = answer.at;
        if self.seen.error.is_some() {
            return None;
        }
        let was_told = std::mem::take(&mut self.told);
        (first || was_told).then_some(Change::Found { was_told })
    }

    pub fn deadline(&self) -> Option<Instant> {
        (!self.told).then(|| self.since + self.patience)
    }

    /// W7: once for each time that it is away.
    pub fn due(&mut self, now: Instant) -> Option<Change> {
        self.deadline().filter(|at| *at <= now)?;
        self.told = true;
        Some(Change::Lost)
    }

    /// Whether an alarm for its silence stands.
    pub fn is_lost(&self) -> bool {
        self.told
    }

    pub fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether it has never answered.
    pub fn is_unseen(&self) -> bool {
        self.seen.answer.is_none()
    }

    pub fn error(&self) -> Option<&str> {
        self.seen.error.as_deref()
    }

    /// The base chain's time in Unix seconds, if it was seen.
    pub fn time(&self) -> Option<u64> {
        self.seen.answer.map(|a| a.time)
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let silent = self.silent_for(Instant::now()).as_secs();
        match (self.seen.answer, &self.seen.error) {
            (Some(answer), None) => write!(f, "read up to block {}", answer.read),
            (Some(_), Some(_)) => write!(f, "no answer for {silent} s: BLIND for what is posted"),
            (None, _) => write!(f, "never answered: BLIND for what is posted"),
        }
    }
}

#[cfg(test)]
mod tests;
