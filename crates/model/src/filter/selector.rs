//! What a rule looks at.

use std::{borrow::Cow, fmt};

use exectrail_abi::{config::parts, fault::Fault};

use super::{
    CgroupPath, ContainerPattern, Id, IdKind, Key, Mistake, Namespace, NamespaceKind,
    ParentPattern, PathPattern, Told, What, WordPattern, pattern::last_component,
};
use crate::{
    args::Arg,
    errno,
    event::{Body, Event, Failure, Program},
    nearest::nearest,
};

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The program that was started, or was not.
    pub program: &'s Program<'s>,
    /// Why it was not.
    pub failure: Option<Failure>,
}

impl<'s> Subject<'s> {
    /// An exec that succeeded.
    #[must_use]
    pub fn started(program: &'s Program<'s>) -> Self {
        Self { program, failure: None }
    }

    /// What an event tells of, if it is one of a program.
    #[must_use]
    pub fn of(event: &'s Event<'s>) -> Option<Self> {
        match &event.body {
            Body::Exec(program) => Some(Self::started(program)),
            Body::Failed(program, failure) => Some(Self { program, failure: Some(*failure) }),
            Body::Exit(_) | Body::Lost(_) | Body::Summary(_) => None,
        }
    }
}

/// One thing that a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The name that was given to exec, or the executable's path.
    Path(PathPattern),
    /// The last component of either.
    Name(WordPattern),
    /// One of the arguments, the program's own name (`argv[0]`) not counted.
    Arg(WordPattern),
    /// A user or group: after a success the new program's, else the caller's.
    Id(IdKind, Id),
    /// The parent's program.
    Parent(ParentPattern),
    /// A cgroup of the unified hierarchy, and all below.
    Cgroup(CgroupPath),
    /// A container.
    Container(ContainerPattern),
    /// A namespace.
    Namespace(NamespaceKind, Namespace),
    /// How the exec ended.
    Result(Outcome),
    /// What the kernel side alone can decide.
    Told(Told),
}

impl Selector {
    /// A process and its descendants.
    #[must_use]
    pub fn tree(root: u32) -> Self {
        Self::Told(Told::new(What::Tree(root)))
    }

    /// Whether this holds. Of what is not known, nothing does.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let program = subject.program;
        match self {
            Self::Path(pattern) => paths(program).any(|path| pattern.matches(path)),
            Self::Name(pattern) => names(program).any(|name| pattern.matches(name)),
            Self::Arg(pattern) => has_argument(program, pattern),
            Self::Id(kind, id) => kind.of(program) == Some(id.number),
            Self::Parent(pattern) => pattern.holds(program),
            Self::Cgroup(path) => path.holds(program),
            Self::Container(pattern) => pattern.holds(program),
            Self::Namespace(kind, namespace) => kind.of(program) == Some(namespace.inode),
            Self::Result(outcome) => outcome.is_of(subject.failure),
            Self::Told(told) => told.holds(program),
        }
    }

    /// Parts of a record that deciding needs: bits of [`parts`]. Names, arguments,
    /// ids and results are always there.
    #[must_use]
    pub fn needs(&self) -> u32 {
        match self {
            Self::Path(_)
            | Self::Name(_)
            | Self::Arg(_)
            | Self::Id(..)
            | Self::Result(_)
            | Self::Told(_) => 0,
            Self::Parent(ParentPattern::Path(_)) => parts::PARENT_EXE,
            Self::Parent(ParentPattern::Name(_)) => parts::PARENT | parts::PARENT_EXE,
            Self::Cgroup(_) | Self::Container(_) => parts::CGROUP,
            Self::Namespace(NamespaceKind::Pid, _) => parts::PROCESS,
            Self::Namespace(..) => parts::NAMESPACES,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Path(_) => Key::Path,
            Self::Name(_) => Key::Name,
            Self::Arg(_) => Key::Arg,
            Self::Id(kind, _) => Key::Id(*kind),
            Self::Parent(_) => Key::Parent,
            Self::Cgroup(_) | Self::Told(Told { what: What::CgroupV1 { .. }, .. }) => Key::Cgroup,
            Self::Container(_) => Key::Container,
            Self::Namespace(kind, _) => Key::Namespace(*kind),
            Self::Result(_) => Key::Result,
            Self::Told(Told { what: What::Tree(_), .. }) => Key::Tree,
        }
    }

    /// Its value, as it stands in a file.
    #[must_use]
    pub fn value(&self) -> Cow<'_, str> {
        match self {
            Self::Path(pattern) => pattern.written(),
            Self::Name(pattern) | Self::Arg(pattern) => pattern.written(),
            Self::Id(_, id) => id.written(),
            Self::Parent(pattern) => pattern.written(),
            Self::Cgroup(path) => path.written(),
            Self::Container(pattern) => pattern.written(),
            Self::Namespace(_, namespace) => namespace.written(),
            Self::Result(outcome) => outcome.written(),
            Self::Told(told) => told.what.written(),
        }
    }
}

/// As on the command line, where a comma would end it.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value();
        // The short forms: a path shows itself, a name does unless it looks like more.
        let is_short = match self {
            Self::Path(_) => true,
            Self::Name(_) => !value.contains('='),
            _ => false,
        };
        if !is_short {
            write!(f, "{}=", self.key())?;
        }
        f.write_str(&value.replace('\\', "\\\\").replace(',', "\\,"))
    }
}

/// The paths of a program. One of which only the end is known is not that path.
pub(super) fn paths<'a>(program: &Program<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let exe = program.exe.filter(|_| !program.faults.has(Fault::ExeCut));
    [program.filename, exe].into_iter().flatten()
}

/// Their last components, which are there even if the beginning is not.
fn names<'a>(program: &Program<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    [program.filename, program.exe].into_iter().flatten().filter_map(last_component)
}

fn has_argument(program: &Program<'_>, pattern: &WordPattern) -> bool {
    let Some(args) = program.args else { return false };
    args.iter().skip(1).any(|arg| match arg {
        Arg::Whole(word) => pattern.matches(word),
        Arg::Unreadable | Arg::Piece(_) => false,
    })
}

/// How an exec ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program was started.
    Ok,
    /// It was not.
    Failed,
    /// It was not, with this errno.
    Errno(u32),
}

/// Largest errno (`MAX_ERRNO`, include/linux/err.h).
const ERRNO_MAX: u32 = 4095;

impl Outcome {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        match text {
            "ok" => return Ok(Self::Ok),
            "failed" => return Ok(Self::Failed),
            _ => {}
        }
        let number = text.parse().ok().filter(|number| (1..=ERRNO_MAX).contains(number));
        number.or_else(|| errno::number(text)).map(Self::Errno).ok_or_else(|| {
            let known = ["ok", "failed"].into_iter().chain(errno::names());
            Mistake::NoResult { given: text.to_owned(), nearest: nearest(text, known) }
        })
    }

    /// Whether this is how it ended.
    #[must_use]
    pub fn is_of(self, failure: Option<Failure>) -> bool {
        match self {
            Self::Ok => failure.is_none(),
            Self::Failed => failure.is_some(),
            Self::Errno(errno) => failure == Some(Failure { errno }),
        }
    }

    fn written(self) -> Cow<'static, str> {
        match self {
            Self::Ok => "ok".into(),
            Self::Failed => "failed".into(),
            Self::Errno(number) => match errno::name(number) {
                Some(name) => name.into(),
                None => number.to_string().into(),
            },
        }
    }
}
