//! At the limits, and beyond each of them.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    os::unix::fs::symlink,
    process::{Child, Command, Stdio},
};

use crate::{
    edge_expect::{Place, padded, says},
    support::{Trace, real_kernel, run, tiny_at},
};
use serde_json::json;

/// E2BIG, include/uapi/asm-generic/errno-base.h.
const TOO_BIG: i32 = 7;

fn error_of(command: &mut Command) -> i32 {
    let error: io::Error = command.spawn().map(|_| ()).unwrap_err();
    error.raw_os_error().unwrap()
}

/// One string may have 131,072 bytes with its NUL (`MAX_ARG_STRLEN`,
/// include/uapi/linux/binfmts.h).
#[test]
fn the_longest_argument_and_one_that_is_too_long() {
    if !real_kernel("the_longest_argument_and_one_that_is_too_long") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let long = "x".repeat(131_071);
    let watch = place.watch();
    let good = run(Command::new(&target).args([&long, "last"]));
    let too_long = format!("{long}x");
    assert_eq!(error_of(Command::new(&target).args([&too_long, "last"])), TOO_BIG);
    let outcome = watch.stop();
    let event = outcome.only_one_of(good);
    says(
        event,
        json!({
            "event": "exec",
            "args_count": 3,
            "args_bytes": target.len() + 1 + 131_072 + 5,
            "args_truncated": true,
            "args_cut": 2,
            "unreadable": [],
        }),
    );
    // Both ends of the string, and what stands around it.
    let args = event["args"].as_array().unwrap();
    assert_eq!((args.len(), &args[0], &args[3]), (4, &json!(target), &json!("last")));
    let kept: Vec<_> = args[1..3].iter().map(|piece| piece.as_str().unwrap().len()).collect();
    assert_eq!(kept.iter().sum::<usize>() + target.len() + 1 + 1 + 5, 64 * 1024);
    let failed = outcome.only_failure();
    says(
        failed,
        json!({
            "filename": target,
            "error": "E2BIG",
            "args_truncated": true,
            "args_count": null,
            "args_bytes": null,
            "flags": [],
        }),
    );
    let args = failed["args"].as_array().unwrap();
    assert_eq!((args.len(), &args[0]), (2, &json!(target)));
    assert!(too_long.starts_with(args[1].as_str().unwrap()), "a piece of it");
}

/// More strings than a usual limit allows, and more bytes than the greatest
/// (three quarters of the default stack, `bprm_stack_limits`, fs/exec.c).
#[test]
fn many_arguments_and_more_than_all_may_have() {
    if !real_kernel("many_arguments_and_more_than_all_may_have") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let watch = place.watch();
    let good = run(Command::new(&target).args(vec!["x"; 100_000]).env_clear());
    let too_many = vec!["x".repeat(131_071); 50];
    assert_eq!(error_of(Command::new(&target).args(too_many)), TOO_BIG);
    let outcome = watch.stop();
    let event = outcome.only_one_of(good);
    says(
        event,
        json!({
            "event": "exec",
            "exe": target,
            "args_count": 100_001,
            "args_bytes": target.len() + 1 + 200_000,
            "args_truncated": true,
            "unreadable": [],
        }),
    );
    let whole = event["args"].as_array().unwrap().iter().skip(1);
    assert!(whole.filter(|arg| *arg == "x").count() > 32_000);
    says(
        outcome.only_failure(),
        json!({
            "filename": target,
            "exe": null,
            "error": "E2BIG",
            "args_truncated": true,
            "args_count": null,
            "args_bytes": null,
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// Three quarters of the stack that a process may have, and 6 MiB at most
/// (`bprm_stack_limits`, fs/exec.c): 46 of the longest strings, and not 48.
#[test]
fn as_many_bytes_as_the_kernel_takes() {
    if !real_kernel("as_many_bytes_as_the_kernel_takes") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let long = "x".repeat(131_071);
    let with = |count: usize| {
        let script = format!("ulimit -s unlimited && exec {target} {}", r#""$0" "#.repeat(count));
        run(Command::new("sh").args(["-c", &script, &long]).env_clear())
    };
    let ((good, too_many), outcome) = place.during(|| (with(46), with(48)));
    says(
        outcome.only_one_of(good),
        json!({
            "event": "exec",
            "exe": target,
            "args_count": 47,
            "args_bytes": target.len() + 1 + 46 * 131_072,
            "args_truncated": true,
            "flags": [],
            "unreadable": [],
        }),
    );
    says(
        outcome.only_one_of(too_many),
        json!({ "event": "failed", "filename": target, "error": "E2BIG", "flags": [] }),
    );
}

/// `PATH_MAX` is 4,096 with the NUL. A name that is longer than a record
/// holds is not shown as if it ended there.
#[test]
fn the_longest_name_and_one_that_is_too_long() {
    if !real_kernel("the_longest_name_and_one_that_is_too_long") {
        return;
    }
    let place = Place::new();
    let good = tiny_at(&padded(place.path(), 4095)).to_owned();
    let too_long = format!("{good}x");
    // Found by an argument: a rule need not match a name that is not whole.
    let trace = Trace::start(&["--failed"]);
    let pid = run(&mut Command::new(&good));
    let marker = format!("too-long-{pid}");
    assert!(Command::new(&too_long).arg(&marker).spawn().is_err());
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": good,
            "exe": good,
            "args": [good],
            "flags": [],
            "unreadable": [],
        }),
    );
    let failed = outcome.marked(&marker);
    assert_eq!(failed.len(), 1);
    says(
        failed[0],
        json!({
            "event": "failed",
            "filename": null,
            "exe": null,
            "args": [too_long, marker],
            "args_count": 2,
            "error": "ENAMETOOLONG",
            // It is not whole.
            "unreadable": ["filename"],
        }),
    );
}

/// What a user meets besides the usual.
#[test]
fn rarer_errors_by_their_names() {
    if !real_kernel("rarer_errors_by_their_names") {
        return;
    }
    let place = Place::new();
    let name_too_long = place.at(&"n".repeat(256));
    let (circle, back) = (place.at("circle"), place.at("back"));
    symlink(&back, &circle).unwrap();
    symlink(&circle, &back).unwrap();
    let written = place.tiny("written");
    let writer = Writer::of(&written);
    let directory = place.at("directory");
    fs::create_dir(&directory).unwrap();
    let empty = place.executable("empty", "");
    let cases = [
        (&name_too_long, "ENAMETOOLONG"),
        (&circle, "ELOOP"),
        (&written, "ETXTBSY"),
        (&directory, "EACCES"),
        (&empty, "ENOEXEC"),
    ];
    let watch = place.watch();
    for (path, _) in cases {
        assert!(Command::new(path).arg("first").spawn().is_err(), "{path}");
    }
    writer.end();
    // The same file, now that nobody writes to it.
    let good = run(&mut Command::new(&written));
    let outcome = watch.stop();
    for (path, error) in cases {
        let failed: Vec<_> =
            outcome.of_kind("failed").filter(|event| event["filename"] == **path).collect();
        assert_eq!(failed.len(), 1, "{path}");
        says(
            failed[0],
            json!({
                "ppid": std::process::id(),
                "exe": null,
                "args": [path, "first"],
                "error": error,
                "flags": [],
                "unreadable": [],
            }),
        );
    }
    says(outcome.only_one_of(good), json!({ "event": "exec", "exe": written }));
}

/// Who has a file open for writing: another process, since ours has others forked all the
/// time, which keep a descriptor for a moment.
struct Writer(Child);

impl Writer {
    fn of(path: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"exec 3>>"$0"; echo opened; read line"#, path]);
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "opened\n");
        Self(child)
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}
