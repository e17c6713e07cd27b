//! Where: the working directory, the cgroup, the parent. The tails between the
//! names and the arguments, in their order.

use crate::{
    collect::{
        cgroup, lineage,
        path::{self, CWD},
    },
    kernel::Task,
    scratch::Scratch,
};

/// Fills them.
#[inline(always)]
pub fn surroundings(scratch: &mut Scratch, task: Task) {
    let cwd = path::walk(scratch, CWD, task.cwd());
    scratch.note(cwd);
    let cgroup = cgroup::path(scratch, task);
    scratch.note(cgroup);
    let parent = lineage::parent(scratch, task);
    scratch.note(parent);
}
