//! Where a rule was written.

use std::{fmt, path::Path, sync::Arc};

/// Where a rule was written, for those who look for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the command line: the flag, with its dashes.
    Flag(&'static str),
    /// In a file.
    File {
        /// Which one.
        path: Arc<Path>,
        /// The line on which the rule begins, from 1.
        line: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}
