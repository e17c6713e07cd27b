//! `signal_struct` (include/linux/sched/signal.h): what the threads of a process
//! share, and what those leave behind that have ended.

use super::{Known, Place, Words, read, there};
use crate::config::config;

/// `SIGNAL_GROUP_EXIT`, same file: the process was ended as a whole.
const GROUP_EXIT: u32 = 4;

/// What the threads of a process share.
#[derive(Clone, Copy)]
pub struct Signal(Known);

impl Signal {
    /// Threads that are alive. The one that is ending has been taken off before
    /// the tracepoint of its end (kernel/exit.c, `do_exit`).
    #[inline(always)]
    pub fn live(self) -> Option<u32> {
        self.0.word(config!(offsets.signal_live))
    }

    /// The name of the controlling terminal. `Some(None)` without one.
    #[inline(always)]
    pub fn tty_name(self) -> Option<Option<[u8; 16]>> {
        let Some(tty) = self.0.follow(config!(offsets.signal_tty)) else { return Some(None) };
        read(tty.address(), config!(offsets.tty_name)).map(Some)
    }

    /// The status of the whole, if it was ended as a whole.
    #[inline(always)]
    pub fn group_exit_code(self) -> Option<Option<u32>> {
        let flags: u32 = self.0.word(config!(offsets.signal_flags))?;
        if flags & GROUP_EXIT == 0 {
            return Some(None);
        }
        self.0.word(config!(offsets.signal_group_exit_code)).map(Some)
    }

    /// User and system time of threads that are gone, nanoseconds.
    #[inline(always)]
    pub fn times(self) -> Option<[u64; 2]> {
        self.0.pair(config!(offsets.signal_utime))
    }

    /// Minor and major faults of threads that are gone.
    #[inline(always)]
    pub fn faults(self) -> Option<[u64; 2]> {
        self.0.pair(config!(offsets.signal_min_flt))
    }

    /// Bytes read and written by threads that are gone.
    #[inline(always)]
    pub fn io(self) -> Option<[u64; 2]> {
        self.0.pair(there(config!(offsets.signal_ioac))?)
    }

    /// Most pages that were resident.
    #[inline(always)]
    pub fn max_rss_pages(self) -> Option<u64> {
        self.0.word(config!(offsets.signal_maxrss))
    }
}

impl Signal {
    /// Of a task.
    #[inline(always)]
    pub fn of(task: Known) -> Option<Self> {
        task.follow(config!(offsets.task_signal)).map(Self)
    }
}
