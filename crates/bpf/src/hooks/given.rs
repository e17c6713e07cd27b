//! What a classic tracepoint does not tell of an exec, noted by a raw one a moment
//! before: `sched_process_exec`,
//! `(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`.
//!
//! Attached before the classic hook, it runs before it: probes of a tracepoint run in
//! the order of their registration (kernel/tracepoint.c, `func_add`). It writes one map
//! value, so it may be preempted. Where it is skipped, or runs too late, what the value
//! holds is of another exec, and says so: the record is marked instead.

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
    note(Bprm::new(context.arg(2)));
    0
}

#[inline(always)]
fn note(bprm: Bprm) -> Option<()> {
    let (place, word) = place()?;
    let (interpreter, argc) = (bprm.interpreter()?, u64::from(bprm.argc()?));
    let interpreter = if interpreter == bprm.filename()? { 0 } else { interpreter };
    // SAFETY: a valid map value.
    unsafe { place.write_volatile(Given { word, interpreter, argc }) };
    Some(())
}

/// What was noted of this exec, or [`Given::NOTHING`].
#[inline(always)]
pub fn recall() -> Given {
    let Some((place, word)) = place() else { return Given::NOTHING };
    // SAFETY: a valid map value.
    let given = unsafe { place.read_volatile() };
    if given.word == word { given } else { Given::NOTHING }
}

/// Where it stands, and what names this very exec.
#[inline(always)]
fn place() -> Option<(*mut Given, u64)> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let task = Task::current();
    let word = Owner::new(pid, task)?.word(task.self_exec_id()?);
    Some((GIVEN.get_ptr_mut(pid & config!(images).wrapping_sub(1))?, word))
}
