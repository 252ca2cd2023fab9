//! B2 from outside: what stands on the base chain is of the honest history and goes forward, and every due
//! height gets there in time.

use super::Pace;
use crate::sim::oracle::{Oracle, Rule};
use crate::sim::time::Time;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use weft_basechain::Checkpoint;
use weft_node::replica::posting::{LOOK_INTERVAL, RETRY_PAUSE_MAX, TURN};
use weft_types::Height;

/// Due heights that are remembered.
const DUE_MAX: usize = 65_536;

/// What decides how long posting may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The base chain answers and loses nothing.
    pub is_sound: bool,
    /// Reorganisations so far.
    pub reorganisations: u32,
    /// Members in office.
    pub members: usize,
    /// By node: whether it is a member, honest, up, and has the certificate of the oldest height that is missing.
    pub able: Vec<bool>,
}

pub struct Watch {
    block_us: u64,
    /// Due heights, and when an honest member first had a certificate for each.
    due: BTreeMap<Height, Time>,
    /// Up to here due heights have been on the chain at some time: their delay is known.
    covered: Height,
    posted: Height,
    finalised: Height,
    /// What it was like at the last look, and since when.
    world: Option<(World, Time)>,
    /// A height that was late already: one violation for each says it all.
    late: Height,
    pub worst_delay_us: u64,
}

impl Watch {
    pub fn new(pace: Pace) -> Self {
        Self {
            block_us: pace.block_ms * 1000,
            due: BTreeMap::new(),
            covered: Height::ZERO,
            posted: Height::ZERO,
            finalised: Height::ZERO,
            world: None,
            late: Height::ZERO,
            worst_delay_us: 0,
        }
    }

    /// An honest member has a certificate that covers a due height.
    pub fn due(&mut self, height: Height, at: Time) {
        self.due.entry(height).or_insert(at);
        while self.due.len() > DUE_MAX {
            self.due.pop_first();
        }
    }

    /// The oldest due height that the chain lacks.
    pub fn missing(&self) -> Option<Height> {
        let mut missing = self.due.range((Excluded(self.posted), Unbounded));
        missing.next().map(|(height, _)| *height)
    }

    /// The newest due height.
    pub fn newest(&self) -> Height {
        self.due
            .last_key_value()
            .map_or(Height::ZERO, |(height, _)| *height)
    }

    pub fn finalised(&self) -> Height {
        self.finalised
    }

    /// A block was sealed, or `rewound`: blocks were taken away.
    pub fn block(
        &mut self,
        now: Time,
        rewound: bool,
        (latest, finalised): (Option<Checkpoint>, Option<Checkpoint>),
        oracle: &mut Oracle,
    ) {
        let height = latest.map_or(Height::ZERO, |c| c.height);
        if let Some(checkpoint) = latest.filter(|c| c.height != self.posted) {
            let stated = oracle.stated_at(checkpoint.height).map(|s| s.digest());
            if stated != Some(checkpoint.statement) {
                let what = format!("checkpoint {height} is not of the honest history");
                oracle.violation(Rule::Checkpoint, now, 0, what);
            }
        }
        if height < self.posted && !rewound {
            let what = format!("the newest checkpoint is {height} after {}", self.posted);
            oracle.violation(Rule::Checkpoint, now, 0, what);
        }
        self.posted = height;
        let last = finalised.map_or(Height::ZERO, |c| c.height);
        if last < self.finalised {
            let what = format!("checkpoint {} was final, now {last} is", self.finalised);
            oracle.violation(Rule::Checkpoint, now, 0, what);
        }
        self.finalised = last;
        if height > self.covered {
            let first = self.due.range((Excluded(self.covered), Unbounded)).next();
            if let Some((_, since)) = first.filter(|(due, _)| **due <= height) {
                self.worst_delay_us = self.worst_delay_us.max(now.since(*since));
            }
            self.covered = height;
        }
    }

    /// An honest member tells its clients that a height is anchored.
    pub fn anchored(&self, now: Time, node: usize, height: Height, oracle: &mut Oracle) {
        if height > self.finalised {
            let final_one = self.finalised;
            let what = format!("height {height} is told to be anchored, {final_one} is final");
            oracle.violation(Rule::Checkpoint, now, node, what);
        }
    }

    /// Longest time that the oldest missing height may take while nothing changes: its turn comes round once
    /// those who do not post have had theirs and the rest of one more, plus pauses and blocks.
    fn allowed_us(&self, members: usize, able: usize) -> u64 {
        let turns = (members.saturating_sub(able) + 2) as u64;
        let pauses = LOOK_INTERVAL.0 + RETRY_PAUSE_MAX.0 + 2_000;
        (turns * TURN.0 + pauses) * 1000 + 2 * self.block_us
    }

    /// Whether the oldest missing height is late.
    pub fn look(&mut self, now: Time, world: World, oracle: &mut Oracle) {
        let able = world.able.iter().filter(|able| **able).count();
        let (members, can_post) = (world.members, world.is_sound && able > 0);
        let since = match &self.world {
            Some((before, since)) if *before == world && can_post => *since,
            _ => now,
        };
        self.world = Some((world, since));
        let Some(height) = self.missing().filter(|height| *height > self.late) else {
            return;
        };
        let since = self.due.get(&height).map_or(since, |due| since.max(*due));
        let waited = now.since(since);
        if waited > self.allowed_us(members, able) {
            self.late = height;
            let ms = waited / 1000;
            let what =
                format!("height {height} is due and not posted after {ms} ms, with {able} able");
            oracle.violation(Rule::Posting, now, 0, what);
        }
    }
}
