//! One storm of our own program, long, with nothing set: what is lost then is lost to
//! everyone, and what the tracer takes must be the same at its end as at its beginning.

use std::{fs, thread, time::Duration};

use anyhow::{Context as _, Result, anyhow};

use super::{
    Bench,
    contenders::{Contender, Lineup},
    options::Scope,
    proc_files,
    table::{self, Row, Table},
    tracer::Tracer,
    turns::Turns,
    workload::Paced,
};

/// How often a tracer is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// What became of a storm.
struct Course {
    /// Execs that are not in the output.
    missing: f64,
    /// What the tracer took meanwhile, from the first second to the last.
    sizes: Vec<Size>,
}

#[derive(Clone, Copy)]
struct Size {
    resident: f64,
    descriptors: f64,
}

impl Course {
    /// The first and the last tenth of it.
    fn ends(&self) -> [&[Size]; 2] {
        let tenth = (self.sizes.len() / 10).max(1).min(self.sizes.len());
        [&self.sizes[..tenth], &self.sizes[self.sizes.len() - tenth..]]
    }
}

/// Measures one tracer after the other.
pub(super) fn run(bench: &Bench, lineup: &Lineup) -> Result<Vec<Table>> {
    let seconds = bench.options.endurance;
    // Asked for alone, it is the dearest format's, which is the first.
    let count = if bench.options.scope == Scope::LongStorm { 1 } else { usize::MAX };
    let ours = lineup.readers.iter().filter(|contender| !contender.foreign);
    let tracers: Vec<Contender> = ours.take(count).cloned().collect();
    let mut rates = Vec::new();
    let turns = bench.in_turns("a long storm", 1, &tracers, |contender| {
        let (course, paced) = endure(bench, contender)?;
        rates.push(format!("{} execs, {:.0} a second", paced.execs, paced.execs / paced.seconds));
        Ok(course)
    })?;
    let rows = table::rows(&turns, 0, |course| course.missing);
    let rows = rows.into_iter().map(|row| Row { budget: "0", ..row }).collect();
    let title = format!("Execs of a storm of {seconds} s on all CPUs that are not in the output");
    let notes = vec![format!("{}.", rates.join("; "))];
    let missing = Table { key: "endurance", title, unit: "execs", ratio: "", rows, notes };
    let of = |what: &str| format!("{what} in the first and the last tenth of {seconds} s of storm");
    let resident = at_both_ends("endurance-resident", of("Resident memory"), "MB", 1, &turns, {
        |size| size.resident
    });
    let descriptors =
        at_both_ends("endurance-descriptors", of("File descriptors"), "open files", 0, &turns, {
            |size| size.descriptors
        });
    Ok(vec![missing, resident, descriptors])
}

fn endure(bench: &Bench, contender: &Contender) -> Result<(Course, Paced)> {
    let tracer = contender.start(bench.workload.folder())?.context("no tracer to measure")?;
    let (workload, seconds) = (&bench.workload, f64::from(bench.options.endurance));
    let (paced, sizes) = thread::scope(|scope| {
        let storm = scope.spawn(move || workload.paced(None, 0, seconds));
        let mut sizes = Vec::new();
        while !storm.is_finished() {
            thread::sleep(PERIOD);
            sizes.push(size(&tracer));
        }
        (storm.join(), sizes)
    });
    let paced = paced.map_err(|_| anyhow!("the thread that runs the storm panicked"))??;
    let sizes = sizes.into_iter().collect::<Result<_>>()?;
    tracer.settle()?;
    let output = tracer.stop()?.output;
    let (caught, _) = proc_files::count_lines(&output, |line| workload.is_of_storm(line))?;
    fs::remove_file(&output).context("cannot remove the output of a storm")?;
    Ok((Course { missing: paced.execs - caught, sizes }, paced))
}

fn size(tracer: &Tracer) -> Result<Size> {
    let (resident, _) = tracer.memory()?;
    Ok(Size { resident, descriptors: proc_files::open_files(tracer.pid()) })
}

/// Two rows for each tracer, with a sample per look at it.
fn at_both_ends(
    key: &'static str,
    title: String,
    unit: &'static str,
    decimals: usize,
    turns: &Turns<'_, Course>,
    number: impl Fn(&Size) -> f64,
) -> Table {
    let mut rows = Vec::new();
    for (contender, courses) in turns.each() {
        for (end, which) in ["first", "last"].into_iter().enumerate() {
            let sizes = courses.iter().flat_map(|course| course.ends()[end]);
            let row = Row::of(contender, sizes.map(&number).collect(), decimals);
            let name = format!("{}, {which} tenth", contender.name);
            rows.push(Row { name, budget: "", absent: turns.why_not(contender), ..row });
        }
    }
    Table { key, title, unit, ratio: "", rows, notes: Vec::new() }
}
