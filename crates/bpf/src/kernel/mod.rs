//! Typed views of kernel structures: the only raw kernel pointers.
//!
//! Offsets come from the running kernel's BTF and stand in `CONFIG`. A field
//! that this kernel does not have is [`ABSENT`], a constant to the verifier, so
//! the read drops out of the program and its fault is noted instead.

mod bprm;
mod file;
mod kernfs;
mod path;
mod pid;
mod place;
mod signal;
mod task;
mod tracepoint;

pub use bprm::Bprm;
pub use file::OpenFile;
pub use kernfs::KernfsNode;
pub use path::{Dentry, FilePath, Mount, MountPlace, Name};
pub use place::{Known, Place, Trusted, Words};
pub use task::{Running, Task};
pub use tracepoint::{field, text};

use aya_ebpf::helpers::generated::{
    bpf_get_current_ancestor_cgroup_id, bpf_get_current_cgroup_id, bpf_get_smp_processor_id,
    bpf_ktime_get_boot_ns,
};
use exectrail_abi::config::ABSENT;

use self::place::{follow, read, there};
use crate::config::config;

/// A kernel address. May dangle or be null: reads through it fail, no more.
pub type Address = u64;

/// The boot clock, nanoseconds. Unlike the monotonic clock it goes on during
/// suspend, and `/proc/PID/stat` starts are counted in it.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: a helper without arguments.
    unsafe { bpf_ktime_get_boot_ns() }
}

/// The CPU that this runs on.
#[inline(always)]
pub fn cpu() -> u32 {
    // SAFETY: a helper without arguments.
    unsafe { bpf_get_smp_processor_id() }
}

/// Number of the running task's cgroup in the unified hierarchy.
#[inline(always)]
pub fn cgroup_id() -> u64 {
    // SAFETY: a helper without arguments.
    unsafe { bpf_get_current_cgroup_id() }
}

/// The ancestor, at this depth, of the running task's cgroup in the unified hierarchy;
/// zero if it is not that deep. The helper came to tracepoints with 5.15 (95b861a7935b);
/// the ids it reads stood side by side until 6.0.
#[inline(always)]
pub fn ancestor_cgroup(depth: u32) -> u64 {
    if config!(offsets.cgroup_ancestor_ids) != ABSENT {
        return Task::current().ancestor_cgroup(depth).unwrap_or(0);
    }
    // SAFETY: a helper with a number.
    unsafe { bpf_get_current_ancestor_cgroup_id(depth as i32) }
}
