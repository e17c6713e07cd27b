//! `sched_process_exec` as a raw tracepoint:
//! `(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`
//! (include/trace/events/sched.h; the same since 4.17).

use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};

use super::{
    exec::{self, NewProgram},
    given::exec_is_told,
};
use crate::{account::Role, kernel::Bprm};

/// Its arguments, taken as they are asked for: each is a read of kernel memory.
#[derive(Clone, Copy)]
struct Arguments {
    bprm: Bprm,
    caller: u32,
}

impl NewProgram for Arguments {
    #[inline(always)]
    fn filename(self) -> Option<u64> {
        self.bprm.filename()
    }

    #[inline(always)]
    fn interpreter(self, filename: u64) -> Option<u64> {
        let interpreter = self.bprm.interpreter()?;
        Some(if interpreter == filename { 0 } else { interpreter })
    }

    #[inline(always)]
    fn argc(self) -> Option<u32> {
        self.bprm.argc()
    }

    #[inline(always)]
    fn caller(self) -> u32 {
        self.caller
    }
}

/// A successful exec.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn exec_raw(context: RawTracePointContext) -> i32 {
    let arguments = Arguments { bprm: Bprm::new(context.arg(2)), caller: context.arg(1) };
    exec::tell(arguments, Role::Main);
    0
}

/// An exec that the classic hook was not run for.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn exec_classic_again(context: RawTracePointContext) -> i32 {
    if !exec_is_told() {
        let arguments = Arguments { bprm: Bprm::new(context.arg(2)), caller: context.arg(1) };
        exec::tell(arguments, Role::StandIn);
    }
    0
}
