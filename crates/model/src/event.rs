//! What happened: events, complete or with their gaps marked.
//!
//! An event borrows from the record it was made of; a sink that wants to keep
//! something copies it.

use exectrail_abi::{fault::Fault, record::Creds};

use crate::args::Args;

/// One event of the stream.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When.
    pub moment: Moment,
    /// What.
    pub body: Body<'a>,
}

/// A point in time, on two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since boot, suspend included (`CLOCK_BOOTTIME`).
    pub ktime: u64,
    /// Nanoseconds since 1970, UTC.
    pub wall: i64,
}

/// What an event tells.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// A program started.
    Exec(Program<'a>),
    /// A program was to be started, and was not.
    Failed(Program<'a>, Failure),
    /// Records are missing here.
    Lost(Lost),
    /// The end of the stream.
    Summary(Summary),
}

impl<'a> Event<'a> {
    /// The kind, as a set of one.
    #[must_use]
    pub fn kind(&self) -> Kinds {
        match self.body {
            Body::Exec(_) => Kinds::EXEC,
            Body::Failed(..) => Kinds::FAILED,
            Body::Lost(_) => Kinds::LOST,
            Body::Summary(_) => Kinds::SUMMARY,
        }
    }

    /// The program, where there is one.
    #[must_use]
    pub fn program(&self) -> Option<&Program<'a>> {
        match &self.body {
            Body::Exec(program) | Body::Failed(program, _) => Some(program),
            Body::Lost(_) | Body::Summary(_) => None,
        }
    }
}

/// A set of event kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// `exec`.
    pub const EXEC: Self = Self(1);
    /// `failed`.
    pub const FAILED: Self = Self(2);
    /// `lost`.
    pub const LOST: Self = Self(4);
    /// `summary`.
    pub const SUMMARY: Self = Self(8);
    /// Those with a program.
    pub const PROGRAM: Self = Self(Self::EXEC.0 | Self::FAILED.0);
    /// Those that happen on a CPU.
    pub const PLACED: Self = Self(Self::PROGRAM.0 | Self::LOST.0);
    /// All of them.
    pub const ALL: Self = Self(15);
    /// The kinds with their names in the `event` field.
    pub const NAMED: [(Self, &'static str); 4] = [
        (Self::EXEC, "exec"),
        (Self::FAILED, "failed"),
        (Self::LOST, "lost"),
        (Self::SUMMARY, "summary"),
    ];

    /// Whether `other` is part of this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The name of a set of one.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(kind, _)| *kind == self).map_or("?", |(_, name)| name)
    }
}

/// A program, and who started it.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Process id in the initial pid namespace.
    pub pid: u32,
    /// Thread id; the process's own after a success.
    pub tid: u32,
    /// Process id of the parent.
    pub ppid: Option<u32>,
    /// User and group ids: the new program's after a success, else the caller's.
    pub creds: Option<Creds>,
    /// The kernel's short name of the task, up to 15 bytes.
    pub comm: &'a [u8],
    /// Id of the cgroup in the unified hierarchy.
    pub cgroup_id: u64,
    /// Image counter.
    pub image: Option<u64>,
    /// The name as it was given to exec.
    pub filename: Option<&'a [u8]>,
    /// The executable's resolved path; only its end with `exe_cut`.
    pub exe: Option<&'a [u8]>,
    /// The path is longer than what is here.
    pub exe_cut: bool,
    /// The arguments.
    pub args: Option<Args<'a>>,
    /// How many arguments there really are.
    pub args_count: Option<u64>,
    /// How many bytes they really have, NULs included.
    pub args_bytes: Option<u64>,
    /// Bits of the record's `FLAG_` constants.
    pub flags: u32,
    /// What could not be had.
    pub faults: Faults,
    /// The CPU it happened on.
    pub cpu: u16,
}

/// A set of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub u32);

impl Faults {
    /// Whether `fault` is among them.
    #[must_use]
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & fault.bit() != 0
    }
}

/// Why a program was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The positive errno.
    pub errno: u32,
    /// From the system call's entry to its exit, nanoseconds.
    pub latency: Option<u64>,
}

/// Records that did not come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: &'static str,
    /// The CPU that lost them.
    pub cpu: u32,
}

/// The closed account of a trace: `seen = delivered + filtered + dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Execs (and, where asked for, failures) that the kernel side ran for.
    pub seen: u64,
    /// Those that reached the output.
    pub delivered: u64,
    /// Those that a rule turned away, in the kernel or in user space, and those
    /// after the last one that was asked for.
    pub filtered: u64,
    /// Those that were lost, each told in a `lost` event.
    pub dropped: u64,
    /// Times that the kernel skipped our program; `None` where it does not say.
    pub missed: Option<u64>,
    /// Records that made no sense, counted in `dropped` too.
    pub damaged: u64,
}
