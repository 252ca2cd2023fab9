//! E1 to E3 in the replica: what it says of the next epoch, how it leaves one that is closed, and how it helps those
//! who have not come so far.

use super::begin::{core_config, finality};
use super::progress::Progress;
use super::recovery::{Recovery, Watch};
use super::{Effect, Replica};
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_consensus::{Core, LastCommit, Recovered};
use weft_types::{
    Certificate, Committee, Epoch, MemberIndex, MemberSet, Millis, READIES_MAX, Ready, Round,
    Verified,
};

/// Between two ready messages of a member that is in no committee yet.
const READY_EVERY: u64 = 1_000;
/// E3: between two questions for the end of this epoch.
const ASK_EVERY: u64 = 200;
/// E3: an epoch that may be over and in which no round has ended for so long may have ended without this node.
const STILL: u64 = 2_000;

/// What is between this epoch and its neighbours.
#[derive(Default)]
pub(super) struct Edge {
    /// E2: the certificate of the height that closes the epoch: the next one is to be opened.
    closed_by: Option<Arc<Verified<Certificate>>>,
    /// E2: ready messages of members of the next committee that have no vertices of their own.
    heard: Vec<Ready>,
    say_ready_at: Millis,
    /// E3: somebody was in a later epoch before this one.
    pub is_late: bool,
    /// E3: members that have spoken of a later epoch and were not asked since, and who was asked last.
    later: MemberSet,
    asked: Option<MemberIndex>,
    /// E3: no question for the end of this epoch before.
    ask_at: Millis,
    /// E3: the same of a question to one that has said nothing.
    seek_at: Millis,
    /// E3: from when on another certificate of a member is looked at.
    judged: BTreeMap<MemberIndex, Millis>,
    /// E3: a closing certificate of this epoch, which this member has not executed so far as.
    ahead: Option<Verified<Certificate>>,
}

impl Replica {
    /// E2: nothing more is executed in this epoch.
    pub(super) fn is_closed(&self) -> bool {
        self.ledger.is_closed(self.committee.epoch())
    }

    /// E1: the next committee, while it is announced and the epoch is not closed.
    fn awaited(&self) -> Option<Committee> {
        let roster = self.ledger.roster().filter(|r| !r.closed)?;
        roster.next_committee()
    }

    /// E2: this member's message that it is ready, unless it was ordered or it is no member of the next committee.
    fn own_ready(&self, next: &Committee) -> Option<Ready> {
        let keys = self.keys.as_ref()?;
        let index = next.index_of(&keys.vertex.public())?;
        let id = next.member(index)?.id;
        let roster = self.ledger.roster()?;
        (!roster.ready.contains(&id))
            .then(|| Ready::sign(id, self.network, next.digest(), &keys.vertex))
    }

    /// E2: what the own vertex says of who is ready: until it is ordered, in each one.
    pub(super) fn readies(&self) -> Vec<Ready> {
        let Some(next) = self.awaited() else {
            return Vec::new();
        };
        let roster = self.ledger.roster();
        let ordered = |id| roster.as_ref().is_some_and(|r| r.ready.contains(&id));
        let digest = next.digest();
        let heard = self.edge.heard.iter();
        let heard = heard.filter(|r| r.committee == digest && !ordered(r.member));
        let own = self.own_ready(&next).into_iter();
        own.chain(heard.cloned()).take(READIES_MAX).collect()
    }

    /// R2, E1: whether the next committee is to be announced, which takes a commit.
    pub(super) fn epoch_is_over(&self, now: Millis) -> bool {
        let duration = self.genesis.template.params.epoch_duration_ms;
        let begun = self.genesis.template.timestamp_ms;
        match self.ledger.roster() {
            Some(roster) => roster.is_announcement_due(now, duration),
            None => now >= begun.saturating_add(duration.0),
        }
    }

    /// When the epoch in office began, in ledger time.
    fn epoch_since(&self) -> Millis {
        let roster = self.ledger.roster();
        roster.map_or(self.genesis.template.timestamp_ms, |r| r.since)
    }

    /// E2: whether this member is in office no longer with the next epoch.
    pub(super) fn is_leaving(&self) -> bool {
        let keys = self.keys.as_ref().filter(|_| self.own.is_some());
        let next = self.ledger.roster().and_then(|r| r.next_committee());
        let leaves =
            |next: Committee| keys.is_some_and(|k| next.index_of(&k.vertex.public()).is_none());
        next.is_some_and(leaves)
    }

    /// R2: whether this member has to say that somebody is ready.
    pub(super) fn has_readies(&self) -> bool {
        !self.readies().is_empty()
    }

    /// E2: somebody who has no vertices yet is ready.
    pub(super) fn heard_ready(&mut self, ready: Ready) {
        let Some(next) = self.awaited() else {
            return;
        };
        let digest = next.digest();
        self.edge.heard.retain(|r| r.committee == digest);
        let known = self.edge.heard.iter().any(|r| r.member == ready.member);
        if !known && ready.is_of(self.network, &next, digest) {
            self.edge.heard.push(ready);
        }
    }

    /// E2: a member of the next committee that is in none yet tells the others that it is ready.
    pub(super) fn tell_ready(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let waits = now < self.edge.say_ready_at;
        if self.own.is_some() || self.keys.is_none() || waits || self.core.behind().is_some() {
            return;
        }
        let next = self.awaited();
        if let Some(ready) = next.and_then(|next| self.own_ready(&next)) {
            self.edge.say_ready_at = now.saturating_add(READY_EVERY);
            out.push(Effect::SendReady(ready));
        }
    }

    pub(super) fn edge_deadline(&self) -> Option<Millis> {
        let tells = self.own.is_none() && self.keys.is_some() && self.awaited().is_some();
        let tells = tells.then_some(self.edge.say_ready_at);
        let asks = !self.edge.later.is_empty() && !self.sync.is_gathering();
        let asks = asks.then_some(self.edge.ask_at);
        let all = tells.into_iter().chain(asks).chain(self.seeks_at());
        all.min()
    }

    /// E2: a height was certified.
    pub(super) fn note_closing(&mut self, certificate: &Arc<Verified<Certificate>>) {
        let statement = &certificate.statement;
        let closes =
            statement.epoch == self.committee.epoch() && !statement.next_committee.is_zero();
        if closes {
            self.edge.closed_by = Some(certificate.clone());
        }
    }

    /// E2: opens the next epoch, once the closing height of this one is certified and executed.
    pub(super) fn open_epoch(&mut self, now: Millis, out: &mut Vec<Effect>) -> bool {
        let closed_by = self.edge.closed_by.take().filter(|_| self.is_closed());
        let Some(certificate) = closed_by else {
            return false;
        };
        let next = self.ledger.roster().and_then(|r| r.next_committee());
        let next = next.filter(|next| next.digest() == certificate.statement.next_committee);
        let Some(next) = next else {
            return false;
        };
        let statement = &certificate.statement;
        let last = LastCommit {
            index: statement.commit,
            digest: statement.commit_digest,
            timestamp: statement.timestamp,
            leader: None,
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        };
        // S1: guard and database may be an older copy, and an epoch that others are in already may be one that this
        // member has signed in.
        // S1.5: nor is it known yet who else signs while the question is open.
        self.restarted &= self.edge.is_late || self.recovery.is_some();
        self.edge = Edge::default();
        self.enter(Arc::new(next), last, now);
        out.push(Effect::EpochOpened {
            committee: self.committee.clone(),
            by: certificate,
        });
        true
    }

    /// All that belongs to one committee is made anew; ledger, transactions and what is known of the base chain stay.
    fn enter(&mut self, committee: Arc<Committee>, last: LastCommit, now: Millis) {
        self.own = super::begin::own(&committee, self.keys.as_ref());
        self.committee = committee;
        let own = self.own.as_ref().map(|(index, _)| *index);
        let lost = self.recovery.as_ref().and_then(Recovery::why_lost);
        // S1.4: the watch goes on from one epoch to the next, which may be shorter.
        let signed = self.core.signed_round();
        let watch = self.recovery.as_ref().and_then(|r| r.watched(signed));
        let watch = watch.unwrap_or(Watch::from(now));
        // S1: what was signed in epochs to come is just as unknown.
        let lost = lost.or(self.lost);
        self.lost = lost;
        self.recovery = own.and_then(|own| match lost {
            Some(lost) => Some(Recovery::lost(
                self.committee.clone(),
                own,
                lost,
                None,
                watch,
            )),
            None if self.restarted => Some(Recovery::restart(
                self.committee.clone(),
                own,
                (Round::ZERO, self.signed_at),
                now,
            )),
            None => None,
        });
        let after = last.index;
        let mut recovered = Recovered::fresh(last);
        recovered.signed = self.recovery.is_none().then_some(Round::ZERO);
        self.signed_from = lost.is_none().then_some(Round::ZERO);
        let network = &self.genesis.network;
        let params = &self.genesis.template.params;
        let offenders = self.ledger.offenders();
        let member = (&self.committee, own);
        let config = core_config(network, params, member, &offenders, self.adjust);
        self.core = Core::new(config, recovered, now);
        self.core_effects.clear();
        let certified = self.finality.certified();
        self.finality = finality(network, &self.committee, self.own.as_ref(), certified);
        if lost.is_none() {
            self.finality.sign_above(self.height_floor);
        }
        self.mempool.next_epoch();
        self.outbox.clear();
        self.observing.next_epoch();
        self.progress = Progress::next_epoch(&self.committee, own, now);
        self.sync
            .next_epoch(self.committee.clone(), after, own, now);
        self.unordered = false;
    }

    /// E3: a member speaks of a later epoch: this one has ended, and how is asked of it.
    pub(super) fn heard_later(&mut self, now: Millis, of: MemberIndex, out: &mut Vec<Effect>) {
        self.edge.is_late = true;
        self.edge.later.insert(of);
        self.ask_later(now, out);
    }

    /// E3: asks who has spoken of a later epoch, one after the other by their places: who speaks often, and does not
    /// tell, takes no turn from the others.
    pub(super) fn ask_later(&mut self, now: Millis, out: &mut Vec<Effect>) {
        // S2: a state leads further than what is asked for here, and opening an epoch would end its gathering.
        if now < self.edge.ask_at || self.sync.is_gathering() {
            return;
        }
        let after = |of: &MemberIndex| Some(*of) > self.edge.asked;
        let next = self.edge.later.iter().find(after);
        if let Some(of) = next.or_else(|| self.edge.later.iter().next()) {
            self.edge.later.remove(of);
            self.edge.asked = Some(of);
            self.edge.ask_at = now.saturating_add(ASK_EVERY);
            self.ask_closing(of, out);
        }
    }

    fn ask_closing(&self, of: MemberIndex, out: &mut Vec<Effect>) {
        let after = self.core.quorum_round();
        out.push(Effect::AskClosing { of, after });
    }

    /// E3: the same of one after the other, if nothing is heard of an epoch that may be over.
    pub(super) fn seek_closing(&mut self, now: Millis, out: &mut Vec<Effect>) {
        if self.seeks_at().is_none_or(|at| now < at) {
            return;
        }
        self.edge.seek_at = now.saturating_add(STILL);
        let own = self.own.as_ref().map(|(index, _)| *index);
        let others: Vec<MemberIndex> = self
            .committee
            .indices()
            .filter(|m| Some(*m) != own)
            .collect();
        let turn = (now.0 / STILL) as usize;
        let of = others.get(turn % others.len().max(1));
        if let Some(of) = of.filter(|_| !self.sync.is_gathering()) {
            self.ask_closing(*of, out);
        }
    }

    fn seeks_at(&self) -> Option<Millis> {
        let duration = self.genesis.template.params.epoch_duration_ms.0;
        let over = self.epoch_since().saturating_add(duration);
        let still = self.progress.still_since().saturating_add(STILL);
        let at = over.max(still).max(self.edge.seek_at);
        // Far away, it is nobody's deadline.
        (self.committee.size() > 1).then_some(at)
    }

    /// E3: a member shows that the epoch is closed.
    pub(super) fn saw_closing(
        &mut self,
        now: Millis,
        from: MemberIndex,
        certificate: Certificate,
        out: &mut Vec<Effect>,
    ) {
        let statement = &certificate.statement;
        let closes =
            statement.epoch == self.committee.epoch() && !statement.next_committee.is_zero();
        if !closes || self.edge.closed_by.is_some() || self.edge.ahead.is_some() {
            return;
        }
        // A check costs a pairing: whoever sends has few of them. Another statement than the own one is checked as well (F4).
        let judged = self.edge.judged.entry(from).or_default();
        if now < *judged {
            return;
        }
        *judged = now.saturating_add(ASK_EVERY);
        let verified = certificate.verify(&self.genesis.network, &self.committee);
        self.edge.ahead = verified.ok();
        self.adopt_closing(out);
    }

    /// E3: takes the closing certificate for its own height once that is executed here.
    pub(super) fn adopt_closing(&mut self, out: &mut Vec<Effect>) {
        let reached = |c: &Verified<Certificate>| self.last_height.height >= c.statement.height;
        if self.edge.ahead.as_ref().is_some_and(reached)
            && let Some(certificate) = self.edge.ahead.take()
        {
            self.edge.is_late = true;
            let outcomes = self.finality.adopt(certificate);
            self.conclude(outcomes, out);
        }
    }

    /// The epoch in office.
    pub fn epoch(&self) -> Epoch {
        self.committee.epoch()
    }
}
