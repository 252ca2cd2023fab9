//! The lower drawing: each transaction as a dot, when it was submitted and how long it took. The few that
//! took far longer than the others are marks at the upper edge, or they would press all others flat.

use super::{CHART, LEFT, Page, RIGHT};
use crate::sim::record::Record;
use std::fmt::Write as _;

/// Of a thousand transactions so many are drawn to scale.
const TO_SCALE: usize = 995;
/// Ticks of an axis at most.
const TICKS: f64 = 8.0;

/// Where time and latency are on the page, in pixels.
struct Scale {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// Microseconds at the right and at the upper edge.
    latest: f64,
    highest: f64,
}

impl Scale {
    fn x(&self, us: f64) -> f64 {
        self.left + (self.right - self.left) * us / self.latest
    }

    fn y(&self, us: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * us / self.highest
    }
}

/// Draws from the page's place on, and moves it to the end.
pub fn draw(record: &Record, page: &mut Page) {
    let submitted = record.latencies.iter().map(|(at, _)| at.0);
    let latest = submitted.chain([record.healed.0, 1]).max().unwrap_or(1) as f64;
    let highest = highest(record);
    let scale = Scale {
        left: LEFT as f64,
        right: (page.width - RIGHT) as f64,
        top: page.y as f64,
        bottom: (page.y + CHART) as f64,
        latest,
        highest: highest as f64 * 1.05,
    };
    heading(record, highest, page);
    page.y += CHART;
    faults(record, &scale, page);
    axes(&scale, page);
    dots(record, highest, &scale, page);
    for mark in &record.marks {
        let (x, top, bottom) = (scale.x(mark.at.0 as f64), scale.top, scale.bottom);
        page.add(&format!(
            r#"<line class="b" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/>"#
        ));
    }
}

/// The latency at the upper edge, in microseconds: the longest, unless a few are more than twice as long as
/// all others.
fn highest(record: &Record) -> u64 {
    let mut sorted: Vec<u64> = record.latencies.iter().map(|(_, us)| *us).collect();
    sorted.sort_unstable();
    let Some(longest) = sorted.last().copied() else {
        return 1;
    };
    let usual = sorted[(sorted.len() - 1) * TO_SCALE / 1000];
    let highest = if longest > 2 * usual { usual } else { longest };
    highest.max(1)
}

fn heading(record: &Record, highest: u64, page: &mut Page) {
    let mut words = "latency of transactions, ms, by when they were submitted, s".to_owned();
    let beyond = record.latencies.iter().filter(|(_, us)| *us > highest);
    let (count, longest) = beyond.fold((0, 0), |(n, most), (_, us)| (n + 1, most.max(*us)));
    if count > 0 {
        let (highest, longest) = (highest / 1000, longest / 1000);
        let written = write!(
            words,
            "; red marks: {count} above {highest} ms, up to {longest}"
        );
        debug_assert!(written.is_ok(), "writing to a string");
    }
    if record.latencies.is_empty() {
        words.push_str(": none was committed");
    }
    let y = page.y - 10;
    page.add(&format!(
        r##"<text x="{LEFT}" y="{y}" fill="#555">{words}</text>"##
    ));
}

fn faults(record: &Record, scale: &Scale, page: &mut Page) {
    let (top, height) = (scale.top, scale.bottom - scale.top);
    for (place, window) in record.windows.iter().enumerate() {
        let (x, end) = (
            scale.x(window.begins.0 as f64),
            scale.x(window.ends.0 as f64),
        );
        let width = end - x;
        let name = &window.name;
        // Names of windows that overlap stand below each other.
        let y = top + 12.0 + 12.0 * (place % 8) as f64;
        page.add(&format!(
            r##"<rect class="f" x="{x:.1}" y="{top}" width="{width:.1}" height="{height}"/><text x="{:.1}" y="{y}" fill="#8a5a00">{name}</text>"##,
            x + 3.0
        ));
    }
    let (x, bottom) = (scale.x(record.healed.0 as f64), scale.bottom);
    page.add(&format!(
        r#"<line class="h" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/>"#
    ));
}

fn axes(scale: &Scale, page: &mut Page) {
    let Scale {
        left,
        right,
        top,
        bottom,
        ..
    } = scale;
    for ms in ticks(scale.highest / 1000.0) {
        let (y, x) = (scale.y(ms * 1000.0), left - 6.0);
        let low = y + 4.0;
        page.add(&format!(
            r##"<line x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}" stroke="#e3e7ed"/><text x="{x}" y="{low:.1}" text-anchor="end" fill="#555">{ms}</text>"##
        ));
    }
    for s in ticks(scale.latest / 1e6) {
        let (x, y) = (scale.x(s * 1e6), bottom + 16.0);
        page.add(&format!(
            r##"<text x="{x:.1}" y="{y}" text-anchor="middle" fill="#555">{s}</text>"##
        ));
    }
    page.add(&format!(
        r##"<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#555"/>"##
    ));
}

fn dots(record: &Record, highest: u64, scale: &Scale, page: &mut Page) {
    let (mut dots, mut beyond) = (String::new(), String::new());
    for (at, us) in &record.latencies {
        let x = scale.x(at.0 as f64);
        let written = if *us > highest {
            let (top, left, right) = (scale.top, x - 3.0, x + 3.0);
            let low = top + 6.0;
            write!(
                beyond,
                r#"<path d="M{x:.1} {top}L{left:.1} {low}H{right:.1}Z"/>"#
            )
        } else {
            let y = scale.y(*us as f64);
            write!(dots, r#"<circle cx="{x:.1}" cy="{y:.1}" r="1.5"/>"#)
        };
        debug_assert!(written.is_ok(), "writing to a string");
    }
    page.add(&format!(
        r##"<g fill="#4a6fa5" fill-opacity=".5">{dots}</g><g fill="#d0021b">{beyond}</g>"##
    ));
}

/// Round numbers from zero to a value, with steps of 1, 2 or 5 times a power of ten.
pub fn ticks(to: f64) -> Vec<f64> {
    if !to.is_finite() || to <= 0.0 {
        return vec![0.0];
    }
    let power = 10f64.powf((to / TICKS).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| to / step <= TICKS);
    let step = step.unwrap_or(to);
    // A step that fits whole may come out a hair short.
    let count = (to / step + 1e-9).floor() as u64;
    let tick = |place: u64| {
        let value = place as f64 * step;
        (value * 1e6).round() / 1e6
    };
    (0..=count).map(tick).collect()
}
