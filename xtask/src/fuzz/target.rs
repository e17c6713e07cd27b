//! One target: how it is run, and what it says.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result};

use super::report::{Report, Stats};

/// A target that has been built, and its folders.
pub(super) struct Target<'t> {
    pub(super) name: &'t str,
    program: PathBuf,
    /// What is committed. It is read, and never written here.
    pub(super) seeds: PathBuf,
    /// What was found in runs on this machine.
    pub(super) corpus: PathBuf,
    /// Where a finding goes.
    findings: PathBuf,
    log: PathBuf,
    dictionary: PathBuf,
}

impl<'t> Target<'t> {
    pub(super) fn new(root: &Path, built: &Path, name: &'t str) -> Result<Self> {
        let work = root.join("target/fuzz");
        let target = Self {
            name,
            program: built.join(name),
            seeds: root.join("fuzz/corpus").join(name),
            corpus: work.join("corpus").join(name),
            findings: work.join("findings").join(name),
            log: work.join(format!("{name}.log")),
            dictionary: root.join(format!("fuzz/dictionaries/{name}.dict")),
        };
        for folder in [&target.seeds, &target.corpus, &target.findings] {
            let cannot = || format!("cannot create {}", folder.display());
            fs::create_dir_all(folder).with_context(cannot)?;
        }
        Ok(target)
    }

    /// libFuzzer with this target in it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            // Two copies of a constant are no finding in Rust, and neither is a leak.
            .env("ASAN_OPTIONS", "detect_odr_violation=0:detect_leaks=0")
            .args(["-timeout=20", "-rss_limit_mb=2048", "-detect_leaks=0"])
            .arg(format!("-artifact_prefix={}/", self.findings.display()));
        command
    }

    /// Lets it run for so long. It ends earlier with the first finding.
    pub(super) fn run(&self, seconds: u32) -> Result<Report> {
        let cannot = || format!("cannot write {}", self.log.display());
        let log = File::create(&self.log).with_context(cannot)?;
        let mut command = self.command();
        command
            .arg(format!("-max_total_time={seconds}"))
            // Longer inputs sooner than is usual: runs here are short.
            .args(["-len_control=20", "-print_final_stats=1"]);
        if self.dictionary.exists() {
            command.arg(format!("-dict={}", self.dictionary.display()));
        }
        command.arg(&self.corpus).arg(&self.seeds);
        command.stdout(log.try_clone().with_context(cannot)?).stderr(log);
        eprint!("{}: {seconds} s … ", self.name);
        _ = io::stderr().flush();
        let begun = Instant::now();
        let status = command.status();
        let status = status.with_context(|| format!("cannot start {}", self.program.display()))?;
        let text = fs::read(&self.log).context("the log is gone")?;
        let said = Stats::of(&String::from_utf8_lossy(&text));
        let failed = !status.success();
        eprintln!("{}", if failed { "FINDING" } else { "fine" });
        let finding = failed.then(|| {
            let none = format!("{status}, and no input; see {}", self.log.display());
            said.finding.clone().unwrap_or(none)
        });
        let seconds = begun.elapsed().as_secs();
        Ok(Report { target: self.name.to_owned(), seconds, stats: said, finding })
    }

    /// Gives it one input.
    pub(super) fn again(&self, input: &Path) -> Result<bool> {
        let mut command = self.command();
        command.env("RUST_BACKTRACE", "1").arg(input);
        Ok(command.status().context("cannot start the target")?.success())
    }
}
