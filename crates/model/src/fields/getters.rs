//! What the table's rows reach into events with. Each gives null for the kinds of
//! event that do not have it, and for what is not known.

use exectrail_abi::{
    fault::Fault,
    record::{
        Creds, FLAG_CHECK, FLAG_DELETED, FLAG_IMAGE_LOST, FLAG_KERNEL_HELPER, FLAG_NO_NEW_PRIVS,
        FLAG_SCRIPT, FLAG_UPPER_LAYER, File, Namespaces, Process,
    },
};

use crate::{
    args::Args,
    enrich::container::{Container, container_of},
    event::{
        Body, Ended, Event, FLAG_MEMFD, FLAG_SETID, FLAG_WRITABLE, Failure, Lost, Parent, Program,
        Summary,
    },
    value::Value,
};

/// Names of flags.
pub(super) const FLAGS: &[(u32, &str)] = &[
    (FLAG_CHECK, "check"),
    (FLAG_IMAGE_LOST, "image_lost"),
    (FLAG_SCRIPT, "script"),
    (FLAG_MEMFD, "memfd"),
    (FLAG_DELETED, "deleted"),
    (FLAG_SETID, "setid"),
    (FLAG_NO_NEW_PRIVS, "no_new_privs"),
    (FLAG_KERNEL_HELPER, "kernel_helper"),
    (FLAG_UPPER_LAYER, "upper_layer"),
    (FLAG_WRITABLE, "writable"),
];

/// The fields that a fault leaves unknown, or not whole.
const UNREADABLE: &[(u32, &str)] = &[
    (Fault::Filename.bit(), "filename"),
    (Fault::Exe.bit(), "exe"),
    (Fault::ExeCut.bit(), "exe"),
    (Fault::Args.bit(), "args"),
    (Fault::ArgsShortened.bit(), "args"),
    (Fault::Creds.bit(), "creds"),
    (Fault::Parent.bit(), "parent"),
    (Fault::ParentExe.bit(), "parent_exe"),
    (Fault::ParentExeCut.bit(), "parent_exe"),
    (Fault::ExecId.bit(), "image"),
    (Fault::Process.bit(), "process"),
    (Fault::Login.bit(), "loginuid"),
    (Fault::Namespaces.bit(), "namespaces"),
    (Fault::File.bit(), "exe_inode"),
    (Fault::Cwd.bit(), "cwd"),
    (Fault::CwdCut.bit(), "cwd"),
    (Fault::Cgroup.bit(), "cgroup"),
    (Fault::CgroupCut.bit(), "cgroup"),
    (Fault::Interpreter.bit(), "interpreter"),
    (Fault::Environment.bit(), "env"),
    (Fault::EnvironmentCut.bit(), "env"),
    (Fault::Ancestors.bit(), "ancestors"),
];

pub(super) fn number<'a>(value: u32) -> Value<'a> {
    Value::Number(u64::from(value))
}

/// A number that is zero where it is not known.
pub(super) fn set<'a>(value: u32) -> Value<'a> {
    known((value != 0).then_some(number(value)))
}

pub(super) fn counted<'a>(value: Option<u64>) -> Value<'a> {
    known(value.map(Value::Number))
}

pub(super) fn known(value: Option<Value<'_>>) -> Value<'_> {
    value.unwrap_or(Value::Null)
}

pub(super) fn of<'a>(event: &Event<'a>, get: impl Fn(&Program<'a>) -> Value<'a>) -> Value<'a> {
    known(event.program().map(get))
}

pub(super) fn path<'a>(
    event: &Event<'a>,
    get: impl Fn(&Program<'a>) -> Option<&'a [u8]>,
    cut: Fault,
) -> Value<'a> {
    of(event, |program| {
        let form = if program.faults.has(cut) { Value::End } else { Value::Bytes };
        known(get(program).map(form))
    })
}

pub(super) fn exe<'a>(event: &Event<'a>) -> Value<'a> {
    match &event.body {
        Body::Exit(ended) => known(ended.program.and_then(|program| program.exe).map(Value::Bytes)),
        _ => path(event, |program| program.exe, Fault::ExeCut),
    }
}

pub(super) fn args<'a>(event: &Event<'a>) -> Option<Args<'a>> {
    either(event, |program| program.args, |ended| ended.program?.args).flatten()
}

pub(super) fn truncated<'a>(event: &Event<'a>) -> Value<'a> {
    let of_end = |ended: &Ended<'a>| ended.program?.args.map(|args| args.is_cut());
    known(
        either(event, |program| Some(program.faults.cut_arguments()), of_end)
            .flatten()
            .map(Value::Bool),
    )
}

pub(super) fn folded<'a>(event: &Event<'a>) -> Value<'a> {
    match &event.body {
        Body::Exec(program) | Body::Failed(program, _) => number(program.folded),
        Body::Summary(summary) => Value::Number(summary.folded),
        Body::Exit(_) | Body::Lost(_) => Value::Null,
    }
}

pub(super) fn parent<'a>(event: &Event<'a>, get: impl Fn(&Parent<'a>) -> Value<'a>) -> Value<'a> {
    of(event, |program| known(program.parent.as_ref().map(&get)))
}

pub(super) fn namespace<'a>(event: &Event<'a>, get: impl Fn(&Namespaces) -> u32) -> Value<'a> {
    let inode = |namespaces: &Namespaces| Some(get(namespaces)).filter(|&inode| inode != 0);
    of(event, |program| counted(program.namespaces.as_ref().and_then(inode).map(u64::from)))
}

pub(super) fn file<'a>(event: &Event<'a>, get: impl Fn(&File) -> Value<'a>) -> Value<'a> {
    of(event, |program| known(program.file.as_ref().map(&get)))
}

/// From the kernel's form to that of `stat` (`new_encode_dev`, `include/linux/kdev_t.h`).
pub(super) fn device<'a>(device: u32) -> Value<'a> {
    let (major, minor) = (u64::from(device >> 20), u64::from(device & 0xf_ffff));
    Value::Number(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

pub(super) fn container<'a>(
    event: &Event<'a>,
    get: impl Fn(&Container<'a>) -> Value<'a>,
) -> Value<'a> {
    of(event, |program| known(program.cgroup.and_then(container_of).as_ref().map(&get)))
}

pub(super) fn process<'a>(event: &Event<'a>, get: impl Fn(&Process) -> Value<'a>) -> Value<'a> {
    match &event.body {
        Body::Exec(program) | Body::Failed(program, _) => get(&program.process),
        Body::Exit(ended) => get(&ended.process),
        Body::Lost(_) | Body::Summary(_) => Value::Null,
    }
}

/// What programs and ends of processes have in common.
pub(super) fn either<'a, T>(
    event: &Event<'a>,
    program: impl Fn(&Program<'a>) -> T,
    ended: impl Fn(&Ended<'a>) -> T,
) -> Option<T> {
    match &event.body {
        Body::Exec(it) | Body::Failed(it, _) => Some(program(it)),
        Body::Exit(it) => Some(ended(it)),
        Body::Lost(_) | Body::Summary(_) => None,
    }
}

pub(super) fn tid<'a>(event: &Event<'a>) -> Value<'a> {
    known(either(event, |program| program.tid, |ended| ended.tid).map(number))
}

pub(super) fn ppid<'a>(event: &Event<'a>) -> Value<'a> {
    let ppid = either(event, |program| Some(program.parent?.process.pid), |ended| ended.ppid);
    known(ppid.flatten().map(number))
}

pub(super) fn id<'a>(event: &Event<'a>) -> Value<'a> {
    known(either(event, |program| program.id, |ended| ended.id).flatten().map(Value::Id))
}

pub(super) fn image<'a>(event: &Event<'a>) -> Value<'a> {
    counted(either(event, |program| program.image, |ended| ended.image).flatten())
}

pub(super) fn comm<'a>(event: &Event<'a>) -> Value<'a> {
    known(either(event, |program| program.comm, |ended| ended.comm).map(Value::Bytes))
}

pub(super) fn user<'a>(event: &Event<'a>) -> Value<'a> {
    known(either(event, |program| program.user, |ended| ended.user).flatten().map(Value::Name))
}

pub(super) fn unreadable<'a>(event: &Event<'a>) -> Value<'a> {
    let faults = either(event, |program| program.faults, |ended| ended.faults);
    known(faults.map(|faults| Value::Names { table: UNREADABLE, bits: faults.0 }))
}

pub(super) fn creds<'a>(event: &Event<'a>, get: impl Fn(&Creds) -> u32) -> Value<'a> {
    let creds = either(event, |program| program.creds, |ended| ended.creds).flatten();
    known(creds.as_ref().map(|creds| number(get(creds))))
}

pub(super) fn cpu<'a>(event: &Event<'a>) -> Value<'a> {
    match &event.body {
        Body::Lost(lost) => number(lost.cpu),
        _ => known(
            either(event, |program| program.cpu, |ended| ended.cpu).map(|cpu| number(cpu.into())),
        ),
    }
}

pub(super) fn ended<'a>(
    event: &Event<'a>,
    get: impl Fn(&Ended<'a>) -> Option<Value<'a>>,
) -> Value<'a> {
    if let Body::Exit(ended) = &event.body { known(get(ended)) } else { Value::Null }
}

pub(super) fn failure<'a>(event: &Event<'a>, get: impl Fn(&Failure) -> Value<'a>) -> Value<'a> {
    if let Body::Failed(_, failure) = &event.body { get(failure) } else { Value::Null }
}

pub(super) fn lost<'a>(event: &Event<'a>, get: impl Fn(&Lost) -> Value<'a>) -> Value<'a> {
    if let Body::Lost(lost) = &event.body { get(lost) } else { Value::Null }
}

pub(super) fn summary<'a>(event: &Event<'a>, get: impl Fn(&Summary) -> Value<'a>) -> Value<'a> {
    if let Body::Summary(summary) = &event.body { get(summary) } else { Value::Null }
}
