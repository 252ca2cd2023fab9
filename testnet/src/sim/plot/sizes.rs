//! What a commit costs each member, over the committee's size: two drawings side by side, both axes
//! logarithmic, so that a straight line is a power of the size.

use super::escaped;
use crate::sim::compare::SizeRow;
use std::fmt::Write as _;

/// Pixels of one drawing, between the two, and around them.
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 300.0;
const GAP: f64 = 90.0;
const MARGIN: f64 = 70.0;

/// A line of a drawing: its name, its colour, its value for a size.
type Line = (&'static str, &'static str, fn(&SizeRow) -> f64);

const BYTES: [Line; 2] = [
    ("bytes sent", "#1b7f4d", |row| row.bytes),
    ("of these links", "#4a6fa5", |row| {
        let whole =
            row.vertex.links + row.vertex.transactions + row.vertex.shares + row.vertex.rest;
        row.bytes * row.vertex.links as f64 / whole.max(1) as f64
    }),
];
const CPU: [Line; 2] = [
    ("CPU ms, signatures", "#c0392b", |row| row.cpu_real_ms),
    ("CPU ms, mock signer", "#e08e0b", |row| row.cpu_mock_ms),
];

/// The drawing, under a title.
pub fn svg(rows: &[SizeRow], title: &str) -> String {
    let (width, height) = (2.0 * (MARGIN + WIDTH) + GAP, HEIGHT + 2.0 * MARGIN);
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="{MARGIN}" y="22" font-size="13">{}</text>
<text x="{MARGIN}" y="38" fill="#555">per commit and member; both axes logarithmic</text>
"##,
        escaped(title)
    );
    for (place, lines) in [BYTES, CPU].into_iter().enumerate() {
        let left = MARGIN + place as f64 * (WIDTH + GAP);
        out.push_str(&drawing(rows, &lines, left));
    }
    out.push_str("</svg>\n");
    out
}

fn drawing(rows: &[SizeRow], lines: &[Line], left: f64) -> String {
    let values = rows
        .iter()
        .flat_map(|row| lines.iter().map(|(.., value)| value(row)));
    let positive: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    let low = positive.iter().copied().fold(f64::INFINITY, f64::min);
    let high = positive.iter().copied().fold(0.0, f64::max);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return String::new();
    };
    if positive.is_empty() {
        return String::new();
    }
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let (from, to) = ((first.nodes as f64).log10(), (last.nodes as f64).log10());
    let bottom = MARGIN + HEIGHT;
    let x = |nodes: usize| left + WIDTH * ((nodes as f64).log10() - from) / (to - from).max(0.1);
    let y = |value: f64| bottom - HEIGHT * (value.log10() - low) / (high - low).max(1.0);
    let mut out = String::new();
    let mut draw = |text: String| out.push_str(&text);
    for power in low as i32..=high as i32 {
        let (at, value) = (y(10f64.powi(power)), 10f64.powi(power));
        draw(format!(
            "<line x1=\"{left:.0}\" x2=\"{:.0}\" y1=\"{at:.0}\" y2=\"{at:.0}\" stroke=\"#dde2ea\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{value}</text>\n",
            left + WIDTH,
            left - 6.0,
            at + 4.0
        ));
    }
    for row in rows {
        let (at, below) = (x(row.nodes), bottom + 16.0);
        let nodes = row.nodes;
        draw(format!(
            "<text x=\"{at:.0}\" y=\"{below:.0}\" text-anchor=\"middle\">{nodes}</text>\n"
        ));
    }
    for (place, (name, colour, value)) in lines.iter().enumerate() {
        let mut points = String::new();
        for row in rows.iter().filter(|row| value(row) > 0.0) {
            let written = write!(points, "{:.1},{:.1} ", x(row.nodes), y(value(row)));
            debug_assert!(written.is_ok(), "writing to a string");
        }
        let label = MARGIN + 14.0 + 16.0 * place as f64;
        draw(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.0}\" y=\"{label:.0}\" fill=\"{colour}\">{name}</text>\n",
            points.trim_end(),
            left + 10.0
        ));
    }
    out
}
