//! E1 to E3 in a run: bonds that change, the queue that members are shown, what the driver does at the edge of an epoch
//! (`node/src/driver/epochs.rs`, `fetch.rs`), and the moments at which faults begin there.

use super::event::Closing;
use super::{Event, Packet, World};
use crate::sim::base::Asked;
use crate::sim::cast::registration;
use crate::sim::churn::{Change, changes};
use crate::sim::disk::Opened;
use crate::sim::envelope::Envelope;
use crate::sim::faults::{Edge, Moment};
use crate::sim::machine::Work;
use crate::sim::oracle::Rule;
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use std::rc::Rc;
use std::sync::Arc;
use weft_node::replica::{Confirmed, Executed};
use weft_types::{
    Certificate, Chained as _, Committee, Epoch, Member, MemberKeys, Object, ObjectId, QueueEntry,
    Ready, RosterId, Round, Stake, Verified, Vertex,
};

/// Between two times that a machine is shown the queue, in microseconds.
const SHOW_US: u64 = 500_000;
/// As in the driver: rounds asked for beside a closing certificate, and vertices of an answer.
const CLOSING_ROUNDS: u64 = 250;
const ANSWER_VERTICES_MAX: usize = 1024;

/// What has happened at the edges so far.
#[derive(Default)]
pub(super) struct Edges {
    announced: u32,
    closed: u32,
    /// When the newest epoch was closed, until something is committed in the next one.
    closed_at: Option<Time>,
    /// E1: the newest committee that was announced.
    pub next: Option<Arc<Committee>>,
    /// E1: the registry's queue, if there is no base chain.
    queue: Vec<Confirmed<QueueEntry>>,
}

impl World {
    pub(super) fn prepare_epochs(&mut self) {
        if self.plan.epoch.is_none() {
            return;
        }
        let found = changes(self.plan.nodes, &self.plan.churn);
        let (changes, bonds) = found.unwrap_or_default();
        (self.changes, self.bonds) = (changes, bonds);
        for (index, change) in self.changes.iter().enumerate() {
            self.queue
                .push(Time::millis(change.at), Event::Churn(index));
        }
        for machine in 0..self.machines.len() {
            self.queue.push(Time(SHOW_US), Event::Queue(machine));
        }
    }

    /// The id that the queue gives to a node if there is no registry.
    fn id_of(node: usize) -> u64 {
        node as u64 + 1
    }

    pub(super) fn change_bond(&mut self, index: usize) {
        let change = self.changes[index];
        let Change { node, weight, .. } = change;
        self.trace.number(self.now, node, Mark::Bond, weight);
        if let Some(base) = &mut self.base {
            return base.ask_registry(Asked {
                change,
                is_first: node < self.plan.nodes,
                key: self.cast.keys[node].vertex.public(),
                registration: registration(&self.plan, node),
            });
        }
        let id = Self::id_of(node);
        let keys = &self.cast.keys[node];
        let joins = node >= self.plan.nodes && self.changes[..index].iter().all(|c| c.node != node);
        let member = || Member {
            id,
            stake: Stake(weight),
            vertex_key: keys.vertex.public(),
            finality_key: keys.finality.public(),
            addresses: crate::sim::cast::address(&self.plan, id),
        };
        let event = QueueEntry {
            id,
            weight: Stake(weight),
            slashed: false,
            keys: joins.then(|| MemberKeys::of(&member())),
        };
        let queue = &mut self.edges.queue;
        let before = queue.last();
        let (number, previous) =
            before.map_or((1, QueueEntry::digest_start()), |c| (c.index + 1, c.digest));
        queue.push(Confirmed {
            index: number,
            digest: event.extend(&previous, number),
            event,
            block: self.now.0 / 1_000_000,
        });
    }

    /// What lies deep enough is shown to a machine, each a little after another.
    pub(super) fn show_queue(&mut self, machine: usize) {
        let entries: Rc<[_]> = match &self.base {
            Some(base) if base.is_down => Rc::new([]),
            Some(base) => base.queue(),
            None => self.edges.queue.clone().into(),
        };
        if !entries.is_empty() {
            self.take(machine, Work::Queue(entries));
        }
        let pause = self.churn_rng.between(SHOW_US / 2, SHOW_US);
        self.queue
            .push(self.now.after(pause), Event::Queue(machine));
    }

    /// E2: every member that has a link is told.
    pub(super) fn tell_ready(&mut self, machine: usize, ready: &Ready, at: Time) {
        for to in self.machines[machine].seating.nodes().to_vec() {
            self.depart(machine, Some(to), Packet::Ready(ready.clone()), at);
        }
    }

    /// E2: the disk knows the committee before anything is signed in its epoch. Returns when it does.
    pub(super) fn enter(&mut self, machine: usize, (committee, by): Opened, at: Time) -> Time {
        let now = self.now;
        self.trace
            .number(now, machine, Mark::Opened, committee.epoch().0);
        let done = self.synced(machine, at);
        let durable = self.durable(done);
        let before = self.machines[machine].seating.clone();
        let opened = (committee.clone(), by.clone());
        let disk = &mut self.machines[machine].disk;
        disk.put_epoch(opened, (at, durable), now);
        // Who leaves can be asked no more: those who still lack the certificate get it now.
        let closing = Rc::new(Closing {
            certificate: Some(by.clone()),
            vertices: Vec::new(),
            life: None,
        });
        for to in before.nodes() {
            self.depart(machine, Some(*to), Packet::Closing(closing.clone()), done);
        }
        self.open(machine, &committee, Some(&by));
        self.post_in_office(machine);
        self.give_elsewhere(machine);
        done
    }

    /// A machine is in the epoch of this committee.
    pub(super) fn open(
        &mut self,
        machine: usize,
        committee: &Arc<Committee>,
        by: Option<&Verified<Certificate>>,
    ) {
        let (now, newest) = (self.now, self.cast.newest().epoch());
        let ours = &self.machines[machine];
        let (member, honest) = (ours.member, ours.is_honest());
        if honest && let Some(by) = by {
            self.oracle.opened(now, member, committee, by);
        }
        match self.cast.seat(committee) {
            Ok(seating) => {
                let ours = &mut self.machines[machine];
                (ours.seating, ours.has_signed) = (seating, false);
            }
            Err(_) => {
                let what = format!("another committee of epoch {}", committee.epoch());
                self.oracle.violation(Rule::Epochs, now, member, what);
            }
        }
        if committee.epoch() > newest {
            self.rounds_before = self.top.0;
            let number = committee.epoch().0 as u32;
            self.happened_at(Moment::Open, number);
        }
    }

    /// E3: answers with what closed an epoch, and with the vertices of its last rounds.
    pub(super) fn show_closing(
        &mut self,
        machine: usize,
        (asker, life): (usize, u32),
        epoch: Epoch,
        after: Round,
    ) {
        if !self.serves(machine) {
            return;
        }
        let disk = &self.machines[machine].disk;
        let until = after.saturating_add(CLOSING_ROUNDS);
        let page = disk.vertices_from(epoch, after.saturating_add(1));
        let page: Vec<&Verified<Vertex>> = page
            .take(ANSWER_VERTICES_MAX)
            .take_while(|v| v.round() <= until)
            .collect();
        let signer = self.plan.signer;
        let closing = Closing {
            certificate: disk.closing(epoch).cloned(),
            vertices: page.into_iter().map(|v| Envelope::new(v, signer)).collect(),
            life: Some(life),
        };
        self.reply(machine, asker, Packet::Closing(Rc::new(closing)));
    }

    /// Whether a machine answers requests: observers dial, and nobody dials them.
    pub(super) fn serves(&mut self, machine: usize) -> bool {
        let ours = &mut self.machines[machine];
        let silent = ours.crime.as_mut().is_some_and(|c| !c.answers());
        ours.is_up() && !ours.paused && !silent && ours.place().is_some()
    }

    /// An honest machine has made a commit that nobody had made before: whether it is at an edge.
    pub(super) fn look_at_edge(&mut self, executed: &Executed) {
        // An idle network has no commit to make at once.
        let closed_at = self.edges.closed_at.take();
        if let Some(at) = closed_at.filter(|_| !self.is_healed()) {
            self.meter.crossed(self.now.since(at));
        }
        let mut changes = executed.applied.changes.iter();
        let roster = changes.find(|c| c.id == ObjectId::Roster(RosterId::THE_ONE));
        let Some(roster) = roster
            .and_then(|c| c.after.as_ref())
            .and_then(Object::as_roster)
        else {
            return;
        };
        let number = (roster.epoch.0 + 1) as u32;
        if roster.announced.is_some() && self.edges.announced < number {
            self.edges.announced = number;
            self.edges.next = roster.next_committee().map(Arc::new);
            self.happened_at(Moment::Announce, number);
        }
        if roster.closed && self.edges.closed < number {
            (self.edges.closed, self.edges.closed_at) = (number, Some(self.now));
            self.happened_at(Moment::Close, number);
        }
    }

    /// Faults that begin then.
    fn happened_at(&mut self, moment: Moment, number: u32) {
        let edge = Some(Edge { moment, number });
        for index in 0..self.plan.faults.len() {
            if self.plan.faults[index].edge == edge {
                self.begin_at_edge(index);
            }
        }
    }

    /// Whether all that was planned has come into office.
    pub(super) fn is_settled_in(&self) -> bool {
        let Some(last) = self.changes.last() else {
            return true;
        };
        if self.now < Time::millis(last.at) {
            return false;
        }
        let newest = self.cast.newest();
        let weight = |node| {
            let place = newest.place(node);
            let member = place.and_then(|place| newest.committee.member(place));
            member.map_or(0, |member| member.stake.0)
        };
        let mut bonds = self.bonds.iter().enumerate();
        bonds.all(|(node, bonded)| weight(node) == *bonded)
    }
}
