//! BC20, BC21: who has broken the rules is shown to the contracts, by whoever's turn it is, until its bond is gone. Pure: what
//! was seen on the base chain and the time come in, what to ask of it goes out, one question at a time.
//!
//! Turns count from when a case can be shown, which is read off the base chain, so that all members draw the same
//! order, as they do for checkpoints. Who is in no committee comes after all of them have had a turn. What is known of a
//! case is looked at anew before it is shown, so that nothing is sent for a bond that is gone; what was seen there counts
//! for good once it is final.

use super::posting::{LOOK_INTERVAL, TURN};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use weft_basechain::SubmitterSchedule;
use weft_types::{Epoch, Height, MemberIndex, Millis};

/// Between two looks while nothing can be shown yet, or what was done is not final.
pub const WAIT: Millis = Millis(5_000);
/// Longest pause after a question that failed; the first is [`LOOK_INTERVAL`], and each further one twice as long.
pub const PAUSE_MAX: Millis = Millis(60_000);
/// Cases that are looked at together.
pub const LOOKS_MAX: usize = 16;

/// What the contracts are to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// F4: two statements for one height, each with a quorum.
    Conflict { epoch: Epoch, height: Height },
    /// V8: the member with this id in the registry has signed two vertices of one round.
    Equivocation { id: u64 },
}

/// How a case stands on the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No checkpoint has it.
    Hidden,
    /// It can be shown from this time on; `None` where that differs from node to node: then members' turns go by the
    /// clock.
    Open { from: Option<Millis> },
    /// No bond is left to be taken.
    Judged { is_final: bool },
}

/// What reporting learns.
#[derive(Debug)]
pub enum Input {
    /// All cases that this node knows of.
    Known(Vec<Case>),
    /// What [`Effect::Look`] found.
    Seen(Vec<(Case, Standing)>),
    /// The report is in a block.
    Reported(Case),
    /// The contract does not take it.
    Refused(Case),
    /// The base chain did not answer, or the transaction is in no block in time.
    Unreachable,
    /// The deadline has passed.
    Tick,
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read how these stand; `Seen` or `Unreachable` answers.
    Look(Vec<Case>),
    /// Show it; `Reported`, `Refused` or `Unreachable` answers.
    Report(Case),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A question is under way.
    Asking,
    Waiting(Millis),
    /// Nothing is open.
    Resting,
}

/// A case that is not done.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    /// When this node has learned of it.
    since: Millis,
    /// Reports that were refused, or got no answer, one after the other.
    failures: u32,
    /// After such a one.
    not_before: Millis,
    /// When it was shown last.
    shown: Millis,
}

impl Open {
    fn since(now: Millis) -> Self {
        Self {
            since: now,
            ..Self::default()
        }
    }

    /// Others have their turn meanwhile.
    fn failed(&mut self, now: Millis) {
        self.not_before = now.saturating_add(pause(self.failures));
        self.failures = self.failures.saturating_add(1);
    }
}

/// One node's part in reporting; one that cannot pay only watches.
#[derive(Debug)]
pub struct Reporting {
    own: Option<MemberIndex>,
    members: usize,
    schedule: SubmitterSchedule,
    pays: bool,
    open: BTreeMap<Case, Open>,
    done: BTreeSet<Case>,
    /// The last case that was looked at: the next look goes on behind it.
    looked: Option<Case>,
    /// What is being shown.
    showing: Option<Case>,
    failures: u32,
    step: Step,
}

impl Reporting {
    pub fn new(own: Option<MemberIndex>, members: usize, pays: bool) -> Self {
        Self {
            own,
            members,
            schedule: super::posting::schedule(members),
            pays,
            open: BTreeMap::new(),
            done: BTreeSet::new(),
            looked: None,
            showing: None,
            failures: 0,
            step: Step::Resting,
        }
    }

    /// E2: another committee is in office.
    pub fn enter(&mut self, own: Option<MemberIndex>, members: usize) {
        self.own = own;
        self.members = members;
        self.schedule = super::posting::schedule(members);
    }

    /// Takes one input. What follows from it is appended to `out`: one question at the most.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        let showing = match input {
            Input::Known(_) | Input::Tick => None,
            _ => self.showing.take(),
        };
        match input {
            Input::Known(cases) => self.learn(now, cases),
            Input::Seen(seen) => {
                self.failures = 0;
                self.saw(now, &seen, out);
                return;
            }
            Input::Reported(case) => {
                self.failures = 0;
                if let Some(open) = self.open.get_mut(&case) {
                    *open = Open {
                        shown: open.shown,
                        ..Open::since(open.since)
                    };
                }
                self.step = Step::Waiting(now.saturating_add(LOOK_INTERVAL.0));
            }
            Input::Refused(case) => {
                if let Some(open) = self.open.get_mut(&case) {
                    open.failed(now);
                }
                self.step = Step::Waiting(now.saturating_add(LOOK_INTERVAL.0));
            }
            Input::Unreachable => {
                if let Some(open) = showing.and_then(|case| self.open.get_mut(&case)) {
                    open.failed(now);
                }
                self.step = Step::Waiting(now.saturating_add(pause(self.failures)));
                self.failures = self.failures.saturating_add(1);
            }
            Input::Tick => {}
        }
        if matches!(self.step, Step::Waiting(until) if now >= until) {
            self.look(out);
        }
    }

    /// When `handle` wants a `Tick` at the latest.
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.step {
            Step::Waiting(until) => Some(until),
            Step::Asking | Step::Resting => None,
        }
    }

    fn learn(&mut self, now: Millis, cases: Vec<Case>) {
        let mut is_news = false;
        for case in cases {
            if !self.done.contains(&case) && !self.open.contains_key(&case) {
                self.open.insert(case, Open::since(now));
                is_news = true;
            }
        }
        if is_news && self.step != Step::Asking && self.failures == 0 {
            self.step = Step::Waiting(now);
        }
    }

    fn look(&mut self, out: &mut Vec<Effect>) {
        let behind = self
            .looked
            .map_or((Unbounded, Unbounded), |c| (Excluded(c), Unbounded));
        let behind = self.open.range(behind);
        let all = behind.chain(self.open.iter()).map(|(case, _)| *case);
        let mut cases: Vec<Case> = all.take(LOOKS_MAX.min(self.open.len())).collect();
        self.looked = cases.last().copied();
        cases.sort_unstable();
        self.step = match cases.is_empty() {
            true => Step::Resting,
            false => Step::Asking,
        };
        if !cases.is_empty() {
            out.push(Effect::Look(cases));
        }
    }

    fn saw(&mut self, now: Millis, seen: &[(Case, Standing)], out: &mut Vec<Effect>) {
        let mut next = now.saturating_add(WAIT.0);
        let mut due = Vec::new();
        for (case, standing) in seen {
            match standing {
                Standing::Judged { is_final: true } => {
                    self.open.remove(case);
                    self.done.insert(*case);
                }
                Standing::Judged { is_final: false } | Standing::Hidden => {}
                Standing::Open { from } => match self.turn(now, case, *from) {
                    Some(at) if at <= now => due.push(*case),
                    Some(at) => next = next.min(at),
                    None => {}
                },
            }
        }
        // What was shown lets the others go first, whatever came of it.
        let shown = |case: &Case| self.open.get(case).map(|open| open.shown);
        if let Some(case) = due.into_iter().min_by_key(shown) {
            if let Some(open) = self.open.get_mut(&case) {
                open.shown = now;
            }
            self.step = Step::Asking;
            self.showing = Some(case);
            out.push(Effect::Report(case));
            return;
        }
        // Those that were not among the looked at have their turn.
        if self.open.len() > LOOKS_MAX {
            next = next.min(now.saturating_add(LOOK_INTERVAL.0));
        }
        self.step = match self.open.is_empty() {
            true => Step::Resting,
            false => Step::Waiting(next),
        };
    }

    /// When this node may show a case, or is to look again whether it may. `None` for one that only watches.
    fn turn(&self, now: Millis, case: &Case, from: Option<Millis>) -> Option<Millis> {
        let open = self.open.get(case).filter(|_| self.pays)?;
        if now < open.not_before {
            return Some(open.not_before);
        }
        let Some(own) = self.own else {
            let from = from.unwrap_or(open.since);
            return Some(from.saturating_add(TURN.0.saturating_mul(self.members as u64)));
        };
        let from = from.unwrap_or(Millis::ZERO);
        let duty = self.schedule.duty(own, draw(case), from, now);
        match duty.submit {
            true => Some(now),
            false => Some(duty.until.max(now.saturating_add(1))),
        }
    }
}

/// What the order of turns is drawn by.
fn draw(case: &Case) -> Height {
    match case {
        Case::Conflict { height, .. } => *height,
        Case::Equivocation { id } => Height(*id),
    }
}

fn pause(failures: u32) -> u64 {
    (LOOK_INTERVAL.0 << failures.min(8)).min(PAUSE_MAX.0)
}

#[cfg(test)]
mod tests;
