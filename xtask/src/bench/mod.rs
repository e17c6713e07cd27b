//! What tracing costs, measured beside the peer in one run.
//!
//! A number from one machine says little about another, and the same machine is
//! not the same an hour later. So whatever is compared is measured in turns,
//! round by round, and ratios are taken within a round. Nothing here passes or
//! fails by time: it prints, next to what the design allows.

use std::{env, fs, io, io::IsTerminal as _, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};
use exectrail_object::Tree;

mod contenders;
mod host;
mod interrupt;
mod kernel_time;
mod numbers;
mod options;
mod other_calls;
mod proc_files;
mod rules;
mod start;
mod stats_switch;
mod storm;
mod table;
mod tracer;
mod workload;

use contenders::Lineup;
use interrupt::Interrupt;
use options::Options;
use rules::Cgroup;
use stats_switch::StatsSwitch;
use workload::Workload;

/// What every measurement needs.
struct Bench {
    options: Options,
    workload: Workload,
    interrupt: Interrupt,
}

impl Bench {
    /// Measures each contender once a round. The one who begins changes from
    /// round to round, so that none always runs in the wake of the same other.
    /// Samples come back by contender, and in each by round.
    fn in_turns<C, T>(
        &self,
        what: &str,
        rounds: usize,
        contenders: &[C],
        mut measure: impl FnMut(&C) -> Result<T>,
    ) -> Result<Vec<Vec<T>>> {
        let mut samples: Vec<Vec<T>> = contenders.iter().map(|_| Vec::new()).collect();
        let watched = io::stderr().is_terminal();
        for round in 0..rounds {
            if watched {
                eprint!("\r{what}: round {} of {rounds}   ", round + 1);
            }
            for turn in 0..contenders.len() {
                let index = (round + turn) % contenders.len();
                self.interrupt.check()?;
                samples[index].push(measure(&contenders[index])?);
            }
        }
        if watched {
            eprintln!();
        }
        Ok(samples)
    }
}

/// Builds what is measured, measures, and prints.
pub(crate) fn run(tree: &Tree, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::HELP);
        return Ok(());
    };
    if !rustix::process::geteuid().is_root() {
        bail!("tracing needs root: run `make bench`, or this command through sudo");
    }
    let interrupt = Interrupt::prepare()?;
    let built = build(tree)?;
    let scratch = tempfile::Builder::new()
        .prefix("exectrail-bench-")
        .tempdir()
        .context("cannot make a scratch directory")?;
    // Rules are matched with the path that the kernel knows.
    let folder =
        fs::canonicalize(scratch.path()).context("cannot resolve the scratch directory")?;
    let workload = Workload::new(built.join("examples/subject"), folder.clone(), options.execs)?;
    let peer = host::find_program("execsnoop");
    let exectrail = built.join("exectrail");
    let cgroup = if options.rules { Cgroup::enter() } else { None };
    let cgroup_path = cgroup.as_ref().map(Cgroup::path);
    let cgroup_path = cgroup_path.as_deref();
    let lineup = Lineup::assemble(&exectrail, peer.as_deref(), &workload, &folder, cgroup_path)?;
    let bench = Bench { options, workload, interrupt };

    host::print_header(&bench.options, &exectrail, peer.as_deref());
    lineup.print_absent();
    {
        let _clock = StatsSwitch::hold(true)?;
        if bench.options.parts {
            return kernel_time::run_parts(&bench, &lineup);
        }
        if bench.options.rules {
            kernel_time::run_rules(&bench, &lineup)?;
            return rules::print_sizes(&bench, &exectrail);
        }
        kernel_time::run(&bench, &lineup)?;
    }
    // The clock has its price: also when someone else has switched it on.
    let _no_clock = StatsSwitch::hold(false)?;
    storm::run(&bench, &lineup)?;
    other_calls::run(&bench, &lineup)?;
    start::run(&bench, &lineup)?;
    lineup.print_absent();
    Ok(())
}

/// Builds exectrail and the workload; gives the directory that they are in.
fn build(tree: &Tree) -> Result<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| tree.root().join("target"), |chosen| tree.root().join(chosen));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "-p", "exectrail", "--bins"])
        .args(["--example", "subject", "--target-dir"])
        .arg(&target)
        .current_dir(tree.root())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("exectrail does not build");
    }
    Ok(target.join("release"))
}
