//! The ends of processes: once each, with the right code, and what they used.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Trace, program_at, real_kernel, run, run_subject, scratch, tiny_at};

#[test]
fn code_signal_and_core_are_those_that_wait_gives() {
    if !real_kernel("code_signal_and_core_are_those_that_wait_gives") {
        return;
    }
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let trace = Trace::start(&["--exit", "--only", shell.to_str().unwrap()]);
    let mut expected = Vec::new();
    for script in ["exit 0", "exit 7", "kill -9 $$", "kill -11 $$", "exec sh -c 'exit 3'"] {
        let mut child = Command::new("/bin/sh").args(["-c", script]).spawn().unwrap();
        let status = child.wait().unwrap();
        expected.push((child.id(), status.code(), status.signal(), status.core_dumped()));
    }
    let outcome = trace.stop();
    for (pid, code, signal, core) in expected {
        let ends: Vec<_> = outcome.of_kind("exit").filter(|event| event["pid"] == pid).collect();
        assert_eq!(ends.len(), 1, "{pid}");
        assert_eq!((&ends[0]["exit_code"], &ends[0]["signal"]), (&json!(code), &json!(signal)));
        assert_eq!(ends[0]["core"], core);
        assert_eq!(ends[0]["ppid"], std::process::id());
    }
    outcome.summary();
}

#[test]
fn an_end_tells_time_and_memory() {
    if !real_kernel("an_end_tells_time_and_memory") {
        return;
    }
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let trace = Trace::start(&["--exit", "--only", shell.to_str().unwrap()]);
    let start = Instant::now();
    let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.2";
    let pid = run(Command::new("/bin/sh").args(["-c", script]));
    let took = start.elapsed();
    let outcome = trace.stop();
    let event = outcome.of_kind("exit").find(|event| event["pid"] == pid).unwrap();
    let nanos = |field: &str| Duration::from_nanos(event[field].as_u64().unwrap());
    let duration = nanos("duration_ns");
    assert!(
        duration <= took && duration + Duration::from_millis(200) >= took,
        "{duration:?} {took:?}"
    );
    let cpu = nanos("cpu_user_ns") + nanos("cpu_system_ns");
    assert!(cpu > Duration::from_millis(10) && cpu < duration, "{cpu:?} of {duration:?}");
    let rss = event["max_rss_bytes"].as_u64().unwrap();
    // Bytes, and not pages. Of these tests, which it was born from, it has the peak.
    assert!((100_000..1 << 40).contains(&rss), "{rss}");
    assert!(event["minor_faults"].as_u64().unwrap() > 10);
    // The same id as the exec's: the two are one lifetime.
    let exec = outcome.of_kind("exec").find(|event| event["pid"] == pid).unwrap();
    assert_eq!((&exec["process"], &exec["image"]), (&event["process"], &event["image"]));
}

#[test]
fn every_exec_of_ten_thousand_has_its_end() {
    if !real_kernel("every_exec_of_ten_thousand_has_its_end") {
        return;
    }
    let directory = scratch();
    let tiny = tiny_at(&directory.path().join("tiny")).to_owned();
    let trace = Trace::start(&["--exit", "--only", &tiny]);
    run_subject(&["storm", &tiny, "10000", "2"]);
    let outcome = trace.stop();
    let ids = |kind: &str| {
        let mut ids: Vec<_> = outcome
            .of_kind(kind)
            .map(|event| event["process"].as_str().unwrap().to_owned())
            .collect();
        ids.sort_unstable();
        ids
    };
    let execs = ids("exec");
    assert_eq!(execs.len(), 10_000);
    assert_eq!(execs, ids("exit"));
    assert!(outcome.of_kind("exit").all(|event| event["exit_code"] == 0));
    outcome.summary();
}

#[test]
fn a_process_ends_with_its_last_thread() {
    if !real_kernel("a_process_ends_with_its_last_thread") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let trace = Trace::start(&["--exit", "--only", &program]);
    let start = Instant::now();
    let child = Command::new(&program)
        .args(["leader-first", "300", "5"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let took = start.elapsed();
    thread::sleep(Duration::from_millis(50));
    let outcome = trace.stop();
    let ends: Vec<_> = outcome.of_kind("exit").filter(|event| event["pid"] == pid).collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0]["exit_code"], json!(output.status.code()));
    let duration = Duration::from_nanos(ends[0]["duration_ns"].as_u64().unwrap());
    assert!(duration >= Duration::from_millis(300) && duration <= took, "{duration:?}");
}
