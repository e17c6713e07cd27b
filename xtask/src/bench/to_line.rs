//! From an exec to its line, on a host on which nothing else is run.

use std::{thread, time::Duration};

use anyhow::{Context as _, Result, bail};

use super::{
    Bench,
    contenders::{Contender, Lineup},
    numbers::{float, quantile},
    table::{self, Row, Table},
    tracer::{Line, Tracer},
};

/// Longer than any reader waits before it writes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Quiet before each exec.
const QUIET_MILLIS: u32 = 20;

/// Measures.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Vec<Table>> {
    let rounds = bench.options.line_rounds;
    let turns = bench
        .in_turns("exec to line", rounds, &lineup.to_line, |contender| measure(bench, contender))?;
    let tables = [("to-line-p50", 0.5, ""), ("to-line-p99", 0.99, "5")].map(|(key, part, budget)| {
        let number = |times: &Vec<f64>| quantile(times, part).unwrap_or(f64::NAN);
        let rows = table::rows(&turns, 2, number);
        let ratios = turns.ratios_to(|contender| contender.is_peer, number);
        let rows = rows.into_iter().zip(ratios).map(|(row, ratio)| Row {
            ratio,
            budget: if row.foreign { "" } else { budget },
            ..row
        });
        let title = format!("From exec to line, quiet host, p{:.0}", part * 100.0);
        let notes = vec![format!(
            "{} execs a round, each after {QUIET_MILLIS} ms of quiet, from just before the spawn \
             to the line in the reader of a pipe. Other tracers run under stdbuf -oL. strace \
             stops a program until its line is written, and perf writes in blocks.",
            bench.options.beats
        )];
        Table { key, title, unit: "ms", ratio: "to peer", rows: rows.collect(), notes }
    });
    Ok(tables.into())
}

/// The times from exec to line, in milliseconds.
fn measure(bench: &Bench, contender: &Contender) -> Result<Vec<f64>> {
    let variant = contender.variant.as_ref().context("nobody writes lines")?;
    let tracer = Tracer::start_with_pipe(variant, bench.workload.folder(), contender.foreign)?;
    let execs = bench.workload.beats(bench.options.beats, QUIET_MILLIS)?;
    thread::sleep(PATIENCE);
    let lines: Vec<Line> = tracer.lines().collect();
    tracer.stop()?;
    let times = times(&execs, &lines, |number| bench.workload.beat(number));
    // A line that did not come is no fast one.
    if float(times.len()) < float(execs.len()) * 0.9 {
        bail!("{} of {} lines came within {} s", times.len(), execs.len(), PATIENCE.as_secs());
    }
    Ok(times)
}

/// For each exec the time to the first line that has its name.
fn times(execs: &[f64], lines: &[Line], name: impl Fn(usize) -> String) -> Vec<f64> {
    let time = |(number, before): (usize, &f64)| {
        let name = name(number);
        let line = lines.iter().find(|line| line.text.contains(&name))?;
        Some((line.at - before) / 1e6)
    };
    execs.iter().enumerate().filter_map(time).collect()
}

#[cfg(test)]
mod tests {
    use super::{Line, times};

    #[test]
    fn a_line_belongs_to_the_exec_that_it_names() {
        let line = |text: &str, at| Line { text: text.to_owned(), at };
        let lines = [line("ls", 0.5e6), line("tiny-1 x", 7e6), line("tiny-0", 3e6)];
        let times = times(&[1e6, 2e6, 3e6], &lines, |number| format!("tiny-{number}"));
        assert_eq!(times, [2.0, 5.0]);
    }
}
