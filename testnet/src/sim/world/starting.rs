//! How machines start and stop.

use super::World;
use crate::sim::oracle::Rule;
use crate::sim::plan::Planted;
use crate::sim::trace::Mark;
use weft_node::replica::{MempoolConfig, Replica, ReplicaConfig};
use weft_types::{Millis, Round};

/// Of every member's mempool.
const MEMPOOL_BYTES_MAX: usize = 64 << 20;

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
        let standing = match ours.disk.standing(&self.cast.genesis) {
            Ok(standing) => standing,
            Err(error) => return self.stop(machine, error.to_string()),
        };
        self.open(machine, &standing.committee, None);
        let ours = &mut self.machines[machine];
        let epoch = standing.committee.epoch();
        let signed = match ours.guard.open_with(&ours.disk, epoch) {
            Err(_) if self.plan.planted == Some(Planted::NoRecovery) => Ok(Round::ZERO),
            signed => signed,
        };
        ours.knows_signed = signed.is_ok();
        ours.has_signed = false;
        let found = ours
            .disk
            .found(&ours.guard, signed, &self.cast.genesis, &standing);
        let restored = found.map(|found| found.restore(&self.cast.genesis));
        let restored = match restored {
            Some(Ok(restored)) => restored,
            Some(Err(error)) => return self.stop(machine, error.to_string()),
            None => return self.stop(machine, "the disk has no genesis".to_owned()),
        };
        let mut restored = restored;
        let hidden = [Planted::NoGuard, Planted::SendBeforePersist];
        if self.plan.planted.is_some_and(|p| hidden.contains(&p)) {
            // S1.5 would hide what these do: as if nothing was signed before.
            (restored.has_signed, restored.signed_at) = (false, Millis::ZERO);
        }
        let mut config = ReplicaConfig {
            genesis: self.cast.genesis.clone(),
            committee: standing.committee,
            keys: Some(self.cast.keys[ours.member].clone()),
            earlier: standing.earlier,
            mempool: MempoolConfig::new(MEMPOOL_BYTES_MAX),
            adjust: self.plan.adjust,
            sync: self.plan.sync,
        };
        if self.plan.planted == Some(Planted::NoEscalation) {
            config.mempool.step_rounds = u64::MAX;
        }
        let mut effects = Vec::new();
        let mut replica = Replica::new(config, restored, now.wall(ours.skew), &mut effects);
        if ours.crime.is_some() {
            replica.tolerate_twins();
        }
        ours.replica = Some(replica);
        self.carry_out(machine, &mut effects);
        self.schedule_tick(machine);
        self.start_posting(machine);
    }

    /// The machine ends by itself: a failed write, a refusal of the guard, a halt.
    pub(super) fn stop(&mut self, machine: usize, reason: String) {
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
}
