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

use super::restore::Lost;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::{Committee, MemberIndex, MemberSet, Millis, Round, Verified, Vertex};

/// Between the first two questions to a member, in milliseconds.
const PAUSE_MIN: u64 = 250;
/// The pause doubles up to this.
const PAUSE_MAX: u64 = 2_000;

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
    lost: Lost,
    others: BTreeMap<MemberIndex, Other>,
    /// The round of the newest commit's leader.
    leader: Round,
}

impl Recovery {
    /// Everybody is asked at once.
    pub fn new(
        committee: Arc<Committee>,
        own: MemberIndex,
        lost: Lost,
        leader: Option<Round>,
    ) -> Self {
        let others = committee.indices().filter(|m| *m != own);
        let others = others.map(|m| (m, Other::default())).collect();
        Self {
            committee,
            lost,
            others,
            leader: leader.unwrap_or(Round::ZERO),
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
        let leader = self.leader;
        let mut due = Vec::new();
        for (member, other) in &mut self.others {
            // A clock that was set back delays nothing for longer than a pause.
            let waits = now < other.ask_at && other.ask_at <= now.saturating_add(PAUSE_MAX);
            if waits || other.counts(leader) {
                continue;
            }
            other.pause = (2 * other.pause).clamp(PAUSE_MIN, PAUSE_MAX);
            other.ask_at = now.saturating_add(other.pause);
            due.push(*member);
        }
        due
    }

    pub fn deadline(&self) -> Option<Millis> {
        let open = self.others.values().filter(|o| !o.counts(self.leader));
        open.map(|o| o.ask_at).min()
    }

    /// S1: the round up to which this member may have signed, once that is known: the highest round
    /// shown plus one.
    pub fn floor(&self) -> Option<Round> {
        let counted = self.others.iter().filter(|(_, o)| o.counts(self.leader));
        let members: MemberSet = counted.clone().map(|(m, _)| *m).collect();
        if !self.committee.is_quorum(&members) {
            return None;
        }
        let shown = counted.filter_map(|(_, o)| o.shown).max()?;
        Some(shown.next().max(self.lost.signed()))
    }

    /// How far it is, for the operator.
    pub fn describe(&self) -> String {
        let (committee, lost) = (&self.committee, &self.lost);
        let quorum = committee.quorum();
        let others: MemberSet = self.others.keys().copied().collect();
        if !committee.is_quorum(&others) {
            return format!(
                "recovering: {lost}, so this node does not know what it has signed, and it cannot find \
                 out: the other members have {} of {} stake, and {quorum} would have to answer. Put \
                 the signing guard back, with the database that belongs to it",
                committee.stake_of(&others),
                committee.total(),
            );
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
        format!(
            "recovering: {lost}, so this node does not know what it has signed and signs nothing; members \
             with {} of {quorum} stake have answered; {waiting}",
            committee.stake_of(&shown),
        )
    }
}

impl Other {
    /// Whether what it has shown lies below a commit that was executed here.
    fn counts(&self, leader: Round) -> bool {
        self.shown
            .is_some_and(|shown| shown.saturating_add(1) < leader)
    }
}

#[cfg(test)]
mod tests;
