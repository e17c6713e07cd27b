//! The closed account: under a storm, with too small a buffer, and at rest.

use crate::support::{Trace, real_kernel, run_subject, scratch, tiny_at};
use rustix::process::Signal;

#[test]
fn a_storm_on_every_cpu_is_complete() {
    if !real_kernel("a_storm_on_every_cpu_is_complete") {
        return;
    }
    let directory = scratch();
    let tiny = tiny_at(&directory.path().join("storm")).to_owned();
    let trace = Trace::start(&["--only", &tiny]);
    run_subject(&["storm", &tiny, "20000", "2"]);
    let outcome = trace.stop();
    assert_eq!(outcome.execs_of(&tiny).len(), 20_000);
    let summary = outcome.summary();
    assert_eq!((summary["dropped"].as_u64(), summary["missed"].as_u64()), (Some(0), Some(0)));
    assert_eq!(outcome.of_kind("lost").count(), 0);
}

#[test]
fn losses_are_counted_and_told_in_their_place() {
    if !real_kernel("losses_are_counted_and_told_in_their_place") {
        return;
    }
    let directory = scratch();
    let tiny = tiny_at(&directory.path().join("storm")).to_owned();
    let trace = Trace::start(&["--only", &tiny, "--buffer", "64K"]);
    run_subject(&["storm", &tiny, "200", "2"]);
    // A reader that sleeps: the buffer runs over.
    trace.signal(Signal::STOP);
    run_subject(&["storm", &tiny, "4000", "2"]);
    trace.signal(Signal::CONT);
    std::thread::sleep(std::time::Duration::from_millis(200));
    run_subject(&["storm", &tiny, "200", "2"]);
    let outcome = trace.stop();
    let summary = outcome.summary();
    let shown = outcome.execs_of(&tiny).len() as u64;
    let dropped = summary["dropped"].as_u64().unwrap();
    assert!(dropped > 1000, "{summary}");
    assert_eq!(shown + dropped, 4400, "{summary}");
    let told: u64 = outcome.of_kind("lost").map(|event| event["count"].as_u64().unwrap()).sum();
    assert_eq!(told, dropped);
    // In their place: between execs, not all at the end.
    let kinds: Vec<_> =
        outcome.events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let first = kinds.iter().position(|&kind| kind == "lost").unwrap();
    assert!(kinds[..first].contains(&"exec") && kinds[first..].contains(&"exec"));
    for event in outcome.of_kind("lost") {
        assert_eq!(event["reason"], "ring_full");
    }
}

#[test]
fn failures_are_in_the_account_too() {
    if !real_kernel("failures_are_in_the_account_too") {
        return;
    }
    let directory = scratch();
    let missing = directory.path().join("missing");
    let trace = Trace::start(&["--failed", "--only", missing.to_str().unwrap()]);
    for _ in 0..100 {
        assert!(std::process::Command::new(&missing).spawn().is_err());
    }
    let outcome = trace.stop();
    assert_eq!(outcome.of_kind("failed").count(), 100);
    outcome.summary();
}
