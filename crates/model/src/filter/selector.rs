//! What a rule selects, and how it is written.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use exectrail_abi::fault::Fault;
use globset::{GlobBuilder, GlobMatcher};

use crate::event::Program;

/// Which execs a rule is about.
#[derive(Clone, Debug)]
pub enum Selector {
    /// One path: `/usr/bin/ls`.
    Path(Vec<u8>),
    /// Everything below a directory: `/usr/lib/**`. Kept with its last slash.
    Below(Vec<u8>),
    /// A pattern for the whole path: `/opt/*/bin/*.sh`. A `*` stays within one
    /// component, `**` does not.
    PathGlob(GlobMatcher),
    /// The last component of the path: `ls`.
    Name(Vec<u8>),
    /// A pattern for the last component: `python3*`.
    NameGlob(GlobMatcher),
}

/// Why a rule is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Nothing there.
    #[error("a rule needs a path (`/usr/bin/ls`, `/usr/lib/**`) or a program name (`ls`)")]
    Empty,
    /// A relative path.
    #[error("`{0}` is neither an absolute path nor a program name; write the path from `/`")]
    Relative(String),
    /// A path in a form that the kernel never shows.
    #[error("`{given}` never matches: paths have no `//`, `.` or `..` in them; write `{instead}`")]
    NotNormal {
        /// As it was written.
        given: String,
        /// As it should be.
        instead: String,
    },
    /// A NUL.
    #[error("a path has no NUL in it")]
    Nul,
    /// A form that means something else in a later version.
    #[error(
        "`{0}`: selectors by `key=value` and lists with `,` are not known; a rule is a path, a pattern or a program name"
    )]
    Reserved(String),
    /// No good pattern.
    #[error("bad pattern `{pattern}`: {why}")]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Selector {
    /// Reads a rule as it is written on the command line and in the configuration.
    ///
    /// # Errors
    ///
    /// When it could never match, or means nothing; the error says what to write.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.is_empty() {
            return Err(SelectorError::Empty);
        }
        if text.contains('\0') {
            return Err(SelectorError::Nul);
        }
        if text.starts_with('/') { Self::parse_path(text) } else { Self::parse_name(text) }
    }

    fn parse_path(text: &str) -> Result<Self, SelectorError> {
        let literal = text.strip_suffix("/**").unwrap_or(text);
        if is_pattern(literal) {
            return pattern(text).map(Self::PathGlob);
        }
        if text == "/**" || text == "/" {
            // The root holds every path, and is no program itself.
            return Ok(Self::Below(b"/".to_vec()));
        }
        check_normal(text, literal)?;
        Ok(if literal.len() == text.len() {
            Self::Path(text.as_bytes().to_vec())
        } else {
            Self::Below([literal.as_bytes(), b"/"].concat())
        })
    }

    fn parse_name(text: &str) -> Result<Self, SelectorError> {
        if text.contains(['=', ',']) {
            return Err(SelectorError::Reserved(text.to_owned()));
        }
        if text.contains('/') {
            return Err(SelectorError::Relative(text.to_owned()));
        }
        if is_pattern(text) {
            return pattern(text).map(Self::NameGlob);
        }
        Ok(Self::Name(text.as_bytes().to_vec()))
    }

    /// Whether this is about `program`. A path that is not known matches nothing.
    #[must_use]
    pub fn matches(&self, program: &Program<'_>) -> bool {
        // A path of which only the end is known is not that path.
        let exe = program.exe.filter(|_| !program.faults.has(Fault::ExeCut));
        [program.filename, exe].into_iter().flatten().any(|path| self.matches_path(path))
    }

    fn matches_path(&self, path: &[u8]) -> bool {
        match self {
            Self::Path(exact) => path == exact,
            Self::Below(directory) => path.starts_with(directory) && path.len() > directory.len(),
            Self::PathGlob(glob) => glob.is_match(as_path(path)),
            Self::Name(name) => last_component(path) == name,
            Self::NameGlob(glob) => glob.is_match(as_path(last_component(path))),
        }
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn pattern(text: &str) -> Result<GlobMatcher, SelectorError> {
    let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| SelectorError::Pattern {
        pattern: text.to_owned(),
        why: error.kind().to_string(),
    })
}

/// Refuses what never matches. `literal` is `text` without a final `/**`.
fn check_normal(text: &str, literal: &str) -> Result<(), SelectorError> {
    let mut names = Vec::new();
    for name in literal.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let normal = format!("/{}", names.join("/"));
    if normal == literal {
        return Ok(());
    }
    let rest = text.strip_prefix(literal).unwrap_or_default();
    let instead = if normal == "/" { "/**".to_owned() } else { format!("{normal}{rest}") };
    Err(SelectorError::NotNormal { given: text.to_owned(), instead })
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn last_component(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}
