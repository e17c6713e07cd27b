//! The cgroup: its id, and its path from the leaf to the root, as directories are named in
//! kernfs.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use exectrail_abi::{
    config::parts::CGROUP,
    fault::Fault,
    record::{BEFORE_ARGS_MAX, PATH_MAX, Tail},
};

use crate::{
    config::wants,
    kernel::{KernfsNode, Task, cgroup_id},
    scratch::Scratch,
};

/// Most levels that are told; systemd and Kubernetes together make nine.
const LEVELS: usize = 20;

/// Longest name of a cgroup's directory, with its NUL.
const NAME_MAX: u32 = 256;

/// Fills in its id, which is its directory's, and the path, if that is wanted.
#[inline(always)]
pub fn tell(scratch: &mut Scratch, task: Task) -> Result<(), Fault> {
    let Some(node) = task.cgroup_directory() else {
        scratch.record.cgroup = cgroup_id();
        return if wants(CGROUP) { Err(Fault::Cgroup) } else { Ok(()) };
    };
    // The helper that knows it, too, is in nobody's cache: 120 ns, for the same four loads.
    scratch.record.cgroup = node.id().unwrap_or_else(cgroup_id);
    if wants(CGROUP) { walk(scratch, node) } else { Ok(()) }
}

/// Fills the tail of the path alone.
#[inline(always)]
pub fn path(scratch: &mut Scratch, task: Task) -> Result<(), Fault> {
    walk(scratch, task.cgroup_directory().ok_or(Fault::Cgroup)?)
}

#[inline(always)]
fn walk(scratch: &mut Scratch, mut node: KernfsNode) -> Result<(), Fault> {
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
