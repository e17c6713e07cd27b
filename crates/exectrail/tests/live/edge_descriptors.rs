//! Files by descriptor, by directory and name, without a name, by a name that is
//! gone; and files that are only asked about.

use std::{fs, process::Command};

use crate::{
    edge_expect::{Place, file_of, kernel_since, says, says_what_was_told, trace_of},
    support::{real_kernel, run, subject},
};
use serde_json::json;

/// The kernel makes a name of the descriptor (`alloc_bprm`, fs/exec.c), and
/// up to 6.13 the short name too; since then that is the file's
/// (`comm_from_dentry`).
#[test]
fn a_program_by_descriptor_has_the_path_of_its_file() {
    if !real_kernel("a_program_by_descriptor_has_the_path_of_its_file") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let event =
        place.event_of(|| place.subject(&["fexecve", &target, "zeroth", "by descriptor", ""]).0);
    // Stable kernels have it from 6.14, too.
    let has_files_name = kernel_since(6, 14) || event["comm"] == "target";
    let comm = if has_files_name { "target" } else { "100" };
    says(
        &event,
        json!({
            "event": "exec",
            "filename": "/dev/fd/100",
            "exe": target,
            "args": ["zeroth", "by descriptor", ""],
            "args_count": 3,
            "comm": comm,
            "interpreter": null,
            "flags": [],
            "unreadable": [],
        }),
    );
    says(&event, file_of(&target));
}

/// A file without any directory: its name is all there is, and a rule finds
/// it by that.
#[test]
fn a_program_in_memory_alone_is_shown_by_its_name() {
    if !real_kernel("a_program_in_memory_alone_is_shown_by_its_name") {
        return;
    }
    let place = Place::new();
    let name = format!("edge-{}", std::process::id());
    let subject = subject();
    let args = ["zeroth", "tell", "exe_dev", "exe_inode", "exe_mode", "comm"];
    let trace = trace_of(&format!("/memfd:{name}"));
    let memfd = ["memfd", &name, subject.to_str().unwrap()];
    let (pid, told) = place.subject(&[&memfd[..], &args].concat());
    let outcome = trace.stop();
    let event = outcome.only_one_of(pid);
    says(
        event,
        json!({
            "event": "exec",
            "filename": "/dev/fd/100",
            "exe": format!("/memfd:{name}"),
            "args": args,
            "args_count": 6,
            "interpreter": null,
            "flags": ["memfd", "deleted"],
            "unreadable": [],
        }),
    );
    says_what_was_told(event, &told);
    says(outcome.end_of(pid), json!({ "process": event["process"], "exit_code": 0 }));
}

#[test]
fn a_program_by_directory_and_name_has_its_whole_path() {
    if !real_kernel("a_program_by_directory_and_name_has_its_whole_path") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("directory/below/target");
    let directory = place.at("directory");
    let by_directory =
        |name| place.subject(&["execveat", &directory, name, "zeroth", "relative"]).0;
    let ((pid, missing), outcome) =
        place.during(|| (by_directory("below/target"), by_directory("below/missing")));
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": "/dev/fd/100/below/target",
            "exe": target,
            "args": ["zeroth", "relative"],
            "comm": "target",
            "cwd": place.path(),
            "flags": [],
            "unreadable": [],
        }),
    );
    // Of a failure there is what the caller gave, and no rule about the directory
    // can find that.
    assert_eq!(outcome.of_process(missing).len(), 0);
}

/// Of a failure there is what the caller gave.
#[test]
fn a_failure_by_directory_and_name_has_the_name_as_given() {
    if !real_kernel("a_failure_by_directory_and_name_has_the_name_as_given") {
        return;
    }
    let place = Place::new();
    let name = format!("missing-{}", std::process::id());
    let trace = trace_of(&name);
    let (pid, _) = place.subject(&["execveat", &place.at("."), &name, "zeroth", "first"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "failed",
            "filename": name,
            "exe": null,
            "args": ["zeroth", "first"],
            "args_count": 2,
            "error": "ENOENT",
            "comm": "subject",
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// A question that is answered with yes is no event of any kind, whichever
/// way it is asked.
#[test]
fn a_permitted_question_is_no_event() {
    if !real_kernel("a_permitted_question_is_no_event") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let script = place.executable("script", "#!/bin/sh\n");
    let watch = place.watch();
    for (command, path) in [
        ("execveat-check", &target),
        ("execveat-check", &script),
        ("fexecve-check", &target),
        ("fexecve-check", &script),
    ] {
        let (pid, answer) = place.subject(&[command, path]);
        assert_eq!(answer == "0", kernel_since(6, 14), "{command} of {pid}: {answer}");
    }
    // What was remembered of the question is not mistaken for the next exec.
    let real = run(Command::new(&target).arg("afterwards"));
    let outcome = watch.stop();
    if kernel_since(6, 14) {
        let event = outcome.only_one_of(real);
        says(event, json!({ "event": "exec", "exe": target, "flags": [] }));
        let count = |kind| outcome.of_kind(kind).count();
        assert_eq!((count("exec"), count("failed")), (1, 0), "{:#?}", outcome.events);
    }
}

/// One that is answered with no is a failure, and says that it was a question.
#[test]
fn a_refused_question_is_a_failure_that_says_so() {
    if !real_kernel("a_refused_question_is_a_failure_that_says_so") {
        return;
    }
    let place = Place::new();
    let refused = place.at("refused");
    fs::write(&refused, "x").unwrap();
    let ((pid, answer), outcome) = place.during(|| place.subject(&["execveat-check", &refused]));
    assert_eq!(answer, "-1");
    // A kernel that does not know the question does not know the flag.
    let error = if kernel_since(6, 14) { "EACCES" } else { "EINVAL" };
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "failed",
            "tid": pid,
            "filename": refused,
            "exe": null,
            "args": [refused, "asks-only"],
            "error": error,
            "comm": "subject",
            "flags": ["check"],
            "unreadable": [],
        }),
    );
}

/// The path is the one that the file had; nothing of it is stood in for by
/// what has taken its place since.
#[test]
fn a_deleted_program_has_the_path_that_it_had() {
    if !real_kernel("a_deleted_program_has_the_path_that_it_had") {
        return;
    }
    let place = Place::new();
    // Beside another file; and alone, so that its directory goes too.
    let files = [place.tiny("beside/target"), place.tiny("alone/target")];
    place.tiny("beside/other");
    for target in files {
        let file = file_of(&target);
        let event = place.event_of(|| place.subject(&["fexecve-unlinked", &target, "zeroth"]).0);
        says(
            &event,
            json!({
                "event": "exec",
                "filename": "/dev/fd/100",
                "exe": target,
                "args": ["zeroth"],
                "flags": ["deleted"],
                "unreadable": [],
            }),
        );
        says(&event, file);
    }
    assert!(fs::metadata(place.at("beside")).is_ok() && fs::metadata(place.at("alone")).is_err());
}
