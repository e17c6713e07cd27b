//! Failed execs: only when asked for, with their errno and what can be read.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::support::{Trace, executable_at, real_kernel, run, run_subject, scratch, tiny_at};
use serde_json::json;

#[test]
fn a_path_walk_shows_each_miss() {
    if !real_kernel("a_path_walk_shows_each_miss") {
        return;
    }
    let directory = scratch();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let path = format!("{}:{}:/usr/bin", at("one"), at("two"));
    let walk = || {
        run(Command::new("/bin/sh")
            .env("PATH", &path)
            .args(["-c", "exec env -u NOTHING true walk-marker 'b c'"]))
    };
    let trace = Trace::start(&["--failed", "--only", "true", "--no-fold"]);
    let shell = walk();
    let outcome = trace.stop();
    let failed: Vec<_> = outcome.of_kind("failed").filter(|event| event["pid"] == shell).collect();
    let names: Vec<_> = failed.iter().map(|event| event["filename"].as_str().unwrap()).collect();
    assert_eq!(names, [at("one/true"), at("two/true")]);
    for event in failed {
        assert_eq!((&event["errno"], &event["error"]), (&json!(2), &json!("ENOENT")));
        assert_eq!(event["args"], json!(["true", "walk-marker", "b c"]));
        assert_eq!(event["comm"], "env");
        assert!(event["latency_ns"].as_u64().unwrap() > 0);
    }
    let done: Vec<_> = outcome.of_kind("exec").filter(|event| event["pid"] == shell).collect();
    assert_eq!(done.len(), 1);
    assert_eq!(done[0]["exe"], "/usr/bin/true");
    outcome.summary();
}

#[test]
fn a_path_walk_is_one_event() {
    if !real_kernel("a_path_walk_is_one_event") {
        return;
    }
    let directory = scratch();
    let hit = tiny_at(&directory.path().join("hit/exectrail-fold")).to_owned();
    let path = format!("{0}/one:{0}/two:{0}/three:{0}/hit", directory.path().display());
    let rules = ["--only", "exectrail-fold", "--only", "exectrail-nowhere"];
    let trace = Trace::start(&[&["--failed"], &rules[..]].concat());
    let walk = |program: &str| {
        run(Command::new("/usr/bin/env").env("PATH", &path).args([program, "fold-marker"]))
    };
    let (found, in_vain) = (walk("exectrail-fold"), walk("exectrail-nowhere"));
    // A walk in vain is told when it cannot go on, or is given up.
    std::thread::sleep(std::time::Duration::from_millis(400));
    let outcome = trace.stop();
    let of = |pid: u32| outcome.events.iter().filter(move |event| event["pid"] == pid);
    let events: Vec<_> = of(found).collect();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!((&events[0]["event"], &events[0]["folded"]), (&json!("exec"), &json!(3)));
    assert_eq!(events[0]["exe"], hit);
    let events: Vec<_> = of(in_vain).collect();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!((&events[0]["event"], &events[0]["folded"]), (&json!("failed"), &json!(3)));
    assert_eq!(events[0]["error"], "ENOENT");
    // The account knows of each: 3 and 1, and 4.
    let summary = outcome.summary();
    assert_eq!((&summary["folded"], &summary["delivered"]), (&json!(6), &json!(8)));
}

#[test]
fn each_errno_by_its_name() {
    if !real_kernel("each_errno_by_its_name") {
        return;
    }
    let directory = scratch();
    let file = |name: &str, text: &str, mode: u32| {
        let path = directory.path().join(name);
        executable_at(&path, text.as_bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = file("plain", "x", 0o644);
    let no_format = file("no-format", "no program\n", 0o755);
    let no_interpreter = file("no-interpreter", "#!/no/such/interpreter\n", 0o755);
    let not_there = directory.path().join("not-there").to_str().unwrap().to_owned();
    let below_file = format!("{plain}/x");
    let cases = [
        (&plain, "EACCES"),
        (&no_format, "ENOEXEC"),
        (&no_interpreter, "ENOENT"),
        (&not_there, "ENOENT"),
        (&below_file, "ENOTDIR"),
    ];
    let trace =
        Trace::start(&["--failed", "--only", &format!("{}/**", directory.path().display())]);
    for (path, _) in &cases {
        // The standard library execs in a child and reports the failure.
        assert!(Command::new(path).spawn().is_err());
    }
    let outcome = trace.stop();
    for (path, error) in cases {
        let found: Vec<_> =
            outcome.of_kind("failed").filter(|event| event["filename"] == **path).collect();
        assert_eq!(found.len(), 1, "{path}");
        assert_eq!(found[0]["error"], error, "{path}");
        assert_eq!(found[0]["ppid"], std::process::id());
    }
}

#[test]
fn an_unreadable_argument_is_marked_and_the_others_are_there() {
    if !real_kernel("an_unreadable_argument_is_marked_and_the_others_are_there") {
        return;
    }
    let trace = Trace::start(&["--failed", "--only", "/usr/bin/true"]);
    assert!(run_subject(&["exec-null-argument", "/usr/bin/true"]).contains("Bad address"));
    let outcome = trace.stop();
    let event = outcome.of_kind("failed").find(|event| event["error"] == "EFAULT").unwrap();
    assert_eq!(event["args"], json!(["/usr/bin/true", null, "third"]));
    assert_eq!(event["unreadable"], json!(["args"]));
}

#[test]
fn a_question_is_no_exec() {
    if !real_kernel("a_question_is_no_exec") {
        return;
    }
    let directory = scratch();
    let refused = directory.path().join("refused");
    fs::write(&refused, "x").unwrap();
    let refused = refused.to_str().unwrap();
    let trace = Trace::start(&["--failed", "--only", "/usr/bin/true", "--only", refused]);
    let allowed = run_subject(&["execveat-check", "/usr/bin/true"]);
    run_subject(&["execveat-check", refused]);
    let outcome = trace.stop();
    assert!(outcome.marked("asks-only").iter().all(|event| event["event"] == "failed"));
    // Kernels before 6.14 do not know the flag and refuse every question.
    if allowed.trim() == "0" {
        let failed: Vec<_> = outcome.marked("asks-only");
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(
            (&failed[0]["error"], &failed[0]["flags"]),
            (&json!("EACCES"), &json!(["check"]))
        );
    }
}

#[test]
fn rules_hold_for_failures_too() {
    if !real_kernel("rules_hold_for_failures_too") {
        return;
    }
    let directory = scratch();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (kept, excluded) = (at("kept"), at("excluded"));
    let trace = Trace::start(&["--failed", "--exclude", &excluded]);
    for path in [&kept, &excluded] {
        assert!(Command::new(path).spawn().is_err());
    }
    let outcome = trace.stop();
    let shown =
        |path: &str| outcome.of_kind("failed").filter(|event| event["filename"] == path).count();
    assert_eq!((shown(&kept), shown(&excluded)), (1, 0));
    outcome.summary();
}

/// Any program on a `syscalls:*` tracepoint taxes every system call of the
/// host. The tracepoint's hook in the kernel is there while it is enabled.
#[test]
fn without_failed_no_system_call_is_touched() {
    if !real_kernel("without_failed_no_system_call_is_touched") {
        return;
    }
    // `perf_event_open` on a tracepoint shows as a perf_event file descriptor.
    let perf_events = |pid: u32| {
        fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd"))
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
            .filter(|target| target.to_string_lossy().contains("perf_event"))
            .count()
    };
    let trace = Trace::start(&["--hook", "raw"]);
    assert_eq!(perf_events(trace.pid()), 0);
    trace.stop().summary();
    let trace = Trace::start(&["--hook", "raw", "--failed"]);
    assert_eq!(perf_events(trace.pid()), 4, "enter and exit, execve and execveat");
    trace.stop().summary();
}
