//! B2: the newest certificate that covers a due height gets onto the base chain, by whoever's turn it is.
//! Pure: what was seen there and the time come in, what to ask of it goes out, one question at a time.
//!
//! Turns and the alarm count from the *oldest* due height that the base chain lacks, not from the newest.
//! All members draw the same order for it, and it stays the same while newer heights become due; otherwise
//! each of those would begin the round of turns again, and a network under load would never be late.
//! What is posted is the newest certificate, which covers everything below it.
//!
//! What is anchored never goes back. What is posted may: a reorganisation can take it away until it is
//! final, and then it is due again. While nothing is due and everything posted is final, the base chain is
//! not asked at all.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use weft_basechain::SubmitterSchedule;
use weft_types::{Certificate, Height, MemberIndex, Millis, Statement, Verified};

/// How long one member has for posting before it is the next one's turn.
pub const TURN: Millis = Millis(3_000);
/// A checkpoint this late raises the alarm.
pub const DEADLINE: Millis = Millis(30_000);
/// Longest pause between two alarms for one height. The second comes [`DEADLINE`] after the first, and each pause is twice
/// as long as the one before.
pub const ALARM_PAUSE_MAX: Millis = Millis(3_600_000);
/// Between two looks at the base chain while something is to be posted or to become final.
pub const LOOK_INTERVAL: Millis = Millis(1_000);
/// Between two looks while nothing is to be posted, and all that is posted is final: what others post is looked at then as
/// well (F4). A window for challenges should be longer.
pub const REST_INTERVAL: Millis = Millis(5_000);
/// Longest pause after the base chain did not answer, or refused; the first is [`LOOK_INTERVAL`], and
/// each further one twice as long.
pub const RETRY_PAUSE_MAX: Millis = Millis(5_000);
/// Closing certificates that are kept while the base chain lacks them.
pub const CLOSINGS_MAX: usize = 64;
/// Due heights that are kept apart while the base chain lacks them. Beyond it the oldest are forgotten,
/// more than an hour late with checkpoints every 5 s.
pub const DUE_HEIGHTS_MAX: usize = 1024;

/// Whose turn it is in a committee of so many members, and when.
///
/// # Panics
/// Never with members; a turn has time.
pub fn schedule(members: usize) -> SubmitterSchedule {
    SubmitterSchedule::new(members, TURN, DEADLINE).expect("a committee has members")
}

/// A height that is to be on the base chain, itself or below a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub height: Height,
    /// Its statement's timestamp.
    pub since: Millis,
}

/// A due height that the base chain lacks though its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    pub due: Due,
    /// Whether the base chain has answered since the start. Until it does, it is not known what it has.
    pub seen: bool,
    /// Alarms for this height before.
    pub before: u32,
}

/// What the replica has for the base chain: the newest certificate that covers a due height, and the due
/// heights that certificates have covered so far.
#[derive(Debug, Clone, Default)]
pub struct Unposted {
    certificate: Option<Arc<Verified<Certificate>>>,
    /// Those that close an epoch: each has to be on the base chain before anything later.
    closings: BTreeMap<Height, Arc<Verified<Certificate>>>,
    heights: BTreeMap<Height, Millis>,
}

impl Unposted {
    /// A certificate and the due heights that it is the first to cover; or the same one with more signers.
    pub fn add(&mut self, certificate: Arc<Verified<Certificate>>, due: &[Due]) {
        if !certificate.statement.next_committee.is_zero() {
            let height = certificate.statement.height;
            self.closings.insert(height, certificate.clone());
            while self.closings.len() > CLOSINGS_MAX {
                self.closings.pop_first();
            }
        }
        let newest = self.certificate.as_ref().map(|c| c.statement.height);
        if newest.is_none_or(|newest| newest <= certificate.statement.height) {
            self.certificate = Some(certificate);
        }
        self.heights
            .extend(due.iter().map(|due| (due.height, due.since)));
        while self.heights.len() > DUE_HEIGHTS_MAX {
            self.heights.pop_first();
        }
    }

    /// After a restart: power may have failed between the newest certificate and its posting. The due
    /// height that it covers is the first of its checkpoint interval; statements on the disk say which.
    pub fn at_restart<E>(
        certificate: Option<Arc<Verified<Certificate>>>,
        interval: Millis,
        mut statement: impl FnMut(Height) -> Result<Option<Statement>, E>,
    ) -> Result<Self, E> {
        let mut unposted = Self::default();
        let Some(certificate) = certificate else {
            return Ok(unposted);
        };
        let of = |timestamp: Millis| timestamp.0 / interval.0.max(1);
        let newest = &certificate.statement;
        let mut due = Due {
            height: newest.height,
            since: newest.timestamp,
        };
        while due.height > Height(1)
            && let Some(before) = statement(Height(due.height.0 - 1))?
            && of(before.timestamp) == of(newest.timestamp)
        {
            due = Due {
                height: before.height,
                since: before.timestamp,
            };
        }
        unposted.add(certificate, &[due]);
        Ok(unposted)
    }

    /// What is to be posted above a height: the first that closes an epoch, else the newest.
    fn next_above(&self, posted: Height) -> Option<&Arc<Verified<Certificate>>> {
        let mut above = self.closings.range((Excluded(posted), Unbounded));
        let closing = above.next().map(|(_, certificate)| certificate);
        closing.or(self.certificate.as_ref())
    }

    /// The oldest due height that a checkpoint of `posted` does not cover.
    fn first_above(&self, posted: Height) -> Option<Due> {
        let mut above = self.heights.range((Excluded(posted), Unbounded));
        above.next().map(|(height, since)| Due {
            height: *height,
            since: *since,
        })
    }

    /// The newest due height that a certificate covers.
    pub fn newest(&self) -> Height {
        self.heights
            .last_key_value()
            .map_or(Height::ZERO, |(height, _)| *height)
    }
}

/// A checkpoint on the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Zero before the first.
    pub height: Height,
    /// The block that holds it.
    pub block: u64,
}

/// What posting learns.
#[derive(Debug)]
pub enum Input {
    /// There is more to post than before.
    Due(Unposted),
    /// What [`Effect::Look`] found: the newest checkpoint of all, and of those that are final.
    Seen { posted: Seen, finalised: Seen },
    /// The certificate of [`Effect::Submit`] is in a block.
    Posted(Seen),
    /// The base chain has that height already, or a later one.
    Superseded,
    /// The contract does not take it.
    Refused,
    /// The base chain did not answer, or the transaction is in no block in time.
    Unreachable,
    /// The deadline has passed.
    Tick,
}

/// What the driver is to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Read the newest checkpoint and the newest final one; `Seen` or `Unreachable` answers.
    Look,
    /// Send it; `Posted`, `Superseded`, `Refused` or `Unreachable` answers. A transaction that is in no
    /// block in time is outbid by the next one.
    Submit(Arc<Verified<Certificate>>),
    /// Another checkpoint is the newest now, or it is in another block.
    Posted(Seen),
    /// The base chain has finalised it.
    Anchored(Seen),
    /// Nobody has posted a height in time, or the base chain has not answered for as long: operators have to know.
    Alarm(Missed),
}

/// The newest height that the alarm was raised for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alarmed {
    height: Height,
    /// How often.
    times: u32,
    /// When it is raised again, if the height is not on the base chain by then.
    next: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A question is under way.
    Asking,
    /// Until it is time for the next look.
    Waiting(Millis),
}

/// One member's part in posting; an observer, or a member that cannot pay, only watches.
#[derive(Debug)]
pub struct Posting {
    own: Option<MemberIndex>,
    /// Whether there is an account that pays.
    pays: bool,
    schedule: SubmitterSchedule,
    unposted: Unposted,
    /// At the newest look; `None` before the first.
    posted: Option<Seen>,
    anchored: Height,
    alarmed: Option<Alarmed>,
    /// The first input's time.
    started: Option<Millis>,
    /// Questions that failed since the last one that did not.
    failures: u32,
    step: Step,
}

impl Posting {
    /// `anchored` is what was known to be final before a restart. The first look is due at once.
    pub fn new(
        own: Option<MemberIndex>,
        pays: bool,
        schedule: SubmitterSchedule,
        anchored: Height,
    ) -> Self {
        Self {
            own,
            pays,
            schedule,
            unposted: Unposted::default(),
            posted: None,
            anchored,
            alarmed: None,
            started: None,
            failures: 0,
            step: Step::Waiting(Millis::ZERO),
        }
    }

    /// E2: another committee is in office.
    pub fn enter(&mut self, own: Option<MemberIndex>, schedule: SubmitterSchedule) {
        self.own = own;
        self.schedule = schedule;
    }

    /// What was found on the base chain by the newest look.
    pub fn posted(&self) -> Seen {
        self.posted.unwrap_or_default()
    }

    /// Takes one input. What follows from it is appended to `out`, with one question at the most.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        self.started.get_or_insert(now);
        match input {
            Input::Due(unposted) => {
                let more = unposted.newest() > self.unposted.newest();
                self.unposted = unposted;
                if more && self.step != Step::Asking {
                    self.look(out);
                }
            }
            Input::Seen { posted, finalised } => self.saw(now, posted, finalised, out),
            Input::Posted(seen) => {
                self.failures = 0;
                self.posted = Some(seen);
                self.step = Step::Waiting(now.saturating_add(LOOK_INTERVAL.0));
            }
            Input::Superseded => {
                self.failures = 0;
                self.step = Step::Waiting(now.saturating_add(LOOK_INTERVAL.0));
            }
            Input::Refused | Input::Unreachable => {
                let pause = LOOK_INTERVAL.0 << self.failures.min(8);
                self.failures = self.failures.saturating_add(1);
                let pause = pause.min(RETRY_PAUSE_MAX.0);
                self.step = Step::Waiting(now.saturating_add(pause));
            }
            Input::Tick => {
                if matches!(self.step, Step::Waiting(until) if now >= until) {
                    self.look(out);
                }
            }
        }
        if let Some((missed, _)) = self.alarm().filter(|(_, at)| now >= *at) {
            let pause = DEADLINE.0 << missed.before.min(16);
            self.alarmed = Some(Alarmed {
                height: missed.due.height,
                times: missed.before.saturating_add(1),
                next: now.saturating_add(pause.min(ALARM_PAUSE_MAX.0)),
            });
            out.push(Effect::Alarm(missed));
        }
    }

    /// What the base chain lacks now though its time is over, as far as this member knows.
    pub fn missed(&self, now: Millis) -> Option<Missed> {
        let (missed, late_from) = self.late()?;
        (now >= late_from).then_some(missed)
    }

    /// When `handle` wants a `Tick` at the latest.
    pub fn next_deadline(&self) -> Option<Millis> {
        let look = match self.step {
            Step::Waiting(until) => Some(until),
            Step::Asking => None,
        };
        let alarm = self.alarm().map(|(_, at)| at);
        look.into_iter().chain(alarm).min()
    }

    fn look(&mut self, out: &mut Vec<Effect>) {
        self.step = Step::Asking;
        out.push(Effect::Look);
    }

    fn saw(&mut self, now: Millis, posted: Seen, finalised: Seen, out: &mut Vec<Effect>) {
        self.failures = 0;
        let before = self.posted.replace(posted).unwrap_or_default();
        if posted != before && posted.height > Height::ZERO {
            out.push(Effect::Posted(posted));
        }
        if finalised.height > self.anchored {
            self.anchored = finalised.height;
            out.push(Effect::Anchored(finalised));
        }
        let Some(due) = self.unposted.first_above(posted.height) else {
            self.step = match posted.height > self.anchored {
                true => Step::Waiting(now.saturating_add(LOOK_INTERVAL.0)),
                false => Step::Waiting(now.saturating_add(REST_INTERVAL.0)),
            };
            return;
        };
        let mut next = now.saturating_add(LOOK_INTERVAL.0);
        if let Some(own) = self.own.filter(|_| self.pays) {
            let duty = self.schedule.duty(own, due.height, due.since, now);
            if duty.submit
                && let Some(certificate) = self.unposted.next_above(posted.height)
            {
                self.step = Step::Asking;
                out.push(Effect::Submit(certificate.clone()));
                return;
            }
            // The own turn begins with a look.
            next = next.min(duty.until);
        }
        self.step = Step::Waiting(next);
    }

    /// What the next alarm is for, and when.
    fn alarm(&self) -> Option<(Missed, Millis)> {
        let (missed, late_from) = self.late()?;
        match self.alarmed {
            // An older one is due again when a reorganisation has taken away what covered it.
            Some(alarmed) if missed.due.height <= alarmed.height => Some((missed, alarmed.next)),
            _ => Some((missed, late_from)),
        }
    }

    /// The oldest due height that is not known to be covered, and from when on that is too late. Before the first look it is
    /// not known what the base chain has; that it cannot be looked at for as long as a posting may take is the same alarm.
    fn late(&self) -> Option<(Missed, Millis)> {
        self.own?;
        let covered = self.posted.map_or(self.anchored, |posted| posted.height);
        let due = self.unposted.first_above(covered)?;
        let late_from = self.schedule.late_from(due.since);
        let unseen_from = self.started?.saturating_add(DEADLINE.0);
        let seen = self.posted.is_some();
        let missed = Missed {
            due,
            seen,
            before: match self.alarmed {
                Some(alarmed) if due.height <= alarmed.height => alarmed.times,
                _ => 0,
            },
        };
        let from = match seen {
            true => late_from,
            false => late_from.max(unseen_from),
        };
        Some((missed, from))
    }
}

#[cfg(test)]
mod tests;
