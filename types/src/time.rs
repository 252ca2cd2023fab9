//! Times as people read them: RFC 3339 in UTC.

use crate::ids::Millis;

/// To the second: `2026-11-24 18:03:22Z`.
pub fn utc(time: Millis) -> String {
    format!("{}Z", to_the_second(time))
}

/// To the millisecond: `2026-11-24 18:03:22.250Z`.
pub(crate) fn utc_exact(time: Millis) -> String {
    format!("{}.{:03}Z", to_the_second(time), time.0 % 1_000)
}

fn to_the_second(time: Millis) -> String {
    let seconds = time.0 / 1_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
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
    fn times_are_read_in_utc() {
        // As of `date -u -d @SECONDS`.
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (1_709_251_199, "2024-02-29 23:59:59Z"),
            (1_795_543_402, "2026-11-24 18:03:22Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
        ] {
            let time = Millis(seconds * 1_000 + 999);
            assert_eq!(utc(time), text);
            assert_eq!(utc_exact(time), text.replace('Z', ".999Z"));
        }
        // Whatever a user chooses has some form.
        assert!(utc(Millis::MAX).starts_with("584556019-04-03"));
    }
}
