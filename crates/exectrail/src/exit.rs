//! How it ends: the exit code is decided here, once.

use std::{
    fmt, io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitCode, ExitStatus},
};

use exectrail_sensor::{SensorError, cure_of_shortage};

use crate::words::say;

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

/// `run`: the command cannot be executed; as shells have it.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// `run`: there is no such command; as shells have it.
pub(crate) const NOT_FOUND: u8 = 127;
/// `run`: a signal ended the command, whose number is added.
const BY_SIGNAL: u8 = 128;

/// The exit code for an end by this signal, as shells have it.
pub(crate) fn of_signal(signal: i32) -> u8 {
    u8::try_from(signal).unwrap_or(u8::MAX).saturating_add(BY_SIGNAL)
}

/// The exit code for the end of a command.
pub(crate) fn of_command(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, Some(signal)) => of_signal(signal),
        (None, None) => FAILED,
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub(crate) struct ConfigError {
    words: String,
    code: u8,
}

impl ConfigError {
    /// What the file says is wrong; the parser's words have line and caret.
    pub(crate) fn wrong(path: &Path, why: &impl fmt::Display) -> Self {
        Self::said(format!("{}: {}", path.display(), why.to_string().trim_end()))
    }

    /// Someone else has found it wrong, in these words.
    pub(crate) fn said(words: String) -> Self {
        Self { words, code: CONFIG }
    }

    /// The file cannot be read; that is not its fault where there is too little of
    /// something.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let words = format!("{} cannot be read: {error}", path.display());
        match error.raw_os_error().and_then(cure_of_shortage) {
            Some(cure) => Self { words: format!("{words}\n  {cure}"), code: FAILED },
            None => Self::said(words),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
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
    let number = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error());
    match number.and_then(cure_of_shortage) {
        Some(cure) => say(format_args!("{error:#}\n  {cure}")),
        None => say(format_args!("{error:#}")),
    }
    ExitCode::from(code(error))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The exit code for what keeps a trace from starting.
pub(crate) fn of_sensor(error: &SensorError) -> u8 {
    match error {
        SensorError::Rights { .. } => NO_PERMISSION,
        SensorError::Unsupported { .. } => UNAVAILABLE,
        SensorError::Rule { .. } => USAGE,
        SensorError::Shortage { .. } | SensorError::Kernel { .. } => FAILED,
    }
}

fn code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref() {
        of_sensor(error)
    } else if let Some(error) = error.downcast_ref::<ConfigError>() {
        error.code
    } else if error.is::<UsageError>() {
        USAGE
    } else if error.is::<NobodyRuns>() {
        UNAVAILABLE
    } else {
        FAILED
    }
}
