//! Durations as people write them, `10s`, `500ms`, `2m`, `1h`, `7d`, and times as people read them:
//! RFC 3339 in UTC, to the second.

use std::time::Duration;
use weft_types::Millis;

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

/// `2026-11-24 18:03:22Z`.
pub fn utc(time: Millis) -> String {
    let seconds = time.0 / 1_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day so many days after 1970-01-01. Years begin in March here, so that the day of a leap
/// year comes last, and repeat after 146,097 days (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..10 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    (era * 400 + year + next, month, day_of_month)
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
    fn times_are_read_in_utc() {
        // As of `date -u -d @SECONDS`.
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (1_709_251_199, "2024-02-29 23:59:59Z"),
            (1_795_543_402, "2026-11-24 18:03:22Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
        ] {
            assert_eq!(utc(Millis(seconds * 1_000 + 999)), text);
        }
        // Whatever a user chooses has some form.
        assert!(utc(Millis::MAX).starts_with("584556019-04-03"));
    }
}
