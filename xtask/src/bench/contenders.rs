//! Who is measured in what.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    rules,
    tracer::{Ready, Tracer, Variant},
    workload::Workload,
};

const OTHER_PATHS: u32 = 5_000;

/// One of those whose turns make a round.
pub(super) struct Contender {
    pub(super) name: &'static str,
    /// Nothing for the host as it is.
    pub(super) variant: Option<Variant>,
    /// Whether the others are compared with it.
    pub(super) is_peer: bool,
    /// What the design allows it in this measurement.
    pub(super) budget: &'static str,
}

impl Contender {
    fn untraced() -> Self {
        Self { name: "no tracer", variant: None, is_peer: false, budget: "" }
    }
}

/// Everyone, by measurement.
pub(super) struct Lineup {
    pub(super) kernel_time: Vec<Contender>,
    pub(super) parts: Vec<Contender>,
    pub(super) rules: Vec<Contender>,
    pub(super) storm: Vec<Contender>,
    pub(super) other_calls: Vec<Contender>,
    pub(super) start: Variant,
    absent: Vec<String>,
}

impl Lineup {
    /// Tries each once, so that who cannot take part is known at the beginning.
    pub(super) fn assemble(
        exectrail: &Path,
        peer: Option<&Path>,
        workload: &Workload,
        folder: &Path,
        cgroup: Option<&str>,
    ) -> Result<Self> {
        let make = |words: &[&str]| exectrail_with(exectrail, words);
        let mut lineup = Self {
            kernel_time: kernel_time(&make, &workload.tiny(), &many_rules(folder)?),
            parts: parts(&make),
            rules: [
                rules::contenders(&make, &workload.tiny(), folder, cgroup),
                rules::files(&make, &workload.tiny(), folder)?,
            ]
            .into_iter()
            .flatten()
            .collect(),
            storm: vec![
                Contender::untraced(),
                ours("exectrail --json", make(&["--json"])),
                ours("exectrail (pretty)", make(&[])),
            ],
            other_calls: vec![
                Contender::untraced(),
                ours("exectrail", make(&["--json"])),
                ours("exectrail --failed", make(&["--json", "--failed"])),
            ],
            start: make(&["--json"]),
            absent: Vec::new(),
        };
        if peer.is_none() {
            let why = "execsnoop is not installed (make setup-bench brings it)";
            lineup.absent.push(why.to_owned());
        }
        for list in [&mut lineup.kernel_time, &mut lineup.storm, &mut lineup.other_calls] {
            list.extend(peer.map(execsnoop));
            let absent = &mut lineup.absent;
            list.retain(|contender| can_start(contender, folder, absent));
        }
        // Without this one there is nothing to measure.
        Tracer::start(&lineup.start, folder).context("exectrail does not start")?.stop()?;
        Ok(lineup)
    }

    /// Says loudly who is missing.
    pub(super) fn print_absent(&self) {
        for why in &self.absent {
            println!("\nNOT MEASURED: {why}");
        }
    }
}

fn kernel_time(make: &impl Fn(&[&str]) -> Variant, tiny: &str, rules: &Path) -> Vec<Contender> {
    let with = |name, words: &[&str], budget| {
        let words = [&["--json"], words].concat();
        Contender { budget, ..ours(name, make(&words)) }
    };
    let rules = rules.to_string_lossy();
    let (kept, left_out) = ("2.0, aim 1.2", "0.6, aim 0.3");
    vec![
        with("exectrail, all fields", &[], kept),
        Contender { budget: kept, ..ours("exectrail, as a terminal shows it", make(&[])) },
        with("exectrail --hook classic", &["--hook", "classic"], kept),
        with("exectrail --failed", &["--failed"], ""),
        with("exectrail --exclude TINY", &["--exclude", tiny], left_out),
        with("  and 5,000 other paths", &["--exclude", tiny, "--config", &rules], left_out),
        with("exectrail --only /nonexistent", &["--only", "/nonexistent"], left_out),
    ]
}

/// The parts of a record that can be left out, each beside a record without any.
fn parts(make: &impl Fn(&[&str]) -> Variant) -> Vec<Contender> {
    let with = |name, fields, more: &[&str]| {
        ours(name, make(&[&["--json", "--fields", fields], more].concat()))
    };
    vec![
        Contender { is_peer: true, ..with("what every record has", "exe,args", &[]) },
        with("  and the lasting id", "process", &[]),
        with("  and the parent", "parent", &[]),
        with("  and the parent's executable", "parent_exe", &[]),
        with("  and namespaces", "mnt_ns", &[]),
        with("  and the executable's inode", "exe_inode", &[]),
        with("  and the working directory", "cwd", &[]),
        with("  and the cgroup's path", "cgroup", &[]),
        with("  and the login", "loginuid", &[]),
        with("  and the terminal", "tty", &[]),
        with("  and 8 ancestors", "ancestors", &["--ancestors", "8"]),
        with("  and the environment", "env", &["--env", "PATH"]),
        ours("all but the last two", make(&["--json"])),
    ]
}

pub(super) fn ours(name: &'static str, variant: Variant) -> Contender {
    Contender { name, variant: Some(variant), is_peer: false, budget: "" }
}

fn exectrail_with(program: &Path, words: &[&str]) -> Variant {
    let flags = words.iter().map(OsString::from).collect();
    Variant { program: program.to_owned(), flags, ready: Ready::Says("tracing") }
}

fn execsnoop(program: &Path) -> Contender {
    let variant = Variant { program: program.to_owned(), flags: Vec::new(), ready: Ready::Waits };
    Contender { name: "execsnoop", variant: Some(variant), is_peer: true, budget: "" }
}

fn can_start(contender: &Contender, folder: &Path, absent: &mut Vec<String>) -> bool {
    let Some(variant) = &contender.variant else {
        return true;
    };
    let Err(error) = Tracer::start(variant, folder).and_then(Tracer::stop) else {
        return true;
    };
    let mut why = format!("{} does not start here: {error:#}", contender.name.trim());
    if !Path::new("/sys/kernel/tracing/events").exists() {
        why += " (there is no tracefs: mount -t tracefs tracefs /sys/kernel/tracing)";
    }
    if !absent.contains(&why) {
        absent.push(why);
    }
    false
}

/// A configuration that excludes many paths, none of which is ever run.
fn many_rules(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("many-rules.toml");
    let mut text = String::new();
    for number in 0..OTHER_PATHS {
        writeln!(text, "[[exclude]]\npath = \"/opt/not-there/bin/program-{number}\"")?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
