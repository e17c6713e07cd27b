//! Waiting for records without being woken for each.
//!
//! The kernel side wakes us for a record that comes an interval after the one before it
//! or later, or if the buffer fills up (`crates/bpf/src/emit.rs`). So, after having found
//! records, we look again by ourselves one interval later, until there are none. What
//! came meanwhile woke nobody, and does not keep us from sleeping for that time: many records
//! are read at once in a storm, and not each by a system call of its own. Where a look finds
//! very many, nobody follows them with their eyes, and the next one comes later still: to
//! sleep and to wake up takes as long as a dozen of them.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use aya::maps::MapData;
use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, epoll, poll},
    io::Errno,
};

use crate::{
    error::SensorError,
    lower::WAKE_INTERVAL_NS,
    sys::{HEAD, Ring},
};

/// The kernel's interval, and a millisecond for what lies between a record's
/// decision not to wake us and its appearance in the buffer.
const LOOK_AGAIN: Duration = Duration::from_nanos(WAKE_INTERVAL_NS + 1_000_000);

/// The same after a look that found so many that it was a storm. What comes meanwhile fills up
/// to a quarter of the default buffer on two CPUs; where it fills more, the kernel side wakes
/// us. Each look takes time from the storm twice: its own, and that of programs which find
/// their CPU taken, or the caches. With 40 ms instead of 12, a fifth of the reader's CPU time
/// is gone (2.2 to 1.76 us an event as JSON), and half of what a storm is slowed down by.
const LOOK_AGAIN_IN_A_STORM: Duration = Duration::from_millis(40);

/// So many records at a look are a storm: 8,000 a second.
const STORM: usize = 32;

/// With so many at a look during one, it goes on: 2,500 a second.
const STILL_A_STORM: usize = 100;

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
    ring: Ring,
    /// Is readable while there are records, or such that the kernel believes to be there.
    map: MapData,
    /// Becomes readable when the kernel side wakes us, and not because there is
    /// something to read: an epoll instance, edge-triggered.
    wakes: OwnedFd,
    watch: Watch,
    /// Bytes that the ring buffer has room for.
    capacity: usize,
}

/// Whether a record can come that wakes nobody, as after a look that found some.
#[derive(Debug, Default)]
struct Watch {
    /// When the next look is due.
    due: Option<Instant>,
    /// Whether the last look found a storm.
    is_storm: bool,
}

impl Watch {
    fn is_on(&self) -> bool {
        self.due.is_some()
    }

    /// There was a look from `begun` on, which ended then and found so many records.
    fn looked(&mut self, begun: Instant, ended: Instant, found: usize) {
        self.is_storm = found >= if self.is_storm { STILL_A_STORM } else { STORM };
        self.due = match found {
            // An early look, for another reason, does not stand for the one that is due.
            0 => self.due.filter(|due| *due > begun),
            // From its end on: the last of them may just have come.
            _ if self.is_storm => ended.checked_add(LOOK_AGAIN_IN_A_STORM),
            _ => ended.checked_add(LOOK_AGAIN),
        };
    }

    /// There was a look that did not come to the end.
    fn goes_on(&mut self) {
        self.due = Some(Instant::now());
    }
}

impl Reader {
    /// # Errors
    ///
    /// When there are no file descriptors left.
    pub(crate) fn new(map: MapData, capacity: usize) -> Result<Self, SensorError> {
        let fd = map.fd().as_fd();
        let ring = Ring::map(fd, capacity);
        let ring = ring.map_err(|error| SensorError::io("mapping the ring buffer", error))?;
        let prepared = epoll::create(epoll::CreateFlags::CLOEXEC).and_then(|wakes| {
            let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
            epoll::add(&wakes, fd, epoll::EventData::new_u64(0), flags)?;
            Ok(wakes)
        });
        let wakes = prepared.map_err(|error| SensorError::io("preparing to wait", error))?;
        Ok(Self { ring, map, wakes, watch: Watch::default(), capacity })
    }

    /// Waits for records, for `others`, or for the deadline.
    pub(crate) fn wait(
        &self,
        others: &[BorrowedFd<'_>],
        deadline: Option<Instant>,
    ) -> Result<Wake, SensorError> {
        let now = Instant::now();
        let map = self.map.fd().as_fd();
        let ring = if self.watch.is_on() { self.wakes.as_fd() } else { map };
        let left = |until: Instant| until.saturating_duration_since(now);
        let look = self.watch.due.map_or(LOOK_ANYWAY, left);
        let wait = deadline.map_or(look, |deadline| left(deadline).min(look));
        let timeout =
            Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let mut fds: Vec<_> = std::iter::once(&ring)
            .chain(others)
            .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
            .collect();
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(SensorError::io("waiting for records", error)),
        }
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        if self.watch.is_on() && fds.first().is_some_and(ready) {
            self.take_wake()?;
        }
        if let Some(index) = fds.iter().skip(1).position(ready) {
            return Ok(Wake::Other(index));
        }
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        Ok(if over { Wake::Deadline } else { Wake::Records })
    }

    /// It is not to count for the next wait.
    fn take_wake(&self) -> Result<(), SensorError> {
        let mut events = Vec::with_capacity(1);
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match epoll::wait(&self.wakes, spare_capacity(&mut events), Some(&now)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(SensorError::io("waiting for records", error)),
        }
    }

    /// Hands over every record that is there, one after the other, until
    /// `record` has had enough. Those that come meanwhile may wait for the next time:
    /// where they come faster than they are read, there would be no end.
    pub(crate) fn read(&mut self, mut record: impl FnMut(&[u8]) -> std::ops::ControlFlow<()>) {
        let (begun, mut bytes, mut found) = (Instant::now(), 0, 0);
        let mut is_end = true;
        while let Some(item) = self.ring.next() {
            // Each has a head, and begins at a multiple of it.
            bytes += HEAD + item.len().next_multiple_of(HEAD);
            found += 1;
            if record(item).is_break() {
                break;
            }
            if bytes >= self.capacity {
                is_end = false;
                break;
            }
        }
        self.ring.give_back();
        if !is_end {
            return self.watch.goes_on();
        }
        self.watch.looked(begun, Instant::now(), found);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{LOOK_AGAIN, LOOK_AGAIN_IN_A_STORM, STILL_A_STORM, STORM, Watch};

    #[test]
    fn the_watch_ends_with_the_look_that_is_due_and_finds_nothing() {
        let start = Instant::now();
        let at = |micros| start + Duration::from_micros(micros);
        let mut watch = Watch::default();
        watch.looked(at(0), at(0), 0);
        assert!(!watch.is_on());
        // A look that takes long.
        watch.looked(at(0), at(9000), 1);
        let due = at(9000) + LOOK_AGAIN;
        assert_eq!(watch.due, Some(due));
        // Early ones, for a signal or a held-back event.
        watch.looked(at(9001), at(9001), 0);
        watch.looked(at(12_000), at(12_000), 0);
        assert_eq!(watch.due, Some(due));
        // An early one that finds something begins anew.
        watch.looked(at(12_500), at(12_600), STORM - 1);
        let due = at(12_600) + LOOK_AGAIN;
        assert_eq!(watch.due, Some(due));
        watch.looked(due, due, 0);
        assert!(!watch.is_on());
        // In a storm it takes its time.
        watch.looked(due, due, STORM);
        assert_eq!(watch.due, Some(due + LOOK_AGAIN_IN_A_STORM));
    }

    #[test]
    fn a_storm_has_an_end() {
        let start = Instant::now();
        let mut watch = Watch::default();
        let mut wait = |found| {
            watch.looked(start, start, found);
            watch.due.map(|due| due - start)
        };
        assert_eq!(wait(STORM), Some(LOOK_AGAIN_IN_A_STORM));
        assert_eq!(wait(STILL_A_STORM), Some(LOOK_AGAIN_IN_A_STORM));
        assert_eq!(wait(STILL_A_STORM - 1), Some(LOOK_AGAIN));
        // As many in a tenth of the time.
        assert_eq!(wait(STORM), Some(LOOK_AGAIN_IN_A_STORM));
    }

    #[test]
    fn a_look_without_an_end_goes_on_at_once() {
        let mut watch = Watch::default();
        watch.goes_on();
        assert!(watch.due.is_some_and(|due| due <= Instant::now()));
    }
}
