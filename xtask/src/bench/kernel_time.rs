//! Kernel time per exec: what the programs of a tracer take inside an exec.

use anyhow::{Context as _, Result};

use super::{
    Bench,
    contenders::{Contender, Lineup},
    host,
    numbers::Spread,
    proc_files::Programs,
    table::{self, Table},
    turns::Turns,
};

/// What programs took in one storm.
#[derive(Clone, Copy, Debug, PartialEq)]
struct KernelTime {
    /// Nanoseconds, of all programs together.
    sum: f64,
    /// How many execs that was for.
    execs: f64,
}

impl KernelTime {
    /// Programs that one exec runs through (enter, exit, success) add up, so
    /// the sum of their times is divided by the number of execs. That number is
    /// not the storm's: other programs exec meanwhile, and the tracer's programs
    /// run for those, too. It is how often the busiest program has run: each
    /// tracer here has one that runs exactly once per exec (`sched_process_exec`
    /// or the exit of `execve`), and none that runs more often than that. The
    /// mean of each program's own mean would be wrong: it would give the few
    /// runs on `execveat` the weight of the thousands on `execve`.
    ///
    /// The program on births runs once for each process, and these exec once each.
    ///
    /// A program that is jumped into is counted as part of the one before it.
    fn between(before: &Programs, after: &Programs) -> Self {
        let uses = after.iter().map(|(id, after)| {
            let before = before.get(id).copied().unwrap_or_default();
            (after.nanoseconds - before.nanoseconds, after.runs - before.runs)
        });
        uses.fold(Self { sum: 0.0, execs: 0.0 }, |total, (nanoseconds, runs)| Self {
            sum: total.sum + nanoseconds,
            execs: total.execs.max(runs),
        })
    }

    fn microseconds(self) -> f64 {
        self.sum / self.execs / 1000.0
    }
}

/// Measures what an exec costs each tracer. The kernel's clock on programs has to be on.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Table> {
    compare(bench, "kernel-time", "Kernel time per exec", &lineup.kernel_time)
}

/// The same of the parts of a record.
pub(super) fn run_parts(bench: &Bench, lineup: &Lineup) -> Result<Table> {
    compare(bench, "parts", "Kernel time per exec by part of the record", &lineup.parts)
}

/// The same of rules that leave every exec out.
pub(super) fn run_rules(bench: &Bench, lineup: &Lineup) -> Result<Table> {
    compare(bench, "rules", "Kernel time per excluded exec by rule", &lineup.rules)
}

fn compare(
    bench: &Bench,
    key: &'static str,
    title: &str,
    contenders: &[Contender],
) -> Result<Table> {
    let rounds = bench.options.kernel_rounds;
    let turns = bench.in_turns("kernel time", rounds, contenders, |contender| {
        measure(bench, contender, || bench.workload.storm(None, host::cpus()).map(drop))
    })?;
    let number = |time: &KernelTime| time.microseconds();
    let mut rows = table::rows(&turns, 3, number);
    let ratios = turns.ratios_to(|contender| contender.is_peer, number);
    rows.iter_mut().zip(ratios).for_each(|(row, ratio)| row.ratio = ratio);
    let (unit, ratio, title) = ("us", "to peer", title.to_owned());
    Ok(Table { key, title, unit, ratio, rows, notes: notes(bench, &turns) })
}

/// What this contender's programs took in a storm, per exec, in microseconds.
pub(super) fn of_storm(
    bench: &Bench,
    contender: &Contender,
    storm: impl FnOnce() -> Result<()>,
) -> Result<f64> {
    measure(bench, contender, storm).map(KernelTime::microseconds)
}

fn measure(
    bench: &Bench,
    contender: &Contender,
    storm: impl FnOnce() -> Result<()>,
) -> Result<KernelTime> {
    let tracer = contender.start(bench.workload.folder())?;
    let tracer = tracer.context("no programs without a tracer")?;
    let before = tracer.programs()?;
    storm()?;
    let time = KernelTime::between(&before, &tracer.programs()?);
    tracer.stop()?;
    if time.execs < bench.workload.execs() {
        anyhow::bail!(
            "the programs of {} ran {} times in {} execs: is kernel.bpf_stats_enabled on?",
            contender.name,
            time.execs,
            bench.workload.execs()
        );
    }
    Ok(time)
}

fn notes(bench: &Bench, turns: &Turns<'_, KernelTime>) -> Vec<String> {
    let mut notes = vec![
        "All of a tracer's programs together. kernel.bpf_stats_enabled=1 was on for this, which \
         itself adds some 0.05 us to every run of a program: once per exec for exectrail, twice \
         for execsnoop, three times for --failed."
            .to_owned(),
    ];
    let foreign = |time: &KernelTime| (time.execs / bench.workload.execs() - 1.0) * 100.0;
    let foreign: Vec<f64> =
        turns.each().flat_map(|(_, samples)| samples.iter().map(foreign)).collect();
    if let Some(foreign) = Spread::of(&foreign) {
        notes.push(format!(
            "Execs of other programs in these storms: {:.1} % (median), {:.1} % (most).",
            foreign.median, foreign.max
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::KernelTime;
    use crate::bench::proc_files::{ProgramUse, Programs};

    fn programs(uses: &[(u32, f64, f64)]) -> Programs {
        let of = |&(id, nanoseconds, runs)| (id, ProgramUse { nanoseconds, runs });
        uses.iter().map(of).collect()
    }

    #[test]
    fn programs_of_one_exec_add_up() {
        let before = programs(&[(1, 100.0, 1.0), (2, 0.0, 0.0)]);
        let after = programs(&[(1, 2_100.0, 11.0), (2, 18_000.0, 10.0), (3, 0.0, 0.0)]);
        let time = KernelTime::between(&before, &after);
        assert_eq!(time, KernelTime { sum: 20_000.0, execs: 10.0 });
        assert!((time.microseconds() - 2.0).abs() < 1e-9);
    }
}
