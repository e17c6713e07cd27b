//! What a tracer of execs adds to system calls that have nothing to do with it.

use anyhow::Result;

use super::{
    Bench,
    contenders::{Contender, Lineup},
    numbers::median_ratio,
    table::{self, Row},
    tracer::Tracer,
};

/// Measures and prints.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<()> {
    let contenders = &lineup.other_calls;
    let rounds = bench.options.call_rounds;
    let samples =
        bench.in_turns("other calls", rounds, contenders, |contender| measure(bench, contender))?;
    let rows: Vec<Row<'_>> = contenders
        .iter()
        .zip(&samples)
        .map(|(contender, values)| Row {
            name: contender.name.to_owned(),
            samples: values,
            decimals: 1,
            ratio: median_ratio(values, &samples[0]),
            budget: if contender.name == "exectrail" { "adds 0" } else { "" },
        })
        .collect();
    table::print("6. Another system call (getppid), ns", "to none", &rows);
    Ok(())
}

fn measure(bench: &Bench, contender: &Contender) -> Result<f64> {
    let start = |variant| Tracer::start(variant, bench.workload.folder());
    let tracer = contender.variant.as_ref().map(start).transpose()?;
    let nanoseconds = bench.workload.call()?;
    tracer.map(Tracer::stop).transpose()?;
    Ok(nanoseconds)
}
