//! The event loop: one queue, one thread, one history.
//!
//! A machine handles one input at a time. While its disk is busy with what an input made it write, the
//! next ones wait; what it sends leaves when everything that stands before it in the list of effects is on
//! the disk. Everything else happens at the moment for which it was scheduled.

mod base;
mod clients;
mod convictions;
mod effects;
mod epochs;
mod event;
mod faults;
mod posting;
mod sending;
mod serving;
mod settling;
mod snapshots;
mod starting;
mod working;

use super::base::Base;
use super::cast::{Cast, Known};
use super::churn::Change;
use super::clients::Clients;
use super::disk::{Disk, Guard};
use super::faults::{Fault, Kind};
use super::links::Links;
use super::machine::{Machine, Work};
use super::meter::Meter;
use super::oracle::Oracle;
use super::plan::{Plan, PlanError};
use super::queue::Queue;
use super::record::Record;
use super::rng::{Rng, Stream};
use super::time::Time;
use super::trace::Trace;
use epochs::Edges;
use event::{Answer, Ask, Event, Packet};
use settling::Phase;
use std::collections::BTreeMap;
use weft_node::replica::Effect;
use weft_types::{Height, Round};

/// Between two looks at bounds, ends and convergence, in microseconds.
const LOOK_US: u64 = 50_000;
/// Between two deals of the links to twins, in microseconds.
const DEAL_US: u64 = 1_500_000;

pub struct World {
    plan: Plan,
    cast: Cast,
    known: Known,
    now: Time,
    queue: Queue<Event>,
    machines: Vec<Machine>,
    /// By node: its machines.
    machines_of: Vec<Vec<usize>>,
    /// By node that has twins: which of the two each other node is linked to.
    deals: BTreeMap<usize, Vec<usize>>,
    links: Links,
    base: Option<Base>,
    trace: Trace,
    oracle: Oracle,
    meter: Meter,
    record: Option<Record>,
    load_rng: Rng,
    /// Clients that know the order of members, if there are any such.
    clients: Option<Clients>,
    fault_rng: Rng,
    disk_rng: Rng,
    churn_rng: Rng,
    /// By fault of the plan: the machines that it befalls.
    victims: Vec<Vec<usize>>,
    phase: Phase,
    /// The highest round that an honest member has signed, with the rounds of the epochs before.
    top: Round,
    /// Rounds of the epochs before the newest.
    rounds_before: u64,
    edges: Edges,
    changes: Vec<Change>,
    /// B2: the newest due height when the faults were over.
    due_at_heal: Height,
    /// What everybody has bonded in the end.
    bonds: Vec<u64>,
    submitted: u64,
    effects: Vec<Effect>,
}

impl World {
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        plan.validate()?;
        let mut cast = Cast::new(&plan)?;
        let base = cast.base.take();
        let doubled = |f: &&Fault| matches!(f.kind, Kind::Twins | Kind::Clone);
        let twins = plan.faults.iter().filter(doubled);
        let everybody = plan.everybody();
        let most = everybody + twins.map(|f| f.amount as usize).sum::<usize>();
        let seed = plan.seed;
        let gc_depth = cast.genesis.template.params.gc_depth;
        let mut world = Self {
            links: Links::new(plan.latency.clone(), everybody, seed),
            base,
            trace: Trace::new(seed),
            oracle: Oracle::new(most, gc_depth),
            meter: Meter::default(),
            record: plan
                .record
                .then(|| Record::new(plan.nodes, plan.record_from)),
            load_rng: Rng::new(seed, Stream::Load),
            clients: Clients::of(&plan, &cast.newest().committee),
            fault_rng: Rng::new(seed, Stream::Faults),
            disk_rng: Rng::new(seed, Stream::Disks),
            churn_rng: Rng::new(seed, Stream::Epochs),
            known: Known::default(),
            now: Time::default(),
            queue: Queue::new(),
            machines: Vec::new(),
            machines_of: Vec::new(),
            deals: BTreeMap::new(),
            victims: Vec::new(),
            phase: Phase::Faults,
            top: Round::ZERO,
            rounds_before: 0,
            edges: Edges::default(),
            changes: Vec::new(),
            due_at_heal: Height::ZERO,
            bonds: Vec::new(),
            submitted: 0,
            effects: Vec::new(),
            cast,
            plan,
        };
        for member in 0..everybody {
            let machine = world.machine(member)?;
            world.machines_of.push(vec![machine]);
        }
        world.prepare_epochs();
        world.prepare_faults()?;
        for machine in 0..world.machines.len() {
            if !world.machines[machine].asleep {
                world.start(machine);
            }
        }
        if world.plan.rate > 0 {
            world.queue.push(Time::default(), Event::Load);
        }
        world.queue.push(Time(LOOK_US), Event::Look);
        if let Some(pace) = world.plan.base {
            let first = Time::millis(pace.block_ms);
            world.schedule_base(first, (0, 0), posting::BaseEvent::Block);
        }
        Ok(world)
    }

    fn machine(&mut self, member: usize) -> Result<usize, PlanError> {
        let disk = Disk::new(&self.cast.genesis);
        let disk = disk.map_err(|error| PlanError::Genesis(error.to_string()))?;
        let guard = Guard::new(self.cast.network, self.cast.keys[member].vertex.public());
        let seating = self.cast.newest().clone();
        self.machines
            .push(Machine::new(member, seating, disk, guard));
        Ok(self.machines.len() - 1)
    }

    /// Runs to the end: faults, heal, convergence or its deadline.
    pub fn run(mut self) -> super::report::Outcome {
        while !self.is_over() {
            let Some((at, event)) = self.queue.pop() else {
                break;
            };
            self.now = at;
            self.happen(event);
            if let Some(record) = &mut self.record {
                record.broken(self.oracle.violations());
            }
        }
        self.outcome()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { to, from, packet } => self.arrive(to, from, packet),
            Event::Depart {
                machine,
                life,
                to,
                packet,
            } => {
                if self.machines[machine].life == life {
                    self.transmit(machine, to, &packet);
                }
            }
            Event::Tick { machine, life } => {
                let ours = &mut self.machines[machine];
                if ours.life == life && ours.tick_at == Some(self.now) {
                    ours.tick_at = None;
                    self.take(machine, Work::Tick);
                }
            }
            Event::Wake { machine, life } => {
                if self.machines[machine].life == life {
                    self.drain(machine);
                }
            }
            Event::Load => self.load(),
            Event::Submit {
                machine,
                transaction,
                copies,
            } => self.submit(machine, transaction, copies),
            Event::TimeOut(id) => self.time_out(&id),
            Event::Begin(fault) => self.begin(fault),
            Event::End(fault) => self.end(fault),
            Event::Restart { machine, life } => {
                let ours = &self.machines[machine];
                if ours.life == life && !ours.is_up() {
                    self.start(machine);
                }
            }
            Event::Deal => self.deal(),
            Event::Look => {
                self.look();
                self.queue.push(self.now.after(LOOK_US), Event::Look);
            }
            Event::Churn(change) => self.change_bond(change),
            Event::Queue(machine) => self.show_queue(machine),
            Event::Base {
                machine,
                life,
                event,
            } => self.happen_at_base(machine, life, *event),
        }
    }

    fn arrive(&mut self, to: usize, from: usize, packet: Packet) {
        match packet {
            Packet::Vertex(envelope) => self.take(to, Work::Vertex { envelope, from }),
            // Answered beside the replica's thread, at once.
            Packet::Ask(ask) => self.serve(to, &ask),
            Packet::Answer(answer) => {
                if self.machines[to].life != answer.life {
                    return;
                }
                for envelope in &answer.vertices {
                    let envelope = envelope.clone();
                    self.take(to, Work::Vertex { envelope, from });
                }
                self.take(to, Work::FetchEnded(answer.id));
            }
            Packet::AskLatest {
                machine,
                life,
                epoch,
                of,
                asked,
            } => self.show_latest(to, (machine, life), epoch, (of, asked)),
            Packet::AskSync { ask, machine, life } => self.serve_snapshot(to, &ask, machine, life),
            Packet::Sync {
                id, answer, life, ..
            } => {
                if self.machines[to].life == life {
                    self.take(to, Work::Sync { id, answer });
                }
            }
            Packet::Latest {
                epoch,
                of,
                asked,
                another,
                shown,
                of_asker,
                life,
            } => {
                if self.machines[to].life == life {
                    if let Some(envelope) = of_asker {
                        self.take(to, Work::Vertex { envelope, from });
                    }
                    let work = Work::Latest {
                        epoch,
                        of,
                        shown,
                        asked,
                        another,
                    };
                    self.take(to, work);
                }
            }
            Packet::Ready(ready) => self.take(to, Work::Ready(ready)),
            Packet::AskClosing {
                machine,
                life,
                epoch,
                after,
            } => self.show_closing(to, (machine, life), epoch, after),
            Packet::Closing(closing) => {
                if closing
                    .life
                    .is_none_or(|life| self.machines[to].life == life)
                {
                    for envelope in closing.vertices.iter().cloned() {
                        self.take(to, Work::Vertex { envelope, from });
                    }
                    if let Some(certificate) = closing.certificate.clone() {
                        self.take(to, Work::Closing { certificate, from });
                    }
                }
            }
        }
    }
}
