//! Building the targets, which is cargo-fuzz's work.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// Builds all targets, and says where they are.
pub(super) fn build(root: &Path, sanitizer: &str) -> Result<PathBuf> {
    let (host, is_nightly) = compiler()?;
    // One folder for each sanitizer, or changing it would build everything anew.
    let folder = root.join("target/fuzz").join(sanitizer);
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root)
        .env("PATH", path_with_tools(root)?)
        .args(["fuzz", "build", "--target", &host, "--sanitizer", sanitizer])
        // With one, which is cargo-fuzz's choice, it takes twice as long.
        .args(["--codegen-units", "16", "--target-dir"])
        .arg(&folder);
    if !is_nightly {
        // Sanitizers are there in every release, behind flags that only nightly takes.
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!(
            "the fuzz targets were not built; if cargo-fuzz is missing, `make setup-fuzz` brings it"
        );
    }
    Ok(folder.join(host).join("release"))
}

/// The host that the compiler is for, and whether it takes unstable flags.
fn compiler() -> Result<(String, bool)> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).arg("-vV").output();
    let output = output.with_context(|| format!("cannot start {}", rustc.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let (host, release) =
        value("host:").zip(value("release:")).context("rustc -vV says no host")?;
    Ok((host.to_owned(), release.contains("nightly") || release.contains("dev")))
}

/// Where setup puts what it builds stands behind what is there already.
fn path_with_tools(root: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([root.join(".tools/bin")]);
    env::join_paths(folders).context("PATH cannot take another folder")
}
