//! The table of fields: what an event consists of, said once.
//!
//! Columns, JSON keys, `--fields`, the field list and its documentation all
//! walk this table; no output names a field. A row is all that a new field
//! needs, once the record carries it.

mod getters;

use exectrail_abi::{config::parts, fault::Fault};

use crate::{
    errno,
    event::{Event, Kinds},
    value::{Align, Type, Value},
};

use getters::{
    FLAGS, args, comm, container, counted, cpu, creds, device, ended, exe, failure, file, folded,
    id, image, known, lost, namespace, number, of, parent, path, ppid, process, set, summary, tid,
    truncated, unreadable, user,
};

/// One row.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// What it is counted in; nothing for a plain number, an id or a text.
    pub unit: Option<Unit>,
    /// The events that have it.
    pub events: Kinds,
    /// What it means, and what it needs besides the kernel's version.
    pub doc: &'static str,
    /// Where it comes from, for a reader.
    pub source: Source,
    /// How it stands in a column.
    pub align: Align,
    /// The parts of a record that it is read from, as bits of
    /// [`parts`]; none for what every record has.
    pub needs: u32,
    /// Its value.
    pub get: for<'e, 'a> fn(&'e Event<'a>) -> Value<'a>,
}

impl Field {
    /// The row with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// The names of the events that have it.
    #[must_use]
    pub fn event_names(&self) -> Vec<&'static str> {
        let named = Kinds::NAMED.into_iter().filter(|(kind, _)| self.events.contains(*kind));
        named.map(|(_, name)| name).collect()
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// As the field list names it, and as names of fields end.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Bytes => "bytes",
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The kernel's structure and member, the BPF helper, the fields that it is
    /// computed from, or exectrail itself.
    pub place: &'static str,
    /// The first kernel that has it, of those that we run on.
    pub since: &'static str,
}

impl Source {
    /// A place that every kernel has that we run on: 5.8, with the ring buffer and
    /// the boot clock's helper, is the first.
    const fn of(place: &'static str) -> Self {
        Self { place, since: "5.8" }
    }

    /// Not there before this one.
    const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }
}

/// Version of the schema: grows when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u64 = 1;

/// Every field, in the order in which JSON has them.
pub const FIELDS: &[Field] = &[
    Field {
        name: "v",
        kind: Type::Number,
        unit: None,
        events: Kinds::ALL,
        doc: "version of this schema",
        source: Source::of("exectrail"),
        align: Align::Right(1),
        needs: 0,
        get: |_| Value::Number(SCHEMA_VERSION),
    },
    Field {
        name: "event",
        kind: Type::Text,
        unit: None,
        events: Kinds::ALL,
        doc: "what happened: exec, failed, exit, lost or summary",
        source: Source::of("exectrail"),
        align: Align::Left(6),
        needs: 0,
        get: |event| Value::Text(event.kind().name()),
    },
    Field {
        name: "time",
        kind: Type::Time,
        unit: None,
        events: Kinds::ALL,
        doc: "wall clock, UTC, to the nanosecond",
        source: Source::of("ktime + CLOCK_REALTIME - CLOCK_BOOTTIME"),
        align: Align::Left(12),
        needs: 0,
        get: |event| Value::Time(event.moment.wall),
    },
    Field {
        name: "ktime",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        events: Kinds::ALL,
        doc: "time since boot, suspend included",
        source: Source::of("bpf_ktime_get_boot_ns()"),
        align: Align::Right(16),
        needs: 0,
        get: |event| Value::Number(event.moment.ktime),
    },
    Field {
        name: "pid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "process id, in the initial pid namespace",
        source: Source::of("task_struct.tgid"),
        align: Align::Right(7),
        needs: 0,
        get: |event| process(event, |process| number(process.pid)),
    },
    Field {
        name: "tid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "thread id; after a success the process id, at an exit the thread that ended last",
        source: Source::of("bpf_get_current_pid_tgid()"),
        align: Align::Right(7),
        needs: 0,
        get: tid,
    },
    Field {
        name: "ppid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "process id of the parent",
        source: Source::of("task_struct.real_parent.tgid"),
        align: Align::Right(7),
        needs: 0,
        get: ppid,
    },
    Field {
        name: "process",
        kind: Type::Id,
        unit: None,
        events: Kinds::PROCESS,
        doc: "id of the process that is not used again: its OCSF common process id; two processes share one only with the same pid within a clock tick, 10 ms",
        source: Source::of("boot_id, pid_ns, start_boottime, ns_pid"),
        align: Align::Left(36),
        needs: parts::PROCESS,
        get: id,
    },
    Field {
        name: "parent",
        kind: Type::Id,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "the same of the parent",
        source: Source::of("as process, of task_struct.real_parent"),
        align: Align::Left(36),
        needs: parts::PARENT,
        get: |event| parent(event, |parent| known(parent.id.map(Value::Id))),
    },
    Field {
        name: "image",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "image counter: grows by one with each exec, children inherit it",
        source: Source::of("task_struct.self_exec_id"),
        align: Align::Right(5),
        needs: 0,
        get: image,
    },
    Field {
        name: "filename",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "the name as it was given to exec; of a script, the script",
        source: Source::of("linux_binprm.filename; failed: execve(2)"),
        align: Align::Left(24),
        needs: 0,
        get: |event| of(event, |program| known(program.filename.map(Value::Bytes))),
    },
    Field {
        name: "exe",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROCESS,
        doc: "path of the executable, from the root of its mount namespace; of a script, the interpreter; of a failed exec null, unless image_lost; at an exit, of what ran last",
        source: Source::of("mm_struct.exe_file.f_path"),
        align: Align::Left(24),
        needs: 0,
        get: exe,
    },
    Field {
        name: "interpreter",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::EXEC,
        doc: "of a script: its interpreter as the script names it",
        source: Source::of("linux_binprm.interp"),
        align: Align::Left(12),
        needs: 0,
        get: |event| of(event, |program| known(program.interpreter.flatten().map(Value::Bytes))),
    },
    Field {
        name: "args",
        kind: Type::Args,
        unit: None,
        events: Kinds::PROCESS,
        doc: "the arguments; null stands for one that could not be read; at an exit the first 1,024 bytes",
        source: Source::of("mm_struct.arg_start..arg_end; failed: execve(2)"),
        align: Align::Left(0),
        needs: 0,
        get: |event| known(args(event).map(Value::Args)),
    },
    Field {
        name: "args_count",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "how many arguments there really are; of truncated ones not known if the exec failed",
        source: Source::of("linux_binprm.argc; failed: execve(2)"),
        align: Align::Right(5),
        needs: 0,
        get: |event| of(event, |program| counted(program.args_count)),
    },
    Field {
        name: "args_bytes",
        kind: Type::Number,
        unit: Some(Unit::Bytes),
        events: Kinds::PROGRAM,
        doc: "how much they really have, a NUL after each included; of a failed exec null",
        source: Source::of("mm_struct.arg_end - arg_start"),
        align: Align::Right(7),
        needs: 0,
        get: |event| of(event, |program| counted(program.args_bytes)),
    },
    Field {
        name: "args_truncated",
        kind: Type::Bool,
        unit: None,
        events: Kinds::PROCESS,
        doc: "whether arguments are missing because there were too many bytes: for --max-args, or for the buffer, in which case unreadable has args",
        source: Source::of("exectrail"),
        align: Align::Left(5),
        needs: 0,
        get: truncated,
    },
    Field {
        name: "args_cut",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "if truncated: index in args of what follows the gap",
        source: Source::of("exectrail"),
        align: Align::Right(5),
        needs: 0,
        get: |event| {
            counted(args(event).and_then(|args| args.cut_index()).map(|index| index as u64))
        },
    },
    Field {
        name: "env",
        kind: Type::Environment,
        unit: None,
        events: Kinds::EXEC,
        doc: "the environment variables that --env asks for",
        source: Source::of("mm_struct.env_start..env_end"),
        align: Align::Left(0),
        needs: 0,
        get: |event| of(event, |program| known(program.environment.map(Value::Environment))),
    },
    Field {
        name: "cwd",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "working directory, from the root of its mount namespace",
        source: Source::of("fs_struct.pwd"),
        align: Align::Left(20),
        needs: parts::CWD,
        get: |event| path(event, |program| program.cwd, Fault::CwdCut),
    },
    Field {
        name: "comm",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROCESS,
        doc: "the kernel's short name of the task, up to 15 bytes",
        source: Source::of("task_struct.comm"),
        align: Align::Left(15),
        needs: 0,
        get: comm,
    },
    Field {
        name: "uid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "real user id, in the initial user namespace",
        source: Source::of("cred.uid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.uid),
    },
    Field {
        name: "gid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "real group id",
        source: Source::of("cred.gid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.gid),
    },
    Field {
        name: "euid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "effective user id",
        source: Source::of("cred.euid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.euid),
    },
    Field {
        name: "egid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "effective group id",
        source: Source::of("cred.egid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.egid),
    },
    Field {
        name: "suid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "saved user id",
        source: Source::of("cred.suid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.suid),
    },
    Field {
        name: "sgid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "saved group id",
        source: Source::of("cred.sgid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.sgid),
    },
    Field {
        name: "fsuid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "user id for file access",
        source: Source::of("cred.fsuid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.fsuid),
    },
    Field {
        name: "fsgid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "group id for file access",
        source: Source::of("cred.fsgid"),
        align: Align::Right(5),
        needs: 0,
        get: |event| creds(event, |creds| creds.fsgid),
    },
    Field {
        name: "user",
        kind: Type::Name,
        unit: None,
        events: Kinds::PROCESS,
        doc: "name of the real user; null until it has been looked up, or where there is none",
        source: Source::of("uid in /etc/passwd, then getpwuid_r(3)"),
        align: Align::Left(8),
        needs: 0,
        get: user,
    },
    Field {
        name: "loginuid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "user id that logged in, whatever it became since; null for nobody; needs CONFIG_AUDIT",
        source: Source::of("task_struct.loginuid"),
        align: Align::Right(8),
        needs: parts::LOGIN,
        get: |event| of(event, |program| counted(program.loginuid.flatten().map(u64::from))),
    },
    Field {
        name: "session",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "audit session of that login; needs CONFIG_AUDIT",
        source: Source::of("task_struct.sessionid"),
        align: Align::Right(7),
        needs: parts::LOGIN,
        get: |event| of(event, |program| counted(program.session.flatten().map(u64::from))),
    },
    Field {
        name: "tty",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "controlling terminal, as the kernel names it",
        source: Source::of("signal_struct.tty.name"),
        align: Align::Left(6),
        needs: parts::TTY,
        get: |event| {
            of(event, |program| {
                known((!program.tty.is_empty()).then_some(Value::Bytes(program.tty)))
            })
        },
    },
    Field {
        name: "cgroup",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "cgroup in the unified hierarchy",
        source: Source::of("css_set.dfl_cgrp.kn"),
        align: Align::Left(20),
        needs: parts::CGROUP,
        get: |event| path(event, |program| program.cgroup, Fault::CgroupCut),
    },
    Field {
        name: "cgroup_id",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "its id",
        source: Source::of("bpf_get_current_cgroup_id()"),
        align: Align::Right(8),
        needs: 0,
        get: |event| of(event, |program| Value::Number(program.cgroup_id)),
    },
    Field {
        name: "container",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "id or name of the container, read from the cgroup",
        source: Source::of("cgroup"),
        align: Align::Left(12),
        needs: parts::CGROUP,
        get: |event| container(event, |container| Value::Bytes(container.id)),
    },
    Field {
        name: "container_runtime",
        kind: Type::Text,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "what runs that container",
        source: Source::of("cgroup"),
        align: Align::Left(10),
        needs: parts::CGROUP,
        get: |event| container(event, |container| Value::Text(container.runtime.name())),
    },
    Field {
        name: "ns_pid",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "process id in its own pid namespace",
        source: Source::of("pid.numbers[level].nr"),
        align: Align::Right(7),
        needs: parts::PROCESS,
        get: |event| process(event, |process| set(process.ns_pid)),
    },
    Field {
        name: "pid_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROCESS,
        doc: "inode of that namespace",
        source: Source::of("pid.numbers[level].ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::PROCESS,
        get: |event| process(event, |process| set(process.pid_ns)),
    },
    Field {
        name: "mnt_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "inode of the mount namespace",
        source: Source::of("nsproxy.mnt_ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::NAMESPACES,
        get: |event| namespace(event, |namespaces| namespaces.mnt),
    },
    Field {
        name: "net_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "inode of the network namespace",
        source: Source::of("nsproxy.net_ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::NAMESPACES,
        get: |event| namespace(event, |namespaces| namespaces.net),
    },
    Field {
        name: "user_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "inode of the user namespace",
        source: Source::of("cred.user_ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::NAMESPACES,
        get: |event| namespace(event, |namespaces| namespaces.user),
    },
    Field {
        name: "uts_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "inode of the UTS namespace",
        source: Source::of("nsproxy.uts_ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::NAMESPACES,
        get: |event| namespace(event, |namespaces| namespaces.uts),
    },
    Field {
        name: "ipc_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "inode of the IPC namespace",
        source: Source::of("nsproxy.ipc_ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::NAMESPACES,
        get: |event| namespace(event, |namespaces| namespaces.ipc),
    },
    Field {
        name: "cgroup_ns",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "inode of the cgroup namespace",
        source: Source::of("nsproxy.cgroup_ns.ns.inum"),
        align: Align::Right(10),
        needs: parts::NAMESPACES,
        get: |event| namespace(event, |namespaces| namespaces.cgroup),
    },
    Field {
        name: "exe_dev",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXEC,
        doc: "device of the executable, as stat has it",
        source: Source::of("inode.i_sb.s_dev"),
        align: Align::Right(6),
        needs: parts::FILE,
        get: |event| file(event, |file| device(file.device)),
    },
    Field {
        name: "exe_inode",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXEC,
        doc: "inode of the executable",
        source: Source::of("inode.i_ino"),
        align: Align::Right(8),
        needs: parts::FILE,
        get: |event| file(event, |file| Value::Number(file.inode)),
    },
    Field {
        name: "exe_mode",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXEC,
        doc: "its type and permissions, as stat has them",
        source: Source::of("inode.i_mode"),
        align: Align::Right(6),
        needs: parts::FILE,
        get: |event| file(event, |file| number(file.mode)),
    },
    Field {
        name: "exe_uid",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXEC,
        doc: "its owner",
        source: Source::of("inode.i_uid"),
        align: Align::Right(5),
        needs: parts::FILE,
        get: |event| file(event, |file| number(file.uid)),
    },
    Field {
        name: "exe_gid",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXEC,
        doc: "its group",
        source: Source::of("inode.i_gid"),
        align: Align::Right(5),
        needs: parts::FILE,
        get: |event| file(event, |file| number(file.gid)),
    },
    Field {
        name: "flags",
        kind: Type::Names,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "check, since Linux 6.14: only asked whether it may; image_lost: failed when the old program was gone; script, where interpreter is known: run by it; memfd: a file in memory; deleted: the executable has no name any more; setid: with the rights of its file's owner or group, by a set-id bit; no_new_privs; kernel_helper: started by the kernel; upper_layer, where overlayfs is not a module: not part of the image of its overlay; writable: by its user, who is not root",
        source: Source::of("linux_binprm, inode, ovl_inode, cred, task_struct"),
        align: Align::Left(10),
        needs: parts::FILE | parts::PARENT,
        get: |event| of(event, |program| Value::Names { table: FLAGS, bits: program.flags }),
    },
    Field {
        name: "unreadable",
        kind: Type::Names,
        unit: None,
        events: Kinds::PROCESS,
        doc: "fields that could not be read, or not wholly",
        source: Source::of("exectrail"),
        align: Align::Left(10),
        needs: parts::ALL,
        get: unreadable,
    },
    Field {
        name: "parent_comm",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "short name of the parent",
        source: Source::of("task_struct.real_parent.comm"),
        align: Align::Left(15),
        needs: parts::PARENT,
        get: |event| parent(event, |parent| Value::Bytes(parent.comm)),
    },
    Field {
        name: "parent_exe",
        kind: Type::Bytes,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "path of the parent's executable",
        source: Source::of("task_struct.real_parent.mm.exe_file"),
        align: Align::Left(24),
        needs: parts::PARENT_EXE,
        get: |event| path(event, |program| program.parent?.exe, Fault::ParentExeCut),
    },
    Field {
        name: "parent_image",
        kind: Type::Number,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "image counter of the parent",
        source: Source::of("task_struct.real_parent.self_exec_id"),
        align: Align::Right(5),
        needs: parts::PARENT,
        get: |event| parent(event, |parent| Value::Number(parent.image)),
    },
    Field {
        name: "ancestors",
        kind: Type::Ancestors,
        unit: None,
        events: Kinds::PROGRAM,
        doc: "the grandparent and those before, as many as --ancestors asks for",
        source: Source::of("task_struct.real_parent, repeatedly"),
        align: Align::Left(0),
        needs: 0,
        get: |event| of(event, |program| known(program.ancestors.map(Value::Ancestors))),
    },
    Field {
        name: "errno",
        kind: Type::Number,
        unit: None,
        events: Kinds::FAILED,
        doc: "why it failed, as a number",
        source: Source::of("sys_exit_execve: ret"),
        align: Align::Right(5),
        needs: 0,
        get: |event| failure(event, |failure| number(failure.errno)),
    },
    Field {
        name: "error",
        kind: Type::Text,
        unit: None,
        events: Kinds::FAILED,
        doc: "why it failed, by name; null for a number without a known name",
        source: Source::of("errno"),
        align: Align::Left(8),
        needs: 0,
        get: |event| failure(event, |failure| known(errno::name(failure.errno).map(Value::Text))),
    },
    Field {
        name: "folded",
        kind: Type::Number,
        unit: None,
        events: Kinds::FOLDING,
        doc: "failed execs of the same walk along PATH that this event stands for besides itself; in the summary, all of them: they are part of delivered",
        source: Source::of("exectrail"),
        align: Align::Right(6),
        needs: 0,
        get: folded,
    },
    Field {
        name: "latency_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        events: Kinds::PROGRAM,
        doc: "from the system call's entry to its exit or to the exec's success; null without --failed",
        source: Source::of("ktime - that of sys_enter_execve"),
        align: Align::Right(9),
        needs: 0,
        get: |event| of(event, |program| counted(program.latency)),
    },
    Field {
        name: "exit_code",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXIT,
        doc: "code that it ended with; null if a signal ended it",
        source: Source::of("signal_struct.group_exit_code, else exit_code"),
        align: Align::Right(4),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.status?.code().map(u64::from)))),
    },
    Field {
        name: "signal",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXIT,
        doc: "signal that ended it",
        source: Source::of("signal_struct.group_exit_code, else exit_code"),
        align: Align::Right(6),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.status?.signal().map(u64::from)))),
    },
    Field {
        name: "core",
        kind: Type::Bool,
        unit: None,
        events: Kinds::EXIT,
        doc: "whether it left a core",
        source: Source::of("signal_struct.group_exit_code, else exit_code"),
        align: Align::Left(5),
        needs: 0,
        get: |event| ended(event, |ended| Some(Value::Bool(ended.status?.core()))),
    },
    Field {
        name: "scanned",
        kind: Type::Bool,
        unit: None,
        events: Kinds::EXIT,
        doc: "whether exe and args are from /proc, since the process is older than the trace; null if they are not known",
        source: Source::of("exectrail"),
        align: Align::Left(5),
        needs: 0,
        get: |event| {
            ended(event, |ended| ended.program.map(|program| Value::Bool(program.scanned)))
        },
    },
    Field {
        name: "duration_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        events: Kinds::EXIT,
        doc: "from its start to its end",
        source: Source::of("ktime - task_struct.start_boottime"),
        align: Align::Right(12),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.duration))),
    },
    Field {
        name: "cpu_user_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        events: Kinds::EXIT,
        doc: "user time, all threads",
        source: Source::of("signal_struct.utime + task_struct.utime"),
        align: Align::Right(11),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.cpu_user))),
    },
    Field {
        name: "cpu_system_ns",
        kind: Type::Number,
        unit: Some(Unit::Nanoseconds),
        events: Kinds::EXIT,
        doc: "system time, all threads",
        source: Source::of("signal_struct.stime + task_struct.stime"),
        align: Align::Right(11),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.cpu_system))),
    },
    Field {
        name: "max_rss_bytes",
        kind: Type::Number,
        unit: Some(Unit::Bytes),
        events: Kinds::EXIT,
        doc: "most memory resident at once; of one born by vfork or fork, at least what its parent \
              had by then, as in getrusage(2)",
        source: Source::of("signal_struct.maxrss * page size"),
        align: Align::Right(11),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.max_rss))),
    },
    Field {
        name: "minor_faults",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXIT,
        doc: "page faults without I/O",
        source: Source::of("signal_struct.min_flt + task_struct.min_flt"),
        align: Align::Right(8),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.minor_faults))),
    },
    Field {
        name: "major_faults",
        kind: Type::Number,
        unit: None,
        events: Kinds::EXIT,
        doc: "page faults with I/O",
        source: Source::of("signal_struct.maj_flt + task_struct.maj_flt"),
        align: Align::Right(8),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.major_faults))),
    },
    Field {
        name: "read_bytes",
        kind: Type::Number,
        unit: Some(Unit::Bytes),
        events: Kinds::EXIT,
        doc: "read from storage; needs CONFIG_TASK_IO_ACCOUNTING",
        source: Source::of("signal_struct.ioac + task_struct.ioac"),
        align: Align::Right(10),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.read_bytes))),
    },
    Field {
        name: "write_bytes",
        kind: Type::Number,
        unit: Some(Unit::Bytes),
        events: Kinds::EXIT,
        doc: "written to storage; needs CONFIG_TASK_IO_ACCOUNTING",
        source: Source::of("signal_struct.ioac + task_struct.ioac"),
        align: Align::Right(10),
        needs: 0,
        get: |event| ended(event, |ended| Some(counted(ended.write_bytes))),
    },
    Field {
        name: "cpu",
        kind: Type::Number,
        unit: None,
        events: Kinds::PLACED,
        doc: "CPU on which it happened; of a loss, the CPU that lost the records",
        source: Source::of("bpf_get_smp_processor_id()"),
        align: Align::Right(3),
        needs: 0,
        get: cpu,
    },
    Field {
        name: "count",
        kind: Type::Number,
        unit: None,
        events: Kinds::LOST,
        doc: "how many records are missing here",
        source: Source::of("counters of the BPF programs"),
        align: Align::Right(7),
        needs: 0,
        get: |event| lost(event, |lost| Value::Number(lost.count)),
    },
    Field {
        name: "reason",
        kind: Type::Text,
        unit: None,
        events: Kinds::LOST,
        doc: "why they are missing",
        source: Source::of("counters of the BPF programs"),
        align: Align::Left(10),
        needs: 0,
        get: |event| lost(event, |lost| Value::Text(lost.reason)),
    },
    Field {
        name: "seen",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "events that the kernel side ran for: delivered + filtered + dropped",
        source: Source::of("counters of the BPF programs"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.seen)),
    },
    Field {
        name: "delivered",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "events that reached the output, by themselves or folded into another",
        source: Source::of("exectrail"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.delivered)),
    },
    Field {
        name: "filtered",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "events that a rule, or the end of --count, turned away, or that run took for its summary alone",
        source: Source::of("counters of the BPF programs, exectrail"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.filtered)),
    },
    Field {
        name: "dropped",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "events that were lost",
        source: Source::of("counters of the BPF programs, exectrail"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.dropped)),
    },
    Field {
        name: "missed",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "execs that happened without us, at least: those that image counters prove, or, where that is more, those that skipped tells of programs that nothing stands in for",
        source: Source::of("task_struct.self_exec_id; skipped"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.missed)),
    },
    Field {
        name: "skipped",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "times that the kernel skipped a program of ours and, where others stand in for it, all of them, at most; null where it does not count them",
        source: Source::of("bpf_prog_info: recursion_misses").since("6.7"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| counted(summary.skipped)),
    },
    Field {
        name: "shortened",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "events whose arguments or environment were shortened because the buffer was short of room",
        source: Source::of("exectrail"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.shortened)),
    },
    Field {
        name: "damaged",
        kind: Type::Number,
        unit: None,
        events: Kinds::SUMMARY,
        doc: "records that made no sense; they are among the dropped",
        source: Source::of("exectrail"),
        align: Align::Right(9),
        needs: 0,
        get: |event| summary(event, |summary| Value::Number(summary.damaged)),
    },
];

#[cfg(test)]
mod tests {
    use exectrail_abi::config::Offsets;

    use super::{FIELDS, Field, Unit};
    use crate::value::Type;

    #[test]
    fn names_are_unique_and_documented() {
        for field in FIELDS {
            assert_eq!(FIELDS.iter().filter(|other| other.name == field.name).count(), 1);
            assert!(!field.doc.is_empty() && !field.doc.ends_with('.'), "{}", field.name);
            assert!(Field::named(field.name).is_some());
        }
    }

    /// A name tells its unit, but for `ktime`, a key of version one; and a namespace
    /// is no time.
    #[test]
    fn units_are_those_of_numbers_and_end_their_names() {
        let told = |field: &Field| match field.name {
            "ktime" => Some(Unit::Nanoseconds),
            name if name.ends_with("_bytes") => Some(Unit::Bytes),
            name if name.ends_with("_ns") && !field.source.place.ends_with(".ns.inum") => {
                Some(Unit::Nanoseconds)
            }
            _ => None,
        };
        for field in FIELDS {
            assert_eq!(field.unit, told(field), "{}", field.name);
            assert!(field.unit.is_none() || field.kind == Type::Number, "{}", field.name);
        }
    }

    #[test]
    fn every_field_has_a_source_and_a_first_kernel() {
        for Field { name, source, .. } in FIELDS {
            assert!(!source.place.is_empty() && !source.place.ends_with('.'), "{name}");
            let (major, minor) = source.since.split_once('.').unwrap();
            let version: (u32, u32) = (major.parse().unwrap(), minor.parse().unwrap());
            assert!(version >= (5, 8), "{name}");
        }
    }

    /// What is said to come from a kernel structure is something that the kernel
    /// side is told the offset of.
    #[test]
    fn sources_are_members_that_are_read() {
        let is_read = |word: &str| {
            let (structure, member) = word.split_once('.').unwrap();
            let member = member.replace("[level]", "");
            let leads_to = |whole: &str, part: &str| {
                whole
                    .strip_prefix(part)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let mut rows = Offsets::TABLE.iter().filter(|row| row.structure == structure);
            rows.any(|row| {
                let mut members = row.members.iter().map(|(name, _)| *name);
                members.any(|read| leads_to(&member, read) || leads_to(read, &member))
            })
        };
        for Field { name, source, .. } in FIELDS {
            let words = source.place.split([' ', ',', ';']).map(|word| word.split("..").next());
            for word in words.flatten().filter(|word| word.contains('.')) {
                assert!(is_read(word), "{name}: {word}");
            }
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
