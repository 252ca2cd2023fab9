//! Partitions as they are seen from outside: what was committed while members were parted, and how long
//! after the heal the first commit came that nobody had made before.

use super::time::Time;

/// What is under way when members are parted still arrives, and may commit: so long, in microseconds.
const UNDER_WAY_US: u64 = 1_000_000;

/// From a partition to its heal.
#[derive(Debug, Clone, Copy)]
struct Parting {
    since: Time,
    /// `None` while the members are parted.
    healed: Option<Time>,
    /// Later than what was under way.
    commits: usize,
    first_commit: Option<Time>,
}

/// A partition, under the names that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Partition {
    pub start_s: f64,
    pub heal_s: f64,
    /// Commits from a second after the start until the heal.
    pub commits: usize,
    /// From the heal to the first commit after it; `None` if there was none.
    pub heal_to_commit_ms: Option<f64>,
}

/// The partitions of a run, in their order.
#[derive(Debug, Default)]
pub struct Partings(Vec<Parting>);

impl Partings {
    pub fn part(&mut self, now: Time) {
        self.heal(now);
        self.0.push(Parting {
            since: now,
            healed: None,
            commits: 0,
            first_commit: None,
        });
    }

    /// The members are no longer parted, if they were.
    pub fn heal(&mut self, now: Time) {
        if let Some(last) = self.0.last_mut() {
            last.healed.get_or_insert(now);
        }
    }

    /// The order has become longer.
    pub fn committed(&mut self, now: Time) {
        let Some(last) = self.0.last_mut() else {
            return;
        };
        match last.healed {
            Some(_) => {
                last.first_commit.get_or_insert(now);
            }
            None if now >= last.since.after(UNDER_WAY_US) => last.commits += 1,
            None => {}
        }
    }

    /// Those that were healed.
    pub fn healed(&self) -> Vec<Partition> {
        let healed = self.0.iter().filter_map(|parting| {
            let healed = parting.healed?;
            let after = parting.first_commit.map(|at| at.since(healed));
            Some(Partition {
                start_s: parting.since.seconds(),
                heal_s: healed.seconds(),
                commits: parting.commits,
                heal_to_commit_ms: after.map(|us| us as f64 / 1000.0),
            })
        });
        healed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_under_way_is_no_commit_of_a_partition_and_the_first_after_it_counts() {
        let mut partings = Partings::default();
        partings.committed(Time::millis(500));
        partings.part(Time::millis(1_000));
        partings.committed(Time::millis(1_999));
        partings.committed(Time::millis(2_000));
        partings.heal(Time::millis(9_000));
        partings.heal(Time::millis(9_100));
        partings.committed(Time::millis(9_250));
        partings.committed(Time::millis(9_260));
        let expected = Partition {
            start_s: 1.0,
            heal_s: 9.0,
            commits: 1,
            heal_to_commit_ms: Some(250.0),
        };
        assert_eq!(partings.healed(), [expected]);
    }

    #[test]
    fn a_partition_without_a_commit_after_it_says_so_and_one_that_lasts_is_left_out() {
        let mut partings = Partings::default();
        partings.part(Time::millis(1_000));
        assert_eq!(partings.healed(), []);
        partings.part(Time::millis(5_000));
        let healed = partings.healed();
        assert_eq!(healed.len(), 1);
        assert_eq!((healed[0].commits, healed[0].heal_to_commit_ms), (0, None));
    }
}
