//! `sched_process_exec` as a raw tracepoint:
//! `(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`
//! (include/trace/events/sched.h; the same since 4.17).

use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};

use super::exec::{self, NewProgram};
use crate::kernel::Bprm;

/// A successful exec.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn exec_raw(context: RawTracePointContext) -> i32 {
    let bprm = Bprm::new(context.arg(2));
    let program = NewProgram {
        filename: bprm.filename(),
        interpreter: bprm.interpreter(),
        argc: bprm.argc(),
        caller: context.arg(1),
    };
    exec::begin(&context, &program);
    0
}

/// The same exec, when its path is deeper than one program walks.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn walk_raw(context: RawTracePointContext) -> i32 {
    exec::walk(&context);
    0
}

/// The same exec, when its path is known.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn finish_raw(context: RawTracePointContext) -> i32 {
    exec::finish(&context);
    0
}

/// The same exec, when its arguments are longer than one record.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn pieces_raw(context: RawTracePointContext) -> i32 {
    exec::pieces(&context);
    0
}
