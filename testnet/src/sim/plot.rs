//! A run as a drawing (SVG): above, the DAG as one member saw it, a column for each round and a row for
//! each member; below, what transactions took over time.
//!
//! A line is a parent, a thin dashed one a weak link. A leader's vertex is a square: filled when it was
//! committed, crossed out when the order has passed it over, hollow while it is open. Other vertices are
//! dots, pale until they are output; two by one author in one round stand apart. Red rings are where a rule
//! was broken. The time of faults that come or go is shaded.

mod chart;
mod dag;
mod sizes;

pub use sizes::svg as sizes_svg;

use super::record::{Mark, Record};

/// Pixels left and right of the drawings.
const LEFT: u64 = 64;
const RIGHT: u64 = 40;
/// Narrowest drawing, so that words and the lower drawing have room.
const WIDTH_MIN: u64 = 900;
/// Height of the lower drawing, and of a line of words.
const CHART: u64 = 180;
const LINE: u64 = 16;
/// Between the drawings, for the rounds' numbers and a heading.
const GAP: u64 = 56;
/// Mean width of a letter, with some to spare.
const LETTER: u64 = 7;
/// Broken rules that are named; all are marked.
const NAMED: usize = 3;

const STYLE: &str = "<style>.p{stroke:#b8c0cc;stroke-width:.7}\
.w{stroke:#9b8ac4;stroke-width:.5;stroke-dasharray:3 2}.v{fill:#4a6fa5}.o{fill:#dde4ee;stroke:#7d8ca3;stroke-width:.7}.c{fill:#1b7f4d}\
.s{fill:none;stroke:#c0392b;stroke-width:1.5}.u{fill:#fff;stroke:#e08e0b;stroke-width:1.5}\
.f{fill:#f5c26b;fill-opacity:.25}.h{stroke:#777;stroke-dasharray:5 3}\
.b{fill:none;stroke:#d0021b;stroke-width:2}</style>";

const LEGEND: &str = "squares lead: green committed, red skipped, orange open; dots are other vertices, \
pale ones not output yet; lines are parents, thin dashed ones weak links; shaded while a fault comes and goes; \
after the dashed upright line the faults are over";

/// The whole drawing, under a title.
pub fn svg(record: &Record, title: &str) -> String {
    let dag = dag::Dag::new(record);
    let width = (LEFT + RIGHT + dag.width()).max(WIDTH_MIN);
    let mut page = Page::new(width);
    page.words(title, 13, "#000");
    let (first, last) = record.rounds();
    let which = format!("rounds {first} to {last}, as member 0 saw them; {LEGEND}");
    page.words(&which, 11, "#555");
    for mark in record.marks.iter().take(NAMED) {
        let Mark {
            round,
            member,
            words,
            at,
        } = mark;
        let at = at.seconds();
        let what = format!("red ring: round {round}, member {member}: {words}, at {at:.3} s");
        page.words(&what, 11, "#d0021b");
    }
    page.y += LINE;
    dag.draw(&mut page);
    page.y += GAP;
    chart::draw(record, &mut page);
    page.finish()
}

/// What is drawn so far, and where to go on.
struct Page {
    width: u64,
    y: u64,
    body: String,
}

impl Page {
    fn new(width: u64) -> Self {
        Self {
            width,
            y: LINE,
            body: String::new(),
        }
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// As many lines as the words need.
    fn words(&mut self, text: &str, size: u64, colour: &str) {
        let letters = (self.width - LEFT - RIGHT) * 11 / (LETTER * size);
        for line in wrapped(text, letters as usize) {
            self.y += LINE;
            let y = self.y;
            let line = escaped(&line);
            self.add(&format!(
                r#"<text x="{LEFT}" y="{y}" font-size="{size}" fill="{colour}">{line}</text>"#
            ));
        }
    }

    fn finish(self) -> String {
        let Self { width, y, body } = self;
        let height = y + 2 * LINE;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">
{STYLE}
<rect width="100%" height="100%" fill="#fff"/>
{body}</svg>
"##
        )
    }
}

/// Lines of at most so many letters; a longer word is cut.
fn wrapped(text: &str, letters: usize) -> Vec<String> {
    let letters = letters.max(8);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        for piece in characters.chunks(letters) {
            let last = lines.len() - 1;
            let line = &mut lines[last];
            let used = line.chars().count();
            if used > 0 && used + 1 + piece.len() > letters {
                lines.push(piece.iter().collect());
                continue;
            }
            if used > 0 {
                line.push(' ');
            }
            line.extend(piece);
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
