//! Rules that leave out all that a storm runs: what each kind costs, and what many of
//! them take.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    Bench,
    contenders::{Contender, ours},
    launch::{Place, Ready, Variant},
    numbers::Spread,
    proc_files,
    tracer::Tracer,
};

/// As many combined rules as the kernel takes.
const COMBINED: usize = 64;
const PATHS: usize = 10_000;
const PREFIXES: usize = 1_000;

/// A selector of each kind: what it is called, one that matches all of a storm, and
/// others that match nothing.
const KINDS: &[Kind] = &[
    Kind { names: ["by path", "  the last of 64"], matching: "TINY", other: "/nowhere/program-N" },
    Kind { names: ["by directory", "  the last of 64"], matching: "FOLDER/**", other: "/no-N/**" },
    Kind { names: ["by name", "  the last of 64"], matching: "name=tiny", other: "name=other-N" },
    Kind { names: ["by user", "  the last of 64"], matching: "user=0", other: "user=7000N" },
    Kind {
        names: ["by effective group", "  the last of 64"],
        matching: "egroup=0",
        other: "egroup=7000N",
    },
    Kind {
        names: ["by namespace", "  the last of 64"],
        matching: "pidns=host",
        other: "pidns=7000N",
    },
    Kind {
        names: ["by parent", "  the last of 64"],
        matching: "parent=subject",
        other: "parent=other-N",
    },
    Kind { names: ["by result", "  the last of 64"], matching: "result=ok", other: "result=10N" },
    Kind {
        names: ["by cgroup", "  the last of 64"],
        matching: "cgroup=CGROUP",
        other: "user=7000N",
    },
    Kind { names: ["by tree", "  the last of 64"], matching: "tree=PID", other: "user=7000N" },
    Kind {
        names: ["by five at once", "  the last of 64"],
        matching: "user=0,name=tiny,pidns=host,result=ok,tree=PID",
        other: "user=7000N,name=other-N,pidns=host",
    },
];

struct Kind {
    names: [&'static str; 2],
    matching: &'static str,
    other: &'static str,
}

/// A rule of each kind, alone and among others, and a path among many, beside what a kept
/// exec costs.
pub(super) fn contenders(
    make: &impl Fn(&[&str]) -> Variant,
    tiny: &str,
    folder: &Path,
    cgroup: Option<&str>,
) -> Vec<Contender> {
    let budget = "0.6, aim 0.3";
    let directory = folder.to_string_lossy();
    let mut contenders = vec![
        Contender { is_peer: true, ..ours("kept, without a rule", make(&["--json"])) },
        ours("kept, with a rule of each kind", make(&every_kind_in_vain())),
    ];
    let written = |kind: &Kind| {
        let pid = std::process::id().to_string();
        let text = kind.matching.replace("TINY", tiny).replace("FOLDER", &directory);
        text.replace("PID", &pid).replace("CGROUP", cgroup.unwrap_or_default())
    };
    for kind in KINDS.iter().filter(|kind| cgroup.is_some() || !kind.matching.contains("CGROUP")) {
        let matching = written(kind);
        let others: Vec<_> =
            (0..COMBINED - 1).map(|n| kind.other.replace('N', &n.to_string())).collect();
        let all = others.iter().chain([&matching]).map(String::as_str);
        let flags: Vec<_> =
            ["--json"].into_iter().chain(all.flat_map(|rule| ["--exclude", rule])).collect();
        let [alone, last] = kind.names;
        contenders
            .push(Contender { budget, ..ours(alone, make(&["--json", "--exclude", &matching])) });
        contenders.push(Contender { budget, ..ours(last, make(&flags)) });
    }
    contenders
}

/// The same of files with very many rules.
pub(super) fn files(
    make: &impl Fn(&[&str]) -> Variant,
    tiny: &str,
    folder: &Path,
) -> Result<Vec<Contender>> {
    let directory = folder.to_string_lossy();
    let mut contenders = Vec::new();
    for (name, rules) in [
        ("by path, the last of 10,000", paths(tiny)),
        ("by directory, the last of 1,000", prefixes(&directory)),
    ] {
        let file = written(folder, &rules)?;
        let words = ["--json", "--config", &file.to_string_lossy()].map(str::to_owned);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        contenders.push(Contender { budget: "0.6, aim 0.3", ..ours(name, make(&words)) });
    }
    Ok(contenders)
}

/// A cgroup that everything measured runs in; what was there before comes back at the end.
pub(super) struct Cgroup {
    directory: PathBuf,
    before: PathBuf,
}

impl Cgroup {
    /// Makes one, if the unified hierarchy is mounted, and goes there.
    pub(super) fn enter() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"))?;
        let root = PathBuf::from(line.split(' ').nth(1)?);
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let before = root.join(path);
        let directory = root.join(format!("exectrail-bench-{}", std::process::id()));
        fs::create_dir(&directory).ok()?;
        let cgroup = Self { directory, before };
        move_to(&cgroup.directory).then_some(cgroup)
    }

    /// Its path from the root of the hierarchy.
    pub(super) fn path(&self) -> String {
        format!("/{}", self.directory.file_name().unwrap_or_default().to_string_lossy())
    }
}

fn move_to(directory: &Path) -> bool {
    fs::write(directory.join("cgroup.procs"), std::process::id().to_string()).is_ok()
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        move_to(&self.before);
        let _ = fs::remove_dir(&self.directory);
    }
}

fn every_kind_in_vain() -> Vec<&'static str> {
    let rules = [
        "/nowhere/x",
        "/nowhere/**",
        "name=nobody-has-this",
        "user=4000000000",
        "egroup=4000000000",
        "pidns=1",
        "parent=nobody",
        "result=EXDEV",
    ];
    let flags = rules.into_iter().flat_map(|rule| ["--exclude", rule]);
    ["--json"].into_iter().chain(flags).collect()
}

fn paths(tiny: &str) -> String {
    let others = (1..PATHS).map(|number| format!("/opt/not-there/bin/program-{number}"));
    others
        .chain([tiny.to_owned()])
        .fold(String::new(), |text, path| text + &format!("[[exclude]]\npath = \"{path}\"\n"))
}

/// Prefix rules are combined ones: beyond 64 of them, the kernel leaves the rest to user
/// space. So the directories that count come first.
fn prefixes(directory: &str) -> String {
    let others = (1..PREFIXES).map(|number| format!("/opt/not-there-{number}"));
    [directory.to_owned()]
        .into_iter()
        .chain(others)
        .fold(String::new(), |text, path| text + &format!("[[exclude]]\npath = \"{path}/**\"\n"))
}

fn written(folder: &Path, rules: &str) -> Result<PathBuf> {
    let path = folder.join(format!("rules-{}.toml", rules.len()));
    fs::write(&path, rules).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Time and memory that many rules take at the start.
pub(super) fn print_sizes(bench: &Bench, exectrail: &Path) -> Result<()> {
    let folder = bench.workload.folder();
    println!("\nMany rules at the start          ms to tracing   MB resident   MB of maps");
    for (name, rules) in [
        ("none", String::new()),
        ("10,000 paths", paths("/nowhere")),
        ("1,000 directories", prefixes("/nowhere")),
        ("both", paths("/nowhere") + &prefixes("/nowhere")),
    ] {
        let file = written(folder, &rules)?;
        let flags = ["--json", "--config"].map(Into::into);
        let flags = flags.into_iter().chain([file.into_os_string()]).collect();
        let (program, ready, place) = (exectrail.to_owned(), Ready::Says("tracing"), Place::Host);
        let variant = Variant { program, flags, ready, place };
        let mut starts = Vec::new();
        let mut sizes = (0.0, 0.0);
        for _ in 0..bench.options.starts {
            let tracer = Tracer::start(&variant, folder)?;
            starts.push(tracer.took().as_secs_f64() * 1000.0);
            sizes = (tracer.memory()?.0, proc_files::map_memory(tracer.pid())?);
            tracer.stop()?;
        }
        let median = Spread::of(&starts).map_or(0.0, |spread| spread.median);
        println!("  {name:<30} {median:>13.1} {:>13.1} {:>12.1}", sizes.0, sizes.1);
    }
    Ok(())
}
