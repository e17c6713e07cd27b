//! Who is measured in what.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    launch::{Place, Ready, Variant},
    peers::{Peers, Trait},
    rules,
    tracer::Tracer,
    workload::Workload,
};

const OTHER_PATHS: u32 = 5_000;

/// One of those whose turns make a round.
#[derive(Clone)]
pub(super) struct Contender {
    pub(super) name: &'static str,
    /// Nothing for the host as it is.
    pub(super) variant: Option<Variant>,
    /// Whether the others are compared with it.
    pub(super) is_peer: bool,
    /// Whether it is someone else's.
    pub(super) foreign: bool,
    /// Rounds after which it is known well enough.
    pub(super) rounds: usize,
    /// What the design allows it in this measurement.
    pub(super) budget: &'static str,
    /// Why it cannot be measured.
    pub(super) absent: Option<String>,
}

impl Contender {
    fn untraced() -> Self {
        Self {
            name: "no tracer",
            variant: None,
            is_peer: false,
            foreign: false,
            rounds: usize::MAX,
            budget: "",
            absent: None,
        }
    }

    /// Starts it, if there is anything to start.
    pub(super) fn start(&self, folder: &Path) -> Result<Option<Tracer>> {
        self.variant.as_ref().map(|variant| Tracer::start(variant, folder)).transpose()
    }
}

/// Everyone, by measurement.
pub(super) struct Lineup {
    pub(super) kernel_time: Vec<Contender>,
    pub(super) parts: Vec<Contender>,
    pub(super) rules: Vec<Contender>,
    /// What kernel time is swept over.
    pub(super) swept: Vec<Contender>,
    /// Our rule that leaves out one of the two programs of a storm.
    pub(super) excluding: Vec<Contender>,
    pub(super) storm: Vec<Contender>,
    /// Whose CPU time is swept over execs.
    pub(super) readers: Vec<Contender>,
    /// Whose memory is swept over processes: with ends, ours has to remember more.
    pub(super) growing: Vec<Contender>,
    /// Whose lines are awaited.
    pub(super) to_line: Vec<Contender>,
    pub(super) other_calls: Vec<Contender>,
    pub(super) start: Vec<Contender>,
}

impl Lineup {
    /// Tries each once, so that who cannot take part is known at the beginning.
    pub(super) fn assemble(
        exectrail: &Path,
        peers: &Peers,
        workload: &Workload,
        folder: &Path,
        cgroup: Option<&str>,
    ) -> Result<Self> {
        let make = |words: &[&str]| exectrail_with(exectrail, words);
        let tiny = workload.tiny();
        let with_peers = |list: Vec<Contender>, of| [list, peers.with(of)].concat();
        let json = || ours("exectrail --json", make(&["--json"]));
        let exits = || ours("exectrail --json --exit", make(&["--json", "--exit"]));
        let pretty = || ours("exectrail (pretty)", make(&[]));
        let storm = vec![Contender::untraced(), json(), as_execsnoop(&make), pretty()];
        let calls = vec![
            Contender::untraced(),
            ours("exectrail", make(&["--json"])),
            ours("exectrail --failed", make(&["--json", "--failed"])),
        ];
        let kernel_time = kernel_time(&make, workload, &many_rules(folder)?);
        let mut lineup = Self {
            kernel_time: with_peers(kernel_time, Trait::Programs),
            parts: parts(&make),
            rules: [
                rules::contenders(&make, &tiny, folder, cgroup),
                rules::files(&make, &tiny, folder)?,
            ]
            .into_iter()
            .flatten()
            .collect(),
            swept: with_peers(vec![json(), pretty()], Trait::Programs),
            excluding: vec![ours("exectrail --exclude", make(&["--json", "--exclude", &tiny]))],
            storm: with_peers(storm, Trait::Any),
            readers: with_peers(vec![json(), pretty()], Trait::Reader),
            growing: with_peers(vec![json(), exits()], Trait::Reader),
            to_line: with_peers(vec![json(), pretty()], Trait::Streams),
            other_calls: with_peers(calls, Trait::Any),
            start: vec![Contender { budget: "60, aim 25", ..json() }],
        };
        // Without this one there is nothing to measure.
        json().start(folder).context("exectrail does not start")?.map(Tracer::stop).transpose()?;
        for list in [&mut lineup.kernel_time, &mut lineup.other_calls] {
            list.iter_mut().filter(|contender| !contender.foreign).for_each(|contender| {
                let tried = contender.start(folder).and_then(|it| it.map(Tracer::stop).transpose());
                contender.absent = tried.err().map(|why| format!("it does not start: {why:#}"));
            });
        }
        Ok(lineup)
    }
}

fn kernel_time(
    make: &impl Fn(&[&str]) -> Variant,
    workload: &Workload,
    rules: &Path,
) -> Vec<Contender> {
    let with = |name, words: &[&str], budget| {
        let words = [&["--json"], words].concat();
        Contender { budget, ..ours(name, make(&words)) }
    };
    let (rules, tiny) = (rules.to_string_lossy(), workload.tiny());
    let (kept, left_out) = ("2.0, aim 1.2", "0.6, aim 0.3");
    vec![
        ours("an empty program on the hook", workload.empty_program()),
        with("exectrail, all fields", &[], kept),
        Contender { budget: kept, ..ours("exectrail, as a terminal shows it", make(&[])) },
        as_execsnoop(make),
        with("exectrail --hook classic", &["--hook", "classic"], kept),
        with("exectrail --failed", &["--failed"], ""),
        with("exectrail --exit, all fields", &["--exit"], ""),
        ours("exectrail --exit, as a terminal", make(&["--exit"])),
        counted(make),
        with("exectrail --exclude TINY", &["--exclude", &tiny], left_out),
        with("  and 5,000 other paths", &["--exclude", &tiny, "--config", &rules], left_out),
        with("exectrail --only /nonexistent", &["--only", "/nonexistent"], left_out),
    ]
}

/// What execsnoop prints of an exec: like with like. Its `RET` is zero for all that we tell.
fn as_execsnoop(make: &impl Fn(&[&str]) -> Variant) -> Contender {
    let words = ["--json", "--fields", "comm,pid,ppid,args"];
    ours("exectrail --json, execsnoop's fields", make(&words))
}

/// The same execs and ends, counted in the kernel: half of what records of them take, at
/// most.
fn counted(make: &impl Fn(&[&str]) -> Variant) -> Contender {
    ours("exectrail top", make(&["top", "--json", "--interval", "1h"]))
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
        counted(make),
    ]
}

pub(super) fn ours(name: &'static str, variant: Variant) -> Contender {
    Contender { name, variant: Some(variant), ..Contender::untraced() }
}

fn exectrail_with(program: &Path, words: &[&str]) -> Variant {
    let flags = words.iter().map(OsString::from).collect();
    let ready = Ready::Says("tracing");
    Variant { program: program.to_owned(), flags, ready, place: Place::Host }
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
