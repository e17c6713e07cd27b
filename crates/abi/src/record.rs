//! The record that crosses the ring buffer.
//!
//! One fixed part, [`Exec`], serves successful and failed execs alike. Behind
//! it stand three tails of bytes, without separators, in this order:
//!
//! 1. the file name as it was given to exec (`filename_len` bytes, no NUL);
//! 2. the path of the executable (`exe_len` bytes), **leaf first**: the kernel
//!    walks from the file to the root, so `/usr/bin/true` travels as
//!    `true NUL bin NUL usr NUL`. The user side turns it round;
//! 3. the arguments (`args_len` bytes), each ended by a NUL.

/// [`Header::kind`] of a successful exec.
pub const KIND_EXEC: u16 = 1;
/// [`Header::kind`] of a failed exec.
pub const KIND_FAILED: u16 = 2;

/// Most bytes of a file name. `PATH_MAX` is 4,096 with its NUL
/// (include/uapi/linux/limits.h).
pub const FILENAME_MAX: usize = 4096;
/// Most bytes of a leaf-first executable path.
pub const EXE_MAX: usize = 4096;
/// Most bytes of arguments in one record.
pub const ARGS_MAX: u32 = 64 * 1024;
/// Most bytes behind the fixed part.
pub const TAIL_MAX: usize = FILENAME_MAX + EXE_MAX + ARGS_MAX as usize;

/// [`Exec::args_total`] and [`Exec::latency`] when it is not known.
pub const UNKNOWN_U64: u64 = u64::MAX;
/// [`Exec::args_count`] when the kernel side does not know it.
pub const UNKNOWN_U32: u32 = u32::MAX;

/// [`Exec::flags`]: `execveat` with `AT_EXECVE_CHECK`, a question about
/// permission and no exec at all (Linux 6.14, fs/exec.c).
pub const FLAG_CHECK: u32 = 1 << 0;
/// [`Exec::flags`]: the exec failed after the old program image was gone; the
/// process cannot go on.
pub const FLAG_IMAGE_LOST: u32 = 1 << 1;

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
    /// How many records this lane had dropped before this one, modulo 2^32. A
    /// step tells that, and where, records are missing.
    pub dropped: u32,
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
    /// Process id (tgid), in the initial pid namespace.
    pub pid: u32,
    /// Thread id. After a successful exec it equals `pid`.
    pub tid: u32,
    /// Process id of the real parent.
    pub ppid: u32,
    /// Bits of [`Fault`](crate::fault::Fault).
    pub faults: u32,
    /// Credentials: the new ones after a success, the caller's after a failure.
    pub creds: Creds,
    /// `task->comm`, NUL-padded: the new name after a success.
    pub comm: [u8; 16],
    /// Id of the cgroup in the unified hierarchy.
    pub cgroup: u64,
    /// `task->self_exec_id`: counts the program images of a process and its
    /// ancestors (fs/exec.c).
    pub exec_id: u64,
    /// Nanoseconds from the system call's entry to its exit, or [`UNKNOWN_U64`].
    pub latency: u64,
    /// Bytes that the arguments really have, NULs included, or [`UNKNOWN_U64`].
    pub args_total: u64,
    /// Bit n: argument n (of the first 64) is there but could not be read; an
    /// empty string stands in its place.
    pub args_missing: u64,
    /// How many arguments there really are, or [`UNKNOWN_U32`].
    pub args_count: u32,
    /// Bytes of arguments in the record.
    pub args_len: u32,
    /// With [`Fault::ArgsCut`](crate::fault::Fault::ArgsCut): the place, in bytes
    /// from the start of the arguments, behind which the middle is missing.
    pub args_cut: u32,
    /// Bytes of the file name in the record.
    pub filename_len: u32,
    /// Bytes of the leaf-first executable path in the record.
    pub exe_len: u32,
    /// Bits of the `FLAG_` constants.
    pub flags: u32,
    /// Zero after a success, else the positive errno.
    pub errno: u32,
    /// Always zero: keeps the size a multiple of eight without padding.
    pub reserved: u32,
}

/// Bytes of the fixed part.
pub const FIXED_LEN: usize = size_of::<Exec>();

const _: () = assert!(size_of::<Header>() == 24);
const _: () = assert!(size_of::<Creds>() == 32);
const _: () = assert!(FIXED_LEN == 24 + 16 + 32 + 16 + 5 * 8 + 8 * 4);
