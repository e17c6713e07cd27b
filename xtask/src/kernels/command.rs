//! Running other programs, with what they said when they fail.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail};

/// Runs it, and gives what it printed.
pub(super) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let Output { status, stdout, stderr } = command
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{command:?}: {status}: {}", String::from_utf8_lossy(&stderr).trim_end());
    }
    Ok(stdout)
}

/// Runs it for what it does.
pub(super) fn succeed(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}
