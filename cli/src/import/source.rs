//! Rows of a catalogue with the places they stand at: a JSON array of objects, JSON lines, or CSV with
//! a heading.
//!
//! A row becomes a flat table of texts, which is all that a mapping sees: nested fields are named
//! with dots (`name.en`), lists of plain values are joined by commas, lists of objects are numbered
//! from 0 (`variants.0.name`). Empty texts and nulls are as if they were not there.

use super::plan::{Place, Refusal};
use crate::failure::Failure;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

mod csv;

/// Fields and their values.
pub type Fields = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub place: Place,
    pub fields: Fields,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An array of objects
    Json,
    /// One object a line
    Jsonl,
    /// A heading, then a card a line
    Csv,
}

impl Format {
    /// By the file's name, else by its first character.
    pub fn guess(path: &Path, bytes: &[u8]) -> Self {
        let extension = path.extension().and_then(|e| e.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Self::Json,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            Some("csv" | "tsv") => Self::Csv,
            _ => match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
                Some(b'[') => Self::Json,
                Some(b'{') => Self::Jsonl,
                _ => Self::Csv,
            },
        }
    }
}

/// Every row, or why it is none.
pub fn rows(
    path: &Path,
    bytes: &[u8],
    format: Format,
    delimiter: u8,
) -> Result<Vec<Result<Row, Refusal>>, Failure> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let named =
        |words: &dyn fmt::Display| Failure::usage(format_args!("{}: {words}", path.display()));
    match format {
        Format::Csv => csv_rows(bytes, delimiter).map_err(|e| {
            named(&e).hint("nothing was imported; correct the file and run the same command again")
        }),
        Format::Json | Format::Jsonl => {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let before = &bytes[..error.valid_up_to()];
                named(&format_args!("line {} is no UTF-8", line_at(before)))
            })?;
            match format {
                Format::Json => json_rows(text).map_err(|error| {
                    named(&error).hint(
                        "a JSON catalogue is an array of objects; use --format for JSON lines or CSV",
                    )
                }),
                _ => Ok(json_lines(text)),
            }
        }
    }
}

fn line_at(before: &[u8]) -> u64 {
    1 + before.iter().filter(|b| **b == b'\n').count() as u64
}

fn refused(place: Place, reason: impl fmt::Display) -> Refusal {
    Refusal {
        place,
        reference: None,
        field: None,
        reason: reason.to_string(),
    }
}

/// The array's elements as they stand in the text, so that each one's place is known and one that is
/// no card spoils no other.
struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(list)
    }
}

fn json_rows(text: &str) -> Result<Vec<Result<Row, Refusal>>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader.deserialize_seq(Elements)?;
    reader.end()?;
    let (mut line, mut before) = (1, 0);
    let rows = (1..).zip(elements).map(|(entry, element)| {
        // The element is a part of `text`.
        let start = element.get().as_ptr() as usize - text.as_ptr() as usize;
        let between = &text.as_bytes()[before..start];
        line += between.iter().filter(|b| **b == b'\n').count() as u64;
        before = start;
        let entry = Some(entry);
        object_row(Place { line, entry }, element.get())
    });
    Ok(rows.collect())
}

fn json_lines(text: &str) -> Vec<Result<Row, Refusal>> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| object_row(Place::line(number), line))
        .collect()
}

fn object_row(place: Place, text: &str) -> Result<Row, Refusal> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => {
            let mut fields = Fields::new();
            for (name, value) in &object {
                flatten(name, value, &mut fields);
            }
            Ok(Row { place, fields })
        }
        Ok(_) => Err(refused(place, "is no JSON object")),
        Err(error) => Err(refused(place, format_args!("is no JSON: {error}"))),
    }
}

/// Recursion is bounded: the reader takes no deeper nesting than 128.
fn flatten(path: &str, value: &Value, fields: &mut Fields) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                flatten(&format!("{path}.{name}"), value, fields);
            }
        }
        Value::Array(list) if list.iter().any(|v| v.is_object() || v.is_array()) => {
            for (number, value) in list.iter().enumerate() {
                flatten(&format!("{path}.{number}"), value, fields);
            }
        }
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().filter_map(plain).collect();
            insert(path, parts.join(", "), fields);
        }
        value => insert(path, plain(value).unwrap_or_default(), fields),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn insert(path: &str, text: String, fields: &mut Fields) {
    if !text.is_empty() {
        fields.insert(path.to_owned(), text);
    }
}

fn csv_rows(bytes: &[u8], delimiter: u8) -> Result<Vec<Result<Row, Refusal>>, String> {
    let mut records = csv::records(bytes, delimiter)?.into_iter();
    let Some(first) = records.next() else {
        return Ok(vec![]);
    };
    let heading = csv_heading(first)?;
    Ok(records.map(|record| csv_row(&heading, &record)).collect())
}

/// The names of the columns. A name that stood twice would leave open which column is meant.
fn csv_heading(record: csv::Record) -> Result<Vec<String>, String> {
    let line = record.lines.0;
    if record.stray {
        return Err(format!("line {line}, the heading, {STRAY}"));
    }
    let mut heading: Vec<String> = Vec::new();
    for (column, field) in (1..).zip(record.fields) {
        let name = String::from_utf8(field)
            .map_err(|_| format!("line {line}: the heading of column {column} is no UTF-8"))?;
        let name = name.trim();
        if let Some(first) = heading.iter().position(|n| n == name && !name.is_empty()) {
            return Err(format!(
                "line {line}: columns {} and {column} have the same heading {name:?}; rename one",
                first + 1
            ));
        }
        heading.push(name.to_owned());
    }
    Ok(heading)
}

const STRAY: &str =
    "has text behind a closing quote; a quote inside a quoted field is written twice";

fn csv_row(heading: &[String], record: &csv::Record) -> Result<Row, Refusal> {
    let (line, last) = record.lines;
    let place = Place::line(line);
    if record.stray {
        return Err(refused(place, STRAY));
    }
    if record.fields.len() != heading.len() {
        let (found, expected) = (record.fields.len(), heading.len());
        let to = match last {
            last if last == line => String::new(),
            last => format!("reaches to line {last} and "),
        };
        let words = format!("{to}has {found} fields, the heading has {expected}");
        return Err(refused(place, words));
    }
    let mut fields = Fields::new();
    for (column, (name, value)) in (1..).zip(heading.iter().zip(&record.fields)) {
        let text = std::str::from_utf8(value).map_err(|_| Refusal {
            field: Some(name.clone()),
            ..refused(place, "is no UTF-8")
        })?;
        let text = text.trim();
        if name.is_empty() && !text.is_empty() {
            let words = format!("has a value in column {column}, which has no heading");
            return Err(refused(place, words));
        }
        insert(name, text.to_owned(), &mut fields);
    }
    Ok(Row { place, fields })
}

#[cfg(test)]
mod tests;
