//! The base chain's own events in a run, and what is looked at from outside of it.

use super::World;
use super::posting::BaseEvent;
use crate::sim::base::Watched;
use crate::sim::faults::Kind;
use crate::sim::trace::Mark;
use weft_node::replica::posting::{Input, Seen};
use weft_types::Height;

impl World {
    /// A block is sealed: who waits for it hears of it.
    pub(super) fn seal(&mut self) {
        let now = self.now;
        let Some(base) = &mut self.base else { return };
        let next = now.after(base.pace.block_ms * 1000);
        if !base.is_down {
            let hash = base.seal(now);
            self.trace.record(now, 0, Mark::BaseBlock, &hash);
            base.watch
                .block(now, false, base.latest(), &mut self.oracle);
            let mut answers = Vec::new();
            let waiting = std::mem::take(&mut base.waiting);
            for waiting in waiting {
                let Some(included) = base.local.included(&waiting.hash) else {
                    base.waiting.push(waiting);
                    continue;
                };
                let input = match included.success {
                    true => Input::Posted(Seen {
                        height: waiting.height,
                        block: included.block,
                    }),
                    false => Input::Superseded,
                };
                let at = base.arrival(now);
                answers.push((at, (waiting.machine, waiting.life), input));
            }
            for (at, of, input) in answers {
                self.schedule_base(at, of, BaseEvent::Answer(input));
            }
        }
        self.schedule_base(next, (0, 0), BaseEvent::Block);
    }

    pub(super) fn strike_base(&mut self, kind: Kind, amount: u32) {
        let Some(base) = &mut self.base else { return };
        match kind {
            Kind::BaseDown => {
                base.is_down = true;
                base.local.forget_waiting();
            }
            Kind::BaseLoss => base.loss = amount * 10,
            _ => {
                base.reorganise(u64::from(amount));
                let latest = base.latest();
                base.watch.block(self.now, true, latest, &mut self.oracle);
            }
        }
    }

    pub(super) fn mend_base(&mut self, kind: Kind) {
        let Some(base) = &mut self.base else { return };
        match kind {
            Kind::BaseDown => base.is_down = false,
            _ => base.loss = 0,
        }
    }

    /// A machine's replica has taken in that a height is anchored.
    pub(super) fn anchored(&mut self, machine: usize, height: Height) {
        let ours = &mut self.machines[machine];
        if let Some(poster) = &mut ours.poster {
            poster.anchored = height;
        }
        if ours.is_honest() {
            self.look_at_anchored(machine, height);
        }
    }

    pub(super) fn look_at_anchored(&mut self, machine: usize, height: Height) {
        let node = self.machines[machine].member;
        if let Some(base) = &self.base {
            base.watch
                .anchored(self.now, node, height, &mut self.oracle);
        }
    }

    /// B2: whether what is due is late, as things stand.
    pub(super) fn look_at_posting(&mut self) {
        let Some(base) = &mut self.base else { return };
        let missing = base.watch.missing();
        let able = self.machines_of.iter().map(|machines| {
            let machine = &self.machines[machines[0]];
            let poster = machine.poster.as_ref().filter(|_| machine.is_up());
            machine.is_honest()
                && machine.place().is_some()
                && !machine.paused
                && poster.is_some_and(|p| missing.is_none_or(|m| p.unposted.newest() >= m))
        });
        let world = Watched {
            is_sound: !base.is_down && base.loss == 0,
            members: self.cast.newest().committee.size(),
            reorganisations: base.reorganisations,
            able: able.collect(),
        };
        base.watch.look(self.now, world, &mut self.oracle);
    }

    /// Whether everything due is posted and final, and everybody honest knows.
    pub(super) fn is_anchored(&self) -> bool {
        let Some(base) = &self.base else { return true };
        // Where epochs end, something new is always due.
        let newest = match self.plan.epoch {
            Some(_) => self.due_at_heal,
            None => base.watch.newest(),
        };
        let mut up = self
            .machines
            .iter()
            .filter(|m| m.is_honest() && m.is_up())
            .filter_map(|m| m.poster.as_ref());
        base.watch.missing().is_none_or(|missing| missing > newest)
            && base.watch.finalised() >= newest
            && up.all(|poster| poster.anchored >= newest)
    }
}
