//! S2.6: when a snapshot is taken over, which one, and when it is given up.

use super::gather::Gathering;
use super::message::Request;
use super::offers::Offers;
use super::state::State;
use super::{ASK_EVERY, Ask, Place, STUCK, Sync, SyncId, What};
use weft_types::{CommitIndex, MemberIndex, MemberSet, Millis};

impl Sync {
    /// S2.8: a member says that it has deleted history that this node asks for.
    pub fn history_gone(&mut self, of: MemberIndex) {
        self.gone.insert(of);
    }

    /// S2.6: whether to take over a snapshot, and which.
    pub(super) fn look(&mut self, now: Millis, place: Place, out: &mut Vec<Ask>) {
        self.behind = place.behind;
        if self.reached.0 != place.commit || !place.behind {
            self.reached = (place.commit, now);
            self.gone = MemberSet::default();
        }
        if !place.behind && self.gathering.is_none() {
            self.offers = Offers::default();
            self.known = State::default();
            return;
        }
        let target = self.gathering.as_ref().map(|g| g.target().statement.commit);
        if target.is_some_and(|target| place.commit >= target) {
            self.give_up(now, "this node has caught up without the snapshot");
        } else if target.is_some() && self.holders().is_empty() {
            self.give_up(now, "nobody serves the snapshot any longer");
        }
        if now >= self.ask_at || self.ask_at > now.saturating_add(ASK_EVERY) {
            self.ask_at = now.saturating_add(ASK_EVERY);
            self.offers.forget(self.target());
            for server in self.servers.all() {
                self.request(now, server, What::Offers, Request::Offers, out);
            }
        }
        self.ask_closings(now, out);
        if self.gathering.is_none() {
            self.choose(now, place);
        }
    }

    /// S2.1: one server at a time shows the committees that are not known.
    fn ask_closings(&mut self, now: Millis, out: &mut Vec<Ask>) {
        let mut requests = self.requests.values();
        if requests.any(|r| matches!(r.what, What::Closings)) {
            return;
        }
        let ahead = self.ahead;
        if let Some(server) = self.servers.free(&ahead, now) {
            let from = self.terms.newest().epoch();
            self.request(now, server, What::Closings, Request::Closings(from), out);
        }
    }

    fn choose(&mut self, now: Millis, place: Place) {
        // Of a quorum that says so, members with more than F of stake are honest.
        let gone = self.terms.in_office.is_quorum(&self.gone);
        if self.config.at_first_only && !(gone && place.commit == CommitIndex::ZERO) {
            return;
        }
        let stuck = gone || now >= self.reached.1.saturating_add(STUCK);
        let from = match stuck {
            true => Millis::ZERO,
            false => place.timestamp.saturating_add(self.config.after.0),
        };
        let committee = &self.terms.in_office;
        let Some(certificate) = self.offers.choose(committee, now, place, from) else {
            return;
        };
        let statement = &certificate.statement;
        self.notes.push(format!(
            "takes over the state of height {}, commit {}, instead of the history from commit {} on",
            statement.height, statement.commit, place.commit
        ));
        let known = std::mem::take(&mut self.known);
        self.servers.begin();
        self.gathering = Some(Gathering::new(self.terms.clone(), certificate, known));
    }

    /// Ends the gathering: what has come of it may be of use for another height.
    fn give_up(&mut self, now: Millis, why: &str) {
        let Some(gathering) = self.gathering.take() else {
            return;
        };
        let height = gathering.target().statement.height;
        self.notes
            .push(format!("height {height} is not taken over: {why}"));
        self.known = gathering.into_state();
        self.offers = Offers::default();
        self.ask_at = now;
        let part = |r: &super::Pending| matches!(r.what, What::Part(_));
        let asked = self.requests.iter().filter(|(_, r)| part(r));
        let asked: Vec<SyncId> = asked.map(|(id, _)| *id).collect();
        for id in asked {
            if let Some(pending) = self.requests.remove(&id) {
                self.servers.done(pending.of);
            }
        }
    }
}

#[cfg(test)]
mod tests;
