//! Storms of execs, with and without a tracer: what the storm loses, what the
//! tracer uses, and what it catches. One run answers all three.

use anyhow::Result;

use super::{
    Bench,
    contenders::{Contender, Lineup},
    numbers::{median_ratio, ratios},
    proc_files,
    table::{self, Row},
    tracer::Tracer,
    workload::Storm,
};

/// One storm, and who watched it.
struct Sample {
    storm: Storm,
    tracer: Option<Watch>,
}

/// What a tracer made of a storm.
struct Watch {
    /// CPU time, in milliseconds.
    cpu: f64,
    /// Lines of its output: of the storm, and in all.
    caught: f64,
    lines: f64,
    /// Resident memory after the storm, and at most, in MB.
    resident: f64,
    resident_most: f64,
    /// Its last word.
    last_word: Option<String>,
}

/// Measures and prints. The kernel's clock on programs has to be off.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<()> {
    let contenders = &lineup.storm;
    let samples = bench.in_turns("storms", bench.options.pairs, contenders, |contender| {
        measure(bench, contender)
    })?;
    let storms = Storms { contenders, samples };
    storms.print_slow_down(bench);
    storms.print_reader();
    storms.print_caught(bench);
    Ok(())
}

fn measure(bench: &Bench, contender: &Contender) -> Result<Sample> {
    let Some(variant) = &contender.variant else {
        return Ok(Sample { storm: bench.workload.storm()?, tracer: None });
    };
    let tracer = Tracer::start(variant, bench.workload.folder())?;
    // From here, so that loading and attaching are left out.
    let before = tracer.cpu_time()?;
    let storm = bench.workload.storm()?;
    tracer.settle()?;
    let cpu = (tracer.cpu_time()? - before) / 1e6;
    let (resident, resident_most) = tracer.memory()?;
    let mut ended = tracer.stop()?;
    let (caught, lines) =
        proc_files::count_lines(&ended.output, |line| bench.workload.is_of_storm(line))?;
    let watch = Watch { cpu, caught, lines, resident, resident_most, last_word: ended.said.pop() };
    Ok(Sample { storm, tracer: Some(watch) })
}

struct Storms<'l> {
    contenders: &'l [Contender],
    samples: Vec<Vec<Sample>>,
}

impl Storms<'_> {
    /// One number of every sample, by contender.
    fn each(&self, number: impl Fn(&Sample) -> f64) -> Vec<Vec<f64>> {
        self.samples.iter().map(|samples| samples.iter().map(&number).collect()).collect()
    }

    /// The same of the tracers; nothing where there is none.
    fn each_watch(&self, number: impl Fn(&Watch) -> f64) -> Vec<Vec<f64>> {
        let of = |samples: &Vec<Sample>| {
            samples.iter().filter_map(|sample| sample.tracer.as_ref()).map(&number).collect()
        };
        self.samples.iter().map(of).collect()
    }

    fn print_slow_down(&self, bench: &Bench) {
        let wall = self.each(|sample| sample.storm.wall);
        let tracer_cpu = |sample: &Sample| sample.tracer.as_ref().map_or(0.0, |watch| watch.cpu);
        let cpu = self.each(|sample| sample.storm.cpu + tracer_cpu(sample));
        let slow_downs: Vec<_> = wall.iter().map(|samples| ratios(samples, &wall[0])).collect();
        let mut rows = Vec::new();
        for (what, values, decimals) in
            [("ms", &wall, 1), ("user+sys ms", &cpu, 1), ("slow-down", &slow_downs, 3)]
        {
            let is_ratio = what == "slow-down";
            for (contender, samples) in self.contenders.iter().zip(values) {
                if is_ratio && contender.variant.is_none() {
                    continue;
                }
                let budget = if is_ratio && !contender.is_peer { "1.05" } else { "" };
                let name = format!("{}, {what}", contender.name);
                let ratio = if is_ratio { None } else { median_ratio(samples, &values[0]) };
                rows.push(Row { name, samples, decimals, ratio, budget });
            }
        }
        let heading = format!("2. A storm of {} execs on all CPUs", bench.workload.execs());
        table::print(&heading, "to none", &rows);
        println!(
            "  user+sys is of the storm and the tracer together. slow-down is ms by the ms of no\n  \
             tracer in the same round."
        );
    }

    fn print_reader(&self) {
        let per_event = self.each_watch(|watch| watch.cpu * 1000.0 / watch.lines);
        self.print_watch(
            "3. CPU of the tracer per event, us, output to a file",
            &per_event,
            2,
            "3, aim 1",
        );
        println!("  User and system time of its process, from the start of tracing.");
        let resident = self.each_watch(|watch| watch.resident);
        self.print_watch("4. Resident memory after the storm (VmRSS), MB", &resident, 1, "12");
        let most = self.each_watch(|watch| watch.resident_most);
        self.print_watch("   and at most, start included (VmHWM), MB", &most, 1, "");
    }

    fn print_watch(
        &self,
        heading: &str,
        values: &[Vec<f64>],
        decimals: usize,
        budget: &'static str,
    ) {
        let named = || self.contenders.iter().zip(values);
        let peer = named().find(|(contender, _)| contender.is_peer).map(|(_, values)| values);
        let rows: Vec<Row<'_>> = named()
            .filter(|(contender, _)| contender.variant.is_some())
            .map(|(contender, samples)| Row {
                name: contender.name.to_owned(),
                samples,
                decimals,
                ratio: peer.and_then(|peer| median_ratio(samples, peer)),
                budget: if contender.is_peer { "" } else { budget },
            })
            .collect();
        table::print(heading, "to peer", &rows);
    }

    fn print_caught(&self, bench: &Bench) {
        println!("\n5. Execs of the storms in the output (budget: none lost)");
        for (contender, samples) in self.contenders.iter().zip(&self.samples) {
            let watches: Vec<_> =
                samples.iter().filter_map(|sample| sample.tracer.as_ref()).collect();
            let Some(last) = watches.last() else { continue };
            let caught: f64 = watches.iter().map(|watch| watch.caught).sum();
            let all: f64 = watches.iter().map(|_| bench.workload.execs()).sum();
            println!("  {:32} {caught} of {all}, {} missing", contender.name, all - caught);
            if let Some(word) = &last.last_word {
                println!("  {:32} last said: {word}", "");
            }
        }
    }
}
