//! Attaching, and what classic tracepoints need to know beforehand.

use std::os::fd::{AsFd, OwnedFd};

use aya::programs::{Program, raw_trace_point::RawTracePointLink};
use exectrail_abi::config::Formats;

use crate::{
    error::SensorError,
    format::{Expected, TracepointFormat},
    object::Object,
    programs::{Attach, Hook},
    refusal, sys,
    tracefs::Tracefs,
};

/// An attached program; detached when dropped.
#[expect(dead_code, reason = "held for what happens when it is dropped")]
pub(crate) enum Link {
    Raw(RawTracePointLink),
    Classic(OwnedFd),
}

/// Whether any of these hooks needs tracefs.
pub(crate) fn needs_tracefs(hooks: &[Hook]) -> bool {
    hooks.iter().any(|hook| matches!(hook.attach, Attach::Classic(_)))
}

/// The offsets of all tracepoint fields that these hooks read.
pub(crate) fn formats(hooks: &[Hook], tracefs: Option<&Tracefs>) -> Result<Formats, SensorError> {
    let mut formats = Formats::NONE;
    let Some(tracefs) = tracefs else { return Ok(formats) };
    for hook in hooks {
        let Attach::Classic(tracepoints) = hook.attach else { continue };
        for (category, name) in tracepoints {
            let text = tracefs.format(category, name)?;
            note(&mut formats, name, &text).map_err(|error| {
                SensorError::at(format!("reading the format of {category}:{name}"), error)
            })?;
        }
    }
    Ok(formats)
}

fn note(
    formats: &mut Formats,
    tracepoint: &str,
    text: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let format = TracepointFormat::parse(text)?;
    if format.name != tracepoint {
        return Err(format!("it is that of {}", format.name).into());
    }
    match tracepoint {
        "sched_process_exec" => {
            formats.sched_process_exec_filename = format.offset_of("filename", Expected::Text)?;
            formats.sched_process_exec_old_pid = format.offset_of("old_pid", Expected::Pid)?;
        }
        "sys_enter_execve" => {
            formats.sys_enter_execve_filename = format.offset_of("filename", Expected::Argument)?;
            formats.sys_enter_execve_argv = format.offset_of("argv", Expected::Argument)?;
        }
        "sys_enter_execveat" => {
            formats.sys_enter_execveat_filename =
                format.offset_of("filename", Expected::Argument)?;
            formats.sys_enter_execveat_argv = format.offset_of("argv", Expected::Argument)?;
            formats.sys_enter_execveat_flags = format.offset_of("flags", Expected::Argument)?;
        }
        "sched_process_exit" => {}
        _ => {
            let ret = format.offset_of("ret", Expected::Result)?;
            let unset = exectrail_abi::config::ABSENT;
            if formats.sys_exit_ret != unset && formats.sys_exit_ret != ret {
                return Err("the exits of execve and execveat differ".into());
            }
            formats.sys_exit_ret = ret;
        }
    }
    Ok(())
}

/// Attaches a loaded program wherever it belongs.
pub(crate) fn attach(
    object: &mut Object,
    hook: &Hook,
    tracefs: Option<&Tracefs>,
) -> Result<Vec<Link>, SensorError> {
    match hook.attach {
        Attach::Raw(tracepoint) => attach_raw(object, hook, tracepoint).map(|link| vec![link]),
        Attach::Classic(tracepoints) => tracepoints
            .iter()
            .map(|(category, name)| attach_classic(object, hook, tracefs, category, name))
            .collect(),
    }
}

fn failed(
    hook: &Hook,
    to: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> SensorError {
    SensorError::refused(step(hook, to), error)
}

fn step(hook: &Hook, to: &str) -> String {
    format!("attaching {} to {to} ({})", hook.program, hook.without)
}

fn attach_raw(object: &mut Object, hook: &Hook, tracepoint: &str) -> Result<Link, SensorError> {
    let Program::RawTracePoint(program) = object.program_mut(hook.program)? else {
        return Err(failed(hook, tracepoint, "it is of another kind"));
    };
    let link = program.attach(tracepoint).and_then(|id| program.take_link(id));
    link.map(Link::Raw).map_err(|error| failed(hook, tracepoint, error))
}

fn attach_classic(
    object: &mut Object,
    hook: &Hook,
    tracefs: Option<&Tracefs>,
    category: &str,
    name: &str,
) -> Result<Link, SensorError> {
    let tracefs = tracefs.ok_or_else(|| failed(hook, name, "no tracefs"))?;
    let text = tracefs.format(category, name)?;
    let id = TracepointFormat::parse(&text).map_err(|error| failed(hook, name, error))?.id;
    let program = object.program_mut(hook.program)?;
    let fd = program.fd().map_err(|error| failed(hook, name, error))?;
    let event = sys::attach_tracepoint(fd.as_fd(), id);
    event.map(Link::Classic).map_err(|error| refusal::of_tracepoint(step(hook, name), error))
}
