//! A run as a drawing (SVG): above, the DAG as one member saw it, a column for each round and a row for
//! each member; below, what transactions took over time.
//!
//! A line is a parent. A leader's vertex is a square: filled when it was committed, crossed out when the
//! order has passed it over, hollow while it is open. Other vertices are dots, pale until they are output.

mod sizes;

pub use sizes::svg as sizes_svg;

use super::record::Record;
use std::fmt::Write as _;
use weft_types::{MemberIndex, Round, VertexRef};

/// Pixels between rounds, between members, and around the drawing.
const COLUMN: u64 = 26;
const ROW: u64 = 22;
const MARGIN: u64 = 60;
/// Height of the lower drawing.
const CHART: u64 = 160;
/// Rounds that are drawn, the last ones.
const ROUNDS: u64 = 60;

/// The whole drawing, under a title.
pub fn svg(record: &Record, title: &str) -> String {
    let last = record.last_round().0;
    let first = last.saturating_sub(ROUNDS - 1).max(1);
    let drawing = Drawing {
        record,
        first,
        last: last.max(first),
    };
    let width = 2 * MARGIN + COLUMN * (drawing.last - first + 1);
    let dag_height = ROW * record.members as u64;
    let height = 3 * MARGIN + dag_height + CHART;
    let mut out = String::new();
    let mut draw = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    draw(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">
<style>.p{{stroke:#b8c0cc;stroke-width:.7}}.v{{fill:#4a6fa5}}.o{{fill:#c9d3e0}}.c{{fill:#1b7f4d}}.s{{fill:none;stroke:#c0392b;stroke-width:1.5}}.u{{fill:#fff;stroke:#e08e0b;stroke-width:1.5}}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="{MARGIN}" y="22" font-size="13">{}</text>
<text x="{MARGIN}" y="38" fill="#555">squares lead: green committed, red skipped, orange open; pale dots are not output yet; rounds {first} to {last}</text>"##,
        escaped(title)
    ));
    drawing.links(&mut draw);
    drawing.vertices(&mut draw);
    drawing.axes(&mut draw);
    chart(record, width, 2 * MARGIN + dag_height, &mut draw);
    draw("</svg>".to_owned());
    out
}

struct Drawing<'a> {
    record: &'a Record,
    first: u64,
    last: u64,
}

impl Drawing<'_> {
    fn x(&self, round: Round) -> u64 {
        MARGIN + COLUMN * (round.0 - self.first) + COLUMN / 2
    }

    fn y(author: MemberIndex) -> u64 {
        MARGIN + ROW * u64::from(author.0)
    }

    fn shown(&self) -> impl Iterator<Item = (&VertexRef, &Vec<VertexRef>)> {
        let vertices = self.record.vertices.iter();
        let shown = vertices.filter(|(vertex, _)| vertex.round.0 >= self.first);
        shown.map(|(vertex, (_, parents))| (vertex, parents))
    }

    fn links(&self, draw: &mut impl FnMut(String)) {
        for (vertex, parents) in self.shown() {
            for parent in parents.iter().filter(|p| p.round.0 >= self.first) {
                draw(format!(
                    r#"<line class="p" x1="{}" y1="{}" x2="{}" y2="{}"/>"#,
                    self.x(vertex.round),
                    Self::y(vertex.author),
                    self.x(parent.round),
                    Self::y(parent.author)
                ));
            }
        }
    }

    fn vertices(&self, draw: &mut impl FnMut(String)) {
        for (vertex, _) in self.shown() {
            let class = if self.record.output.contains(vertex) {
                "v"
            } else {
                "o"
            };
            let (x, y) = (self.x(vertex.round), Self::y(vertex.author));
            draw(format!(
                r#"<circle class="{class}" cx="{x}" cy="{y}" r="3"/>"#
            ));
        }
        let decided = self.record.decided();
        for (round, leaders) in self.record.leaders.range(Round(self.first)..) {
            for leader in leaders {
                let (x, y) = (self.x(*round) - 5, Self::y(*leader).saturating_sub(5));
                let committed = self.record.committed.keys();
                let mut of_slot = committed.filter(|v| v.round == *round && v.author == *leader);
                let class = match of_slot.next() {
                    Some(_) => "c",
                    None if *round < decided => "s",
                    None => "u",
                };
                draw(format!(
                    r#"<rect class="{class}" x="{x}" y="{y}" width="10" height="10"/>"#
                ));
                if class == "s" {
                    let (right, bottom) = (x + 10, y + 10);
                    draw(format!(
                        r#"<line class="s" x1="{x}" y1="{y}" x2="{right}" y2="{bottom}"/>"#
                    ));
                }
            }
        }
    }

    fn axes(&self, draw: &mut impl FnMut(String)) {
        for member in 0..self.record.members as u32 {
            let y = Self::y(MemberIndex(member)) + 4;
            draw(format!(
                r##"<text x="12" y="{y}" fill="#555">{member}</text>"##
            ));
        }
        let y = Self::y(MemberIndex(self.record.members as u32)) + 4;
        for round in (self.first..=self.last).filter(|r| r % 5 == 0) {
            let x = self.x(Round(round));
            draw(format!(
                r##"<text x="{x}" y="{y}" text-anchor="middle" fill="#555">{round}</text>"##
            ));
        }
    }
}

/// Each transaction as a dot: when it was submitted, how long it took.
fn chart(record: &Record, width: u64, top: u64, draw: &mut impl FnMut(String)) {
    let bottom = top + CHART;
    let latest = record
        .latencies
        .iter()
        .map(|(at, _)| at.0)
        .max()
        .unwrap_or(1)
        .max(1);
    let longest = record
        .latencies
        .iter()
        .map(|(_, us)| *us)
        .max()
        .unwrap_or(1)
        .max(1);
    let right = width - MARGIN;
    draw(format!(
        r##"<path d="M{MARGIN} {top}V{bottom}H{right}" fill="none" stroke="#555"/>
<text x="8" y="{}" fill="#555">{} ms</text><text x="{right}" y="{}" text-anchor="end" fill="#555">{:.1} s</text>
<text x="{MARGIN}" y="{}" fill="#555">latency of transactions, by when they were submitted</text>"##,
        top + 4,
        longest / 1000,
        bottom + 16,
        latest as f64 / 1e6,
        top.saturating_sub(8),
    ));
    let mut dots = String::new();
    for (at, us) in &record.latencies {
        let x = MARGIN as f64 + (right - MARGIN) as f64 * (at.0 as f64 / latest as f64);
        let y = bottom as f64 - CHART as f64 * (*us as f64 / longest as f64);
        let written = write!(dots, r#"<circle cx="{x:.1}" cy="{y:.1}" r="1.5"/>"#);
        debug_assert!(written.is_ok(), "writing to a string");
    }
    draw(format!(
        r##"<g fill="#4a6fa5" fill-opacity=".5">{dots}</g>"##
    ));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
