//! Durations as people write them, `10s`, `500ms`, `2m`, `1h`, `7d`, and times as people read them:
//! RFC 3339 in UTC, to the second.

use std::time::Duration;
use weft_types::Millis;
pub use weft_types::utc;

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads a whole number with a unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let number = number.parse::<u64>().ok();
    let millis = number.zip(unit).and_then(|(n, (_, ms))| n.checked_mul(*ms));
    let refused = || format!("{text:?} is no duration: write 500ms, 10s, 2m, 1h or 7d");
    millis.map(Duration::from_millis).ok_or_else(refused)
}

/// The same, longer than nothing: what is open or kept for no time is refused by the ledger, and costs a fee.
pub fn some(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("it has to be for some time".to_owned()),
        time => Ok(time),
    }
}

/// As [`parse`] reads it, in the largest unit that it is a whole number of.
pub fn span(time: Millis) -> String {
    let whole = |(_, ms): &&(&str, u64)| time.0 >= *ms && time.0.is_multiple_of(*ms);
    let (unit, ms) = UNITS.iter().rev().find(whole).unwrap_or(&UNITS[0]);
    format!("{}{unit}", time.0 / ms)
}

/// Reads a time as [`utc`] writes it, a `T` between day and time or none.
pub fn instant(text: &str) -> Result<Millis, String> {
    let refused = || format!("{text:?} is no time: write it as 2026-12-24T18:00:00Z");
    let (day, time) = text.split_once(['T', ' ']).ok_or_else(refused)?;
    let time = time.strip_suffix('Z').ok_or_else(refused)?;
    let [year, month, day] = numbers(day, '-').ok_or_else(refused)?;
    let [hour, minute, second] = numbers(time, ':').ok_or_else(refused)?;
    let days = days(year, month, day).ok_or_else(refused)?;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let found = Millis(seconds * 1_000);
    // There is no such day, or no such hour, where it is written otherwise.
    let written = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z");
    (utc(found) == written).then_some(found).ok_or_else(refused)
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let digits = |part: &str| part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let parts = text.split(between).map(|part| match digits(part) {
        true => part.parse().ok(),
        false => None,
    });
    parts.collect::<Option<Vec<u64>>>()?.try_into().ok()
}

/// Days from 1970-01-01 to a date, if it is not before.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let of_year =
        365 * year.checked_sub(1970)? + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477;
    let in_year = (1..month).map(|m| civil_month(year, m)).sum::<u64>();
    Some(of_year + in_year + day.checked_sub(1)?)
}

/// Days of a month.
fn civil_month(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)));
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["0ms", "1ms", "1500ms", "90s", "10m", "36h", "30d"] {
            let time = parse(text).unwrap().as_millis();
            assert_eq!(span(Millis(u64::try_from(time).unwrap())), text);
        }
        assert!(some("0s").unwrap_err().contains("some time"));
        assert_eq!(some("1s"), parse("1s"));
    }

    #[test]
    fn others_are_refused_with_examples() {
        for text in [
            "",
            "10",
            "s",
            "1.5s",
            "-1s",
            "10 s",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            assert!(parse(text).unwrap_err().contains("500ms"), "{text}");
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for days in (0..80_000).step_by(13) {
            let time = Millis(days * 86_400_000 + 40_271_000);
            assert_eq!(instant(&utc(time)), Ok(time));
        }
        assert_eq!(instant("1970-01-01T00:00:00Z"), Ok(Millis::ZERO));
        for wrong in [
            "",
            "2026-12-24",
            "2026-12-24T18:00:00",
            "2026-12-24T18:00Z",
            "2026-12-24T24:00:00Z",
            "2026-02-29T18:00:00Z",
            "2026-13-01T18:00:00Z",
            "2026-00-01T18:00:00Z",
            "2026-12-00T18:00:00Z",
            "1969-12-31T23:59:59Z",
            "99999-01-01T00:00:00Z",
            "+026-12-24T18:00:00Z",
        ] {
            assert!(instant(wrong).unwrap_err().contains("18:00:00Z"), "{wrong}");
        }
    }
}
