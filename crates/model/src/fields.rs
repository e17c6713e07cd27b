//! The table of fields: what an event consists of, said once.
//!
//! Columns, JSON keys, `--fields`, the field list and its documentation all
//! walk this table; no output names a field. A row is all that a new field
//! needs, once the record carries it.

mod getters;

use exectrail_abi::fault::Fault;

use crate::{
    errno,
    event::{Event, Kinds},
    value::{Align, Type, Value},
};

use getters::{
    FLAGS, comm, container, counted, cpu, creds, device, ended, failure, file, id, image, known,
    lost, namespace, number, of, parent, path, ppid, process, summary, tid, unreadable, user,
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
        doc: "what happened: exec, failed, exit, lost or summary",
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
        events: Kinds::PROCESS,
        doc: "process id, in the initial pid namespace",
        align: Align::Right(7),
        get: |event| process(event, |process| number(process.pid)),
    },
    Field {
        name: "tid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "thread id; after a success the process id, at an exit the thread that ended last",
        align: Align::Right(7),
        get: tid,
    },
    Field {
        name: "ppid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "process id of the parent",
        align: Align::Right(7),
        get: ppid,
    },
    Field {
        name: "process",
        kind: Type::Id,
        events: Kinds::PROCESS,
        doc: "id of the process that is never used again: its OCSF common process id",
        align: Align::Left(36),
        get: id,
    },
    Field {
        name: "parent",
        kind: Type::Id,
        events: Kinds::PROGRAM,
        doc: "the same of the parent",
        align: Align::Left(36),
        get: |event| parent(event, |parent| known(parent.id.map(Value::Id))),
    },
    Field {
        name: "image",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "image counter: grows by one with each exec, children inherit it",
        align: Align::Right(5),
        get: image,
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
        events: Kinds::PROGRAM,
        doc: "path of the executable, from the root of its mount namespace; of a script, the interpreter",
        align: Align::Left(24),
        get: |event| path(event, |program| program.exe, Fault::ExeCut),
    },
    Field {
        name: "interpreter",
        kind: Type::Bytes,
        events: Kinds::EXEC,
        doc: "of a script: its interpreter as the script names it",
        align: Align::Left(12),
        get: |event| of(event, |program| known(program.interpreter.flatten().map(Value::Bytes))),
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
        get: |event| of(event, |program| counted(program.args_count)),
    },
    Field {
        name: "args_bytes",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "how many bytes they really have, a NUL after each included",
        align: Align::Right(7),
        get: |event| of(event, |program| counted(program.args_bytes)),
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
                counted(index.map(|index| index as u64))
            })
        },
    },
    Field {
        name: "env",
        kind: Type::Environment,
        events: Kinds::EXEC,
        doc: "the environment variables that --env asks for",
        align: Align::Left(0),
        get: |event| of(event, |program| known(program.environment.map(Value::Environment))),
    },
    Field {
        name: "cwd",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "working directory, from the root of its mount namespace",
        align: Align::Left(20),
        get: |event| path(event, |program| program.cwd, Fault::CwdCut),
    },
    Field {
        name: "comm",
        kind: Type::Bytes,
        events: Kinds::PROCESS,
        doc: "the kernel's short name of the task, up to 15 bytes",
        align: Align::Left(15),
        get: comm,
    },
    Field {
        name: "uid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "real user id, in the initial user namespace",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.uid),
    },
    Field {
        name: "gid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "real group id",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.gid),
    },
    Field {
        name: "euid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "effective user id",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.euid),
    },
    Field {
        name: "egid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "effective group id",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.egid),
    },
    Field {
        name: "suid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "saved user id",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.suid),
    },
    Field {
        name: "sgid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "saved group id",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.sgid),
    },
    Field {
        name: "fsuid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "user id for file access",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.fsuid),
    },
    Field {
        name: "fsgid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "group id for file access",
        align: Align::Right(5),
        get: |event| creds(event, |creds| creds.fsgid),
    },
    Field {
        name: "user",
        kind: Type::Name,
        events: Kinds::PROCESS,
        doc: "name of the real user; null until it has been looked up, or where there is none",
        align: Align::Left(8),
        get: user,
    },
    Field {
        name: "loginuid",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "user id that logged in, whatever it became since; null for nobody",
        align: Align::Right(8),
        get: |event| of(event, |program| counted(program.loginuid.flatten().map(u64::from))),
    },
    Field {
        name: "session",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "audit session of that login",
        align: Align::Right(7),
        get: |event| of(event, |program| counted(program.session.flatten().map(u64::from))),
    },
    Field {
        name: "tty",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "controlling terminal, as the kernel names it",
        align: Align::Left(6),
        get: |event| {
            of(event, |program| {
                known((!program.tty.is_empty()).then_some(Value::Bytes(program.tty)))
            })
        },
    },
    Field {
        name: "cgroup",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "cgroup in the unified hierarchy",
        align: Align::Left(20),
        get: |event| path(event, |program| program.cgroup, Fault::CgroupCut),
    },
    Field {
        name: "cgroup_id",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "its id",
        align: Align::Right(8),
        get: |event| of(event, |program| Value::Number(program.cgroup_id)),
    },
    Field {
        name: "container",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "id or name of the container, read from the cgroup",
        align: Align::Left(12),
        get: |event| container(event, |container| Value::Bytes(container.id)),
    },
    Field {
        name: "container_runtime",
        kind: Type::Text,
        events: Kinds::PROGRAM,
        doc: "what runs that container",
        align: Align::Left(10),
        get: |event| container(event, |container| Value::Text(container.runtime.name())),
    },
    Field {
        name: "ns_pid",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "process id in its own pid namespace",
        align: Align::Right(7),
        get: |event| process(event, |process| number(process.ns_pid)),
    },
    Field {
        name: "pid_ns",
        kind: Type::Number,
        events: Kinds::PROCESS,
        doc: "inode of that namespace",
        align: Align::Right(10),
        get: |event| process(event, |process| number(process.pid_ns)),
    },
    Field {
        name: "mnt_ns",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "inode of the mount namespace",
        align: Align::Right(10),
        get: |event| namespace(event, |namespaces| namespaces.mnt),
    },
    Field {
        name: "net_ns",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "inode of the network namespace",
        align: Align::Right(10),
        get: |event| namespace(event, |namespaces| namespaces.net),
    },
    Field {
        name: "user_ns",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "inode of the user namespace",
        align: Align::Right(10),
        get: |event| namespace(event, |namespaces| namespaces.user),
    },
    Field {
        name: "uts_ns",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "inode of the UTS namespace",
        align: Align::Right(10),
        get: |event| namespace(event, |namespaces| namespaces.uts),
    },
    Field {
        name: "ipc_ns",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "inode of the IPC namespace",
        align: Align::Right(10),
        get: |event| namespace(event, |namespaces| namespaces.ipc),
    },
    Field {
        name: "cgroup_ns",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "inode of the cgroup namespace",
        align: Align::Right(10),
        get: |event| namespace(event, |namespaces| namespaces.cgroup),
    },
    Field {
        name: "exe_dev",
        kind: Type::Number,
        events: Kinds::EXEC,
        doc: "device of the executable, as stat has it",
        align: Align::Right(6),
        get: |event| file(event, |file| device(file.device)),
    },
    Field {
        name: "exe_inode",
        kind: Type::Number,
        events: Kinds::EXEC,
        doc: "inode of the executable",
        align: Align::Right(8),
        get: |event| file(event, |file| Value::Number(file.inode)),
    },
    Field {
        name: "exe_mode",
        kind: Type::Number,
        events: Kinds::EXEC,
        doc: "its type and permissions, as stat has them",
        align: Align::Right(6),
        get: |event| file(event, |file| number(file.mode)),
    },
    Field {
        name: "exe_uid",
        kind: Type::Number,
        events: Kinds::EXEC,
        doc: "its owner",
        align: Align::Right(5),
        get: |event| file(event, |file| number(file.uid)),
    },
    Field {
        name: "exe_gid",
        kind: Type::Number,
        events: Kinds::EXEC,
        doc: "its group",
        align: Align::Right(5),
        get: |event| file(event, |file| number(file.gid)),
    },
    Field {
        name: "flags",
        kind: Type::Names,
        events: Kinds::PROGRAM,
        doc: "check: only asked whether it may; image_lost: failed when the old program was gone; script; memfd: a file in memory; deleted: the executable has no name any more; setid: set-id bits changed the credentials; no_new_privs; kernel_helper: started by the kernel; upper_layer: not part of the image of its overlay; writable: by its user, who is not root",
        align: Align::Left(10),
        get: |event| of(event, |program| Value::Names { table: FLAGS, bits: program.flags }),
    },
    Field {
        name: "unreadable",
        kind: Type::Names,
        events: Kinds::PROCESS,
        doc: "fields that could not be read, or not wholly",
        align: Align::Left(10),
        get: unreadable,
    },
    Field {
        name: "parent_comm",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "short name of the parent",
        align: Align::Left(15),
        get: |event| parent(event, |parent| Value::Bytes(parent.comm)),
    },
    Field {
        name: "parent_exe",
        kind: Type::Bytes,
        events: Kinds::PROGRAM,
        doc: "path of the parent's executable",
        align: Align::Left(24),
        get: |event| path(event, |program| program.parent?.exe, Fault::ParentExeCut),
    },
    Field {
        name: "parent_image",
        kind: Type::Number,
        events: Kinds::PROGRAM,
        doc: "image counter of the parent",
        align: Align::Right(5),
        get: |event| parent(event, |parent| Value::Number(parent.image)),
    },
    Field {
        name: "ancestors",
        kind: Type::Ancestors,
        events: Kinds::PROGRAM,
        doc: "the grandparent and those before, as many as --ancestors asks for",
        align: Align::Left(0),
        get: |event| of(event, |program| known(program.ancestors.map(Value::Ancestors))),
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
        events: Kinds::PROGRAM,
        doc: "nanoseconds from the system call's entry to its exit or to the exec's success; null without --failed",
        align: Align::Right(9),
        get: |event| of(event, |program| counted(program.latency)),
    },
    Field {
        name: "exit_code",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "code that it ended with; null if a signal ended it",
        align: Align::Right(4),
        get: |event| ended(event, |ended| Some(counted(ended.status?.code().map(u64::from)))),
    },
    Field {
        name: "signal",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "signal that ended it",
        align: Align::Right(6),
        get: |event| ended(event, |ended| Some(counted(ended.status?.signal().map(u64::from)))),
    },
    Field {
        name: "core",
        kind: Type::Bool,
        events: Kinds::EXIT,
        doc: "whether it left a core",
        align: Align::Left(5),
        get: |event| ended(event, |ended| Some(Value::Bool(ended.status?.core()))),
    },
    Field {
        name: "duration_ns",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "nanoseconds from its start to its end",
        align: Align::Right(12),
        get: |event| ended(event, |ended| Some(counted(ended.duration))),
    },
    Field {
        name: "cpu_user_ns",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "nanoseconds of user time, all threads",
        align: Align::Right(11),
        get: |event| ended(event, |ended| Some(counted(ended.cpu_user))),
    },
    Field {
        name: "cpu_system_ns",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "nanoseconds of system time, all threads",
        align: Align::Right(11),
        get: |event| ended(event, |ended| Some(counted(ended.cpu_system))),
    },
    Field {
        name: "max_rss_bytes",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "most bytes resident at once",
        align: Align::Right(11),
        get: |event| ended(event, |ended| Some(counted(ended.max_rss))),
    },
    Field {
        name: "minor_faults",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "page faults without I/O",
        align: Align::Right(8),
        get: |event| ended(event, |ended| Some(counted(ended.minor_faults))),
    },
    Field {
        name: "major_faults",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "page faults with I/O",
        align: Align::Right(8),
        get: |event| ended(event, |ended| Some(counted(ended.major_faults))),
    },
    Field {
        name: "read_bytes",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "bytes read from storage",
        align: Align::Right(10),
        get: |event| ended(event, |ended| Some(counted(ended.read_bytes))),
    },
    Field {
        name: "write_bytes",
        kind: Type::Number,
        events: Kinds::EXIT,
        doc: "bytes written to storage",
        align: Align::Right(10),
        get: |event| ended(event, |ended| Some(counted(ended.write_bytes))),
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
        doc: "events that the kernel side ran for: delivered + filtered + dropped",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.seen)),
    },
    Field {
        name: "delivered",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "events that reached the output",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.delivered)),
    },
    Field {
        name: "filtered",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "events that a rule, or the end of --count, turned away",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.filtered)),
    },
    Field {
        name: "dropped",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "events that were lost",
        align: Align::Right(9),
        get: |event| summary(event, |summary| Value::Number(summary.dropped)),
    },
    Field {
        name: "missed",
        kind: Type::Number,
        events: Kinds::SUMMARY,
        doc: "times that the kernel skipped our program; null where it does not count them",
        align: Align::Right(9),
        get: |event| summary(event, |summary| counted(summary.missed)),
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
