//! What tracing costs, measured beside other tracers in one run.
//!
//! A number from one machine says little about another, and the same machine is
//! not the same an hour later. So whatever is compared is measured in turns,
//! round by round, and ratios are taken within a round. Nothing here passes or
//! fails by time: it prints, next to what the design allows, and writes the same as a page
//! and as JSON.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};
use exectrail_object::Tree;

mod audit;
mod axis;
mod budgets;
mod contenders;
mod curves;
mod dots;
mod endurance;
mod growth;
mod host;
mod interrupt;
mod kernel_time;
mod latency;
mod launch;
mod markdown;
mod numbers;
mod options;
mod other_calls;
mod pace;
mod page;
mod peers;
mod proc_files;
mod report;
mod rules;
mod shell;
mod sizes;
mod start;
mod stats_switch;
mod storm;
mod svg;
mod sweep;
mod table;
mod to_line;
mod tracer;
mod turns;
mod workload;

use contenders::Lineup;
use host::Origin;
use interrupt::Interrupt;
use options::{Options, Scope};
use peers::Peers;
use report::Report;
use rules::Cgroup;
use stats_switch::StatsSwitch;
use workload::Workload;

/// What every measurement needs.
struct Bench {
    options: Options,
    workload: Workload,
    interrupt: Interrupt,
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
    let peers = Peers::find(&folder);
    let exectrail = built.join("exectrail");
    let cgroup = if options.scope == Scope::Rules { Cgroup::enter() } else { None };
    let cgroup_path = cgroup.as_ref().map(Cgroup::path);
    let cgroup_path = cgroup_path.as_deref();
    let lineup = Lineup::assemble(&exectrail, &peers, &workload, &folder, cgroup_path)?;
    let mut report = Report::begin(Origin::of(&options, &exectrail, &peers));
    let bench = Bench { options, workload, interrupt };
    match bench.options.scope {
        Scope::All => {
            measure(&bench, &lineup, &mut report)?;
            return report.finish(tree.root(), bench.options.is_part);
        }
        Scope::Parts => {
            let _clock = StatsSwitch::hold(true)?;
            report.add(kernel_time::run_parts(&bench, &lineup)?);
        }
        Scope::Rules => {
            let _clock = StatsSwitch::hold(true)?;
            report.add(kernel_time::run_rules(&bench, &lineup)?);
            rules::print_sizes(&bench, &exectrail)?;
        }
        Scope::LongStorm => {
            let _no_clock = StatsSwitch::hold(false)?;
            report.add_all(endurance::run(&bench, &lineup)?);
        }
    }
    Ok(())
}

/// Everything, one after the other.
fn measure(bench: &Bench, lineup: &Lineup, report: &mut Report) -> Result<()> {
    {
        let _clock = StatsSwitch::hold(true)?;
        report.add(kernel_time::run(bench, lineup)?);
        if !bench.options.is_part {
            report.add(kernel_time::run_parts(bench, lineup)?);
        }
        report.add_all(sizes::run(bench, lineup)?);
    }
    // The clock has its price: also when someone else has switched it on.
    let _no_clock = StatsSwitch::hold(false)?;
    let (latencies, distribution) = latency::run(bench, lineup)?;
    report.add_all(latencies);
    report.add(distribution);
    report.add_all(storm::run(bench, lineup)?);
    report.add_all(endurance::run(bench, lineup)?);
    report.add_all(other_calls::run(bench, lineup)?);
    report.add(start::run(bench, lineup)?);
    report.add_all(to_line::run(bench, lineup)?);
    report.add_all(pace::run(bench, lineup)?);
    report.add_all(growth::run(bench, lineup)?);
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
