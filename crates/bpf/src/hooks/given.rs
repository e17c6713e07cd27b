//! What a classic tracepoint does not tell of an exec, noted by a raw one a moment
//! before.
//!
//! Since 6.10 that is `sched_prepare_exec`, `(struct task_struct *task, struct
//! linux_binprm *bprm)`, right before the old image is given up. Before,
//! it is `sched_process_exec` itself, `(struct task_struct *p, pid_t old_pid, struct
//! linux_binprm *bprm)`: its probes run in the order of their registration
//! (kernel/tracepoint.c, `func_add`), and whoever else uses the classic one has
//! registered it before us. What comes too late is of another exec, and says so: the
//! record is marked instead.
//!
//! It writes one map value, so it may be preempted.

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid, macros::raw_tracepoint, programs::RawTracePointContext,
};

use crate::{
    collect::image::Owner,
    config::config,
    kernel::{Bprm, Task},
    maps::{GIVEN, Given},
};

/// A successful exec, about to be told by the classic hook.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn given(context: RawTracePointContext) -> i32 {
    note(Bprm::new(context.arg(2)), 0);
    0
}

/// An exec that is about to succeed.
#[raw_tracepoint(tracepoint = "sched_prepare_exec")]
pub fn prepared(context: RawTracePointContext) -> i32 {
    note(Bprm::new(context.arg(1)), 1);
    0
}

/// Notes it for when the image counter has gone so many steps further.
#[inline(always)]
fn note(bprm: Bprm, steps: u64) -> Option<()> {
    let (place, word) = place(steps)?;
    let (interpreter, argc) = (bprm.interpreter()?, u64::from(bprm.argc()?));
    let interpreter = if interpreter == bprm.filename()? { 0 } else { interpreter };
    // SAFETY: a valid map value.
    unsafe { place.write_volatile(Given { word, interpreter, argc }) };
    Some(())
}

/// What was noted of this exec, or [`Given::NOTHING`].
#[inline(always)]
pub fn recall() -> Given {
    let Some((place, word)) = place(0) else { return Given::NOTHING };
    // SAFETY: a valid map value.
    let given = unsafe { place.read_volatile() };
    if given.word == word { given } else { Given::NOTHING }
}

/// Where it stands, and what names this very exec: the process, by its first thread,
/// which the one that execs replaces, and its image counter.
#[inline(always)]
fn place(steps: u64) -> Option<(*mut Given, u64)> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let task = Task::current();
    let counter = task.self_exec_id()?.wrapping_add(steps);
    let word = Owner::new(pid, task.leader()?)?.word(counter);
    Some((GIVEN.get_ptr_mut(pid & config!(images).wrapping_sub(1))?, word))
}
