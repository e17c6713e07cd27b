//! What a tracer of execs adds to system calls that have nothing to do with it.

use anyhow::Result;

use super::{
    Bench,
    contenders::{Contender, Lineup},
    numbers::differences,
    table::{self, Row, Table},
    tracer::Tracer,
};

/// Measures: what one takes, and what is added to it.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<[Table; 2]> {
    let contenders = &lineup.other_calls;
    let rounds = bench.options.call_rounds;
    let turns =
        bench.in_turns("other calls", rounds, contenders, |contender| measure(bench, contender))?;
    let mut rows = table::rows(&turns, 1, |nanoseconds| *nanoseconds);
    let ratios = turns.ratios_to(
        |contender| contender.variant.is_none() && !contender.foreign,
        |nanoseconds| *nanoseconds,
    );
    rows.iter_mut().zip(ratios).for_each(|(row, ratio)| row.ratio = ratio);
    let none = rows[0].samples.clone();
    let added = table::rows(&turns, 1, |nanoseconds| *nanoseconds).into_iter().skip(1);
    let added = added.map(|row| Row {
        samples: differences(&row.samples, &none),
        budget: if row.name == "exectrail" { "0" } else { "" },
        ..row
    });
    let table = |key, title: &str, ratio, rows| {
        let (title, unit, notes) = (title.to_owned(), "ns", Vec::new());
        Table { key, title, unit, ratio, rows, notes }
    };
    Ok([
        table("other-calls", "Another system call (getppid)", "to none", rows),
        table("other-calls-added", "Added to it, within rounds", "", added.collect()),
    ])
}

fn measure(bench: &Bench, contender: &Contender) -> Result<f64> {
    let tracer = contender.start(bench.workload.folder())?;
    let nanoseconds = bench.workload.call(tracer.as_ref())?;
    tracer.map(Tracer::stop).transpose()?;
    Ok(nanoseconds)
}
