//! How long a message takes from one member to another, one way.
//!
//! `uniform:A-B` draws each message anew between A and B milliseconds, as the reference simulator of
//! this protocol family does: both figures are one-way delays, and messages may overtake each other. A
//! table (`regions`, or a file of the same form) holds *round trips* in milliseconds, as they are
//! measured; a message takes half, and members are dealt to the table's places round robin.

use super::rng::Rng;
use std::fmt;
use std::sync::Arc;

/// Round trips between ten cloud regions.
const REGIONS: &str = include_str!("../../data/regions.csv");
/// One way over loopback, in microseconds.
const LOOPBACK_US: u64 = 50;
/// Longest one-way delay in milliseconds.
const DELAY_MS_MAX: u64 = 60_000;

/// The delays of all links.
#[derive(Debug, Clone, PartialEq)]
pub enum Latency {
    Loopback,
    /// Milliseconds one way, drawn for each message.
    Uniform {
        low: u64,
        high: u64,
    },
    Table(Table),
}

/// One-way delays between places, in microseconds, and what the table is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: String,
    delays: Arc<[Vec<u64>]>,
}

/// A `--latency` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LatencyError {
    #[error("latency {0:?} is none of loopback, uniform:A-B in milliseconds, regions, or a file")]
    Unknown(String),
    #[error("latency {text:?}: {low}-{high} is no range of at most {DELAY_MS_MAX} ms")]
    Range { text: String, low: u64, high: u64 },
    #[error("latency table {name}, line {line}: {reason}")]
    Table {
        name: String,
        line: usize,
        reason: String,
    },
}

impl Latency {
    /// The ten regions.
    pub fn regions() -> Self {
        let table = Table::parse("regions", REGIONS);
        Self::Table(table.expect("the table that ships is well-formed"))
    }

    /// Reads `loopback`, `uniform:A-B` or `regions`; `None` for anything else, which may be a file.
    pub fn named(text: &str) -> Result<Option<Self>, LatencyError> {
        match text {
            "loopback" => return Ok(Some(Self::Loopback)),
            "regions" => return Ok(Some(Self::regions())),
            _ => {}
        }
        let Some(range) = text.strip_prefix("uniform:") else {
            return Ok(None);
        };
        let unknown = || LatencyError::Unknown(text.to_owned());
        let (low, high) = range.split_once('-').ok_or_else(unknown)?;
        let low: u64 = low.parse().map_err(|_| unknown())?;
        let high: u64 = high.parse().map_err(|_| unknown())?;
        if low > high || high > DELAY_MS_MAX {
            let text = text.to_owned();
            return Err(LatencyError::Range { text, low, high });
        }
        Ok(Some(Self::Uniform { low, high }))
    }

    /// A table read from a file called `name`.
    pub fn table(name: &str, text: &str) -> Result<Self, LatencyError> {
        Table::parse(name, text).map(Self::Table)
    }

    /// Microseconds for the next message.
    pub fn draw(&self, rng: &mut Rng, from: usize, to: usize) -> u64 {
        match self {
            Self::Loopback => LOOPBACK_US,
            Self::Uniform { low, high } => rng.between(low * 1000, high * 1000),
            Self::Table(table) => table.delay(from, to),
        }
    }

    /// The mean one-way delay between different members of a committee of `nodes`, in microseconds.
    pub fn mean(&self, nodes: usize) -> f64 {
        match self {
            Self::Loopback => LOOPBACK_US as f64,
            Self::Uniform { low, high } => (low + high) as f64 * 500.0,
            Self::Table(table) => {
                let pairs = (0..nodes).flat_map(|a| (0..nodes).map(move |b| (a, b)));
                let different = pairs.filter(|(a, b)| a != b);
                let delays: Vec<u64> = different.map(|(a, b)| table.delay(a, b)).collect();
                delays.iter().sum::<u64>() as f64 / delays.len().max(1) as f64
            }
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("loopback"),
            Self::Uniform { low, high } => write!(f, "uniform:{low}-{high}"),
            Self::Table(table) => f.write_str(&table.name),
        }
    }
}

impl Table {
    /// A heading with the places' names, then a row for each place: its name and the round trips to
    /// all places in milliseconds. Lines that begin with `#` are comments.
    fn parse(name: &str, text: &str) -> Result<Self, LatencyError> {
        let wrong = |line: usize, reason: String| LatencyError::Table {
            name: name.to_owned(),
            line,
            reason,
        };
        let lines = text.lines().zip(1..).map(|(line, at)| (line.trim(), at));
        let mut lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        let (heading, at) = lines
            .next()
            .ok_or_else(|| wrong(1, "it is empty".to_owned()))?;
        let places = heading.split(',').count() - 1;
        if places == 0 {
            return Err(wrong(at, "the heading names no place".to_owned()));
        }
        let mut delays = Vec::with_capacity(places);
        let mut last = at;
        for (line, at) in lines {
            last = at;
            let row: Result<Vec<u64>, String> = line.split(',').skip(1).map(one_way).collect();
            let row = row.map_err(|reason| wrong(at, reason))?;
            if row.len() != places {
                let reason = format!("{} figures for {places} places", row.len());
                return Err(wrong(at, reason));
            }
            delays.push(row);
        }
        if delays.len() != places {
            let reason = format!("{} rows for {places} places", delays.len());
            return Err(wrong(last, reason));
        }
        Ok(Self {
            name: name.to_owned(),
            delays: delays.into(),
        })
    }

    fn delay(&self, from: usize, to: usize) -> u64 {
        let places = self.delays.len();
        self.delays[from % places][to % places]
    }
}

/// Half a round trip given in milliseconds, in microseconds.
fn one_way(text: &str) -> Result<u64, String> {
    let trip: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("{text:?} is no number of milliseconds"))?;
    let longest = 2.0 * DELAY_MS_MAX as f64;
    if !(0.0..=longest).contains(&trip) {
        return Err(format!("{trip} ms is not in 0..={longest}"));
    }
    Ok((trip * 500.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::super::rng::Stream;
    use super::*;

    #[test]
    fn regions_are_half_the_measured_round_trip_and_members_are_dealt_in_turn() {
        let regions = Latency::regions();
        let mut rng = Rng::new(0, Stream::Links);
        assert_eq!(regions.draw(&mut rng, 0, 1), 32_100);
        assert_eq!(
            regions.draw(&mut rng, 10, 1),
            32_100,
            "the eleventh is in the first"
        );
        assert_eq!(regions.draw(&mut rng, 0, 10), 2_750);
    }

    #[test]
    fn uniform_is_one_way_and_its_mean_is_the_middle() {
        let latency = Latency::named("uniform:50-100").unwrap().unwrap();
        let mut rng = Rng::new(0, Stream::Links);
        let drawn: Vec<u64> = (0..1000).map(|_| latency.draw(&mut rng, 0, 1)).collect();
        assert!(drawn.iter().all(|d| (50_000..=100_000).contains(d)));
        assert_eq!(latency.mean(10), 75_000.0);
        assert_eq!(latency.to_string(), "uniform:50-100");
    }

    #[test]
    fn what_is_no_latency_is_refused_with_its_place() {
        assert_eq!(Latency::named("somefile.csv"), Ok(None));
        assert!(Latency::named("uniform:100-50").is_err());
        assert!(Latency::named("uniform:x").is_err());
        for (text, part) in [
            ("", "empty"),
            ("region\n", "no place"),
            ("r,a,b\na,1,2\nb,2\n", "line 3"),
            ("r,a,b\na,1,2\n", "1 rows for 2"),
            ("r,a\na,x\n", "no number"),
            ("r,a\na,-1\n", "not in"),
            ("r,a\na,NaN\n", "not in"),
        ] {
            let error = Latency::table("t", text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
