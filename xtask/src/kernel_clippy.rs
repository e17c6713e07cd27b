//! Clippy over the kernel side.
//!
//! A clippy of another release than the compiler cannot read its `core`, so it
//! has to be the one that came with the compiler. It runs on the files in place,
//! not on the staged ones, to speak of them by their names.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use exectrail_object::{Core, TARGET, Tools, Tree, compiler_environment};

/// Runs clippy, and fails on any warning.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    let tools = Tools::find(tree)?;
    let clippy = tools.compiler.companion("cargo-clippy").with_context(|| {
        format!(
            "{} has no clippy beside it: `make setup-check` installs it",
            tools.compiler.rustc.display()
        )
    })?;
    let mut command = Command::new(clippy);
    compiler_environment(&mut command, &tools);
    command
        .env("CARGO", &tools.cargo)
        .env("CARGO_ENCODED_RUSTFLAGS", "--cfg=bpf_target_arch=\"x86_64\"")
        .args(["clippy", "--release", "--locked", "--target", TARGET])
        .arg("--manifest-path")
        .arg(tree.kernel_crate().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(tree.root().join("target/kernel-clippy"));
    if tools.compiler.core == Core::FromSource {
        command.arg("-Zbuild-std=core");
    }
    let status = command.args(["--", "-D", "warnings"]).status().context("cannot start clippy")?;
    if !status.success() {
        bail!("clippy is not content with the kernel side");
    }
    Ok(())
}
