//! `--sort`: the same events, in another order.

use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    run::{exectrail_run, lines, outcome},
    support::{Trace, exectrail, program_at, real_kernel, run, scratch},
};

const MARKER: &str = "sorted-marker";

/// Short and long ones, in no order.
const LENGTHS: [usize; 6] = [30, 4, 200, 1, 77, 4];

fn run_all(program: &str) {
    for length in LENGTHS {
        run(Command::new(program).args(["exit", MARKER, &"x".repeat(length)]));
    }
}

fn sizes(events: &[&Value]) -> Vec<u64> {
    events.iter().map(|event| event["args_bytes"].as_u64().unwrap()).collect()
}

fn is_down(sizes: &[u64]) -> bool {
    sizes.windows(2).all(|pair| pair[0] >= pair[1])
}

#[test]
fn a_trace_with_an_end_is_sorted_there() {
    if !real_kernel("a_trace_with_an_end_is_sorted_there") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    // What is sorted by is collected, whether or not it is shown.
    for fields in [&[][..], &["--fields", "event,args,args_bytes,ktime"]] {
        let words = ["--only", &program, "--sort", "-args_bytes", "--duration", "3s"];
        let begun = Instant::now();
        let trace = Trace::start(&[&words, fields].concat());
        run_all(&program);
        let outcome = trace.wait();
        assert!(outcome.status.success(), "{}", outcome.stderr);
        assert!(begun.elapsed() >= Duration::from_secs(3));
        let marked = outcome.marked(MARKER);
        assert_eq!(marked.len(), LENGTHS.len(), "{:?}", outcome.events);
        assert!(is_down(&sizes(&marked)), "{marked:?}");
        // Equal ones stay in the order of time.
        assert!(marked[3]["ktime"].as_u64() < marked[4]["ktime"].as_u64(), "{marked:?}");
        if fields.is_empty() {
            assert_eq!(outcome.summary()["delivered"], LENGTHS.len());
        }
    }
}

#[test]
fn an_interrupted_trace_shows_what_has_come() {
    if !real_kernel("an_interrupted_trace_shows_what_has_come") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let words = ["--only", &program, "--sort=-args_bytes", "--count", "100", "--exit"];
    let trace = Trace::start(&words);
    run_all(&program);
    let outcome = trace.stop();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    let execs: Vec<_> = outcome.of_kind("exec").collect();
    assert!(execs.len() == LENGTHS.len() && is_down(&sizes(&execs)), "{:?}", outcome.events);
    // Ends have no such field.
    let kinds = outcome.events.iter().map(|event| event["event"].as_str().unwrap());
    let expect = [["exec"; 6], ["exit"; 6]].concat();
    assert_eq!(kinds.collect::<Vec<_>>(), [&expect[..], &["summary"]].concat());
    outcome.summary();
}

#[test]
fn a_trace_of_so_many_sorts_those_that_came_first() {
    if !real_kernel("a_trace_of_so_many_sorts_those_that_came_first") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let trace = Trace::start(&["--only", &program, "--sort", "args_bytes", "--count", "3"]);
    run_all(&program);
    let outcome = trace.wait();
    let mut expect: Vec<_> = LENGTHS[..3].to_vec();
    expect.sort_unstable();
    let lengths = outcome.marked(MARKER).into_iter().map(|event| event["args"][3].as_str());
    assert_eq!(lengths.map(|arg| arg.unwrap().len()).collect::<Vec<_>>(), expect);
    assert_eq!(outcome.summary()["delivered"], 3);
}

/// A replay, and its lines.
fn replayed(words: &[&str]) -> (Output, Vec<String>) {
    let output = exectrail().arg("replay").args(words).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text.lines().map(str::to_owned).collect())
}

#[test]
fn a_sorted_replay_has_what_one_in_order_has() {
    if !real_kernel("a_sorted_replay_has_what_one_in_order_has") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let file = directory.path().join("day.rec");
    let file = file.to_str().unwrap();
    let words = ["record", "-x", "--exit", "--only", &program, "-o", file];
    let trace = Trace::start_command(exectrail().args(words));
    run_all(&program);
    trace.stop();
    for form in [&["--json"][..], &[], &["--fields", "time,pid,duration_ns,args"]] {
        let (plain, mut lines) = replayed(&[form, &["--summary", file]].concat());
        let sort = ["--sort", "-duration_ns,args_bytes", "--summary", file];
        let (sorted, mut others) = replayed(&[form, &sort].concat());
        assert!(plain.status.success() && sorted.status.success(), "{sorted:?}");
        assert_eq!(plain.stderr, sorted.stderr, "the account is the same");
        assert_ne!(lines, others);
        assert_eq!(lines.last(), others.last());
        lines.sort();
        others.sort();
        assert_eq!(lines, others);
    }
    let (_, first) = replayed(&["--json", "--sort", "-duration_ns", "--count", "2", file]);
    let first: Vec<Value> = first.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(first.len(), 3, "{first:?}");
    assert!(first[0]["duration_ns"].as_u64() >= first[1]["duration_ns"].as_u64());
    assert_eq!(first[2]["delivered"], 2);
    let (refused, none) = replayed(&["--sort", "-duration_ns", "--tail", file]);
    assert_eq!((refused.status.code(), none.len()), (Some(2), 0));

    let (_, report) = replayed(&["--json", "--summary-only", "--sort", "-duration_ns", file]);
    let report: Value = serde_json::from_str(&report[0]).unwrap();
    let took =
        report["processes"].as_array().unwrap().iter().map(|one| one["duration_ns"].as_u64());
    let took: Vec<_> = took.map(Option::unwrap).collect();
    assert!(took.len() == LENGTHS.len() && is_down(&took), "{report}");
}

#[test]
fn the_summary_of_a_run_is_sorted() {
    if !real_kernel("the_summary_of_a_run_is_sorted") {
        return;
    }
    let directory = scratch();
    let file = directory.path().join("run.jsonl");
    let words = ["--summary-only", "--json", "--sort=-exit_code,pid", "-o", file.to_str().unwrap()];
    let script = "sh -c 'exit 3'; sh -c 'exit 40'; sh -c 'exit 5'; exit 1";
    let (output, words) = outcome(exectrail_run(&words).args(["--", "sh", "-c", script]));
    assert_eq!(output.status.code(), Some(1), "{words}");
    let report = lines(&fs::read_to_string(file).unwrap()).remove(0);
    let processes = report["processes"].as_array().unwrap();
    let codes: Vec<_> = processes.iter().map(|one| one["exit_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [40, 5, 3, 1], "{report}");
    // Each has the shell for its ancestor, which is the last one now; it is not a bad end itself.
    assert!(processes[..3].iter().all(|one| one["ancestor"] == 3), "{report}");
    assert_eq!(report["bad_ends"], serde_json::json!([0, 1, 2]));
    // No indentation, and the order of the list.
    let table: Vec<_> = words.lines().skip_while(|line| !line.contains("program")).collect();
    assert!(table[1].contains("exit 40     sh -c 'exit 40'"), "{words}");
    assert!(table[2].contains("exit 5      sh -c 'exit 5'"), "{words}");
    let refused = exectrail_run(&["--sort", "took"]).args(["--", "true"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn an_order_that_cannot_be_is_refused() {
    if !real_kernel("an_order_that_cannot_be_is_refused") {
        return;
    }
    for (words, expect) in [
        ("--sort pid", "`replay --sort`"),
        ("--sort pid --duration 1s --tree", "leave out --tree"),
        ("--sort -pdi --duration 1s", "did you mean 'pid'?"),
        ("--sort signal --duration 1s", "add --exit"),
    ] {
        let output = exectrail().args(words.split(' ')).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words}: {said}");
        assert!(said.contains(expect) && output.stdout.is_empty(), "{words}: {said}");
    }
}

/// What has no room ends the trace, and is told.
#[test]
fn a_trace_that_fills_its_room_says_so() {
    if !real_kernel("a_trace_that_fills_its_room_says_so") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let words = ["--only", &program, "--sort", "-args", "--duration", "10m", "--max-args", "2M"];
    let mut trace =
        Trace::start(&[&words[..], &["--fields", "event,args_bytes,args_count"]].concat());
    let long = vec!["x".repeat(120 << 10); 12];
    let mut runs = 0;
    while !trace.has_ended() {
        assert!(runs < 2000, "256 MiB are not 2,000 times 1.4 MB");
        run(Command::new(&program).arg("exit").args(&long));
        runs += 1;
    }
    let outcome = trace.wait();
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.stderr);
    // Each is there twice, as its key, too.
    let shown = outcome.of_kind("exec").count();
    assert!(shown > 80 && shown < 100, "{shown} of {runs}: {}", outcome.stderr);
    for words in ["the 256 MiB that there are", "counted as lost", "`record` has no such limit"] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    let lost = outcome.stderr.split(" lost; the kernel saw").next().unwrap();
    assert!(!lost.ends_with(" 0"), "{}", outcome.stderr);
}
