//! B2: who posts the certificate of a due height, and when. Pure: the node asks, with the time.
//!
//! Every member computes the same order for a height: it starts at a member that the height draws,
//! and goes round the committee. The first has the first turn; when the checkpoint is not on the base
//! chain by the turn's end, the next member has a turn, and so on, round again as often as needed.
//! So one honest member is enough, whoever else sleeps, and seldom do two post the same height: when
//! they do, the contract takes the first and the second costs nothing but a look.
//!
//! The draw is a hash, because heights due for posting are often all multiples of one number: with
//! the height modulo the committee's size one member would pay for all of them.

use weft_types::hash::keccak;
use weft_types::{Height, MemberIndex, Millis};

/// A schedule that could not be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("a schedule needs members")]
    NoMembers,
    #[error("a turn has no time")]
    NoTime,
}

/// What a member has to do about a due height that is not on the base chain yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    /// It is this member's turn.
    pub submit: bool,
    /// The checkpoint is later than it may be: operators have to know.
    pub alarm: bool,
    /// When the answer changes next.
    pub until: Millis,
}

/// The order in which members post checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmitterSchedule {
    members: u64,
    turn: Millis,
    deadline: Millis,
}

impl SubmitterSchedule {
    /// A turn should be long enough to get a transaction into a block of the base chain. A
    /// checkpoint that is `deadline` late raises the alarm.
    pub fn new(members: usize, turn: Millis, deadline: Millis) -> Result<Self, ScheduleError> {
        if members == 0 {
            return Err(ScheduleError::NoMembers);
        }
        if turn == Millis::ZERO {
            return Err(ScheduleError::NoTime);
        }
        Ok(Self {
            members: members as u64,
            turn,
            deadline,
        })
    }

    /// Who has the turn, counted from 0, for a height.
    pub fn submitter(&self, height: Height, turn: u64) -> MemberIndex {
        let hash = keccak(&[b"weft/v1/submitter", &height.0.to_be_bytes()]);
        let mut draw = [0; 8];
        draw.copy_from_slice(&hash[..8]);
        let first = u64::from_be_bytes(draw) % self.members;
        // Below the number of members, which fits an index.
        MemberIndex(((first + turn % self.members) % self.members) as u32)
    }

    /// When a height that has been due since `due` raises the alarm.
    pub fn late_from(&self, due: Millis) -> Millis {
        due.saturating_add(self.deadline.0)
    }

    /// What `member` has to do at `now` about a height that has been due since `due`.
    pub fn duty(&self, member: MemberIndex, height: Height, due: Millis, now: Millis) -> Duty {
        let late = now.0.saturating_sub(due.0);
        let turn = late / self.turn.0;
        let alarm = late >= self.deadline.0;
        let turn_ends = due.0.saturating_add((turn + 1).saturating_mul(self.turn.0));
        let alarm_starts = due.0.saturating_add(self.deadline.0);
        let until = if alarm {
            turn_ends
        } else {
            turn_ends.min(alarm_starts)
        };
        Duty {
            submit: now >= due && self.submitter(height, turn) == member,
            alarm,
            until: if now < due { due } else { Millis(until) },
        }
    }
}

#[cfg(test)]
mod tests;
