//! Durations as people write them: `10s`, `500ms`, `2m`, `1h`, `7d`.

use std::time::Duration;

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
}
