//! Where: the working directory, the cgroup, the parent. The tails between the
//! names and the arguments, in their order.

use exectrail_abi::config::parts;

use crate::{
    collect::{
        TOLD, cgroup, lineage,
        path::{self, CWD},
    },
    config::wants,
    kernel::Task,
    scratch::Scratch,
};

/// Fills them, in the buffer with this number. A global function, which the verifier walks by
/// itself.
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_where(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer) {
        surroundings(scratch, Task::current());
    }
    TOLD
}

#[inline(always)]
fn surroundings(scratch: &mut Scratch, task: Task) {
    if wants(parts::CWD) {
        let cwd = path::walk(scratch, CWD, task.cwd());
        scratch.note(cwd);
    }
    let cgroup = cgroup::tell(scratch, task);
    scratch.note(cgroup);
    let parent = lineage::parent(scratch, task);
    scratch.note(parent);
}
