//! R1, R2: when to propose. Nothing here is safety: any timing keeps agreement.
//!
//! The leader time-out follows two measurements, so that nobody has to set it. A vertex's lateness is
//! the time from when a quorum of its round was here until it came; a turn is the time from an own
//! vertex until a quorum of its round is here, a round trip of what others need to see of each other. The
//! time-out is half a turn and four times the lateness that more than F of stake reach, so that F
//! of stake cannot stretch it. While no slot is decided directly it doubles, up to its maximum.
//!
//! Rounds clock themselves: each waits for a quorum. Only on links so quick that a processor would
//! do nothing else is there a least interval between own vertices.
//!
//! A leader for which a time-out was waited in vain is *absent*: it is not waited for again until a
//! vertex of its comes in time. So a crashed member costs one time-out, not one for each of its
//! turns. When decisions fail to come and the time-out has doubled, everybody is waited for again.

use crate::config::CoreConfig;
use std::sync::Arc;
use weft_types::{MemberIndex, MemberSet, Millis, Round, Stake};

/// The leader time-out's bounds, in milliseconds: the hiccups of a busy machine or disk; and how long
/// a round may wait for leaders, however slow the others and however long nothing was decided.
const TIMEOUT_MIN: u64 = 50;
const TIMEOUT_MAX: u64 = 2_000;
/// Turns for which a quorum without members that sign twice is waited for.
const PATIENCE_TURNS: u64 = 4;
/// Least time between two own vertices, in the long run, in milliseconds.
const INTERVAL_MIN: u64 = 8;
/// How many rounds may follow each other without that interval after a rest: a lone transaction is
/// ordered at the network's speed.
const BURST: u64 = 5;
/// Smoothed times are kept in this fraction of a millisecond.
const FRACTION: u64 = 16;
/// Weight of the past against one new measurement.
const SMOOTHING: u64 = 8;
/// Most doublings of the leader time-out.
const DOUBLINGS_MAX: u32 = 10;

pub(crate) struct Pace {
    config: Arc<CoreConfig>,
    /// When the highest round with a quorum reached it.
    entered: Millis,
    round: Round,
    /// By member, in fractions: how late it is, and how far from that it strays.
    lateness: Vec<u64>,
    deviation: Vec<u64>,
    /// How long own vertices take until a quorum of their round is here, in fractions; and the one under
    /// way.
    turn: u64,
    under_way: Option<(Round, Millis)>,
    absent: MemberSet,
    doublings: u32,
    /// Slots decided directly when a time-out was last waited for.
    direct: u64,
    /// When the next vertex is due by the long-run rate.
    due: Millis,
    /// When the last own vertex was asked for.
    proposed: Option<Millis>,
    /// When the own latest vertex is sent again, and after which pause the next time.
    resend: Millis,
    resend_pause: u64,
}

impl Pace {
    pub fn new(config: &Arc<CoreConfig>, now: Millis) -> Self {
        Self {
            entered: now,
            round: Round::ZERO,
            lateness: vec![0; config.committee.size()],
            deviation: vec![0; config.committee.size()],
            turn: 0,
            under_way: None,
            absent: MemberSet::default(),
            doublings: 0,
            direct: 0,
            due: now,
            proposed: None,
            resend: now.saturating_add(config.timing.resend_after.0),
            resend_pause: config.timing.resend_after.0,
            config: config.clone(),
        }
    }

    /// The highest round with a quorum of members that do not sign twice.
    pub fn enter(&mut self, round: Round, now: Millis) {
        if round > self.round {
            self.round = round;
            self.entered = now;
        }
        if let Some((_, sent)) = self.under_way.take_if(|(own, _)| *own <= round) {
            let took = now.0.saturating_sub(sent.0).min(TIMEOUT_MAX);
            self.turn = (self.turn * (SMOOTHING - 1) + took * FRACTION) / SMOOTHING;
        }
    }

    /// A vertex was accepted `late` after its round's quorum; `in_time` for the own vertex of the next
    /// round.
    pub fn arrived(&mut self, author: MemberIndex, late: Millis, in_time: bool) {
        if in_time {
            self.absent.remove(author);
        }
        let smoothed = &mut self.lateness[author.as_usize()];
        let late = late.0.min(TIMEOUT_MAX) * FRACTION;
        let off = smoothed.abs_diff(late);
        *smoothed = (*smoothed * (SMOOTHING - 1) + late) / SMOOTHING;
        let deviation = &mut self.deviation[author.as_usize()];
        *deviation = (*deviation * (SMOOTHING - 1) + off) / SMOOTHING;
    }

    /// The lateness that members with F+1 of stake reach, in fractions.
    fn late(&self) -> u64 {
        let committee = &self.config.committee;
        let mut by_lateness: Vec<(u64, Stake)> = committee
            .indices()
            .map(|m| (self.lateness[m.as_usize()], committee.stake(m)))
            .collect();
        by_lateness.sort_unstable_by(|a, b| b.cmp(a));
        let mut sum = 0;
        let reached = by_lateness.into_iter().find(|(_, stake)| {
            sum += stake.0;
            sum >= committee.validity().0
        });
        reached.map_or(0, |(late, _)| late)
    }

    /// When to ask for a vertex that another's links to. Once it is overdue, given how late its author
    /// usually is after a quorum of the round, which came at `quorum_at`: at once, so that it is
    /// here before the vertices that link to it are a quorum. Only as late as more than F of stake are:
    /// an author that withholds its vertices makes nobody wait before asking those who have them.
    pub fn ask_at(&self, author: MemberIndex, quorum_at: Option<Millis>, now: Millis) -> Millis {
        let place = author.as_usize();
        let usual = self.lateness[place] + 4 * self.deviation[place];
        let late = usual.min(4 * self.late()) / FRACTION;
        let due = quorum_at.unwrap_or(now).saturating_add(late);
        due.max(now)
            .saturating_add(self.config.timing.fetch_delay.0)
    }

    pub fn leader_timeout(&self) -> Millis {
        let late = 4 * self.late() / FRACTION;
        let least = TIMEOUT_MIN.max(self.turn / FRACTION / 2);
        let timeout = least.saturating_add(late);
        let doubled = timeout.saturating_mul(1 << self.doublings);
        Millis(doubled.min(TIMEOUT_MAX))
    }

    /// When the time-out of the current round is over.
    pub fn timeout_at(&self) -> Millis {
        self.entered.saturating_add(self.leader_timeout().0)
    }

    /// R1 (d): until when the others are waited for where a quorum is here, at `quorum_at`, only with members that
    /// sign twice: several turns, in which a quorum of the others comes if there is one. Members that sign twice and
    /// are quick would else cut off whoever is slow.
    pub fn patience_at(&self, quorum_at: Millis) -> Millis {
        let turns = PATIENCE_TURNS * self.turn / FRACTION;
        let patience = turns.min(TIMEOUT_MAX).max(self.leader_timeout().0);
        quorum_at.saturating_add(patience)
    }

    /// Leaders that are not waited for.
    pub fn excused(&self) -> MemberSet {
        if self.doublings > 0 {
            return MemberSet::default();
        }
        self.absent
    }

    /// A proposal is made though these leaders are missing, because the time-out is over.
    pub fn timed_out(&mut self, missing: &[MemberIndex], direct: u64) {
        for leader in missing {
            self.absent.insert(*leader);
        }
        if direct == self.direct {
            self.doublings = (self.doublings + 1).min(DOUBLINGS_MAX);
        }
        self.direct = direct;
    }

    /// Slots decided directly so far.
    pub fn decided(&mut self, direct: u64) {
        if direct > self.direct {
            self.doublings = 0;
        }
    }

    /// The earliest time of the next own vertex: the long-run rate, with a burst after a rest.
    pub fn proposal_at(&self) -> Millis {
        self.due.saturating_sub(INTERVAL_MIN * (BURST - 1))
    }

    /// R2: when to propose though nothing is unordered.
    pub fn heartbeat_at(&self) -> Option<Millis> {
        let heartbeat = self.config.timing.heartbeat.0;
        self.proposed.map(|p| p.saturating_add(heartbeat))
    }

    pub fn proposed(&mut self, now: Millis) {
        self.due = self.due.max(now).saturating_add(INTERVAL_MIN);
        self.proposed = Some(now);
    }

    /// Another's vertex was accepted: things move.
    pub fn moved(&mut self, now: Millis) {
        let quiet = now.saturating_add(self.config.timing.resend_after.0);
        self.resend = self.resend.max(quiet);
    }

    /// The own vertex is on its way.
    pub fn sent(&mut self, round: Round, now: Millis) {
        self.under_way = (round > self.round).then_some((round, now));
        self.resend_pause = self.config.timing.resend_after.0;
        self.resend = now.saturating_add(self.resend_pause);
    }

    pub fn resend_at(&self) -> Millis {
        self.resend
    }

    pub fn resent(&mut self, now: Millis) {
        // So often that after a heal the first commit comes within a second, however long it took.
        let longest = self.config.timing.heartbeat.0 / 2;
        self.resend_pause = (self.resend_pause * 2).min(longest.max(self.resend_pause));
        self.resend = now.saturating_add(self.resend_pause);
    }
}

#[cfg(test)]
mod tests;
