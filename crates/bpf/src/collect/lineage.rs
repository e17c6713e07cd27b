//! From whom: the parent, and those before it.

use exectrail_abi::{
    config::parts::{PARENT, PARENT_EXE as PARENT_EXE_PART},
    fault::Fault,
    record::{ANCESTORS_MAX, FLAG_KERNEL_HELPER, Relative, TAIL_MAX, Tail},
};

use crate::{
    collect::{
        TOLD,
        path::{self, PARENT_EXE},
    },
    config::{config, wants},
    kernel::Task,
    scratch::Scratch,
};

/// The parent, and its executable's path.
#[inline(always)]
pub fn parent(scratch: &mut Scratch, task: Task) -> Result<(), Fault> {
    let parent = task.real_parent().ok_or(Fault::Parent)?;
    if !wants(PARENT | PARENT_EXE_PART) {
        scratch.record.parent.process.pid = parent.tgid().ok_or(Fault::Parent)?;
        return Ok(());
    }
    scratch.record.parent = relative(parent).ok_or(Fault::Parent)?;
    if parent.is_kernel_thread() {
        scratch.record.flags |= FLAG_KERNEL_HELPER;
        // It has no executable, and that is no shortfall.
        return Ok(());
    }
    if !wants(PARENT_EXE_PART) {
        return Ok(());
    }
    path::walk_executable(scratch, PARENT_EXE, parent)
}

/// Whom it descends from, in the buffer with this number. A global function, which the
/// verifier walks by itself.
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_ancestors(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer) {
        let ancestors = ancestors(scratch, Task::current());
        scratch.note(ancestors);
    }
    TOLD
}

/// The grandparent and those before, as many as were asked for. The first
/// process is its own parent's end: the kernel's idle task, with id 0.
#[inline(always)]
fn ancestors(scratch: &mut Scratch, task: Task) -> Result<(), Fault> {
    let mut ancestor = task.real_parent().ok_or(Fault::Ancestors)?;
    for index in 0..ANCESTORS_MAX {
        if index as u32 >= config!(ancestors) {
            break;
        }
        ancestor = ancestor.real_parent().ok_or(Fault::Ancestors)?;
        if ancestor.tgid().ok_or(Fault::Ancestors)? == 0 {
            break;
        }
        let relative = relative(ancestor).ok_or(Fault::Ancestors)?;
        let size = size_of::<Relative>();
        let to = scratch.end((TAIL_MAX - size) as u64).ok_or(Fault::Ancestors)?;
        // SAFETY: `to` has room for one; it may stand at any byte.
        unsafe { to.cast::<Relative>().write_unaligned(relative) };
        scratch.grow(Tail::Ancestors, size as u64);
    }
    Ok(())
}

#[inline(always)]
fn relative(task: Task) -> Option<Relative> {
    let leader = task.leader()?;
    Some(Relative {
        process: leader.process()?,
        exec_id: leader.self_exec_id()?,
        comm: leader.comm()?,
    })
}
