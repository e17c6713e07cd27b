//! As many processes as there can be, and ids that come round again.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    edge_expect::Place,
    hostile::machine_of_its_own,
    support::{Outcome, Trace, real_kernel, run_subject, subject},
};

/// Processes alive at a time; `EXECTRAIL_PROCESSES` gives another number.
const PROCESSES: usize = 20_000;

/// What a sleeping process takes of the host's memory, and more: page tables, stacks,
/// and what the kernel knows of it.
const BYTES_EACH: usize = 100_000;

fn processes() -> usize {
    if let Ok(text) = std::env::var("EXECTRAIL_PROCESSES") {
        return text.parse().unwrap();
    }
    let room = available_bytes() / 2 / BYTES_EACH;
    if room < PROCESSES {
        eprintln!("there is memory for {room} processes only, not {PROCESSES}");
    }
    room.min(PROCESSES)
}

fn available_bytes() -> usize {
    kilobytes("/proc/meminfo", "MemAvailable") << 10
}

fn kilobytes(file: &str, name: &str) -> usize {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect(name).trim().trim_end_matches(" kB").parse().unwrap()
}

/// One after the other: there are not ids enough for both.
static ONE_CROWD: Mutex<()> = Mutex::new(());

fn one_crowd() -> MutexGuard<'static, ()> {
    ONE_CROWD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many sleepers, who live until this is dropped.
struct Crowd(Child);

impl Crowd {
    fn of(sleeper: &str, count: usize) -> Self {
        let mut command = Command::new(subject());
        command.args(["crowd", sleeper, &count.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim().parse(), Ok(count), "all are there");
        Self(child)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn ids_of<'o>(outcome: &'o Outcome, kind: &'o str, exe: &str) -> HashSet<&'o str> {
    let of_exe = outcome.of_kind(kind).filter(|event| event["exe"] == exe);
    of_exe.map(|event| event["process"].as_str().unwrap()).collect()
}

/// Half of them before the trace, half under its eyes: each end says what it is the end of.
#[test]
fn twenty_thousand_processes_are_all_known() {
    if !real_kernel("twenty_thousand_processes_are_all_known") {
        return;
    }
    let _one = one_crowd();
    let half = processes() / 2;
    let place = Place::new();
    let [before, during] = ["before", "during"].map(|name| {
        let path = place.at(name);
        run_subject(&["sleeper", &path]);
        path
    });
    let older = Crowd::of(&before, half);
    let start = Instant::now();
    let trace = Trace::start(&["--exit", "--only", &place.below(), "--buffer", "64M"]);
    let took = start.elapsed();
    let newer = Crowd::of(&during, half);
    let status = format!("/proc/{}/status", trace.pid());
    let memory = ["VmHWM", "VmRSS"].map(|name| kilobytes(&status, name));
    drop((older, newer));
    let outcome = trace.stop();

    let summary = outcome.summary();
    assert_eq!((&summary["dropped"], &summary["missed"]), (&0.into(), &0.into()), "{summary}");
    assert_eq!(ids_of(&outcome, "exec", &during).len(), half, "{summary}");
    assert_eq!(ids_of(&outcome, "exec", &during), ids_of(&outcome, "exit", &during));
    assert_eq!(ids_of(&outcome, "exit", &before).len(), half, "{summary}");
    for end in outcome.of_kind("exit").filter(|end| end["exe"] == before[..]) {
        assert_eq!((&end["scanned"], &end["signal"]), (&true.into(), &9.into()), "{end}");
        assert_eq!(end["args"][0], before[..]);
    }
    let [highest, now] = memory;
    eprintln!(
        "{half} processes before and {half} during; the trace started within {took:?}, \
         and had {highest} kB at most, {now} kB in the end"
    );
    // A look at a process is some ten system calls; an emulated machine takes its time.
    let most = Duration::from_secs(15) + Duration::from_millis(10 * half as u64);
    assert!(took < most, "{took:?}");
}

/// Where ids come round again and again.
struct PidMax(String);

impl PidMax {
    const FILE: &str = "/proc/sys/kernel/pid_max";

    fn lowered() -> Self {
        let found = fs::read_to_string(Self::FILE).unwrap();
        // The kernel has a least number, from its CPUs (`pid_idr_init`, kernel/pid.c).
        fs::write(Self::FILE, "1100").unwrap();
        Self(found)
    }
}

impl Drop for PidMax {
    fn drop(&mut self) {
        fs::write(Self::FILE, self.0.trim()).unwrap();
    }
}

/// The storm, and what of it is told.
fn everything_is_told_once(count: usize) {
    let place = Place::new();
    let target = place.tiny("target");
    let trace = Trace::start(&["--exit", "--only", &target, "--buffer", "64M"]);
    run_subject(&["storm", &target, &count.to_string(), "2"]);
    let outcome = trace.stop();
    let summary = outcome.summary();
    assert_eq!((&summary["dropped"], &summary["missed"]), (&0.into(), &0.into()), "{summary}");
    let execs: Vec<_> = outcome.of_kind("exec").collect();
    let ends: Vec<_> = outcome.of_kind("exit").collect();
    assert_eq!((execs.len(), ends.len()), (count, count), "{summary}");
    let ids: HashSet<_> = execs.iter().map(|exec| exec["pid"].as_u64().unwrap()).collect();
    eprintln!("{count} processes had {} ids; {summary}", ids.len());

    // An id is of one process at a time: exec, end, exec, end.
    let mut living: HashMap<u64, &Value> = HashMap::new();
    let mut workers = HashSet::new();
    let mut all: Vec<_> = execs.iter().chain(&ends).copied().collect();
    all.sort_by_key(|event| event["ktime"].as_u64().unwrap());
    for event in all {
        let pid = event["pid"].as_u64().unwrap();
        workers.insert(event["ppid"].as_u64().unwrap());
        if event["event"] == "exec" {
            assert!(living.insert(pid, event).is_none(), "two at a time: {event}");
            continue;
        }
        let exec = living.remove(&pid).unwrap_or_else(|| panic!("no exec: {event}"));
        for field in ["process", "ppid", "exe", "args", "image", "comm"] {
            assert_eq!(exec[field], event[field], "{field}: {exec} {event}");
        }
        assert_eq!(event["scanned"], false, "{event}");
        let born = event["ktime"].as_u64().unwrap() - event["duration_ns"].as_u64().unwrap();
        assert!(born <= exec["ktime"].as_u64().unwrap(), "born after its exec: {exec} {event}");
    }
    assert_eq!(workers.len(), 2, "the parents");
}

#[test]
fn ids_that_come_round_again_are_of_other_processes() {
    if !real_kernel("ids_that_come_round_again_are_of_other_processes") {
        return;
    }
    let _one = one_crowd();
    if machine_of_its_own("ids_that_come_round_again_are_of_other_processes, pid_max lowered") {
        let _lowered = PidMax::lowered();
        everything_is_told_once(5000);
        return;
    }
    // As they come round here, where that is soon.
    let most: usize = fs::read_to_string(PidMax::FILE).unwrap().trim().parse().unwrap();
    if most <= 1 << 15 {
        everything_is_told_once(most + 2000);
    }
}
