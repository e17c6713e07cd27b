//! Fuzzing: each target for a while, and a table of what came of it.
//!
//! cargo-fuzz builds the targets. They are started from here and not by it, because its
//! own run looks at the sources anew for each, and writes into the committed corpus
//! whatever it comes across.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

mod build;
mod corpus;
mod options;
mod report;
mod target;

use options::{HELP, Options};
use target::Target;

/// Runs the targets, and fails when one has found something.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{HELP}");
        return Ok(());
    };
    let names = names(root, &options.targets)?;
    let built = build::build(root, &options.sanitizer)?;
    let targets = names.iter().map(|name| Target::new(root, &built, name));
    let targets = targets.collect::<Result<Vec<_>>>()?;
    match (&options.again, &targets[..]) {
        (Some(input), [target]) if target.again(input)? => Ok(()),
        (Some(input), _) => bail!("{} is a finding", input.display()),
        (None, targets) => run_all(targets, &options),
    }
}

fn run_all(targets: &[Target<'_>], options: &Options) -> Result<()> {
    let reports = targets.iter().map(|target| target.run(options.seconds));
    let reports = reports.collect::<Result<Vec<_>>>()?;
    println!("{}", report::table(&reports));
    let mut findings = Vec::new();
    for (target, report) in targets.iter().zip(&reports) {
        if let Some(input) = &report.finding {
            let name = target.name;
            let again = format!("cargo run -p xtask -- fuzz --again {name} {input}");
            findings.push(format!("\n  {input}\n    again: {again}"));
        } else if options.keep {
            println!("{}: {} inputs are kept", target.name, corpus::keep(target)?);
        }
    }
    if !findings.is_empty() {
        bail!("fuzzing found something:{}", findings.concat());
    }
    Ok(())
}

/// The targets that there are, or those of them that were asked for.
fn names(root: &Path, asked: &[String]) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let cannot = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    if let Some(unknown) = asked.iter().find(|name| !names.contains(name)) {
        bail!("no target is called `{unknown}`; there are {}", names.join(", "));
    }
    Ok(if asked.is_empty() { names } else { asked.to_vec() })
}
