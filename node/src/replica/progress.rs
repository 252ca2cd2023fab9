//! Whether the network goes on, as this node sees it: whom it hears, and whether rounds end. Only for
//! what it tells its operator and clients; nothing is decided by it.

use weft_types::{Committee, MemberIndex, MemberSet, Millis, Round};

/// Rounds that do not end for this long have no quorum. At rest one ends every second; after lost
/// messages and silent leaders within the longest leader time-out, two seconds.
const STALLED: Millis = Millis(5_000);

/// Who was heard when, and the newest round that a quorum has ended.
#[derive(Debug)]
pub struct Progress {
    own: Option<MemberIndex>,
    /// By member; `None` until it has sent a vertex since the start.
    heard: Vec<Option<Millis>>,
    /// Those that were, and this one: asked for after every input.
    ever: MemberSet,
    quorum_round: Round,
    /// When that round was reached, or the start.
    since: Millis,
    now: Millis,
}

impl Progress {
    pub fn new(committee: &Committee, own: Option<MemberIndex>, now: Millis) -> Self {
        Self {
            own,
            heard: vec![None; committee.size()],
            ever: own.into_iter().collect(),
            quorum_round: Round::ZERO,
            since: now,
            now,
        }
    }

    /// E2: the same network under another committee: a quorum of the last one has just been heard.
    pub fn next_epoch(committee: &Committee, own: Option<MemberIndex>, now: Millis) -> Self {
        Self {
            heard: vec![Some(now); committee.size()],
            ever: committee.indices().collect(),
            ..Self::new(committee, own, now)
        }
    }

    /// A peer has sent a vertex, of whomever.
    pub fn hear(&mut self, from: MemberIndex, now: Millis) {
        if let Some(heard) = self.heard.get_mut(from.as_usize()) {
            *heard = Some(now);
            self.ever.insert(from);
        }
    }

    /// After every input.
    pub fn note(&mut self, quorum_round: Round, now: Millis) {
        self.now = now;
        if quorum_round > self.quorum_round {
            self.quorum_round = quorum_round;
            self.since = now;
        }
    }

    /// Since when no round has ended.
    pub fn still_since(&self) -> Millis {
        self.since
    }

    pub fn heard_nobody(&self) -> bool {
        self.heard.iter().all(Option::is_none)
    }

    /// Why this node does not know that it is one of a quorum. One that has just started does not
    /// know how far the others are before it has heard from so many.
    pub fn no_quorum(&self, committee: &Committee) -> Option<String> {
        let heard = self.ever;
        if committee.is_quorum(&heard) {
            return self.stalled(committee);
        }
        Some(format!(
            "since it started, this node has heard from members with {} of {} stake, itself \
             included, and a quorum is {}",
            committee.stake_of(&heard),
            committee.total(),
            committee.quorum()
        ))
    }

    /// Why rounds do not end, if they do not.
    pub fn stalled(&self, committee: &Committee) -> Option<String> {
        let stalled = self.now.saturating_sub(self.since.0);
        if stalled < STALLED {
            return None;
        }
        let seconds = stalled.0 / 1_000;
        let heard = self.heard_since(self.now.saturating_sub(STALLED.0));
        let silent = committee.indices().filter(|m| !heard.contains(*m));
        let silent: Vec<String> = silent.map(|m| m.to_string()).collect();
        if committee.is_quorum(&heard) || silent.is_empty() {
            return Some(format!(
                "no round has ended for {seconds} s, though members are heard"
            ));
        }
        Some(format!(
            "no quorum for {seconds} s: nothing is heard of {} {}, and the rest has {} of {} stake, \
             where a quorum is {}",
            if silent.len() == 1 {
                "member"
            } else {
                "members"
            },
            silent.join(", "),
            committee.stake_of(&heard),
            committee.total(),
            committee.quorum()
        ))
    }

    /// Members that have sent something since then, and this one.
    fn heard_since(&self, then: Millis) -> MemberSet {
        let late = |heard: &Option<Millis>| heard.is_some_and(|at| at >= then);
        let members = (0..).zip(&self.heard).filter(|(_, h)| late(h));
        members
            .map(|(i, _)| MemberIndex(i))
            .chain(self.own)
            .collect()
    }
}
