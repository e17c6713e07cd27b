//! Builds what goes into a machine: statically linked, so that it needs nothing there.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{arch::Arch, cross::Cross};

/// Our programs, built for machines.
pub(super) struct Programs {
    pub(super) exectrail: PathBuf,
    pub(super) subject: PathBuf,
    /// The live tests.
    pub(super) live: PathBuf,
    /// This program, as the machine's first process.
    pub(super) init: PathBuf,
}

/// The profile in the workspace's manifest.
const PROFILE: &str = "machine";

/// Builds all of them; with another compiler, where this one cannot.
pub(super) fn programs(root: &Path, arch: Arch, cross: Option<&Cross>) -> Result<Programs> {
    let cargo = |what: &[&str]| run_cargo(command(root, arch, cross).args(what));
    let built = cargo(&["-p", "exectrail", "--bins", "--examples", "--tests"])?;
    let init = cargo(&["-p", "xtask", "--bins"])?;
    let find = |built: &[Artifact], name: &str, is_test: bool| {
        let found = built.iter().find(|made| made.name == name && made.is_test == is_test);
        found.map(|made| made.path.clone()).with_context(|| format!("cargo made no {name}"))
    };
    Ok(Programs {
        exectrail: find(&built, "exectrail", false)?,
        subject: find(&built, "subject", false)?,
        live: find(&built, "live", true)?,
        init: find(&init, "xtask", false)?,
    })
}

struct Artifact {
    name: String,
    is_test: bool,
    path: PathBuf,
}

fn command(root: &Path, arch: Arch, cross: Option<&Cross>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    command
        .args(["build", "--locked", "--profile", PROFILE, "--target", arch.target()])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root);
    if let Some(Cross { rustc, linker, sysroot }) = cross {
        flags.extend([format!("-Clinker={linker}"), format!("--sysroot={}", sysroot.display())]);
        // Beside the others: two compilers in one folder build everything anew in turn.
        command.arg("--target-dir").arg(root.join("target").join(arch.debian()));
        command.env("RUSTC", rustc);
    }
    // In the encoding in which a path may have spaces.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    command
}

fn run_cargo(command: &mut Command) -> Result<Vec<Artifact>> {
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the programs for the machines could not be built");
    }
    let messages = String::from_utf8(output.stdout)?;
    Ok(messages.lines().filter_map(|line| artifact(&serde_json::from_str(line).ok()?)).collect())
}

fn artifact(message: &Value) -> Option<Artifact> {
    Some(Artifact {
        path: message["executable"].as_str()?.into(),
        name: message["target"]["name"].as_str()?.to_owned(),
        is_test: message["profile"]["test"].as_bool()?,
    })
}
