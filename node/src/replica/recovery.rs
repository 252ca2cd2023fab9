//! S1: a member that does not know what it has signed finds a place above which it has signed
//! nothing, and signs nothing before.
//!
//! It asks every other member for the latest vertex that this one has signed. The answers of members
//! with a quorum of stake, itself not counted, bound what it can have signed itself, whatever was lost
//! on the way and whoever lies (`docs/spec/consensus.md`, S1): for a vertex of round r it had a quorum of round
//! r-1, and one of those who signed there is honest and among those who answer. So r is at most the
//! highest round shown plus one.
//!
//! An answer counts when this member has executed a commit with a leader above it. So an invented
//! round counts never, and bounds nothing; and when enough answers count, every height that can have been signed
//! is executed, so that it is known which heights are forbidden.
//!
//! After an ordinary restart guard and database say what was signed, unless both are an older copy. So
//! it asks then too, but waits only for a moment, and raises no floor: two members that restart would wait for each
//! other, and after a restart of all nobody could sign the round that all wait for.

use super::restore::Lost;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::{Committee, MemberIndex, MemberSet, Millis, Round, Verified, Vertex};

/// Between the first two questions to a member, in milliseconds.
const PAUSE_MIN: u64 = 250;
/// The pause doubles up to this.
const PAUSE_MAX: u64 = 2_000;

/// How long a member that does not know what it has signed watches at the least, in milliseconds: somebody who signs with
/// its key signs meanwhile, once a heartbeat at rest.
const WATCH: u64 = 2_000;
/// And for so many rounds above the floor, by commits: what a member signs that few hear of is in the histories of
/// all some rounds later.
const WATCH_ROUNDS: u64 = 6;

/// How long an ordinary restart waits for answers and for what they show, in milliseconds.
const PATIENCE: u64 = 1_000;

/// Why others are asked.
#[derive(Debug, Clone, Copy)]
enum Why {
    Lost {
        lost: Lost,
        /// When it was asked for first.
        since: Millis,
    },
    /// What guard and database say was signed, and when to go on at the latest.
    Restart { signed: Round, until: Millis },
}

/// A member's answer.
#[derive(Debug, Clone)]
pub enum Latest {
    /// The latest vertex that it has signed.
    Vertex(Verified<Vertex>),
    /// It has never signed one.
    Nothing,
    /// It does not know itself.
    Recovering,
}

/// What is known of another member.
#[derive(Debug, Default)]
struct Other {
    /// The lowest round that it has shown: each answer was given after what this member signed.
    shown: Option<Round>,
    recovering: bool,
    ask_at: Millis,
    pause: u64,
}

/// The state of a recovery that is under way.
#[derive(Debug)]
pub struct Recovery {
    committee: Arc<Committee>,
    why: Why,
    others: BTreeMap<MemberIndex, Other>,
    /// The round of the newest commit's leader.
    leader: Round,
}

impl Recovery {
    /// For a member that does not know what it has signed, with the round of its newest commit's leader.
    pub fn lost(
        committee: Arc<Committee>,
        own: MemberIndex,
        lost: Lost,
        leader: Option<Round>,
        now: Millis,
    ) -> Self {
        let why = Why::Lost { lost, since: now };
        Self::new(committee, own, why, leader)
    }

    /// S1.7: an ordinary restart that turns out to be none: guard and database do not know what was signed.
    pub fn doubt(&mut self, lost: Lost, now: Millis) {
        self.why = Why::Lost { lost, since: now };
        for other in self.others.values_mut() {
            (other.ask_at, other.pause) = (now, 0);
        }
    }

    /// The highest round that is known to be signed while this is an ordinary restart.
    pub fn known(&self) -> Option<Round> {
        match self.why {
            Why::Lost { .. } => None,
            Why::Restart { signed, .. } => Some(signed),
        }
    }

    /// For a member that has signed up to a round, as far as it knows.
    pub fn restart(
        committee: Arc<Committee>,
        own: MemberIndex,
        signed: Round,
        now: Millis,
    ) -> Self {
        let until = now.saturating_add(PATIENCE);
        Self::new(committee, own, Why::Restart { signed, until }, None)
    }

    /// Everybody is asked at once.
    fn new(committee: Arc<Committee>, own: MemberIndex, why: Why, leader: Option<Round>) -> Self {
        let others = committee.indices().filter(|m| *m != own);
        let others = others.map(|m| (m, Other::default())).collect();
        Self {
            committee,
            why,
            others,
            leader: leader.unwrap_or(Round::ZERO),
        }
    }

    /// Why it is not known what was signed, if it is not.
    pub fn why_lost(&self) -> Option<Lost> {
        match self.why {
            Why::Lost { lost, .. } => Some(lost),
            Why::Restart { .. } => None,
        }
    }

    /// When what was signed was asked for first, if that is not known.
    pub fn since(&self) -> Option<Millis> {
        match self.why {
            Why::Lost { since, .. } => Some(since),
            Why::Restart { .. } => None,
        }
    }

    /// A commit with this leader was executed.
    pub fn committed(&mut self, leader: Round) {
        self.leader = self.leader.max(leader);
    }

    pub fn answered(&mut self, of: MemberIndex, latest: &Latest) {
        let Some(other) = self.others.get_mut(&of) else {
            return;
        };
        other.recovering = matches!(latest, Latest::Recovering);
        let round = match latest {
            Latest::Vertex(vertex) if vertex.author() == of => vertex.round(),
            Latest::Nothing => Round::ZERO,
            Latest::Vertex(_) | Latest::Recovering => return,
        };
        other.shown = Some(other.shown.map_or(round, |before| before.min(round)));
    }

    /// Members to ask now. Whoever's answer counts is not asked again.
    pub fn due(&mut self, now: Millis) -> Vec<MemberIndex> {
        let (why, leader) = (self.why, self.leader);
        let mut due = Vec::new();
        if self.is_for_good() {
            return due;
        }
        for (member, other) in &mut self.others {
            // A clock that was set back delays nothing for longer than a pause.
            let waits = now < other.ask_at && other.ask_at <= now.saturating_add(PAUSE_MAX);
            if waits || other.is_done(why, leader) {
                continue;
            }
            other.pause = (2 * other.pause).clamp(PAUSE_MIN, PAUSE_MAX);
            other.ask_at = now.saturating_add(other.pause);
            due.push(*member);
        }
        due
    }

    pub fn deadline(&self) -> Option<Millis> {
        if self.is_for_good() {
            return None;
        }
        let open = self
            .others
            .values()
            .filter(|o| !o.is_done(self.why, self.leader));
        let until = match self.why {
            // Nothing else ends it then.
            Why::Lost { since, .. } => {
                let known = self.floor().filter(|_| self.has_watched());
                known.map(|_| since.saturating_add(WATCH))
            }
            Why::Restart { until, .. } => Some(until),
        };
        open.map(|o| o.ask_at).chain(until).min()
    }

    /// S1: what ends the recovery, once it does. `quorum_round` is the highest round with a quorum here.
    pub fn result(&self, quorum_round: Round, now: Millis) -> Option<Recovered> {
        match self.why {
            Why::Lost { since, .. } => {
                // A clock that was set back does not prolong it.
                let watched = now >= since.saturating_add(WATCH) || now < since;
                let floor = self.floor().filter(|_| watched && self.has_watched());
                floor.map(Recovered::Floor)
            }
            Why::Restart { signed, until } => {
                let next = quorum_round.next();
                let reached =
                    |o: &Other| o.has_answered() && o.shown.is_none_or(|shown| shown <= next);
                // A clock that was set back does not prolong it.
                let over = now >= until || now.saturating_add(PATIENCE) < until;
                let done = over || self.others.values().all(reached);
                done.then_some(Recovered::Known(signed))
            }
        }
    }

    /// S1: the round up to which this member may have signed, once that is known: the highest round
    /// shown plus one.
    fn floor(&self) -> Option<Round> {
        let Why::Lost { lost, .. } = self.why else {
            return None;
        };
        // Nothing of this epoch is signed by who has signed in a later one, or by a twin.
        let signed = lost
            .signed(self.committee.epoch())
            .filter(|_| !lost.is_twin())?;
        let counted = self.others.iter().filter(|(_, o)| o.counts(self.leader));
        let members: MemberSet = counted.clone().map(|(m, _)| *m).collect();
        if !self.committee.is_quorum(&members) {
            return None;
        }
        let shown = counted.filter_map(|(_, o)| o.shown).max()?;
        Some(shown.next().max(signed))
    }

    /// S1.7: whether commits are far enough above all that was shown.
    fn has_watched(&self) -> bool {
        let counted = self.others.values().filter(|o| o.counts(self.leader));
        let shown = counted.filter_map(|o| o.shown).max();
        shown.is_some_and(|shown| shown.saturating_add(1 + WATCH_ROUNDS) <= self.leader)
    }

    /// S1.7: whether no answer ends it.
    fn is_for_good(&self) -> bool {
        self.why_lost().is_some_and(|lost| lost.is_twin())
    }

    /// How far it is, for the operator; `None` for an ordinary restart, which takes a moment.
    pub fn describe(&self) -> Option<String> {
        let Why::Lost { lost, .. } = self.why else {
            return None;
        };
        if lost.is_twin() {
            return Some(format!(
                "signs nothing more: {lost}. Find that process and end it, then start this node again; its bond is lost \
                 when both have signed one round"
            ));
        }
        let committee = &self.committee;
        let quorum = committee.quorum();
        let others: MemberSet = self.others.keys().copied().collect();
        if !committee.is_quorum(&others) {
            return Some(format!(
                "recovering: {lost}, so this node does not know what it has signed, and it cannot find \
                 out: the other members have {} of {} stake, and {quorum} would have to answer. Put \
                 the signing guard back, with the database that belongs to it",
                committee.stake_of(&others),
                committee.total(),
            ));
        }
        let shown = self.others.iter().filter(|(_, o)| o.shown.is_some());
        let shown: MemberSet = shown.map(|(m, _)| *m).collect();
        let waits = self.others.iter().filter(|(_, o)| o.shown.is_none());
        let names: Vec<String> = waits
            .map(|(member, other)| match other.recovering {
                true => format!("member {member} (which is recovering itself)"),
                false => format!("member {member}"),
            })
            .collect();
        let waiting = match committee.is_quorum(&shown) {
            true => "this node catches up with what they have shown".to_owned(),
            false => format!("it waits for {}", names.join(", ")),
        };
        Some(format!(
            "recovering: {lost}, so this node does not know what it has signed and signs nothing; members \
             with {} stake have answered, and {quorum} is needed; {waiting}",
            committee.stake_of(&shown),
        ))
    }
}

/// What is known at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Everything up to here may have been signed, and is to be forbidden.
    Floor(Round),
    /// What guard and database say.
    Known(Round),
}

impl Other {
    /// Whether it need not be asked again.
    fn is_done(&self, why: Why, leader: Round) -> bool {
        match why {
            Why::Lost { .. } => self.counts(leader),
            Why::Restart { .. } => self.has_answered(),
        }
    }

    fn has_answered(&self) -> bool {
        self.shown.is_some() || self.recovering
    }

    /// Whether what it has shown lies below a commit that was executed here.
    fn counts(&self, leader: Round) -> bool {
        self.shown
            .is_some_and(|shown| shown.saturating_add(1) < leader)
    }
}

#[cfg(test)]
mod tests;
