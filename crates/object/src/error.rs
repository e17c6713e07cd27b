//! Every way to end up without an object, each with what mends it.

use std::{io, path::PathBuf};

/// Why there is no kernel object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {verb} {}: {source}", path.display())]
    File {
        /// What was tried: "read", "write", …
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file named by `EXECTRAIL_BPF_OBJECT` is not to be had.
    #[error(
        "EXECTRAIL_BPF_OBJECT names {}, which cannot be read: {source}\n\
         name a readable object file, or unset the variable to use the committed object",
        path.display()
    )]
    GivenObject {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file named by `EXECTRAIL_BPF_OBJECT` is something else.
    #[error(
        "EXECTRAIL_BPF_OBJECT names {}, which is not an ELF file\n\
         name a BPF object file, or unset the variable to use the committed object",
        path.display()
    )]
    NotAnObject {
        /// The path as given.
        path: PathBuf,
    },
    /// The record does not read as one.
    #[error(
        "{}, line {line}: {what}\nrestore it from git, or write it anew with `make object`",
        path.display()
    )]
    Record {
        /// The record.
        path: PathBuf,
        /// Counted from one; zero when the trouble is in no line.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// The committed object is not the one that its record speaks of.
    #[error(
        "{} is not the object its record speaks of (sha256 {found}, recorded {recorded})\n\
         restore it from git, or write it anew with `make object`",
        path.display()
    )]
    ForeignObject {
        /// The committed object.
        path: PathBuf,
        /// The hash of what is there.
        found: String,
        /// The hash in the record.
        recorded: String,
    },
    /// No sources to build from, and no object to fall back on.
    #[error(
        "there is neither a committed object ({}) nor kernel sources to build one\n\
         take a whole checkout, or name an object with EXECTRAIL_BPF_OBJECT",
        path.display()
    )]
    Nothing {
        /// Where the committed object belongs.
        path: PathBuf,
    },
    /// The sources changed, and this machine cannot build them.
    #[error(
        "the kernel side differs from the committed object ({reason}) and cannot be rebuilt here\n\
         {}\n\
         `make setup-kernel` brings all of it; to leave the kernel side alone, restore \
         crates/bpf and crates/abi from git; to embed an object of your own, set \
         EXECTRAIL_BPF_OBJECT",
        missing.join("\n")
    )]
    CannotRebuild {
        /// In what they differ.
        reason: String,
        /// One line per missing tool: what, and where it was looked for.
        missing: Vec<String>,
    },
    /// Tools are missing, and nothing was said of a committed object.
    #[error(
        "the kernel side cannot be built here\n{}\n`make setup-kernel` brings all of it",
        missing.join("\n")
    )]
    MissingTools {
        /// One line per missing tool: what, and where it was looked for.
        missing: Vec<String>,
    },
    /// A manifest has a shape that the recipe does not know how to stage.
    #[error("{}: {what}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is missing in it, and what to do.
        what: String,
    },
    /// A program ran and failed.
    #[error("{program} failed ({status})\n{output}")]
    Program {
        /// The program, with its first words.
        program: String,
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
}

impl Error {
    /// A [`Error::File`] from what the system said.
    pub(crate) fn file(
        verb: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }

    /// The same lack of tools, told to one who changed the kernel side.
    pub(crate) fn while_rebuilding(self, reason: &str) -> Self {
        match self {
            Self::MissingTools { missing } => {
                Self::CannotRebuild { reason: reason.to_owned(), missing }
            }
            other => other,
        }
    }
}
