//! What the nodes' processes use while a load runs, restarts included.

use crate::process::{ProcessId, Usage};
use std::collections::HashMap;

/// Sums up processor time, and keeps the largest memory of any node.
#[derive(Debug, Default)]
pub struct Meter {
    /// Of each process when it was first seen, and last.
    seen: HashMap<(u32, u64), (Usage, Usage)>,
    rss_bytes_max: u64,
}

impl Meter {
    /// Takes a process that was there before the load: what it has used until now is not counted.
    pub fn begin(&mut self, processes: &[ProcessId]) {
        for id in processes {
            if let Some(usage) = id.usage() {
                self.seen.insert((id.pid, id.began), (usage, usage));
            }
        }
    }

    /// Looks at the processes that are there now. One that is new began during the load.
    pub fn look(&mut self, processes: &[ProcessId]) {
        for id in processes {
            let Some(usage) = id.usage() else {
                continue;
            };
            self.rss_bytes_max = self.rss_bytes_max.max(usage.rss_bytes);
            let begin = (Usage::default(), usage);
            self.seen.entry((id.pid, id.began)).or_insert(begin).1 = usage;
        }
    }

    /// Seconds of one core, of all processes together.
    pub fn cpu_s(&self) -> f64 {
        self.seen.values().map(|(a, b)| b.cpu_s - a.cpu_s).sum()
    }

    pub fn rss_bytes_max(&self) -> u64 {
        self.rss_bytes_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn only_what_is_used_meanwhile_counts() {
        let own = ProcessId::of(std::process::id()).unwrap();
        let (mut before, mut whole) = (Meter::default(), Meter::default());
        before.begin(&[own]);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(200) {
            std::hint::black_box(begun.elapsed());
        }
        before.look(&[own]);
        whole.look(&[own]);
        assert!(before.cpu_s() > 0.0 && before.cpu_s() <= whole.cpu_s());
        assert!(before.rss_bytes_max() > 1 << 20);
    }

    #[test]
    fn a_process_that_has_ended_keeps_its_figures() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        let mut meter = Meter::default();
        meter.look(&[id]);
        let peak = meter.rss_bytes_max();
        child.kill().unwrap();
        child.wait().unwrap();
        meter.look(&[id]);
        assert_eq!(meter.rss_bytes_max(), peak);
    }
}
