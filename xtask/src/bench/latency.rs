//! What the traced program feels: how much longer its execs take.

use anyhow::Result;

use super::{
    Bench,
    contenders::{Contender, Lineup},
    numbers::differences,
    sweep::{Point, Series, Sweep},
    table::{self, Row, Table},
    tracer::Tracer,
};

/// Quantiles of one run of the workload, in microseconds, from 0 to 1000 per mille.
type Quantiles = Vec<f64>;

const MEDIAN: usize = 500;
const SLOW: usize = 990;

/// Measures.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<(Vec<Table>, Sweep)> {
    let (rounds, contenders) = (bench.options.pairs, &lineup.storm);
    let turns = bench
        .in_turns("exec latency", rounds, contenders, |contender| measure(bench, contender))?;
    let mut tables = Vec::new();
    for (part, keys, titles) in [
        (
            MEDIAN,
            ["exec-p50", "exec-p50-added"],
            ["fork, exec and wait, p50", "Added to it, p50, within rounds"],
        ),
        (
            SLOW,
            ["exec-p99", "exec-p99-added"],
            ["fork, exec and wait, p99", "Added to it, p99, within rounds"],
        ),
    ] {
        let number = |quantiles: &Quantiles| quantiles.get(part).copied().unwrap_or(f64::NAN);
        let mut rows = table::rows(&turns, 1, number);
        let none = rows[0].samples.clone();
        let ratios =
            turns.ratios_to(|contender| contender.variant.is_none() && !contender.foreign, number);
        rows.iter_mut().zip(ratios).for_each(|(row, ratio)| row.ratio = ratio);
        let added = table::rows(&turns, 1, number).into_iter().skip(1);
        let added =
            added.map(|row| Row { samples: differences(&row.samples, &none), ..row }).collect();
        for (key, title, ratio, rows) in
            [(keys[0], titles[0], "to none", rows), (keys[1], titles[1], "", added)]
        {
            let (title, unit, notes) = (title.to_owned(), "us", Vec::new());
            tables.push(Table { key, title, unit, ratio, rows, notes });
        }
    }
    let series = turns.each().map(|(contender, runs)| {
        let absent = turns.why_not(contender);
        Series { absent, ..Series::of(contender, distribution(runs)) }
    });
    let sweep = Sweep {
        key: "exec-distribution",
        title: "How long fork, exec and wait take".to_owned(),
        x: "per cent of execs that were faster",
        y: "us",
        log: (false, true),
        decimals: 0,
        series: series.collect(),
        notes: vec!["One exec after the other, on one CPU.".to_owned()],
    };
    Ok((tables, sweep))
}

fn measure(bench: &Bench, contender: &Contender) -> Result<Quantiles> {
    let tracer = contender.start(bench.workload.folder())?;
    let quantiles = bench.workload.timed(tracer.as_ref(), bench.options.timed)?;
    tracer.map(Tracer::stop).transpose()?;
    Ok(quantiles)
}

/// Of all rounds, at a few quantiles.
fn distribution(runs: &[Quantiles]) -> Vec<Point> {
    let parts = [10, 100, 250, 500, 750, 900, 950, 990];
    let samples = |part: usize| runs.iter().filter_map(|run| run.get(part).copied()).collect();
    let point = |part: u16| Point { x: f64::from(part) / 10.0, samples: samples(part.into()) };
    parts.map(point).into_iter().filter(|point| !point.samples.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::distribution;

    #[test]
    fn a_distribution_has_the_same_quantile_of_every_run() {
        let run: Vec<f64> = (0..=1000).map(f64::from).collect();
        let points = distribution(&[run.clone(), run]);
        let last = points.last().unwrap();
        assert!((last.x - 99.0).abs() < 1e-9);
        assert_eq!(last.samples, [990.0, 990.0]);
        assert!(distribution(&[]).is_empty());
    }
}
