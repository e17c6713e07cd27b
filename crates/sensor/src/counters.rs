//! The account: what the kernel side has counted, read from its maps, by CPU and
//! by program.

use exectrail_abi::{
    counters::{COUNTERS_WORDS, Counters, INTERRUPTIBLE_ROWS},
    fault::Loss,
};
use zerocopy::transmute;

use crate::{object::Object, preflight::KernelVersion, programs::Hook, sys};

/// What the kernel side has counted, from the start of the trace on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// A row per possible CPU.
    pub cpus: Vec<CpuAccount>,
    /// A row per program.
    pub programs: Vec<ProgramAccount>,
}

/// What has happened on a CPU. `seen = sent + filtered + dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuAccount {
    /// Events that our programs ran for.
    pub seen: u64,
    /// Those that a rule in the kernel turned away.
    pub filtered: u64,
    /// Those that were lost, by [`Loss`]; [`Loss::Missed`] ones were not seen.
    pub lost: [u64; Loss::COUNT],
    /// Failed execs that are told without their names, since their beginning could
    /// not be kept.
    pub forgotten: u64,
    /// Events whose arguments were shortened for want of room in the buffer.
    pub shortened: u64,
}

/// What has happened to a program of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramAccount {
    /// Its name.
    pub name: &'static str,
    /// Times that the kernel skipped it, because one ran already on that CPU;
    /// `None` where the kernel does not count it. Where others stand in for it, the
    /// least of all their numbers.
    pub skipped: Option<u64>,
    /// Whether others stand in for it: then `skipped` is how many events were lost by
    /// that at most, and not exactly.
    pub has_stand_ins: bool,
}

/// A program of ours as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramInfo {
    /// Its name.
    pub name: &'static str,
    /// How the kernel comes to run it: by a raw tracepoint, by a classic one, or from
    /// another program.
    pub kind: &'static str,
    /// Instructions that the verifier walked before it took it; `None` where the kernel
    /// does not tell, before 5.16.
    pub verified: Option<u32>,
}

impl Account {
    /// The sum over all CPUs of what `of` picks.
    pub fn sum(&self, of: impl Fn(&CpuAccount) -> u64) -> u64 {
        self.cpus.iter().map(of).sum()
    }

    /// Events that our programs ran for.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.sum(|cpu| cpu.seen)
    }

    /// Those that a rule in the kernel turned away.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.sum(|cpu| cpu.filtered)
    }

    /// Those that did not reach the ring buffer.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        Loss::ALL.into_iter().filter(|loss| loss.is_drop()).map(|loss| self.lost(loss)).sum()
    }

    /// What was lost for one reason.
    #[must_use]
    pub fn lost(&self, loss: Loss) -> u64 {
        self.sum(|cpu| cpu.lost.get(loss as usize).copied().unwrap_or(0))
    }

    /// Records that were put into the ring buffer.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.seen().saturating_sub(self.filtered()).saturating_sub(self.dropped())
    }

    /// Times that the kernel skipped a program; `None` where it does not say.
    #[must_use]
    pub fn skipped(&self) -> Option<u64> {
        self.programs.iter().map(|program| program.skipped).sum()
    }

    /// Execs that happened without us, at least. What image counters prove and what
    /// the kernel says that it skipped are two views of the same, so the larger
    /// number holds; but of what has others that stand in for it, the proof alone.
    #[must_use]
    pub fn missed(&self) -> u64 {
        let alone = self.programs.iter().filter(|program| !program.has_stand_ins);
        let skipped: Option<u64> = alone.map(|program| program.skipped).sum();
        self.lost(Loss::Missed).max(skipped.unwrap_or(0))
    }
}

impl CpuAccount {
    fn add(&mut self, row: &Counters) {
        self.seen += row.seen;
        self.filtered += row.filtered;
        for (lost, more) in self.lost.iter_mut().zip(row.lost) {
            *lost += more;
        }
        self.forgotten += row.attempts_forgotten;
        self.shortened += row.shortened;
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
pub(crate) fn rows(object: &Object, cpus: u32) -> Vec<Row> {
    let exec = (0..).zip(object.exec_counters().unwrap_or_default());
    // Where nothing can be interrupted, there is one, and nobody writes it.
    let interruptible = (cpus..).zip(object.interruptible_counters().unwrap_or_default());
    exec.chain(interruptible)
        .map(|(lane, words): (u32, [u64; COUNTERS_WORDS])| Row {
            lane,
            counters: transmute!(words),
        })
        .collect()
}

/// The rows of all lanes, by CPU.
pub(crate) fn by_cpu(rows: &[Row], cpus: u32) -> Vec<CpuAccount> {
    let mut accounts = vec![CpuAccount::default(); cpus as usize];
    for row in rows {
        let cpu = if row.lane < cpus { row.lane } else { (row.lane - cpus) / INTERRUPTIBLE_ROWS };
        if let Some(account) = accounts.get_mut(cpu as usize) {
            account.add(&row.counters);
        }
    }
    accounts
}

/// How often each of these programs was skipped. Where others stand in for a program, an
/// event is lost only if all are skipped, which is as often as the least of them, at most.
pub(crate) fn by_program(
    object: &Object,
    hooks: &[Hook],
    kernel: KernelVersion,
) -> Vec<ProgramAccount> {
    let skipped = |hook: &Hook| {
        let counted = kernel >= MISSES_COUNTED;
        let fd = object.program_fd(hook.program).filter(|_| counted)?;
        Some(sys::program_facts(fd).ok()?.recursion_misses)
    };
    let first = hooks.iter().filter(|hook| hook.stands_in_for() == hook.program);
    let least = |name| hooks.iter().filter(move |hook| hook.stands_in_for() == name);
    first
        .map(|hook| ProgramAccount {
            name: hook.program,
            skipped: least(hook.program).map(skipped).min().flatten(),
            has_stand_ins: least(hook.program).count() > 1,
        })
        .collect()
}

/// What the kernel has of each of these programs.
pub(crate) fn infos(object: &Object, hooks: &[Hook]) -> Vec<ProgramInfo> {
    let verified = |hook: &Hook| {
        let facts = sys::program_facts(object.program_fd(hook.program)?).ok()?;
        Some(facts.verified_insns).filter(|&count| count != 0)
    };
    let info = |hook: &Hook| {
        let (name, kind) = (hook.program, hook.attach.kind());
        ProgramInfo { name, kind, verified: verified(hook) }
    };
    hooks.iter().map(info).collect()
}

#[cfg(test)]
mod tests {
    use exectrail_abi::{
        counters::{Counters, INTERRUPTIBLE_ROWS},
        fault::Loss,
    };

    use super::{Account, ProgramAccount, Row, by_cpu};

    #[test]
    fn lanes_add_up_by_cpu() {
        let row = |lane, seen, lost| Row {
            lane,
            counters: Counters { seen, lost, filtered: 1, ..Counters::default() },
        };
        // Two CPUs; behind their lanes are those of what can be interrupted, CPU by CPU.
        let of_second = 2 + INTERRUPTIBLE_ROWS;
        let rows = [row(0, 10, [1, 0, 0]), row(1, 20, [0; 3]), row(of_second, 5, [0, 2, 4])];
        let account = Account { cpus: by_cpu(&rows, 2), programs: Vec::new() };
        assert_eq!(account.cpus.iter().map(|cpu| cpu.seen).collect::<Vec<_>>(), [10, 25]);
        assert_eq!((account.seen(), account.filtered(), account.dropped()), (35, 3, 3));
        assert_eq!((account.sent(), account.lost(Loss::Missed)), (29, 4));
    }

    #[test]
    fn what_is_missed_is_not_counted_twice() {
        let programs = |skipped: [Option<u64>; 2]| {
            let alone =
                skipped.map(|skipped| ProgramAccount { name: "x", skipped, has_stand_ins: false });
            let not_alone = ProgramAccount { name: "y", skipped: Some(9), has_stand_ins: true };
            [alone.to_vec(), vec![not_alone]].concat()
        };
        let missed = |lost, skipped| {
            let rows =
                [Row { lane: 0, counters: Counters { lost: [0, 0, lost], ..Counters::default() } }];
            let account = Account { cpus: by_cpu(&rows, 1), programs: programs(skipped) };
            (account.missed(), account.skipped())
        };
        assert_eq!(missed(3, [Some(1), Some(1)]), (3, Some(11)));
        assert_eq!(missed(1, [Some(4), Some(0)]), (4, Some(13)));
        assert_eq!(missed(1, [Some(4), None]), (1, None));
    }
}
