//! Rights, namespaces, filters, and an exec that destroys its caller.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    edge_expect::{Place, says},
    support::{Outcome, Trace, program_at, real_kernel, run, run_subject},
};
use serde_json::{Value, json};

const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// P8. What is wrong with the file comes to light when the old program is gone:
/// the caller is not told, it dies (`begin_new_exec` and `bprm_execve`,
/// fs/exec.c).
#[test]
fn a_failure_that_destroys_the_caller_says_so() {
    if !real_kernel("a_failure_that_destroys_the_caller_says_so") {
        return;
    }
    let place = Place::new();
    let target = place.at("target");
    run_subject(&["unmappable", &target]);
    let trace = Trace::start(&["--failed"]);
    let (pid, printed) = place.subject(&["without-core", &target, &target, "lost"]);
    let outcome = trace.stop();
    assert_eq!(printed, "");
    let events = after_the_subject(&outcome, pid);
    assert_eq!(events.len(), 1, "{events:#?}");
    says(
        events[0],
        json!({
            "event": "failed",
            "tid": pid,
            "ppid": std::process::id(),
            "args": null,
            "args_count": null,
            "flags": ["image_lost"],
            // The new program's name, which the kernel has given to the task.
            "comm": "target",
        }),
    );
    let error = events[0]["error"].as_str().unwrap();
    assert!(["ENOMEM", "EINVAL"].contains(&error), "{error}");
}

/// P8. Such a failure is the program's that was asked for, and found by it. The
/// caller's memory is gone; the new program's file is known to the kernel.
#[test]
fn a_failure_that_destroys_the_caller_is_found_by_its_program() {
    if !real_kernel("a_failure_that_destroys_the_caller_is_found_by_its_program") {
        return;
    }
    let place = Place::new();
    let target = place.at("target");
    run_subject(&["unmappable", &target]);
    let trace = Trace::start(&["--failed", "--only", &target]);
    let (pid, _) = place.subject(&["without-core", &target, &target, "lost"]);
    let outcome = trace.stop();
    says(outcome.only_one_of(pid), json!({ "event": "failed", "flags": ["image_lost"] }));
}

/// Failures and execs of a process, apart from that of the subject itself.
fn after_the_subject(outcome: &Outcome, pid: u32) -> Vec<&Value> {
    let events = outcome.of_process(pid);
    events
        .into_iter()
        .filter(|event| event["comm"] != "subject" || event["event"] != "exec")
        .collect()
}

/// P9. Seccomp answers before the tracepoint of the system call's entry: no name
/// and no arguments, but no silence either.
#[test]
fn a_refusal_by_seccomp_is_a_failure_without_names() {
    if !real_kernel("a_refusal_by_seccomp_is_a_failure_without_names") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    // Nothing names it, so there is no rule.
    let trace = Trace::start(&["--failed"]);
    let (pid, error) = place.subject(&["seccomp", "errno", &target]);
    assert!(error.contains("Operation not permitted"), "{error}");
    let outcome = trace.stop();
    let events = after_the_subject(&outcome, pid);
    assert_eq!(events.len(), 1, "{events:#?}");
    says(
        events[0],
        json!({
            "event": "failed",
            "tid": pid,
            "ppid": std::process::id(),
            "filename": null,
            "args": null,
            "args_count": null,
            "error": "EPERM",
            "errno": 1,
            "latency_ns": null,
            "comm": "subject",
            "flags": ["no_new_privs"],
            "unreadable": ["filename", "args"],
        }),
    );
}

/// P9. The result of a killed call is its own number, a positive one.
#[test]
fn a_process_that_seccomp_kills_has_neither_failed_nor_execed() {
    if !real_kernel("a_process_that_seccomp_kills_has_neither_failed_nor_execed") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = Trace::start(&["--failed"]);
    let (pid, printed) = place.subject(&["seccomp", "kill", &target]);
    let outcome = trace.stop();
    assert_eq!(printed, "");
    assert_eq!(after_the_subject(&outcome, pid), Vec::<&Value>::new());
    assert_eq!(outcome.of_process(pid).len(), 1, "the subject's own exec");
}

/// P12. The new program's credentials, and the old ones where no new privileges
/// are allowed.
#[test]
fn a_program_with_its_owners_rights_shows_whose() {
    if !real_kernel("a_program_with_its_owners_rights_shows_whose") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o4755)).unwrap();
    let trace = place.trace();
    let raised = run(Command::new(&target).arg("raised").uid(65534).gid(65534));
    let held =
        run(Command::new("setpriv").args(NOBODY).arg("--no-new-privs").args([&target, "held"]));
    let outcome = trace.stop();
    let nobody = 65534;
    for (pid, effective) in [(raised, 0), (held, nobody)] {
        says(
            outcome.only_one_of(pid),
            json!({
                "event": "exec",
                "exe": target,
                "uid": nobody,
                "euid": effective,
                "suid": effective,
                "fsuid": effective,
                "gid": nobody,
                "egid": nobody,
                "sgid": nobody,
                "fsgid": nobody,
            }),
        );
    }
}

/// P12. Of a failure the caller's.
#[test]
fn a_failure_shows_the_rights_of_its_caller() {
    if !real_kernel("a_failure_shows_the_rights_of_its_caller") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o4700)).unwrap();
    let trace = place.trace();
    let mut command = Command::new(&target);
    assert!(command.arg("refused").uid(65534).gid(65534).spawn().is_err());
    let outcome = trace.stop();
    let failed: Vec<_> = outcome.of_kind("failed").collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
    says(
        failed[0],
        json!({
            "filename": target,
            "args": [target, "refused"],
            "error": "EACCES",
            "uid": 65534,
            "euid": 65534,
            "suid": 65534,
            "egid": 65534,
        }),
    );
}

/// P13. Who is root in a user namespace is someone else outside.
#[test]
fn the_root_of_a_user_namespace_is_shown_as_who_it_is() {
    if !real_kernel("the_root_of_a_user_namespace_is_shown_as_who_it_is") {
        return;
    }
    let place = Place::new();
    let target = program_at(&place.path().join("target")).to_owned();
    let trace = place.trace();
    let command = ["unshare", "--user", "--map-root-user", "sh", "-c"];
    let script = format!("test $(id -u) = 0 && exec {target} exit mapped");
    let pid = run(Command::new("setpriv").args(NOBODY).args(command).arg(script));
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "args": [target, "exit", "mapped"],
            "uid": 65534,
            "euid": 65534,
            "gid": 65534,
            "fsgid": 65534,
        }),
    );
}

/// P14. The first process of a pid namespace has the id that it has outside.
#[test]
fn the_first_process_of_a_pid_namespace_has_its_id_from_outside() {
    if !real_kernel("the_first_process_of_a_pid_namespace_has_its_id_from_outside") {
        return;
    }
    let place = Place::new();
    let target = program_at(&place.path().join("target")).to_owned();
    let trace = place.trace();
    let mut unshare = Command::new("unshare")
        .args(["--pid", "--fork", &target, "wait", "inside"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let (pid, inside) = waiting_child_of(unshare.id());
    drop(unshare.stdin.take());
    assert!(unshare.wait().unwrap().success());
    let outcome = trace.stop();
    assert_eq!(inside, 1);
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "tid": pid,
            "ppid": unshare.id(),
            "exe": target,
            "args": [target, "wait", "inside"],
        }),
    );
}

/// The ids, outside and inside, of a child that has execed already.
fn waiting_child_of(parent: u32) -> (u32, u32) {
    let give_up = Instant::now() + Duration::from_secs(30);
    let line = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned()
    };
    while Instant::now() < give_up {
        let statuses = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("status")).ok());
        for status in statuses {
            if line(&status, "PPid:") == parent.to_string() && line(&status, "Name:") == "target" {
                let ids = line(&status, "NSpid:");
                let (outside, inside) = ids.split_once('\t').unwrap();
                return (outside.parse().unwrap(), inside.parse().unwrap());
            }
        }
    }
    panic!("no such child");
}
