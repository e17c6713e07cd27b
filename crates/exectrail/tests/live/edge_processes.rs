//! Processes that are gone at once, or were there before the trace.

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    edge_expect::{Place, says, trace_of_all},
    support::{Trace, real_kernel, run},
};
use rustix::process::Signal;
use serde_json::json;

/// Nobody has looked at these before they were gone, and yet all is there.
#[test]
fn processes_that_are_gone_before_anyone_looks_are_whole() {
    if !real_kernel("processes_that_are_gone_before_anyone_looks_are_whole") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    trace.signal(Signal::STOP);
    let runs: Vec<_> =
        (0..200).map(|turn| run(Command::new(&target).arg(turn.to_string()))).collect();
    trace.signal(Signal::CONT);
    let outcome = trace.stop();
    for (turn, pid) in runs.into_iter().enumerate() {
        let exec = outcome.only_one_of(pid);
        says(
            exec,
            json!({
                "event": "exec",
                "tid": pid,
                "ppid": std::process::id(),
                "ns_pid": pid,
                "filename": target,
                "exe": target,
                "args": [target, turn.to_string()],
                "args_count": 2,
                "args_truncated": false,
                "comm": "target",
                "uid": 0,
                "euid": 0,
                "flags": [],
                "unreadable": [],
            }),
        );
        says(
            outcome.end_of(pid),
            json!({
                "tid": pid,
                "ppid": std::process::id(),
                "ns_pid": pid,
                "process": exec["process"],
                "image": exec["image"],
                "comm": "target",
                "uid": 0,
                "exit_code": 0,
                "signal": null,
                "core": false,
                "unreadable": [],
            }),
        );
    }
    assert_eq!(outcome.summary()["dropped"], 0);
}

/// A shell that waits for a line, and then does what `script` says.
fn waiting_shell(script: &str) -> Child {
    let script = format!("read line; {script}");
    Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap()
}

fn let_go(shell: &mut Child) {
    shell.stdin.take().unwrap().write_all(b"go\n").unwrap();
    shell.wait().unwrap();
}

/// Nothing of a process needs to have been seen before its exec: what is told of
/// it is the kernel's own.
#[test]
fn a_process_older_than_the_trace_is_whole_at_its_exec() {
    if !real_kernel("a_process_older_than_the_trace_is_whole_at_its_exec") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let mut shell = waiting_shell(&format!("exec {target} older"));
    let pid = shell.id();
    thread::sleep(Duration::from_millis(50));
    let trace = Trace::start(&["--failed", "--exit", "--ancestors", "8", "--only", &place.below()]);
    let_go(&mut shell);
    // A child of the same parent, all of whose life is in the trace.
    let younger = run(Command::new(&target).arg("younger"));
    let outcome = trace.stop();
    let (exec, younger) = (outcome.only_one_of(pid), outcome.only_one_of(younger));
    says(
        exec,
        json!({
            "event": "exec",
            "tid": pid,
            "ppid": std::process::id(),
            "exe": target,
            "args": [target, "older"],
            "comm": "target",
            "parent": younger["parent"],
            "parent_image": younger["parent_image"],
            "parent_comm": younger["parent_comm"],
            "parent_exe": std::env::current_exe().unwrap(),
            "ancestors": younger["ancestors"],
            // The shell's exec counts, though it was not seen.
            "image": younger["image"].as_u64().unwrap() + 1,
            "flags": [],
            "unreadable": [],
        }),
    );
    assert_ne!(exec["process"], younger["process"]);
    let end = outcome.end_of(pid);
    says(
        end,
        json!({
            "ppid": std::process::id(),
            "process": exec["process"],
            "image": exec["image"],
            "exit_code": 0,
            "unreadable": [],
        }),
    );
    // From the start of the process, not of the trace.
    assert!(end["duration_ns"].as_u64().unwrap() > 50_000_000, "{end}");
}

/// No program of such a process was seen, so that no rule says anything of its
/// end; without rules it is told.
#[test]
fn a_process_older_than_the_trace_has_its_end() {
    if !real_kernel("a_process_older_than_the_trace_has_its_end") {
        return;
    }
    let (mut shell, mut unwanted) = (waiting_shell("exit 7"), waiting_shell("exit 8"));
    let place = Place::new();
    let (all, below) = (trace_of_all(), place.trace());
    let_go(&mut shell);
    let_go(&mut unwanted);
    let (outcome, none) = (all.stop(), below.stop());
    says(
        outcome.end_of(shell.id()),
        json!({
            "ppid": std::process::id(),
            "ns_pid": shell.id(),
            "comm": "sh",
            "exit_code": 7,
            "signal": null,
            "core": false,
            "unreadable": [],
        }),
    );
    assert_eq!(none.of_kind("exit").count(), 0);
}
