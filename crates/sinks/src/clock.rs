//! Wall-clock time as text.

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};

/// Turns nanoseconds since 1970 into date and time.
///
/// In a storm thousands of events share a second, so the text of the last one is
/// kept. No zone changes its offset within a second.
pub(crate) struct Clock {
    zone: TimeZone,
    second: Option<i64>,
    date: String,
    time: String,
}

/// What the clock shows.
pub(crate) struct Reading<'a> {
    /// `2026-08-23`.
    pub(crate) date: &'a str,
    /// `14:02:59`.
    pub(crate) time: &'a str,
    /// What is beyond the second, below 10^9.
    pub(crate) nanos: u64,
}

impl Clock {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone, second: None, date: String::new(), time: String::new() }
    }

    /// Reads the clock. `None` if the calendar does not go that far, which 64
    /// bits of nanoseconds cannot reach.
    pub(crate) fn read(&mut self, wall: i64) -> Option<Reading<'_>> {
        const SECOND: i64 = 1_000_000_000;
        // Towards the past, so that what remains is never negative.
        let second = wall.div_euclid(SECOND);
        if self.second != Some(second) {
            self.second = None;
            let civil = self.zone.to_datetime(Timestamp::from_second(second).ok()?);
            let (date, time) = (civil.date(), civil.time());
            self.date.clear();
            self.time.clear();
            write!(self.date, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()).ok()?;
            write!(self.time, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
                .ok()?;
            self.second = Some(second);
        }
        let nanos = wall.rem_euclid(SECOND).unsigned_abs();
        Some(Reading { date: &self.date, time: &self.time, nanos })
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{TimeZone, offset};

    use super::Clock;

    fn check(zone: &TimeZone, wall: i64, expect: &str) {
        let mut clock = Clock::new(zone.clone());
        for _ in 0..2 {
            let reading = clock.read(wall).unwrap();
            let text = format!("{} {} {}", reading.date, reading.time, reading.nanos);
            assert_eq!(text, expect);
        }
    }

    #[test]
    fn beginnings_and_ends() {
        check(&TimeZone::UTC, 0, "1970-01-01 00:00:00 0");
        check(&TimeZone::UTC, -1, "1969-12-31 23:59:59 999999999");
        check(&TimeZone::UTC, 1_709_210_096_000_000_007, "2024-02-29 12:34:56 7");
        check(&TimeZone::UTC, i64::MAX, "2262-04-11 23:47:16 854775807");
        check(&TimeZone::UTC, i64::MIN, "1677-09-21 00:12:43 145224192");
        check(&TimeZone::fixed(offset(-5)), 1_000_000, "1969-12-31 19:00:00 1000000");
    }

    #[test]
    fn the_kept_second_is_left_when_time_moves() {
        let mut clock = Clock::new(TimeZone::UTC);
        let mut time = |wall| clock.read(wall).unwrap().time.to_owned();
        assert_eq!(time(999_999_999), "00:00:00");
        assert_eq!(time(1_000_000_000), "00:00:01");
        assert_eq!(time(5), "00:00:00");
    }
}
