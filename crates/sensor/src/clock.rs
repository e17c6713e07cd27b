//! The kernel side stamps records with the boot clock, people read the wall clock.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What the wall clock read, in nanoseconds since 1970, when the boot clock
/// stood at zero. Asked anew for each batch of records, since the wall clock
/// can be set.
pub(crate) fn wall_at_boot() -> i64 {
    let wall = nanoseconds(clock_gettime(ClockId::Realtime));
    wall.wrapping_sub(nanoseconds(clock_gettime(ClockId::Boottime)))
}

/// The boot clock, nanoseconds.
pub(crate) fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Boottime)).cast_unsigned()
}

fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec)
}
