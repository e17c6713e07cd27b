//! Processes whose ids mean something else where they live.

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use crate::{
    edge_expect::{NOBODY, Place, hear, nobody, says, says_what_was_told},
    support::real_kernel,
};
use serde_json::json;

/// Who is root in a user namespace is someone else outside.
#[test]
fn the_root_of_a_user_namespace_is_shown_as_who_it_is() {
    if !real_kernel("the_root_of_a_user_namespace_is_shown_as_who_it_is") {
        return;
    }
    let place = Place::new();
    let target = place.program("target");
    let script = format!("test $(id -u) = 0 && exec {target} tell user_ns pid_ns mnt_ns");
    let mut command = nobody(&["unshare", "--user", "--map-root-user", "sh", "-c", &script]);
    let ((pid, told), outcome) = place.during(|| hear(&mut command));
    let event = outcome.only_one_of(pid);
    says(
        event,
        json!({
            "event": "exec",
            "exe": target,
            "uid": NOBODY,
            "euid": NOBODY,
            "suid": NOBODY,
            "fsuid": NOBODY,
            "gid": NOBODY,
            "egid": NOBODY,
            "sgid": NOBODY,
            "fsgid": NOBODY,
            "flags": [],
            "unreadable": [],
        }),
    );
    says_what_was_told(event, &told);
    assert_ne!(event["user_ns"], own("user"));
    says(outcome.end_of(pid), json!({ "uid": NOBODY, "euid": NOBODY, "exit_code": 0 }));
}

/// The first process of a pid namespace has the id that it has outside, and the
/// one that it has inside beside it.
#[test]
fn the_first_process_of_a_pid_namespace_has_both_its_ids() {
    if !real_kernel("the_first_process_of_a_pid_namespace_has_both_its_ids") {
        return;
    }
    let place = Place::new();
    let target = place.program("target");
    let mut command = Command::new("unshare");
    // The `/proc` is that of the outside, which knows all its ids.
    command.args(["--pid", "--fork", &target, "tell", "pid", "ns_pid", "pid_ns", "user_ns"]);
    let ((unshare, told), outcome) = place.during(|| hear(&mut command));
    let event = outcome.of_kind("exec").next().unwrap();
    says(
        event,
        json!({
            "tid": event["pid"],
            "ppid": unshare,
            "ns_pid": 1,
            "exe": target,
            "parent_comm": "unshare",
            "flags": [],
            "unreadable": [],
        }),
    );
    says_what_was_told(event, &told);
    assert_ne!(event["pid_ns"], own("pid"));
    says(
        outcome.end_of(event["pid"].as_u64().unwrap().try_into().unwrap()),
        json!({
            "ppid": unshare,
            "ns_pid": 1,
            "pid_ns": event["pid_ns"],
            "process": event["process"],
            "exit_code": 0,
            "unreadable": [],
        }),
    );
}

fn own(namespace: &str) -> u64 {
    let link = format!("/proc/self/ns/{namespace}");
    fs::metadata(link).unwrap().ino()
}

/// A number that is given again, as in a pid namespace of the test's own it can
/// be told to be: the two are not one process. Their ids count time in hundredths
/// of a second, so they are further apart than that.
#[test]
fn a_process_id_that_is_used_again_is_another_process() {
    if !real_kernel("a_process_id_that_is_used_again_is_another_process") {
        return;
    }
    if !Path::new("/proc/sys/kernel/ns_last_pid").exists() {
        eprintln!("NOT RUN: this kernel gives the ids that it likes");
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let script = format!(
        "mount -t proc proc /proc
         stat -Lc '{{\"pid_ns\": %i}}' /proc/self/ns/pid
         for turn in first second; do
             echo 300 > /proc/sys/kernel/ns_last_pid
             {target} $turn
             sleep 0.05
         done"
    );
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount", "sh", "-c", &script]);
    let ((_, told), outcome) = place.during(|| hear(&mut command));
    let execs: Vec<_> = outcome.of_kind("exec").collect();
    let [first, second] = execs[..] else { panic!("{execs:#?}") };
    for (event, turn) in [(first, "first"), (second, "second")] {
        says(
            event,
            json!({
                "ns_pid": 301,
                "exe": target,
                "args": [target, turn],
                "parent": first["parent"],
                "parent_comm": "sh",
                "unreadable": [],
            }),
        );
        says_what_was_told(event, &told);
        says(
            outcome.end_of(event["pid"].as_u64().unwrap().try_into().unwrap()),
            json!({ "ns_pid": 301, "pid_ns": event["pid_ns"], "process": event["process"] }),
        );
    }
    assert_ne!(first["process"], second["process"]);
}

/// A time namespace moves the clock that processes see, and with it the start of
/// a process in `/proc`; what is told of it stays.
#[test]
fn a_moved_clock_moves_neither_start_nor_end() {
    if !real_kernel("a_moved_clock_moves_neither_start_nor_end") {
        return;
    }
    if !Path::new("/proc/self/ns/time").exists() {
        eprintln!("NOT RUN: this kernel has no time namespaces");
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let script = format!("{target} here; unshare --time --boottime 1000000 --fork {target} there");
    let ((_, _), outcome) = place.during(|| hear(Command::new("sh").args(["-c", &script])));
    let execs: Vec<_> = outcome.of_kind("exec").collect();
    let [here, there] = execs[..] else { panic!("{execs:#?}") };
    says(there, json!({ "args": [target, "there"], "parent_comm": "unshare", "unreadable": [] }));
    let between = there["ktime"].as_u64().unwrap().checked_sub(here["ktime"].as_u64().unwrap());
    assert!(between.is_some_and(|nanos| nanos < 60_000_000_000), "{between:?}");
    let end = outcome.end_of(there["pid"].as_u64().unwrap().try_into().unwrap());
    says(end, json!({ "process": there["process"], "exit_code": 0 }));
    assert!(end["duration_ns"].as_u64().unwrap() < 60_000_000_000, "{end}");
}
