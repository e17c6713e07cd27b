//! Rules that leave out all that a storm runs: what each kind costs, and what many of
//! them take.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    Bench,
    contenders::{Contender, ours},
    numbers::Spread,
    proc_files,
    tracer::{Ready, Tracer, Variant},
};

/// As many combined rules as the kernel takes.
const COMBINED: usize = 64;
const PATHS: usize = 10_000;
const PREFIXES: usize = 1_000;

/// A rule of each kind, alone and among many others, beside what a kept exec costs.
pub(super) fn contenders(
    make: &impl Fn(&[&str]) -> Variant,
    tiny: &str,
    folder: &Path,
) -> Result<Vec<Contender>> {
    let budget = "0.6, aim 0.3";
    let by =
        |name, rule: &str| Contender { budget, ..ours(name, make(&["--json", "--exclude", rule])) };
    let directory = folder.to_string_lossy();
    let bench = std::process::id();
    let mut contenders = vec![
        Contender { is_peer: true, ..ours("kept, without a rule", make(&["--json"])) },
        ours("kept, with a rule of each kind", make(&every_kind_in_vain())),
        by("by path", tiny),
        by("by directory", &format!("{directory}/**")),
        by("by name", "name=tiny"),
        by("by user", "user=0"),
        by("by effective group", "egroup=0"),
        by("by namespace", "pidns=host"),
        by("by parent", "parent=subject"),
        by("by tree", &format!("tree={bench}")),
        by("by result", "result=ok"),
        by(
            "by five of them at once",
            &format!("user=0,name=tiny,pidns=host,result=ok,tree={bench}"),
        ),
    ];
    for (name, rules) in [
        ("by path, the last of 64 combined", combined(tiny)),
        ("by path, the last of 10,000", paths(tiny)),
        ("by directory, the last of 1,000", prefixes(&directory)),
    ] {
        let file = written(folder, &rules)?;
        let file = file.to_string_lossy();
        contenders.push(Contender { budget, ..ours(name, make(&["--json", "--config", &file])) });
    }
    Ok(contenders)
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

fn combined(tiny: &str) -> String {
    let mut text = String::new();
    for number in 1..COMBINED {
        // A String takes everything.
        let _ = writeln!(text, "[[exclude]]\nuser = {}\nname = \"other-{number}\"", 5000 + number);
    }
    text + &format!("[[exclude]]\nuser = 0\npath = \"{tiny}\"\n")
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
        let variant =
            Variant { program: exectrail.to_owned(), flags, ready: Ready::Says("tracing") };
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
