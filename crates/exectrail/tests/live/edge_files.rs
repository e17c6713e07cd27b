//! Which file it is: by descriptor, by directory and name, without a name, by a
//! name that is gone.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::{
    edge_expect::{Place, kernel_since, says},
    support::{Trace, real_kernel, run},
};
use serde_json::json;

/// E1. The kernel makes a name of the descriptor (`alloc_bprm`, fs/exec.c), and
/// up to 6.13 the short name too; since then that is the file's
/// (`comm_from_dentry`).
#[test]
fn a_program_by_descriptor_has_the_path_of_its_file() {
    if !real_kernel("a_program_by_descriptor_has_the_path_of_its_file") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let (pid, _) = place.subject(&["fexecve", &target, "zeroth", "by descriptor", ""]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": "/dev/fd/100",
            "exe": target,
            "args": ["zeroth", "by descriptor", ""],
            "args_count": 3,
            "comm": if kernel_since(6, 14) { "target" } else { "100" },
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// E2. A file without any directory: its name is all there is, and a rule finds
/// it by that.
#[test]
fn a_program_in_memory_alone_is_shown_by_its_name() {
    if !real_kernel("a_program_in_memory_alone_is_shown_by_its_name") {
        return;
    }
    let place = Place::new();
    let source = place.tiny("source");
    let name = format!("edge-{}", std::process::id());
    let trace = Trace::start(&["--failed", "--only", &format!("/memfd:{name}")]);
    let (pid, _) = place.subject(&["memfd", &name, &source, "zeroth", "in memory"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": "/dev/fd/100",
            "exe": format!("/memfd:{name}"),
            "args": ["zeroth", "in memory"],
            "unreadable": [],
        }),
    );
}

/// E3.
#[test]
fn a_program_by_directory_and_name_has_its_whole_path() {
    if !real_kernel("a_program_by_directory_and_name_has_its_whole_path") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("directory/below/target");
    let trace = place.trace();
    let directory = place.at("directory");
    let (pid, _) = place.subject(&["execveat", &directory, "below/target", "zeroth", "relative"]);
    let (missing, _) = place.subject(&["execveat", &directory, "below/missing", "zeroth"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": "/dev/fd/100/below/target",
            "exe": target,
            "args": ["zeroth", "relative"],
            "comm": "target",
        }),
    );
    // Of a failure there is what the caller gave, and no rule about the directory
    // can find that.
    assert_eq!(outcome.of_process(missing).len(), 0);
}

/// E3, failed.
#[test]
fn a_failure_by_directory_and_name_has_the_name_as_given() {
    if !real_kernel("a_failure_by_directory_and_name_has_the_name_as_given") {
        return;
    }
    let place = Place::new();
    let name = format!("missing-{}", std::process::id());
    let trace = Trace::start(&["--failed", "--only", &name]);
    let (pid, _) = place.subject(&["execveat", &place.at("."), &name, "zeroth", "first"]);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "failed",
            "filename": name,
            "args": ["zeroth", "first"],
            "args_count": 2,
            "error": "ENOENT",
            "unreadable": [],
        }),
    );
}

/// E4. A question that is answered with yes is no event of any kind, whichever
/// way it is asked.
#[test]
fn a_permitted_question_is_no_event() {
    if !real_kernel("a_permitted_question_is_no_event") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let script = place.executable("script", "#!/bin/sh\n");
    let trace = place.trace();
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
    let outcome = trace.stop();
    if kernel_since(6, 14) {
        let event = outcome.only_one_of(real);
        says(event, json!({ "event": "exec", "exe": target, "flags": [] }));
        let count = |kind| outcome.of_kind(kind).count();
        assert_eq!((count("exec"), count("failed")), (1, 0), "{:#?}", outcome.events);
    }
}

/// E9.
#[test]
fn a_relative_name_through_links_is_shown_as_given_and_as_it_is() {
    if !real_kernel("a_relative_name_through_links_is_shown_as_given_and_as_it_is") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("real/target");
    fs::create_dir(place.at("here")).unwrap();
    symlink("../real", place.at("here/link-to-directory")).unwrap();
    symlink("link-to-directory/target", place.at("here/link")).unwrap();
    let trace = place.trace();
    let mut runs = Vec::new();
    for name in
        ["./link", "../here/.//link-to-directory/../real/target", "link-to-directory/target"]
    {
        let pid = run(Command::new(name).current_dir(place.at("here")).arg("relative"));
        runs.push((name, pid));
    }
    let outcome = trace.stop();
    for (name, pid) in runs {
        says(
            outcome.only_one_of(pid),
            json!({ "event": "exec", "filename": name, "exe": target, "args": [name, "relative"] }),
        );
    }
}

/// E11. The path is the one that the file had; nothing of it is stood in for by
/// what has taken its place since.
#[test]
fn a_deleted_program_has_the_path_that_it_had() {
    if !real_kernel("a_deleted_program_has_the_path_that_it_had") {
        return;
    }
    let place = Place::new();
    let (beside, alone) = (place.tiny("beside/target"), place.tiny("alone/target"));
    place.tiny("beside/other");
    let trace = place.trace();
    let (first, _) = place.subject(&["fexecve-unlinked", &beside, "zeroth"]);
    // The directory goes too.
    let (second, _) = place.subject(&["fexecve-unlinked", &alone, "zeroth"]);
    let outcome = trace.stop();
    assert!(fs::metadata(place.at("beside")).is_ok() && fs::metadata(place.at("alone")).is_err());
    for (pid, exe) in [(first, &beside), (second, &alone)] {
        says(
            outcome.only_one_of(pid),
            json!({ "event": "exec", "filename": "/dev/fd/100", "exe": exe, "unreadable": [] }),
        );
    }
}

/// E8. The file that the kernel runs is the loader; the program is an argument.
#[test]
fn a_loader_that_is_run_directly_is_shown_with_its_program() {
    if !real_kernel("a_loader_that_is_run_directly_is_shown_with_its_program") {
        return;
    }
    let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
    let Some(loader) = loaders.iter().find(|path| fs::metadata(path).is_ok()) else {
        return;
    };
    let place = Place::new();
    let copy = place.at("loader");
    fs::copy(loader, &copy).unwrap();
    let program = place.at("program");
    fs::copy(crate::support::subject(), &program).unwrap();
    let trace = place.trace();
    let pid = run(Command::new(&copy).args([&program, "exit", "loaded"]));
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": copy,
            "exe": copy,
            "args": [copy, program, "exit", "loaded"],
            "comm": "loader",
        }),
    );
}

/// E14. The kernel starts a program by itself: no system call, and a kernel
/// thread for a parent (kernel/umh.c). The one way to have it do so that needs
/// no module is the handler of core dumps.
#[test]
fn a_program_that_the_kernel_starts_is_shown() {
    if !real_kernel("a_program_that_the_kernel_starts_is_shown") {
        return;
    }
    let place = Place::new();
    let handler = place.tiny("handler");
    // The kernel looks from the first mount namespace, which a test in a container
    // is not in; through this link it finds ours from there.
    let given = format!("/proc/{}/root{handler}", std::process::id());
    let trace = place.trace();
    let crashed = {
        let _handler = CorePattern::set(&format!("|{given} core-marker %P"));
        run_crash(&place).to_string()
    };
    let outcome = trace.stop();
    let of_ours = |event: &&&serde_json::Value| event["args"][2] == crashed;
    let found = outcome.marked("core-marker");
    let event = found.iter().find(of_ours).expect("the handler's exec");
    says(
        event,
        json!({
            "event": "exec",
            "filename": given,
            "exe": handler,
            "args": [given, "core-marker", crashed],
            "uid": 0,
            "euid": 0,
            "unreadable": [],
        }),
    );
    // PF_KTHREAD, include/linux/sched.h; the ninth field of the line.
    let stat = fs::read_to_string(format!("/proc/{}/stat", event["ppid"])).unwrap();
    let flags = stat.rsplit(") ").next().unwrap().split(' ').nth(6).unwrap();
    assert_ne!(flags.parse::<u64>().unwrap() & 0x0020_0000, 0, "no kernel thread: {stat}");
    assert_eq!(outcome.of_kind("failed").count(), 0);
}

fn run_crash(place: &Place) -> u32 {
    let mut command = Command::new(crate::support::subject());
    run(command.arg("abort").current_dir(place.path()))
}

/// The handler of core dumps, until this is dropped.
struct CorePattern(Vec<u8>);

impl CorePattern {
    const FILE: &str = "/proc/sys/kernel/core_pattern";

    fn set(pattern: &str) -> Self {
        let before = Self(fs::read(Self::FILE).unwrap());
        fs::write(Self::FILE, pattern).unwrap();
        before
    }
}

impl Drop for CorePattern {
    fn drop(&mut self) {
        fs::write(Self::FILE, &self.0).unwrap();
    }
}
