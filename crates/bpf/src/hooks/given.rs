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
//!
//! In the same place the classic hook notes that it was run: the kernel does not run it
//! while a `bpf(2)` map operation stands interrupted on its CPU, and then a raw one stands
//! in for it (`exec_raw`, `exit`), which is registered after it. Two processes with one
//! place (of ids 2^18 apart) would have to exec at the same moment to confuse that.

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid, macros::raw_tracepoint, programs::RawTracePointContext,
};

use crate::{
    collect::image::Owner,
    kernel::{Bprm, Task},
    maps::{Given, last_given, note_given, note_told},
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
    let (pid, word) = this_exec(steps)?;
    let (interpreter, argc) = (bprm.interpreter()?, u64::from(bprm.argc()?));
    let interpreter = if interpreter == bprm.filename()? { 0 } else { interpreter };
    note_given(pid, Given { word, interpreter, argc, told: 0 })
}

/// What was noted of this exec, or [`Given::NOTHING`].
#[inline(always)]
pub fn recall() -> Given {
    let Some((pid, word)) = this_exec(0) else { return Given::NOTHING };
    let given = last_given(pid);
    if given.word == word { given } else { Given::NOTHING }
}

/// Notes that the main program is run for this exec.
#[inline(always)]
pub fn tell_exec() -> Option<()> {
    let (pid, word) = this_exec(0)?;
    note_told(pid, word)
}

/// Whether it was. If it cannot be known, nobody stands in.
#[inline(always)]
pub fn exec_is_told() -> bool {
    this_exec(0).is_none_or(|(pid, word)| last_given(pid).told == word)
}

/// Notes that the main program is run for the end of this process.
#[inline(always)]
pub fn tell_end() -> Option<()> {
    let (pid, word) = this_exec(0)?;
    note_told(pid, !word)
}

/// Whether it was.
#[inline(always)]
pub fn end_is_told() -> bool {
    this_exec(0).is_none_or(|(pid, word)| last_given(pid).told == !word)
}

/// The process, and what names this very exec of it: its first thread, which the one that
/// execs replaces, and its image counter.
#[inline(always)]
fn this_exec(steps: u64) -> Option<(u32, u64)> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let task = Task::current();
    let counter = task.self_exec_id()?.wrapping_add(steps);
    Some((pid, Owner::new(pid, task.leader()?)?.word(counter)))
}
