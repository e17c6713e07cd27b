//! Which processes' ends are of interest, and which have been told.

use std::collections::{HashMap, VecDeque};

use exectrail_abi::record::Process;

/// Processes whose exec was seen and whose end was not, at most; the number of
/// process ids that a kernel has by default is half of it.
const LIVING: usize = 65_536;
/// Ends that are remembered, in case one is told twice: that happens within
/// microseconds.
const ENDED: usize = 256;

/// What is known of processes from their execs.
#[derive(Debug, Default)]
pub(crate) struct Lifetimes {
    wanted: HashMap<Process, bool>,
    ended: VecDeque<Process>,
}

impl Lifetimes {
    /// A process has become a program that is wanted, or not.
    pub(crate) fn exec(&mut self, process: &Process, wanted: bool) {
        if self.wanted.len() >= LIVING && !self.wanted.contains_key(process) {
            // Without --exit nobody takes them out again. What is forgotten is
            // treated as a process from before the trace.
            self.wanted.clear();
        }
        self.wanted.insert(*process, wanted);
    }

    /// A process has ended.
    pub(crate) fn end(&mut self, process: &Process) -> End {
        if self.ended.contains(process) {
            return End::ToldBefore;
        }
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(*process);
        match self.wanted.remove(process) {
            Some(wanted) => End::OfProgram { wanted },
            None => End::OfUnknown,
        }
    }
}

/// What is known of a process that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its end was told: two threads that ended at once both were the last.
    ToldBefore,
    /// Its last program was wanted, or not.
    OfProgram {
        /// Whether it was.
        wanted: bool,
    },
    /// No exec of it was seen.
    OfUnknown,
}

#[cfg(test)]
mod tests {
    use exectrail_abi::record::Process;

    use super::{End, Lifetimes};

    #[test]
    fn an_end_is_told_once_and_follows_the_last_exec() {
        let process = |pid| Process { start: 1, pid, ns_pid: 1, pid_ns: 1, reserved: 0 };
        let mut lifetimes = Lifetimes::default();
        lifetimes.exec(&process(1), false);
        lifetimes.exec(&process(1), true);
        assert_eq!(lifetimes.end(&process(1)), End::OfProgram { wanted: true });
        assert_eq!(lifetimes.end(&process(1)), End::ToldBefore);
        assert_eq!(lifetimes.end(&process(2)), End::OfUnknown);
    }
}
