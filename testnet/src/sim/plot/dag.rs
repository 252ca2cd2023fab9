//! The upper drawing: vertices, links, leaders, broken rules.

use super::{LEFT, Page};
use crate::sim::record::{Record, Seen};
use crate::sim::time::Time;
use std::collections::BTreeMap;
use weft_types::{MemberIndex, Round, VertexRef};

/// Pixels between rounds, and between members.
const COLUMN: u64 = 26;
const ROW: u64 = 22;
/// Between two vertices of one author and round.
const APART: i64 = 8;

pub struct Dag<'a> {
    record: &'a Record,
    first: u64,
    last: u64,
    /// How far a vertex stands below its row: two of one author and round would hide each other.
    shifts: BTreeMap<VertexRef, i64>,
    /// When each round was first seen.
    began: BTreeMap<u64, Time>,
}

impl<'a> Dag<'a> {
    pub fn new(record: &'a Record) -> Self {
        let (first, last) = record.rounds();
        let mut dag = Self {
            record,
            first: first.0,
            last: last.0.max(first.0),
            shifts: BTreeMap::new(),
            began: BTreeMap::new(),
        };
        let mut slots: BTreeMap<(Round, MemberIndex), Vec<VertexRef>> = BTreeMap::new();
        let mut began = BTreeMap::new();
        for (vertex, seen) in dag.shown() {
            let slot = slots.entry((vertex.round, vertex.author)).or_default();
            slot.push(*vertex);
            let first: &mut Time = began.entry(vertex.round.0).or_insert(seen.at);
            *first = seen.at.min(*first);
        }
        dag.began = began;
        for versions in slots.values().filter(|v| v.len() > 1) {
            let middle = APART * (versions.len() as i64 - 1) / 2;
            for (place, vertex) in versions.iter().enumerate() {
                dag.shifts.insert(*vertex, APART * place as i64 - middle);
            }
        }
        dag
    }

    pub fn width(&self) -> u64 {
        COLUMN * (self.last - self.first + 1)
    }

    /// Whether somebody has two vertices in a round.
    #[cfg(test)]
    pub fn has_pairs(&self) -> bool {
        !self.shifts.is_empty()
    }

    fn x(&self, round: u64) -> u64 {
        LEFT + COLUMN * round.saturating_sub(self.first) + COLUMN / 2
    }

    fn is_shown(&self, round: Round) -> bool {
        (self.first..=self.last).contains(&round.0)
    }

    fn shown(&self) -> impl Iterator<Item = (&'a VertexRef, &'a Seen)> {
        let (first, last) = (self.first, self.last);
        let vertices = self.record.vertices.iter();
        vertices.filter(move |(vertex, _)| (first..=last).contains(&vertex.round.0))
    }

    /// Draws from the page's place on, and moves it to the end.
    pub fn draw(&self, page: &mut Page) {
        let top = page.y + ROW / 2;
        page.y += ROW * self.record.members as u64;
        self.faults(page, top);
        for weak in [true, false] {
            self.links(page, top, weak);
        }
        self.vertices(page, top);
        self.leaders(page, top);
        for mark in self.record.marks.iter().filter(|m| self.is_shown(m.round)) {
            let (x, y) = (self.x(mark.round.0), row(top, mark.member));
            page.add(&format!(r#"<circle class="b" cx="{x}" cy="{y}" r="11"/>"#));
        }
        self.axes(page, top);
    }

    fn place(&self, top: u64, vertex: &VertexRef) -> (u64, u64) {
        let shift = self.shifts.get(vertex).copied().unwrap_or_default();
        let y = row(top, vertex.author).saturating_add_signed(shift);
        (self.x(vertex.round.0), y)
    }

    /// Shades the rounds that began during a fault, and marks the first one after all faults.
    fn faults(&self, page: &mut Page, top: u64) {
        let (top, bottom) = (top - ROW / 2, page.y);
        for window in &self.record.windows {
            let during = |at: &Time| window.begins <= *at && *at < window.ends;
            let mut rounds = self.began.iter().filter(|(_, at)| during(at));
            let Some((first, _)) = rounds.next() else {
                continue;
            };
            let last = rounds.next_back().map_or(*first, |(round, _)| *round);
            let (x, width) = (self.x(*first) - COLUMN / 2, COLUMN * (last - first + 1));
            let height = bottom - top;
            let name = &window.name;
            page.add(&format!(
                r#"<rect class="f" x="{x}" y="{top}" width="{width}" height="{height}"><title>{name}</title></rect>"#
            ));
        }
        let healed = self.record.healed;
        let mut after = self.began.iter().skip_while(|(_, at)| **at < healed);
        if let Some((round, _)) = after.next()
            && *round > self.first
        {
            let x = self.x(*round) - COLUMN / 2;
            page.add(&format!(
                r#"<line class="h" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>"#
            ));
        }
    }

    fn links(&self, page: &mut Page, top: u64, weak: bool) {
        let class = if weak { "w" } else { "p" };
        for (vertex, seen) in self.shown() {
            let links = if weak { &seen.weak } else { &seen.parents };
            for link in links.iter().filter(|link| self.is_shown(link.round)) {
                let ((x1, y1), (x2, y2)) = (self.place(top, vertex), self.place(top, link));
                page.add(&format!(
                    r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#
                ));
            }
        }
    }

    fn vertices(&self, page: &mut Page, top: u64) {
        for (vertex, _) in self.shown() {
            let is_output = self.record.output.contains(vertex);
            let class = if is_output { "v" } else { "o" };
            let (x, y) = self.place(top, vertex);
            page.add(&format!(
                r#"<circle class="{class}" cx="{x}" cy="{y}" r="3"/>"#
            ));
        }
    }

    fn leaders(&self, page: &mut Page, top: u64) {
        for (round, leaders) in &self.record.leaders {
            for leader in leaders.iter().filter(|_| self.is_shown(*round)) {
                self.leader(page, top, *round, *leader);
            }
        }
    }

    fn leader(&self, page: &mut Page, top: u64, round: Round, leader: MemberIndex) {
        let committed = self.record.committed.keys();
        let mut of_slot = committed.filter(|v| v.round == round && v.author == leader);
        let of_slot = of_slot.next();
        let (x, y) = of_slot.map_or((self.x(round.0), row(top, leader)), |v| self.place(top, v));
        let (x, y) = (x - 5, y.saturating_sub(5));
        let class = match of_slot {
            Some(_) => "c",
            None if round < self.record.decided => "s",
            None => "u",
        };
        page.add(&format!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="10" height="10"/>"#
        ));
        if class == "s" {
            let (right, bottom) = (x + 10, y + 10);
            page.add(&format!(
                r#"<line class="s" x1="{x}" y1="{y}" x2="{right}" y2="{bottom}"/>"#
            ));
        }
    }

    fn axes(&self, page: &mut Page, top: u64) {
        for member in 0..self.record.members as u32 {
            let (x, y) = (LEFT - 12, row(top, MemberIndex(member)) + 4);
            page.add(&format!(
                r##"<text x="{x}" y="{y}" text-anchor="end" fill="#555">{member}</text>"##
            ));
        }
        let y = page.y + 14;
        let few = self.last - self.first < 10;
        for round in (self.first..=self.last).filter(|r| few || r % 5 == 0) {
            let x = self.x(round);
            page.add(&format!(
                r##"<text x="{x}" y="{y}" text-anchor="middle" fill="#555">{round}</text>"##
            ));
        }
    }
}

fn row(top: u64, member: MemberIndex) -> u64 {
    top + ROW * u64::from(member.0)
}
