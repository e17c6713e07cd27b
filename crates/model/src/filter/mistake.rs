//! Why a rule is none: what is wrong, where, and what to write instead.

use std::{fmt, ops::Range};

use super::Key;

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// No selector at all.
    #[error(
        "a rule needs a path (`/usr/bin/ls`, `/usr/lib/**`), a program name (`ls`) or `key=value`"
    )]
    Empty,
    /// Nothing between two commas.
    #[error("nothing stands here; to have a comma in a value, write `\\,`")]
    NothingHere,
    /// A key without a value.
    #[error("`{0}` needs a value")]
    NoValue(Key),
    /// There is no such key.
    #[error("unknown key `{key}`{}", unknown_key(*.nearest))]
    UnknownKey {
        /// As it was written.
        key: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// A key twice.
    #[error("`{0}` is here twice, and all selectors of a rule have to hold; write two rules")]
    Twice(Key),
    /// A relative path.
    #[error(
        "`{0}` is neither an absolute path nor a program name; a path begins with `/`, or with `**/` if it can stand anywhere"
    )]
    Relative(String),
    /// A name where a path should be.
    #[error("a path begins with `/` or `**/`; `{0}` is a name, and its key is `name`")]
    NotAPath(String),
    /// A path where a name should be.
    #[error("a name has no `/`; `{0}` is a path, and its key is `path`")]
    NotAName(String),
    /// A path in a form that the kernel never shows.
    #[error("`{given}` never matches: paths have no `//`, `.` or `..` in them; write `{instead}`")]
    NotNormal {
        /// As it was written.
        given: String,
        /// As it should be.
        instead: String,
    },
    /// Longer than what it is about can be.
    #[error("this never matches: it is longer than {most} bytes")]
    TooLong {
        /// Most bytes.
        most: usize,
    },
    /// A NUL.
    #[error("this never matches: there is a NUL in it")]
    Nul,
    /// No good pattern.
    #[error(
        "bad pattern `{pattern}`: {why}; before a `*`, `?`, `[` or `{{` that means itself write `\\`"
    )]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A user that nobody has heard of.
    #[error("no user of this host is called `{0}`; a number is good, too")]
    UnknownUser(String),
    /// A group likewise.
    #[error("no group of this host is called `{0}`; a number is good, too")]
    UnknownGroup(String),
    /// A number that is no id.
    #[error("`{0}` is no id: from 0 to 4294967294")]
    IdRange(String),
    /// No process id.
    #[error("`{0}` is no process id: a number from 1 to 4194304")]
    NoProcess(String),
    /// No namespace.
    #[error("`{0}` is no namespace: write `host`, or the number that `ls -l /proc/PID/ns` shows")]
    NoNamespace(String),
    /// The host's is not to be found out.
    #[error(
        "the host's {0} namespace is not known here: /proc/1/ns/{0} cannot be read, which takes CAP_SYS_PTRACE; write the number instead"
    )]
    NoHostNamespace(&'static str),
    /// No cgroup.
    #[error(
        "`{0}` is no cgroup: write `/system.slice`, or `memory:/path` for a hierarchy of version 1"
    )]
    NoCgroup(String),
    /// A pattern for a cgroup.
    #[error("a cgroup is no pattern: `/a` is that cgroup and all below it")]
    CgroupPattern,
    /// No container.
    #[error(
        "`{0}` is no container: write its id or the first 12 digits of it, its name, `*` for any or `none`"
    )]
    NoContainer(String),
    /// No result.
    #[error("`{given}` is no result: `ok`, `failed`, or an error such as `ENOENT` or 2{}", ask(*.nearest))]
    NoResult {
        /// As it was written.
        given: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
}

fn unknown_key(nearest: Option<&str>) -> String {
    match nearest {
        Some(_) => ask(nearest),
        None => format!("; there are {}", Key::names().collect::<Vec<_>>().join(", ")),
    }
}

fn ask(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

/// A mistake in the text of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The whole rule.
    pub text: String,
    /// Where in it.
    pub at: Range<usize>,
    /// What is wrong there.
    pub mistake: Mistake,
}

/// The mistake, the text, and carets under the place.
impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, at, mistake } = self;
        let width = |range: Range<usize>| text.get(range).map_or(0, |text| text.chars().count());
        let (before, carets) = (width(0..at.start), width(at.clone()).max(1));
        // One character of the terminal for each, so that the carets stand where
        // they should.
        let shown: String =
            text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
        writeln!(f, "{mistake}")?;
        writeln!(f, "  {shown}")?;
        // The standard library pads up to 65,535 characters, and panics beyond.
        write!(f, "  {}{}", " ".repeat(before), "^".repeat(carets))
    }
}

impl std::error::Error for RuleError {}
