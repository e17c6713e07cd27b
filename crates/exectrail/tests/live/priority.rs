//! Who reads has a place before others; who is traced has the place that it had.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    run::{exectrail_run, outcome},
    support::{Trace, exectrail, real_kernel},
};

/// What `proc_pid_stat(5)` calls `policy`, of each thread of a process by its name.
fn policies(pid: u32) -> Vec<(String, String)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let policy = |stat: &str| {
        let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
        Some((name.to_owned(), fields.split(' ').nth(38)?.to_owned()))
    };
    threads
        .map(|one| policy(&fs::read_to_string(one.path().join("stat")).unwrap()).unwrap())
        .collect()
}

const OTHER: &str = "0";
const ROUND_ROBIN: &str = "2";

#[test]
fn events_are_read_and_written_before_others_run() {
    if !real_kernel("events_are_read_and_written_before_others_run") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (words, expect) in [(&[][..], ROUND_ROBIN), (&["--no-realtime"], OTHER)] {
        let mut command = exectrail();
        // A writer is started for the first bytes: those of a head.
        command.args(["--format", "pretty", "--only", "/nonexistent"]).args(words);
        let trace = Trace::start_command(command.arg("-o").arg(directory.path().join("events")));
        let give_up = Instant::now() + Duration::from_secs(60);
        let threads = loop {
            let threads = policies(trace.pid());
            if threads.iter().any(|(name, _)| name == "writer") || Instant::now() > give_up {
                break threads;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let of = |name: &str| threads.iter().find(|(thread, _)| thread == name).map(|(_, it)| it);
        assert_eq!(of("exectrail").map(String::as_str), Some(expect), "{threads:?}");
        assert_eq!(of("writer").map(String::as_str), Some(expect), "{threads:?}");
        assert!(trace.stop().status.success());
    }
}

/// The priority of a command is its user's affair.
#[test]
fn a_command_keeps_its_priority() {
    if !real_kernel("a_command_keeps_its_priority") {
        return;
    }
    // Policy, and nice.
    let script = r#"read -r line </proc/self/stat; set -- ${line##*) }; echo "${39} ${17}""#;
    let words = ["--json", "-o", "/dev/null", "--", "/bin/sh", "-c", script];
    let inner = exectrail_run(&words);
    let mut nice = Command::new("nice");
    nice.args(["-n", "5"]).arg(inner.get_program()).args(inner.get_args());
    let (output, stderr) = outcome(&mut nice);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0 5", "{stderr}");
}
