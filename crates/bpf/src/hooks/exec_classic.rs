//! `sched:sched_process_exec` as a classic tracepoint. Its record has the name
//! as a `__data_loc`: length in the upper half, distance from the record's
//! start in the lower. It does not tell how many arguments there are.

use aya_ebpf::{EbpfContext, macros::tracepoint, programs::TracePointContext};

use super::exec::{self, NewProgram};
use crate::config;

/// A successful exec.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn exec_classic(context: TracePointContext) -> i32 {
    let program = NewProgram { filename: filename(&context), argc: None, caller: caller(&context) };
    exec::begin(&context, &program);
    0
}

/// The same exec, when its path is deeper than one program walks.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn walk_classic(context: TracePointContext) -> i32 {
    exec::go_on(&context);
    0
}

#[inline(always)]
fn filename(context: &TracePointContext) -> Option<u64> {
    // SAFETY: the helper behind it checks the address; the offset is from the format file.
    let location: u32 =
        unsafe { context.read_at(config!(formats.sched_process_exec_filename) as usize) }.ok()?;
    Some(context.as_ptr() as u64 + u64::from(location & 0xffff))
}

#[inline(always)]
fn caller(context: &TracePointContext) -> u32 {
    // SAFETY: as above.
    unsafe { context.read_at(config!(formats.sched_process_exec_old_pid) as usize) }.unwrap_or(0)
}
