//! The report at the end of `exectrail run --json`: what became of each, for programs.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    edge_expect::{Place, says},
    run::{exectrail_run, lines, outcome},
    schema::Schema,
    support::{Trace, exectrail, real_kernel},
};

/// A shell of the place's own, and what it runs: twice the same, a shell's copy that runs
/// one that fails, and what is not there. It does not end well itself.
fn script(place: &Place) -> [String; 4] {
    let (shell, tiny) = (place.at("sh"), place.tiny("tiny"));
    assert!(Command::new("cp").args(["-L", "/bin/sh", &shell]).status().unwrap().success());
    let script =
        format!("{tiny}; {tiny}; ({shell} -c 'exit 5'; :); {}; kill -TERM $$", place.at("missing"));
    ["--".to_owned(), shell, "-c".to_owned(), script]
}

/// The lines of `exectrail run --failed --json -o FILE` with these words.
fn run(place: &Place, options: &[&str], command: &[String]) -> Vec<Value> {
    let file = place.at("run.jsonl");
    let common = ["--failed", "--json", "-o", &file];
    let (output, stderr) = outcome(exectrail_run(&[&common, options].concat()).args(command));
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    // In a file, it is in nobody's way, and people are told besides.
    assert!(stderr.contains("exectrail: SIGTERM after "), "{stderr}");
    lines(&fs::read_to_string(file).unwrap())
}

/// Checks that a report says of the script what is true.
fn is_true(report: &Value, place: &Place) {
    assert_eq!(Schema::committed().refusal(report), None, "{report:#}");
    says(report, json!({ "event": "report", "processes_in_all": 4, "execs": 4, "failed": 1 }));
    let [sh, tiny, tiny_again, failing] = &report["processes"].as_array().unwrap()[..] else {
        panic!("{report:#}")
    };
    let (shell, path) = (place.at("sh"), place.at("tiny"));
    says(
        sh,
        json!({ "exe": shell, "depth": 0, "ancestor": null, "signal": 15, "exit_code": null }),
    );
    for tiny in [tiny, tiny_again] {
        says(tiny, json!({ "exe": path, "args": [path], "depth": 1, "ancestor": 0 }));
        says(tiny, json!({ "execs": 1, "running": false, "exit_code": 0, "signal": null }));
    }
    // Below the shell, though a copy of that stands between them.
    says(failing, json!({ "args": [shell, "-c", "exit 5"], "exit_code": 5, "ancestor": 0 }));
    assert_eq!(
        report["programs"],
        json!([{ "exe": shell, "execs": 2 }, { "exe": path, "execs": 2 }])
    );
    let missing = place.at("missing");
    let failures = json!([{ "filename": missing, "errno": 2, "error": "ENOENT", "count": 1 }]);
    assert_eq!(report["failures"], failures);
    let time = |of: &Value| of["duration_ns"].as_u64().unwrap();
    let processes = report["processes"].as_array().unwrap();
    for process in processes {
        assert!(process["process"].is_string() && process["cpu_ns"].is_u64(), "{process:#}");
        assert!(time(process) > 0 && time(process) <= time(&processes[0]), "{report:#}");
    }
}

#[test]
fn a_run_ends_with_its_report() {
    if !real_kernel("a_run_ends_with_its_report") {
        return;
    }
    let place = Place::new();
    let command = script(&place);
    for options in [&[][..], &["--summary-only"]] {
        let lines = run(&place, options, &command);
        let [events @ .., report, summary] = &lines[..] else { panic!("{lines:#?}") };
        is_true(report, &place);
        says(report, json!({ "whose": "command", "exit_code": null, "signal": 15 }));
        assert!(
            report["cpu_ns"].is_u64() && report["duration_ns"].as_u64() > Some(0),
            "{report:#}"
        );
        // The last one is the first one's: it stands for itself.
        let bad: Vec<_> = report["bad_ends"].as_array().unwrap().iter().collect();
        assert_eq!(bad, [&json!(3)], "{report:#}");
        assert_eq!(report["slowest"].as_array().unwrap().len(), 3, "{report:#}");
        assert_eq!(summary["event"], "summary");
        // With the report alone, events are left out, and accounted for; so are the ends of
        // copies of the shell, always.
        assert_eq!(events.len(), if options.is_empty() { 9 } else { 0 }, "{events:#?}");
        says(summary, json!({ "delivered": events.len(), "dropped": 0 }));
        assert!(summary["seen"].as_u64() >= Some(9), "{summary}");
    }
}

/// Each process, less what two traces that stand beside each other do not measure alike.
fn comparable(report: &Value) -> Vec<Value> {
    let mut processes = report["processes"].as_array().unwrap().clone();
    for process in &mut processes {
        for name in ["duration_ns", "cpu_ns", "begun_ktime"] {
            assert!(process.as_object_mut().unwrap().remove(name).is_some(), "{name}");
        }
    }
    processes
}

#[test]
fn a_replay_has_the_same_report() {
    if !real_kernel("a_replay_has_the_same_report") {
        return;
    }
    let place = Place::new();
    let command = script(&place);
    let file = place.at("test.rec");
    let below = place.below();
    let what = ["--failed", "--exit", "--ancestors", "8", "--only", &below];
    let recorder = Trace::start_command(exectrail().args(["record", "-o", &file]).args(what));
    let live = run(&place, &["--summary-only"], &command);
    assert!(recorder.stop().status.success());
    for (option, events) in [("--summary-only", 0), ("--summary", 9)] {
        let mut replay = exectrail();
        let output = replay.args(["replay", "--json", option, &file]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let replayed = lines(str::from_utf8(&output.stdout).unwrap());
        assert_eq!(replayed.len(), events + 2, "{replayed:#?}");
        let report = &replayed[events];
        is_true(report, &place);
        // To a host, none is the command itself.
        says(report, json!({ "whose": "host", "exit_code": null, "signal": null }));
        assert_eq!(report["bad_ends"], json!([0, 3]));
        assert_eq!(report["slowest"].as_array().unwrap().len(), 4, "{report:#}");
        assert_eq!(comparable(report), comparable(&live[0]));
        assert_eq!(replayed[events + 1]["event"], "summary");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("slowest"), "{stderr}");
    }
}
