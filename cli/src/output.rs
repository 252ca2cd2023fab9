//! Where words and data go: data to stdout, as JSON or for people, words to stderr.

use crate::failure::Failure;
use comfy_table::{Table, presets};
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

    /// Prints data: as JSON when asked for, else what `text` makes of them. A reader that went away
    /// (a closed pipe) is no failure.
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
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{printed}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says something to the person in front of it.
    pub fn say(&self, words: impl std::fmt::Display) {
        // Words are a courtesy: where stderr is gone the work goes on.
        let _ = writeln!(io::stderr().lock(), "{words}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_neither_colour_a_terminal_nor_begin_a_line() {
        let name = "a\u{1b}[31mred\nb\u{9b}2J\u{7f} é 🃏";
        assert_eq!(one_line(name), "a\\u{1b}[31mred\\nb\\u{9b}2J\\u{7f} é 🃏");
        assert_eq!(without_controls("a\nb\r", "\n"), "a\nb\\r");
    }
}
