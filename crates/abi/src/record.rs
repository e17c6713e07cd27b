//! The records that cross the ring buffer.
//!
//! One fixed part, [`Exec`], serves successful and failed execs alike. Behind it
//! stand the tails: bytes without separators, in the order of [`Tail`], each as
//! long as [`Exec::tails`] says. A process that ends is told by an [`Exit`],
//! which has no tails. Arguments that are too long for one record go before it,
//! in [`Piece`]s.
//!
//! Paths and cgroups travel **leaf first**, in the order in which the kernel side
//! walks them: `/usr/bin/true` is `true NUL bin NUL usr NUL`. The user side turns
//! them round.

use crate::fault::Loss;

/// [`Header::kind`] of a successful exec.
pub const KIND_EXEC: u16 = 1;
/// [`Header::kind`] of a failed exec.
pub const KIND_FAILED: u16 = 2;
/// [`Header::kind`] of an [`Exit`].
pub const KIND_EXIT: u16 = 3;

/// [`Header::kind`] of a [`Piece`].
pub const KIND_PIECE: u16 = 4;

/// What stands behind the fixed part, in this order. The discriminant is the
/// index in [`Exec::tails`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Tail {
    /// The file name as it was given to exec, no NUL.
    Filename = 0,
    /// The path of the executable, leaf first.
    Exe = 1,
    /// Of a script: the interpreter as it was named, no NUL.
    Interpreter = 2,
    /// The working directory, leaf first.
    Cwd = 3,
    /// The cgroup in the unified hierarchy, leaf first.
    Cgroup = 4,
    /// The path of the parent's executable, leaf first.
    ParentExe = 5,
    /// The arguments, each ended by a NUL.
    Args = 6,
    /// The environment, each variable ended by a NUL. Only when asked for.
    Environment = 7,
    /// [`Relative`]s: the grandparent and those before. Only when asked for.
    Ancestors = 8,
}

/// How many tails there are.
pub const TAILS: usize = 9;

/// Most bytes of a path. `PATH_MAX` is 4,096 with its NUL
/// (include/uapi/linux/limits.h).
pub const PATH_MAX: usize = 4096;
/// Most bytes of an interpreter's name: what fits into the line that names it
/// (`BINPRM_BUF_SIZE`, include/uapi/linux/binfmts.h).
pub const INTERPRETER_MAX: usize = 256;
/// Most bytes of arguments in one record, or in one [`Piece`].
pub const ARGS_MAX: u32 = 64 * 1024;
/// Most bytes of arguments in all, the kernel's own limit: three quarters of
/// `_STK_LIM`, 8 MiB (fs/exec.c, `bprm_stack_limits`).
pub const ARGS_LIMIT: u32 = 6 * 1024 * 1024;
/// Most [`Piece`]s that go before one record.
pub const PIECES_MAX: u32 = ARGS_LIMIT / ARGS_MAX;
/// Most bytes of environment in one record.
pub const ENVIRONMENT_MAX: u32 = 32 * 1024;
/// Most ancestors behind the parent.
pub const ANCESTORS_MAX: usize = 8;
/// Most bytes before the arguments: name, executable, interpreter, working
/// directory, cgroup and the parent's executable.
pub const BEFORE_ARGS_MAX: usize = 5 * PATH_MAX + INTERPRETER_MAX;
/// Most bytes behind the fixed part.
pub const TAIL_MAX: usize = BEFORE_ARGS_MAX
    + ARGS_MAX as usize
    + ENVIRONMENT_MAX as usize
    + ANCESTORS_MAX * size_of::<Relative>();

/// A `u64` that is not known.
pub const UNKNOWN_U64: u64 = u64::MAX;
/// A `u32` that is not known. Also what the kernel has for "never logged in"
/// (`INVALID_UID`, include/linux/uidgid.h; `AUDIT_SID_UNSET`).
pub const UNKNOWN_U32: u32 = u32::MAX;

/// [`Exec::flags`]: `execveat` with `AT_EXECVE_CHECK`, a question about
/// permission and no exec at all (Linux 6.14, fs/exec.c).
pub const FLAG_CHECK: u32 = 1 << 0;
/// [`Exec::flags`]: the exec failed after the old program image was gone; the
/// process cannot go on.
pub const FLAG_IMAGE_LOST: u32 = 1 << 1;
/// [`Exec::flags`]: a script, run by its interpreter.
pub const FLAG_SCRIPT: u32 = 1 << 2;
/// [`Exec::flags`]: the process can gain no privileges by exec (`PR_SET_NO_NEW_PRIVS`).
pub const FLAG_NO_NEW_PRIVS: u32 = 1 << 3;
/// [`Exec::flags`]: started by the kernel itself (kernel/umh.c).
pub const FLAG_KERNEL_HELPER: u32 = 1 << 4;
/// [`Exec::flags`]: the executable has no name in the file system any more, or never had.
pub const FLAG_DELETED: u32 = 1 << 5;
/// [`Exec::flags`]: the executable is in the upper layer of an overlay: it was
/// not part of the image.
pub const FLAG_UPPER_LAYER: u32 = 1 << 6;

/// What every record begins with.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Header {
    /// Bytes of the whole record, tails included.
    pub len: u32,
    /// One of the `KIND_` constants.
    pub kind: u16,
    /// The CPU that wrote the record.
    pub cpu: u16,
    /// `CLOCK_BOOTTIME` in nanoseconds.
    pub ktime: u64,
    /// The lane ([`counters`](crate::counters)) that wrote the record: the CPU
    /// number for the exec hooks; for the attempt hooks, `cpus + row`.
    pub lane: u32,
    /// What this lane had lost before this record, by [`Loss`],
    /// modulo 2^32. A step tells that, where and why something is missing.
    pub lost: [u32; Loss::COUNT],
}

/// Credentials as they stand side by side in `struct cred`
/// (include/linux/cred.h), in the initial user namespace's ids.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
#[expect(missing_docs, reason = "the names are the kernel's own")]
pub struct Creds {
    pub uid: u32,
    pub gid: u32,
    pub suid: u32,
    pub sgid: u32,
    pub euid: u32,
    pub egid: u32,
    pub fsuid: u32,
    pub fsgid: u32,
}

/// What names a process for ever: its id alone is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Process {
    /// When its first thread started: `CLOCK_BOOTTIME`, nanoseconds. An exec does
    /// not change it.
    pub start: u64,
    /// Process id (tgid) in the initial pid namespace.
    pub pid: u32,
    /// Process id in its own, the innermost, pid namespace.
    pub ns_pid: u32,
    /// Inode of that namespace.
    pub pid_ns: u32,
    /// Always zero: keeps the size a multiple of eight without padding.
    pub reserved: u32,
}

/// A parent, or one before.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Relative {
    /// Which process.
    pub process: Process,
    /// Its image counter.
    pub exec_id: u64,
    /// Its `task->comm`, NUL-padded.
    pub comm: [u8; 16],
}

/// Inodes of the namespaces that a process is in; zero for one that this kernel
/// does not have.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
#[expect(missing_docs, reason = "the names are the kernel's own")]
pub struct Namespaces {
    pub mnt: u32,
    pub uts: u32,
    pub ipc: u32,
    pub net: u32,
    pub cgroup: u32,
    pub user: u32,
}

/// The executable's inode.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct File {
    /// Its number.
    pub inode: u64,
    /// Its device, as the kernel has it: major above bit 20, minor below
    /// (`MKDEV`, `include/linux/kdev_t.h`).
    pub device: u32,
    /// Type and permissions, as in `stat`.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// The fixed part of an exec, successful or failed.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Exec {
    /// Kind, size, time and losses.
    pub header: Header,
    /// Whose exec it is.
    pub process: Process,
    /// The real parent.
    pub parent: Relative,
    /// Credentials: the new ones after a success, the caller's after a failure.
    pub creds: Creds,
    /// `task->comm`, NUL-padded: the new name after a success.
    pub comm: [u8; 16],
    /// Name of the controlling terminal as the kernel has it (`pts0`),
    /// NUL-padded; empty without one.
    pub tty: [u8; 16],
    /// Namespaces. That of process ids is in `process`.
    pub namespaces: Namespaces,
    /// The executable, after a success.
    pub file: File,
    /// Id of the cgroup in the unified hierarchy.
    pub cgroup: u64,
    /// Bit n: it is in process tree n of the rules
    /// ([`TOLD_MAX`](crate::rules::TOLD_MAX)).
    pub told: u64,
    /// `task->self_exec_id`: counts the program images of a process and its
    /// ancestors (fs/exec.c).
    pub exec_id: u64,
    /// Nanoseconds from the system call's entry to its exit, or to the exec's
    /// success; [`UNKNOWN_U64`] without `--failed`.
    pub latency: u64,
    /// Bytes that the arguments really have, NULs included, or [`UNKNOWN_U64`].
    pub args_total: u64,
    /// Where in the arguments those of this record begin: zero, unless
    /// [`Piece`]s went before it.
    pub args_offset: u64,
    /// Bit n: argument n (of the first 64) is there but could not be read; an
    /// empty string stands in its place.
    pub args_missing: u64,
    /// How many arguments there really are, or [`UNKNOWN_U32`].
    pub args_count: u32,
    /// With [`Fault::ArgsCut`](crate::fault::Fault::ArgsCut): the place, in bytes
    /// from the start of the arguments, behind which the middle is missing.
    pub args_cut: u32,
    /// Thread id. After a successful exec it equals the process id.
    pub tid: u32,
    /// Bits of [`Fault`](crate::fault::Fault).
    pub faults: u32,
    /// Bits of the `FLAG_` constants.
    pub flags: u32,
    /// Zero after a success, else the positive errno.
    pub errno: u32,
    /// Login user id, or [`UNKNOWN_U32`].
    pub loginuid: u32,
    /// Audit session id, or [`UNKNOWN_U32`].
    pub session: u32,
    /// Bytes of each [`Tail`].
    pub tails: [u32; TAILS],
    /// Which [`parts`](crate::config::parts) were collected.
    pub parts: u32,
}

/// Bytes of the fixed part.
pub const FIXED_LEN: usize = size_of::<Exec>();

/// A piece of arguments that are too long for one record. The pieces of an exec
/// go before its record, by the same lane and in their order, and end where the
/// record's own part begins; where the buffer had no room, or more was not asked
/// for, there is a gap. The bytes stand right behind this.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Piece {
    /// Kind, size, time and losses.
    pub header: Header,
    /// [`Header::ktime`] of the record that it belongs to.
    pub of: u64,
    /// Where in the arguments its bytes begin.
    pub offset: u64,
}

/// The end of a process: its last thread is gone.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Exit {
    /// Kind, size, time and losses.
    pub header: Header,
    /// Which process.
    pub process: Process,
    /// Credentials at the end.
    pub creds: Creds,
    /// `task->comm` of the thread that ended last, NUL-padded.
    pub comm: [u8; 16],
    /// Image counter at the end.
    pub exec_id: u64,
    /// User time of all threads, nanoseconds.
    pub cpu_user: u64,
    /// System time of all threads, nanoseconds.
    pub cpu_system: u64,
    /// Most pages resident at once.
    pub max_rss_pages: u64,
    /// Page faults without I/O.
    pub minor_faults: u64,
    /// Page faults with I/O.
    pub major_faults: u64,
    /// Bytes read from storage.
    pub read_bytes: u64,
    /// Bytes written to storage.
    pub write_bytes: u64,
    /// Process id of the real parent, [`UNKNOWN_U32`] if it could not be read.
    pub ppid: u32,
    /// The thread that ended last.
    pub tid: u32,
    /// As `wait` has it: code above bit 8, signal below 7, core flag in bit 7.
    pub status: u32,
    /// Bits of [`Fault`](crate::fault::Fault).
    pub faults: u32,
}

const _: () = assert!(size_of::<Header>() == 32);
const _: () = assert!(size_of::<Creds>() == 32);
const _: () = assert!(size_of::<Process>() == 24);
const _: () = assert!(size_of::<Relative>() == 48);
const _: () =
    assert!(FIXED_LEN == 32 + 24 + 48 + 32 + 16 + 16 + 24 + 24 + 7 * 8 + 8 * 4 + TAILS * 4 + 4);
const _: () = assert!(size_of::<Piece>() == 32 + 2 * 8);
const _: () = assert!(size_of::<Exit>() == 32 + 24 + 32 + 16 + 8 * 8 + 4 * 4);
