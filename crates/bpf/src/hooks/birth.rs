//! `sched_process_fork` as a raw tracepoint:
//! `(struct task_struct *parent, struct task_struct *child)`
//! (include/trace/events/sched.h). It notes where image counters begin that the
//! kernel does not tell of later (`collect::image`), and writes one map value, so
//! it may be preempted.

use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};

use crate::{
    collect::image::{self, Owner},
    gate::tree,
    kernel::{Place, Task, now},
    maps::has_trees,
};

/// A fork, or a new thread.
#[raw_tracepoint(tracepoint = "sched_process_fork")]
pub fn birth(context: RawTracePointContext) -> i32 {
    let (forker, child) = (Task::new(context.arg(0)), Task::new(context.arg(1)));
    match (forker.known(), child.known()) {
        (Some(forker), Some(child)) => note(forker, child),
        _ => note(forker, child),
    };
    0
}

/// Nearly every fork ends at the first question: its child's parent is the one
/// that forked, and `parent_exec_id` tells the rest.
#[inline(always)]
fn note<P: Place>(forker: Task<P>, child: Task<P>) -> Option<()> {
    let is_sibling = child.real_parent()? != forker;
    let has_trees = has_trees();
    if !(is_sibling || has_trees) || child.leader()? != child {
        return None;
    }
    let pid = child.tgid()?;
    if has_trees {
        tree::inherit(forker.tgid()?, pid);
    }
    if is_sibling {
        image::begin(Owner::new(pid, child)?, child.self_exec_id()?, now())?;
    }
    Some(())
}
