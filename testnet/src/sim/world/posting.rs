//! B2 in a run: what the driver's task (`node/src/driver/checkpoints.rs`) does with what posting wants, done to
//! the simulated base chain.
//!
//! A posting task stands beside the replica's thread: a slow disk does not hold it up, a pause of the machine
//! does.

use super::{Event, World};
use crate::sim::base::{Poster, Question, SILENCE_US, Waiting, seen};
use crate::sim::faults::Kind;
use crate::sim::machine::Work;
use crate::sim::oracle::Rule;
use crate::sim::plan::Planted;
use crate::sim::time::Time;
use crate::sim::trace::Mark;
use std::sync::Arc;
use weft_basechain::SubmitterSchedule;
use weft_basechain::local::Verdict;
use weft_node::replica::posting::{self, Due, Effect, Input, Posting, Seen, Unposted};
use weft_types::{Certificate, Height, MemberIndex, Millis, Verified};

/// A paused machine looks again after so long, in microseconds.
const PAUSED_US: u64 = 100_000;

/// What happens on the base chain, or on the way to it and back. Machines are named with the life in which they
/// asked.
pub enum BaseEvent {
    Block,
    /// A certificate is stored, and its heights are due.
    Due {
        certificate: Arc<Verified<Certificate>>,
        due: Vec<Due>,
    },
    Wake,
    /// Arrives at the base chain.
    Ask(Question),
    /// Arrives at the machine.
    Answer(Input),
    /// A transaction has had its time.
    Expire([u8; 32]),
}

impl World {
    pub(super) fn schedule_base(&mut self, at: Time, of: (usize, u32), event: BaseEvent) {
        let (machine, life) = of;
        let event = Box::new(event);
        self.queue.push(
            at,
            Event::Base {
                machine,
                life,
                event,
            },
        );
    }

    /// Starts a machine's posting on what its disk holds.
    pub(super) fn start_posting(&mut self, machine: usize) {
        if self.base.is_none() {
            return;
        }
        let ours = &mut self.machines[machine];
        let interval = self.cast.genesis.template.params.checkpoint_interval_ms;
        let newest = ours.disk.newest_certificate();
        let read = |height| Ok::<_, std::convert::Infallible>(ours.disk.statement(height));
        let Ok(unposted) = Unposted::at_restart(newest, interval, read);
        let anchored = ours.disk.anchored();
        let mut unposted = unposted;
        for closing in ours.disk.closings(anchored) {
            unposted.add(closing.clone(), &[]);
        }
        let (own, schedule) = self.duties(machine);
        let ours = &mut self.machines[machine];
        let posting = Posting::new(own, true, schedule, anchored);
        ours.poster = Some(Poster::new(posting, unposted.clone(), anchored));
        if ours.is_honest() {
            self.look_at_anchored(machine, anchored);
        }
        self.post(machine, Input::Due(unposted));
    }

    /// B2: a machine's part in the committee that it knows to be in office.
    fn duties(&self, machine: usize) -> (Option<MemberIndex>, SubmitterSchedule) {
        let ours = &self.machines[machine];
        let members = ours.seating.committee.size();
        let schedule = match self.plan.planted {
            // Whoever has the first turn keeps it.
            Some(Planted::TurnStays) => {
                SubmitterSchedule::new(members, Millis(1 << 40), posting::DEADLINE)
                    .unwrap_or_else(|_| posting::schedule(members))
            }
            _ => posting::schedule(members),
        };
        (ours.place(), schedule)
    }

    /// E2: another committee is in office.
    pub(super) fn post_in_office(&mut self, machine: usize) {
        let (own, schedule) = self.duties(machine);
        if let Some(poster) = &mut self.machines[machine].poster {
            poster.posting.enter(own, schedule);
            self.post(machine, Input::Tick);
        }
    }

    pub(super) fn happen_at_base(&mut self, machine: usize, life: u32, event: BaseEvent) {
        if let BaseEvent::Block = event {
            return self.seal();
        }
        if self.machines[machine].life != life {
            return;
        }
        let of = (machine, life);
        let from_base = matches!(event, BaseEvent::Ask(_) | BaseEvent::Expire(_));
        if self.machines[machine].paused && !from_base {
            return self.schedule_base(self.now.after(PAUSED_US), of, event);
        }
        match event {
            BaseEvent::Block => {}
            BaseEvent::Due { certificate, due } => {
                let honest = self.machines[machine].is_honest();
                if let Some(base) = self.base.as_mut().filter(|_| honest) {
                    due.iter().for_each(|d| base.watch.due(d.height, self.now));
                }
                if let Some(poster) = &mut self.machines[machine].poster {
                    poster.stale = poster.newest.replace(certificate.clone());
                    poster.unposted.add(certificate, &due);
                    let unposted = poster.unposted.clone();
                    self.post(machine, Input::Due(unposted));
                }
            }
            BaseEvent::Wake => {
                let now = self.now;
                let poster = self.machines[machine].poster.as_mut();
                if let Some(poster) = poster.filter(|p| p.wake_at.is_some_and(|at| at <= now)) {
                    poster.wake_at = None;
                    self.post(machine, Input::Tick);
                }
            }
            BaseEvent::Ask(question) => self.answer(machine, question),
            BaseEvent::Answer(input) => self.post(machine, input),
            BaseEvent::Expire(hash) => {
                let Some(base) = &mut self.base else { return };
                let waited = base.waiting.len();
                base.waiting.retain(|w| w.hash != hash);
                if base.waiting.len() < waited {
                    self.schedule_base(self.now, of, BaseEvent::Answer(Input::Unreachable));
                }
            }
        }
    }

    /// Hands an input to a machine's posting and does what follows.
    fn post(&mut self, machine: usize, input: Input) {
        let (now, life) = (self.now, self.machines[machine].life);
        let input = self.planted(machine, input);
        let ours = &mut self.machines[machine];
        let wall = now.wall(ours.skew);
        let Some(poster) = &mut ours.poster else {
            return;
        };
        let mut effects = Vec::new();
        poster.posting.handle(wall, input, &mut effects);
        for effect in effects {
            self.trace
                .number(now, machine, Mark::Posting, code(&effect));
            match effect {
                Effect::Look => self.ask(machine, Question::Look),
                Effect::Submit(certificate) => {
                    let silent = self.acts_as(machine, Kind::SilentPoster);
                    if silent {
                        let late = now.after(posting::TURN.0 * 1000);
                        let answer = BaseEvent::Answer(Input::Superseded);
                        self.schedule_base(late, (machine, life), answer);
                    } else {
                        self.ask(machine, Question::Submit(certificate));
                    }
                }
                Effect::Anchored(Seen { height, .. }) => {
                    self.machines[machine].disk.put_anchored(height, now);
                    self.take(machine, Work::Anchored(height));
                }
                Effect::Posted(_) => {}
                Effect::Alarm(missed) => {
                    let honest = self.machines[machine].is_honest() && missed.before == 0;
                    if let Some(base) = self.base.as_mut().filter(|_| honest) {
                        base.alarms += 1;
                    }
                }
            }
        }
        self.schedule_wake(machine);
    }

    fn schedule_wake(&mut self, machine: usize) {
        let ours = &mut self.machines[machine];
        let Some(poster) = &mut ours.poster else {
            return;
        };
        let Some(deadline) = poster.posting.next_deadline() else {
            return;
        };
        let at = Time::of_wall(deadline, ours.skew).max(self.now.after(1));
        if poster.wake_at.is_none_or(|scheduled| at < scheduled) {
            poster.wake_at = Some(at);
            let of = (machine, ours.life);
            self.schedule_base(at, of, BaseEvent::Wake);
        }
    }

    fn ask(&mut self, machine: usize, question: Question) {
        let of = (machine, self.machines[machine].life);
        let Some(base) = &mut self.base else { return };
        let at = base.arrival(self.now);
        self.schedule_base(at, of, BaseEvent::Ask(question));
    }

    /// The base chain answers, if it is there.
    fn answer(&mut self, machine: usize, question: Question) {
        let ours = &self.machines[machine];
        let (member, life, honest) = (ours.member, ours.life, ours.is_honest());
        let garbage = self.acts_as(machine, Kind::BadPoster);
        let Some(base) = &mut self.base else { return };
        let of = (machine, life);
        if base.is_down {
            let late = self.now.after(SILENCE_US);
            return self.schedule_base(late, of, BaseEvent::Answer(Input::Unreachable));
        }
        let back = base.arrival(self.now);
        let certificate = match question {
            Question::Look => {
                let (posted, finalised) = base.latest();
                let (posted, finalised) = (seen(posted), seen(finalised));
                let answer = BaseEvent::Answer(Input::Seen { posted, finalised });
                return self.schedule_base(back, of, answer);
            }
            Question::Submit(certificate) => certificate,
        };
        let posting = base.notarised(&self.cast, &certificate);
        if garbage {
            self.post_garbage(machine, posting);
            return self.schedule_base(back, of, BaseEvent::Answer(Input::Refused));
        }
        let sent = match base.judge(&posting) {
            Some(Verdict::Accepted) => base.submit(member, &posting, honest),
            Some(Verdict::Superseded(_)) => {
                return self.schedule_base(back, of, BaseEvent::Answer(Input::Superseded));
            }
            Some(Verdict::Refused(refusal)) => {
                let height = posting.statement.height;
                let what = format!("the contract refuses height {height}: {refusal}");
                if honest {
                    self.oracle
                        .violation(Rule::Checkpoint, self.now, member, what);
                }
                return self.schedule_base(back, of, BaseEvent::Answer(Input::Refused));
            }
            None => None,
        };
        let Some(hash) = sent else {
            return self.schedule_base(back, of, BaseEvent::Answer(Input::Unreachable));
        };
        base.waiting.push(Waiting {
            machine,
            life,
            hash,
            height: posting.statement.height,
        });
        let expires = self.now.after(posting::TURN.0 * 1000);
        self.schedule_base(expires, of, BaseEvent::Expire(hash));
    }

    /// What a member that posts what it should not hands to the contract, without asking first.
    fn post_garbage(&mut self, machine: usize, honest: weft_basechain::local::Posting) {
        let ours = &self.machines[machine];
        let (member, stale) = (
            ours.member,
            ours.poster.as_ref().and_then(|p| p.stale.clone()),
        );
        let Some(base) = &mut self.base else { return };
        let mut garbage = honest;
        match base.draw(4) {
            0 => garbage.statement.state_root.0[0] ^= 1,
            1 => garbage.statement.height = Height(garbage.statement.height.0 + 1_000),
            2 => garbage.bitmap = vec![0; garbage.bitmap.len()].into(),
            _ => {
                if let Some(stale) = stale {
                    garbage = base.notarised(&self.cast, &stale);
                }
            }
        }
        base.submit(member, &garbage, false);
    }

    fn acts_as(&self, machine: usize, kind: Kind) -> bool {
        let crime = self.machines[machine].crime.as_ref();
        crime.is_some_and(|c| c.kind == kind && c.is_active(self.now))
    }

    /// What planted bugs make of an input.
    fn planted(&self, machine: usize, input: Input) -> Input {
        let Input::Seen { posted, finalised } = input else {
            return input;
        };
        let finalised = match self.plan.planted {
            Some(Planted::AnchoredAtPosted) => posted,
            _ => finalised,
        };
        let before = match self.plan.planted {
            Some(Planted::ReorgUnnoticed) => {
                let poster = self.machines[machine].poster.as_ref();
                poster.map_or(Seen::default(), |p| p.posting.posted())
            }
            _ => Seen::default(),
        };
        let posted = if before.height > posted.height {
            before
        } else {
            posted
        };
        Input::Seen { posted, finalised }
    }
}

fn code(effect: &Effect) -> u64 {
    match effect {
        Effect::Look => 1,
        Effect::Submit(certificate) => certificate.statement.height.0 << 3 | 2,
        Effect::Posted(seen) => seen.height.0 << 3 | 3,
        Effect::Anchored(seen) => seen.height.0 << 3 | 4,
        Effect::Alarm(missed) => missed.due.height.0 << 3 | 5,
    }
}
