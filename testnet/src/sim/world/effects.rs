//! What the driver does with a replica's effects, done to simulated disks and links, in the same order
//! (`node/src/driver/engine.rs`): own vertices and guard records are synced before what follows them;
//! others' vertices are buffered; a commit is one write; a certificate is synced before clients hear of it.

use super::posting::BaseEvent;
use super::{Ask, Event, Packet, World};
use crate::sim::envelope::Envelope;
use crate::sim::machine::Shown;
use crate::sim::oracle::Rule;
use crate::sim::plan::Planted;
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use std::rc::Rc;
use weft_node::replica::Effect;
use weft_storage::GuardFloor;
use weft_types::Vertex;

impl World {
    pub(super) fn carry_out(&mut self, machine: usize, effects: &mut Vec<Effect>) {
        // When the disk is done with everything so far.
        let mut at = self.now;
        for effect in effects.drain(..) {
            match self.carry_out_one(machine, effect, at) {
                Ok(done) => at = done,
                Err(reason) => {
                    self.stop(machine, reason);
                    break;
                }
            }
        }
        let ours = &mut self.machines[machine];
        // S1.2: also where it was found out only now that this is not known.
        if ours.replica.as_ref().is_some_and(|r| !r.knows_signed()) {
            ours.knows_signed = false;
        }
        if at > self.now && ours.is_up() {
            ours.busy = at;
            let life = ours.life;
            self.queue.push(at, Event::Wake { machine, life });
        }
    }

    /// Returns when the disk is done; an error ends the node.
    fn carry_out_one(&mut self, machine: usize, effect: Effect, at: Time) -> Result<Time, String> {
        let now = self.now;
        let ours = &mut self.machines[machine];
        let (member, honest) = (ours.member, ours.is_honest());
        match effect {
            Effect::Persist(vertex) => {
                self.note(machine, &vertex);
                self.machines[machine].disk.put_vertex(vertex, at);
            }
            Effect::PersistOwn(vertex) => {
                self.note(machine, &vertex);
                let done = self.synced(machine, at);
                let durable = self.durable(done);
                let ours = &mut self.machines[machine];
                ours.disk.put_own(vertex, (at, durable), now);
                (ours.knows_signed, ours.has_signed) = (true, true);
                return Ok(done);
            }
            Effect::GuardVertex {
                epoch,
                round,
                digest,
            } => {
                let done = self.synced(machine, at);
                let guard = &mut self.machines[machine].guard;
                let signed = guard.sign_vertex((epoch, round, digest), (at, done), now);
                signed.map_err(|error| error.to_string())?;
                return Ok(done);
            }
            Effect::GuardStatement {
                epoch,
                height,
                digest,
            } => {
                let done = self.synced(machine, at);
                let guard = &mut self.machines[machine].guard;
                let signed = guard.sign_statement((epoch, height, digest), (at, done), now);
                signed.map_err(|error| error.to_string())?;
                return Ok(done);
            }
            Effect::GuardFloor {
                epoch,
                round,
                height,
            } => {
                let done = self.synced(machine, at);
                self.trace.number(now, machine, Mark::Floor, round.0);
                let round = match self.plan.planted {
                    Some(Planted::FloorAtShown) => round.saturating_sub(1),
                    _ => round,
                };
                if honest {
                    self.oracle.recovered(now, member, (epoch, round), height);
                }
                let floor = GuardFloor {
                    vertex: Some((epoch, round)),
                    height,
                };
                let guard = &mut self.machines[machine].guard;
                guard.raise_floor(floor, (at, done), now);
                return Ok(done);
            }
            Effect::AskLatest { of, asked } => {
                self.trace
                    .number(now, machine, Mark::AskLatest, of.0.into());
                let (life, epoch) = (ours.life, ours.epoch());
                let Some(to) = ours.seating.node(of) else {
                    return Ok(at);
                };
                let hidden = [Planted::NoGuard, Planted::SendBeforePersist];
                if self.plan.planted.is_some_and(|p| hidden.contains(&p)) {
                    // S1.5 would hide what these do.
                    let (from, to) = (to, machine);
                    let (shown, of_asker) = (Shown::Nothing, None);
                    let packet = Packet::Latest {
                        epoch,
                        of,
                        asked,
                        another: false,
                        shown,
                        of_asker,
                        life,
                    };
                    self.queue.push(now, Event::Arrive { to, from, packet });
                    return Ok(at);
                }
                let packet = Packet::AskLatest {
                    machine,
                    life,
                    epoch,
                    of,
                    asked,
                };
                self.depart(machine, Some(to), packet, at);
            }
            Effect::AskSync(ask) => {
                self.trace.number(now, machine, Mark::AskSync, ask.id.0);
                let (of, life) = (ours.seating.node(ask.of), ours.life);
                let ask = Rc::new(ask);
                let packet = Packet::AskSync { ask, machine, life };
                if of.is_some() {
                    self.depart(machine, of, packet, at);
                }
            }
            Effect::TakeOver(synced) => self.take_over(machine, *synced),
            Effect::Note(_) | Effect::BridgeHalted(_) | Effect::Contradiction(_) => {}
            Effect::SendReady(ready) => self.tell_ready(machine, &ready, at),
            Effect::AskClosing { of, after } => {
                let packet = Packet::AskClosing {
                    machine,
                    life: ours.life,
                    epoch: ours.epoch(),
                    after,
                };
                let of = ours.seating.node(of);
                if of.is_some() {
                    self.depart(machine, of, packet, at);
                }
            }
            Effect::EpochOpened { committee, by } => {
                return Ok(self.enter(machine, (committee, by), at));
            }
            Effect::Broadcast(vertex) => {
                let early = self.plan.planted == Some(Planted::SendBeforePersist);
                self.broadcast(machine, &vertex, if early { now } else { at });
            }
            Effect::Relay { to, vertex } => {
                let to = ours.seating.node(to);
                if to.is_some() && self.plays_by_the_rules(machine) {
                    let packet = Packet::Vertex(Envelope::new(&vertex, self.plan.signer));
                    self.depart(machine, to, packet, at);
                }
            }
            Effect::Fetch(request) => {
                let from = ours.seating.node(request.from);
                let packet = Packet::Ask(Rc::new(Ask {
                    id: request.id,
                    epoch: ours.epoch(),
                    wanted: request.wanted,
                    machine,
                    life: ours.life,
                }));
                if from.is_some() {
                    self.depart(machine, from, packet, at);
                }
            }
            Effect::Executed(executed) => {
                let digest = executed.digest.0;
                self.trace.record(now, machine, Mark::Commit, &digest);
                if honest {
                    let commits = self.oracle.commits();
                    self.oracle.executed(now, machine, member, &executed);
                    self.check_convictions(member, &executed);
                    if self.oracle.commits() > commits {
                        self.look_at_edge(&executed);
                        self.meter.ordered(now, self.top);
                        self.note_order(&executed);
                    }
                    self.measure(machine, &executed);
                }
                self.machines[machine].disk.put_commit(*executed, at);
            }
            Effect::Certified {
                certificate, due, ..
            } => {
                let done = self.synced(machine, at);
                // The root and the place say it all; the statement's digest would be costly.
                let statement = &certificate.statement;
                self.trace
                    .number(now, machine, Mark::Certificate, statement.height.0);
                self.trace
                    .record(now, machine, Mark::Certificate, &statement.state_root.0);
                if honest {
                    let early = self.plan.planted == Some(Planted::TellBeforePersist);
                    let told = if early { now } else { done };
                    self.oracle.certified(told, machine, member, &certificate);
                }
                if self.base.is_some() && !due.is_empty() {
                    let of = (machine, self.machines[machine].life);
                    let certificate = certificate.clone();
                    self.schedule_base(done, of, BaseEvent::Due { certificate, due });
                }
                let durable = self.durable(done);
                self.machines[machine]
                    .disk
                    .put_certificate(certificate, (at, durable), now);
                return Ok(done);
            }
            Effect::Anchored(height) => self.anchored(machine, height),
            Effect::Equivocation(evidence) => {
                let accused = evidence.first.author();
                let accused = ours.seating.node(accused).unwrap_or(member);
                if honest && self.is_innocent(accused) {
                    let what = format!(
                        "accused of {} and {}",
                        evidence.first.reference(),
                        evidence.second.reference()
                    );
                    self.oracle.violation(Rule::Accusation, now, accused, what);
                }
            }
            Effect::Diverged(_) => {}
            Effect::Halt(reason) => return Err(reason),
        }
        Ok(at)
    }

    /// When a sync that begins at `at` is over.
    pub(super) fn synced(&mut self, machine: usize, at: Time) -> Time {
        match self.machines[machine].sync_max {
            0 => at,
            longest => at.after(self.disk_rng.between(longest / 10, longest)),
        }
    }

    pub(super) fn durable(&self, done: Time) -> Time {
        match self.plan.planted {
            Some(Planted::NoSync) => Time(u64::MAX),
            _ => done,
        }
    }

    fn note(&mut self, machine: usize, vertex: &Vertex) {
        if machine == 0
            && let Some(record) = &mut self.record
        {
            record.vertex(self.now, vertex);
        }
    }
}
