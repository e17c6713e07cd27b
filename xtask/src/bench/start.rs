//! From the start of exectrail until it traces.

use anyhow::{Context as _, Result};

use super::{
    Bench,
    contenders::Lineup,
    table::{self, Table},
};

/// Measures.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Table> {
    let turns = bench.in_turns("starts", bench.options.starts, &lineup.start, |contender| {
        let tracer = contender.start(bench.workload.folder())?.context("nothing starts")?;
        let took = tracer.took().as_secs_f64() * 1000.0;
        tracer.stop()?;
        Ok(took)
    })?;
    let rows = table::rows(&turns, 1, |took| *took);
    let (title, notes) = ("From start to tracing".to_owned(), Vec::new());
    Ok(Table { key: "start", title, unit: "ms", ratio: "", rows, notes })
}
