//! Arguments: many, long, odd, and in pages that are not there yet.

use std::{
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader, Read},
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
};

use crate::support::{Trace, exectrail, program_at, real_kernel, run, run_subject, scratch};
use serde_json::{Value, json};

const ONLY_TRUE: [&str; 2] = ["--only", "/usr/bin/true"];

fn trace_true(args: &[OsString]) -> Value {
    let trace = Trace::start(&ONLY_TRUE);
    let pid = run(Command::new("/usr/bin/true").args(args));
    let outcome = trace.stop();
    outcome.summary();
    outcome.of_kind("exec").find(|event| event["pid"] == pid).expect("the exec").clone()
}

#[test]
fn two_thousand_arguments() {
    if !real_kernel("two_thousand_arguments") {
        return;
    }
    let args: Vec<_> =
        (0..2000).map(|number| OsString::from(format!("argument-{number}"))).collect();
    let event = trace_true(&args);
    let shown: Vec<_> = event["args"].as_array().unwrap().iter().skip(1).collect();
    assert_eq!(shown, args.iter().map(|arg| arg.to_str().unwrap()).collect::<Vec<_>>());
    assert_eq!(event["args_count"], 2001);
    assert_eq!(event["args_truncated"], false);
}

#[test]
fn one_argument_of_sixty_kibibytes() {
    if !real_kernel("one_argument_of_sixty_kibibytes") {
        return;
    }
    let long: String = ('a'..='z').cycle().take(60 * 1024).collect();
    let event = trace_true(&[OsString::from(&long)]);
    assert_eq!(event["args"][1], long);
    assert_eq!(event["args_truncated"], false);
}

#[test]
fn more_than_fits_loses_its_middle_and_says_so() {
    if !real_kernel("more_than_fits_loses_its_middle_and_says_so") {
        return;
    }
    let args: Vec<_> = (0..3000).map(|number| OsString::from(format!("{number:0>64}"))).collect();
    let event = trace_true(&args);
    assert_eq!(event["args_truncated"], true);
    assert_eq!(event["args_count"], 3001);
    assert_eq!(event["args_bytes"], 14 + 3000 * 65);
    let shown = event["args"].as_array().unwrap();
    let cut = usize::try_from(event["args_cut"].as_u64().unwrap()).unwrap();
    assert_eq!(shown[1], format!("{:0>64}", 0));
    assert_eq!(shown.last().unwrap(), &format!("{:0>64}", 2999));
    assert!(shown[cut - 1].as_str().unwrap().len() < 64, "a piece before the gap");
    let bytes: usize = shown.iter().map(|arg| arg.as_str().unwrap().len() + 1).sum();
    assert!(bytes >= 64 * 1024, "{bytes}");
}

#[test]
fn odd_bytes_are_whole_in_json() {
    if !real_kernel("odd_bytes_are_whole_in_json") {
        return;
    }
    let odd: [&[u8]; 6] = [
        b"new\nline",
        b"\x1b]0;title\x07",
        b"\xff\xfe",
        b"",
        "\u{202e}bidi".as_bytes(),
        b"quote\"\\",
    ];
    let args: Vec<_> = odd.iter().map(|arg| OsStr::from_bytes(arg).to_owned()).collect();
    let event = trace_true(&args);
    assert_eq!(
        event["args"],
        json!([
            "/usr/bin/true",
            "new\nline",
            "\u{1b}]0;title\u{7}",
            "\u{fffd}\u{fffd}",
            "",
            "\u{202e}bidi",
            "quote\"\\"
        ])
    );
    assert_eq!(event["args_raw"][3], "//4=");
}

#[test]
fn odd_bytes_are_harmless_on_the_terminal() {
    if !real_kernel("odd_bytes_are_harmless_on_the_terminal") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let mut command = exectrail();
    command.args(["--only", &program, "--count", "1", "--color", "never"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().contains("tracing"));
    let hostile = OsStr::from_bytes(b"\x1b[2J\x07\r\n\xff\xe2\x80\xae$(reboot)");
    run(Command::new(&program).arg("exit").arg(hostile));
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    assert!(child.wait().unwrap().success());
    let text = String::from_utf8(output).expect("the terminal gets UTF-8");
    let line = text.lines().find(|line| line.contains("reboot")).unwrap();
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
    assert!(line.contains(r"\e[2J") && line.contains(r"\xff"), "{line}");
}

/// Strings that the calling process has never touched: at the entry of the
/// system call, where most tracers look, their pages are not there.
#[test]
fn literals_after_fork_vfork_and_posix_spawn() {
    if !real_kernel("literals_after_fork_vfork_and_posix_spawn") {
        return;
    }
    let expect = json!(["/usr/bin/true", "a literal", "", "exectrail-literal-marker"]);
    for how in ["fork", "vfork", "posix_spawn"] {
        let trace = Trace::start(&ONLY_TRUE);
        run_subject(&["literals", how, "1000"]);
        let outcome = trace.stop();
        let right = outcome.of_kind("exec").filter(|event| event["args"] == expect).count();
        assert_eq!(right, 1000, "{how}");
        assert_eq!(outcome.summary()["dropped"], 0);
    }
}

#[test]
fn an_exec_from_a_thread_is_the_processes() {
    if !real_kernel("an_exec_from_a_thread_is_the_processes") {
        return;
    }
    let trace = Trace::start(&ONLY_TRUE);
    let pid: u32 = run_subject(&["exec-from-thread", "/usr/bin/true", "thread-marker"])
        .trim()
        .parse()
        .unwrap();
    let outcome = trace.stop();
    let event = outcome.marked("thread-marker")[0];
    assert_eq!((&event["pid"], &event["tid"]), (&json!(pid), &json!(pid)));
}
