//! Threads that exec, and threads that end before their process does.

use std::process::Command;

use crate::{
    edge_expect::{Place, says},
    edge_watch::Watch,
    support::{Outcome, is_emulated, real_kernel, subject},
};
use serde_json::json;

/// A failure is the thread's, and so it has the thread's id. With a success the
/// thread becomes the process (`de_thread`, fs/exec.c), and the system call ends
/// under another id than it began.
#[test]
fn a_thread_that_fails_first_and_then_execs() {
    if !real_kernel("a_thread_that_fails_first_and_then_execs") {
        return;
    }
    let place = Place::new();
    let (target, missing) = (place.tiny("target"), place.at("missing"));
    let ((pid, thread), outcome) =
        place.during(|| place.subject(&["fail-and-exec-from-thread", &missing, &target]));
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
            "exe": null,
            "args": [missing, "first"],
            "error": "ENOENT",
            "comm": "subject",
            "ns_pid": pid,
            "flags": [],
            "unreadable": [],
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
            "process": events[0]["process"],
            "image": events[0]["image"].as_u64().unwrap() + 1,
            "flags": [],
            "unreadable": [],
        }),
    );
    // The call began under the thread's id, and it is known when.
    assert!(events[1]["latency_ns"].as_u64().is_some_and(|latency| latency > 1000));
    says(
        outcome.end_of(pid),
        json!({
            "tid": pid,
            "process": events[0]["process"],
            "image": events[1]["image"],
            "exit_code": 0,
            "signal": null,
        }),
    );
}

/// Nine threads of each of many processes exec at the same time.
fn race() -> (String, Vec<u32>, Outcome) {
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let times = if is_emulated() { 30 } else { 100 };
    let runs = (0..times).map(|_| place.subject(&["exec-from-all-threads", &target]).0).collect();
    (target, runs, trace.stop())
}

/// Whichever wins, its exec is the process's only one; the losers' ends are not
/// the end of the process.
#[test]
fn of_threads_that_exec_at_once_one_is_shown() {
    if !real_kernel("of_threads_that_exec_at_once_one_is_shown") {
        return;
    }
    let (target, runs, outcome) = race();
    for pid in runs {
        let execs: Vec<_> = outcome.of_kind("exec").filter(|event| event["pid"] == pid).collect();
        assert_eq!(execs.len(), 1, "{execs:#?}");
        says(
            execs[0],
            json!({
                "tid": pid,
                "ppid": std::process::id(),
                "filename": target,
                "exe": target,
                "args_count": 2,
                "comm": "target",
                "flags": [],
                "unreadable": [],
            }),
        );
        let winner = execs[0]["args"][1].as_str().unwrap();
        assert!(["thread", "leader"].contains(&winner), "{winner}");
        says(
            outcome.end_of(pid),
            json!({
                "tid": pid,
                "process": execs[0]["process"],
                "image": execs[0]["image"],
                "comm": "target",
                "exit_code": 0,
                "unreadable": [],
            }),
        );
    }
    assert_eq!(outcome.summary()["dropped"], 0);
}

/// A loser's system call ends with whatever it was stopped in: with a number that
/// is no errno, or with E2BIG, since the dying get no page to copy an argument to
/// (`get_arg_page`, fs/exec.c). Nobody is left to see it, and it says nothing of
/// the program.
#[test]
fn a_thread_that_dies_in_its_exec_has_not_failed() {
    if !real_kernel("a_thread_that_dies_in_its_exec_has_not_failed") {
        return;
    }
    let (_, _, outcome) = race();
    let failed: Vec<_> = outcome.of_kind("failed").map(|event| &event["error"]).collect();
    assert!(failed.is_empty(), "{} failures: {failed:?}", failed.len());
}

/// The first thread has ended, and with it seems the process; the exec of another
/// one gives its id back to life.
#[test]
fn an_exec_after_the_first_thread_has_ended_is_the_processes() {
    if !real_kernel("an_exec_after_the_first_thread_has_ended_is_the_processes") {
        return;
    }
    let place = Place::new();
    let (program, target) = (place.program("program"), place.tiny("target"));
    let (pid, outcome) = place.during(|| {
        crate::support::run(Command::new(&program).args(["exec-after-leader", &target, "late"]))
    });
    let events = outcome.of_process(pid);
    assert_eq!(events.len(), 2, "{events:#?}");
    says(
        events[1],
        json!({
            "event": "exec",
            "tid": pid,
            "ppid": std::process::id(),
            "process": events[0]["process"],
            "image": events[0]["image"].as_u64().unwrap() + 1,
            "filename": target,
            "exe": target,
            "args": [target, "late"],
            "comm": "target",
            "flags": [],
            "unreadable": [],
        }),
    );
    says(
        outcome.end_of(pid),
        json!({
            "tid": pid,
            "process": events[0]["process"],
            "image": events[1]["image"],
            "comm": "target",
            "exit_code": 0,
            "unreadable": [],
        }),
    );
}

/// What looks like the end of the process, under its own id, is the end of its
/// first thread; its last one has another id.
#[test]
fn a_process_whose_first_thread_ends_first_ends_once_and_by_another_thread() {
    if !real_kernel("a_process_whose_first_thread_ends_first_ends_once_and_by_another_thread") {
        return;
    }
    let place = Place::new();
    let program = place.program("program");
    let (pid, outcome) = place
        .during(|| crate::support::run(Command::new(&program).args(["leader-first", "100", "5"])));
    let (exec, end) = (outcome.only_one_of(pid), outcome.end_of(pid));
    assert_ne!(end["tid"], pid);
    says(
        end,
        json!({
            "ppid": std::process::id(),
            "process": exec["process"],
            "image": exec["image"],
            "ns_pid": pid,
            "exit_code": 5,
            "signal": null,
            "core": false,
            "unreadable": [],
        }),
    );
}

/// Which thread's code is the process's depends on the kernel
/// (`synchronize_group_exit`, kernel/exit.c, 5.17); it is the one that its parent
/// gets to see.
#[test]
fn threads_that_each_end_by_themselves_have_the_code_that_wait_gives() {
    if !real_kernel("threads_that_each_end_by_themselves_have_the_code_that_wait_gives") {
        return;
    }
    // The subject's own exec and end: no rule of a place finds them.
    let watch = Watch::all();
    let mut child = Command::new(subject()).args(["end-each", "3", "9"]).spawn().unwrap();
    let pid = child.id();
    let code = child.wait().unwrap().code();
    let outcome = watch.stop();
    assert!([Some(3), Some(9)].contains(&code), "{code:?}");
    says(outcome.end_of(pid), json!({ "exit_code": code, "signal": null, "core": false }));
}
