//! Which processes' ends are of interest, which have been told, and what each ran.

use std::collections::{HashMap, VecDeque};

use exectrail_abi::record::Process;

use crate::{
    args::Args,
    cpid::TICK,
    event::{LastProgram, Program},
};

/// Processes whose exec was seen and whose end was not, at most; the number of
/// process ids that a kernel has by default is half of it.
const LIVING: usize = 65_536;
/// Ends that are remembered, in case one is told twice: that happens within
/// microseconds.
const ENDED: usize = 256;
/// Bytes of arguments that are kept of each.
const ARGS_KEPT: usize = 1024;

/// What is known of processes from their execs.
#[derive(Debug, Default)]
pub struct Lifetimes {
    living: HashMap<Process, Life>,
    /// Those that are older than the trace and have not exec'd since, by id.
    older: HashMap<u32, Older>,
    ended: VecDeque<Process>,
}

/// A process as it was found when the trace began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Process id, in the initial pid namespace.
    pub pid: u32,
    /// When it started: clock ticks since boot.
    pub start_ticks: u64,
    /// The executable's path.
    pub exe: Option<Vec<u8>>,
    /// The arguments, each ended by a NUL.
    pub args: Vec<u8>,
    /// The kernel's short name.
    pub comm: Vec<u8>,
}

#[derive(Debug)]
struct Older {
    start_ticks: u64,
    life: Life,
}

/// What a process runs.
#[derive(Debug)]
pub struct Life {
    /// Whether the rules want it.
    pub wanted: bool,
    exe: Option<Box<[u8]>>,
    args: Box<[u8]>,
    /// Where in `args` bytes are missing.
    cut: Option<usize>,
    scanned: bool,
}

impl Life {
    fn new(program: &Program<'_>, wanted: bool, scanned: bool) -> Self {
        // Of what is not wanted, nothing will be told.
        let exe = program.exe.filter(|_| wanted).map(Into::into);
        let (bytes, cut) = match program.args.filter(|_| wanted) {
            Some(args) => args.first_bytes(ARGS_KEPT),
            None => (&[][..], None),
        };
        Self { wanted, exe, args: bytes.into(), cut, scanned }
    }

    /// As an event has it.
    #[must_use]
    pub fn program(&self) -> LastProgram<'_> {
        let args = Args::whole(&self.args);
        let args = self.cut.map_or(args, |cut| args.cut_at(cut));
        let args = (!self.args.is_empty()).then_some(args);
        LastProgram { exe: self.exe.as_deref(), args, scanned: self.scanned }
    }
}

impl Found {
    /// What it runs, as an exec would have told it.
    #[must_use]
    pub fn program(&self) -> Program<'_> {
        let process = Process { pid: self.pid, ..Program::UNKNOWN.process };
        Program {
            process,
            tid: self.pid,
            exe: self.exe.as_deref(),
            args: Some(Args::whole(&self.args)),
            comm: &self.comm,
            ..Program::UNKNOWN
        }
    }
}

impl Lifetimes {
    /// A process has become a program that is wanted, or not.
    pub fn exec(&mut self, program: &Program<'_>, wanted: bool) {
        let process = program.process;
        if self.living.len() >= LIVING && !self.living.contains_key(&process) {
            // Ends that were lost leave their processes here. What is forgotten is
            // treated as a process from before the trace.
            self.living.clear();
        }
        self.older.remove(&process.pid);
        self.living.insert(process, Life::new(program, wanted, false));
    }

    /// A process was there when the trace began. If it has exec'd since, its exec
    /// has told more.
    pub fn found(&mut self, found: &Found, wanted: bool) {
        let has_told = |process: &Process| {
            process.pid == found.pid && process.start / TICK == found.start_ticks
        };
        if self.living.keys().chain(&self.ended).any(has_told) {
            return;
        }
        let life = Life::new(&found.program(), wanted, true);
        self.older.insert(found.pid, Older { start_ticks: found.start_ticks, life });
    }

    /// A process has ended.
    pub fn end(&mut self, process: &Process) -> End {
        if self.ended.contains(process) {
            return End::ToldBefore;
        }
        if self.ended.len() >= ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(*process);
        let older = self.older.remove(&process.pid);
        let older = older.filter(|older| older.start_ticks == process.start / TICK);
        match self.living.remove(process).or(older.map(|older| older.life)) {
            Some(life) => End::Of(life),
            None => End::OfUnknown,
        }
    }
}

/// What is known of a process that ends.
#[derive(Debug)]
pub enum End {
    /// Its end was told: two threads that ended at once both were the last.
    ToldBefore,
    /// It ran this.
    Of(Life),
    /// Neither was an exec of it seen, nor was it found.
    OfUnknown,
}

#[cfg(test)]
mod tests {
    use exectrail_abi::record::Process;

    use super::{ARGS_KEPT, End, Found, Lifetimes, TICK};
    use crate::{args::Args, event::Program};

    fn process(pid: u32) -> Process {
        Process { start: 7 * TICK + 3, pid, ns_pid: 1, pid_ns: 1, reserved: 0 }
    }

    fn exec(lifetimes: &mut Lifetimes, pid: u32, exe: &str, args: &[u8], wanted: bool) {
        let (exe, args) = (Some(exe.as_bytes()), Some(Args::whole(args)));
        let program = Program { process: process(pid), exe, args, ..Program::UNKNOWN };
        lifetimes.exec(&program, wanted);
    }

    fn found(pid: u32, start_ticks: u64) -> Found {
        let (exe, args) = (Some(b"/old".to_vec()), b"old\0".to_vec());
        Found { pid, start_ticks, exe, args, comm: b"old".to_vec() }
    }

    #[test]
    fn an_end_is_told_once_and_follows_the_last_exec() {
        let mut lifetimes = Lifetimes::default();
        exec(&mut lifetimes, 1, "/first", b"first\0", false);
        exec(&mut lifetimes, 1, "/last", b"last\0one\0", true);
        let End::Of(life) = lifetimes.end(&process(1)) else { panic!() };
        let program = life.program();
        assert!(life.wanted && !program.scanned);
        assert_eq!(program.exe, Some(&b"/last"[..]));
        assert_eq!(program.args, Some(Args::whole(b"last\0one\0")));
        assert!(matches!(lifetimes.end(&process(1)), End::ToldBefore));
        assert!(matches!(lifetimes.end(&process(2)), End::OfUnknown));
    }

    #[test]
    fn long_arguments_keep_their_beginning() {
        let mut lifetimes = Lifetimes::default();
        let long = [b"a".repeat(3 * ARGS_KEPT), b"\0".to_vec()].concat();
        exec(&mut lifetimes, 1, "/x", &long, true);
        let End::Of(life) = lifetimes.end(&process(1)) else { panic!() };
        let args = life.program().args.unwrap();
        assert!(args.is_cut());
        assert_eq!((args.len(), args.cut_index()), (1, Some(1)));
    }

    #[test]
    fn an_older_process_is_known_until_it_execs() {
        let mut lifetimes = Lifetimes::default();
        lifetimes.found(&found(1, 7), true);
        lifetimes.found(&found(2, 7), true);
        exec(&mut lifetimes, 2, "/new", b"new\0", true);
        // Another process of the same id.
        lifetimes.found(&found(3, 6), true);
        let scanned = |end| match end {
            End::Of(life) => Some(life.program().scanned),
            End::ToldBefore | End::OfUnknown => None,
        };
        assert_eq!(scanned(lifetimes.end(&process(1))), Some(true));
        assert_eq!(scanned(lifetimes.end(&process(2))), Some(false));
        assert_eq!(scanned(lifetimes.end(&process(3))), None);
    }

    #[test]
    fn what_an_exec_or_an_end_has_told_is_not_told_again_by_the_scan() {
        let mut lifetimes = Lifetimes::default();
        exec(&mut lifetimes, 1, "/new", b"new\0", true);
        lifetimes.end(&process(2));
        for pid in [1, 2] {
            lifetimes.found(&found(pid, 7), true);
        }
        assert!(lifetimes.older.is_empty());
    }
}
