//! `sched:sched_process_exec` as a classic tracepoint. It tells neither how many
//! arguments there are nor whether it is a script: `given` has noted that.

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};

use super::{
    exec::{self, NewProgram},
    given::{recall, tell_exec},
};
use crate::{
    account::Role,
    config::config,
    kernel::{field, text},
    maps::Given,
};

/// The fields of its record, and what was noted.
#[derive(Clone, Copy)]
struct Fields<'c> {
    record: &'c TracePointContext,
    given: Given,
}

impl NewProgram for Fields<'_> {
    #[inline(always)]
    fn filename(self) -> Option<u64> {
        text(self.record, config!(formats.sched_process_exec_filename))
    }

    #[inline(always)]
    fn interpreter(self, _filename: u64) -> Option<u64> {
        self.given.is_known().then_some(self.given.interpreter)
    }

    #[inline(always)]
    fn argc(self) -> Option<u32> {
        self.given.is_known().then_some(self.given.argc as u32)
    }

    #[inline(always)]
    fn caller(self) -> u32 {
        field(self.record, config!(formats.sched_process_exec_old_pid)).unwrap_or(0)
    }
}

/// A successful exec.
#[tracepoint(category = "sched", name = "sched_process_exec")]
pub fn exec_classic(context: TracePointContext) -> i32 {
    let _ = tell_exec();
    exec::tell(Fields { record: &context, given: recall() }, Role::Main);
    0
}
