//! Where words and data go: data to stdout, as JSON or for people, words to stderr.
//!
//! Nothing else writes to stdout. A reader that went away, as `head` does, ends the output and not the
//! command: nothing is said, and the exit code tells how the work went.
//!
//! People see times in UTC and tables that fit their terminal, for which ids are shortened in the middle.
//! Off a terminal tables keep every id whole, however wide they are, so that scripts can cut them.

use crate::failure::Failure;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How this run of the program prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    colour: bool,
    terminal: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Self {
            json,
            colour: terminal && !refused,
            terminal,
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether words may be coloured (`NO_COLOR`, and only on a terminal).
    pub fn is_coloured(&self) -> bool {
        self.colour
    }

    /// Prints data: as JSON when asked for, else what `text` makes of them.
    pub fn data<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let printed = if self.json {
            serde_json::to_string(value).map_err(io::Error::from)?
        } else {
            without_controls(&text(value), "\n")
        };
        self.raw(format!("{printed}\n").as_bytes())
    }

    /// Prints what is neither, byte for byte. A reader that went away is no failure.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says something to the person in front of it.
    pub fn say(&self, words: impl std::fmt::Display) {
        // Words are a courtesy: where stderr is gone the work goes on.
        let _ = writeln!(io::stderr().lock(), "{words}");
    }

    /// Says what nobody must overlook.
    pub fn alarm(&self, words: impl std::fmt::Display) {
        match self.colour {
            true => self.say(format_args!("\u{1b}[1;31m{words}\u{1b}[0m")),
            false => self.say(words),
        }
    }

    pub fn failure(&self, failure: &Failure) {
        let (begin, end) = if self.colour {
            ("\u{1b}[1;31m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        self.say(format_args!("{begin}error:{end} {}", failure.message));
        if let Some(hint) = &failure.hint {
            self.say(format_args!("  {hint}"));
        }
    }

    /// Progress of long work: a line that renews itself on a terminal, a line for each change
    /// elsewhere.
    pub fn progress(&self) -> Progress {
        let bar = self.terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} [{elapsed}] {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Progress {
            output: *self,
            bar,
            last: Mutex::default(),
        }
    }
}

/// What long work is doing at the moment.
pub struct Progress {
    output: Output,
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Progress {
    /// A step that has begun.
    pub fn step(&self, words: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(words.to_owned()),
            None => {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                if *last != words {
                    words.clone_into(&mut last);
                    self.output.say(words);
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Text that somebody else wrote, on one line.
pub fn one_line(text: &str) -> String {
    without_controls(text, "")
}

/// Control characters are shown, not obeyed: names and descriptions on the ledger are anybody's, and
/// could else write to the terminals of all who read them.
fn without_controls(text: &str, but: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !but.contains(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// A table in the look of all tables: a heading, columns by spaces.
pub fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heading);
    table
}

/// The table's lines. On a terminal that is too narrow for it ids are shortened, and what is too wide
/// even then goes on in the line below.
pub fn fit(table: &Table) -> String {
    fit_to(table, table.width())
}

fn fit_to(whole: &Table, terminal: Option<u16>) -> String {
    // Each column has a blank on both sides.
    let widths = whole.column_max_content_widths();
    let width = widths.iter().map(|w| usize::from(*w) + 2).sum::<usize>();
    // A terminal may not know its size, and say 0; below some width nothing can be read.
    let known = terminal.filter(|t| *t > 0).map(|t| t.max(WIDTH_MIN));
    let Some(terminal) = known.filter(|t| usize::from(*t) < width) else {
        return whole.trim_fmt();
    };
    let mut narrow = table(&[]);
    if let Some(heading) = whole.header() {
        narrow.set_header(heading.clone());
    }
    let mut shortened = false;
    for row in whole.row_iter() {
        let cells = row.cell_iter().map(|cell| {
            let text = cell.content();
            let short = with_short_ids(&text);
            shortened |= short != text;
            short
        });
        narrow.add_row(cells.collect::<Vec<_>>());
    }
    narrow
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal);
    let note = if shortened { SHORTENED } else { "" };
    format!("{}{note}", narrow.trim_fmt())
}

/// Narrower than this no table is made.
const WIDTH_MIN: u16 = 40;
const SHORTENED: &str = "\n(shortened to fit; whole with --json, or through a pipe: | cat)";
/// From so many characters without a break it is an id, an address or a key.
const ID_CHARS: usize = 40;

/// `weft1kkfc...llqye` for a whole address: enough to recognise it by.
fn with_short_ids(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let inside = rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        let end = rest.find(|c: char| c.is_ascii_alphanumeric() != inside);
        let (run, behind) = rest.split_at(end.unwrap_or(rest.len()));
        match inside && run.len() >= ID_CHARS {
            true => short.extend([&run[..9], "…", &run[run.len() - 6..]]),
            false => short.push_str(run),
        }
        rest = behind;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_neither_colour_a_terminal_nor_begin_a_line() {
        let name = "a\u{1b}[31mred\nb\u{9b}2J\u{7f} é 🃏";
        assert_eq!(one_line(name), "a\\u{1b}[31mred\\nb\\u{9b}2J\\u{7f} é 🃏");
        assert_eq!(without_controls("a\nb\r", "\n"), "a\nb\\r");
    }

    fn deals(name: &str) -> Table {
        let mut table = table(&["deal", "gives", "wants", "name"]);
        let (deal, item) = ("ab".repeat(32), "cd".repeat(32));
        let wants = format!("1000, item {item}");
        table.add_row([deal.as_str(), &format!("item {item}"), &wants, name]);
        table
    }

    #[test]
    fn a_table_fits_its_terminal_with_short_ids() {
        let text = fit_to(&deals("Mew"), Some(80));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(text.contains("ababababa…ababab"), "{text}");
        assert!(text.contains("1000, item cdcdcdcdc…cdcdcd"), "{text}");
        assert!(text.ends_with(SHORTENED));
        let tiny = fit_to(&deals("Mew"), Some(1));
        assert_eq!(tiny, fit_to(&deals("Mew"), Some(WIDTH_MIN)));
        // What has no ids to shorten goes on in the next line, whole.
        let text = fit_to(&deals(&"long name ".repeat(9)), Some(80));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert_eq!(text.matches("long").count(), 9, "{text}");
    }

    #[test]
    fn a_table_off_a_terminal_or_on_a_wide_one_keeps_ids_whole() {
        for terminal in [None, Some(0), Some(300)] {
            let text = fit_to(&deals("Mew"), terminal);
            assert_eq!(text.lines().count(), 2);
            assert!(text.contains(&"ab".repeat(32)), "{text}");
        }
    }
}
