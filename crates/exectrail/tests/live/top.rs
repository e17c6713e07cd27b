//! `exectrail top`: what is counted in the kernel is what was run, to the last exec.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    edge_expect::{NOBODY, Place},
    rules_workers::{Cgroup, Worker},
    support::{Outcome, Trace, exectrail, real_kernel, run, run_subject, subject},
};

/// How often a program sleeps, and for how long.
const TURNS: u32 = 10;
const NAP: Duration = Duration::from_millis(50);

/// A trace that counts what is run below this place, and has one reading, when it is
/// stopped.
fn counting(place: &Place, more: &[&str]) -> Trace {
    let mut command = exectrail();
    command.args(["top", "--json", "--once", "--interval", "1h", "--only", &place.below()]);
    Trace::start_command(command.args(more))
}

/// The one reading, and the words at the end, which have to agree with it.
fn reading(trace: Trace) -> Value {
    let outcome = trace.stop();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    let Outcome { mut events, stderr, .. } = outcome;
    assert_eq!(events.len(), 1, "{events:#?}");
    let reading = events.remove(0);
    assert_eq!((&reading["v"], &reading["event"]), (&json!(1), &json!("top")));
    adds_up(&reading);
    let counted = number(&reading, "execs") + reading["failures"].as_u64().unwrap_or(0);
    assert!(stderr.contains(&format!("{counted} counted, ")), "{counted}: {stderr}");
    // From 7.0 on, the kernel can skip programs that only note what a record would need, and
    // these count as missed. No exec is: rows tell.
    assert!(stderr.contains(", 0 lost; "), "{stderr}");
    reading
}

/// Rows, and what is in none of them, are all there is.
fn adds_up(reading: &Value) {
    for (of, others) in
        [("execs", "other_execs"), ("failures", "other_failures"), ("ends", "other_ends")]
    {
        let rows = reading["rows"].as_array().unwrap().iter();
        let sum: u64 = rows.map(|row| row[of].as_u64().unwrap_or(0)).sum();
        let others = reading[others].as_u64().unwrap_or(0);
        assert_eq!(sum + others, reading[of].as_u64().unwrap_or(0), "{of}: {reading:#}");
    }
}

fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_else(|| panic!("{name}: {of:#}"))
}

/// What rows have of this, by name.
fn rows(reading: &Value, of: &str) -> BTreeMap<String, u64> {
    let rows = reading["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), number(row, of))).collect()
}

fn row<'r>(reading: &'r Value, name: &str) -> &'r Value {
    let mut rows = reading["rows"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {reading:#}"))
}

/// Ten programs, one with a name longer than those of short names, one below more
/// directories than one program walks.
fn ten_programs(place: &Place) -> BTreeMap<String, u64> {
    let tiny = place.tiny("tiny");
    let mut counts = BTreeMap::new();
    for index in 0..10 {
        let directory = match index {
            8 => "d".repeat(200),
            9 => vec!["deep"; 40].join("/"),
            _ => "bin".to_owned(),
        };
        let path = format!("{}/program-{index}", place.directory(&directory));
        fs::hard_link(&tiny, &path).unwrap();
        counts.insert(path, 100 + 20 * index);
    }
    counts
}

fn run_all(counts: &BTreeMap<String, u64>) {
    thread::scope(|scope| {
        for (path, count) in counts {
            scope.spawn(move || run_subject(&["storm", path, &count.to_string(), "2"]));
        }
    });
}

#[test]
fn counts_of_ten_programs_in_a_storm_are_exact() {
    if !real_kernel("counts_of_ten_programs_in_a_storm_are_exact") {
        return;
    }
    let place = Place::new();
    let counts = ten_programs(&place);
    // Others must not be counted, however many they are.
    let elsewhere = Place::new();
    let others = [elsewhere.tiny("other"), elsewhere.tiny(&format!("{}other", "deep/".repeat(40)))];
    for hook in ["auto", "classic"] {
        let trace = counting(&place, &["--hook", hook]);
        thread::scope(|scope| {
            for other in &others {
                scope.spawn(move || run_subject(&["storm", other, "400", "2"]));
            }
            run_all(&counts);
        });
        let reading = reading(trace);
        assert_eq!(rows(&reading, "execs"), counts, "{hook}");
        assert_eq!(rows(&reading, "ends"), counts, "{hook}");
        let all: u64 = counts.values().sum();
        assert_eq!((number(&reading, "execs"), number(&reading, "ends")), (all, all));
        assert_eq!((number(&reading, "other_execs"), number(&reading, "forgotten_execs")), (0, 0));
        assert_eq!(reading["failures"], Value::Null);
        // The most frequent one is first.
        assert_eq!(reading["rows"][0]["execs"], 280);
    }
}

#[test]
fn a_row_is_a_user_a_parent_or_a_cgroup() {
    if !real_kernel("a_row_is_a_user_a_parent_or_a_cgroup") {
        return;
    }
    let place = Place::new();
    let (tiny, parent) = (place.tiny("tiny"), place.program("parent"));
    let act = || {
        run(Command::new(&parent).args(["storm", &tiny, "50", "2"]));
        run(Command::new(&tiny).uid(NOBODY));
    };
    let users = counting(&place, &["--by", "user"]);
    act();
    let users = reading(users);
    let by_id = |uid: u32| {
        let mut rows = users["rows"].as_array().unwrap().iter();
        rows.find(|row| row["uid"] == uid).map(|row| number(row, "execs"))
    };
    assert_eq!((by_id(0), by_id(NOBODY)), (Some(51), Some(1)), "{users:#}");
    assert_eq!(row(&users, "root")["uid"], 0);

    let parents = counting(&place, &["--by", "parent"]);
    act();
    let ours = std::env::current_exe().unwrap().canonicalize().unwrap();
    let expected = [(parent.clone(), 50), (ours.to_str().unwrap().to_owned(), 2)];
    assert_eq!(rows(&reading(parents), "execs"), expected.into());

    let Some(cgroup) = Cgroup::new("top") else {
        eprintln!("NOT RUN: --by cgroup needs the unified hierarchy, which is not mounted");
        return;
    };
    let inside = cgroup.below("inside");
    let cgroups = counting(&place, &["--by", "cgroup"]);
    let mut worker = Worker::start(&[], subject().to_str().unwrap(), "");
    inside.take(worker.pid);
    for _ in 0..3 {
        worker.order(&json!({ "how": "path", "path": tiny, "args": [tiny] }));
    }
    let cgroups = reading(cgroups);
    assert_eq!(rows(&cgroups, "execs"), [(inside.path.clone(), 3)].into());
}

#[test]
fn failures_are_counted_by_the_name_that_was_tried() {
    if !real_kernel("failures_are_counted_by_the_name_that_was_tried") {
        return;
    }
    let place = Place::new();
    let (missing, tiny) = (place.at("missing"), place.tiny("tiny"));
    let trace = counting(&place, &["--failed", "--sort", "failures"]);
    for _ in 0..3 {
        assert!(Command::new(&missing).spawn().is_err());
        run(&mut Command::new(&tiny));
    }
    // One row for a program, whether or not it could be run.
    assert!(Command::new("chmod").args(["a-x", &tiny]).status().unwrap().success());
    assert!(Command::new(&tiny).spawn().is_err());
    let reading_of_names = reading(trace);
    let expected = [(missing.clone(), 3), (tiny.clone(), 1)];
    assert_eq!(rows(&reading_of_names, "failures"), expected.into());
    assert_eq!(rows(&reading_of_names, "execs"), [(missing.clone(), 0), (tiny.clone(), 3)].into());
    assert_eq!(reading_of_names["rows"][0]["name"], missing);

    let trace = counting(&place, &["--failed", "--by", "user"]);
    run_subject(&["storm-of-failures", &place.at(""), "600", "2"]);
    let reading = reading(trace);
    assert_eq!((number(&reading, "failures"), number(&reading, "execs")), (600, 0));
    assert_eq!(number(row(&reading, "root"), "failures"), 600);
}

#[test]
fn run_times_are_those_that_the_clock_shows() {
    if !real_kernel("run_times_are_those_that_the_clock_shows") {
        return;
    }
    let place = Place::new();
    let sleeper = place.at("sleep");
    let sleep = fs::canonicalize("/bin/sleep").unwrap();
    assert!(Command::new("cp").arg(sleep).arg(&sleeper).status().unwrap().success());
    let trace = counting(&place, &[]);
    let mut longest = Duration::ZERO;
    let begin = Instant::now();
    for _ in 0..TURNS {
        let begin = Instant::now();
        // Some programs of the kind are told by their name what they are to do.
        run(Command::new(&sleeper).arg0("sleep").arg("0.05"));
        longest = longest.max(begin.elapsed());
    }
    let mean_by_clock = begin.elapsed() / TURNS;
    let reading = reading(trace);
    let row = row(&reading, &sleeper);
    assert_eq!((number(row, "execs"), number(row, "ends")), (10, 10));
    let time = |name| Duration::from_nanos(number(row, name));
    assert!(time("mean_ns") >= NAP && time("mean_ns") <= mean_by_clock, "{row} {mean_by_clock:?}");
    let p99 = time("p99_ns");
    assert!(p99 * 8 >= NAP * 7 && p99 * 8 <= longest * 9, "{row} {longest:?}");
}

/// One run ends where the next begins, and also where nobody asks for the next. It is a
/// thread that execs, under an id that its process loses by that.
#[test]
fn a_run_ends_with_the_next_exec() {
    if !real_kernel("a_run_ends_with_the_next_exec") {
        return;
    }
    let place = Place::new();
    let (tiny, first) = (place.tiny("tiny"), place.program("first"));
    for exclude in [false, true] {
        let more: &[&str] = if exclude { &["--exclude", "tiny"] } else { &[] };
        let trace = counting(&place, more);
        run(Command::new(&first).args(["exec-from-thread", &tiny, "marker"]));
        let reading = reading(trace);
        let of_first = row(&reading, &first);
        assert_eq!((number(of_first, "execs"), number(of_first, "ends")), (1, 1), "{reading:#}");
        assert!(number(of_first, "mean_ns") > 0, "{of_first}");
        let expected = if exclude { 1 } else { 2 };
        assert_eq!((number(&reading, "execs"), number(&reading, "ends")), (expected, expected));
    }
}

/// More programs than there is room for, in a map of the smallest size.
#[test]
fn what_is_forgotten_is_told_and_totals_stay_exact() {
    if !real_kernel("what_is_forgotten_is_told_and_totals_stay_exact") {
        return;
    }
    let place = Place::new();
    let tiny = place.tiny("tiny");
    let trace = counting(&place, &["--room", "32"]);
    run_subject(&["storm-beats", &tiny, "300", "0"]);
    let reading = reading(trace);
    assert_eq!((number(&reading, "execs"), number(&reading, "ends")), (300, 300), "{reading:#}");
    assert!(number(&reading, "rows_in_all") <= 32, "{reading:#}");
    let forgotten = number(&reading, "forgotten_execs");
    assert!((300 - 32..300).contains(&forgotten), "{reading:#}");
    assert_eq!(number(&reading, "other_execs"), forgotten);
}

#[test]
fn readings_come_at_intervals_and_end_by_themselves() {
    if !real_kernel("readings_come_at_intervals_and_end_by_themselves") {
        return;
    }
    let place = Place::new();
    let tiny = place.tiny("tiny");
    let mut command = exectrail();
    command.args(["top", "--json", "--interval", "500ms", "--count", "3", "--rows", "0"]);
    let trace = Trace::start_command(command.args(["--only", &tiny]));
    run_subject(&["storm", &tiny, "100", "2"]);
    let Outcome { events, status, .. } = trace.wait();
    assert!(status.success());
    assert_eq!(events.len(), 3);
    for (index, reading) in events.iter().enumerate() {
        adds_up(reading);
        assert!(reading["rows"].as_array().unwrap().is_empty());
        assert!(number(reading, "elapsed_ns") >= 450_000_000 * (index as u64 + 1), "{reading:#}");
    }
    let last = &events[2];
    assert_eq!((number(last, "execs"), number(last, "other_execs")), (100, 100));
    // A rate is of its interval alone.
    let seconds = |reading: &Value| reading["interval_ns"].as_f64().unwrap() / 1e9;
    let all = events.iter().map(|event| event["execs_per_s"].as_f64().unwrap() * seconds(event));
    assert!((all.sum::<f64>() - 100.0).abs() < 0.1, "{events:#?}");
}

#[test]
fn a_table_in_a_pipe_is_safe_and_has_no_colours() {
    if !real_kernel("a_table_in_a_pipe_is_safe_and_has_no_colours") {
        return;
    }
    let place = Place::new();
    let tiny = place.tiny("bad\u{1b}[31m\u{202e}name");
    let table = |color: &str| {
        let mut command = exectrail();
        command.args(["top", "--once", "--interval", "2s", "--failed", "--color", color]);
        command.args(["--only", &place.below()]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        // It has begun by then, or these are not counted, and there is no row.
        thread::sleep(Duration::from_secs(1));
        run(&mut Command::new(&tiny));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = table("never");
    let lines: Vec<_> = plain.lines().collect();
    assert!(lines[0].contains(" execs/s, ") && lines[0].contains(" failed/s, "), "{plain}");
    assert!(lines[1].contains("EXECS/S") && lines[1].ends_with("  PROGRAM"), "{plain}");
    assert!(lines.iter().any(|line| line.starts_with("others: ")), "{plain}");
    assert!(!plain.contains(['\u{1b}', '\u{202e}']), "{plain:?}");
    assert!(table("always").contains("\u{1b}[4m"), "titles are underlined");
}

#[test]
fn what_only_user_space_decides_is_refused() {
    for (option, rule) in [
        ("--exclude", "arg=--version"),
        ("--only", "**/*.sh"),
        ("--only", "/usr/**,arg=x"),
        ("--exclude", "parent=make"),
        ("--only", "container=*"),
    ] {
        let output = exectrail().args(["top", "--once", option, rule]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{rule}: {said}");
        let words = format!("{option}: `{rule}` cannot be decided in the kernel");
        assert!(said.contains(&words), "{rule}: {said}");
    }
    for (column, words) in [("exec", "did you mean `execs`?"), ("failures", "add --failed")] {
        let output = exectrail().args(["top", "--once", "--sort", column]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
