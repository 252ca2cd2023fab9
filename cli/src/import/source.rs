//! Rows of a catalogue with the lines they begin at: a JSON array of objects, JSON lines, or CSV with
//! a heading.
//!
//! A row becomes a flat table of texts, which is all that a mapping sees: nested fields are named
//! with dots (`name.en`), lists of plain values are joined by commas, lists of objects are numbered
//! from 0 (`variants.0.name`). Empty texts and nulls are as if they were not there.

use super::plan::Refusal;
use crate::failure::Failure;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Fields and their values.
pub type Fields = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// From 1.
    pub line: u64,
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
        Format::Csv => csv_rows(bytes, delimiter).map_err(|e| named(&e)),
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

fn refused(line: u64, reason: impl fmt::Display) -> Refusal {
    Refusal {
        line,
        reference: None,
        field: None,
        reason: reason.to_string(),
    }
}

/// The array's elements as they stand in the text, so that each one's line is known and one that is
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
    let (mut line, mut place) = (1, 0);
    let rows = elements.into_iter().map(|element| {
        // The element is a part of `text`.
        let start = element.get().as_ptr() as usize - text.as_ptr() as usize;
        let between = &text.as_bytes()[place..start];
        line += between.iter().filter(|b| **b == b'\n').count() as u64;
        place = start;
        object_row(line, element.get())
    });
    Ok(rows.collect())
}

fn json_lines(text: &str) -> Vec<Result<Row, Refusal>> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| object_row(number, line))
        .collect()
}

fn object_row(line: u64, text: &str) -> Result<Row, Refusal> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => {
            let mut fields = Fields::new();
            for (name, value) in &object {
                flatten(name, value, &mut fields);
            }
            Ok(Row { line, fields })
        }
        Ok(_) => Err(refused(line, "is no JSON object")),
        Err(error) => Err(refused(line, format_args!("is no JSON: {error}"))),
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

fn csv_rows(bytes: &[u8], delimiter: u8) -> Result<Vec<Result<Row, Refusal>>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(bytes);
    let heading: Vec<String> = reader
        .headers()?
        .iter()
        .map(|h| h.trim().to_owned())
        .collect();
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(csv_row(line, &heading, &record));
    }
    Ok(rows)
}

fn csv_row(line: u64, heading: &[String], record: &csv::ByteRecord) -> Result<Row, Refusal> {
    if record.len() != heading.len() {
        let (found, expected) = (record.len(), heading.len());
        let words = format!("has {found} fields, the heading has {expected}");
        return Err(refused(line, words));
    }
    let mut fields = Fields::new();
    for (name, value) in heading.iter().zip(record) {
        let text = std::str::from_utf8(value).map_err(|_| Refusal {
            field: Some(name.clone()),
            ..refused(line, "is no UTF-8")
        })?;
        insert(name, text.trim().to_owned(), &mut fields);
    }
    Ok(Row { line, fields })
}

#[cfg(test)]
mod tests;
