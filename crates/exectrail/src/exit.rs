//! How it ends: the exit code is decided here, once.

use std::{fmt, io, path::Path, process::ExitCode};

use exectrail_sensor::SensorError;

/// Failed while running.
const FAILED: u8 = 1;
/// Wrong usage; clap's own errors end with the same.
const USAGE: u8 = 2;
/// `EX_UNAVAILABLE`: the kernel cannot, or nobody is there to ask.
const UNAVAILABLE: u8 = 69;
/// `EX_NOPERM`: rights are missing.
const NO_PERMISSION: u8 = 77;
/// `EX_CONFIG`: the configuration is wrong.
const CONFIG: u8 = 78;

/// A configuration that cannot be used.
#[derive(Debug)]
pub(crate) struct ConfigError(String);

impl ConfigError {
    /// What the file says is wrong; the parser's words have line and caret.
    pub(crate) fn wrong(path: &Path, why: &impl fmt::Display) -> Self {
        Self(format!("{}: {}", path.display(), why.to_string().trim_end()))
    }

    /// Someone else has found it wrong, in these words.
    pub(crate) fn said(words: String) -> Self {
        Self(words)
    }

    /// The file cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("{} cannot be read: {error}", path.display()))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// There is no running exectrail.
#[derive(Debug)]
pub(crate) struct NobodyRuns(pub(crate) String);

impl fmt::Display for NobodyRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NobodyRuns {}

/// Wrong usage that clap does not find by itself.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nFor more, try 'exectrail --help'.", self.0)
    }
}

impl std::error::Error for UsageError {}

/// Says what went wrong, and with which code to end. Nothing is said of a
/// reader that has gone away: that is how `exectrail | head` ends.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("exectrail: {error:#}");
    ExitCode::from(code(error))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<SensorError>() {
        Some(SensorError::Rights { .. }) => return NO_PERMISSION,
        Some(SensorError::Unsupported { .. }) => return UNAVAILABLE,
        Some(SensorError::Rule { .. }) => return USAGE,
        Some(SensorError::Kernel { .. }) | None => {}
    }
    if error.is::<ConfigError>() {
        CONFIG
    } else if error.is::<UsageError>() {
        USAGE
    } else if error.is::<NobodyRuns>() {
        UNAVAILABLE
    } else {
        FAILED
    }
}
