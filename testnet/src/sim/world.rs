//! The event loop: one queue, one thread, one history.
//!
//! A machine handles one input at a time. While its disk is busy with what an input made it write, the
//! next ones wait; what it sends leaves when everything that stands before it in the list of effects is on
//! the disk. Everything else happens at the moment for which it was scheduled.

mod clients;
mod effects;
mod faults;
mod posting;
mod settling;
mod snapshots;

use super::base::Base;
use super::cast::{Cast, Known};
use super::clients::Clients;
use super::disk::{Disk, Guard};
use super::envelope::Envelope;
use super::faults::Kind;
use super::links::Links;
use super::machine::{INBOX_MAX, Machine, Shown, Work};
use super::meter::Meter;
use super::oracle::{Oracle, Rule};
use super::plan::{End, Plan, PlanError};
use super::queue::Queue;
use super::record::Record;
use super::rng::{Rng, Stream};
use super::time::Time;
use super::trace::{Mark, Trace};
use settling::Phase;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use weft_consensus::{FetchId, Wanted};
use weft_node::replica::sync::{self, SyncId};
use weft_node::replica::{Effect, Input, Latest};
use weft_types::{MemberIndex, Round, Transaction, TransactionId, Verified};

/// Between two looks at bounds, ends and convergence, in microseconds.
const LOOK_US: u64 = 50_000;
/// Between two deals of the links to twins, in microseconds.
const DEAL_US: u64 = 1_500_000;
/// A replica that wants to be called at once has seen this millisecond already.
const TICK_US: u64 = 1_000;
/// A run that counts rounds ends after so many milliseconds for each at the latest.
const ROUND_MS_MAX: u64 = 2_000;

pub struct World {
    plan: Plan,
    cast: Cast,
    known: Known,
    now: Time,
    queue: Queue<Event>,
    machines: Vec<Machine>,
    /// By member: its machines.
    machines_of: Vec<Vec<usize>>,
    /// By member that has twins: which of the two each other member is linked to.
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
    /// By fault of the plan: the machines that it befalls.
    victims: Vec<Vec<usize>>,
    phase: Phase,
    /// The highest round that an honest member has signed.
    top: Round,
    submitted: u64,
    effects: Vec<Effect>,
}

enum Event {
    Arrive {
        to: usize,
        from: usize,
        packet: Packet,
    },
    /// A machine's disk is done with what stands before a message; `None` is for all members.
    Depart {
        machine: usize,
        life: u32,
        to: Option<usize>,
        packet: Packet,
    },
    Tick {
        machine: usize,
        life: u32,
    },
    /// A machine's disk is done.
    Wake {
        machine: usize,
        life: u32,
    },
    Load,
    /// A client's transaction gets to a machine.
    Submit {
        machine: usize,
        transaction: Arc<Verified<Transaction>>,
        copies: usize,
    },
    /// A client has waited for this transaction of its as long as it does.
    TimeOut(TransactionId),
    Begin(usize),
    End(usize),
    Restart {
        machine: usize,
        life: u32,
    },
    Deal,
    Look,
    /// B2: of a machine in a life of it, or of the base chain itself.
    Base {
        machine: usize,
        life: u32,
        event: Box<posting::BaseEvent>,
    },
}

#[derive(Clone)]
enum Packet {
    Vertex(Rc<Envelope>),
    Ask(Rc<Ask>),
    Answer(Rc<Answer>),
    /// S1: for a machine in a life of it.
    AskLatest {
        machine: usize,
        life: u32,
    },
    /// With the asking member's latest vertex.
    Latest {
        shown: Shown,
        of_asker: Option<Rc<Envelope>>,
        life: u32,
    },
    /// S2: for a machine in a life of it.
    AskSync {
        ask: Rc<sync::Ask>,
        machine: usize,
        life: u32,
    },
    Sync {
        id: SyncId,
        answer: Rc<sync::Answer>,
        bytes: u64,
        life: u32,
    },
}

struct Ask {
    id: FetchId,
    wanted: Wanted,
    machine: usize,
    life: u32,
}

struct Answer {
    id: FetchId,
    vertices: Vec<Rc<Envelope>>,
    life: u32,
}

impl Packet {
    fn bytes(&self) -> u64 {
        match self {
            Self::Vertex(envelope) => envelope.bytes(),
            Self::Ask(ask) => match &ask.wanted {
                Wanted::Vertices(vertices) => 8 + 48 * vertices.len() as u64,
                Wanted::Rounds { .. } => 32,
            },
            Self::AskLatest { .. } => 8,
            Self::AskSync { .. } => 48,
            Self::Sync { bytes, .. } => *bytes,
            Self::Latest {
                shown, of_asker, ..
            } => {
                let shown = match shown {
                    Shown::Vertex(envelope) => envelope.bytes(),
                    Shown::Nothing | Shown::Recovering => 0,
                };
                8 + shown + of_asker.as_ref().map_or(0, |v| v.bytes())
            }
            Self::Answer(answer) => answer.vertices.iter().map(|v| v.bytes() + 4).sum::<u64>() + 8,
        }
    }
}

impl World {
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        plan.validate()?;
        let mut cast = Cast::new(&plan)?;
        let base = cast.base.take();
        let twins = plan.faults.iter().filter(|f| f.kind == Kind::Twins);
        let most = plan.nodes + twins.map(|f| f.amount as usize).sum::<usize>();
        let seed = plan.seed;
        let gc_depth = cast.genesis.template.params.gc_depth;
        let mut world = Self {
            links: Links::new(plan.latency.clone(), plan.nodes, seed),
            base,
            trace: Trace::new(seed),
            oracle: Oracle::new(most, gc_depth),
            meter: Meter::default(),
            record: plan.record.then(|| Record::new(plan.nodes)),
            load_rng: Rng::new(seed, Stream::Load),
            clients: Clients::of(&plan, &cast.committee),
            fault_rng: Rng::new(seed, Stream::Faults),
            disk_rng: Rng::new(seed, Stream::Disks),
            known: Known::default(),
            now: Time::default(),
            queue: Queue::new(),
            machines: Vec::new(),
            machines_of: Vec::new(),
            deals: BTreeMap::new(),
            victims: Vec::new(),
            phase: Phase::Faults,
            top: Round::ZERO,
            submitted: 0,
            effects: Vec::new(),
            cast,
            plan,
        };
        for member in 0..world.plan.nodes {
            let machine = world.machine(member)?;
            world.machines_of.push(vec![machine]);
        }
        world.prepare_faults()?;
        for machine in 0..world.machines.len() {
            world.start(machine);
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
        self.machines.push(Machine::new(member, disk, guard));
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
            Packet::AskLatest { machine, life } => self.show_latest(to, machine, life),
            Packet::AskSync { ask, machine, life } => self.serve_snapshot(to, &ask, machine, life),
            Packet::Sync {
                id, answer, life, ..
            } => {
                if self.machines[to].life == life {
                    self.take(to, Work::Sync { id, answer });
                }
            }
            Packet::Latest {
                shown,
                of_asker,
                life,
            } => {
                if self.machines[to].life == life {
                    if let Some(envelope) = of_asker {
                        self.take(to, Work::Vertex { envelope, from });
                    }
                    self.take(to, Work::Latest { of: from, shown });
                }
            }
        }
    }

    /// Hands an input to a machine, or lets it wait there.
    fn take(&mut self, machine: usize, work: Work) {
        let ours = &mut self.machines[machine];
        if !ours.is_up() {
            return;
        }
        if ours.must_wait(self.now) {
            if ours.inbox.len() < INBOX_MAX {
                ours.inbox.push_back(work);
            }
            return;
        }
        self.work(machine, work);
    }

    fn drain(&mut self, machine: usize) {
        loop {
            let ours = &mut self.machines[machine];
            if ours.paused || ours.busy > self.now || !ours.is_up() {
                return;
            }
            let Some(work) = ours.inbox.pop_front() else {
                return;
            };
            self.work(machine, work);
        }
    }

    fn work(&mut self, machine: usize, work: Work) {
        let ours = &mut self.machines[machine];
        let Some(replica) = &mut ours.replica else {
            return;
        };
        let (now, wall) = (self.now, self.now.wall(ours.skew));
        let mut effects = std::mem::take(&mut self.effects);
        match work {
            Work::Vertex { envelope, from } => {
                if self.plan.alone {
                    envelope.open_alone(&self.cast);
                }
                let Some(vertex) = envelope.open(&self.cast, &self.known) else {
                    self.effects = effects;
                    return;
                };
                let mark = Mark::Vertex;
                self.trace.vertex(now, machine, mark, &vertex.reference());
                let vertex = vertex.clone();
                let from = Some(MemberIndex(from as u32));
                replica.handle(wall, Input::Vertex { vertex, from }, &mut effects);
            }
            Work::Asked { by, vertices } => {
                replica.handle(wall, Input::Asked { by, vertices }, &mut effects);
            }
            Work::FetchEnded(id) => {
                self.trace.number(now, machine, Mark::FetchEnded, id.0);
                replica.handle(wall, Input::FetchEnded(id), &mut effects);
            }
            Work::Latest { of, shown } => {
                let latest = match &shown {
                    Shown::Vertex(envelope) => {
                        let vertex = envelope.open(&self.cast, &self.known);
                        let vertex = vertex.filter(|v| v.author().as_usize() == of);
                        vertex.cloned().map(Latest::Vertex)
                    }
                    Shown::Nothing => Some(Latest::Nothing),
                    Shown::Recovering => Some(Latest::Recovering),
                };
                self.trace.number(now, machine, Mark::Latest, of as u64);
                let of = MemberIndex(of as u32);
                if let Some(latest) = latest {
                    replica.handle(wall, Input::Latest { of, latest }, &mut effects);
                }
            }
            Work::Sync { id, answer } => {
                self.trace.number(now, machine, Mark::Sync, id.0);
                let answer = Ok((*answer).clone());
                replica.handle(wall, Input::Sync { id, answer }, &mut effects);
            }
            Work::Submit(transaction, copies) => {
                let id = transaction.id();
                self.trace.record(now, machine, Mark::Submit, &id.0);
                let results = replica.submit(wall, vec![transaction], copies, &mut effects);
                let taken = results.iter().all(Result::is_ok);
                let since = self.clients.as_ref().map_or(Some(now), |c| c.since(&id));
                if let Some(since) = since {
                    self.meter.submitted(id, since, machine, taken);
                    self.note_answer(&id, taken);
                }
            }
            Work::Tick => {
                self.trace.number(now, machine, Mark::Tick, 0);
                replica.handle(wall, Input::Tick, &mut effects);
            }
            Work::Anchored(height) => {
                self.trace.number(now, machine, Mark::Anchored, height.0);
                replica.handle(wall, Input::Anchored(height), &mut effects);
            }
        }
        self.carry_out(machine, &mut effects);
        self.effects = effects;
        self.schedule_tick(machine);
    }

    fn schedule_tick(&mut self, machine: usize) {
        let ours = &mut self.machines[machine];
        let Some(deadline) = ours.replica.as_ref().and_then(|r| r.next_deadline()) else {
            return;
        };
        let mut at = Time::of_wall(deadline, ours.skew).max(ours.busy);
        if at <= self.now {
            at = self.now.after(TICK_US);
        }
        if ours.tick_at.is_none_or(|scheduled| at < scheduled) {
            ours.tick_at = Some(at);
            let life = ours.life;
            self.queue.push(at, Event::Tick { machine, life });
        }
    }

    /// The next transaction, to an honest member that is up: a client would not wait for another.
    fn load(&mut self) {
        if self.phase != Phase::Faults {
            return;
        }
        if self.clients.is_some() {
            self.offer();
            return self.next_load();
        }
        let reachable = |m: &&usize| {
            let machine = &self.machines[**m];
            machine.is_honest() && machine.is_up() && !machine.paused
        };
        let firsts: Vec<usize> = self.machines_of.iter().map(|m| m[0]).collect();
        let reachable: Vec<usize> = firsts.iter().filter(reachable).copied().collect();
        if !reachable.is_empty() {
            let machine = reachable[self.load_rng.place(reachable.len())];
            let transaction = self.cast.transaction(self.submitted, self.now.0 / 1000);
            self.submitted += 1;
            self.known.insert(transaction.clone());
            self.take(machine, Work::Submit(transaction, 1));
        }
        self.next_load();
    }

    fn next_load(&mut self) {
        // Spread evenly, each a little by chance, so that no load keeps step with the rounds.
        let mean = 1_000_000 / u64::from(self.plan.rate);
        let pause = self.load_rng.between(0, 2 * mean).max(1);
        self.queue.push(self.now.after(pause), Event::Load);
    }

    /// Looks whether the fault phase is over, and at what every member holds in memory.
    fn look(&mut self) {
        let over = match self.plan.end {
            End::Duration(ms) => self.now >= Time::millis(ms),
            End::Rounds(rounds) => {
                let longest = Time::millis(rounds.saturating_mul(ROUND_MS_MAX));
                self.top >= Round(rounds) || self.now >= longest
            }
        };
        if self.phase == Phase::Faults && over {
            self.heal();
        }
        self.look_for_inclusion();
        if self.now.0.is_multiple_of(20 * LOOK_US) {
            self.look_at_memory();
        }
        self.look_at_posting();
        self.look_for_convergence();
    }

    fn look_at_memory(&mut self) {
        for machine in self.machines.iter().filter(|m| m.is_honest()) {
            let Some(replica) = &machine.replica else {
                continue;
            };
            for buffer in replica.buffers() {
                self.meter.buffer(&buffer);
                if buffer.bytes > buffer.bytes_max {
                    let what = format!("{buffer:?}");
                    self.oracle
                        .violation(Rule::Memory, self.now, machine.member, what);
                }
            }
        }
    }
}
