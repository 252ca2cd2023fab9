//! Processes as Linux shows them. A process is named by its id *and* the moment it began, because ids
//! are used again: with both, nothing is ever signalled that somebody else started.

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// How often a process is looked at while its end is awaited.
const POLL: Duration = Duration::from_millis(20);
/// How long a killed process may take to be gone.
const KILLED_MAX: Duration = Duration::from_secs(10);
/// Longest command shown, in characters.
const COMMAND_CHARS_MAX: usize = 120;

/// One process of this boot of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: u32,
    /// When it began, in clock ticks since the boot.
    pub began: u64,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Seconds of one core.
    pub cpu_s: f64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
}

struct Stat {
    state: u8,
    cpu_ticks: u64,
    began: u64,
}

/// A process that neither asking nor killing has ended.
#[derive(Debug, thiserror::Error)]
#[error("process {pid} does not end: {reason}")]
pub struct StopError {
    pub pid: u32,
    pub reason: String,
}

impl ProcessId {
    /// The process that has this id now.
    pub fn of(pid: u32) -> Option<Self> {
        let began = stat(pid)?.began;
        Some(Self { pid, began })
    }

    fn stat(self) -> Option<Stat> {
        stat(self.pid).filter(|s| s.began == self.began)
    }

    /// Whether it runs, or is paused. One that has ended but was not collected by its parent is gone.
    pub fn is_alive(self) -> bool {
        self.stat()
            .is_some_and(|s| !matches!(s.state, b'Z' | b'X' | b'x'))
    }

    /// Whether it is stopped by `pause`.
    pub fn is_paused(self) -> bool {
        self.stat().is_some_and(|s| s.state == b'T')
    }

    /// `None` when it has ended.
    pub fn usage(self) -> Option<Usage> {
        let stat = self.stat()?;
        let resident = fs::read_to_string(format!("/proc/{}/statm", self.pid)).ok()?;
        let pages: u64 = resident.split_whitespace().nth(1)?.parse().ok()?;
        Some(Usage {
            cpu_s: stat.cpu_ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
            rss_bytes: pages * rustix::param::page_size() as u64,
        })
    }

    /// Ends it as a power cut would.
    pub fn kill(self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Takes the processor away from it.
    pub fn pause(self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    pub fn resume(self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(self, signal: Signal) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the process has ended");
        if !self.is_alive() {
            return Err(gone());
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.ok_or_else(gone)?, signal)?)
    }

    /// Asks it to end, and kills it when it has not within `grace`. Returns whether it went by itself.
    pub async fn stop(self, grace: Duration) -> Result<bool, StopError> {
        // One that has just ended is what is wanted.
        let asked = self.signal(Signal::TERM);
        let _paused_ones_must_hear_it = self.signal(Signal::CONT);
        if self.ended_within(grace).await {
            return Ok(true);
        }
        if let Err(error) = asked.and_then(|()| self.kill())
            && self.is_alive()
        {
            return Err(StopError {
                pid: self.pid,
                reason: error.to_string(),
            });
        }
        if self.ended_within(KILLED_MAX).await {
            return Ok(false);
        }
        Err(StopError {
            pid: self.pid,
            reason: format!("it was killed {} s ago", KILLED_MAX.as_secs()),
        })
    }

    /// Waits until it is gone; false when it is not in time.
    pub async fn ended_within(self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while self.is_alive() {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }
}

/// The command line of a process, for people; empty when it cannot be read.
pub fn command(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    text.trim().chars().take(COMMAND_CHARS_MAX).collect()
}

/// Tells one boot of the machine from the next, in which ids and times begin anew.
pub fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// proc_pid_stat(5). The name stands in brackets and may itself hold brackets and blanks, so fields
/// are counted from the last bracket.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        cpu_ticks: number(14)?.checked_add(number(15)?)?,
        began: number(22)?,
    })
}

#[cfg(test)]
mod tests;
