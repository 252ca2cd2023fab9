//! S1.9: processes with one key see each other before more than one signs.
//!
//! Of two that watch neither signs anything, so nothing of the one is in the DAG of the other. But both ask, with a
//! number that each process draws for itself, and whoever is asked remembers for a while who has asked. It tells either of
//! the other, and neither goes on. Of two of which one signs the other is shown its vertices: for that, who signs does so
//! often, and who asks does so for longer.
//!
//! The times are in milliseconds. They rest on a question, an answer or a vertex taking less than a second.

use std::collections::BTreeMap;
use weft_types::Millis;

/// For how long nobody may have signed with the key before a question counts: who signs does so every heartbeat, a second at
/// the most, and what it signs takes a second to be seen.
pub const QUIET: u64 = 3_000;
/// How long ago the question may be whose answer says that nobody else asks.
pub const FRESH: u64 = 2_000;
/// How long somebody who is asked remembers a process that has asked: as long as an answer is good for, and then as above. So
/// a copy that asks later is shown what the other one has signed since.
pub const REMEMBERED: u64 = FRESH + QUIET;

/// A process, by a number that it has drawn when it was started: it is no secret, and says nothing of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId(pub u64);

/// What somebody who is asked remembers: of each member the two processes that have asked last. So each of any number
/// hears of one other at least.
#[derive(Debug, Default)]
pub struct Askers {
    of: BTreeMap<u64, Vec<(ProcessId, Millis)>>,
}

impl Askers {
    /// A process asks with the key of a member, which is named by its number in the registry. Returns whether another
    /// one has asked lately. Who is in no committee is not asked about here, so that there are entries for few.
    pub fn asked(&mut self, member: u64, by: ProcessId, now: Millis) -> bool {
        let remembered = |at: Millis| now.0.saturating_sub(at.0) < REMEMBERED;
        self.of.retain(|_, known| {
            known.retain(|(_, at)| remembered(*at));
            !known.is_empty()
        });
        let known = self.of.entry(member).or_default();
        known.retain(|(process, _)| *process != by);
        known.truncate(1);
        known.insert(0, (by, now));
        known.len() > 1
    }
}

/// What another member's answers say of other processes.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Heard {
    /// When the newest question was asked that is answered, and whether another process had asked there.
    newest: Option<(Millis, bool)>,
}

impl Heard {
    pub fn answered(&mut self, asked: Millis, another: bool) {
        if self.newest.is_none_or(|(at, _)| at <= asked) {
            self.newest = Some((asked, another));
        }
    }

    /// Asked no earlier than this and not long ago, it said that nobody else asks.
    pub fn is_clear(&self, from: Millis, now: Millis) -> bool {
        let fresh = |at: Millis| at >= from && now.0.saturating_sub(at.0) <= FRESH;
        self.newest
            .is_some_and(|(at, another)| !another && fresh(at))
    }

    /// When the answer was asked for that says so.
    pub fn clear_at(&self) -> Option<Millis> {
        self.newest
            .filter(|(_, another)| !another)
            .map(|(at, _)| at)
    }

    pub fn tells_of_another(&self, now: Millis) -> bool {
        let fresh = |at: Millis| now.0.saturating_sub(at.0) <= REMEMBERED;
        self.newest
            .is_some_and(|(at, another)| another && fresh(at))
    }
}

#[cfg(test)]
mod tests;
