//! What the kernel side counts by itself, without a record per exec.
//!
//! A *row* is what execs are brought together by: a program, a user, a parent or a
//! cgroup. Its number is a user's or a cgroup's own, or a keyed hash of a path
//! ([`Config::tally_keys`](crate::config::Config::tally_keys)); what it is called stands
//! in a map of names from its first exec on. Each lane adds to an entry of its own, so
//! that plain adds are exact, and only those lanes that have met a row take memory for it.
//! The map of rows forgets those that were not met for longest. So the same is counted
//! once more without rows, and what is in no row is the difference.

/// [`Config::tally`](crate::config::Config::tally): nothing is counted so, and each exec
/// has a record.
pub const BY_NOTHING: u32 = 0;
/// A row is a program: the path of its executable.
pub const BY_PROGRAM: u32 = 1;
/// A row is a user.
pub const BY_USER: u32 = 2;
/// A row is a parent: the path of its executable, or its short name.
pub const BY_PARENT: u32 = 3;
/// A row is a cgroup.
pub const BY_CGROUP: u32 = 4;

/// The lane of hooks that nothing interrupts.
pub const MAIN_LANE: u32 = 0;
/// The lane of what stands in for the exec hook.
pub const EXEC_AGAIN_LANE: u32 = 1;
/// The lane of what stands in for the hook of ends.
pub const EXIT_AGAIN_LANE: u32 = 2;
/// The first of the lanes of failed execs, one per scratch buffer.
pub const FAILURE_LANES: u32 = 3;
/// Lanes per CPU.
pub const LANES: u32 = FAILURE_LANES + crate::counters::ATTEMPT_SLOTS;

/// Keys of the hash: two for each word of a stretch of 64 bytes, and four more.
pub const KEYS: usize = 20;

/// Run times are counted in units of so many bits of nanoseconds, about a microsecond.
pub const UNIT_BITS: u32 = 10;
/// Each power of two has so many bits of steps: a step is at most a quarter wide.
pub const STEP_BITS: u32 = 2;
/// Steps of run times: below 2^[`STEP_BITS`] units one for each unit, then so many for
/// each power of two, up to a year; the last one has what is longer.
pub const STEPS: usize = 176;

/// One lane's part of a row, by which it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct RowKey {
    /// The row.
    pub row: u64,
    /// The CPU times [`LANES`], and the lane.
    pub lane: u64,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Counts {
    /// Successful execs.
    pub execs: u64,
    /// Failed ones.
    pub failures: u64,
    /// Runs that have ended: with the process, or with its next exec.
    pub ends: u64,
    /// How long these took together, nanoseconds.
    pub run_time: u64,
}

/// [`Counts`] as plain words, the form in which a map value is read.
pub const COUNTS_WORDS: usize = size_of::<Counts>() / size_of::<u64>();

/// One lane's part of a row.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Tally {
    /// Numbers.
    pub counts: Counts,
    /// Ends by step of their run time.
    pub run_times: [u32; STEPS],
}

/// [`Tally`] as plain words.
pub const TALLY_WORDS: usize = size_of::<Tally>() / size_of::<u64>();

/// Bytes of a name that has a place in the map of short ones.
pub const SHORT_NAME: usize = 120;
/// Bytes of the longest name.
pub const LONG_NAME: usize = crate::record::PATH_MAX;

/// A name is a path as the kernel walks it, leaf first, each component with a NUL.
pub const NAME_LEAF_FIRST: u32 = 0;
/// The same, of which the beginning (its end here) is missing.
pub const NAME_CUT: u32 = 1;
/// A name is a path as it was given to exec.
pub const NAME_AS_GIVEN: u32 = 2;
/// A name is a task's short name.
pub const NAME_COMM: u32 = 3;
/// A name could not be read.
pub const NAME_UNKNOWN: u32 = 4;

/// What a row is called.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Name<const N: usize> {
    /// One of the kinds above.
    pub kind: u32,
    /// How many of the bytes there are.
    pub len: u32,
    /// These bytes, and others behind them.
    pub bytes: [u8; N],
}

/// [`Name`]s as plain words.
pub const SHORT_NAME_WORDS: usize = size_of::<Name<SHORT_NAME>>() / size_of::<u64>();
/// See [`SHORT_NAME_WORDS`].
pub const LONG_NAME_WORDS: usize = size_of::<Name<LONG_NAME>>() / size_of::<u64>();

const _: () = assert!(size_of::<Tally>().is_multiple_of(8));
const _: () = assert!(size_of::<Name<SHORT_NAME>>().is_multiple_of(8));
const _: () = assert!(size_of::<Name<LONG_NAME>>().is_multiple_of(8));
