//! Storms of execs of every kind, compared process by process with what the
//! kernel itself tells of them.

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde::Deserialize;

use crate::{
    edge_expect::Place,
    lines::Lines,
    oracle::{Life, Oracle},
    support::{real_kernel, subject},
};

/// Execs of the storm; `EXECTRAIL_STORM` gives another number.
const STORM: usize = 20_000;

/// What is asked of a line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    event: String,
    pid: u32,
    filename: Option<String>,
    reason: String,
    count: u64,
    seen: u64,
    delivered: u64,
    filtered: u64,
    dropped: u64,
    missed: u64,
}

/// A storm that is still to be started.
struct Storm {
    _place: Place,
    target: String,
    script: String,
    /// Execs of each worker.
    turns: usize,
    workers: usize,
}

impl Storm {
    fn new(execs: usize) -> Self {
        let workers = thread::available_parallelism().unwrap().get();
        let place = Place::new();
        let target = place.tiny("target");
        let script = place.executable("script", &format!("#!{target}\n"));
        Self { _place: place, target, script, turns: execs / workers, workers }
    }

    fn execs(&self) -> usize {
        self.turns * self.workers
    }

    /// Every fourth turn is one.
    fn scripts(&self) -> usize {
        self.turns / 4 * self.workers
    }

    fn command(&self) -> Command {
        let mut command = Command::new(subject());
        command.args(["storm-mixed", &self.target, &self.script]);
        command.args([self.execs().to_string(), self.workers.to_string()]).stdout(Stdio::null());
        command
    }

    fn trace(&self, more: &[&str]) -> Lines<Line> {
        Lines::start(&[&["--only", &self.target, "--only", &self.script], more].concat())
    }
}

/// The ids of processes in lines of a kind, each as often as it is there.
fn pids(lines: &[Line], kind: &str) -> Vec<u32> {
    let of_kind = lines.iter().filter(|line| line.event == kind);
    sorted(of_kind.map(|line| line.pid).collect())
}

fn execs<'l>(lives: impl Iterator<Item = &'l Life>) -> Vec<u32> {
    sorted(lives.flat_map(|life| life.execs.iter().map(|_| life.pid)).collect())
}

fn sorted(mut pids: Vec<u32>) -> Vec<u32> {
    pids.sort_unstable();
    pids
}

/// Three quarters of the execs are from threads, by vfork or of scripts.
#[test]
fn a_mixed_storm_equals_the_proc_connector() {
    if !real_kernel("a_mixed_storm_equals_the_proc_connector") {
        return;
    }
    let wanted = std::env::var("EXECTRAIL_STORM").map_or(STORM, |text| text.parse().unwrap());
    let storm = Storm::new(wanted);
    let trace = storm.trace(&["--exit"]);
    let oracle = Oracle::listen();
    let root = crate::support::run(&mut storm.command());
    let known = oracle.stop().lives();
    let lines = trace.stop();
    let summary = lines.last().unwrap();
    assert_eq!((summary.dropped, summary.missed), (0, 0), "{summary:?}");

    let told = execs(known.below(root));
    assert_eq!(told.len(), storm.execs(), "the storm is as large as it should be");
    // The same processes, each as often.
    let shown = pids(&lines, "exec");
    assert!(shown == told, "execs: shown {}, told by the kernel {}", shown.len(), told.len());
    // Workers exec nothing, so their ends are nobody's business.
    let started = known.below(root).filter(|life| !life.execs.is_empty());
    let ended = started.filter(|life| life.ended).map(|life| life.pid);
    let (shown, told) = (pids(&lines, "exit"), sorted(ended.collect()));
    assert!(shown == told, "ends: shown {}, told by the kernel {}", shown.len(), told.len());
    assert_eq!(told.len(), storm.execs(), "each process ends once");
    assert_eq!(known.below(root).count(), storm.execs() + storm.workers);
    let scripts = lines
        .iter()
        .filter(|line| line.event == "exec" && line.filename.as_ref() == Some(&storm.script));
    assert_eq!(scripts.count(), storm.scripts());
    eprintln!("{} execs, {} ends, as told by the kernel; {summary:?}", shown.len(), told.len());
}

/// Nothing but the storm's own execs reaches the buffer, since both rules are for
/// the kernel to decide, and no ends are asked for, which user space decides. So
/// what is shown and what is dropped add up to what the kernel tells, exactly,
/// whatever else runs on this host.
#[test]
fn what_a_sleeping_reader_loses_is_counted_to_the_last_exec() {
    if !real_kernel("what_a_sleeping_reader_loses_is_counted_to_the_last_exec") {
        return;
    }
    let storm = Storm::new(STORM);
    let trace = storm.trace(&["--buffer", "64K"]);
    let oracle = Oracle::listen();
    let mut running = storm.command().spawn().unwrap();
    let root = running.id();
    // In the midst of it.
    let mut lines = vec![trace.next()];
    trace.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(1));
    trace.signal(Signal::CONT);
    assert!(running.wait().unwrap().success());
    let known = oracle.stop().lives();
    lines.extend(trace.stop());

    let summary = lines.last().unwrap();
    assert_eq!(summary.seen, summary.delivered + summary.filtered + summary.dropped);
    assert_eq!(summary.missed, 0, "{summary:?}");
    let shown = pids(&lines, "exec");
    assert_eq!(shown.len() as u64, summary.delivered, "{summary:?}");
    let told = execs(known.below(root));
    assert_eq!(told.len(), storm.execs());
    assert_eq!(shown.len() as u64 + summary.dropped, told.len() as u64, "{summary:?}");
    assert!(summary.dropped > 100, "{summary:?}");
    assert!(is_part_of(&shown, &told), "something was shown that did not happen");
    let lost = lines.iter().filter(|line| line.event == "lost");
    let reasons = ["ring_full", "scratch_busy"];
    let drops = lost.filter(|line| reasons.contains(&line.reason.as_str()));
    assert_eq!(drops.map(|line| line.count).sum::<u64>(), summary.dropped);
    eprintln!("shown {}, told {}; {summary:?}", shown.len(), told.len());
}

/// Whether each of `some` is one of `all`; both are in order.
fn is_part_of(some: &[u32], all: &[u32]) -> bool {
    let mut rest = all.iter();
    some.iter().all(|pid| rest.any(|other| other == pid))
}
