//! From the start of exectrail until it traces.

use anyhow::Result;

use super::{
    Bench,
    contenders::Lineup,
    table::{self, Row},
    tracer::Tracer,
};

/// Measures and prints.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<()> {
    let samples = bench.in_turns("starts", bench.options.starts, &[&lineup.start], |variant| {
        let tracer = Tracer::start(variant, bench.workload.folder())?;
        let took = tracer.took().as_secs_f64() * 1000.0;
        tracer.stop()?;
        Ok(took)
    })?;
    let name = "exectrail --json".to_owned();
    let row = Row { name, samples: &samples[0], decimals: 1, ratio: None, budget: "60, aim 25" };
    table::print("7. From start to tracing, ms", "", &[row]);
    Ok(())
}
