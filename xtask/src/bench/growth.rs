//! Memory by how many processes there have been: none of it may stay with those that ended.

use anyhow::{Context as _, Result};

use super::{
    Bench,
    contenders::{Contender, Lineup},
    sweep::{Point, Series, Sweep, slopes},
    workload::Workload,
};

/// Why memory does not grow with them.
const REASON: &str = "From the end of the first storm on, which fills buffers once. exectrail has \
    a place for each process id that there can be, from its start, and forgets a process that \
    ends.";

/// What a tracer takes after so many processes.
struct Size {
    processes: f64,
    resident: f64,
    kernel: f64,
}

/// Measures one after the other: a process is only old once.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Vec<Sweep>> {
    let mut resident = Vec::new();
    let mut kernel = Vec::new();
    let turns = bench.in_turns("growth", 1, &lineup.growing, |contender| {
        measure(bench, contender, &bench.workload)
    })?;
    for (contender, runs) in turns.each() {
        let series = |number: fn(&Size) -> f64| {
            let point = |size: &Size| Point { x: size.processes, samples: vec![number(size)] };
            let absent = turns.why_not(contender);
            let points = runs.iter().flatten().map(point).collect();
            Series { absent, ..Series::of(contender, points) }
        };
        resident.push(series(|size| size.resident));
        kernel.push(series(|size| size.kernel));
    }
    let made = |key, title: &str, y, series: Vec<Series>| {
        let (title, x) = (title.to_owned(), "processes that came and went");
        let per_process = |slope| format!("{:.1} bytes per process", slope * 1e6);
        let notes = slopes(&series, bench.workload.execs(), per_process, REASON);
        Sweep { key, title, x, y, log: (false, true), decimals: 1, series, notes }
    };
    let titles = ["Resident memory by processes", "Memory of maps and programs by processes"];
    Ok(vec![
        made("growth-resident", titles[0], "MB", resident),
        made("growth-kernel", titles[1], "MB", kernel),
    ])
}

fn measure(bench: &Bench, contender: &Contender, workload: &Workload) -> Result<Vec<Size>> {
    let tracer = contender.start(workload.folder())?.context("no tracer to measure")?;
    let size = |processes| -> Result<Size> {
        let (resident, kernel) = (tracer.memory()?.0, tracer.kernel_memory()?);
        Ok(Size { processes, resident, kernel })
    };
    let mut sizes = vec![size(0.0)?];
    let mut processes = 0.0;
    while processes < bench.options.processes {
        bench.interrupt.check()?;
        workload.storm(Some(&tracer), super::host::cpus())?;
        tracer.settle()?;
        processes += workload.execs();
        sizes.push(size(processes)?);
    }
    tracer.stop()?;
    Ok(sizes)
}
