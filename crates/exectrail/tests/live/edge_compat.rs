//! Programs of another word size. The tracepoints of system calls are silent
//! for their tasks (`trace_get_syscall_nr`, `kernel/trace/trace_syscalls.c`); what
//! they run is seen all the same.
#![cfg(target_arch = "x86_64")]

use std::process::Command;

use crate::{
    edge_expect::{Place, file_of, says},
    support::{real_kernel, run, run_subject},
};
use serde_json::json;

/// Whether this kernel runs 32-bit programs at all.
fn runs_32(program: &str) -> bool {
    let runs = Command::new(program).status().is_ok_and(|status| status.success());
    if !runs {
        eprintln!("NOT RUN: this kernel runs no 32-bit programs");
    }
    runs
}

#[test]
fn a_32_bit_program_is_shown() {
    if !real_kernel("a_32_bit_program_is_shown") {
        return;
    }
    let place = Place::new();
    let target = place.at("target");
    run_subject(&["tiny-32", &target]);
    if !runs_32(&target) {
        return;
    }
    let (pid, outcome) = place.during(|| run(Command::new(&target).args(["first", "b c", ""])));
    let event = outcome.only_one_of(pid);
    says(
        event,
        json!({
            "event": "exec",
            "filename": target,
            "exe": target,
            "args": [target, "first", "b c", ""],
            "args_count": 4,
            "comm": "target",
            "interpreter": null,
            "flags": [],
            "unreadable": [],
        }),
    );
    says(event, file_of(&target));
    says(outcome.end_of(pid), json!({ "process": event["process"], "exit_code": 0 }));
}

/// The exit of such an exec is seen without its beginning: the program is a
/// 64-bit one by then (`set_personality_64bit`, `arch/x86/kernel/process_64.c`).
#[test]
fn a_program_that_a_32_bit_one_execs_is_shown() {
    if !real_kernel("a_program_that_a_32_bit_one_execs_is_shown") {
        return;
    }
    let place = Place::new();
    let (target, small) = (place.tiny("target"), place.at("small"));
    let (first, second) = (place.at("first"), place.at("second"));
    run_subject(&["tiny-32", &small]);
    run_subject(&["exec-32", &first, &target, "to 64"]);
    run_subject(&["exec-32", &second, &small, "to 32"]);
    if !runs_32(&small) {
        return;
    }
    let watch = place.watch();
    let runs = [(&first, &target, "to 64"), (&second, &small, "to 32")]
        .map(|(from, to, marker)| (from, to, marker, run(&mut Command::new(from))));
    let outcome = watch.stop();
    for (from, to, marker, pid) in runs {
        let events = outcome.of_process(pid);
        assert_eq!(events.len(), 2, "{events:#?}");
        says(events[0], json!({ "event": "exec", "exe": from, "args": [from] }));
        says(
            events[1],
            json!({
                "event": "exec",
                "filename": to,
                "exe": to,
                "args": [to, marker],
                "args_count": 2,
                "image": events[0]["image"].as_u64().unwrap() + 1,
                // The call's entry was not seen.
                "latency_ns": null,
                "flags": [],
                "unreadable": [],
            }),
        );
        says(outcome.end_of(pid), json!({ "image": events[1]["image"], "exit_code": 0 }));
    }
}
