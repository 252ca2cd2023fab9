//! CSV as of RFC 4180: a quoted field may hold delimiters, line ends, and quotes written twice.
//!
//! A quote out of place means that what is read is not what was meant, and it may swallow many cards.
//! So text behind a closing quote spoils its record when the quote opened on the same line, for then
//! the record's end is certain. A quote that never closes, or closes lines later in front of text, spoils
//! the file: nobody can tell where the next record begins.

/// One or more lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The first and the last, from 1.
    pub lines: (u64, u64),
    pub fields: Vec<Vec<u8>>,
    /// Text stands behind a closing quote, so that the fields are not to be trusted.
    pub stray: bool,
}

/// All records that hold anything.
///
/// # Errors
/// When a quote swallows what is behind it, with the line that it opens on.
pub fn records(bytes: &[u8], delimiter: u8) -> Result<Vec<Record>, String> {
    let mut reader = Reader {
        rest: bytes,
        line: 1,
        delimiter,
    };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let record = reader.record()?;
        if !matches!(&record.fields[..], [only] if only.is_empty()) {
            records.push(record);
        }
    }
    Ok(records)
}

struct Reader<'a> {
    rest: &'a [u8],
    line: u64,
    delimiter: u8,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Record, String> {
        let (first, mut fields, mut stray) = (self.line, Vec::new(), false);
        loop {
            fields.push(self.field(&mut stray)?);
            match self.rest.first() {
                Some(byte) if *byte == self.delimiter => self.rest = &self.rest[1..],
                _ => break,
            }
        }
        let lines = (first, self.line);
        let end = match self.rest {
            [b'\r', b'\n', ..] => 2,
            rest => rest.len().min(1),
        };
        self.line += line_ends(&self.rest[..end]);
        self.rest = &self.rest[end..];
        Ok(Record {
            lines,
            fields,
            stray,
        })
    }

    fn field(&mut self, stray: &mut bool) -> Result<Vec<u8>, String> {
        let mut value = Vec::new();
        let opened = self.line;
        let quoted = self.rest.first() == Some(&b'"');
        if quoted {
            self.rest = &self.rest[1..];
            value = self.quoted().ok_or_else(|| {
                format!("line {opened}: a quote opens here and never closes, so that the rest of the file cannot be read")
            })?;
        }
        let ends = |b: &u8| *b == self.delimiter || matches!(b, b'\r' | b'\n');
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if quoted && text.iter().any(|b| *b != b' ') {
            if self.line != opened {
                return Err(format!(
                    "line {opened}: a quote opens here and closes on line {} only, in front of more text, so that the rest of the file cannot be read",
                    self.line
                ));
            }
            *stray = true;
        }
        value.extend(text);
        self.rest = rest;
        Ok(value)
    }

    /// Up to the closing quote and over it; `None` when there is none.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        loop {
            let end = self.rest.iter().position(|b| *b == b'"')?;
            let (text, rest) = self.rest.split_at(end);
            self.line += line_ends(text);
            value.extend(text);
            match rest {
                [_, b'"', behind @ ..] => {
                    value.push(b'"');
                    self.rest = behind;
                }
                rest => {
                    self.rest = &rest[1..];
                    return Some(value);
                }
            }
        }
    }
}

/// CR, LF, or both together.
fn line_ends(text: &[u8]) -> u64 {
    let ends = (0..text.len()).filter(|i| match text[*i] {
        b'\n' => true,
        b'\r' => text.get(i + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>, bool)> {
        let text_of = |field: Vec<u8>| String::from_utf8(field).unwrap();
        let records = records(text.as_bytes(), b';').unwrap().into_iter();
        let shown = records.map(|r| {
            let fields = r.fields.into_iter().map(text_of);
            (r.lines.0, fields.collect(), r.stray)
        });
        shown.collect()
    }

    fn one(text: &str) -> Vec<String> {
        let [(_, fields, false)] = &read(text)[..] else {
            panic!("{text:?} is one sound record");
        };
        fields.clone()
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_quotes() {
        assert_eq!(one("a;\"b;\"\"c\"\"\r\nd\";e"), ["a", "b;\"c\"\r\nd", "e"]);
        assert_eq!(one("\"\";;\"\"\"\""), ["", "", "\""]);
        assert_eq!(one("\"a\" ;5\" b"), ["a ", "5\" b"]);
    }

    #[test]
    fn every_end_of_a_line_counts_once_and_empty_lines_are_no_records() {
        let records = read("a\r\n\r\n\"b\n\nb\"\n\rc\rd\n;\n");
        let lines: Vec<u64> = records.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, [1, 3, 7, 8, 9]);
        assert_eq!(records[4].1, ["", ""]);
    }

    #[test]
    fn text_behind_a_quote_spoils_its_line_alone() {
        let records = read("1;\"The \"Big\" One\";2\n3;4;5\n");
        assert!(records[0].2 && !records[1].2);
        assert_eq!(records[1].0, 2);
    }

    #[test]
    fn a_quote_that_swallows_records_is_named_by_the_line_that_it_opens_on() {
        for (text, words) in [
            (
                "a;b\n1;\"x\n2;y\n3;z\n",
                "line 2: a quote opens here and never closes",
            ),
            (
                "a;b\n1;\"x\n2;\"y\"\n",
                "line 2: a quote opens here and closes on line 3 only",
            ),
            ("a;\"", "line 1: a quote opens here and never closes"),
        ] {
            let error = records(text.as_bytes(), b';').unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
