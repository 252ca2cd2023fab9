//! Values that arguments and printed data share.

use std::time::{Duration, SystemTime};
use weft_client::PageQuery;
use weft_types::api::{PAGE_DEFAULT, PAGE_MAX, Page};
use weft_types::{EditionId, Millis};

/// So long from now, by this machine's clock.
pub fn from_now(after: Duration) -> Millis {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let then = now.unwrap_or_default().saturating_add(after);
    Millis(u64::try_from(then.as_millis()).unwrap_or(u64::MAX))
}

/// An edition and how many of its items, as `ID` or `ID:COUNT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub edition: EditionId,
    pub count: u64,
}

impl std::str::FromStr for Counted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, count) = text.split_once(':').unwrap_or((text, "1"));
        let count: u64 = count
            .parse()
            .map_err(|_| format!("{count:?} is no count of items"))?;
        if count == 0 {
            return Err("the count of items must not be zero".to_owned());
        }
        let edition = id.parse().map_err(|e| format!("{e}"))?;
        Ok(Self { edition, count })
    }
}

/// Which part of a list.
#[derive(clap::Args, Debug, Clone)]
pub struct Paging {
    /// Most entries
    #[arg(long, default_value_t = PAGE_DEFAULT, value_parser = limit)]
    limit: usize,
    /// Where to go on: `next` of the part before
    #[arg(long)]
    cursor: Option<String>,
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        _ => Err(format!("a page has 1 to {PAGE_MAX} entries")),
    }
}

impl Paging {
    pub fn query(&self) -> PageQuery {
        PageQuery {
            cursor: self.cursor.clone(),
            limit: Some(self.limit),
        }
    }
}

/// What to say below a list that goes on.
pub fn more<T>(page: &Page<T>) -> String {
    let next = page.next.as_ref();
    next.map_or_else(String::new, |next| format!("\nmore with --cursor {next}"))
}

/// Lines of a name and a value each.
pub fn lines(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let shown = pairs.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = shown
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_may_carry_a_count() {
        let id = "11".repeat(32);
        assert_eq!(id.parse::<Counted>().unwrap().count, 1);
        assert_eq!(format!("{id}:3").parse::<Counted>().unwrap().count, 3);
        for wrong in [format!("{id}:0"), format!("{id}:x"), "12:1".to_owned()] {
            assert!(wrong.parse::<Counted>().is_err(), "{wrong}");
        }
    }
}
