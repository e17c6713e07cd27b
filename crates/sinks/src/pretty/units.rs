//! Spans of time and sizes, in units that people read. What a unit cannot show is
//! cut off and not rounded: nothing is said to have taken more than it did.

use std::fmt;

/// Nanoseconds: `850 ns`, `3.4 ms`, `1.234 s`, `2 min 5 s`, `3 d 4 h`.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MICRO: u64 = 1000;
        const MILLI: u64 = 1000 * MICRO;
        const SECOND: u64 = 1000 * MILLI;
        const MINUTE: u64 = 60 * SECOND;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        match self.0 {
            nanos @ ..MICRO => write!(f, "{nanos} ns"),
            nanos @ ..MILLI => scaled(nanos, MICRO, "µs", f),
            nanos @ ..SECOND => scaled(nanos, MILLI, "ms", f),
            nanos @ ..MINUTE => {
                write!(f, "{}.{:03} s", nanos / SECOND, nanos % SECOND / MILLI)
            }
            nanos @ ..HOUR => write!(f, "{} min {} s", nanos / MINUTE, nanos % MINUTE / SECOND),
            nanos @ ..DAY => write!(f, "{} h {} min", nanos / HOUR, nanos % HOUR / MINUTE),
            nanos => write!(f, "{} d {} h", nanos / DAY, nanos % DAY / HOUR),
        }
    }
}

/// Bytes, in powers of 1,000: `512 B`, `3.4 MB`.
#[derive(Clone, Copy)]
pub(super) struct Size(pub(super) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const KILO: u64 = 1000;
        const MEGA: u64 = 1000 * KILO;
        const GIGA: u64 = 1000 * MEGA;
        const TERA: u64 = 1000 * GIGA;
        match self.0 {
            bytes @ ..KILO => write!(f, "{bytes} B"),
            bytes @ ..MEGA => scaled(bytes, KILO, "kB", f),
            bytes @ ..GIGA => scaled(bytes, MEGA, "MB", f),
            bytes @ ..TERA => scaled(bytes, GIGA, "GB", f),
            bytes => scaled(bytes, TERA, "TB", f),
        }
    }
}

/// Two digits at least.
fn scaled(value: u64, unit: u64, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value / unit {
        whole @ ..10 => write!(f, "{whole}.{} {name}", value % unit / (unit / 10)),
        whole => write!(f, "{whole} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, Span};

    #[test]
    fn spans() {
        for (nanos, expect) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1.0 µs"),
            (9_999, "9.9 µs"),
            (10_000, "10 µs"),
            (999_999, "999 µs"),
            (1_000_000, "1.0 ms"),
            (12_345_678, "12 ms"),
            (999_999_999, "999 ms"),
            (1_000_000_000, "1.000 s"),
            (1_234_567_890, "1.234 s"),
            (59_999_999_999, "59.999 s"),
            (60_000_000_000, "1 min 0 s"),
            (3_599_999_999_999, "59 min 59 s"),
            (3_600_000_000_000, "1 h 0 min"),
            (86_399_999_999_999, "23 h 59 min"),
            (86_400_000_000_000, "1 d 0 h"),
            (u64::MAX, "213503 d 23 h"),
        ] {
            assert_eq!(Span(nanos).to_string(), expect);
        }
    }

    #[test]
    fn sizes() {
        for (bytes, expect) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (4096, "4.0 kB"),
            (999_999, "999 kB"),
            (3_456_789, "3.4 MB"),
            (34_567_890, "34 MB"),
            (1 << 30, "1.0 GB"),
            (1 << 40, "1.0 TB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(Size(bytes).to_string(), expect);
        }
    }
}
