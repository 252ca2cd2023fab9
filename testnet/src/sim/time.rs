//! Simulated time, in microseconds since the start of a run. Replicas see it in milliseconds of a wall
//! clock that begins at [`START`].

use weft_types::Millis;

/// The wall clock at the start of a run, and the genesis' timestamp.
pub const START: Millis = Millis(1_700_000_000_000);

/// Microseconds since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(pub u64);

impl Time {
    pub fn millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    pub fn after(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// What a clock shows that is `skew` milliseconds ahead, or behind.
    pub fn wall(self, skew: i64) -> Millis {
        Millis((START.0 + self.0 / 1000).saturating_add_signed(skew))
    }

    /// The first moment at which such a clock shows `wall`.
    pub fn of_wall(wall: Millis, skew: i64) -> Self {
        let elapsed = wall.0.saturating_add_signed(-skew).saturating_sub(START.0);
        Self::millis(elapsed)
    }

    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skewed_clock_reaches_its_deadline_at_the_right_moment() {
        for skew in [-70, 0, 70] {
            let deadline = Time::millis(500).wall(skew);
            let at = Time::of_wall(deadline, skew);
            assert_eq!(at.wall(skew), deadline);
            assert!(Time(at.0 - 1).wall(skew) < deadline);
        }
    }
}
