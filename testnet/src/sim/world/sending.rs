//! From a machine to the others: what leaves it, for whom, and when; what criminals make of it.

use super::{Event, Packet, World};
use crate::sim::crimes::{Scene, Sending};
use crate::sim::envelope::Envelope;
use crate::sim::faults::Kind;
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use weft_types::{Verified, Vertex};

impl World {
    /// Whether a machine's crime, if it has one, rests at the moment.
    pub(super) fn plays_by_the_rules(&self, machine: usize) -> bool {
        let crime = self.machines[machine].crime.as_ref();
        let elsewhere = |kind: Kind| kind == Kind::Twins || kind.needs_base();
        crime.is_none_or(|c| !c.is_active(self.now) || elsewhere(c.kind))
    }

    pub(super) fn broadcast(&mut self, machine: usize, vertex: &Verified<Vertex>, at: Time) {
        let now = self.now;
        self.trace
            .vertex(now, machine, Mark::Broadcast, &vertex.reference());
        let delay = self.plan.latency.mean(self.plan.nodes) as u64;
        let ours = &mut self.machines[machine];
        let member = ours.member;
        if ours.is_honest() && vertex.epoch() == self.cast.newest().epoch() {
            let round = vertex.round().saturating_add(self.rounds_before);
            self.top = self.top.max(round);
        }
        let active = ours.crime.as_ref().is_some_and(|c| c.is_active(now));
        let Some(mut criminal) = ours.crime.take_if(|_| active) else {
            let packet = Packet::Vertex(Envelope::new(vertex, self.plan.signer));
            return self.depart(machine, None, packet, at);
        };
        let scene = Scene {
            cast: &self.cast,
            seating: &ours.seating,
            member,
            disk: &ours.disk,
            planted: self.plan.planted,
            delay,
        };
        let (sendings, kept) = criminal.send(&scene, vertex, at);
        ours.crime = Some(criminal);
        for vertex in kept {
            ours.disk.put_vertex(vertex, now);
        }
        for Sending { to, at, vertex } in sendings {
            let packet = Packet::Vertex(Envelope::new(&vertex, self.plan.signer));
            self.depart(machine, to, packet, at);
        }
    }

    pub(super) fn depart(&mut self, machine: usize, to: Option<usize>, packet: Packet, at: Time) {
        if at <= self.now {
            return self.transmit(machine, to, &packet);
        }
        let life = self.machines[machine].life;
        let event = Event::Depart {
            machine,
            life,
            to,
            packet,
        };
        self.queue.push(at, event);
    }

    pub(super) fn transmit(&mut self, machine: usize, to: Option<usize>, packet: &Packet) {
        let own = self.machines[machine].member;
        match to {
            Some(to) => self.transmit_to(machine, to, packet),
            None => {
                self.left(machine, packet);
                for to in (0..self.plan.everybody()).filter(|to| *to != own) {
                    self.transmit_to(machine, to, packet);
                }
            }
        }
    }

    /// An own vertex has left a machine: from now on it counts as signed.
    fn left(&mut self, machine: usize, packet: &Packet) {
        let calm = self.is_calm();
        let ours = &self.machines[machine];
        if let Packet::Vertex(envelope) = packet
            && ours.is_honest()
            && let Some(vertex) = envelope.open(&self.cast, &self.known)
        {
            let owed = calm && !ours.hit;
            self.oracle.sent(self.now, ours.member, vertex, owed);
        }
    }

    fn transmit_to(&mut self, machine: usize, to: usize, packet: &Packet) {
        let from = self.machines[machine].member;
        let Some(target) = self.linked(machine, to) else {
            return;
        };
        let arrival = self.links.send(self.now, from, to, packet.bytes());
        for at in [arrival.first, arrival.again].into_iter().flatten() {
            let packet = packet.clone();
            let to = target;
            self.queue.push(at, Event::Arrive { to, from, packet });
        }
    }

    /// Which machine of a member a peer has a link to: the one that was dealt, or the other one while that is down.
    fn dealt(&self, member: usize, peer: usize) -> Option<usize> {
        let machines = &self.machines_of[member];
        let copy = self.deals.get(&member).map_or(0, |deal| deal[peer]);
        let dealt = machines.get(copy).copied()?;
        let mut up = machines.iter().filter(|m| self.machines[**m].is_up());
        match self.machines[dealt].is_up() {
            true => Some(dealt),
            false => Some(up.next().copied().unwrap_or(dealt)),
        }
    }

    /// The machine of a member that another machine has a link to. Twins share their member's links.
    fn linked(&self, machine: usize, to: usize) -> Option<usize> {
        let from = self.machines[machine].member;
        if self.dealt(from, to) != Some(machine) {
            return None;
        }
        self.dealt(to, from)
    }

    /// Sends an answer back to the machine that asked, whatever links its member has now.
    pub(super) fn reply(&mut self, machine: usize, asker: usize, packet: Packet) {
        let from = self.machines[machine].member;
        let to = self.machines[asker].member;
        let arrival = self.links.send(self.now, from, to, packet.bytes());
        for at in [arrival.first, arrival.again].into_iter().flatten() {
            let (to, packet) = (asker, packet.clone());
            self.queue.push(at, Event::Arrive { to, from, packet });
        }
    }
}
