//! R1, R2, R3, V2: when the own next vertex is due, and what it links to.

use super::Core;
use crate::config::sabotaged;
use crate::interface::{Effect, Proposal};
use crate::order::gc_floor;
use weft_types::{MemberIndex, Millis, Round, Verified, Vertex, VertexRef, WEAK_LINKS_MAX};

impl Core {
    pub(super) fn is_resting(&self) -> bool {
        let (members, distrusted) = (self.config.committee.indices(), self.dag.distrusted());
        let mut trusted = members.filter(|m| !distrusted.contains(*m));
        !self.work && self.offences.is_empty() && trusted.all(|m| self.unordered[m.as_usize()] == 0)
    }

    /// R2: whether to go on: something is unordered, or others have gone on, or one of them is
    /// stuck in a round that is complete here.
    fn is_awake(&self) -> bool {
        let quorum_round = self.dag.quorum_round();
        !self.is_resting()
            || self.dag.top() > quorum_round
            || self.asked_at.is_some_and(|round| round <= quorum_round)
    }

    /// R1, R2: asks the replica for the next vertex when it is time.
    pub(super) fn propose(&mut self, now: Millis, out: &mut Vec<Effect>) {
        self.propose_at = None;
        let Some(own) = self.config.own else { return };
        let late = self.is_late(own);
        let previous = match late {
            true => self.dag.quorum_round().saturating_sub(1),
            false => self.dag.quorum_round(),
        };
        let round = previous.next();
        let quorum = self.dag.has_quorum(previous);
        // R1 (a): a quorum of the previous round. Each round is signed once (V3, S1).
        let signed = self.recovering || round <= self.signed;
        if self.proposing.is_some() || !quorum || signed || self.behind().is_some() {
            return;
        }
        // R1 (b), (c), or the time-out.
        let missing = self.missing_leaders(own, previous);
        let mut excused = self.pace.excused();
        for equivocator in self.dag.distrusted().iter() {
            excused.insert(equivocator);
        }
        let below = previous.saturating_sub(1);
        // R1 (d): members that sign twice are treated as crashed. Each of their versions that is linked would
        // have to be fetched by half of the members.
        let trusted = self.config.committee.is_quorum(&self.dag.trusted(previous));
        let ready = late
            || missing.iter().all(|l| excused.contains(*l))
                && self.slots.voted(below, &excused)
                && trusted;
        let allowed = match trusted {
            _ if ready => now,
            true => self.pace.timeout_at(),
            false => self
                .pace
                .patience_at(self.dag.quorum_at(previous).unwrap_or(now)),
        };
        // R2: at once when there is something to do, else by the heartbeat.
        let wanted = if late || self.is_awake() {
            now
        } else {
            self.pace.heartbeat_at().unwrap_or(now)
        };
        let at = allowed.max(wanted).max(self.pace.proposal_at());
        if at > now {
            self.propose_at = Some(at);
            return;
        }
        if !ready {
            self.pace.timed_out(&missing, self.slots.direct());
        }
        self.pace.proposed(now);
        self.asked_at = None;
        self.proposing = Some(round);
        let proposal = self.proposal(own, round);
        out.push(Effect::Propose(proposal));
    }

    /// R1 (d): whether a quorum of the highest round is here only with members that sign twice, and without this
    /// one: then others may wait for its vertex of that round. If it passed over each such round, they would wait
    /// in each.
    fn is_late(&self, own: MemberIndex) -> bool {
        let round = self.dag.quorum_round();
        self.signed < round
            && !self.dag.distrusted().contains(own)
            && self.dag.has_quorum(round.saturating_sub(1))
            && !self.config.committee.is_quorum(&self.dag.trusted(round))
    }

    /// The round of the own latest vertex; zero before the first.
    pub(super) fn own_round(&self) -> Round {
        self.own.as_ref().map_or(Round::ZERO, |v| v.round())
    }

    /// Leaders of a round that have no vertex in it. This member does not wait for itself.
    fn missing_leaders(&mut self, own: MemberIndex, round: Round) -> Vec<MemberIndex> {
        let present = self.dag.authors(round);
        let mut leaders = self.slots.leaders(round);
        leaders.retain(|l| *l != own && !present.contains(*l));
        leaders
    }

    /// V2: the links of the own vertex of a round.
    fn proposal(&mut self, own: MemberIndex, round: Round) -> Proposal {
        let previous = round.saturating_sub(1);
        let (epoch, network) = (self.config.committee.epoch(), self.config.network);
        let last = self.own.as_ref().map_or_else(
            || {
                (
                    Vertex::genesis(network, epoch, own).reference(),
                    Millis::ZERO,
                )
            },
            |v| (v.reference(), v.timestamp()),
        );
        let mut authors = self.dag.trusted(previous);
        if !self.config.committee.is_quorum(&authors) {
            authors = self.dag.authors(previous);
        }
        let mut parents = vec![last.0];
        for author in authors.iter().filter(|m| *m != own) {
            let first = self.dag.versions(previous, author).first();
            parents.extend(first.map(|n| n.vertex.reference()));
        }
        for parent in &parents {
            self.link_history(*parent);
        }
        let weak_links = self.weak_links(round);
        Proposal {
            round,
            parents,
            weak_links,
            offences: self.offences.carry(round, self.dag.floor()),
            timestamp_floor: last.1,
            payload_bytes_max: self.payload_bytes_max(own),
        }
    }

    /// R3: what is left of the own share of the DAG. It grows back as commits collect what is old.
    fn payload_bytes_max(&self, own: MemberIndex) -> usize {
        if sabotaged!(self.config, ShareIgnored) {
            return usize::MAX;
        }
        let share = self.config.limits.dag_bytes_max / self.config.committee.size();
        share.saturating_sub(self.dag.bytes_of(own))
    }

    /// V2: links to older vertices that the parents do not bring along, from above, for a vertex
    /// brings those below it. What is out of reach of the new vertex is left out.
    fn weak_links(&mut self, round: Round) -> Vec<VertexRef> {
        let (previous, reach) = (
            round.saturating_sub(1),
            gc_floor(round, self.config.gc_depth),
        );
        let distrusted = self.dag.distrusted();
        let older = |v: &&VertexRef| {
            !distrusted.contains(v.author) && v.round < previous && v.round >= reach
        };
        let candidates: Vec<VertexRef> =
            self.unlinked.iter().rev().filter(older).copied().collect();
        let mut links = Vec::<VertexRef>::new();
        for vertex in candidates {
            let same_place = |l: &VertexRef| (l.round, l.author) == (vertex.round, vertex.author);
            let full = links.len() == WEAK_LINKS_MAX;
            if full || !self.unlinked.contains(&vertex) || links.last().is_some_and(same_place) {
                continue;
            }
            self.link_history(vertex);
            links.push(vertex);
        }
        links.reverse();
        links
    }

    /// Marks the history of what an own vertex links to.
    pub(super) fn link_history(&mut self, vertex: VertexRef) {
        for vertex in self.dag.take(vertex, |n| !n.linked) {
            self.unlinked.remove(&vertex);
            if let Some(node) = self.dag.get_mut(&vertex) {
                node.linked = true;
            }
        }
    }

    /// The replica has made the own vertex.
    ///
    /// # Panics
    /// When it is not the one that was asked for: our own bug.
    pub(super) fn proposed(
        &mut self,
        vertex: Verified<Vertex>,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        assert_eq!(self.proposing.take(), Some(vertex.round()), "{vertex:?}");
        assert_eq!(self.config.own, Some(vertex.author()), "{vertex:?}");
        let previous = self.own.as_ref().map_or(Millis::ZERO, |v| v.timestamp());
        assert!(
            vertex.timestamp() >= previous,
            "{vertex:?} is behind its author's previous"
        );
        self.signed = self.signed.max(vertex.round());
        self.saw(vertex.author(), vertex.round());
        self.pace.sent(vertex.round(), now);
        let reference = vertex.reference();
        if reference.round < self.dag.floor() {
            self.own = Some(vertex.clone());
            out.push(Effect::Expired(vertex));
        } else if !self.dag.contains(&reference) {
            self.accept_all(vec![vertex], true, now, out);
        }
    }

    /// The own latest vertex, when there is no quorum at its round: others may not have it.
    pub(super) fn stuck(&self) -> Option<&Verified<Vertex>> {
        let own = self.own.as_ref()?;
        (own.round() > self.dag.quorum_round()).then_some(own)
    }

    pub(super) fn resend(&mut self, now: Millis, out: &mut Vec<Effect>) {
        let Some(vertex) = self.stuck().filter(|_| self.pace.resend_at() <= now) else {
            return;
        };
        let vertex = vertex.clone();
        let others = self.config.committee.indices();
        for to in others.filter(|m| Some(*m) != self.config.own) {
            let vertex = vertex.clone();
            out.push(Effect::Relay { to, vertex });
        }
        self.pace.resent(now);
    }
}
