//! Storms of execs, with and without a tracer: what the storm loses, what the
//! tracer uses, and what it catches. One run answers all three.

use anyhow::Result;

use super::{
    Bench,
    contenders::{Contender, Lineup},
    host,
    numbers::{median_ratio, ratios},
    proc_files,
    table::{self, Row, Table},
    turns::Turns,
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
    /// Execs of the storm that are not in its output, and lines that are, of whatever.
    missing: f64,
    lines: f64,
    /// Resident memory after the storm, and at most, in MB.
    resident: f64,
    resident_most: f64,
    /// Of its maps and programs, in MB.
    kernel: f64,
    /// Its last word.
    last_word: Option<String>,
}

/// Measures. The kernel's clock on programs has to be off.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Vec<Table>> {
    let pairs = bench.options.pairs;
    let everywhere = bench.in_turns("storms", pairs, &lineup.storm, |contender| {
        measure(bench, contender, host::cpus())
    })?;
    let single = bench.in_turns("storms on one CPU", pairs, &lineup.storm, |contender| {
        measure(bench, contender, 1)
    })?;
    let everywhere = Storms { bench, turns: everywhere };
    let single = Storms { bench, turns: single };
    let execs = bench.workload.execs();
    let mut tables = vec![
        everywhere.time(format!("A storm of {execs} execs on all CPUs")),
        everywhere.slow_down("slow-down", "Slow-down of a storm on all CPUs", "1.05"),
        single.slow_down("slow-down-one", "Slow-down of a storm on one CPU", ""),
    ];
    tables.extend(everywhere.reader());
    tables.push(everywhere.missing());
    Ok(tables)
}

fn measure(bench: &Bench, contender: &Contender, workers: usize) -> Result<Sample> {
    let Some(tracer) = contender.start(bench.workload.folder())? else {
        return Ok(Sample { storm: bench.workload.storm(None, workers)?, tracer: None });
    };
    // From here, so that loading and attaching are left out.
    let before = tracer.cpu_time()?;
    let storm = bench.workload.storm(Some(&tracer), workers)?;
    tracer.settle()?;
    let cpu = (tracer.cpu_time()? - before) / 1e6;
    let (resident, resident_most) = tracer.memory()?;
    let kernel = tracer.kernel_memory()?;
    let mut ended = tracer.stop()?;
    let (caught, lines) =
        proc_files::count_lines(&ended.output, |line| bench.workload.is_of_storm(line))?;
    let last_word = ended.said.pop();
    let missing = storm.execs - caught;
    let watch = Watch { cpu, missing, lines, resident, resident_most, kernel, last_word };
    Ok(Sample { storm, tracer: Some(watch) })
}

struct Storms<'b> {
    bench: &'b Bench,
    turns: Turns<'b, Sample>,
}

impl Storms<'_> {
    /// A row for each, by a number of its storms.
    fn rows(&self, number: impl Fn(&Sample) -> f64) -> Vec<Row> {
        table::rows(&self.turns, 1, number)
    }

    /// What a whole storm would have taken at the pace of this one.
    fn whole(&self, sample: &Sample, took: f64) -> f64 {
        took * self.bench.workload.execs() / sample.storm.execs
    }

    fn time(&self, title: String) -> Table {
        let tracer_cpu = |sample: &Sample| sample.tracer.as_ref().map_or(0.0, |watch| watch.cpu);
        let wall = self.rows(|sample| self.whole(sample, sample.storm.wall));
        let cpu = self.rows(|sample| self.whole(sample, sample.storm.cpu + tracer_cpu(sample)));
        let rows = [("ms", wall), ("user+sys ms", cpu)].into_iter().flat_map(|(what, rows)| {
            let none = rows[0].samples.clone();
            rows.into_iter().map(move |row| Row {
                name: format!("{}, {what}", row.name),
                ratio: median_ratio(&row.samples, &none),
                ..row
            })
        });
        let rows = rows.collect();
        let notes = vec![
            "user+sys is of the storm and the tracer together.".to_owned(),
            "strace, which stops a program at each exec, has a tenth of the storm, and ten times \
             what it took stands here."
                .to_owned(),
        ];
        Table { key: "storm", title, unit: "ms", ratio: "to none", rows, notes }
    }

    fn slow_down(&self, key: &'static str, title: &str, budget: &'static str) -> Table {
        let wall = self.rows(|sample| self.whole(sample, sample.storm.wall));
        let none = wall[0].samples.clone();
        let rows = wall.into_iter().skip(1).map(|row| Row {
            samples: ratios(&row.samples, &none),
            decimals: 3,
            budget: if row.foreign { "" } else { budget },
            ..row
        });
        let rows = rows.collect();
        let notes =
            vec!["Time of the storm by that without a tracer in the same round.".to_owned()];
        Table { key, title: title.to_owned(), unit: "times", ratio: "", rows, notes }
    }

    fn reader(&self) -> [Table; 4] {
        let mut cpu = self.watched(
            "cpu-per-event",
            ["CPU of the tracer per event, output to a file", "us"],
            2,
            "3, aim 1",
            |watch| watch.cpu * 1000.0 / watch.lines,
        );
        cpu.notes = vec![
            "User and system time of its process, from the start of tracing, by the lines of its \
             output."
                .to_owned(),
        ];
        let resident = ["Resident memory after the storm (VmRSS)", "MB"];
        let most = ["Resident memory at most, start included (VmHWM)", "MB"];
        let kernel = ["Memory of maps and programs in the kernel", "MB"];
        let mut kernel = self.watched("kernel-memory", kernel, 2, "", |watch| watch.kernel);
        kernel.notes = vec![
            "memlock of what its descriptors lead to; buffers of perf events are not in it."
                .to_owned(),
        ];
        [
            cpu,
            self.watched("resident", resident, 1, "12", |watch| watch.resident),
            self.watched("resident-most", most, 1, "", |watch| watch.resident_most),
            kernel,
        ]
    }

    /// A row for each tracer.
    fn watched(
        &self,
        key: &'static str,
        [title, unit]: [&'static str; 2],
        decimals: usize,
        budget: &'static str,
        number: impl Fn(&Watch) -> f64,
    ) -> Table {
        let number = |sample: &Sample| sample.tracer.as_ref().map_or(f64::NAN, &number);
        let ratios = self.turns.ratios_to(|contender| contender.is_peer, number);
        let rows = self.rows(number).into_iter().zip(ratios).skip(1).map(|(row, ratio)| Row {
            decimals,
            ratio,
            budget: if row.foreign { "" } else { budget },
            ..row
        });
        let rows = rows.collect();
        Table { key, title: title.to_owned(), unit, ratio: "to peer", rows, notes: Vec::new() }
    }

    fn missing(&self) -> Table {
        let execs = self.bench.workload.execs();
        let title = "Execs of the storms that are not in the output";
        let table = self.watched("missing", [title, "execs"], 0, "0", |watch| watch.missing);
        let rows = table.rows.into_iter().map(|row| Row { ratio: None, ..row }).collect();
        let last_words = self.turns.each().filter_map(|(contender, samples)| {
            let word = samples.last()?.tracer.as_ref()?.last_word.as_ref()?;
            Some(format!("{} last said: {word}", contender.name))
        });
        let heading = [
            format!("Of {execs} in each storm, a tenth of that for strace."),
            "forkstat looks a name up after the event, when a short process is gone: its line \
             then says <unknown>, and is none of the storm's."
                .to_owned(),
        ];
        let notes = heading.into_iter().chain(last_words).collect();
        Table { ratio: "", rows, notes, ..table }
    }
}
