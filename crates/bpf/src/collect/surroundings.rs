//! Where: the working directory, the cgroup, the parent. The tails between the
//! names and the arguments, in their order.

use exectrail_abi::config::parts;

use crate::{
    collect::{
        cgroup, lineage,
        path::{self, CWD},
    },
    config::wants,
    kernel::Task,
    scratch::Scratch,
};

/// Fills them.
#[inline(always)]
pub fn surroundings(scratch: &mut Scratch, task: Task) {
    if wants(parts::CWD) {
        let cwd = path::walk(scratch, CWD, task.cwd());
        scratch.note(cwd);
    }
    if wants(parts::CGROUP) {
        let cgroup = cgroup::path(scratch, task);
        scratch.note(cgroup);
    }
    let parent = lineage::parent(scratch, task);
    scratch.note(parent);
}
