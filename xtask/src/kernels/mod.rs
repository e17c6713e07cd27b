//! The live tests on many kernels, each in its preempt modes: distributions' kernels,
//! booted in emulated machines.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use exectrail_object::Tree;
use serde_json::Value;

mod apt;
mod arch;
mod boot;
mod build;
mod command;
mod cross;
mod fetch;
pub(crate) mod guest;
mod initramfs;
mod options;
mod plan;
mod results;
mod rows;
mod table;
mod tools;

use arch::Arch;
use boot::{Booting, write_image};
use build::Programs;
use cross::Cross;
use fetch::Image;
use initramfs::Initramfs;
use options::Options;
use results::Outcome;
use rows::{Kernel, Machine, Row};
use table::Line;
use tools::Tools;

/// A machine that has not come to its end by then is turned off.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Boots, tests, and writes the table.
pub(crate) fn run(tree: &Tree, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words, env::var_os("CI").is_some())? else {
        println!("{}", options::HELP);
        return Ok(());
    };
    if options.list {
        options.rows.iter().for_each(|row| println!("{:<20} {:?}", row.name(), row.suite));
        return Ok(());
    }
    let matrix = Matrix::prepare(tree, &options)?;
    let lines = matrix.all();
    if !options.is_part {
        let path = tree.root().join("docs/kernels.md");
        fs::write(&path, table::page(&lines))?;
        println!("wrote {}", path.display());
    }
    judge(&lines, options.at_least, options.command.is_empty())
}

/// Fails if any row did, or if too few kernels could be run at all.
fn judge(lines: &[Line], at_least: usize, tests: bool) -> Result<()> {
    let ran = lines.iter().filter(|line| line.outcome.is_ok()).count();
    if ran < at_least {
        bail!("{ran} kernels ran; there have to be {at_least}");
    }
    let bad: Vec<_> = lines
        .iter()
        .filter(|line| tests && line.outcome.as_ref().is_ok_and(|outcome| !outcome.is_good()))
        .map(|line| line.row.name())
        .collect();
    if bad.is_empty() {
        return Ok(());
    }
    bail!("not all is well on {}; target/kernels/ROW.log tells", bad.join(", "))
}

/// What all rows have in common.
struct Matrix<'o> {
    folder: PathBuf,
    /// By what they are built for, or why they cannot be.
    programs: BTreeMap<Arch, Result<Programs, String>>,
    options: &'o Options,
    fetching: Mutex<()>,
}

impl<'o> Matrix<'o> {
    fn prepare(tree: &Tree, options: &'o Options) -> Result<Self> {
        let folder = tree.root().join("target/kernels");
        fs::create_dir_all(&folder)?;
        let began = Instant::now();
        let mut programs = BTreeMap::new();
        for arch in options.rows.iter().map(Row::arch) {
            if let Entry::Vacant(place) = programs.entry(arch) {
                place.insert(build_for(arch, tree.root(), &folder.join("cache"))?);
            }
        }
        println!("built in {} s", began.elapsed().as_secs());
        Ok(Self { folder, programs, options, fetching: Mutex::new(()) })
    }

    /// Every row, in their order. An emulated machine is one thread of this host, so there
    /// are as many at once as there are CPUs; the host's own row comes first and alone.
    fn all(&self) -> Vec<Line> {
        let (host, machines): (Vec<Row>, Vec<Row>) =
            self.options.rows.iter().partition(|row| row.machine == Machine::Host);
        let mut lines: Vec<Line> = host.into_iter().map(|row| self.line(row)).collect();
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let work = || {
            while let Some(&row) = machines.get(next.fetch_add(1, Ordering::Relaxed)) {
                let line = self.line(row);
                done.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|line| machines.iter().position(|row| row.name() == line.row.name()));
        lines.append(&mut done);
        lines
    }

    fn programs(&self, row: &Row) -> Result<&Programs> {
        let programs = self.programs.get(&row.arch()).context("what rows need was built")?;
        programs.as_ref().map_err(|why| anyhow!("{why}"))
    }

    /// Runs a row and says how it went.
    fn line(&self, row: Row) -> Line {
        let name = row.name();
        let outcome = self.run(row).map_err(|error| format!("{error:#}"));
        match &outcome {
            Err(why) => println!("{name}: NOT RUN: {why}"),
            Ok(_) if !self.options.command.is_empty() => {}
            Ok(outcome) => {
                let (passed, all) = outcome.count("");
                println!(
                    "{name}: {passed} of {all} tests, {} unaccounted{}, {} s",
                    outcome.unaccounted(),
                    if outcome.ended { "" } else { ", DID NOT END" },
                    outcome.took.as_secs()
                );
                outcome.failed().for_each(|test| println!("{name}: FAILED: {test}"));
                for test in &outcome.second_try {
                    println!("{name}: passed at the second try only: {test}");
                }
            }
        }
        Line { row, outcome }
    }

    fn run(&self, row: Row) -> Result<Outcome> {
        match row.machine {
            Machine::Host => self.on_this_host(row),
            Machine::Booted(kernel, _) | Machine::Locked(kernel, _) => {
                self.in_a_machine(row, kernel)
            }
        }
    }

    fn in_a_machine(&self, row: Row, kernel: &Kernel) -> Result<Outcome> {
        let name = row.name();
        let (programs, cache) = (self.programs(&row)?, self.folder.join("cache"));
        // Two rows of one kernel would fetch it twice.
        let fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let (image, tools) = (fetch::image(kernel, &cache)?, Tools::of(kernel, &cache)?);
        drop(fetching);
        let live = programs.live.to_str().context("a path is text")?;
        let initramfs = self.folder.join(format!("{name}.initramfs"));
        let boot = |plan: Value, log: &str| -> Result<Outcome> {
            write_image(&initramfs, &files(programs, &tools, &image, &plan.to_string())?)?;
            let booting = Booting {
                arch: kernel.arch,
                vmlinuz: &image.vmlinuz,
                initramfs: &initramfs,
                parameters: &row.parameters(),
                patience: PATIENCE,
            };
            let (said, took) = booting.run(&self.folder.join(log))?;
            fs::remove_file(&initramfs)?;
            if !self.options.command.is_empty() {
                print!("{said}");
            }
            Ok(Outcome::of_log(&said, took))
        };
        let plan = plan::of_machine(&row, self.options, live);
        let mut outcome = boot(plan, &format!("{name}.log"))?;
        let again = outcome.worth_another_try();
        if !again.is_empty() {
            let second = boot(plan::of_tests(&again, live), &format!("{name}.again.log"))?;
            outcome.take_second_try(&second);
        }
        Ok(outcome)
    }

    /// The same commands here, where whatever else runs goes on.
    fn on_this_host(&self, row: Row) -> Result<Outcome> {
        let began = Instant::now();
        let live = self.programs(&row)?.live.to_str().context("a path is text")?;
        let figures = tempfile::NamedTempFile::new()?;
        let mut log = String::new();
        for words in plan::commands(&row, self.options, live) {
            let (program, arguments) = words.split_first().context("a command has a program")?;
            let mut command = Command::new(program);
            command.args(arguments).env("EXECTRAIL_FIGURES", figures.path());
            let output = command.output().with_context(|| format!("starting {program}"))?;
            log.push_str(&String::from_utf8_lossy(&output.stdout));
            log.push_str(&String::from_utf8_lossy(&output.stderr));
        }
        for line in fs::read_to_string(figures.path())?.lines() {
            log.extend([guest::FIGURES, line, "\n"]);
        }
        log.push_str(guest::DONE);
        fs::write(self.folder.join("host.log"), &log)?;
        Ok(Outcome::of_log(&log, began.elapsed()))
    }
}

/// The programs, or why there is no compiler for them. That one is there and fails is
/// another matter: what is wrong then is ours.
fn build_for(arch: Arch, root: &Path, cache: &Path) -> Result<Result<Programs, String>> {
    if arch == Arch::X86_64 {
        return build::programs(root, arch, None).map(Ok);
    }
    match Cross::to(arch, cache) {
        Ok(cross) => build::programs(root, arch, Some(&cross)).map(Ok),
        Err(why) => Ok(Err(format!("no compiler for {}: {why:#}", arch.debian()))),
    }
}

/// The file system of a machine.
fn files(programs: &Programs, tools: &Tools, image: &Image, plan: &str) -> Result<Vec<u8>> {
    let mut files = Initramfs::with_tools(tools)?;
    let Programs { exectrail, subject, live, init } = programs;
    for path in [exectrail, subject, live] {
        files.add_file(path)?;
    }
    files.add_file_as(exectrail, Path::new("/usr/bin/exectrail"))?;
    files.add_file_as(init, Path::new("/init"))?;
    for (index, module) in image.modules.iter().enumerate() {
        files.add_file_as(module, Path::new(&format!("{}/{index}", guest::MODULES)))?;
    }
    files.add_bytes(Path::new(guest::PLAN), plan.as_bytes(), 0o644)?;
    files.finish()
}
