//! What is traced: storms of the smallest program there is, and calls of a
//! system call that does nothing.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{host, proc_files};

/// Calls of one run of the loop: some 50 ms.
const CALLS: u32 = 500_000;

/// The workload program, and what it runs.
pub(super) struct Workload {
    subject: PathBuf,
    tiny: PathBuf,
    folder: PathBuf,
    execs: u32,
}

/// What one storm took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storm {
    /// From its first exec to its last, in milliseconds.
    pub(super) wall: f64,
    /// User and system time of all its processes, in milliseconds.
    pub(super) cpu: f64,
}

impl Workload {
    /// Writes the smallest program into `folder`.
    pub(super) fn new(subject: PathBuf, folder: PathBuf, execs: u32) -> Result<Self> {
        // Every worker runs its share, so that a rest would not be run at all.
        let workers = u32::try_from(host::cpus()).unwrap_or(1);
        let execs = (execs / workers).max(1) * workers;
        let workload = Self { subject, tiny: folder.join("tiny"), folder, execs };
        workload.run(&["tiny", &workload.tiny()])?;
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

    /// One storm on all CPUs.
    pub(super) fn storm(&self) -> Result<Storm> {
        let before = proc_files::ended_children_time()?;
        let (execs, workers) = (self.execs.to_string(), host::cpus().to_string());
        let nanoseconds = self.number(&["storm", &self.tiny(), &execs, &workers])?;
        let cpu = proc_files::ended_children_time()? - before;
        Ok(Storm { wall: nanoseconds / 1e6, cpu })
    }

    /// Nanoseconds of one system call that does nothing. The best of four short
    /// runs: whatever comes between can only add.
    pub(super) fn call(&self) -> Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..4 {
            best = best.min(self.number(&["getppid", &CALLS.to_string()])?);
        }
        Ok(best)
    }

    fn number(&self, words: &[&str]) -> Result<f64> {
        let answer = self.run(words)?;
        answer.trim().parse().with_context(|| format!("the workload answered `{answer}`"))
    }

    fn run(&self, words: &[&str]) -> Result<String> {
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
