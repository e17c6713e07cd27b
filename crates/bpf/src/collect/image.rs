//! Execs that we were not run for, proven by the kernel's own count.
//!
//! `self_exec_id` grows by one with each exec, and a child begins with what its
//! parent had (fs/exec.c, `begin_new_exec`; kernel/fork.c, `dup_task_struct`). So a
//! process whose counter has grown by more than the execs that we saw has had
//! others. Where its count began is known of a process that we saw before, and of
//! one that was born since everything was attached: `parent_exec_id` is what its
//! parent had at the fork.
//!
//! Two things would look like a missed exec and are none:
//! - a process born with `CLONE_PARENT` (runc and crun do that) has inherited that
//!   number from a sibling: its own beginning is noted at its birth;
//! - an exec that fails when the old image is gone counts too, but ends in a
//!   signal: so an end by a signal explains one.
//!
//! What is not proven is not said: of a process that is older than the trace, the
//! first look is a beginning.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;

use crate::{
    account::Account,
    config::config,
    kernel::{Task, Words},
    maps::{IMAGES, Image, attached},
};

/// Bits of the counter that are kept.
const COUNTER_BITS: u32 = 24;
const COUNTER: u64 = (1 << COUNTER_BITS) - 1;
/// 2^64 divided by the golden ratio: spreads starts, which have low bits in common.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The bit of [`Image::written`] that says whether a record of this process's exec went out:
/// of the time, it is a nanosecond.
const TOLD: u64 = 1;

/// A process, by what tells it from others that have had its id.
#[derive(Clone, Copy)]
pub struct Owner {
    pid: u32,
    start: u64,
}

impl Owner {
    /// The process with this id that `leader` leads.
    #[inline(always)]
    pub fn new(pid: u32, leader: Task<impl Words>) -> Option<Self> {
        Some(Self { pid, start: leader.start()? })
    }

    /// The process that runs, which `leader` leads.
    #[inline(always)]
    pub fn of_current(leader: Task) -> Option<Self> {
        Self::new((bpf_get_current_pid_tgid() >> 32) as u32, leader)
    }

    /// Its id.
    #[inline(always)]
    pub fn pid(self) -> u32 {
        self.pid
    }

    #[inline(always)]
    fn place(self) -> Option<*mut Image> {
        IMAGES.get_ptr_mut(self.pid & config!(images).wrapping_sub(1))
    }

    /// It and a value of its image counter.
    #[inline(always)]
    pub fn word(self, counter: u64) -> u64 {
        let tag = (self.start ^ u64::from(self.pid) << 32).wrapping_mul(GOLDEN);
        tag & !COUNTER | counter & COUNTER
    }

    /// Whether its place is still its own.
    #[inline(always)]
    fn has(self, image: Image) -> bool {
        (image.word ^ self.word(0)) & !COUNTER == 0
    }
}

/// What is known of a process's count, and when that was.
#[derive(Clone, Copy)]
pub struct Count {
    /// Its parent's at its birth.
    pub at_birth: u64,
    /// Its own.
    pub now: u64,
    /// Boot clock, nanoseconds.
    pub ktime: u64,
}

/// Notes where the count of a process begins.
#[inline(always)]
pub fn begin(owner: Owner, counter: u64, ktime: u64) -> Option<()> {
    note(owner, counter, ktime & !TOLD)
}

#[inline(always)]
fn note(owner: Owner, counter: u64, written: u64) -> Option<()> {
    let place = owner.place()?;
    // SAFETY: a valid map value. The time first: whoever finds the new word finds
    // no older time.
    unsafe {
        (&raw mut (*place).written).write_volatile(written);
        (&raw mut (*place).word).write_volatile(owner.word(counter));
    }
    Some(())
}

/// Notes that a record of this process went out.
#[inline(always)]
pub fn note_told(owner: Owner) -> Option<()> {
    let place = owner.place()?;
    // SAFETY: a valid map value.
    let last = unsafe { place.read_volatile() };
    if owner.has(last) {
        // SAFETY: as above.
        unsafe { (&raw mut (*place).written).write_volatile(last.written | TOLD) };
    }
    Some(())
}

/// Whether a record of this process can have gone out: of one that is older than the trace,
/// nobody knows. Once it has been looked at.
#[inline(always)]
pub fn may_be_told(owner: Owner) -> Option<bool> {
    // SAFETY: a valid map value.
    let last = unsafe { owner.place()?.read_volatile() };
    Some(owner.start <= attached()? || !owner.has(last) || last.written & TOLD != 0)
}

/// Counts what has happened since the last look beyond the `expected` steps.
#[inline(always)]
pub fn look(owner: Owner, count: Count, expected: u64, account: Account) -> Option<()> {
    let place = owner.place()?;
    // SAFETY: a valid map value.
    let last = unsafe { place.read_volatile() };
    let mut written = count.ktime & !TOLD;
    let steps = if owner.has(last) {
        written |= last.written & TOLD;
        count.now.wrapping_sub(last.word) & COUNTER
    } else if let Some(steps) = steps_since_birth(owner, count, last.written) {
        steps
    } else {
        // At once: what an option holds when it is none is compared further down all the
        // same ("invalid read from stack", kernels before 6.3).
        return begin(owner, count.now, count.ktime);
    };
    note(owner, count.now, written);
    // More than half the range is a step backwards: two looks at one end.
    let beyond = steps.checked_sub(expected)?;
    if beyond != 0 && beyond <= COUNTER / 2 {
        account.missed(beyond);
    }
    Some(())
}

/// The steps of a process that was born under our eyes and had no place so far.
/// If its place was taken by another one since its birth, it may have had it.
#[inline(always)]
fn steps_since_birth(owner: Owner, count: Count, written: u64) -> Option<u64> {
    if owner.start <= attached()? || owner.start <= written {
        return None;
    }
    count.now.checked_sub(count.at_birth)
}
