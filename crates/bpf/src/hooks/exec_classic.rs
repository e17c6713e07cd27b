//! `sched:sched_process_exec` as a classic tracepoint. It tells neither how many
//! arguments there are nor whether it is a script.

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};

use super::exec::{self, NewProgram};
use crate::{
    config::config,
    kernel::{field, text},
};

/// The fields of its record.
#[derive(Clone, Copy)]
struct Fields<'c>(&'c TracePointContext);

impl NewProgram for Fields<'_> {
    #[inline(always)]
    fn filename(self) -> Option<u64> {
        text(self.0, config!(formats.sched_process_exec_filename))
    }

    #[inline(always)]
    fn interpreter(self) -> Option<u64> {
        None
    }

    #[inline(always)]
    fn argc(self) -> Option<u32> {
        None
    }

    #[inline(always)]
    fn caller(self) -> u32 {
        field(self.0, config!(formats.sched_process_exec_old_pid)).unwrap_or(0)
    }
}

/// A successful exec.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn exec_classic(context: TracePointContext) -> i32 {
    exec::begin(&context, Fields(&context));
    0
}

/// The same exec, when its path is deeper than one program walks.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn walk_classic(context: TracePointContext) -> i32 {
    exec::walk(&context);
    0
}

/// The same exec, when its path is known.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn finish_classic(context: TracePointContext) -> i32 {
    exec::finish(&context);
    0
}

/// The same exec, when its arguments are longer than one record.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn pieces_classic(context: TracePointContext) -> i32 {
    exec::pieces(&context);
    0
}
