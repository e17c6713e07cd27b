//! The end of a process, `sched_process_exit`, as a raw and as a classic
//! tracepoint: neither's own arguments are needed.
//!
//! It fires for every thread. A process has ended with its last one, which need
//! not be the first (include/trace/events/sched.h has `group_dead` since 6.16;
//! the count of live threads says the same on every kernel, but two threads that
//! end at once can both find it at zero: the user side tells a process's end once).

use aya_ebpf::{
    macros::{raw_tracepoint, tracepoint},
    programs::{RawTracePointContext, TracePointContext},
};

use crate::{account::Account, collect::end, emit::emit_exit, kernel::Task};

/// The end of a thread, told by a raw tracepoint.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn exit_raw(_context: RawTracePointContext) -> i32 {
    tell();
    0
}

/// The same, told by a classic one.
#[tracepoint(category = "sched", name = "sched_process_exit")]
pub fn exit_classic(_context: TracePointContext) -> i32 {
    tell();
    0
}

#[inline(always)]
fn tell() -> Option<()> {
    let task = Task::current();
    if !end::is_last_thread(task) {
        return None;
    }
    let account = Account::of_exec()?;
    account.seen();
    let mut exit = end::of_current(task);
    emit_exit(&mut exit, account);
    Some(())
}
