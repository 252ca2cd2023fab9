//! The one clock of a node: Unix milliseconds that never go back, because they are counted from the
//! wall clock at the start by the monotonic one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use weft_types::Millis;

#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Duration,
    start: Instant,
}

impl Clock {
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            wall: wall.unwrap_or_default(),
            start: Instant::now(),
        }
    }

    pub fn now(&self) -> Millis {
        let now = self.wall + self.start.elapsed();
        Millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }

    /// When the time will be reached; what has passed is now.
    pub fn instant(&self, time: Millis) -> Instant {
        let ahead = Duration::from_millis(time.0).saturating_sub(self.wall);
        self.start + ahead
    }
}
