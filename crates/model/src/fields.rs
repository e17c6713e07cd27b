//! The table of fields: what an event consists of, said once.
//!
//! Columns, JSON keys, `--fields`, the field list and its documentation all
//! walk this table; no output names a field. A row is all that a new field
//! needs, once the record carries it.

use exectrail_abi::{
    fault::Fault,
    record::{Creds, FLAG_CHECK, FLAG_IMAGE_LOST},
};

use crate::{
    errno,
    event::{Body, Event, Failure, Kinds, Lost, Program, Summary},
    value::{Align, Type, Value},
};

/// One row.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// The events that have it.
    pub events: Kinds,
    /// What it means, and its unit.
    pub doc: &'static str,
    /// How it stands in a column.
    pub align: Align,
    /// Where it comes from.
    pub get: for<'e, 'a> fn(&'e Event<'a>) -> Value<'a>,
}

impl Field {
    /// The row with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }
}

/// Names of the record's flags.
const FLAGS: &[(u32, &str)] = &[(FLAG_CHECK, "check"), (FLAG_IMAGE_LOST, "image_lost")];

/// The fields that a fault leaves unknown, or not whole.
const UNREADABLE: &[(u32, &str)] = &[
    (Fault::Filename.bit(), "filename"),
    (Fault::Exe.bit(), "exe"),
    (Fault::ExeCut.bit(), "exe"),
    (Fault::Args.bit(), "args"),
    (Fault::Creds.bit(), "creds"),
    (Fault::Parent.bit(), "ppid"),
    (Fault::ExecId.bit(), "image"),
];

/// Version of the schema: grows when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u64 = 1;

/// Every field, in the order in which JSON has them.
pub const FIELDS: &[Field] = &[
    Field {
        name: "v",
        kind: Type::Number,
        events: Kinds::ALL,
        doc: "version of this schema",
        align: Align::Right(1),
        get: |_| Value::Number(SCHEMA_VERSION),
    },
    Field {
        name: "event",
        kind: Type::Text,
        events: Kinds::ALL,
        doc: "what happened: exec, failed, lost or summary",
        align: Align::Left(6),
        get: |event| Value::Text(event.kind().name()),
    },
    Field {
        name: "time",
        kind: Type::Time,
        events: Kinds::ALL,
        doc: "wall clock, UTC, to the nanosecond",
        align: Align::Left(12),
        get: |event| Value::Time(event.moment.wall),
    },
    Field {
        name: "ktime",
        kind: Type::Number,
        events: Kinds::ALL,
        doc: "nanoseconds since boot, suspend included",
        align: Align::Right(16),
        get: |event| Value::Number(event.moment.ktime),
    },
    Field {
        name: "pid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "process id, in the initial pid namespace",
        align: Align::Right(7),
        get: |event| of(event, |program| number(program.pid)),
    },
    Field {
        name: "tid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "thread id; after a success the process id",
        align: Align::Right(7),
        get: |event| of(event, |program| number(program.tid)),
    },
    Field {
        name: "ppid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "process id of the parent",
        align: Align::Right(7),
        get: |event| of(event, |program| known(program.ppid.map(number))),
    },
    Field {
        name: "image",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "image counter: grows by one with each exec, children inherit it",
        align: Align::Right(5),
        get: |event| of(event, |program| known(program.image.map(Value::Number))),
    },
    Field {
        name: "filename",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "the name as it was given to exec; of a script, the script",
        align: Align::Left(24),
        get: |event| of(event, |program| known(program.filename.map(Value::Bytes))),
    },
    Field {
        name: "exe",
        kind: Type::Bytes,
        events: Kinds::EXEC,
        doc: "path of the executable, from the root of its mount namespace; of a script, the interpreter",
        align: Align::Left(24),
        get: |event| {
            of(event, |program| {
                known(program.exe.map(if program.exe_cut { Value::End } else { Value::Bytes }))
            })
        },
    },
    Field {
        name: "args",
        kind: Type::Args,
        events: Kinds::PROGRAM,
        doc: "the arguments; null stands for one that could not be read",
        align: Align::Left(0),
        get: |event| of(event, |program| known(program.args.map(Value::Args))),
    },
    Field {
        name: "args_count",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "how many arguments there really are",
        align: Align::Right(5),
        get: |event| of(event, |program| known(program.args_count.map(Value::Number))),
    },
    Field {
        name: "args_bytes",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "how many bytes they really have, a NUL after each included",
        align: Align::Right(7),
        get: |event| of(event, |program| known(program.args_bytes.map(Value::Number))),
    },
    Field {
        name: "args_truncated",
        kind: Type::Bool,
        events: Kinds::PROGRAM,
        doc: "whether arguments are missing because there were too many bytes",
        align: Align::Left(5),
        get: |event| of(event, |program| Value::Bool(program.faults.has(Fault::ArgsCut))),
    },
    Field {
        name: "args_cut",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "if truncated: index in args of what follows the gap",
        align: Align::Right(5),
        get: |event| {
            of(event, |program| {
                let index = program.args.and_then(|args| args.cut_index());
                known(index.map(|index| Value::Number(index as u64)))
            })
        },
    },
    Field {
        name: "comm",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "the kernel's short name of the task, up to 15 bytes",
        align: Align::Left(15),
        get: |event| of(event, |program| Value::Bytes(program.comm)),
    },
    Field {
        name: "uid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "real user id, in the initial user namespace",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.uid),
    },
    Field {
        name: "gid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "real group id",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.gid),
    },
    Field {
        name: "euid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "effective user id",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.euid),
    },
    Field {
        name: "egid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "effective group id",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.egid),
    },
    Field {
        name: "suid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "saved user id",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.suid),
    },
    Field {
        name: "sgid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "saved group id",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.sgid),
    },
    Field {
        name: "fsuid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "user id for file access",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.fsuid),
    },
    Field {
        name: "fsgid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "group id for file access",
        align: Align::Right(5),
        get: |event| id(event, |creds| creds.fsgid),
    },
    Field {
        name: "cgroup_id",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "id of the cgroup in the unified hierarchy",
        align: Align::Right(8),
        get: |event| of(event, |program| Value::Number(program.cgroup_id)),
    },
    Field {
        name: "flags",
        kind: Type::Names,
        events: Kinds::PROGRAM,
        doc: "check: only asked whether it may (AT_EXECVE_CHECK); image_lost: failed when the old program was gone already",
        align: Align::Left(10),
        get: |event| of(event, |program| Value::Names { table: FLAGS, bits: program.flags }),
    },
    Field {
        name: "unreadable",
        kind: Type::Names,
        events: Kinds::PROGRAM,
        doc: "fields that could not be read, or not wholly",
        align: Align::Left(10),
        get: |event| {
            of(event, |program| Value::Names { table: UNREADABLE, bits: program.faults.0 })
        },
    },
    Field {
        name: "errno",
        kind: Type::Number,
        events: Kinds::FAILED,
        doc: "why it failed, as a number",
        align: Align::Right(5),
        get: |event| failure(event, |failure| number(failure.errno)),
    },
    Field {
        name: "error",
        kind: Type::Text,
        events: Kinds::FAILED,
        doc: "why it failed, by name; null for a number without a known name",
        align: Align::Left(8),
        get: |event| failure(event, |failure| known(errno::name(failure.errno).map(Value::Text))),
    },
    Field {
        name: "latency_ns",
        kind: Type::Number,
        events: Kinds::FAILED,
        doc: "nanoseconds from the system call's entry to its exit",
        align: Align::Right(9),
        get: |event| failure(event, |failure| known(failure.latency.map(Value::Number))),
    },
    Field {
        name: "cpu",
        kind: Type::Number,
        events: Kinds::PLACED,
        doc: "CPU on which it happened; of a loss, the CPU that lost the records",
        align: Align::Right(3),
        get: cpu,
    },
    Field {
        name: "count",
        kind: Type::Number,
        events: Kinds::LOST,
        doc: "how many records are missing here",
        align: Align::Right(7),
        get: |event| lost(event, |lost| Value::Number(lost.count)),
    },
    Field {
        name: "reason",
        kind: Type::Text,
        events: Kinds::LOST,
        doc: "why they are missing",
        align: Align::Left(10),
        get: |event| lost(event, |lost| Value::Text(lost.reason)),
    },
    Field {
        name: "seen",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "execs that the kernel side ran for: delivered + filtered + dropped",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.seen)),
    },
    Field {
        name: "delivered",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "execs that reached the output",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.delivered)),
    },
    Field {
        name: "filtered",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "execs that a rule, or the end of --count, turned away",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.filtered)),
    },
    Field {
        name: "dropped",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "execs that were lost",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.dropped)),
    },
    Field {
        name: "missed",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "times that the kernel skipped our program; null where it does not count them",
        align: Align::Right(9),
        get: |event| summary(event, |summary| known(summary.missed.map(Value::Number))),
    },
    Field {
        name: "damaged",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "records that made no sense; they are among the dropped",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.damaged)),
    },
];

fn number<'a>(value: u32) -> Value<'a> {
    Value::Number(u64::from(value))
}

fn cpu<'a>(event: &Event<'a>) -> Value<'a> {
    match &event.body {
        Body::Exec(program) | Body::Failed(program, _) => number(u32::from(program.cpu)),
        Body::Lost(lost) => number(lost.cpu),
        Body::Summary(_) => Value::Null,
    }
}

fn known(value: Option<Value<'_>>) -> Value<'_> {
    value.unwrap_or(Value::Null)
}

fn of<'a>(event: &Event<'a>, get: impl Fn(&Program<'a>) -> Value<'a>) -> Value<'a> {
    known(event.program().map(get))
}

fn id<'a>(event: &Event<'a>, get: impl Fn(&Creds) -> u32) -> Value<'a> {
    of(event, |program| known(program.creds.as_ref().map(|creds| number(get(creds)))))
}

fn failure<'a>(event: &Event<'a>, get: impl Fn(&Failure) -> Value<'a>) -> Value<'a> {
    if let Body::Failed(_, failure) = &event.body { get(failure) } else { Value::Null }
}

fn lost<'a>(event: &Event<'a>, get: impl Fn(&Lost) -> Value<'a>) -> Value<'a> {
    if let Body::Lost(lost) = &event.body { get(lost) } else { Value::Null }
}

fn summary<'a>(event: &Event<'a>, get: impl Fn(&Summary) -> Value<'a>) -> Value<'a> {
    if let Body::Summary(summary) = &event.body { get(summary) } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, Field};

    #[test]
    fn names_are_unique_and_documented() {
        for field in FIELDS {
            assert_eq!(FIELDS.iter().filter(|other| other.name == field.name).count(), 1);
            assert!(!field.doc.is_empty() && !field.doc.ends_with('.'), "{}", field.name);
            assert!(Field::named(field.name).is_some());
        }
    }

    /// The contract of the first version: these keys stay.
    #[test]
    fn the_keys_of_version_one_are_there() {
        for name in [
            "v",
            "event",
            "time",
            "ktime",
            "pid",
            "tid",
            "ppid",
            "image",
            "filename",
            "exe",
            "args",
            "args_count",
            "args_bytes",
            "args_truncated",
            "comm",
            "uid",
            "gid",
            "euid",
            "egid",
            "flags",
            "unreadable",
            "errno",
            "error",
            "latency_ns",
            "count",
            "reason",
            "seen",
            "delivered",
            "filtered",
            "dropped",
            "missed",
        ] {
            assert!(Field::named(name).is_some(), "{name}");
        }
    }
}
