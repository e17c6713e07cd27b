//! Waiting for records without being woken for each.
//!
//! The kernel side wakes us for the first record after a quiet time, then at
//! most once an interval (`crates/bpf/src/emit.rs`). A record that woke nobody
//! came less than an interval after a wake-up. So, after having found records,
//! we look again by ourselves one interval later, until there are none.

use std::{
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use aya::maps::{MapData, RingBuf};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::{error::SensorError, lower::WAKE_INTERVAL_NS};

/// The kernel's interval, and a millisecond for what lies between a record's
/// decision not to wake us and its appearance in the buffer.
const LOOK_AGAIN: Duration = Duration::from_nanos(WAKE_INTERVAL_NS + 1_000_000);

/// A program that was preempted between that decision and the copy can be later
/// still; so nothing ever waits longer than this.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);

/// Why the wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// There may be records.
    Records,
    /// The file descriptor with this index has something.
    Other(usize),
    /// The time has come.
    Deadline,
}

/// The reading end of the ring buffer.
pub(crate) struct Reader {
    ring: RingBuf<MapData>,
    found: bool,
}

impl Reader {
    pub(crate) fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring, found: false }
    }

    /// Waits for records, for `others`, or for the deadline.
    pub(crate) fn wait(
        &self,
        others: &[BorrowedFd<'_>],
        deadline: Option<Instant>,
    ) -> Result<Wake, SensorError> {
        let look = if self.found { LOOK_AGAIN } else { LOOK_ANYWAY };
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let wait = left.map_or(look, |left| left.min(look));
        let timeout =
            Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let ring = self.ring.as_fd();
        let mut fds: Vec<_> = std::iter::once(&ring)
            .chain(others)
            .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
            .collect();
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(SensorError::io("waiting for records", error)),
        }
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        if let Some(index) = fds.iter().skip(1).position(ready) {
            return Ok(Wake::Other(index));
        }
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        Ok(if over { Wake::Deadline } else { Wake::Records })
    }

    /// Hands over every record that is there, one after the other, until
    /// `record` has had enough.
    pub(crate) fn read(&mut self, mut record: impl FnMut(&[u8]) -> std::ops::ControlFlow<()>) {
        self.found = false;
        while let Some(item) = self.ring.next() {
            self.found = true;
            if record(&item).is_break() {
                break;
            }
        }
    }
}
