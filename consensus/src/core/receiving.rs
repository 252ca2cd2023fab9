//! V4, V5, V6: from a vertex received to a vertex in the DAG.

use super::{Core, carries_payload};
use crate::config::sabotaged;
use crate::early::Held;
use crate::interface::{Effect, Evidence};
use weft_types::{MemberIndex, MemberSet, Millis, Offence, Verified, Vertex, VertexRef};

impl Core {
    /// V4, V5, V6: what to do with a vertex from outside.
    pub(super) fn receive(
        &mut self,
        vertex: Verified<Vertex>,
        from: Option<MemberIndex>,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let reference = vertex.reference();
        let VertexRef { round, author, .. } = reference;
        let ours = vertex.epoch() == self.config.committee.epoch();
        if !ours || self.config.committee.member(author).is_none() {
            return;
        }
        if from == Some(author) {
            let sent = &mut self.sent[author.as_usize()];
            if *sent == round {
                self.asked_at = self.asked_at.max(Some(round));
            }
            *sent = round.max(*sent);
        }
        self.saw(author, round);
        if self.config.own == Some(author) {
            // An own vertex that this store does not know: never sign at its round again.
            self.signed = self.signed.max(round);
            if round >= self.dag.floor() && !self.dag.contains(&reference) {
                out.push(Effect::SignedElsewhere(round));
            }
        }
        self.fetch.arrived(&reference, now);
        if round < self.dag.floor()
            || self.dag.contains(&reference)
            || self.suspended.contains(&reference)
        {
            return;
        }
        if let Some(from) = from {
            self.fetch.brought(from, round);
        }
        let needed = self.needs(&reference);
        // V5: the first version is kept, another only when something here refers to it.
        if self.is_second_version(&vertex, out) && !needed {
            return;
        }
        let window = self.config.limits.window;
        if round > self.dag.quorum_round().saturating_add(window) {
            return;
        }
        if !needed && self.is_early(&vertex) {
            self.hold(vertex, from, now);
            return;
        }
        self.admit(vertex, from, false, now, out);
    }

    /// V5: whether another version of a vertex is known. The first time it is evidence.
    pub(super) fn is_second_version(
        &mut self,
        vertex: &Verified<Vertex>,
        out: &mut Vec<Effect>,
    ) -> bool {
        let (round, author) = (vertex.round(), vertex.author());
        let accepted = self.dag.versions(round, author).first();
        let first = accepted
            .map(|n| &n.vertex)
            .or_else(|| self.suspended.version(round, author))
            .or_else(|| self.early.version(round, author))
            .filter(|first| first.digest() != vertex.digest());
        let Some(first) = first.cloned() else {
            return false;
        };
        if self.config.convicts() && self.dag.distrust(author) {
            let second = vertex.clone();
            if let Some(offence) = Offence::of(&first, &second) {
                self.offences.learn(&offence);
            }
            out.push(Effect::Equivocation(Evidence { first, second }));
        }
        true
    }

    /// V6: whether a timestamp is far ahead of the clock, or of the last commit's when that is later:
    /// then it is this clock that is behind.
    fn is_early(&self, vertex: &Vertex) -> bool {
        let clock = self.clock.wall.max(self.last.timestamp);
        let drift = self.config.timing.clock_drift_max.0;
        vertex.timestamp() > clock.saturating_add(drift)
    }

    /// V6: lets a vertex wait until the clock gets there, but not long. Others' timestamps bind nobody.
    fn hold(&mut self, vertex: Verified<Vertex>, from: Option<MemberIndex>, now: Millis) {
        let timing = &self.config.timing;
        let target = vertex.timestamp().saturating_sub(timing.clock_drift_max.0);
        let ahead = target.0.saturating_sub(self.clock.wall.0);
        let until = now.saturating_add(ahead.min(timing.early_wait_max.0));
        let held = Held {
            vertex,
            from,
            until,
        };
        self.early.hold(held);
    }

    pub(super) fn release_early(&mut self, now: Millis, out: &mut Vec<Effect>) {
        while let Some(held) = self.early.release(now) {
            self.let_in(held, now, out);
        }
    }

    fn let_in(&mut self, held: Held, now: Millis, out: &mut Vec<Effect>) {
        let reference = held.vertex.reference();
        let known = self.dag.contains(&reference) || self.suspended.contains(&reference);
        if reference.round >= self.dag.floor() && !known {
            self.admit(held.vertex, held.from, false, now, out);
        }
    }

    /// V4: accepts a vertex whose history is here; lets any other wait. `stored`: it is on disk.
    pub(super) fn admit(
        &mut self,
        vertex: Verified<Vertex>,
        from: Option<MemberIndex>,
        stored: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let mut missing = self.dag.missing_links(&vertex);
        if sabotaged!(self.config, FirstVersionOnly) {
            missing.retain(|l| self.dag.versions(l.round, l.author).is_empty());
        }
        if missing.is_empty() {
            self.accept_all(vec![vertex], stored, now, out);
            return;
        }
        let reference = vertex.reference();
        let through_others = missing.iter().any(|link| self.suspended.contains(link));
        let mut inserted = self.suspended.insert(vertex, &missing);
        for link in inserted.no_longer.drain(..) {
            if !self.recalled.missing.contains(&link) {
                self.fetch.forget(&link);
            }
        }
        if !inserted.waits && self.needs(&reference) {
            inserted.look_for.push(reference);
        }
        for link in inserted.look_for {
            match self.early.take(&link) {
                // V6: others have let it in.
                Some(held) => self.let_in(held, now, out),
                None => {
                    let due = self.due(&link, now);
                    let holders = self.suspended.holders(&link);
                    self.fetch.want(link, &holders, from, due);
                }
            }
        }
        // What is lacked further down has other holders now.
        if through_others {
            let holders: MemberSet = from.into_iter().chain([reference.author]).collect();
            for link in self.suspended.lacking(&reference) {
                let due = self.due(&link, now);
                self.fetch.named(&link, &holders, due);
            }
        }
    }

    /// When a vertex that others link to is overdue.
    fn due(&self, link: &VertexRef, now: Millis) -> Millis {
        let quorum_at = self.dag.trusted_at(link.round);
        self.pace.ask_at(link.author, quorum_at, now)
    }

    /// Accepts vertices whose history is here, and those that waited for them.
    pub(super) fn accept_all(
        &mut self,
        mut ready: Vec<Verified<Vertex>>,
        stored: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        while let Some(vertex) = ready.pop() {
            let reference = vertex.reference();
            if reference.round < self.dag.floor() || self.is_behind_own_parent(&vertex) {
                continue;
            }
            self.accept(vertex, stored, now, out);
            ready.extend(self.suspended.arrived(&reference));
        }
    }

    /// V6: whether a timestamp goes behind the author's own previous one. Such a vertex is not taken,
    /// unless others refer to it: they may have taken it when the previous one was gone.
    fn is_behind_own_parent(&self, vertex: &Vertex) -> bool {
        let own = vertex.parents().first().and_then(|p| self.dag.get(p));
        own.is_some_and(|n| n.vertex.timestamp() > vertex.timestamp())
            && !self.needs(&vertex.reference())
    }

    fn accept(
        &mut self,
        vertex: Verified<Vertex>,
        stored: bool,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let (reference, round, author) = (vertex.reference(), vertex.round(), vertex.author());
        self.dag.insert(vertex.clone(), now).output = self.output.remove(&reference);
        if let Some(node) = self.dag.get(&reference) {
            self.slots.count(&self.dag, node);
            if sabotaged!(self.config, ReputationByLocalState) {
                self.reputation.output(&self.dag, node, round);
            }
        }
        for offence in vertex.offences() {
            self.dag.distrust(offence.author);
            self.offences.learn(offence);
        }
        if self.config.own == Some(author) {
            self.offences.carried_by(&vertex);
        }
        self.recalled.missing.remove(&reference);
        self.unlinked.insert(reference);
        if self.dag.get(&reference).is_some_and(|n| !n.output) {
            self.unordered[author.as_usize()] += usize::from(carries_payload(&vertex));
        }
        if Some(author) == self.config.own && self.own_round() < round {
            self.link_history(reference);
            self.own = Some(vertex.clone());
        }
        if !stored {
            out.push(Effect::Accepted(vertex.clone()));
        }
        self.pace.enter(self.dag.trusted_round(), now);
        if self.config.own != Some(author) {
            self.pace.moved(now);
        }
        // What comes in while catching up says nothing about how late anybody is.
        if round.saturating_add(2) > self.dag.quorum_round() && self.behind().is_none() {
            let quorum_at = self.dag.trusted_at(round).unwrap_or(now);
            let late = Millis(now.0.saturating_sub(quorum_at.0));
            self.pace.arrived(author, late, round >= self.signed);
        }
        let direct = self.sent[author.as_usize()] >= round;
        self.relay.accepted(&self.dag, &vertex, direct, now, out);
    }
}
