//! The kernel side stamps records with the boot clock, people read the wall clock.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds between two readings of a clock that are as good as one. Undisturbed, they
/// are some 50 apart; a reader that is interrupted between them loses its turn, which is
/// milliseconds.
const CLOSE: i64 = 1_000;

/// How often it is tried to read two clocks at once, on hosts where every try takes long.
const TRIES: usize = 8;

/// What the wall clock read, in nanoseconds since 1970, when the boot clock
/// stood at zero. Asked anew for each batch of records, since the wall clock
/// can be set.
pub(crate) fn wall_at_boot() -> i64 {
    let readings = std::iter::repeat_with(|| {
        [ClockId::Boottime, ClockId::Realtime, ClockId::Boottime]
            .map(|clock| nanoseconds(clock_gettime(clock)))
    });
    closest(readings.take(TRIES)).unwrap_or_default()
}

/// From readings of boot clock, wall clock, and boot clock again: the wall clock less the
/// boot clock by the first reading that was not interrupted, or by the one that was least.
fn closest(readings: impl Iterator<Item = [i64; 3]>) -> Option<i64> {
    let mut best: Option<(i64, i64)> = None;
    for [before, wall, after] in readings {
        let apart = after.wrapping_sub(before);
        if best.is_none_or(|(least, _)| apart < least) {
            best = Some((apart, wall.wrapping_sub(before.wrapping_add(apart / 2))));
        }
        if apart <= CLOSE {
            break;
        }
    }
    best.map(|(_, wall_at_boot)| wall_at_boot)
}

/// The boot clock, nanoseconds.
pub(crate) fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Boottime)).cast_unsigned()
}

fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_reading_does_not_count() {
        let late = [1_000, 5_020_000, 20_001_000];
        let good = [30_000_000, 35_000_050, 30_000_100];
        let unread = [0, 0, 0];
        assert_eq!(closest([late, good, unread].into_iter()), Some(5_000_000));
    }

    #[test]
    fn where_all_are_slow_the_fastest_counts() {
        let slow = |by: i64| [7, 7 + 500 + by / 2, 7 + by];
        assert_eq!(closest([slow(9_000), slow(4_000), slow(8_000)].into_iter()), Some(500));
    }
}
