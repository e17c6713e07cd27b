//! What happened: events, complete or with their gaps marked.
//!
//! An event borrows from the record it was made of; a sink that wants to keep
//! something copies it.

use exectrail_abi::{
    fault::Fault,
    record::{Creds, File, Namespaces, Process},
};

use crate::{ancestors::Ancestors, args::Args, cpid::Cpid, environment::Environment};

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
    /// A process ended.
    Exit(Ended<'a>),
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
            Body::Exit(_) => Kinds::EXIT,
            Body::Lost(_) => Kinds::LOST,
            Body::Summary(_) => Kinds::SUMMARY,
        }
    }

    /// The program, where there is one.
    #[must_use]
    pub fn program(&self) -> Option<&Program<'a>> {
        match &self.body {
            Body::Exec(program) | Body::Failed(program, _) => Some(program),
            Body::Exit(_) | Body::Lost(_) | Body::Summary(_) => None,
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
    /// `exit`.
    pub const EXIT: Self = Self(16);
    /// Those with a program.
    pub const PROGRAM: Self = Self(Self::EXEC.0 | Self::FAILED.0);
    /// Those with a process.
    pub const PROCESS: Self = Self(Self::PROGRAM.0 | Self::EXIT.0);
    /// Those that misses are folded into, and what sums them up.
    pub const FOLDING: Self = Self(Self::PROGRAM.0 | Self::SUMMARY.0);
    /// Those that happen on a CPU.
    pub const PLACED: Self = Self(Self::PROCESS.0 | Self::LOST.0);
    /// All of them.
    pub const ALL: Self = Self(31);
    /// The kinds with their names in the `event` field.
    pub const NAMED: [(Self, &'static str); 5] = [
        (Self::EXEC, "exec"),
        (Self::FAILED, "failed"),
        (Self::EXIT, "exit"),
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

/// [`Program::flags`]: the executable is a file in memory, without a name in any
/// file system. The flags from here on are not the kernel side's, but follow
/// from what it has read.
pub const FLAG_MEMFD: u32 = 1 << 16;
/// [`Program::flags`]: it runs with the rights of its file's owner or group, whose
/// set-user-id or set-group-id bit is set, and its real user is another one.
pub const FLAG_SETID: u32 = 1 << 17;
/// [`Program::flags`]: the user who runs it, not being root, can write to the executable.
pub const FLAG_WRITABLE: u32 = 1 << 18;

/// A program, and who started it. What is `None` is not known.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The process; of an unknown start with [`Fault::Process`].
    pub process: Process,
    /// Its id that is never used again.
    pub id: Option<Cpid>,
    /// Thread id; the process's own after a success.
    pub tid: u32,
    /// The parent.
    pub parent: Option<Parent<'a>>,
    /// Those before the parent, if asked for.
    pub ancestors: Option<Ancestors<'a>>,
    /// User and group ids: the new program's after a success, else the caller's.
    pub creds: Option<Creds>,
    /// Name of the real user, if it is known already.
    pub user: Option<&'a str>,
    /// User that logged in; nobody has with `Some(None)`.
    pub loginuid: Option<Option<u32>>,
    /// Audit session, likewise.
    pub session: Option<Option<u32>>,
    /// Controlling terminal as the kernel names it; empty for none.
    pub tty: &'a [u8],
    /// The kernel's short name of the task, up to 15 bytes.
    pub comm: &'a [u8],
    /// Id of the cgroup in the unified hierarchy.
    pub cgroup_id: u64,
    /// Its path there.
    pub cgroup: Option<&'a [u8]>,
    /// Inodes of namespaces.
    pub namespaces: Option<Namespaces>,
    /// Image counter.
    pub image: Option<u64>,
    /// The name as it was given to exec.
    pub filename: Option<&'a [u8]>,
    /// The executable's resolved path; only its end with [`Fault::ExeCut`].
    pub exe: Option<&'a [u8]>,
    /// The executable's inode.
    pub file: Option<File>,
    /// Of a script: the interpreter as the script names it. `Some(None)` is no script.
    pub interpreter: Option<Option<&'a [u8]>>,
    /// The working directory; only its end with [`Fault::CwdCut`].
    pub cwd: Option<&'a [u8]>,
    /// The arguments.
    pub args: Option<Args<'a>>,
    /// How many arguments there really are.
    pub args_count: Option<u64>,
    /// How many bytes they really have, NULs included.
    pub args_bytes: Option<u64>,
    /// The environment, if asked for.
    pub environment: Option<Environment<'a>>,
    /// Bits of the record's and of this module's `FLAG_` constants.
    pub flags: u32,
    /// Failed execs of the same walk along `PATH` that this one stands for, besides
    /// itself.
    pub folded: u32,
    /// From the system call's entry to its exit, or to the exec's success, nanoseconds.
    pub latency: Option<u64>,
    /// Bit n: the kernel side found selector n of those that it alone can decide
    /// ([`Rules::told`](crate::filter::Rules::told)) to hold.
    pub told: Option<u64>,
    /// What could not be had.
    pub faults: Faults,
    /// The CPU it happened on.
    pub cpu: u16,
}

impl Program<'_> {
    /// A program of which nothing is known.
    pub const UNKNOWN: Self = Self {
        process: NO_PROCESS,
        id: None,
        tid: 0,
        parent: None,
        ancestors: None,
        creds: None,
        user: None,
        loginuid: None,
        session: None,
        tty: b"",
        comm: b"",
        cgroup_id: 0,
        cgroup: None,
        namespaces: None,
        image: None,
        filename: None,
        exe: None,
        file: None,
        interpreter: None,
        cwd: None,
        args: None,
        args_count: None,
        args_bytes: None,
        environment: None,
        flags: 0,
        folded: 0,
        latency: None,
        told: None,
        faults: Faults(0),
        cpu: 0,
    };
}

/// A process of which nothing is known.
pub const NO_PROCESS: Process = Process { start: 0, pid: 0, ns_pid: 0, pid_ns: 0, reserved: 0 };

/// The parent of a process.
#[derive(Clone, Copy, Debug)]
pub struct Parent<'a> {
    /// The process.
    pub process: Process,
    /// Its id that is never used again.
    pub id: Option<Cpid>,
    /// Its image counter.
    pub image: u64,
    /// Its short name.
    pub comm: &'a [u8],
    /// Its executable's path; only its end with [`Fault::ParentExeCut`].
    pub exe: Option<&'a [u8]>,
}

/// The end of a process, and what it used. What is `None` is not known.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// The process.
    pub process: Process,
    /// Its id that is never used again.
    pub id: Option<Cpid>,
    /// The thread that ended last.
    pub tid: u32,
    /// Process id of the parent.
    pub ppid: Option<u32>,
    /// User and group ids at the end.
    pub creds: Option<Creds>,
    /// Name of the real user, if it is known already.
    pub user: Option<&'a str>,
    /// The kernel's short name of the last thread.
    pub comm: &'a [u8],
    /// Image counter at the end.
    pub image: Option<u64>,
    /// As `wait` has it.
    pub status: Option<Status>,
    /// From start to end, nanoseconds.
    pub duration: Option<u64>,
    /// User time, nanoseconds.
    pub cpu_user: Option<u64>,
    /// System time, nanoseconds.
    pub cpu_system: Option<u64>,
    /// Most bytes resident at once.
    pub max_rss: Option<u64>,
    /// Page faults without I/O.
    pub minor_faults: Option<u64>,
    /// Page faults with I/O.
    pub major_faults: Option<u64>,
    /// Bytes read from storage.
    pub read_bytes: Option<u64>,
    /// Bytes written to storage.
    pub write_bytes: Option<u64>,
    /// What it ran last.
    pub program: Option<LastProgram<'a>>,
    /// What could not be had.
    pub faults: Faults,
    /// The CPU it happened on.
    pub cpu: u16,
}

impl Ended<'_> {
    /// An end of which nothing is known.
    pub const UNKNOWN: Self = Self {
        process: NO_PROCESS,
        id: None,
        tid: 0,
        ppid: None,
        creds: None,
        user: None,
        comm: b"",
        image: None,
        status: None,
        duration: None,
        cpu_user: None,
        cpu_system: None,
        max_rss: None,
        minor_faults: None,
        major_faults: None,
        read_bytes: None,
        write_bytes: None,
        program: None,
        faults: Faults(0),
        cpu: 0,
    };
}

/// What a process ran when it ended, as its exec had told, or as it was found
/// when the trace began.
#[derive(Clone, Copy, Debug)]
pub struct LastProgram<'a> {
    /// The executable's resolved path.
    pub exe: Option<&'a [u8]>,
    /// The arguments, or the first of many.
    pub args: Option<Args<'a>>,
    /// It is older than the trace, and was found in `/proc`: a process can have
    /// changed what stands there.
    pub scanned: bool,
}

/// How a process ended, as `wait` encodes it (bits/waitstatus.h of the C library).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// The code that it ended with by itself.
    #[must_use]
    pub fn code(self) -> Option<u8> {
        self.signal().is_none().then_some((self.0 >> 8 & 0xff) as u8)
    }

    /// The signal that ended it.
    #[must_use]
    pub fn signal(self) -> Option<u8> {
        Some((self.0 & 0x7f) as u8).filter(|&signal| signal != 0)
    }

    /// Whether it left a core.
    #[must_use]
    pub fn core(self) -> bool {
        self.0 & 0x80 != 0
    }
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

    /// Whether bytes of the arguments are missing because there were too many: for what
    /// was asked for, or for the buffer.
    #[must_use]
    pub const fn cut_arguments(self) -> bool {
        self.has(Fault::ArgsCut) || self.has(Fault::ArgsShortened)
    }
}

/// Why a program was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The positive errno.
    pub errno: u32,
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
    /// Events that the kernel side ran for.
    pub seen: u64,
    /// Those that reached the output, by themselves or folded into another.
    pub delivered: u64,
    /// Of these, the failed execs that were folded into another event.
    pub folded: u64,
    /// Those that a rule turned away, in the kernel or in user space, those after the
    /// last one that was asked for, and those that nobody asked to see.
    pub filtered: u64,
    /// Those that were lost, each told in a `lost` event.
    pub dropped: u64,
    /// Execs that happened without us, at least: those that image counters prove,
    /// or, where that is more, the times that the kernel skipped a program of ours that
    /// nothing stands in for.
    pub missed: u64,
    /// Times that the kernel skipped a program of ours and, where others stand in for it,
    /// all of them, at most; `None` where it does not say.
    pub skipped: Option<u64>,
    /// Events whose arguments were shortened for want of room in the buffer.
    pub shortened: u64,
    /// Records that made no sense, counted in `dropped` too.
    pub damaged: u64,
}
