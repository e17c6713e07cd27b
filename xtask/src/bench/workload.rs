//! What is traced: storms of the smallest program there is, and calls of a
//! system call that does nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{
    host,
    launch::{Place, Ready, Variant},
    proc_files,
    tracer::Tracer,
};

/// Calls of one run of the loop: some 50 ms.
const CALLS: u32 = 500_000;

/// Whoever stops a program at each exec gets a storm of this part: at up to 100 times the
/// time, whole ones would be half of all that is measured.
const STOPPED_PART: u32 = 10;

/// The workload program, and what it runs.
pub(super) struct Workload {
    subject: PathBuf,
    tiny: PathBuf,
    /// A copy of it, under another name.
    other: PathBuf,
    folder: PathBuf,
    execs: u32,
}

/// What one storm took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storm {
    /// How many execs it had.
    pub(super) execs: f64,
    /// From its first exec to its last, in milliseconds.
    pub(super) wall: f64,
    /// User and system time of all its processes, in milliseconds.
    pub(super) cpu: f64,
}

/// What became of execs at a pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paced {
    pub(super) execs: f64,
    pub(super) seconds: f64,
}

/// Who traces the workload, for those that have to run it themselves.
pub(super) type By<'t> = Option<&'t Tracer>;

impl Workload {
    /// Writes the smallest program into `folder`.
    pub(super) fn new(subject: PathBuf, folder: PathBuf, execs: u32) -> Result<Self> {
        // Every worker runs its share, so that a rest would not be run at all.
        let workers = u32::try_from(host::cpus()).unwrap_or(1);
        let execs = (execs / workers).max(1) * workers;
        let (tiny, other) = (folder.join("tiny"), folder.join("other"));
        let workload = Self { subject, tiny, other, folder, execs };
        workload.run(None, &["tiny", &workload.tiny()])?;
        fs::copy(&workload.tiny, &workload.other).context("cannot copy the smallest program")?;
        Ok(workload)
    }

    /// Execs of one storm.
    pub(super) fn execs(&self) -> f64 {
        f64::from(self.execs)
    }

    /// The path of the smallest program, as it stands in a tracer's output.
    pub(super) fn tiny(&self) -> String {
        self.tiny.to_string_lossy().into_owned()
    }

    /// Whether a line of a tracer's output tells of an exec of the smallest
    /// program, and not of the workload, whose arguments name it, too.
    pub(super) fn is_of_storm(&self, line: &str) -> bool {
        line.contains(&self.tiny()) && !line.contains("storm")
    }

    /// Where outputs go.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of the kernel that does nothing at each exec: the least that one costs.
    pub(super) fn empty_program(&self) -> Variant {
        Variant {
            program: self.subject.clone(),
            flags: vec!["empty-program".into()],
            ready: Ready::Says("tracing"),
            place: Place::Host,
        }
    }

    /// One storm on so many CPUs.
    pub(super) fn storm(&self, by: By<'_>, workers: usize) -> Result<Storm> {
        let shell = by.and_then(Tracer::shell).map(|shell| shell.pid());
        let parent = shell.unwrap_or_else(std::process::id);
        let part = if shell.is_some() { STOPPED_PART } else { 1 };
        let execs = (self.execs / part).max(1).next_multiple_of(u32::try_from(workers)?);
        let before = proc_files::ended_children_time(parent)?;
        let words = ["storm", &self.tiny(), &execs.to_string(), &workers.to_string()];
        let nanoseconds = self.number(by, &words)?;
        let cpu = proc_files::ended_children_time(parent)? - before;
        Ok(Storm { execs: f64::from(execs), wall: nanoseconds / 1e6, cpu })
    }

    /// A storm of which so many percent are of the smallest program, and the rest of its copy.
    pub(super) fn shared(&self, percent: u32) -> Result<()> {
        let words = [
            "storm-shared",
            &self.tiny(),
            &self.other.to_string_lossy(),
            &percent.to_string(),
            &self.execs.to_string(),
            &host::cpus().to_string(),
        ];
        self.run(None, &words).map(drop)
    }

    /// A storm whose execs have so many arguments with so many bytes.
    pub(super) fn sized(&self, arguments: u32, bytes: u32) -> Result<()> {
        let words = [
            "storm-sized",
            &self.tiny(),
            &arguments.to_string(),
            &bytes.to_string(),
            &self.execs.to_string(),
            &host::cpus().to_string(),
        ];
        self.run(None, &words).map(drop)
    }

    /// How long births, execs and ends took one by one: 1001 quantiles, in microseconds.
    pub(super) fn timed(&self, by: By<'_>, count: u32) -> Result<Vec<f64>> {
        let times = self.numbers(by, &["storm-timed", &self.tiny(), &count.to_string()])?;
        Ok(times.iter().map(|time| time / 1000.0).collect())
    }

    /// So many execs a second on all CPUs; as many as there can be for zero.
    pub(super) fn paced(&self, by: By<'_>, rate: u32, seconds: f64) -> Result<Paced> {
        let millis = format!("{:.0}", seconds * 1000.0);
        let workers = host::cpus().to_string();
        let words = ["storm-paced", &self.tiny(), &rate.to_string(), &millis, &workers];
        match self.numbers(by, &words)?[..] {
            [execs, nanoseconds] => Ok(Paced { execs, seconds: nanoseconds / 1e9 }),
            ref other => bail!("the workload answered {other:?}"),
        }
    }

    /// Single execs after some quiet. Gives for each the monotonic clock just before it.
    pub(super) fn beats(&self, count: u32, quiet_millis: u32) -> Result<Vec<f64>> {
        let (count, millis) = (count.to_string(), quiet_millis.to_string());
        self.numbers(None, &["storm-beats", &self.tiny(), &count, &millis])
    }

    /// What the exec of this number is of, as it stands in a tracer's output.
    pub(super) fn beat(&self, number: usize) -> String {
        format!("{}-{number:05}", self.tiny())
    }

    /// Nanoseconds of one system call that does nothing. The best of four short
    /// runs: whatever comes between can only add.
    pub(super) fn call(&self, by: By<'_>) -> Result<f64> {
        let mut best = f64::INFINITY;
        // Stopped at each call, half a million would take a minute.
        let calls = if by.is_some_and(|by| by.shell().is_some()) { CALLS / 50 } else { CALLS };
        for _ in 0..4 {
            best = best.min(self.number(by, &["getppid", &calls.to_string()])?);
        }
        Ok(best)
    }

    fn number(&self, by: By<'_>, words: &[&str]) -> Result<f64> {
        match self.numbers(by, words)?[..] {
            [number] => Ok(number),
            ref other => bail!("the workload answered {other:?}"),
        }
    }

    fn numbers(&self, by: By<'_>, words: &[&str]) -> Result<Vec<f64>> {
        let answer = self.run(by, words)?;
        let numbers = answer.split_whitespace().map(str::parse).collect::<Result<_, _>>();
        numbers.with_context(|| format!("the workload answered `{answer}`"))
    }

    fn run(&self, by: By<'_>, words: &[&str]) -> Result<String> {
        if let Some(mut shell) = by.and_then(Tracer::shell) {
            return shell.run(&self.subject, words);
        }
        let output = Command::new(&self.subject)
            .args(words)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {}", self.subject.display()))?;
        if !output.status.success() {
            bail!("the workload ended with {}: {}", output.status, words.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
