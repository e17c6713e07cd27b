//! The kernel side's account, read from its maps.

use std::ops::AddAssign;

use exectrail_abi::counters::{COUNTERS_WORDS, Counters};
use zerocopy::transmute;

use crate::{object::Object, preflight::KernelVersion, programs::Hook, sys};

/// What the kernel side has counted, all lanes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelCounts {
    /// Execs, and failures where asked for, that our programs ran for.
    pub seen: u64,
    /// Those that a rule in the kernel turned away.
    pub filtered: u64,
    /// Those that did not reach the ring buffer.
    pub dropped: u64,
    /// Times that the kernel skipped a program of ours; `None` where it does not
    /// count that.
    pub missed: Option<u64>,
}

impl KernelCounts {
    /// Records that were put into the ring buffer.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.seen.saturating_sub(self.filtered).saturating_sub(self.dropped)
    }
}

impl AddAssign<Counters> for KernelCounts {
    fn add_assign(&mut self, row: Counters) {
        self.seen += row.seen;
        self.filtered += row.filtered;
        self.dropped += row.dropped.iter().sum::<u64>();
    }
}

/// One lane's row.
pub(crate) struct Row {
    pub(crate) lane: u32,
    pub(crate) counters: Counters,
}

/// Classic tracepoint programs are counted when skipped since 6.7
/// (dd8657894c11), raw ones since 6.1.
const MISSES_COUNTED: KernelVersion = KernelVersion { major: 6, minor: 7 };

/// Every lane's row. Empty if the maps cannot be read, which only a kernel bug
/// can bring about.
pub(crate) fn rows(object: &Object, cpus: u32, failed: bool) -> Vec<Row> {
    let exec = object.exec_counters().unwrap_or_default();
    let attempts = if failed { object.attempt_counters().unwrap_or_default() } else { Vec::new() };
    let exec = (0..).zip(exec);
    let attempts = (cpus..).zip(attempts);
    exec.chain(attempts)
        .map(|(lane, words): (u32, [u64; COUNTERS_WORDS])| Row {
            lane,
            counters: transmute!(words),
        })
        .collect()
}

/// How often these programs were skipped.
pub(crate) fn missed(object: &Object, hooks: &[Hook], kernel: KernelVersion) -> Option<u64> {
    if kernel < MISSES_COUNTED {
        return None;
    }
    let programs = hooks.iter().filter_map(|hook| object.program_fd(hook.program));
    programs.map(sys::recursion_misses).sum::<Result<u64, _>>().ok()
}
