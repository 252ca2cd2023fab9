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
//! After an ordinary restart guard and database say what was signed, unless both are an older copy, or the original runs on
//! beside its copy. So it asks then too, as long after its own last vertex as another process would need to sign the next
//! one, and raises no floor: two members that restart would wait for each other, and after a restart of all nobody could
//! sign the round that all wait for.
//!
//! In either case it goes on only while others say that no other process asks with the same key (S1.9).

use super::copies::{FRESH, Heard, QUIET};
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

/// How long an ordinary restart waits for answers of all and for what they show, in milliseconds.
const PATIENCE: u64 = 1_000;
/// S1.9: after how long an answer that is good is asked for again, in milliseconds: well before it is too old.
const AGAIN: u64 = FRESH / 2;

/// Why others are asked.
#[derive(Debug, Clone, Copy)]
enum Why {
    Lost {
        lost: Lost,
        watch: Watch,
    },
    /// What guard and database say was signed.
    Restart {
        signed: Round,
        /// Until when it waits for all.
        until: Millis,
    },
}

/// S1.4: the watch of who does not know what it has signed. It goes on from one epoch to the next, which may both be shorter.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// When what was signed was asked for first.
    since: Millis,
    /// Rounds that were watched in epochs before, without a vertex by somebody else with the key.
    rounds: u64,
}

impl Watch {
    pub fn from(since: Millis) -> Self {
        Self { since, rounds: 0 }
    }
}

/// What a member answers, and to what.
#[derive(Debug, Clone)]
pub struct Reply {
    /// When it was asked.
    pub asked: Millis,
    pub latest: Latest,
    /// S1.9: another process has asked with the same key.
    pub another: bool,
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
    heard: Heard,
    ask_at: Millis,
    pause: u64,
}

/// The state of a recovery that is under way.
#[derive(Debug)]
pub struct Recovery {
    committee: Arc<Committee>,
    own: MemberIndex,
    why: Why,
    others: BTreeMap<MemberIndex, Other>,
    /// The round of the newest commit's leader.
    leader: Round,
    /// S1.9: questions count from then on. Another process that signs with the key has done so meanwhile.
    quiet: Millis,
    /// When it was looked at last.
    now: Millis,
}

impl Recovery {
    /// For a member that does not know what it has signed, with the round of its newest commit's leader.
    pub fn lost(
        committee: Arc<Committee>,
        own: MemberIndex,
        lost: Lost,
        leader: Option<Round>,
        watch: Watch,
    ) -> Self {
        let why = Why::Lost { lost, watch };
        Self::new(committee, own, why, leader)
    }

    /// S1.7: an ordinary restart that turns out to be none: guard and database do not know what was signed.
    pub fn doubt(&mut self, lost: Lost, now: Millis) {
        let watch = Watch::from(now);
        self.why = Why::Lost { lost, watch };
        for other in self.others.values_mut() {
            (other.ask_at, other.pause, other.heard) = (now, 0, Heard::default());
        }
    }

    /// The highest round that is known to be signed while this is an ordinary restart.
    pub fn known(&self) -> Option<Round> {
        match self.why {
            Why::Lost { .. } => None,
            Why::Restart { signed, .. } => Some(signed),
        }
    }

    /// For a member that has signed up to a round, as far as it knows, and the last time at `signed_at` by its own clock.
    pub fn restart(
        committee: Arc<Committee>,
        own: MemberIndex,
        (signed, signed_at): (Round, Millis),
        now: Millis,
    ) -> Self {
        let until = now.saturating_add(PATIENCE);
        let why = Why::Restart { signed, until };
        let mut restart = Self::new(committee, own, why, None);
        restart.saw_own(signed_at, now);
        restart
    }

    /// S1.9: a vertex under the own key, by its time.
    pub fn saw_own(&mut self, signed_at: Millis, now: Millis) {
        // A clock that was set back does not prolong it.
        let quiet = signed_at.min(now).saturating_add(QUIET);
        self.quiet = self.quiet.max(quiet);
    }

    /// Everybody is asked at once.
    fn new(committee: Arc<Committee>, own: MemberIndex, why: Why, leader: Option<Round>) -> Self {
        let others = committee.indices().filter(|m| *m != own);
        let others = others.map(|m| (m, Other::default())).collect();
        Self {
            committee,
            own,
            why,
            others,
            leader: leader.unwrap_or(Round::ZERO),
            quiet: Millis::ZERO,
            now: Millis::ZERO,
        }
    }

    /// Why it is not known what was signed, if it is not.
    pub fn why_lost(&self) -> Option<Lost> {
        match self.why {
            Why::Lost { lost, .. } => Some(lost),
            Why::Restart { .. } => None,
        }
    }

    /// S1.4: what the next epoch's watch begins with, if what was signed is not known. `signed` is the highest round under the
    /// own key that was seen in this one.
    pub fn watched(&self, signed: Round) -> Option<Watch> {
        let Why::Lost { watch, .. } = self.why else {
            return None;
        };
        let rounds = match self.floor() {
            // Somebody else may have signed it: all that was watched is worth nothing.
            Some(floor) if signed > floor => 0,
            Some(_) => self.rounds_watched(watch),
            None => watch.rounds,
        };
        Some(Watch { rounds, ..watch })
    }

    /// A commit with this leader was executed.
    pub fn committed(&mut self, leader: Round) {
        self.leader = self.leader.max(leader);
    }

    pub fn answered(&mut self, of: MemberIndex, reply: &Reply) {
        let Some(other) = self.others.get_mut(&of) else {
            return;
        };
        let latest = &reply.latest;
        let round = match latest {
            Latest::Vertex(vertex) if vertex.author() == of => Some(vertex.round()),
            Latest::Vertex(_) => return,
            Latest::Nothing => Some(Round::ZERO),
            Latest::Recovering => None,
        };
        other.recovering = round.is_none();
        other.heard.answered(reply.asked, reply.another);
        if let Some(round) = round {
            other.shown = Some(other.shown.map_or(round, |before| before.min(round)));
        }
        if other.has_said(self.why, self.leader) && !reply.another {
            (other.ask_at, other.pause) = (Millis::ZERO, 0);
        }
    }

    /// Members to ask now.
    pub fn due(&mut self, now: Millis) -> Vec<MemberIndex> {
        self.now = now;
        let (why, leader, quiet) = (self.why, self.leader, self.quiet);
        let mut due = Vec::new();
        if self.is_for_good() {
            return due;
        }
        for (member, other) in &mut self.others {
            let at = other.asked_at(why, leader, quiet);
            // A clock that was set back delays nothing for longer than a pause.
            if now < at && at <= now.saturating_add(PAUSE_MAX) {
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
        let asks = self.others.values();
        let asks = asks.map(|o| o.asked_at(self.why, self.leader, self.quiet));
        let until = match self.why {
            // Nothing else ends it then.
            Why::Lost { watch, .. } => {
                let known = self.floor().filter(|_| self.has_watched(watch));
                known.map(|_| watch.since.saturating_add(WATCH))
            }
            Why::Restart { until, .. } => Some(until),
        };
        let until = until.filter(|until| self.now < *until);
        asks.chain(until).min()
    }

    /// S1: what ends the recovery, once it does. `quorum_round` is the highest round with a quorum here.
    pub fn result(&self, quorum_round: Round, now: Millis) -> Option<Recovered> {
        match self.why {
            Why::Lost { watch, .. } => {
                let since = watch.since;
                // A clock that was set back does not prolong it.
                let watched = now >= since.saturating_add(WATCH) || now < since;
                let floor = self
                    .floor()
                    .filter(|_| watched && self.has_watched(watch))?;
                let clear = self.counted().filter(|(_, o)| self.is_clear(o, now));
                let clear: MemberSet = clear.map(|(m, _)| m).collect();
                Some(match self.committee.is_quorum(&clear) {
                    true => Recovered::Floor(floor),
                    false => Recovered::NotAlone(floor),
                })
            }
            Why::Restart { signed, until } => {
                let next = quorum_round.next();
                let reached =
                    |o: &Other| self.is_clear(o, now) && o.shown.is_none_or(|shown| shown <= next);
                let all = self.others.values().all(reached);
                // S1.9: of two copies that go on somebody would have told one.
                let clear = self.others.iter().filter(|(_, o)| self.is_clear(o, now));
                let clear = clear.map(|(m, _)| *m).chain([self.own]).collect();
                let enough = now >= until && self.committee.is_quorum(&clear);
                (all || enough).then_some(Recovered::Known(signed))
            }
        }
    }

    /// S1.9: whether an answer says, and may say, that no other process asks.
    fn is_clear(&self, other: &Other, now: Millis) -> bool {
        other.heard.is_clear(self.quiet, now)
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
        let members: MemberSet = self.counted().map(|(m, _)| m).collect();
        if !self.committee.is_quorum(&members) {
            return None;
        }
        let shown = self.counted().filter_map(|(_, o)| o.shown).max()?;
        Some(shown.next().max(signed))
    }

    /// Whose answers count.
    fn counted(&self) -> impl Iterator<Item = (MemberIndex, &Other)> {
        let others = self.others.iter().map(|(m, o)| (*m, o));
        others.filter(|(_, o)| o.counts(self.leader))
    }

    /// S1.7: whether commits are far enough above all that was shown.
    fn has_watched(&self, watch: Watch) -> bool {
        self.rounds_watched(watch) >= WATCH_ROUNDS
    }

    fn rounds_watched(&self, watch: Watch) -> u64 {
        let shown = self.counted().filter_map(|(_, o)| o.shown).max();
        let above = shown.map(|shown| self.leader.0.saturating_sub(shown.0.saturating_add(1)));
        watch.rounds.saturating_add(above.unwrap_or(0))
    }

    /// S1.9: whether others have told of another process that asks with the key.
    /// More than F say so: liars alone cannot.
    pub fn another_asks(&self) -> bool {
        let others = self.others.iter();
        let tell = others.filter(|(_, o)| o.heard.tells_of_another(self.now));
        let tell: MemberSet = tell.map(|(m, _)| *m).collect();
        self.committee.is_validity(&tell)
    }

    /// S1.7: whether no answer ends it.
    fn is_for_good(&self) -> bool {
        self.why_lost().is_some_and(|lost| lost.is_twin())
    }

    /// How far it is, for the operator; `None` for an ordinary restart while that takes but a moment.
    pub fn describe(&self) -> Option<String> {
        if self.another_asks() && !self.is_for_good() {
            let text = "signs nothing: another process asks with this node's key what it may sign. Neither of both goes on \
                        before the other one has ended: end all but one, or the bond is lost when both have signed one round";
            return Some(text.to_owned());
        }
        let lost = match self.why {
            Why::Lost { lost, .. } => lost,
            Why::Restart { until, .. } => return self.describe_restart(until),
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

    fn describe_restart(&self, until: Millis) -> Option<String> {
        let waits = self
            .others
            .iter()
            .filter(|(_, o)| o.heard.clear_at().is_none());
        let names: Vec<String> = waits
            .map(|(member, _)| format!("member {member}"))
            .collect();
        let late = self.now > until.max(self.quiet).saturating_add(PATIENCE);
        (late && !names.is_empty()).then(|| {
            format!(
                "restarted, and asks whether another process signs with this node's key: it waits for answers of {}",
                names.join(", ")
            )
        })
    }
}

/// What is known at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Everything up to here may have been signed, and is to be forbidden.
    Floor(Round),
    /// The same, but somebody else may be about to sign.
    NotAlone(Round),
    /// What guard and database say.
    Known(Round),
}

impl Other {
    /// Whether it has said of itself what is needed.
    fn has_said(&self, why: Why, leader: Round) -> bool {
        match why {
            Why::Lost { .. } => self.counts(leader),
            Why::Restart { .. } => self.shown.is_some() || self.recovering,
        }
    }

    /// When to ask it next: soon while something is missing, else before its answer is too old.
    fn asked_at(&self, why: Why, leader: Round, quiet: Millis) -> Millis {
        let clear = self.heard.clear_at().filter(|_| self.has_said(why, leader));
        let Some(asked) = clear else {
            return self.ask_at;
        };
        let again = asked.saturating_add(AGAIN);
        let again = match asked < quiet {
            true => again.min(quiet),
            false => again,
        };
        again.max(self.ask_at)
    }

    /// Whether what it has shown lies below a commit that was executed here.
    fn counts(&self, leader: Round) -> bool {
        self.shown
            .is_some_and(|shown| shown.saturating_add(1) < leader)
    }
}

#[cfg(test)]
mod tests;
