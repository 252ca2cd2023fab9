//! What the driver does with a replica's effects, done to simulated disks and links, in the same order
//! (`node/src/driver/engine.rs`): own vertices and guard records are synced before what follows them;
//! others' vertices are buffered; a commit is one write; a certificate is synced before clients hear of it.

use super::posting::BaseEvent;
use super::{Answer, Ask, Event, Packet, World};
use crate::sim::crimes::{Scene, Sending};
use crate::sim::envelope::Envelope;
use crate::sim::faults::Kind;
use crate::sim::machine::{Shown, Work};
use crate::sim::oracle::Rule;
use crate::sim::plan::Planted;
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use std::rc::Rc;
use weft_consensus::Wanted;
use weft_node::replica::{Effect, MempoolConfig, Replica, ReplicaConfig};
use weft_storage::GuardFloor;
use weft_types::{MemberIndex, Millis, Round, Verified, Vertex};

/// Of every member's mempool.
pub const MEMPOOL_BYTES_MAX: usize = 64 << 20;
/// As in the driver: vertices in one answer, and their bytes.
const ANSWER_VERTICES_MAX: usize = 1024;
const ANSWER_BYTES_MAX: u64 = 6 << 20;
/// How old a planted stale answer is.
const STALE_MS: u64 = 500;

impl World {
    /// Starts a machine on what its disk holds, by the rules of the driver.
    pub(super) fn start(&mut self, machine: usize) {
        let now = self.now;
        let ours = &mut self.machines[machine];
        let reaches = (ours.disk.certified(), ours.disk.last_commit());
        self.trace.number(now, machine, Mark::Start, reaches.1.0);
        if ours.is_honest() {
            self.oracle.back(now, machine, ours.member, reaches);
            let missed = self.oracle.missed_ms(reaches.1);
            self.meter.returned(machine, now, missed);
        }
        ours.guard.open = self.plan.planted == Some(Planted::NoGuard);
        let signed = match ours.guard.open_with(&ours.disk) {
            Err(_) if self.plan.planted == Some(Planted::NoRecovery) => Ok(Round::ZERO),
            signed => signed,
        };
        ours.knows_signed = signed.is_ok();
        ours.has_signed = false;
        let found = ours.disk.found(&ours.guard, signed, &self.cast.genesis);
        let restored = found.map(|found| found.restore(&self.cast.genesis));
        let restored = match restored {
            Some(Ok(restored)) => restored,
            Some(Err(error)) => return self.stop(machine, error.to_string()),
            None => return self.stop(machine, "the disk has no genesis".to_owned()),
        };
        let mut config = ReplicaConfig {
            genesis: self.cast.genesis.clone(),
            committee: self.cast.committee.clone(),
            own: Some((
                MemberIndex(ours.member as u32),
                self.cast.keys[ours.member].clone(),
            )),
            mempool: MempoolConfig::new(MEMPOOL_BYTES_MAX),
            adjust: self.plan.adjust,
            sync: self.plan.sync,
        };
        if self.plan.planted == Some(Planted::NoEscalation) {
            config.mempool.step_rounds = u64::MAX;
        }
        let mut effects = Vec::new();
        let replica = Replica::new(config, restored, now.wall(ours.skew), &mut effects);
        ours.replica = Some(replica);
        self.carry_out(machine, &mut effects);
        self.schedule_tick(machine);
        self.start_posting(machine);
    }

    /// The machine ends by itself: a failed write, a refusal of the guard, a halt.
    fn stop(&mut self, machine: usize, reason: String) {
        let ours = &mut self.machines[machine];
        let (member, honest) = (ours.member, ours.is_honest());
        ours.replica = None;
        ours.stopped = Some(reason.clone());
        ours.life += 1;
        ours.inbox.clear();
        ours.tick_at = None;
        self.trace.number(self.now, machine, Mark::Halt, 0);
        if honest {
            self.oracle
                .violation(Rule::Stopped, self.now, member, reason);
        }
    }

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
                    self.oracle.recovered(now, member, round, height);
                }
                let floor = GuardFloor {
                    vertex: Some((epoch, round)),
                    height,
                };
                let guard = &mut self.machines[machine].guard;
                guard.raise_floor(floor, (at, done), now);
                return Ok(done);
            }
            Effect::AskLatest(of) => {
                self.trace
                    .number(now, machine, Mark::AskLatest, of.0.into());
                let life = ours.life;
                let hidden = [Planted::NoGuard, Planted::SendBeforePersist];
                if self.plan.planted.is_some_and(|p| hidden.contains(&p)) {
                    // S1.5 would hide what these do.
                    let (from, to) = (of.as_usize(), machine);
                    let (shown, of_asker) = (Shown::Nothing, None);
                    let packet = Packet::Latest {
                        shown,
                        of_asker,
                        life,
                    };
                    self.queue.push(now, Event::Arrive { to, from, packet });
                    return Ok(at);
                }
                let packet = Packet::AskLatest { machine, life };
                self.depart(machine, Some(of.as_usize()), packet, at);
            }
            Effect::AskSync(ask) => {
                self.trace.number(now, machine, Mark::AskSync, ask.id.0);
                let (of, life) = (ask.of.as_usize(), ours.life);
                let ask = Rc::new(ask);
                let packet = Packet::AskSync { ask, machine, life };
                self.depart(machine, Some(of), packet, at);
            }
            Effect::TakeOver(synced) => self.take_over(machine, *synced),
            Effect::Note(_) | Effect::BridgeHalted(_) => {}
            Effect::Broadcast(vertex) => {
                let early = self.plan.planted == Some(Planted::SendBeforePersist);
                self.broadcast(machine, &vertex, if early { now } else { at });
            }
            Effect::Relay { to, vertex } => {
                if self.plays_by_the_rules(machine) {
                    let packet = Packet::Vertex(Envelope::new(&vertex, self.plan.signer));
                    self.depart(machine, Some(to.as_usize()), packet, at);
                }
            }
            Effect::Fetch(request) => {
                let packet = Packet::Ask(Rc::new(Ask {
                    id: request.id,
                    wanted: request.wanted,
                    machine,
                    life: ours.life,
                }));
                self.depart(machine, Some(request.from.as_usize()), packet, at);
            }
            Effect::Executed(executed) => {
                let digest = executed.commit.digest();
                self.trace.record(now, machine, Mark::Commit, &digest.0);
                if honest {
                    let commits = self.oracle.commits();
                    self.oracle
                        .executed(now, machine, member, (&executed, digest));
                    if self.oracle.commits() > commits {
                        self.note_order(&executed);
                    }
                    self.measure(machine, &executed);
                }
                self.machines[machine].disk.put_commit(*executed, at);
            }
            Effect::Certified { certificate, due } => {
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
                let innocent = self.machines_of[accused.as_usize()]
                    .iter()
                    .all(|m| self.machines[*m].is_honest());
                if honest && innocent {
                    let what = format!(
                        "accused of {} and {}",
                        evidence.first.reference(),
                        evidence.second.reference()
                    );
                    let accused = accused.as_usize();
                    self.oracle.violation(Rule::Accusation, now, accused, what);
                }
            }
            Effect::Halt(reason) => return Err(reason),
        }
        Ok(at)
    }

    /// When a sync that begins at `at` is over.
    fn synced(&mut self, machine: usize, at: Time) -> Time {
        match self.machines[machine].sync_max {
            0 => at,
            longest => at.after(self.disk_rng.between(longest / 10, longest)),
        }
    }

    fn durable(&self, done: Time) -> Time {
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

    /// Whether a machine's crime, if it has one, rests at the moment.
    fn plays_by_the_rules(&self, machine: usize) -> bool {
        let crime = self.machines[machine].crime.as_ref();
        let elsewhere = |kind: Kind| kind == Kind::Twins || kind.needs_base();
        crime.is_none_or(|c| !c.is_active(self.now) || elsewhere(c.kind))
    }

    fn broadcast(&mut self, machine: usize, vertex: &Verified<Vertex>, at: Time) {
        let now = self.now;
        self.trace
            .vertex(now, machine, Mark::Broadcast, &vertex.reference());
        let delay = self.plan.latency.mean(self.plan.nodes) as u64;
        let ours = &mut self.machines[machine];
        let member = ours.member;
        if ours.is_honest() {
            self.top = self.top.max(vertex.round());
        }
        let active = ours.crime.as_ref().is_some_and(|c| c.is_active(now));
        let Some(mut criminal) = ours.crime.take_if(|_| active) else {
            let packet = Packet::Vertex(Envelope::new(vertex, self.plan.signer));
            return self.depart(machine, None, packet, at);
        };
        let scene = Scene {
            cast: &self.cast,
            member,
            disk: &ours.disk,
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

    fn depart(&mut self, machine: usize, to: Option<usize>, packet: Packet, at: Time) {
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
                for to in (0..self.plan.nodes).filter(|to| *to != own) {
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

    /// The machine of a member that another machine has a link to. Twins share their member's links.
    fn linked(&self, machine: usize, to: usize) -> Option<usize> {
        let from = self.machines[machine].member;
        if let Some(deal) = self.deals.get(&from)
            && self.machines_of[from][deal[to]] != machine
        {
            return None;
        }
        let copy = self.deals.get(&to).map_or(0, |deal| deal[from]);
        self.machines_of[to].get(copy).copied()
    }

    /// Answers out of the disk, as the driver does.
    pub(super) fn serve(&mut self, machine: usize, ask: &Ask) {
        let ours = &mut self.machines[machine];
        let silent = ours.crime.as_mut().is_some_and(|c| !c.answers());
        if !ours.is_up() || ours.paused || silent {
            return;
        }
        if let Wanted::Vertices(vertices) = &ask.wanted {
            let by = MemberIndex(self.machines[ask.machine].member as u32);
            let vertices = vertices.clone();
            self.take(machine, Work::Asked { by, vertices });
        }
        let ours = &self.machines[machine];
        let mut bytes = 0;
        let mut fits = |vertex: &&Verified<Vertex>| {
            bytes += vertex.size() as u64;
            bytes <= ANSWER_BYTES_MAX
        };
        let disk = &ours.disk;
        let found: Vec<&Verified<Vertex>> = match &ask.wanted {
            Wanted::Vertices(vertices) => {
                let asked = vertices.iter().take(ANSWER_VERTICES_MAX);
                let found = asked.filter_map(|v| disk.vertex(v));
                found.take_while(&mut fits).collect()
            }
            Wanted::Rounds { after, until, held } => {
                let first = after.saturating_add(1);
                let page = disk.vertices_from(first).take(ANSWER_VERTICES_MAX);
                let within = page.take_while(|v| v.round() <= *until);
                let wanted = within.filter(|v| v.round() != first || !held.contains(v.author()));
                wanted.take_while(&mut fits).collect()
            }
        };
        let signer = self.plan.signer;
        let answer = Answer {
            id: ask.id,
            vertices: found
                .into_iter()
                .map(|v| Envelope::new(v, signer))
                .collect(),
            life: ask.life,
        };
        self.trace
            .number(self.now, machine, Mark::Serve, answer.vertices.len() as u64);
        let to = self.machines[ask.machine].member;
        // Back to the machine that asked, whatever links its member has now.
        let from = self.machines[machine].member;
        let packet = Packet::Answer(Rc::new(answer));
        let arrival = self.links.send(self.now, from, to, packet.bytes());
        for at in [arrival.first, arrival.again].into_iter().flatten() {
            let (to, packet) = (ask.machine, packet.clone());
            self.queue.push(at, Event::Arrive { to, from, packet });
        }
    }

    /// S1: answers with the own latest vertex, as the driver does; a criminal with what suits it.
    pub(super) fn show_latest(&mut self, machine: usize, asker: usize, life: u32) {
        let now = self.now;
        let ours = &mut self.machines[machine];
        let silent = ours.crime.as_mut().is_some_and(|c| !c.answers());
        if !ours.is_up() || ours.paused || silent {
            return;
        }
        let own = ours.disk.own();
        let own = match self.plan.planted {
            Some(Planted::StaleAnswers) => {
                let before = Millis(now.wall(ours.skew).0.saturating_sub(STALE_MS));
                let vertices = ours.disk.vertices_from(Round::ZERO);
                let mine = |v: &&Verified<Vertex>| v.author().as_usize() == ours.member;
                let stale = vertices.filter(mine);
                stale.take_while(|v| v.timestamp() < before).last()
            }
            _ => own,
        };
        let shown = match own {
            _ if !ours.knows_signed => Shown::Recovering,
            None => Shown::Nothing,
            Some(own) => {
                let scene = Scene {
                    cast: &self.cast,
                    member: ours.member,
                    disk: &ours.disk,
                    delay: 0,
                };
                let crime = ours.crime.as_mut();
                match crime.map_or(Some(own.clone()), |c| c.latest(&scene, own)) {
                    Some(vertex) => Shown::Vertex(Envelope::new(&vertex, self.plan.signer)),
                    None => Shown::Nothing,
                }
            }
        };
        let (from, to) = (ours.member, self.machines[asker].member);
        let disk = &self.machines[machine].disk;
        let newest = disk
            .own()
            .map_or(Round::ZERO, |v| v.round().saturating_sub(1));
        let newest = disk.vertices_from(newest);
        let of_asker = newest.filter(|v| v.author().as_usize() == to).last();
        let of_asker = of_asker.map(|v| Envelope::new(v, self.plan.signer));
        let packet = Packet::Latest {
            shown,
            of_asker,
            life,
        };
        let arrival = self.links.send(now, from, to, packet.bytes());
        for at in [arrival.first, arrival.again].into_iter().flatten() {
            let (to, packet) = (asker, packet.clone());
            self.queue.push(at, Event::Arrive { to, from, packet });
        }
    }
}
