//! What the tests of hostile conditions have in common: exectrail under conditions that
//! the subject brings about, and how it ends there.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    edge_expect::{Place, kernel_since, says},
    support::{Trace, is_emulated, run, subject},
};

/// Longer than any start that ends by itself takes, on an emulated machine too.
const PATIENCE: Duration = Duration::from_secs(120);

/// Exectrail, as the tests run it.
pub(crate) const EXECTRAIL: &str = env!("CARGO_BIN_EXE_exectrail");

/// Whether this machine is the test's alone, so that it may move its clock and lower its
/// limits. Where it is not, that is said.
pub(crate) fn machine_of_its_own(test: &str) -> bool {
    let is = is_emulated();
    if !is {
        eprintln!("{test}: not run here: needs a machine of its own (make kernels)");
    }
    is
}

/// `program` under these conditions. Where maps are locked memory, it may lock as much as
/// it likes, unless that is a condition.
pub(crate) fn under(conditions: &[&str], program: &[&str]) -> Command {
    let is_limited = conditions.iter().any(|condition| condition.starts_with("locked="));
    let locked = if is_limited || kernel_since(5, 11) { None } else { Some("locked=unlimited") };
    let mut command = Command::new(subject());
    command.arg("under").args(locked).args(conditions).arg("--").args(program);
    command
}

/// Exectrail under these conditions; it ends by itself.
pub(crate) fn exectrail_under(conditions: &[&str], args: &[&str]) -> Command {
    let ends = ["--duration", "2s"];
    under(conditions, &[&[EXECTRAIL, "--json"], args, &ends].concat())
}

/// How it ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

/// Runs a command to its end, which is to come soon. What it shows is not asked for.
pub(crate) fn end_of(command: &mut Command) -> Ended {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let said = thread::spawn(move || {
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        said
    });
    let code = soon(&mut child);
    let said = said.join().unwrap();
    assert!(!said.contains("panicked"), "{said}");
    Ended { code, said }
}

fn soon(child: &mut Child) -> Option<i32> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() >= give_up {
            child.kill().unwrap();
            panic!("it did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Checks that exectrail does not start under these conditions, how it ends, and that it
/// says all of these words.
#[track_caller]
pub(crate) fn refuses(conditions: &[&str], args: &[&str], code: i32, words: &[&str]) {
    let ended = end_of(&mut exectrail_under(conditions, args));
    assert_eq!(ended.code, Some(code), "{conditions:?} {args:?}: {}", ended.said);
    for word in words {
        assert!(ended.said.contains(word), "it does not say {word:?}: {}", ended.said);
    }
    eprintln!("{} {}\n{}", conditions.join(" "), args.join(" "), ended.said);
}

/// Checks that exectrail traces under these conditions, and gives what it said.
#[track_caller]
pub(crate) fn works(conditions: &[&str], args: &[&str]) -> String {
    let place = Place::new();
    let target = place.tiny("target");
    let args = [&[EXECTRAIL, "--json", "--only", &target, "--count", "1"], args].concat();
    let trace = Trace::start_command(&mut under(conditions, &args));
    let pid = run(Command::new(&target).arg("hostile"));
    let outcome = trace.wait();
    assert_eq!(outcome.status.code(), Some(0), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let event = outcome.only_one_of(pid);
    says(event, json!({ "event": "exec", "exe": target, "args": [target, "hostile"] }));
    outcome.summary();
    outcome.stderr
}
