//! Arguments whose addresses, pages or bytes are not what they should be.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{
    edge_expect::{Place, kernel_since, says},
    support::{Trace, exectrail, program_at, real_kernel, run},
};
use serde_json::{Value, json};

/// A1. Since 5.18 the kernel gives such a program one empty argument
/// (dcd46d897adb).
#[test]
fn no_arguments_at_all_are_one_empty_one() {
    if !real_kernel("no_arguments_at_all_are_one_empty_one") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = place.trace();
    let runs = ["null", "empty"].map(|how| place.subject(&["exec-with-argv", how, &target]).0);
    let outcome = trace.stop();
    let (args, count) = if kernel_since(5, 18) { (json!([""]), 1) } else { (json!([]), 0) };
    for pid in runs {
        says(
            outcome.only_one_of(pid),
            json!({
                "event": "exec",
                "exe": target,
                "args": args,
                "args_count": count,
                "args_bytes": count,
                "args_truncated": false,
                "unreadable": [],
            }),
        );
    }
}

/// A2. What could not be read is marked, and what could be is there.
#[test]
fn addresses_that_are_no_ones_are_marked() {
    if !real_kernel("addresses_that_are_no_ones_are_marked") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    // Nothing names the one whose name is not readable, so there is no rule.
    let trace = Trace::start(&["--failed"]);
    let failed = |how: &str| {
        let (pid, error) = place.subject(&["exec-with-argv", how, &target]);
        assert!(error.contains("Bad address"), "{how}: {error}");
        pid
    };
    let (vector, first) = (failed("bad-vector"), failed("bad-first"));
    let (name, environment) = (failed("bad-name"), failed("bad-environment"));
    let outcome = trace.stop();
    let whole = json!(["zeroth", "argv-marker"]);
    for (pid, filename, args, count, unreadable) in [
        (vector, json!(target), Value::Null, Value::Null, json!(["args"])),
        (first, json!(target), json!([null, "argv-marker"]), json!(2), json!(["args"])),
        (name, Value::Null, whole.clone(), json!(2), json!(["filename"])),
        (environment, json!(target), whole, json!(2), json!([])),
    ] {
        let events = outcome.of_process(pid);
        let failed: Vec<_> = events.iter().filter(|event| event["event"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{events:#?}");
        says(
            failed[0],
            json!({
                "filename": filename,
                "args": args,
                "args_count": count,
                "error": "EFAULT",
                "comm": "subject",
                "unreadable": unreadable,
                "flags": [],
            }),
        );
    }
}

/// A3. Vector and strings are in a file that is mapped and not yet touched. The
/// new program's are right; of a failure that came before the kernel looked at
/// them, they are said to be unreadable, never to be empty.
#[test]
fn arguments_in_pages_that_are_not_there() {
    if !real_kernel("arguments_in_pages_that_are_not_there") {
        return;
    }
    let place = Place::new();
    let (target, missing) = (place.tiny("target"), place.at("missing"));
    let trace = place.trace();
    let (good, _) = place.subject(&["exec-from-file", &target, &place.at("image")]);
    let (bad, _) = place.subject(&["exec-from-file", &missing, &place.at("image")]);
    let outcome = trace.stop();
    let args = json!(["zeroth", "from a file", "", "file-marker"]);
    says(
        outcome.only_one_of(good),
        json!({ "event": "exec", "exe": target, "args": args, "args_count": 4, "unreadable": [] }),
    );
    says(
        outcome.only_one_of(bad),
        json!({
            "event": "failed",
            "filename": missing,
            "args": null,
            "args_count": null,
            "error": "ENOENT",
            "unreadable": ["args"],
        }),
    );
}

/// A4. Another thread rewrites an argument all the time. What is told is what the
/// new program really got.
#[test]
fn arguments_that_change_meanwhile_are_told_as_the_program_got_them() {
    if !real_kernel("arguments_that_change_meanwhile_are_told_as_the_program_got_them") {
        return;
    }
    let place = Place::new();
    let target = program_at(&place.path().join("target")).to_owned();
    let trace = place.trace();
    let runs: Vec<_> =
        (0..100).map(|_| place.subject(&["exec-while-rewriting", &target])).collect();
    let outcome = trace.stop();
    let mut told = BTreeSet::new();
    for (pid, printed) in &runs {
        says(
            outcome.only_one_of(*pid),
            json!({ "event": "exec", "exe": target, "args": [target, "say", printed] }),
        );
        told.insert(printed);
    }
    // Otherwise nothing was rewritten, and nothing is shown by this test.
    assert!(told.len() > 10, "{} different ones", told.len());
}

/// A6. A task can give itself any name; that of a failure is the caller's.
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
    let trace = place.trace();
    let (pid, _) = place.subject(&["exec-with-comm", &missing]);
    let outcome = trace.stop();
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

/// A6. A new program's name is that of its file, as far as 15 bytes go.
#[test]
fn a_hostile_name_of_a_file_is_cut_to_the_name_of_the_task() {
    if !real_kernel("a_hostile_name_of_a_file_is_cut_to_the_name_of_the_task") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("\u{1b}[31m\n\u{7}0123456789");
    let trace = place.trace();
    let mut command = Command::new(&target);
    let pid = run(command.arg("named"));
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({ "event": "exec", "exe": target, "comm": "\u{1b}[31m\n\u{7}01234567" }),
    );
}
