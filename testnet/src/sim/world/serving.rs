//! What machines answer to each other beside the replica's thread, as the driver does.

use super::{Answer, Ask, Packet, World};
use crate::sim::crimes::Scene;
use crate::sim::envelope::Envelope;
use crate::sim::machine::{Shown, Work};
use crate::sim::plan::Planted;
use crate::sim::trace::Mark;
use std::rc::Rc;
use weft_consensus::Wanted;
use weft_node::replica::copies::ProcessId;
use weft_types::{Epoch, MemberIndex, Millis, Round, Verified, Vertex};

/// As in the driver: vertices in one answer, and their bytes.
const ANSWER_VERTICES_MAX: usize = 1024;
const ANSWER_BYTES_MAX: u64 = 6 << 20;
/// How old a planted stale answer is.
const STALE_MS: u64 = 500;

impl World {
    /// Answers out of the disk, as the driver does.
    pub(super) fn serve(&mut self, machine: usize, ask: &Ask) {
        if !self.serves(machine) {
            return;
        }
        let asker = self.machines[ask.machine].member;
        let ours = &self.machines[machine];
        let by = ours
            .seating
            .place(asker)
            .filter(|_| ask.epoch == ours.epoch());
        if let Wanted::Vertices(vertices) = &ask.wanted
            && let Some(by) = by
        {
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
                let found = asked.filter_map(|v| disk.vertex(ask.epoch, v));
                found.take_while(&mut fits).collect()
            }
            Wanted::Rounds { after, until, held } => {
                let first = after.saturating_add(1);
                let page = disk
                    .vertices_from(ask.epoch, first)
                    .take(ANSWER_VERTICES_MAX);
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
        self.reply(machine, ask.machine, Packet::Answer(Rc::new(answer)));
    }

    /// S1: answers with the own latest vertex, as the driver does; a criminal with what suits it.
    pub(super) fn show_latest(
        &mut self,
        machine: usize,
        (asker, life): (usize, u32),
        epoch: Epoch,
        (of, asked): (MemberIndex, Millis),
    ) {
        let now = self.now;
        if !self.serves(machine) {
            return;
        }
        // Observers are not answered.
        let seating = self.machines[machine].seating.clone();
        let asking = self.machines[asker].member;
        let Some(to) = seating.place(asking) else {
            return;
        };
        let ours = &mut self.machines[machine];
        // S1.9: a machine is another process whenever it starts.
        let process = ProcessId(((asker as u64) << 32) | u64::from(life));
        let wall = now.wall(ours.skew);
        let another = ours.askers.asked(asking as u64, process, wall);
        let own = ours.disk.own();
        let own = match self.plan.planted {
            Some(Planted::StaleAnswers) => {
                let before = Millis(now.wall(ours.skew).0.saturating_sub(STALE_MS));
                let vertices = ours.disk.vertices_from(epoch, Round::ZERO);
                let place = ours.place();
                let mine = |v: &&Verified<Vertex>| Some(v.author()) == place;
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
                    seating: &seating,
                    member: ours.member,
                    disk: &ours.disk,
                    planted: self.plan.planted,
                    delay: 0,
                };
                let crime = ours.crime.as_mut();
                match crime.map_or(Some(own.clone()), |c| c.latest(&scene, own)) {
                    Some(vertex) => Shown::Vertex(Envelope::new(&vertex, self.plan.signer)),
                    None => Shown::Nothing,
                }
            }
        };
        let disk = &self.machines[machine].disk;
        let own = disk.own().filter(|v| v.epoch() == epoch);
        let newest = own.map_or(Round::ZERO, |v| v.round().saturating_sub(1));
        let newest = disk.vertices_from(epoch, newest);
        let of_asker = newest.filter(|v| v.author() == to).last();
        let of_asker = of_asker.map(|v| Envelope::new(v, self.plan.signer));
        let packet = Packet::Latest {
            epoch,
            of,
            asked,
            another: another && self.plan.planted != Some(Planted::NoAskers),
            shown,
            of_asker,
            life,
        };
        self.reply(machine, asker, packet);
    }
}
