//! Kernel time by what an exec is: its arguments, their bytes, and how many are excluded.

use anyhow::Result;

use super::{
    Bench,
    contenders::{Contender, Lineup},
    kernel_time,
    sweep::{Point, Series, Sweep, slopes},
};

/// Bytes of one argument in the sweep over their number.
const ARGUMENT: u32 = 8;
const KIB: u32 = 1024;
const BYTES: &str = "KiB in one argument";
/// Why kernel time hardly grows with their number.
const ARGUMENTS_REASON: &str = "To exectrail arguments are bytes side by side, read at once.";
/// Why kernel time grows with them.
const BYTES_REASON: &str = "exectrail copies each byte twice, out of the new program's memory and \
    into the buffer, and has no loop over arguments or bytes; beyond 16 KiB the copies leave the \
    processor's first cache.";

/// All three. The kernel's clock on programs has to be on.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Vec<Sweep>> {
    let arguments = sweep(bench, &lineup.swept, bench.options.arguments, |count| {
        bench.workload.sized(count, (count - 1) * ARGUMENT)
    })?;
    let bytes =
        sweep(bench, &lineup.swept, bench.options.kib, |kib| bench.workload.sized(2, kib * KIB))?;
    let excluded = sweep(bench, &lineup.excluding, bench.options.excluded, |percent| {
        bench.workload.shared(percent)
    })?;
    let per_kib = |slope| format!("{slope:.3} us per KiB");
    let mut bytes_notes = slopes(&bytes, 0.0, per_kib, BYTES_REASON);
    bytes_notes.push("execsnoop keeps 128 bytes of each of 20 arguments.".to_owned());
    let made = |key, title: &str, x, log, series, notes| {
        let (title, y) = (title.to_owned(), "us of kernel time per exec");
        Sweep { key, title, x, y, log, decimals: 2, series, notes }
    };
    let mut arguments_note =
        slopes(&arguments, 0.0, |slope| format!("{:.1} ns each", slope * 1000.0), ARGUMENTS_REASON);
    arguments_note.push(format!("Each but the first has {ARGUMENT} bytes."));
    Ok(vec![
        made("arguments", "Arguments", "arguments", (false, true), arguments, arguments_note),
        made("bytes", "Bytes of arguments", BYTES, (false, true), bytes, bytes_notes),
        made(
            "excluded",
            "Excluded execs",
            "per cent of execs that a rule leaves out",
            (false, false),
            excluded,
            Vec::new(),
        ),
    ])
}

/// Everyone at every place, in turns.
fn sweep(
    bench: &Bench,
    contenders: &[Contender],
    places: &[u32],
    storm: impl Fn(u32) -> Result<()>,
) -> Result<Vec<Series>> {
    let mut series: Vec<Series> =
        contenders.iter().map(|contender| Series::of(contender, Vec::new())).collect();
    for &place in places {
        let rounds = bench.options.sweep_rounds;
        let turns =
            bench.in_turns(&format!("sweep at {place}"), rounds, contenders, |contender| {
                kernel_time::of_storm(bench, contender, || storm(place))
            })?;
        for (series, (contender, samples)) in series.iter_mut().zip(turns.each()) {
            series.absent = series.absent.take().or_else(|| turns.why_not(contender));
            series.points.push(Point { x: f64::from(place), samples: samples.to_vec() });
        }
    }
    Ok(series)
}
