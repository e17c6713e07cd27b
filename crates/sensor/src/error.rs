//! What can go wrong before and while tracing, with the cure in the message.

use std::{error::Error, io};

use aya::{maps::MapError, programs::ProgramError};

use crate::refusal;

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
    /// There is no more of something: memory, file descriptors.
    #[error("{what}\n  {cure}")]
    Shortage {
        /// What was tried, and what there is not enough of.
        what: String,
        /// How to get more, or to need less.
        cure: String,
    },
    /// The kernel refused something that it should have allowed.
    #[error("{step}: {cause}")]
    Kernel {
        /// What was tried.
        step: String,
        /// What it said. Not the error's `source`: those of Aya repeat theirs in
        /// their own words, and a chain of them says everything three times.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl SensorError {
    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Rights { what, .. }
            | Self::Unsupported { what, .. }
            | Self::Rule { what, .. }
            | Self::Shortage { what, .. } => what.clone(),
            Self::Kernel { .. } => self.to_string(),
        }
    }

    /// How to mend it, if that is known.
    #[must_use]
    pub fn cure(&self) -> Option<&str> {
        match self {
            Self::Rights { cure, .. }
            | Self::Unsupported { cure, .. }
            | Self::Rule { cure, .. }
            | Self::Shortage { cure, .. } => Some(cure),
            Self::Kernel { .. } => None,
        }
    }

    /// For an error of the kernel or of Aya at `step`.
    pub(crate) fn at(
        step: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let (step, cause) = (step.into(), cause.into());
        let said = said(&*cause);
        match number(&*cause).and_then(refusal::cure_of_shortage) {
            Some(cure) => Self::Shortage { what: format!("{step}: {said}"), cure },
            None => Self::Kernel { step, cause: said.into() },
        }
    }

    /// The same for an error of `bpf` or `perf_event_open`, where a refusal is one of
    /// rights.
    pub(crate) fn refused(
        step: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let (step, cause) = (step.into(), cause.into());
        match number(&*cause).and_then(refusal::cure_of_refusal) {
            Some(cure) => Self::Rights { what: format!("{step}: {}", said(&*cause)), cure },
            None => Self::at(step, cause),
        }
    }

    /// For an I/O error at `step`.
    pub(crate) fn io(step: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Self::at(step, error.into())
    }
}

/// What the system said, at the bottom of an error. Two of Aya's have it as their own
/// words, and so not as their source.
fn bottom<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e io::Error> {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| {
            let program = error.downcast_ref().and_then(|error| match error {
                ProgramError::IOError(error) => Some(error),
                _ => None,
            });
            let map = error.downcast_ref().and_then(|error| match error {
                MapError::IoError(error) => Some(error),
                _ => None,
            });
            error.downcast_ref().or(program).or(map)
        })
        .last()
}

fn number(error: &(dyn Error + 'static)) -> Option<i32> {
    bottom(error)?.raw_os_error()
}

/// An error's own words, and the system's, which those of Aya leave to their sources.
fn said(error: &(dyn Error + 'static)) -> String {
    let words = error.to_string();
    let bottom = bottom(error).map(ToString::to_string);
    match bottom.filter(|bottom| !words.contains(bottom)) {
        Some(bottom) => format!("{words}: {bottom}"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use aya::{EbpfError, maps::MapError, programs::ProgramError};

    use super::SensorError;

    fn not_created(number: i32) -> EbpfError {
        let io_error = io::Error::from_raw_os_error(number);
        EbpfError::MapError(MapError::CreateError { name: "RING".to_owned(), io_error })
    }

    #[test]
    fn what_the_system_said_is_said() {
        let error = SensorError::at("creating maps", not_created(libc::EINVAL));
        let words = error.to_string();
        assert!(words.starts_with("creating maps: "), "{words}");
        assert!(words.contains("RING") && words.contains("Invalid argument"), "{words}");
        let plain = SensorError::io("reading", io::Error::from_raw_os_error(libc::EIO));
        assert_eq!(plain.to_string().matches("os error 5").count(), 1, "{plain}");
        let files = ProgramError::from(io::Error::from_raw_os_error(libc::EMFILE));
        assert!(matches!(SensorError::at("x", files), SensorError::Shortage { .. }));
    }

    #[test]
    fn kinds_are_told_apart_by_what_the_system_said() {
        let of = |number| SensorError::refused("creating maps", not_created(number));
        assert!(matches!(of(libc::EPERM), SensorError::Rights { .. }));
        assert!(matches!(of(libc::EMFILE), SensorError::Shortage { .. }));
        assert!(matches!(of(libc::ENOMEM), SensorError::Shortage { .. }));
        assert!(matches!(of(libc::EINVAL), SensorError::Kernel { .. }));
        // A refusal elsewhere is one of another kind of right.
        let read = SensorError::io("reading", io::Error::from_raw_os_error(libc::EPERM));
        assert!(matches!(read, SensorError::Kernel { .. }));
    }
}
