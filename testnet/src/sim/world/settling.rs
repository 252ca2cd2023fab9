//! After the faults: the links are whole, a quorum is up, the load has stopped, and everybody who is
//! honest must come to agree within the plan's time.

use super::{LOOK_US, World};
use crate::sim::base::Base;
use crate::sim::faults::Kind;
use crate::sim::oracle::Rule;
use crate::sim::plan::End;
use crate::sim::report::Outcome;
use crate::sim::time::Time;
use weft_node::replica::Executed;
use weft_types::{CommitIndex, Epoch, Height, MemberIndex, Round, VertexParts};

/// A machine that lacks fewer commits than this is where the others are.
const CAUGHT_UP: u64 = 3;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Faults,
    Settling {
        since: Time,
        /// The commit that everybody has to get beyond.
        beyond: CommitIndex,
    },
    /// With everybody in agreement or not.
    Over {
        healed: Time,
        converged: bool,
    },
}

impl World {
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over { .. })
    }

    pub(super) fn is_healed(&self) -> bool {
        self.phase != Phase::Faults
    }

    /// Looks whether the fault phase is over, and at what every member holds in memory.
    pub(super) fn look(&mut self) {
        let reached = matches!(self.plan.end, End::Rounds(rounds) if self.top >= Round(rounds));
        let over = reached || self.now >= Time::millis(self.plan.end.ms_max());
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
            self.meter.dag(&replica.core().status());
            for buffer in replica.buffers() {
                self.meter.buffer(&buffer);
                if buffer.bytes > buffer.bytes_max {
                    let what = format!(
                        "{} holds {} bytes, and may hold {}",
                        buffer.name, buffer.bytes, buffer.bytes_max
                    );
                    self.oracle
                        .violation(Rule::Memory, self.now, machine.member, what);
                }
            }
        }
    }

    /// Ends the fault phase. Members that were to stay down do, as long as no more than F are faulty.
    pub(super) fn heal(&mut self) {
        self.phase = Phase::Settling {
            since: self.now,
            beyond: CommitIndex(self.oracle.commits() as u64),
        };
        self.due_at_heal = self
            .base
            .as_ref()
            .map_or(Height::ZERO, |b| b.watch.newest());
        self.meter.healed(self.now, self.oracle.commits(), self.top);
        self.links.part(vec![0; self.plan.everybody()]);
        self.links.heal();
        self.mend_base(Kind::BaseDown);
        self.mend_base(Kind::BaseLoss);
        for machine in 0..self.machines.len() {
            if self.machines[machine].paused {
                self.resume(machine);
            }
        }
        let seating = self.cast.newest().clone();
        let committee = &seating.committee;
        let faulty = |world: &Self| {
            let unsound = |node: &usize| {
                let machine = &world.machines[world.machines_of[*node][0]];
                !(machine.is_honest() && machine.is_up() && machine.knows_signed)
            };
            let members = seating.nodes().iter().filter(|node| unsound(node));
            committee.stake_of(&members.filter_map(|node| seating.place(*node)).collect())
        };
        let most = committee.faulty();
        for machine in 0..self.machines.len() {
            let ours = &self.machines[machine];
            let back = ours.is_honest() && !ours.is_up() && ours.stopped.is_none();
            let back = back && !ours.asleep;
            if back && (faulty(self) > most || self.comes_back(machine)) {
                self.start(machine);
            }
        }
    }

    /// Whether a fault that would have ended later is all that keeps a machine down.
    fn comes_back(&self, machine: usize) -> bool {
        let faults = self.plan.faults.iter().zip(&self.victims);
        let mut of_machine = faults.filter(|(_, victims)| victims.contains(&machine));
        of_machine.any(|(fault, _)| fault.length.is_some() || fault.kind != Kind::Crash)
    }

    pub(super) fn look_for_convergence(&mut self) {
        let Phase::Settling { since, beyond, .. } = self.phase else {
            return;
        };
        let converged = self.has_converged(beyond);
        let late = self.now.since(since) > self.plan.settle * 1000;
        if converged || late {
            self.phase = Phase::Over {
                healed: since,
                converged,
            };
        }
    }

    /// Every honest member that is up has made the whole order and gone on, signs, has certified its newest
    /// height, and nothing that an undisturbed member has taken, or a client goes on giving to members, is
    /// missing from the order.
    fn has_converged(&self, beyond: CommitIndex) -> bool {
        let order = self.oracle.commits() as u64;
        // S1.7, S1.9: nothing comes of a machine that has found another one with its key, if there is another one.
        let silenced = |m: &super::Machine| {
            let doubled = self.machines_of[m.member].len() > 1;
            let replica = m.replica.as_ref().filter(|_| doubled);
            replica.is_some_and(|r| r.is_silenced() || r.another_asks())
        };
        let up = |m: &&super::Machine| m.is_honest() && m.is_up() && !silenced(m);
        let newest = self.cast.newest();
        let mut any = false;
        for (index, machine) in self.machines.iter().enumerate().filter(|(_, m)| up(m)) {
            any = true;
            let certified = machine.replica.as_ref().map(|r| r.certified_height());
            let reached = self.oracle.position(index);
            let votes = newest.place(machine.member).is_some();
            if reached <= beyond
                || machine.epoch() != newest.epoch()
                || (votes && !machine.has_signed)
                || reached.0 + 20 < order
                || certified.is_none_or(|c| c < self.oracle.heights())
            {
                return false;
            }
        }
        let served = self.clients.as_ref().is_none_or(|c| c.are_served());
        any && served
            && self.is_settled_in()
            && self.is_anchored()
            && self
                .meter
                .waiting()
                .all(|(id, machine)| self.machines[machine].hit || self.oracle.has_applied(&id))
    }

    /// What a commit says of latencies.
    pub(super) fn measure(&mut self, machine: usize, executed: &Executed) {
        let now = self.now;
        let commit = &executed.commit;
        if machine == 0
            && let Some(record) = &mut self.record
        {
            record.commit(now, commit);
        }
        if commit.index.0 + CAUGHT_UP >= self.oracle.commits() as u64 {
            self.meter.caught_up(machine, now);
        }
        for receipt in &executed.applied.receipts {
            self.meter.executed(&receipt.transaction, machine, now);
        }
        if self.is_healed() {
            return;
        }
        let epoch = executed.view.epoch;
        let author = self.cast.seating(epoch);
        let Some(author) = author.and_then(|seating| seating.node(commit.leader.author)) else {
            return;
        };
        let author = &self.machines[self.machines_of[author][0]];
        if author.is_honest()
            && let Some(leader) = self.machines[machine].disk.vertex(epoch, &commit.leader)
        {
            let made = Time::of_wall(leader.timestamp(), author.skew);
            self.meter.committed(now.since(made));
        }
    }

    /// What the bytes of vertices are, if anybody asks for it.
    fn mean_vertex(&self) -> VertexParts {
        let honest = self.machines.iter().find(|m| m.is_honest());
        let disk = honest.filter(|_| self.plan.alone).map(|m| &m.disk);
        let vertices = disk
            .into_iter()
            .flat_map(|d| d.vertices_from(Epoch::ZERO, Round::ZERO));
        let mut sum = VertexParts::default();
        let mut count = 0;
        for parts in vertices.map(|v| v.parts()) {
            count += 1;
            sum.links += parts.links;
            sum.transactions += parts.transactions;
            sum.shares += parts.shares;
            sum.rest += parts.rest;
        }
        let mean = |sum: usize| sum / count.max(1);
        VertexParts {
            links: mean(sum.links),
            transactions: mean(sum.transactions),
            shares: mean(sum.shares),
            rest: mean(sum.rest),
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        let (healed, converged) = match self.phase {
            Phase::Over { healed, converged } => (healed, converged),
            Phase::Faults | Phase::Settling { .. } => (self.now, false),
        };
        let stopped = self.machines.iter().filter_map(|m| {
            let reason = m.stopped.clone()?;
            Some((MemberIndex(m.member as u32), reason))
        });
        let leaders = self.cast.genesis.template.params.leaders_per_round as usize;
        let vertex = self.mean_vertex();
        let mut record = self.record;
        if let Some(record) = &mut record {
            record.latencies = self.meter.series().collect();
            let committee = &self.cast.newest().committee;
            record.finish(self.cast.network, committee, leaders as u32);
            record.happened(&self.plan.faults, healed);
        }
        let refused = self.meter.refused();
        let refused = refused.filter(|id| !self.oracle.has_applied(id)).count() as u64;
        Outcome {
            submitted: self.submitted + self.meter.unreached,
            refused: refused + self.meter.unreached,
            committed: self.oracle.applied() as u64,
            faulty_max: self.cast.newest().committee.faulty().0 as usize,
            epochs: self.plan.epoch.map(|_| self.cast.newest().epoch().0 + 1),
            committee: self.cast.newest().nodes().to_vec(),
            healed,
            ended: self.now,
            converged,
            trace_hash: self.trace.finish(),
            commits: self.meter.commits_at_heal(),
            skipped: self
                .meter
                .skipped(&self.oracle.leaders, leaders.min(self.plan.nodes)),
            rounds: self.meter.rounds_at_heal().0,
            violations: self.oracle.violations().to_vec(),
            stopped: stopped.collect(),
            vertex,
            bytes_sent: self.links.sent.iter().sum(),
            messages: self.links.messages,
            mean_delay_us: self.plan.latency.mean(self.plan.nodes),
            checkpoints: self.base.as_ref().map(Base::tally),
            meter: self.meter,
            rounds_max: self.clients.and_then(|c| c.rounds_max_seen()),
            record,
            plan: self.plan,
        }
    }
}
