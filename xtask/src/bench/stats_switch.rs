//! The kernel's clock on BPF programs, and its former state.

use std::fs;

use anyhow::{Context as _, Result};

const SETTING: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// Holds the setting, and puts the former one back when it goes.
pub(super) struct StatsSwitch {
    former: String,
}

impl StatsSwitch {
    /// Switches the clock on or off.
    pub(super) fn hold(on: bool) -> Result<Self> {
        let former =
            fs::read_to_string(SETTING).with_context(|| format!("cannot read {SETTING}"))?;
        fs::write(SETTING, if on { "1" } else { "0" })
            .with_context(|| format!("cannot write {SETTING}"))?;
        Ok(Self { former })
    }
}

impl Drop for StatsSwitch {
    fn drop(&mut self) {
        if let Err(error) = fs::write(SETTING, &self.former) {
            eprintln!("{SETTING} could not be set back to {}: {error}", self.former.trim());
        }
    }
}
