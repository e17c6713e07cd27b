//! What can go wrong before and while tracing, with the cure in the message.

use std::io;

/// Why the sensor cannot start or go on. The kinds are those that a caller
/// treats differently; each message says what and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SensorError {
    /// The process lacks rights.
    #[error("{what}\n  {cure}")]
    Rights {
        /// What is not allowed.
        what: String,
        /// How to mend it.
        cure: String,
    },
    /// The kernel cannot do it, or was set up not to.
    #[error("{what}\n  {cure}")]
    Unsupported {
        /// What is missing.
        what: String,
        /// How to mend it.
        cure: String,
    },
    /// A rule asks for what is not there.
    #[error("{what}\n  {cure}")]
    Rule {
        /// What is not there.
        what: String,
        /// What to ask for instead.
        cure: String,
    },
    /// The kernel refused something that it should have allowed.
    #[error("{step}: {cause}")]
    Kernel {
        /// What was tried.
        step: String,
        /// What it said. Not the error's `source`: those of Aya repeat theirs in
        /// their own words, and a chain of them says everything three times.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SensorError {
    /// For an error of the kernel or of Aya at `step`.
    pub(crate) fn at(
        step: impl Into<String>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Kernel { step: step.into(), cause: cause.into() }
    }

    /// For an I/O error at `step`.
    pub(crate) fn io(step: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Self::at(step, error.into())
    }
}
