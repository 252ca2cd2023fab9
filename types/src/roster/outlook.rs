//! What the next edges make of those whose weight moves, as the queue stands: for people who wait.

use super::Roster;
use crate::ids::Stake;
use std::collections::{BTreeMap, BTreeSet};

/// Edges that are looked ahead.
pub const EDGES_AHEAD_MAX: u64 = 32;

/// A member whose weight moves, or is going to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outlook {
    /// With how many edges from now on it is in office; `None` if it is, or will not be within [`EDGES_AHEAD_MAX`].
    pub joins_in: Option<u64>,
    /// With how many edges it has the weight that it has bonded; `None` if that takes more of them.
    pub settles_in: Option<u64>,
}

impl Roster {
    /// By id, of all whose weight moves or that have an entry that waits. What is queued later can change it, both ways.
    pub fn outlook(&self) -> BTreeMap<u64, Outlook> {
        let mut found: BTreeMap<u64, Outlook> = BTreeMap::new();
        let mut open = self.open();
        found.extend(open.iter().map(|id| (*id, Outlook::default())));
        let is_seated = |roster: &Self, id| {
            let seat = roster.seats.binary_search_by_key(&id, |s| s.id).ok();
            seat.is_some_and(|place| roster.seats[place].effective > Stake::ZERO)
        };
        let mut roster = self.clone();
        for edge in 1..=EDGES_AHEAD_MAX {
            if open.is_empty() {
                break;
            }
            // What is announced is announced; the edges after it apply all that is known.
            roster.announced = roster.announced.or(Some(roster.queue.processed));
            let next = roster.after_edge();
            let still = next.open();
            for id in &open {
                let outlook = found.entry(*id).or_default();
                if is_seated(&next, *id) && !is_seated(&roster, *id) {
                    outlook.joins_in = outlook.joins_in.or(Some(edge));
                }
                if !still.contains(id) {
                    outlook.settles_in = Some(edge);
                }
            }
            (roster, open) = (next, still);
        }
        found
    }

    fn open(&self) -> BTreeSet<u64> {
        let waiting = self.waiting.iter().map(|entry| entry.id);
        self.moving.iter().copied().chain(waiting).collect()
    }
}
