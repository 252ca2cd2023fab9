//! CPU time of this thread, which a busy machine stretches less than the clock's.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time goes forward from zero")
}

/// What `work` returns, and its CPU time added to `spent`.
pub fn timed<T>(spent: &mut Duration, work: impl FnOnce() -> T) -> T {
    let started = cpu_time();
    let done = work();
    *spent += cpu_time() - started;
    done
}
