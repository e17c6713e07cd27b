//! Execs that are refused by what confines the caller, and one that destroys it.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
};

use crate::{
    edge_expect::{Place, says, trace_of},
    edge_watch::Watch,
    support::{Outcome, Trace, real_kernel, run_subject, subject},
};
use serde_json::{Value, json};

/// What `act` makes of a trace of everything.
fn of_all<T>(act: impl FnOnce() -> T) -> (T, Outcome) {
    let watch = Watch::all();
    (act(), watch.stop())
}

/// The one failure of a process, and nothing besides the subject's own exec.
#[track_caller]
fn only_failure_of(outcome: &Outcome, pid: u32) -> &Value {
    let events = outcome.of_process(pid);
    let [own, failed] = events[..] else { panic!("events of {pid}: {events:#?}") };
    says(own, json!({ "event": "exec", "comm": "subject" }));
    failed
}

/// A program that cannot be started, though it begins like one that can.
fn unmappable(place: &Place) -> String {
    let target = place.at("target");
    run_subject(&["unmappable", &target]);
    target
}

/// What is wrong with the file comes to light when the old program is gone: the
/// caller is not told, it dies (`begin_new_exec` and `bprm_execve`, fs/exec.c).
/// Whether it leaves a core is as `wait` says.
#[test]
fn a_failure_that_destroys_the_caller_says_so() {
    if !real_kernel("a_failure_that_destroys_the_caller_says_so") {
        return;
    }
    let place = Place::new();
    let target = unmappable(&place);
    for command in ["with-core", "without-core"] {
        let ((pid, status), outcome) = of_all(|| crash(&place, &[command, &target, "lost"]));
        assert_eq!(status.signal(), Some(11));
        let failed = only_failure_of(&outcome, pid);
        says(
            failed,
            json!({
                "event": "failed",
                "tid": pid,
                "ppid": std::process::id(),
                // The new program's file and name, which the kernel has taken on.
                "exe": target,
                "comm": "target",
                // The caller's memory is gone, and what it gave with it.
                "filename": null,
                "args": null,
                "args_count": null,
                "flags": ["image_lost"],
                "unreadable": ["filename", "args"],
            }),
        );
        let error = failed["error"].as_str().unwrap();
        assert!(["ENOMEM", "EINVAL"].contains(&error), "{error}");
        says(
            outcome.end_of(pid),
            json!({
                "process": failed["process"],
                "image": failed["image"],
                "comm": "target",
                "exit_code": null,
                "signal": 11,
                "core": status.core_dumped(),
                "unreadable": [],
            }),
        );
    }
}

fn crash(place: &Place, args: &[&str]) -> (u32, ExitStatus) {
    let mut command = Command::new(subject());
    let child = command.args(args).current_dir(place.path()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    (child.id(), child.wait().unwrap())
}

/// Such a failure is the program's that was asked for, and found by it. The
/// caller's memory is gone; the new program's file is known to the kernel.
#[test]
fn a_failure_that_destroys_the_caller_is_found_by_its_program() {
    if !real_kernel("a_failure_that_destroys_the_caller_is_found_by_its_program") {
        return;
    }
    let place = Place::new();
    let target = unmappable(&place);
    let trace = trace_of(&target);
    let (pid, _) = place.subject(&["without-core", &target, &target, "lost"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({ "event": "failed", "exe": target, "flags": ["image_lost"] }),
    );
}

/// Seccomp answers before the tracepoint of the system call's entry: no name and no
/// arguments, but no silence either. That it was asked for by the filter itself or
/// by a supervisor makes no difference.
#[test]
fn a_refusal_by_seccomp_is_a_failure_without_names() {
    if !real_kernel("a_refusal_by_seccomp_is_a_failure_without_names") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    for (command, how, printed, error, errno) in [
        ("seccomp", "errno", "Operation not permitted", "EPERM", 1),
        ("notified", "refuse", "Permission denied", "EACCES", 13),
    ] {
        let ((pid, answer), outcome) = of_all(|| place.subject(&[command, how, &target]));
        assert!(answer.contains(printed), "{answer}");
        let failed = only_failure_of(&outcome, pid);
        says(
            failed,
            json!({
                "event": "failed",
                "tid": pid,
                "ppid": std::process::id(),
                "filename": null,
                "exe": null,
                "args": null,
                "args_count": null,
                "error": error,
                "errno": errno,
                "latency_ns": null,
                "comm": "subject",
                "flags": ["no_new_privs"],
                "unreadable": ["filename", "args"],
            }),
        );
        says(outcome.end_of(pid), json!({ "process": failed["process"], "exit_code": 0 }));
    }
}

/// A supervisor can say that there was a success where nothing was done.
#[test]
fn a_success_that_a_supervisor_makes_up_is_no_event() {
    if !real_kernel("a_success_that_a_supervisor_makes_up_is_no_event") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let ((pid, answer), outcome) = of_all(|| place.subject(&["notified", "pretend", &target]));
    assert!(answer.contains("Success"), "{answer}");
    let own = outcome.only_one_of(pid);
    says(own, json!({ "event": "exec", "comm": "subject" }));
    says(outcome.end_of(pid), json!({ "image": own["image"], "comm": "subject" }));
}

/// An exec that a supervisor lets go on is one like any other.
#[test]
fn an_exec_that_a_supervisor_allows_is_whole() {
    if !real_kernel("an_exec_that_a_supervisor_allows_is_whole") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let ((pid, _), outcome) = place.during(|| place.subject(&["notified", "continue", &target]));
    let event = outcome.only_one_of(pid);
    says(
        event,
        json!({
            "event": "exec",
            "tid": pid,
            "ppid": std::process::id(),
            "filename": target,
            "exe": target,
            "args": [target, "notify-marker"],
            "args_count": 2,
            "comm": "target",
            "flags": ["no_new_privs"],
            "unreadable": [],
        }),
    );
    assert!(event["latency_ns"].as_u64().is_some_and(|latency| latency > 1000), "{event}");
    says(outcome.end_of(pid), json!({ "process": event["process"], "exit_code": 0 }));
}

/// The result of a killed call is its own number, a positive one: neither a failure
/// nor an exec, but an end by SIGSYS.
#[test]
fn a_process_that_seccomp_kills_has_neither_failed_nor_execed() {
    if !real_kernel("a_process_that_seccomp_kills_has_neither_failed_nor_execed") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let ((pid, printed), outcome) = of_all(|| place.subject(&["seccomp", "kill", &target]));
    assert_eq!(printed, "");
    let own = outcome.only_one_of(pid);
    says(own, json!({ "event": "exec", "comm": "subject" }));
    says(
        outcome.end_of(pid),
        json!({
            "process": own["process"],
            "image": own["image"],
            "comm": "subject",
            "exit_code": null,
            "signal": 31,
            "core": false,
            "unreadable": [],
        }),
    );
}

/// Landlock stands for all security modules: it is the one that a process can set
/// up for itself. It refuses the file, so that all names are there.
#[test]
fn a_refusal_by_a_security_module_is_a_failure_with_its_names() {
    if !real_kernel("a_refusal_by_a_security_module_is_a_failure_with_its_names") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = Trace::start(&["--failed", "--only", &place.below()]);
    let (pid, printed) = place.subject(&["landlocked", &target]);
    let outcome = trace.stop();
    if printed.starts_with("no Landlock") {
        eprintln!("NOT RUN: {printed}");
        return;
    }
    assert!(printed.contains("Permission denied"), "{printed}");
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "failed",
            "tid": pid,
            "ppid": std::process::id(),
            "filename": target,
            "exe": null,
            "args": [target, "landlock-marker"],
            "args_count": 2,
            "error": "EACCES",
            "errno": 13,
            "comm": "subject",
            "flags": ["no_new_privs"],
            "unreadable": [],
        }),
    );
}
