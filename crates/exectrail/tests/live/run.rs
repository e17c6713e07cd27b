//! `exectrail run`: a command from its first exec on, its descendants, and nobody else.

use std::{
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    edge_expect::{NOBODY, Place, says},
    hostile::{EXECTRAIL, under},
    schema::Schema,
    support::{copy, exectrail, is_emulated, real_kernel, run, subject},
};

/// `exectrail run` with these words.
pub(crate) fn exectrail_run(words: &[&str]) -> Command {
    let mut command = exectrail();
    command.arg("run").args(words);
    for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER"] {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end, and gives what it said as text.
pub(crate) fn outcome(command: &mut Command) -> (Output, String) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    (output, stderr)
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of `exectrail run --json -o FILE` with these words.
fn events(place: &Place, words: &[&str]) -> Vec<Value> {
    let file = place.at("run.jsonl");
    let (output, stderr) = outcome(&mut exectrail_run(&[&["--json", "-o", &file], words].concat()));
    assert!(output.status.success(), "{stderr}");
    lines(&fs::read_to_string(file).unwrap())
}

/// Not most of the time: each time.
#[test]
fn the_commands_own_exec_is_the_first_of_all() {
    if !real_kernel("the_commands_own_exec_is_the_first_of_all") {
        return;
    }
    let place = Place::new();
    let starts = std::env::var("EXECTRAIL_STARTS").ok().and_then(|text| text.parse().ok());
    for number in 0..starts.unwrap_or(if is_emulated() { 5 } else { 50 }) {
        let marker = format!("start-{number}");
        let events = events(&place, &["--", "/usr/bin/true", &marker]);
        let [exec, exit, report, summary] = &events[..] else { panic!("{number}: {events:#?}") };
        says(
            exec,
            json!({
                "event": "exec",
                "exe": "/usr/bin/true",
                "filename": "/usr/bin/true",
                "args": ["/usr/bin/true", marker],
            }),
        );
        says(exit, json!({ "event": "exit", "process": exec["process"], "exit_code": 0 }));
        says(report, json!({ "event": "report", "execs": 1, "exit_code": 0, "failed": 0 }));
        says(summary, json!({ "event": "summary", "delivered": 2, "dropped": 0, "missed": 0 }));
    }
}

#[test]
fn descendants_are_shown_and_others_are_not() {
    if !real_kernel("descendants_are_shown_and_others_are_not") {
        return;
    }
    let place = Place::new();
    let file = place.at("run.jsonl");
    // A copy of the shell, which does not exec, starts the second one.
    let script = "/usr/bin/true run-first; read word; (/usr/bin/true run-second; :)";
    let mut command =
        exectrail_run(&["--failed", "--json", "-o", &file, "--", "/bin/sh", "-c", script]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // When its first exec is in the file, the command runs.
    while !fs::read_to_string(&file).is_ok_and(|text| text.contains("run-first\"]")) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    run(Command::new("/usr/bin/true").arg("run-other"));
    child.stdin.take().unwrap().write_all(b"word\n").unwrap();
    assert!(child.wait().unwrap().success());

    let events = lines(&fs::read_to_string(&file).unwrap());
    let execs: Vec<_> = events.iter().filter(|event| event["event"] == "exec").collect();
    let args: Vec<_> = execs.iter().map(|exec| &exec["args"]).collect();
    let expect = [
        json!(["/bin/sh", "-c", script]),
        json!(["/usr/bin/true", "run-first"]),
        json!(["/usr/bin/true", "run-second"]),
    ];
    assert_eq!(args, expect.iter().collect::<Vec<_>>());
    let ends = events.iter().filter(|event| event["event"] == "exit").count();
    assert_eq!(ends, 3);
}

#[test]
fn every_line_of_a_run_is_what_the_schema_says() {
    if !real_kernel("every_line_of_a_run_is_what_the_schema_says") {
        return;
    }
    let place = Place::new();
    let schema = Schema::committed();
    let command = ["--", "/bin/sh", "-c", "/usr/bin/true; /nonexistent/program; true"];
    for options in [&["--failed"][..], &["--summary-only"], &["--fields", "exe,pid"]] {
        let events = events(&place, &[options, &command].concat());
        let [.., report, summary] = &events[..] else { panic!("{events:#?}") };
        assert_eq!((&report["event"], &summary["event"]), (&json!("report"), &json!("summary")));
        if options[0] == "--fields" {
            assert_eq!(schema.refusal(report), None, "{report}");
            continue;
        }
        for line in &events {
            assert_eq!(schema.refusal(line), None, "{line}");
        }
        let of_kind = |kind| events.iter().filter(|event| event["event"] == kind).count();
        let counts = if options[0] == "--failed" { (2, 1, 2) } else { (0, 0, 0) };
        let found = (of_kind("exec"), of_kind("failed"), of_kind("exit"));
        assert_eq!(found, counts, "{events:#?}");
        let number = |name: &str| summary[name].as_u64().unwrap();
        assert_eq!(
            number("seen"),
            number("delivered") + number("filtered") + number("dropped"),
            "{summary}"
        );
    }
}

/// Its stdout, its stdin and the files that it finds open are as without us.
#[test]
fn what_a_command_reads_and_writes_is_its_own() {
    if !real_kernel("what_a_command_reads_and_writes_is_its_own") {
        return;
    }
    let script = "cat; echo told >&2; ls /proc/$$/fd";
    let through = |command: &mut Command| {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"a\0\xff b\n").unwrap();
        child.wait_with_output().unwrap()
    };
    let alone = through(Command::new("/bin/sh").args(["-c", script]));
    let traced = through(&mut exectrail_run(&["--", "/bin/sh", "-c", script]));
    assert_eq!(traced.stdout, alone.stdout);
    let stderr = String::from_utf8(traced.stderr).unwrap();
    assert!(stderr.contains("told\n") && stderr.contains("/bin/sh -c"), "{stderr}");

    // In a file, the lines are in nobody's way; the summary stays.
    let place = Place::new();
    let file = place.at("run.txt");
    let traced = through(&mut exectrail_run(&["-o", &file, "--", "/bin/sh", "-c", script]));
    assert_eq!(traced.stdout, alone.stdout);
    let stderr = String::from_utf8(traced.stderr).unwrap();
    assert!(stderr.starts_with("told\nexectrail: exit 0 after "), "{stderr}");
    assert!(fs::read_to_string(file).unwrap().contains("ppid"));
}

#[test]
fn the_summary_tells_what_became_of_each() {
    if !real_kernel("the_summary_tells_what_became_of_each") {
        return;
    }
    let place = Place::new();
    let tiny = place.tiny("tiny");
    let sleeper = place.at("sleeper");
    assert!(Command::new(subject()).args(["sleeper", &sleeper]).status().unwrap().success());
    // What was left behind has exec'd by then: before, it is a copy of the shell.
    let script = format!(
        "{tiny}; {tiny}; (sh -c 'exit 5'; :); {sleeper} summary-marker >/dev/null 2>&1 & echo $!; \
         until [ \"$(readlink /proc/$!/exe)\" = {sleeper} ]; do sleep 0.05; done; kill -9 $$"
    );
    let (output, stderr) =
        outcome(&mut exectrail_run(&["--summary-only", "--", "/bin/sh", "-c", &script]));
    let left = String::from_utf8(output.stdout).unwrap();
    assert!(Command::new("kill").args(["-9", left.trim()]).status().unwrap().success());
    assert_eq!(output.status.code(), Some(137), "{stderr}");
    assert!(stderr.starts_with("exectrail: SIGKILL after "), "{stderr}");
    let line = |with: &[&str]| {
        let found = stderr.lines().any(|line| with.iter().all(|words| line.contains(words)));
        assert!(found, "no line has {with:?}: {stderr}");
    };
    line(&["CPU ", "processes, ", "execs"]);
    line(&["SIGKILL", "/bin/sh -c"]);
    line(&["exit 0", &format!("    {tiny}")]);
    line(&["exit 5", "sh -c 'exit 5'"]);
    line(&[left.trim(), "still runs", "summary-marker"]);
    line(&["most frequent programs"]);
    line(&["slowest"]);
    line(&["failures"]);
    assert!(!stderr.contains("ppid"), "{stderr}");
}

/// Under sudo, the command is its caller's: user, groups, home, and no right besides.
#[test]
fn under_sudo_the_command_is_its_callers() {
    if !real_kernel("under_sudo_the_command_is_its_callers") {
        return;
    }
    let place = Place::new();
    let command =
        ["--", "/bin/sh", "-c", "id -u; id -G; echo $HOME-$SUDO_UID; grep CapEff /proc/$$/status"];
    let identity = |options: &[&str]| {
        let file = place.at("run.txt");
        let words = [options, &["-o", &file], &command].concat();
        let mut command = exectrail_run(&words);
        command.env("SUDO_UID", "65534").env("SUDO_GID", "65533").env("HOME", "/root");
        let (output, stderr) = outcome(&mut command);
        assert!(output.status.success(), "{stderr}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = identity(&[]);
    let told: Vec<_> = told.lines().collect();
    assert_eq!(told[..2], ["65534", "65533"]);
    assert!(!told[2].starts_with("/root") && told[2].ends_with('-'), "{told:?}");
    assert_eq!(told[3], "CapEff:\t0000000000000000");
    let told = identity(&["--as-root"]);
    assert!(told.starts_with("0\n") && told.contains("/root-65534"), "{told}");

    let mut wrong = exectrail_run(&["--", "/usr/bin/true"]);
    let (output, stderr) = outcome(wrong.env("SUDO_UID", "everyone"));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("SUDO_UID") && stderr.contains("--as-root"), "{stderr}");
}

/// The rights that are for tracing are not for the command.
#[test]
fn the_command_has_none_of_the_rights_for_tracing() {
    if !real_kernel("the_command_has_none_of_the_rights_for_tracing") {
        return;
    }
    let place = Place::new();
    let binary = place.at("exectrail");
    copy(EXECTRAIL, &binary);
    let script = "grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/$$/status";
    let options = ["--summary-only", "--hook", "raw"];
    if crate::edge_expect::kernel_since(7, 0) {
        eprintln!("NOT RUN: this kernel's exec hook needs more rights");
        return;
    }
    let conditions = [&format!("user={NOBODY}"), "capabilities=bpf,perfmon"];
    let with = |more: &[&str]| {
        let program =
            [&[&*binary, "run"], &options[..], more, &["--", "/bin/sh", "-c", script]].concat();
        let (output, stderr) = outcome(&mut under(&conditions, &program));
        assert!(output.status.success(), "{stderr}");
        assert!(stderr.contains("/bin/sh -c"), "{stderr}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = with(&[]);
    assert!(told.lines().all(|line| line.ends_with("\t0000000000000000")), "{told}");
    let told = with(&["--as-root"]);
    assert!(told.lines().all(|line| !line.ends_with("\t0000000000000000")), "{told}");
}

#[test]
fn where_it_cannot_trace_the_command_is_not_run() {
    if !real_kernel("where_it_cannot_trace_the_command_is_not_run") {
        return;
    }
    let place = Place::new();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let file = place.at("touched");
    let binary = place.at("exectrail");
    copy(EXECTRAIL, &binary);
    let run = ["run", "--", "/usr/bin/touch", &file];
    let (output, stderr) =
        outcome(Command::new(&binary).args(run).uid(NOBODY).gid(NOBODY).current_dir("/"));
    assert_eq!(output.status.code(), Some(77), "{stderr}");
    assert!(stderr.contains("CAP_BPF"), "{stderr}");
    let program = [&[EXECTRAIL], &run[..]].concat();
    let (output, stderr) = outcome(&mut under(&["mounts", "pids"], &program));
    assert_eq!(output.status.code(), Some(69), "{stderr}");
    assert!(stderr.contains("--pid=host"), "{stderr}");
    let (output, stderr) = outcome(&mut exectrail_run(&["--format", "xml", "--", "touch", &file]));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(!fs::exists(&file).unwrap());
}
