//! Wall-clock time as text.

use std::io::Write;

use jiff::{Timestamp, tz::TimeZone};

/// Turns nanoseconds since 1970 into date and time.
///
/// In a storm thousands of events share a second, so the text of the last one is
/// kept. No zone changes its offset within a second.
pub(crate) struct Clock {
    zone: TimeZone,
    second: Option<i64>,
    stamp: Stamp,
}

/// `2026-08-23T14:02:59`: years have four digits, as far as 64 bits of nanoseconds reach.
pub(crate) type Stamp = [u8; 19];

/// What the clock shows.
pub(crate) struct Reading<'a> {
    /// Date and time.
    pub(crate) stamp: &'a Stamp,
    /// What is beyond the second, below 10^9.
    pub(crate) nanos: u64,
}

impl<'a> Reading<'a> {
    /// `2026-08-23`.
    pub(crate) fn date(&self) -> &'a str {
        str::from_utf8(&self.stamp[..10]).unwrap_or_default()
    }

    /// `14:02:59`.
    pub(crate) fn time(&self) -> &'a str {
        str::from_utf8(&self.stamp[11..]).unwrap_or_default()
    }
}

impl Clock {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone, second: None, stamp: Stamp::default() }
    }

    /// Reads the clock. `None` if the calendar does not go that far, which 64
    /// bits of nanoseconds cannot reach.
    #[inline]
    pub(crate) fn read(&mut self, wall: i64) -> Option<Reading<'_>> {
        const SECOND: i64 = 1_000_000_000;
        // Towards the past, so that what remains is never negative.
        let second = wall.div_euclid(SECOND);
        if self.second != Some(second) {
            self.second = None;
            self.stamp = self.stamp_of(second)?;
            self.second = Some(second);
        }
        let nanos = wall.rem_euclid(SECOND).unsigned_abs();
        Some(Reading { stamp: &self.stamp, nanos })
    }

    #[cold]
    fn stamp_of(&self, second: i64) -> Option<Stamp> {
        let civil = self.zone.to_datetime(Timestamp::from_second(second).ok()?);
        let mut stamp = Stamp::default();
        let mut rest = stamp.as_mut_slice();
        let (date, time) = (civil.date(), civil.time());
        write!(rest, "{:04}-{:02}-{:02}T", date.year(), date.month(), date.day()).ok()?;
        write!(rest, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()).ok()?;
        Some(stamp)
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
            let text = format!("{} {}", str::from_utf8(reading.stamp).unwrap(), reading.nanos);
            assert_eq!(text, expect);
        }
    }

    #[test]
    fn beginnings_and_ends() {
        check(&TimeZone::UTC, 0, "1970-01-01T00:00:00 0");
        check(&TimeZone::UTC, -1, "1969-12-31T23:59:59 999999999");
        check(&TimeZone::UTC, 1_709_210_096_000_000_007, "2024-02-29T12:34:56 7");
        check(&TimeZone::UTC, i64::MAX, "2262-04-11T23:47:16 854775807");
        check(&TimeZone::UTC, i64::MIN, "1677-09-21T00:12:43 145224192");
        check(&TimeZone::fixed(offset(-5)), 1_000_000, "1969-12-31T19:00:00 1000000");
    }

    #[test]
    fn the_kept_second_is_left_when_time_moves() {
        let mut clock = Clock::new(TimeZone::UTC);
        let mut time = |wall| clock.read(wall).unwrap().time().to_owned();
        assert_eq!(time(999_999_999), "00:00:00");
        assert_eq!(time(1_000_000_000), "00:00:01");
        assert_eq!(time(5), "00:00:00");
    }
}
