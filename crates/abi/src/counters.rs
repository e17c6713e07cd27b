//! The account that the kernel side keeps.
//!
//! It has one row per *lane*: a stretch of execution that nothing of ours
//! interrupts, so that plain adds are exact. The exec hooks are not preemptible,
//! so each CPU is one lane; the attempt hooks may be, so each of their scratch
//! buffers is one; and what stands in for exec hooks may be, so each is one.

use crate::fault::Loss;

/// What one lane has seen and not sent. Only the kernel side writes it.
///
/// `seen - filtered - dropped` is the number of records (pieces of arguments not
/// counted) that this lane put into the ring buffer. A row fills a cache line, so that lanes
/// do not share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Counters {
    /// Execs and failed execs that a program of ours ran for.
    pub seen: u64,
    /// Those that a rule in the kernel turned away.
    pub filtered: u64,
    /// Those that did not reach the ring buffer, and those that no program of ours
    /// ran for, by [`Loss`].
    pub lost: [u64; Loss::COUNT],
    /// Attempts whose beginning could not be noted: the failure, if there is
    /// one, is told without name and arguments.
    pub attempts_forgotten: u64,
    /// Records whose arguments, or environment, were shortened because the ring
    /// buffer was short of room.
    pub shortened: u64,
    /// Always zero: fills the line.
    pub reserved: u64,
}

/// [`Counters`] as plain words, the form in which a map value is read.
pub const COUNTERS_WORDS: usize = size_of::<Counters>() / size_of::<u64>();

/// Scratch buffers per CPU for the attempt hooks: one for a program, three for
/// those that preempt it.
pub const ATTEMPT_SLOTS: u32 = 4;

/// Rows per CPU for hooks that can be interrupted: one per buffer of the attempt hooks,
/// one for what finds none free and is lost, and the two below. The one for what finds no
/// buffer is not exclusive; it takes five preempted programs on one CPU to count in it.
pub const INTERRUPTIBLE_ROWS: u32 = ATTEMPT_SLOTS + 3;

/// The row of what stands in for the exec hook.
pub const EXEC_AGAIN_ROW: u32 = ATTEMPT_SLOTS + 1;

/// The row of what stands in for the hook of ends.
pub const EXIT_AGAIN_ROW: u32 = ATTEMPT_SLOTS + 2;

const _: () = assert!(size_of::<Counters>() == 64);
