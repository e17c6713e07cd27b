//! What a report has, said once: JSON, its schema and its documentation walk these tables.

use super::{FailedExec, Process, Program, Report};
use crate::{
    args::Args,
    errno,
    event::Status,
    fields::Unit,
    value::{Type, Value},
};

/// A value of a report.
pub type OfReport = for<'r> fn(&'r Report<'r>) -> Value<'r>;
/// A value of one of its processes.
pub type OfProcess = for<'r> fn(&'r Process<'r>) -> Value<'r>;
/// A value of one of its programs.
pub type OfProgram = for<'r> fn(&'r Program<'r>) -> Value<'r>;
/// A value of one of its failed execs.
pub type OfFailure = for<'r> fn(&'r FailedExec<'r>) -> Value<'r>;

/// A key of an object, and its value.
#[derive(Debug)]
pub struct Key<G: 'static> {
    /// The key.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Type,
    /// What it is counted in; nothing for a plain number, an id or a text.
    pub unit: Option<Unit>,
    /// What it means.
    pub doc: &'static str,
    /// Its value.
    pub get: G,
}

/// A list in a report.
#[derive(Debug)]
pub struct List {
    /// Its key.
    pub name: &'static str,
    /// What is in it, and in which order.
    pub doc: &'static str,
    /// What its items are.
    pub items: Items,
}

/// What the items of a list are.
#[derive(Clone, Copy, Debug)]
pub enum Items {
    /// Objects with [`PROCESSES`].
    Processes,
    /// Objects with [`PROGRAMS`].
    Programs,
    /// Objects with [`FAILURES`].
    Failures,
    /// Numbers: places in the list of processes, from 0.
    Places(fn(&Report<'_>) -> Vec<usize>),
}

/// What is said of the whole, in the order of JSON.
pub const REPORT: &[Key<OfReport>] = &[
    Key {
        name: "time",
        kind: Type::Time,
        unit: None,
        doc: "wall clock at the end, UTC, to the nanosecond",
        get: |report| Value::Time(report.occasion.now.wall),
    },
    Key {
        name: "ktime",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        doc: "the same since boot, suspend included",
        get: |report| Value::Number(report.occasion.now.ktime),
    },
    Key {
        name: "whose",
        kind: Type::Text,
        unit: None,
        doc: "whose processes these are: command, of which the first is the command itself, or host, of a recording",
        get: |report| Value::Text(report.occasion.whose.name()),
    },
    Key {
        name: "exit_code",
        kind: Type::Number,
        unit: None,
        doc: "code that the command ended with; null if a signal ended it, if it still runs, and of a host",
        get: |report| code(report.occasion.status),
    },
    Key {
        name: "signal",
        kind: Type::Number,
        unit: None,
        doc: "signal that ended the command",
        get: |report| signal(report.occasion.status),
    },
    Key {
        name: "duration_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        doc: "for how long the command ran, or the host was recorded",
        get: |report| Value::Number(report.occasion.took),
    },
    Key {
        name: "cpu_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        doc: "user and system time of the command and of all that it has waited for, or of all that ended on the host",
        get: |report| number(report.occasion.cpu),
    },
    Key {
        name: "processes_in_all",
        kind: Type::Number,
        unit: None,
        doc: "processes that called exec, also those beyond the 16,384 that are listed",
        get: |report| Value::Number(report.family.counts().processes),
    },
    Key {
        name: "execs",
        kind: Type::Number,
        unit: None,
        doc: "programs that were started",
        get: |report| Value::Number(report.family.counts().execs),
    },
    Key {
        name: "failed",
        kind: Type::Number,
        unit: None,
        doc: "execs that failed, as far as they were traced",
        get: |report| Value::Number(report.family.counts().failed),
    },
    Key {
        name: "lost",
        kind: Type::Number,
        unit: None,
        doc: "events that were lost, of which nothing is in here",
        get: |report| Value::Number(report.family.counts().lost),
    },
];

/// Its lists, behind that.
pub const LISTS: &[List] = &[
    List {
        name: "processes",
        doc: "those that called exec, each before its children, and these in the order in which they came; with --sort, in that order",
        items: Items::Processes,
    },
    List {
        name: "programs",
        doc: "what was started, most frequent first; of more than 4,096, some",
        items: Items::Programs,
    },
    List {
        name: "slowest",
        doc: "the five that took longest, longest first, without the command itself, by their places in processes, from 0; none where there are not two",
        items: Items::Places(slowest),
    },
    List {
        name: "bad_ends",
        doc: "those that a signal ended, or that ended with a code that is not zero, without the command itself, likewise",
        items: Items::Places(bad_ends),
    },
    List {
        name: "failures",
        doc: "execs that failed, most frequent first; of more than 4,096, some",
        items: Items::Failures,
    },
];

/// What is said of a process.
pub const PROCESSES: &[Key<OfProcess>] = &[
    Key {
        name: "process",
        kind: Type::Id,
        unit: None,
        doc: "its id that is not used again, the same as in events",
        get: |process| process.member.id.map_or(Value::Null, Value::Id),
    },
    Key {
        name: "pid",
        kind: Type::Number,
        unit: None,
        doc: "its process id",
        get: |process| Value::Number(process.member.pid.into()),
    },
    Key {
        name: "ancestor",
        kind: Type::Number,
        unit: None,
        doc: "the nearest of its ancestors that is listed, by its place in the list, from 0; null where none is",
        get: |process| number(process.ancestor.map(|place| place as u64)),
    },
    Key {
        name: "depth",
        kind: Type::Number,
        unit: None,
        doc: "how many of its ancestors are listed",
        get: |process| Value::Number(process.depth as u64),
    },
    Key {
        name: "exe",
        kind: Type::Bytes,
        unit: None,
        doc: "path of what it ran last",
        get: |process| Value::Bytes(&process.member.exe),
    },
    Key {
        name: "args",
        kind: Type::Args,
        unit: None,
        doc: "arguments of that, the first 256 bytes of them",
        get: |process| process.member.args().map_or(Value::Null, Value::Args),
    },
    Key {
        name: "args_truncated",
        kind: Type::Bool,
        unit: None,
        doc: "whether there were more",
        get: |process| cut(process.member.args()),
    },
    Key {
        name: "execs",
        kind: Type::Number,
        unit: None,
        doc: "how many programs it ran, one after the other",
        get: |process| Value::Number(process.member.execs.into()),
    },
    Key {
        name: "begun_ktime",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        doc: "since boot: when it was born; of the command itself, its first exec",
        get: |process| Value::Number(process.member.begun),
    },
    Key {
        name: "duration_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        doc: "from then to its end, or until now while it runs",
        get: |process| Value::Number(process.duration),
    },
    Key {
        name: "cpu_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        doc: "user and system time, all threads; null while it runs",
        get: |process| number(process.cpu),
    },
    Key {
        name: "running",
        kind: Type::Bool,
        unit: None,
        doc: "whether it still runs, as far as is known",
        get: |process| Value::Bool(process.member.end.is_none()),
    },
    Key {
        name: "exit_code",
        kind: Type::Number,
        unit: None,
        doc: "code that it ended with; null if a signal ended it",
        get: |process| code(process.status()),
    },
    Key {
        name: "signal",
        kind: Type::Number,
        unit: None,
        doc: "signal that ended it",
        get: |process| signal(process.status()),
    },
];

/// What is said of a program.
pub const PROGRAMS: &[Key<OfProgram>] = &[
    Key {
        name: "exe",
        kind: Type::Bytes,
        unit: None,
        doc: "its path",
        get: |program| Value::Bytes(program.exe),
    },
    Key {
        name: "execs",
        kind: Type::Number,
        unit: None,
        doc: "how often it was started",
        get: |program| Value::Number(program.execs),
    },
];

/// What is said of failed execs with the same name and the same cause.
pub const FAILURES: &[Key<OfFailure>] = &[
    Key {
        name: "filename",
        kind: Type::Bytes,
        unit: None,
        doc: "the name as it was given to exec",
        get: |failed| Value::Bytes(failed.filename),
    },
    Key {
        name: "errno",
        kind: Type::Number,
        unit: None,
        doc: "why, as a number",
        get: |failed| Value::Number(failed.failure.errno.into()),
    },
    Key {
        name: "error",
        kind: Type::Text,
        unit: None,
        doc: "why, by name; null for a number without a known name",
        get: |failed| errno::name(failed.failure.errno).map_or(Value::Null, Value::Text),
    },
    Key {
        name: "count",
        kind: Type::Number,
        unit: None,
        doc: "how often",
        get: |failed| Value::Number(failed.count),
    },
];

fn slowest(report: &Report<'_>) -> Vec<usize> {
    report.slowest()
}

fn bad_ends(report: &Report<'_>) -> Vec<usize> {
    report.bad_ends()
}

fn number<'r>(value: Option<u64>) -> Value<'r> {
    value.map_or(Value::Null, Value::Number)
}

fn code<'r>(status: Option<Status>) -> Value<'r> {
    number(status.and_then(Status::code).map(u64::from))
}

fn signal<'r>(status: Option<Status>) -> Value<'r> {
    number(status.and_then(Status::signal).map(u64::from))
}

fn cut<'r>(args: Option<Args<'_>>) -> Value<'r> {
    args.map_or(Value::Null, |args| Value::Bool(args.is_cut()))
}
