//! The live stream: what is shown, and what rules leave out.

use std::{fmt::Write as _, fs, process::Command, time::Duration};

use crate::{
    edge_expect::{Place, kernel_since},
    support::{Trace, exectrail, program_at, real_kernel, run, scratch, tiny_at},
};
use serde_json::json;

#[test]
fn one_program_with_all_its_arguments() {
    if !real_kernel("one_program_with_all_its_arguments") {
        return;
    }
    let trace = Trace::start(&["--only", "/usr/bin/true"]);
    let pid = run(Command::new("/usr/bin/true").args(["only-marker", "b c", ""]));
    let outcome = trace.stop();
    let found = outcome.marked("only-marker");
    assert_eq!(found.len(), 1, "{found:?}");
    let event = found[0];
    assert_eq!(event["v"], 1);
    assert_eq!(event["event"], "exec");
    assert_eq!(event["args"], json!(["/usr/bin/true", "only-marker", "b c", ""]));
    assert_eq!(event["args_count"], 4);
    assert_eq!(event["args_bytes"], 31);
    assert_eq!(event["args_truncated"], false);
    assert_eq!(event["pid"], pid);
    assert_eq!(event["tid"], pid);
    assert_eq!(event["ppid"], std::process::id());
    assert_eq!((&event["uid"], &event["euid"]), (&json!(0), &json!(0)));
    assert_eq!(event["exe"], "/usr/bin/true");
    assert_eq!(event["filename"], "/usr/bin/true");
    assert_eq!(event["comm"], "true");
    assert_eq!(event["unreadable"], json!([]));
    assert!(event["image"].as_u64().unwrap() > 0);
    // Nothing else of the host's traffic.
    for event in outcome.of_kind("exec") {
        assert_eq!(event["exe"], "/usr/bin/true", "{event}");
    }
    assert!(outcome.summary()["filtered"].is_u64());
}

#[test]
fn the_clocks_are_those_of_the_host() {
    if !real_kernel("the_clocks_are_those_of_the_host") {
        return;
    }
    let boot = || {
        let text = fs::read_to_string("/proc/uptime").unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let trace = Trace::start(&["--only", "/usr/bin/true"]);
    let before = boot();
    run(Command::new("/usr/bin/true").arg("clock-marker"));
    let after = boot();
    let outcome = trace.stop();
    let event = outcome.marked("clock-marker")[0];
    let ktime = Duration::from_nanos(event["ktime"].as_u64().unwrap()).as_secs_f64();
    // /proc/uptime has hundredths.
    assert!(before - 0.02 <= ktime && ktime <= after + 0.02, "{before} {ktime} {after}");
    let time = event["time"].as_str().unwrap();
    assert!(time.len() == "2026-01-01T00:00:00.000000000Z".len() && time.ends_with('Z'), "{time}");
}

#[test]
fn exclude_by_path() {
    if !real_kernel("exclude_by_path") {
        return;
    }
    let trace = Trace::start(&["--exclude", "/usr/bin/ls"]);
    run(Command::new("/usr/bin/ls").arg("--version"));
    // Another name for the same program: the executable is what counts.
    run(Command::new("/bin/ls").arg("--version"));
    run(Command::new("/usr/bin/true").arg("exclude-marker"));
    let outcome = trace.stop();
    assert!(outcome.execs_of("/usr/bin/ls").is_empty());
    assert_eq!(outcome.marked("exclude-marker").len(), 1);
    assert!(outcome.summary()["filtered"].as_u64().unwrap() >= 2);
}

#[test]
fn exclude_from_the_configuration_file() {
    if !real_kernel("exclude_from_the_configuration_file") {
        return;
    }
    let directory = scratch();
    let config = directory.path().join("config.toml");
    fs::write(&config, "[[exclude]]\npath = \"/usr/bin/ls\"\ncomment = \"a test\"\n").unwrap();
    let trace = Trace::start(&["--config", config.to_str().unwrap()]);
    run(Command::new("/usr/bin/ls").arg("--version"));
    run(Command::new("/usr/bin/true").arg("config-marker"));
    let outcome = trace.stop();
    assert!(outcome.execs_of("/usr/bin/ls").is_empty());
    assert_eq!(outcome.marked("config-marker").len(), 1);
    assert!(outcome.summary()["filtered"].as_u64().unwrap() >= 1);
}

#[test]
fn rules_that_user_space_decides() {
    if !real_kernel("rules_that_user_space_decides") {
        return;
    }
    let directory = scratch();
    let inside = program_at(&directory.path().join("below/a/inside")).to_owned();
    let outside = program_at(&directory.path().join("beside/outside")).to_owned();
    let below = format!("{}/below/**", directory.path().display());
    let all = format!("{}/**", directory.path().display());
    for (rules, shown) in [
        (vec!["--only", &below], vec![&inside]),
        (vec!["--only", &all, "--exclude", "ins*"], vec![&outside]),
        (vec!["--only", "outside", "--only", "/no/such"], vec![&outside]),
        (vec!["--only", &all, "--exclude", &outside], vec![&inside]),
    ] {
        let trace = Trace::start(&rules);
        run(Command::new(&inside).arg("exit"));
        run(Command::new(&outside).arg("exit"));
        let outcome = trace.stop();
        let exes: Vec<_> = outcome.of_kind("exec").map(|event| &event["exe"]).collect();
        assert_eq!(exes, shown, "{rules:?}");
        outcome.summary();
    }
}

#[test]
fn five_thousand_excluded_paths() {
    if !real_kernel("five_thousand_excluded_paths") {
        return;
    }
    let directory = scratch();
    let tiny = |name: &str| tiny_at(&directory.path().join(name)).to_owned();
    let (first, last, kept) = (tiny("p0"), tiny("p4999"), tiny("p5000"));
    let mut text = String::new();
    for number in 0..5000 {
        let path = directory.path().join(format!("p{number}"));
        write!(text, "[[exclude]]\npath = \"{}\"\n", path.display()).unwrap();
    }
    let config = directory.path().join("config.toml");
    fs::write(&config, text).unwrap();
    let trace = Trace::start(&["--config", config.to_str().unwrap()]);
    for path in [&first, &kept, &last] {
        run(&mut Command::new(path));
    }
    let outcome = trace.stop();
    assert!(outcome.execs_of(&first).is_empty() && outcome.execs_of(&last).is_empty());
    assert_eq!(outcome.execs_of(&kept).len(), 1);
    assert!(outcome.summary()["filtered"].as_u64().unwrap() >= 2);
}

#[test]
fn a_script_is_found_by_its_own_path_and_by_its_interpreters() {
    use std::os::unix::fs::PermissionsExt;
    if !real_kernel("a_script_is_found_by_its_own_path_and_by_its_interpreters") {
        return;
    }
    let directory = scratch();
    let script = directory.path().join("script");
    fs::write(&script, "#!/bin/sh -e\nexit 0\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    let trace = Trace::start(&["--only", script]);
    run(Command::new(script).arg("one"));
    let outcome = trace.stop();
    let events: Vec<_> = outcome.of_kind("exec").collect();
    assert_eq!(events.len(), 1);
    let shell = fs::canonicalize("/bin/sh").unwrap();
    assert_eq!(events[0]["filename"], script);
    assert_eq!(events[0]["exe"], shell.to_str().unwrap());
    assert_eq!(events[0]["args"], json!(["/bin/sh", "-e", script, "one"]));
}

#[test]
fn both_kinds_of_exec_hook_tell_the_same() {
    if !real_kernel("both_kinds_of_exec_hook_tell_the_same") {
        return;
    }
    if kernel_since(7, 0) {
        // The raw kind is refused: it could be preempted.
        return;
    }
    let place = Place::new();
    let program = place.tiny("program");
    let script = place.executable("script", &format!("#!{program} -x\n"));
    let raw = Trace::start(&["--only", &script, "--hook", "raw"]);
    // Another one on the same tracepoint has its place before us.
    let another = kernel_since(6, 10).then(|| Trace::start(&["--hook", "classic"]));
    let classic = Trace::start(&["--only", &script, "--hook", "classic"]);
    run(Command::new(&script).args(["hook-marker", "x"]));
    let tell = |trace: Trace| {
        let outcome = trace.stop();
        let mut event = outcome.marked("hook-marker")[0].clone();
        assert_eq!(event["unreadable"].take(), json!([]));
        assert_eq!(event["interpreter"], program);
        // Each has its own clock reading.
        event["time"].take();
        event["ktime"].take();
        event
    };
    assert_eq!(tell(raw), tell(classic));
    drop(another.map(Trace::stop));
}

#[test]
fn an_end_by_count_and_one_by_time() {
    if !real_kernel("an_end_by_count_and_one_by_time") {
        return;
    }
    let trace = Trace::start(&["--only", "/usr/bin/true", "--count", "3"]);
    for number in 0..10 {
        run(Command::new("/usr/bin/true").args(["count-marker", &number.to_string()]));
    }
    let outcome = trace.wait();
    assert!(outcome.status.success());
    assert_eq!(outcome.of_kind("exec").count(), 3);
    assert_eq!(outcome.summary()["delivered"], 3);

    let trace = Trace::start(&["--duration", "300ms"]);
    let outcome = trace.wait();
    assert!(outcome.status.success());
    outcome.summary();
}

#[test]
fn chosen_fields_and_a_file() {
    if !real_kernel("chosen_fields_and_a_file") {
        return;
    }
    let directory = scratch();
    let file = directory.path().join("out.jsonl");
    let mut command = exectrail();
    command.args(["--json", "--only", "/usr/bin/true", "--fields", "exe,pid", "-o"]).arg(&file);
    let trace = Trace::start_command(&mut command);
    let pid = run(Command::new("/usr/bin/true").arg("file-marker"));
    let outcome = trace.stop();
    assert!(outcome.events.is_empty(), "nothing on stdout");
    let text = fs::read_to_string(&file).unwrap();
    let line = text.lines().find(|line| line.contains(&format!("\"pid\":{pid}"))).unwrap();
    assert_eq!(line, format!(r#"{{"v":1,"event":"exec","exe":"/usr/bin/true","pid":{pid}}}"#));
}
