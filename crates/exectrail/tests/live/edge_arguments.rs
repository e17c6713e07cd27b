//! Arguments whose addresses, pages or bytes are not what they should be.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{
    edge_expect::{Place, hear, kernel_since, says},
    edge_watch::Watch,
    support::{Trace, exectrail, real_kernel, run},
};
use serde_json::{Value, json};

/// Since 5.18 the kernel gives such a program one empty argument
/// (dcd46d897adb).
#[test]
fn no_arguments_at_all_are_one_empty_one() {
    if !real_kernel("no_arguments_at_all_are_one_empty_one") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let watch = place.watch();
    let runs = ["null", "empty"].map(|how| place.subject(&["exec-with-argv", how, &target]).0);
    let outcome = watch.stop();
    for pid in runs {
        let event = outcome.only_one_of(pid);
        // Older kernels may have it from their distribution (dcd46d897adb).
        let has_one = kernel_since(5, 18) || event["args_count"] == 1;
        let (args, count) = if has_one { (json!([""]), 1) } else { (json!([]), 0) };
        says(
            event,
            json!({
                "event": "exec",
                "exe": target,
                "args": args,
                "args_count": count,
                "args_bytes": count,
                "args_truncated": false,
                "comm": "target",
                "flags": [],
                "unreadable": [],
            }),
        );
    }
}

/// What could not be read is marked, and what could be is there.
#[test]
fn addresses_that_are_no_ones_are_marked() {
    if !real_kernel("addresses_that_are_no_ones_are_marked") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    // Nothing names the one whose name is not readable, so there is no rule.
    let watch = Watch::all();
    let failed = |how: &str| {
        let (pid, error) = place.subject(&["exec-with-argv", how, &target]);
        assert!(error.contains("Bad address"), "{how}: {error}");
        pid
    };
    let (vector, first) = (failed("bad-vector"), failed("bad-first"));
    let (name, environment) = (failed("bad-name"), failed("bad-environment"));
    let outcome = watch.stop();
    let whole = json!(["zeroth", "argv-marker"]);
    for (pid, filename, args, count, unreadable) in [
        (vector, json!(target), Value::Null, Value::Null, json!(["args"])),
        (first, json!(target), json!([null, "argv-marker"]), json!(2), json!(["args"])),
        (name, Value::Null, whole.clone(), json!(2), json!(["filename"])),
        (environment, json!(target), whole, json!(2), json!([])),
    ] {
        let failed = outcome.failures_of(pid);
        assert_eq!(failed.len(), 1, "{failed:#?}");
        says(
            failed[0],
            json!({
                "filename": filename,
                "args": args,
                "args_count": count,
                "exe": null,
                "error": "EFAULT",
                "comm": "subject",
                "unreadable": unreadable,
                "flags": [],
            }),
        );
    }
}

/// Vector and strings are in a file that is mapped and not yet touched. The
/// new program's are right; of a failure that came before the kernel looked at
/// them, they are said to be unreadable, never to be empty.
#[test]
fn arguments_in_pages_that_are_not_there() {
    if !real_kernel("arguments_in_pages_that_are_not_there") {
        return;
    }
    let place = Place::new();
    let (target, missing) = (place.tiny("target"), place.at("missing"));
    let watch = place.watch();
    let (good, _) = place.subject(&["exec-from-file", &target, &place.at("image")]);
    let (bad, _) = place.subject(&["exec-from-file", &missing, &place.at("image")]);
    let outcome = watch.stop();
    let args = json!(["zeroth", "from a file", "", "file-marker"]);
    says(
        outcome.only_one_of(good),
        json!({
            "event": "exec",
            "exe": target,
            "args": args,
            "args_count": 4,
            "flags": [],
            "unreadable": [],
        }),
    );
    // Since 6.8 the kernel opens the file before it touches the arguments (978ffcbf00d8).
    let (args, count, unreadable) = if kernel_since(6, 8) {
        (json!(null), json!(null), json!(["args"]))
    } else {
        (args, json!(4), json!([]))
    };
    says(
        outcome.only_one_of(bad),
        json!({
            "event": "failed",
            "filename": missing,
            "args": args,
            "args_count": count,
            "error": "ENOENT",
            "unreadable": unreadable,
        }),
    );
}

/// Another thread rewrites an argument all the time. What is told is what the
/// new program really got.
#[test]
fn arguments_that_change_meanwhile_are_told_as_the_program_got_them() {
    if !real_kernel("arguments_that_change_meanwhile_are_told_as_the_program_got_them") {
        return;
    }
    let place = Place::new();
    let target = place.program("target");
    let watch = place.watch();
    let runs: Vec<_> =
        (0..100).map(|_| place.subject(&["exec-while-rewriting", &target])).collect();
    let outcome = watch.stop();
    let mut told = BTreeSet::new();
    for (pid, printed) in &runs {
        says(
            outcome.only_one_of(*pid),
            json!({
                "event": "exec",
                "exe": target,
                "args": [target, "say", printed],
                "args_count": 3,
                "flags": [],
                "unreadable": [],
            }),
        );
        told.insert(printed);
    }
    // Otherwise nothing was rewritten, and nothing is shown by this test.
    assert!(told.len() > 1, "{} different ones", told.len());
}

/// A task can give itself any name; that of a failure is the caller's.
#[test]
fn a_hostile_name_of_a_task_is_whole_in_json_and_harmless_on_the_terminal() {
    if !real_kernel("a_hostile_name_of_a_task_is_whole_in_json_and_harmless_on_the_terminal") {
        return;
    }
    let place = Place::new();
    let missing = place.at("missing");
    let file = place.at("output");
    let below = format!("{}/**", place.path().display());
    let rules = ["--failed", "--only", &below, "--fields", "event,comm,filename,args"];
    let pretty = Trace::start_command(
        exectrail().args(rules).args(["--format", "pretty", "--color", "never", "-o", &file]),
    );
    let watch = place.watch();
    let (pid, _) = place.subject(&["exec-with-comm", &missing]);
    let outcome = watch.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "failed",
            "filename": missing,
            "comm": "a\n\u{1b}[2J\u{fffd}\u{7}b",
            // The same in base64.
            "comm_raw": "YQobWzJK/wdi",
            "error": "ENOENT",
        }),
    );
    pretty.stop();
    let text = String::from_utf8(fs::read(file).unwrap()).expect("UTF-8");
    let line = text.lines().find(|line| line.contains("comm-marker")).unwrap();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.contains(r"\e[2J") && line.contains(r"\xff"), "{line}");
}

/// A new program's name is that of its file, as far as 15 bytes go.
#[test]
fn a_hostile_name_of_a_file_is_cut_to_the_name_of_the_task() {
    if !real_kernel("a_hostile_name_of_a_file_is_cut_to_the_name_of_the_task") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("\u{1b}[31m\n\u{7}0123456789");
    let watch = place.watch();
    let mut command = Command::new(&target);
    let pid = run(command.arg("named"));
    let outcome = watch.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": target,
            "exe": target,
            "args": [target, "named"],
            "comm": "\u{1b}[31m\n\u{7}01234567",
            "unreadable": [],
        }),
    );
}

/// A task keeps the name that it gave itself for as long as its execs fail; a
/// success gives it the program's. 15 bytes of either.
#[test]
fn a_name_of_a_task_is_its_own_before_and_the_programs_after() {
    if !real_kernel("a_name_of_a_task_is_its_own_before_and_the_programs_after") {
        return;
    }
    let place = Place::new();
    let (missing, target) = (place.at("missing"), place.tiny("a-longer-name-than-that"));
    let ((pid, _), outcome) = place
        .during(|| place.subject(&["exec-under-name", "a-long-name-of-a-task", &missing, &target]));
    let [before, after] = outcome.of_process(pid)[..] else { panic!("{:#?}", outcome.events) };
    says(
        before,
        json!({
            "event": "failed",
            "filename": missing,
            "args": [missing, "first"],
            "error": "ENOENT",
            "comm": "a-long-name-of-",
            "flags": [],
            "unreadable": [],
        }),
    );
    says(
        after,
        json!({
            "event": "exec",
            "exe": target,
            "args": [target, "then"],
            "comm": "a-longer-name-t",
            "process": before["process"],
            "flags": [],
            "unreadable": [],
        }),
    );
    says(outcome.end_of(pid), json!({ "comm": "a-longer-name-t", "exit_code": 0 }));
}

/// What a process makes of its own arguments later, for whoever looks at `/proc`,
/// changes nothing of what was told.
#[test]
fn arguments_that_a_process_rewrites_afterwards_stay_as_they_were_given() {
    if !real_kernel("arguments_that_a_process_rewrites_afterwards_stay_as_they_were_given") {
        return;
    }
    let place = Place::new();
    let target = place.program("target");
    let args = [&target, "rewrite-own-args", "first", "b c"];
    let ((pid, told), outcome) = place.during(|| hear(Command::new(args[0]).args(&args[1..])));
    let rewritten: String = args.iter().map(|arg| "x".repeat(arg.len()) + "\0").collect();
    assert_eq!(told, json!({ "cmdline": rewritten }).to_string(), "what /proc has");
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": target,
            "exe": target,
            "args": args,
            "args_count": 4,
            "comm": "target",
            "flags": [],
            "unreadable": [],
        }),
    );
}
