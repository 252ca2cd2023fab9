//! What goes wrong and when: the plan's faults become events, and events befall machines.

use super::{DEAL_US, Event, World};
use crate::sim::crimes::Criminal;
use crate::sim::faults::{Fault, Kind, Role};
use crate::sim::plan::PlanError;
use crate::sim::rng::{Rng, Stream};
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use weft_node::replica::copies::Askers;
use weft_types::Epoch;

/// How long a machine is away that is only restarted, in milliseconds.
const AWAY_MS: u64 = 500;
/// Mean delays of a message within which a fault at an edge befalls its members.
const EDGE_DELAYS: u64 = 4;
/// How long a database is used on after the copy that comes back was made, in milliseconds.
const COPY_AGE_MS: u64 = 2_000;

impl World {
    /// Draws who is hit by what, and schedules it.
    pub(super) fn prepare_faults(&mut self) -> Result<(), PlanError> {
        let mut members: Vec<usize> = (0..self.plan.nodes).collect();
        self.fault_rng.shuffle(&mut members);
        // What is drawn is looked at from member 0, so let it be honest if anybody is.
        if self.plan.record
            && let Some(place) = members.iter().position(|m| *m == 0)
        {
            members.remove(place);
            members.push(0);
        }
        let mut members = members.into_iter();
        for (index, fault) in self.plan.faults.clone().into_iter().enumerate() {
            if fault.edge.is_some() {
                self.victims.push(Vec::new());
                continue;
            }
            let victims: Vec<usize> = members.by_ref().take(fault.members() as usize).collect();
            let begins = Time::millis(fault.start.unwrap_or(0));
            let ends = fault.length.map(|length| begins.after(length * 1000));
            if fault.kind.is_crime() {
                for member in &victims {
                    self.commit_crime(*member, fault, begins, ends)?;
                }
            } else {
                if fault.kind == Kind::Clone {
                    for member in &victims {
                        let copy = self.share_links(*member, begins)?;
                        self.machines[copy].asleep = true;
                    }
                }
                self.schedule_fault(index, begins);
            }
            self.victims.push(victims);
        }
        Ok(())
    }

    fn schedule_fault(&mut self, index: usize, begins: Time) {
        let fault = self.plan.faults[index];
        self.queue.push(begins, Event::Begin(index));
        let ends = fault.length.map(|length| begins.after(length * 1000));
        let ends = ends.or(match fault.kind {
            Kind::Restart | Kind::Wipe => Some(begins.after(AWAY_MS * 1000)),
            Kind::OldCopy => Some(begins.after(COPY_AGE_MS * 1000)),
            _ => None,
        });
        if let Some(ends) = ends {
            self.queue.push(ends, Event::End(index));
        }
    }

    /// A fault's edge has come: draws whom it befalls, and when they get there themselves or a little later.
    pub(super) fn begin_at_edge(&mut self, index: usize) {
        if self.is_healed() {
            return;
        }
        let fault = self.plan.faults[index];
        let mut nodes = self.at_edge(fault);
        self.fault_rng.shuffle(&mut nodes);
        nodes.truncate(fault.members_at_edge() as usize);
        let within = EDGE_DELAYS * self.plan.latency.mean(self.plan.nodes) as u64;
        let begins = self.now.after(self.fault_rng.between(0, within));
        let ends = fault.length.map(|length| begins.after(length * 1000));
        if fault.kind.is_crime() {
            for node in &nodes {
                // Twins alone need a second machine, and are no fault of an edge.
                let _ = self.commit_crime(*node, fault, begins, ends);
                // What it has taken as an honest member may be lost with it.
                self.machines[self.machines_of[*node][0]].hit = true;
            }
        } else {
            self.schedule_fault(index, begins);
        }
        self.victims[index] = nodes;
    }

    /// Nodes with a fault's role at its edge that have no fault yet.
    fn at_edge(&self, fault: Fault) -> Vec<usize> {
        let number = fault.edge.map_or(1, |edge| edge.number);
        let (Some(old), Some(next)) = (
            self.cast.seating(Epoch(u64::from(number) - 1)),
            self.edges.next.as_ref(),
        ) else {
            return Vec::new();
        };
        let befalls = |node: &usize| {
            let key = self.cast.keys[*node].vertex.public();
            let (before, after) = (old.place(*node).is_some(), next.index_of(&key).is_some());
            match fault.role {
                None => before,
                Some(Role::Stay) => before && after,
                Some(Role::Join) => !before && after,
                Some(Role::Leave) => before && !after,
            }
        };
        let free = |node: &usize| {
            let machine = &self.machines[self.machines_of[*node][0]];
            let known = self.victims.iter().any(|victims| victims.contains(node));
            machine.is_honest() && machine.is_up() && !known
        };
        let nodes = (0..self.plan.everybody()).filter(|node| befalls(node));
        nodes.filter(free).collect()
    }

    fn commit_crime(
        &mut self,
        member: usize,
        fault: Fault,
        begins: Time,
        ends: Option<Time>,
    ) -> Result<(), PlanError> {
        let mut machines = vec![self.machines_of[member][0]];
        if fault.kind == Kind::Twins {
            machines.push(self.share_links(member, begins)?);
        }
        for machine in machines {
            let seed = self.plan.seed ^ ((machine as u64 + 1) << 32);
            let rng = Rng::new(seed, Stream::Crimes);
            let until = ends.unwrap_or(Time(u64::MAX));
            self.machines[machine].crime = Some(Criminal::new(fault.kind, rng, begins, until));
        }
        Ok(())
    }

    /// A second machine of a member, to which the others are linked in turn.
    fn share_links(&mut self, member: usize, begins: Time) -> Result<usize, PlanError> {
        let second = self.machine(member)?;
        self.machines_of[member].push(second);
        let deal = vec![0; self.plan.everybody()];
        self.deals.insert(member, deal);
        if self.deals.len() == 1 {
            self.queue.push(begins, Event::Deal);
        }
        Ok(second)
    }

    /// Deals the other members anew to the two copies of each member that has twins.
    pub(super) fn deal(&mut self) {
        for deal in self.deals.values_mut() {
            for copy in deal.iter_mut() {
                *copy = self.fault_rng.place(2);
            }
        }
        self.queue.push(self.now.after(DEAL_US), Event::Deal);
    }

    pub(super) fn begin(&mut self, index: usize) {
        let Fault { kind, amount, .. } = self.plan.faults[index];
        self.trace.number(self.now, 0, Mark::Fault, index as u64);
        if kind.is_of_links() {
            return self.disturb(index, amount);
        }
        for machine in self.victims[index].clone() {
            self.machines[machine].hit = true;
            match kind {
                Kind::Crash | Kind::Restart => self.crash(machine),
                Kind::Pause => self.machines[machine].paused = true,
                Kind::Wipe => {
                    self.crash(machine);
                    self.wipe(machine);
                }
                Kind::OldCopy => {
                    let ours = &mut self.machines[machine];
                    ours.copy = Some(ours.disk.clone());
                }
                Kind::Clone => {
                    if self.plan.faults[index].length.is_some() {
                        self.crash(machine);
                    }
                    self.copy_beside(machine);
                }
                _ => {}
            }
        }
        match kind {
            Kind::Partition => self.part(amount as usize),
            Kind::Skew => self.skew(i64::from(amount)),
            Kind::SlowDisk => self.slow_disks(u64::from(amount) * 1000),
            Kind::BaseDown | Kind::BaseLoss | Kind::Reorg => self.strike_base(kind, amount),
            _ => {}
        }
    }

    pub(super) fn end(&mut self, index: usize) {
        let kind = self.plan.faults[index].kind;
        self.trace.number(self.now, 1, Mark::Fault, index as u64);
        if kind.is_of_links() {
            return self.disturb(index, 0);
        }
        for machine in self.victims[index].clone() {
            match kind {
                Kind::Crash | Kind::Restart | Kind::Wipe | Kind::Clone
                    if !self.machines[machine].is_up() =>
                {
                    self.start(machine);
                }
                Kind::Pause => self.resume(machine),
                Kind::OldCopy => self.bring_back_copy(machine),
                _ => {}
            }
        }
        match kind {
            Kind::Partition => {
                self.links.part(vec![0; self.plan.everybody()]);
                self.meter.partings.heal(self.now);
            }
            Kind::SlowDisk => self.slow_disks(0),
            Kind::BaseDown | Kind::BaseLoss => self.mend_base(kind),
            _ => {}
        }
    }

    /// Disturbs the links of a fault's members, or all; nothing ends it.
    fn disturb(&mut self, index: usize, amount: u32) {
        let kind = self.plan.faults[index].kind;
        let everybody = || (0..self.plan.everybody()).collect();
        let victims = &self.victims[index];
        let members: Vec<usize> = if victims.is_empty() {
            everybody()
        } else {
            victims.clone()
        };
        for member in members {
            let disturbed = self.links.disturbed(member);
            let field = match kind {
                Kind::Loss => &mut disturbed.loss,
                Kind::Replay => &mut disturbed.replay,
                Kind::Reorder => &mut disturbed.reorder,
                Kind::Jitter => &mut disturbed.jitter,
                _ => {
                    disturbed.bandwidth = amount;
                    continue;
                }
            };
            *field = amount * 10;
        }
    }

    /// The power of a machine fails.
    fn crash(&mut self, machine: usize) {
        let now = self.now;
        let ours = &mut self.machines[machine];
        if !ours.is_up() {
            return;
        }
        ours.replica = None;
        ours.life += 1;
        ours.inbox.clear();
        ours.askers = Askers::default();
        ours.busy = now;
        ours.tick_at = None;
        ours.paused = false;
        ours.disk.crash(now, &mut self.disk_rng);
        ours.guard.crash(now, &mut self.disk_rng);
        let commit = ours.disk.last_commit();
        self.trace.number(now, machine, Mark::Crash, commit.0);
        self.oracle.crashed(now, machine);
        self.meter.crashed(machine);
    }

    fn wipe(&mut self, machine: usize) {
        let Ok(fresh) = crate::sim::disk::Disk::new(&self.cast.genesis) else {
            return;
        };
        let ours = &mut self.machines[machine];
        ours.disk = fresh;
        let key = self.cast.keys[ours.member].vertex.public();
        ours.guard = crate::sim::disk::Guard::lost(self.cast.network, key);
        self.oracle.wiped(machine);
    }

    /// Starts the second machine of a member with all that the first one has, as after its power has failed.
    fn copy_beside(&mut self, machine: usize) {
        let now = self.now;
        let ours = &self.machines[machine];
        let (mut disk, mut guard) = (ours.disk.clone(), ours.guard.clone());
        disk.crash(now, &mut self.disk_rng);
        guard.crash(now, &mut self.disk_rng);
        let Some(copy) = self.machines_of[ours.member].get(1).copied() else {
            return;
        };
        let beside = &mut self.machines[copy];
        (beside.disk, beside.guard) = (disk, guard);
        (beside.asleep, beside.hit) = (false, true);
        self.start(copy);
    }

    fn bring_back_copy(&mut self, machine: usize) {
        self.crash(machine);
        let ours = &mut self.machines[machine];
        if let Some(copy) = ours.copy.take() {
            ours.disk = copy;
            self.oracle.wiped(machine);
        }
        let life = self.machines[machine].life;
        let back = self.now.after(AWAY_MS * 1000);
        self.queue.push(back, Event::Restart { machine, life });
    }

    pub(super) fn resume(&mut self, machine: usize) {
        self.machines[machine].paused = false;
        self.drain(machine);
        self.schedule_tick(machine);
    }

    /// Cuts some members off; zero is half of all.
    fn part(&mut self, amount: usize) {
        let members = self.plan.everybody();
        let cut = if amount == 0 {
            members / 2
        } else {
            amount.min(members)
        };
        let mut sides = vec![0; members];
        sides[..cut].fill(1);
        self.fault_rng.shuffle(&mut sides);
        self.links.part(sides);
        self.meter.partings.part(self.now);
    }

    fn skew(&mut self, most: i64) {
        let mut rng = Rng::new(self.plan.seed, Stream::Clocks);
        for machine in 0..self.machines.len() {
            let skew = rng.below(2 * most as u64 + 1) as i64 - most;
            self.machines[machine].skew = skew;
            self.machines[machine].tick_at = None;
            self.schedule_tick(machine);
        }
    }

    fn slow_disks(&mut self, longest: u64) {
        for machine in &mut self.machines {
            machine.sync_max = longest;
        }
    }

    /// Whether nothing may be lost between honest members that are up, now and later.
    pub(super) fn is_calm(&self) -> bool {
        let disturbs = |kind| {
            matches!(
                kind,
                Kind::Loss | Kind::Partition | Kind::Bandwidth | Kind::Pause
            )
        };
        self.is_healed() || !self.plan.faults.iter().any(|f| disturbs(f.kind))
    }
}
