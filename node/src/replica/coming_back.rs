//! S1 in the replica: nothing is signed before it is known what was signed, and nothing any more once somebody else signs
//! with the key.

use super::effects::Effect;
use super::recovery::{self, Latest, Recovery, Reply, Watch};
use super::{Lost, Replica};
use weft_types::{MemberIndex, Millis, Round, Vertex};

impl Replica {
    /// S1: another member has said what it has signed last.
    pub(super) fn answered(&mut self, now: Millis, of: MemberIndex, reply: Reply) {
        let Some(recovery) = &mut self.recovery else {
            return;
        };
        recovery.answered(of, &reply);
        self.progress.hear(of, now);
        if let Latest::Vertex(vertex) = reply.latest {
            let from = Some(of);
            self.feed(now, weft_consensus::Input::Vertex { vertex, from });
        }
    }

    pub(super) fn ask_latest(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let due = self.recovery.as_mut().map(|r| r.due(now));
        let due = due.filter(|_| self.halted.is_none()).unwrap_or_default();
        let ask = |of| Effect::AskLatest { of, asked: now };
        out.extend(due.into_iter().map(ask));
    }

    /// S1.7: others have a vertex under this member's key that it does not have.
    pub(super) fn signed_elsewhere(&mut self, now: Millis, round: Round) {
        if self.twins || self.signed_from.is_none_or(|from| round <= from) {
            return;
        }
        let epoch = self.committee.epoch();
        match &mut self.recovery {
            Some(recovery) if recovery.known().is_some() => {
                recovery.doubt(Lost::Elsewhere(epoch, round), now);
                self.doubt(now);
            }
            _ => self.stop_signing(now, round),
        }
    }

    /// S1.7: it was signed after this process had begun.
    fn stop_signing(&mut self, now: Millis, round: Round) {
        let Some((own, _)) = &self.own else {
            return;
        };
        let twin = Lost::Twin(self.committee.epoch(), round);
        self.recovery = Some(Recovery::lost(
            self.committee.clone(),
            *own,
            twin,
            None,
            Watch::from(now),
        ));
        self.doubt(now);
    }

    fn doubt(&mut self, now: Millis) {
        self.signed_from = None;
        self.finality.sign_nothing();
        self.outbox.clear();
        self.feed(now, weft_consensus::Input::Doubt);
    }

    /// S1.2: whether the latest own vertex in the store is the latest that this member has signed, as far as is known.
    pub fn knows_signed(&self) -> bool {
        let lost = self.recovery.as_ref().and_then(Recovery::why_lost);
        lost.is_none()
    }

    /// S1.9: notes a vertex under the own key, whoever has signed it.
    pub(super) fn note_own(&mut self, now: Millis, vertex: &Vertex) {
        let own = self.own.as_ref().map(|(own, _)| *own);
        let ours = vertex.epoch() == self.committee.epoch() && Some(vertex.author()) == own;
        if let Some(recovery) = self.recovery.as_mut().filter(|_| ours) {
            recovery.saw_own(vertex.timestamp(), now);
        }
    }

    /// S1.9: whether others have told of another process that asks with this key.
    pub fn another_asks(&self) -> bool {
        self.recovery.as_ref().is_some_and(Recovery::another_asks)
    }

    /// S1.7: whether it has stopped signing for good.
    pub fn is_silenced(&self) -> bool {
        let lost = self.recovery.as_ref().and_then(Recovery::why_lost);
        lost.is_some_and(|lost| lost.is_twin())
    }

    /// For simulations of criminals, which sign twice on purpose: they go on whatever they are shown.
    pub fn tolerate_twins(&mut self) {
        self.twins = true;
    }

    /// S1: ends the recovery if it is known now what this member may sign. The guard has it first.
    pub(super) fn recovered(&mut self, now: Millis, out: &mut Vec<Effect>) -> bool {
        let Some(recovery) = &self.recovery else {
            return false;
        };
        let Some(result) = recovery.result(self.core.quorum_round(), now) else {
            return false;
        };
        let floor = match result {
            recovery::Recovered::Known(signed) => {
                self.recovery = None;
                self.signed_at = now;
                self.feed(now, weft_consensus::Input::Signed(signed));
                return true;
            }
            recovery::Recovered::Floor(floor) | recovery::Recovered::NotAlone(floor) => floor,
        };
        // S1.7: all that was signed before the question is at most the floor.
        if self.core.signed_round() > floor && !self.twins {
            self.stop_signing(now, self.core.signed_round());
            return true;
        }
        if result != recovery::Recovered::Floor(floor) {
            return false;
        }
        self.signed_from = Some(floor);
        self.signed_at = now;
        // What was lost is of no epoch to come: the commit that made the answers count was made after them, and this
        // epoch is closed by none before it (S1.8).
        (self.recovery, self.lost) = (None, None);
        self.restarted = false;
        let round = floor.max(self.core.signed_round());
        // Every height that can have been signed was closed by a commit with a leader up to the floor, and
        // commits above it are executed.
        let height = self.last_height.height.max(self.height_floor);
        self.height_floor = height;
        self.finality.sign_above(height);
        out.push(Effect::GuardFloor {
            epoch: self.committee.epoch(),
            round,
            height,
        });
        self.feed(now, weft_consensus::Input::Signed(round));
        true
    }
}
