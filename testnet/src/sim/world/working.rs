//! A machine at work: it handles one input after the other, and those that come while its disk is busy wait.

use super::{Event, World};
use crate::sim::machine::{INBOX_MAX, Shown, Work};
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use weft_node::replica::{Input, Latest, Reply};
/// A replica that wants to be called at once has seen this millisecond already.
const TICK_US: u64 = 1_000;

impl World {
    /// Hands an input to a machine, or lets it wait there.
    pub(super) fn take(&mut self, machine: usize, work: Work) {
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

    pub(super) fn drain(&mut self, machine: usize) {
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
                let from = ours.seating.place(from);
                let input = if envelope.epoch() > ours.seating.epoch() {
                    // E3: it has not come so far.
                    from.map(|from| Input::Later { from })
                } else if envelope.epoch() < ours.seating.epoch() {
                    None
                } else {
                    let vertex = envelope.open(&self.cast, &self.known);
                    vertex.cloned().map(|vertex| Input::Vertex { vertex, from })
                };
                let Some(input) = input else {
                    self.effects = effects;
                    return;
                };
                match &input {
                    Input::Vertex { vertex, .. } => {
                        let mark = Mark::Vertex;
                        self.trace.vertex(now, machine, mark, &vertex.reference());
                    }
                    _ => self
                        .trace
                        .number(now, machine, Mark::Later, envelope.epoch().0),
                }
                replica.handle(wall, input, &mut effects);
            }
            Work::Asked { by, vertices } => {
                replica.handle(wall, Input::Asked { by, vertices }, &mut effects);
            }
            Work::FetchEnded(id) => {
                self.trace.number(now, machine, Mark::FetchEnded, id.0);
                replica.handle(wall, Input::FetchEnded(id), &mut effects);
            }
            Work::Latest {
                epoch,
                of,
                shown,
                asked,
                another,
            } => {
                let latest = match &shown {
                    Shown::Vertex(envelope) => {
                        let same = envelope.epoch() == ours.seating.epoch();
                        let vertex = envelope.open(&self.cast, &self.known);
                        let vertex = vertex.filter(|v| same && v.author() == of);
                        vertex.cloned().map(Latest::Vertex)
                    }
                    Shown::Nothing => Some(Latest::Nothing),
                    Shown::Recovering => Some(Latest::Recovering),
                };
                let place = u64::from(of.0);
                self.trace.number(now, machine, Mark::Latest, place);
                if let Some(latest) = latest {
                    let reply = Reply {
                        asked,
                        latest,
                        another,
                    };
                    let input = Input::Latest { epoch, of, reply };
                    replica.handle(wall, input, &mut effects);
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
            Work::Queue(entries) => {
                let count = entries.last().map_or(0, |e| e.index);
                self.trace.number(now, machine, Mark::Queue, count);
                replica.handle(wall, Input::Queue(entries.to_vec()), &mut effects);
            }
            Work::Ready(ready) => {
                self.trace.number(now, machine, Mark::Ready, ready.member);
                replica.handle(wall, Input::Ready(ready), &mut effects);
            }
            Work::Closing { certificate, from } => {
                let epoch = certificate.statement.epoch;
                self.trace.number(now, machine, Mark::Closing, epoch.0);
                let from = ours.seating.place(from);
                if let Some(from) = from.filter(|_| epoch == ours.seating.epoch()) {
                    let certificate = Box::new((**certificate).clone());
                    let input = Input::Closing { from, certificate };
                    replica.handle(wall, input, &mut effects);
                }
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

    pub(super) fn schedule_tick(&mut self, machine: usize) {
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
}
