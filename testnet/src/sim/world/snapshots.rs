//! S2: snapshots between machines. They are answered beside the replica's thread, as fetches are, and
//! taken over as the driver does it: the disk is exchanged, and the node starts again.

use super::{Event, Packet, World};
use crate::sim::trace::Mark;
use std::rc::Rc;
use weft_node::replica::sync::{Ask, Synced, serve};

/// How long a node takes to start on what it has taken over, in microseconds.
const RESTART_US: u64 = 500_000;

impl World {
    pub(super) fn serve_snapshot(&mut self, machine: usize, ask: &Ask, asker: usize, life: u32) {
        let ours = &mut self.machines[machine];
        let serves = !ours.paused && ours.place().is_some();
        let Some(replica) = ours.replica.as_ref().filter(|_| serves) else {
            return;
        };
        let Ok(answer) = serve(&ours.disk, &replica.held(), &ask.request);
        let active = ours.crime.as_mut().filter(|c| c.is_active(self.now));
        let answer = match active {
            Some(criminal) => criminal.hand_out(answer),
            None => Some(answer),
        };
        let Some(answer) = answer else {
            return;
        };
        let packet = Packet::Sync {
            id: ask.id,
            bytes: answer.encode().len() as u64,
            answer: Rc::new(answer),
            life,
        };
        self.reply(machine, asker, packet);
    }

    pub(super) fn take_over(&mut self, machine: usize, synced: Synced) {
        let now = self.now;
        let ours = &mut self.machines[machine];
        let commit = synced.certificate.statement.commit;
        self.trace.number(now, machine, Mark::TakeOver, commit.0);
        if ours.is_honest() {
            self.oracle.took_over(now, ours.member, &synced);
        }
        self.meter.took_over(machine, now);
        ours.disk
            .take_over(synced, self.cast.genesis.template.params.gc_depth);
        ours.replica = None;
        ours.life += 1;
        ours.inbox.clear();
        ours.tick_at = None;
        let life = ours.life;
        let back = now.after(RESTART_US);
        self.queue.push(back, Event::Restart { machine, life });
    }
}
