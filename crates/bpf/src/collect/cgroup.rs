//! The path of the cgroup: from the leaf to the root, as directories are named
//! in kernfs.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use exectrail_abi::{
    fault::Fault,
    record::{BEFORE_ARGS_MAX, PATH_MAX, Tail},
};

use crate::{
    kernel::{KernfsNode, Task},
    scratch::Scratch,
};

/// Most levels that are told; systemd and Kubernetes together make nine.
const LEVELS: usize = 20;

/// Longest name of a cgroup's directory, with its NUL.
const NAME_MAX: u32 = 256;

/// Fills the tail of the cgroup's path.
#[inline(always)]
pub fn path(scratch: &mut Scratch, task: Task) -> Result<(), Fault> {
    let mut node = task.cgroup_directory().ok_or(Fault::Cgroup)?;
    for _ in 0..LEVELS {
        let Some(parent) = node.parent().ok_or(Fault::Cgroup)? else {
            return Ok(());
        };
        append(scratch, node)?;
        node = parent;
    }
    Err(Fault::CgroupCut)
}

#[inline(always)]
fn append(scratch: &mut Scratch, node: KernfsNode) -> Result<(), Fault> {
    let name = node.name().ok_or(Fault::Cgroup)?;
    if scratch.len(Tail::Cgroup) + u64::from(NAME_MAX) > PATH_MAX as u64 {
        return Err(Fault::CgroupCut);
    }
    let to = scratch.end(BEFORE_ARGS_MAX as u64).ok_or(Fault::Cgroup)?;
    // SAFETY: `to` has room for a name: behind it lies the arguments' part.
    let len = unsafe { bpf_probe_read_kernel_str(to.cast(), NAME_MAX, name as *const _) };
    if len < 1 || len > i64::from(NAME_MAX) {
        return Err(Fault::Cgroup);
    }
    scratch.grow(Tail::Cgroup, len as u64);
    Ok(())
}
