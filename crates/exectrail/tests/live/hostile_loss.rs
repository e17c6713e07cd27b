//! A reader that is stopped, a clock that is moved, memory that there is none of: what is
//! lost is counted, and what cannot be says so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    edge_expect::{Place, kernel_since},
    hostile::{machine_of_its_own, refuses, works},
    support::{Outcome, Trace, real_kernel, run, run_subject},
};

fn number(event: &Value, name: &str) -> u64 {
    event[name].as_u64().unwrap_or_else(|| panic!("{name} of {event}"))
}

/// Checks that losses stand where they happened, and add up to what was dropped.
fn losses_are_in_their_place(outcome: &Outcome) -> u64 {
    let summary = outcome.summary();
    let drops = |event: &&Value| event["reason"] != "missed";
    let told: u64 = outcome.of_kind("lost").filter(drops).map(|lost| number(lost, "count")).sum();
    assert_eq!(told, number(summary, "dropped"), "{summary}");
    // Each loss is told before what came after it, on its CPU.
    for lost in outcome.of_kind("lost") {
        assert!(number(lost, "count") > 0, "{lost}");
    }
    told
}

/// How often it is stopped.
const ROUNDS: u64 = 4;

/// Stopped and continued several times over in a storm: each exec is shown or counted.
#[test]
fn a_reader_that_is_stopped_again_and_again_counts_what_it_misses() {
    if !real_kernel("a_reader_that_is_stopped_again_and_again_counts_what_it_misses") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = Trace::start(&["--only", &target, "--buffer", "64K"]);
    for _ in 0..ROUNDS {
        run_subject(&["storm", &target, "100", "2"]);
        trace.signal(Signal::STOP);
        run_subject(&["storm", &target, "1000", "2"]);
        trace.signal(Signal::CONT);
        thread::sleep(Duration::from_millis(300));
    }
    run_subject(&["storm", &target, "100", "2"]);
    let outcome = trace.stop();
    let sent = ROUNDS * 1100 + 100;
    let shown = outcome.execs_of(&target).len() as u64;
    let summary = outcome.summary();
    let dropped = losses_are_in_their_place(&outcome);
    assert_eq!(shown + dropped, sent, "{summary}");
    assert_eq!((number(summary, "delivered"), number(summary, "missed")), (shown, 0));
    assert!(dropped > 500 * ROUNDS, "{summary}");
    // In their place: each round's before the execs of the next one, which were all seen.
    let kinds: Vec<_> = outcome.events.iter().map(|event| event["event"] == "lost").collect();
    let turns = kinds.windows(2).filter(|pair| pair[0] && !pair[1]).count() as u64;
    assert!(turns >= ROUNDS, "{turns}");
    eprintln!("shown {shown}, dropped {dropped}, sent {sent}; {summary}");
}

/// The same with everything that there is to be told, ends and failures: of the whole
/// host, so that only the account can be checked.
#[test]
fn a_stopped_reader_closes_the_account_of_everything() {
    if !real_kernel("a_stopped_reader_closes_the_account_of_everything") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = Trace::start(&["--failed", "--exit", "--no-fold", "--buffer", "64K"]);
    trace.signal(Signal::STOP);
    run_subject(&["storm", &target, "2000", "2"]);
    trace.signal(Signal::CONT);
    thread::sleep(Duration::from_millis(300));
    let last = run(Command::new(&target).arg("last"));
    let outcome = trace.stop();
    assert!(losses_are_in_their_place(&outcome) > 1000);
    assert_eq!(outcome.of_process(last).len(), 1, "it goes on");
}

/// What comes after the last one that was asked for is counted, however much it is.
#[test]
fn a_count_that_is_reached_in_a_storm_closes_the_account() {
    if !real_kernel("a_count_that_is_reached_in_a_storm_closes_the_account") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let trace = Trace::start(&["--only", &target, "--count", "5"]);
    trace.signal(Signal::STOP);
    run_subject(&["storm", &target, "2000", "2"]);
    trace.signal(Signal::CONT);
    let outcome = trace.wait();
    let summary = outcome.summary();
    assert_eq!((number(summary, "delivered"), number(summary, "dropped")), (5, 0), "{summary}");
    assert!(number(summary, "filtered") >= 1995, "{summary}");
}

/// By an hour forwards, and two back: neither order nor durations know of it.
#[test]
fn steps_of_the_wall_clock_move_no_duration() {
    if !real_kernel("steps_of_the_wall_clock_move_no_duration")
        || !machine_of_its_own("steps_of_the_wall_clock_move_no_duration")
    {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let shell = place.executable("script", &format!("#!/bin/sh\nsleep 1\n{target}\n"));
    let trace = Trace::start(&["--exit", "--failed", "--only", &place.below()]);
    for step in ["3600", "-7200", "3600", "-3600", "3600"] {
        let mut child = Command::new(&shell).spawn().unwrap();
        thread::sleep(Duration::from_millis(200));
        run_subject(&["step-clock", step]);
        child.wait().unwrap();
    }
    let outcome = trace.stop();
    let processes: Vec<_> =
        outcome.events.iter().filter(|event| event["process"].is_string()).collect();
    assert_eq!(processes.len(), 20, "{processes:#?}");
    for pair in processes.windows(2) {
        // Within the time that one CPU's record takes to appear behind another's.
        assert!(number(pair[0], "ktime") < number(pair[1], "ktime") + 1_000_000_000);
    }
    for end in outcome.of_kind("exit") {
        let duration = Duration::from_nanos(number(end, "duration_ns"));
        let is_script = end["comm"] == "script";
        let range = if is_script { 1..60 } else { 0..60 };
        assert!(range.contains(&duration.as_secs()), "{end}");
        let exec =
            processes.iter().find(|event| event["event"] == "exec" && event["pid"] == end["pid"]);
        assert_eq!(exec.unwrap()["process"], end["process"]);
    }
    // The wall clock's time is that of the wall clock.
    let hours = |event: &Value| event["time"].as_str().unwrap()[..13].to_owned();
    assert_ne!(hours(processes[0]), hours(processes[4]), "an hour later");
    outcome.summary();
}

/// A memory cgroup of the test's own; nothing, where there is no such controller.
struct MemoryCgroup(PathBuf);

impl MemoryCgroup {
    fn new(bytes: u64) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let kind = |wanted: &str, option: &str| {
            mounts.lines().find_map(|line| {
                let mut words = line.split(' ').skip(1);
                let (place, kind, options) = (words.next()?, words.next()?, words.next()?);
                let has = option.is_empty() || options.split(',').any(|word| word == option);
                (kind == wanted && has).then(|| PathBuf::from(place))
            })
        };
        let name = format!("exectrail-hostile-{}", std::process::id());
        let (root, limit) = match (kind("cgroup", "memory"), kind("cgroup2", "")) {
            (Some(root), _) => (root, "memory.limit_in_bytes"),
            (None, Some(root)) => {
                // Refused, where it has been done or there is none.
                drop(fs::write(root.join("cgroup.subtree_control"), "+memory"));
                (root, "memory.max")
            }
            (None, None) => return None,
        };
        let path = root.join(name);
        fs::create_dir(&path).unwrap();
        let cgroup = Self(path);
        let limited = fs::write(cgroup.0.join(limit), bytes.to_string());
        limited.is_ok().then_some(cgroup)
    }

    fn condition(&self) -> String {
        format!("cgroup={}", self.0.display())
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        for _ in 0..100 {
            // Until what has ended is gone from it.
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{} is left", self.0.display());
    }
}

/// The map is named, and its size, and the flag.
#[test]
fn a_map_that_there_is_no_memory_for_is_named() {
    if !real_kernel("a_map_that_there_is_no_memory_for_is_named") {
        return;
    }
    if !kernel_since(5, 11) {
        eprintln!("NOT RUN: before 5.11, maps count for no cgroup");
        return;
    }
    let Some(cgroup) = MemoryCgroup::new(128 << 20) else {
        assert!(std::env::var_os("CI").is_none(), "there is no memory controller");
        eprintln!("NOT RUN: there is no memory controller");
        return;
    };
    let condition = cgroup.condition();
    works(&[&condition], &["--buffer", "1M"]);
    let words = ["no memory for the map RING of 1073741824 bytes", "--buffer", "memory.max"];
    refuses(&[&condition], &["--buffer", "1G"], 1, &words);
    works(&[&condition], &["--buffer", "4M"]);
    assert!(Path::new(&cgroup.0).exists());
}

/// The kernel has the buffer then, and we no room to see it.
#[test]
fn a_buffer_that_there_are_no_addresses_for_is_told() {
    if !real_kernel("a_buffer_that_there_are_no_addresses_for_is_told") {
        return;
    }
    let limit = ["memory=200000000"];
    let words = ["mapping the ring buffer", "Cannot allocate memory", "--buffer", "ulimit -v"];
    refuses(&limit, &["--buffer", "128M"], 1, &words);
    works(&limit, &["--buffer", "1M"]);
}
