//! What a tracer uses by how many execs there are: from a quiet host to one that can do
//! no more.

use anyhow::{Context as _, Result};

use super::{
    Bench,
    contenders::{Contender, Lineup},
    sweep::{Point, Series, Sweep, slopes},
    workload::Paced,
};

/// Why CPU time grows with them, and less and less.
const CPU_REASON: &str = "The slope is what one more exec of a storm takes exectrail: to decode, to \
    write and, most of all, the kernel's copy into the file. On a quieter host each exec wakes the \
    reader, which takes as long as a dozen of them; from 300 a second on it looks by itself, every \
    4 ms, and in a storm every 40.";

/// Of one tracer at one pace.
struct Sample {
    rate: f64,
    /// CPU time, in milliseconds a second.
    cpu: f64,
    /// How often it was woken, a second.
    wake_ups: f64,
}

/// Measures.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Vec<Sweep>> {
    let contenders = &lineup.readers;
    let mut cpu: Vec<Series> =
        contenders.iter().map(|contender| Series::of(contender, Vec::new())).collect();
    let mut wake_ups: Vec<Series> =
        contenders.iter().map(|contender| Series::of(contender, Vec::new())).collect();
    for &rate in bench.options.rates {
        let what = format!("{rate} execs a second");
        let rounds = bench.options.sweep_rounds;
        let turns = bench
            .in_turns(&what, rounds, contenders, |contender| measure(bench, contender, rate))?;
        for (index, (contender, samples)) in turns.each().enumerate() {
            let point = |number: fn(&Sample) -> f64| Point {
                x: samples.iter().map(|sample| sample.rate).fold(0.0, f64::max),
                samples: samples.iter().map(number).collect(),
            };
            cpu[index].points.push(point(|sample| sample.cpu));
            wake_ups[index].points.push(point(|sample| sample.wake_ups));
            for series in [&mut cpu[index], &mut wake_ups[index]] {
                series.absent = series.absent.take().or_else(|| turns.why_not(contender));
            }
        }
    }
    let made = |key, title: &str, y, decimals, (series, mut notes): (Vec<Series>, Vec<String>)| {
        let note = "The last pace is as fast as the host can; each tracer has its own there.";
        notes.push(note.to_owned());
        let (title, x) = (title.to_owned(), "execs a second");
        Sweep { key, title, x, y, log: (true, true), decimals, series, notes }
    };
    let per_exec = |slope| format!("{:.2} us per exec", slope * 1000.0);
    let of_cpu = slopes(&cpu, 0.0, per_exec, CPU_REASON);
    Ok(vec![
        made("pace-cpu", "CPU of the tracer", "ms a second", 1, (cpu, of_cpu)),
        made("pace-wake-ups", "Wake-ups of the tracer", "wake-ups a second", 0, (wake_ups, vec![])),
    ])
}

fn measure(bench: &Bench, contender: &Contender, rate: u32) -> Result<Sample> {
    let tracer = contender.start(bench.workload.folder())?.context("no tracer to measure")?;
    let (cpu, wake_ups) = (tracer.cpu_time()?, tracer.wake_ups()?);
    let Paced { execs, seconds } =
        bench.workload.paced(Some(&tracer), rate, bench.options.pace_seconds)?;
    let cpu = tracer.cpu_time()? - cpu;
    let wake_ups = tracer.wake_ups()? - wake_ups;
    tracer.stop()?;
    Ok(Sample { rate: execs / seconds, cpu: cpu / 1e6 / seconds, wake_ups: wake_ups / seconds })
}
