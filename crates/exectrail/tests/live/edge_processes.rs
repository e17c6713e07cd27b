//! Threads, parents, and processes that are gone at once.

use std::process::Command;

use crate::{
    edge_expect::{Place, says},
    support::{Outcome, real_kernel, run, subject},
};
use rustix::process::Signal;
use serde_json::json;

/// P1. A failure is the thread's, and so it has the thread's id. With a success
/// the thread becomes the process (`de_thread`, fs/exec.c), and the system call
/// ends under another id than it began.
#[test]
fn a_thread_that_fails_first_and_then_execs() {
    if !real_kernel("a_thread_that_fails_first_and_then_execs") {
        return;
    }
    let place = Place::new();
    let (target, missing) = (place.tiny("target"), place.at("missing"));
    let trace = place.trace();
    let (pid, thread) = place.subject(&["fail-and-exec-from-thread", &missing, &target]);
    let outcome = trace.stop();
    let thread: u32 = thread.parse().unwrap();
    assert_ne!(thread, pid);
    let events = outcome.of_process(pid);
    assert_eq!(events.len(), 2, "{events:#?}");
    says(
        events[0],
        json!({
            "event": "failed",
            "tid": thread,
            "ppid": std::process::id(),
            "filename": missing,
            "args": [missing, "first"],
            "error": "ENOENT",
        }),
    );
    says(
        events[1],
        json!({
            "event": "exec",
            "tid": pid,
            "ppid": std::process::id(),
            "filename": target,
            "exe": target,
            "args": [target, "then"],
            "comm": "target",
            "image": events[0]["image"].as_u64().unwrap() + 1,
        }),
    );
}

/// Nine threads of each of a hundred processes exec at the same time.
fn race() -> (String, Vec<u32>, Outcome) {
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let runs = (0..100).map(|_| place.subject(&["exec-from-all-threads", &target]).0).collect();
    (target, runs, trace.stop())
}

/// P2. Whichever wins, its exec is the process's only one.
#[test]
fn of_threads_that_exec_at_once_one_is_shown() {
    if !real_kernel("of_threads_that_exec_at_once_one_is_shown") {
        return;
    }
    let (target, runs, outcome) = race();
    for pid in runs {
        let execs: Vec<_> = outcome.of_kind("exec").filter(|event| event["pid"] == pid).collect();
        assert_eq!(execs.len(), 1, "{execs:#?}");
        says(execs[0], json!({ "tid": pid, "exe": target, "args_count": 2, "unreadable": [] }));
        let winner = execs[0]["args"][1].as_str().unwrap();
        assert!(["thread", "leader"].contains(&winner), "{winner}");
    }
    assert_eq!(outcome.summary()["dropped"], 0);
}

/// P2. A loser's system call ends with whatever it was stopped in: with a
/// number that is no errno, or with E2BIG, since the dying get no page to copy
/// an argument to (`get_arg_page`, fs/exec.c). Nobody is left to see it, and it
/// says nothing of the program.
#[test]
fn a_thread_that_dies_in_its_exec_has_not_failed() {
    if !real_kernel("a_thread_that_dies_in_its_exec_has_not_failed") {
        return;
    }
    let (_, _, outcome) = race();
    let failed: Vec<_> = outcome.of_kind("failed").map(|event| &event["error"]).collect();
    assert!(failed.is_empty(), "{} failures: {failed:?}", failed.len());
}

/// P3, P4. The first thread has ended, and with it seems the process; the exec of
/// another one gives its id back to life.
#[test]
fn an_exec_after_the_first_thread_has_ended_is_the_processes() {
    if !real_kernel("an_exec_after_the_first_thread_has_ended_is_the_processes") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let (pid, _) = place.subject(&["exec-after-leader", &target, "late"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "tid": pid,
            "ppid": std::process::id(),
            "exe": target,
            "args": [target, "late"],
            "comm": "target",
            "unreadable": [],
        }),
    );
}

/// P6. The C library's `posix_spawnp` looks along the PATH in a child that
/// shares its parent's memory.
#[test]
fn a_path_walk_in_shared_memory_shows_each_miss_and_the_hit() {
    if !real_kernel("a_path_walk_in_shared_memory_shows_each_miss_and_the_hit") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("hit/by-name");
    let folders: Vec<_> = (0..8).map(|number| place.at(&format!("miss-{number}"))).collect();
    let path = format!("{}:{}", folders.join(":"), place.at("hit"));
    let trace = place.trace();
    let output = Command::new(subject())
        .args(["spawn-by-name", "by-name", "walk"])
        .env("PATH", path)
        .output()
        .unwrap();
    let outcome = trace.stop();
    let child = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let events = outcome.of_process(child);
    assert_eq!(events.len(), 9, "{events:#?}");
    for (event, folder) in events.iter().zip(&folders) {
        says(
            event,
            json!({
                "event": "failed",
                "filename": format!("{folder}/by-name"),
                "args": ["by-name", "walk"],
                "error": "ENOENT",
                "comm": "subject",
                "image": events[0]["image"],
            }),
        );
    }
    says(
        events[8],
        json!({
            "event": "exec",
            "filename": target,
            "exe": target,
            "args": ["by-name", "walk"],
            "ppid": events[0]["ppid"],
            "image": events[0]["image"].as_u64().unwrap() + 1,
        }),
    );
}

/// P11. A tracer is no parent, though `/proc` and `wait` treat it like one.
#[test]
fn a_traced_process_keeps_its_parent() {
    if !real_kernel("a_traced_process_keeps_its_parent") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let (parent, printed) = place.subject(&["ptraced", &target, "traced"]);
    let outcome = trace.stop();
    let (child, tracer) = printed.split_once(' ').unwrap();
    assert_ne!(tracer, parent.to_string());
    says(
        outcome.only_one_of(child.parse().unwrap()),
        json!({ "event": "exec", "ppid": parent, "exe": target, "args": [target, "traced"] }),
    );
}

/// P17.
#[test]
fn an_orphans_parent_is_the_one_that_took_it_over() {
    if !real_kernel("an_orphans_parent_is_the_one_that_took_it_over") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let (adopter, orphan) = place.subject(&["orphan", &target, "adopted"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(orphan.parse().unwrap()),
        json!({ "event": "exec", "ppid": adopter, "exe": target, "args": [target, "adopted"] }),
    );
}

/// P16. Nobody has looked at these before they were gone, and yet all is there.
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
        (0..100).map(|turn| run(Command::new(&target).arg(turn.to_string()))).collect();
    trace.signal(Signal::CONT);
    let outcome = trace.stop();
    for (turn, pid) in runs.into_iter().enumerate() {
        says(
            outcome.only_one_of(pid),
            json!({
                "event": "exec",
                "tid": pid,
                "ppid": std::process::id(),
                "filename": target,
                "exe": target,
                "args": [target, turn.to_string()],
                "comm": "target",
                "uid": 0,
                "euid": 0,
                "unreadable": [],
            }),
        );
    }
    assert_eq!(outcome.summary()["dropped"], 0);
}
