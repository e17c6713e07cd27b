//! The closed account: under a storm, with too small a buffer, and at rest.

use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    os::unix::process::CommandExt,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    edge_expect::kernel_since,
    support::{Trace, real_kernel, run_subject, scratch, subject, tiny_at},
};
use exectrail_abi::fault::Loss;
use exectrail_model::{
    event::Body,
    filter::{Rule, Rules, Verdict},
    plan::{BufferSize, Plan},
};
use exectrail_sensor::{Account, CpuAccount, Sensor};
use rustix::process::{Pid, Signal, kill_process_group};

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
    let summary = outcome.summary();
    assert_eq!(outcome.execs_of(&tiny).len(), 20_000, "{summary}");
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
    thread::sleep(Duration::from_millis(200));
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
        assert!(Command::new(&missing).spawn().is_err());
    }
    let outcome = trace.stop();
    assert_eq!(outcome.of_kind("failed").count(), 100);
    outcome.summary();
}

/// CPUs that there can be: the last of `0-3`, or of `0`, and one.
fn possible_cpus() -> usize {
    let range = fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
    let last = range.trim().rsplit(['-', ',']).next().unwrap();
    last.parse::<usize>().unwrap() + 1
}

/// Execs of one program, and every end: so user space has something to filter.
fn plan_of(path: &str) -> Plan {
    let mut rules = Rules::default();
    rules.push(Rule::parse(Verdict::Only, path, &()).unwrap()).unwrap();
    Plan { rules, exits: true, buffer: BufferSize::at_least(64 << 20).unwrap(), ..Plan::default() }
}

/// Stops it: execs and ends that it had left to tell, and the account.
fn stop(sensor: &mut Sensor) -> (usize, usize, Account) {
    let (mut execs, mut ends) = (0, 0);
    let account = sensor.stop(&mut |event| {
        match event.body {
            Body::Exec(_) => execs += 1,
            Body::Exit(_) => ends += 1,
            _ => {}
        }
        ControlFlow::Continue(())
    });
    (execs, ends, account)
}

#[test]
fn the_account_has_a_row_for_each_cpu_and_each_program() {
    if !real_kernel("the_account_has_a_row_for_each_cpu_and_each_program") {
        return;
    }
    let directory = scratch();
    let tiny = tiny_at(&directory.path().join("storm")).to_owned();
    let mut sensor = Sensor::start(&plan_of(&tiny)).unwrap();
    let programs: BTreeSet<_> = sensor.programs().collect();
    let workers = thread::available_parallelism().unwrap().get();
    // A worker on each CPU.
    run_subject(&["storm", &tiny, &(500 * workers).to_string(), &workers.to_string()]);
    let before = sensor.account();
    let (execs, ends, account) = stop(&mut sensor);
    let counts = sensor.counts();

    assert_eq!((before.cpus.len(), account.cpus.len()), (possible_cpus(), possible_cpus()));
    let busy = before.cpus.iter().filter(|cpu| cpu.seen >= 1000);
    assert!(busy.count() >= workers, "500 execs and 500 ends each: {before:#?}");
    for (before, after) in before.cpus.iter().zip(&account.cpus) {
        assert!(before.seen <= after.seen && before.filtered <= after.filtered);
    }
    rows_add_up(&account);
    // The summary is made of these.
    assert_eq!((execs, ends, account.dropped()), (500 * workers, 500 * workers, 0));
    assert_eq!(account.sent(), counts.received);
    let delivered = (execs + ends) as u64;
    assert_eq!(account.seen(), delivered + account.filtered() + counts.filtered);

    let names: BTreeSet<_> = account.programs.iter().map(|program| program.name).collect();
    assert_eq!(names.len(), account.programs.len(), "a row for each: {account:#?}");
    assert!(names.len() >= 2 && names.is_subset(&programs), "{names:?} of {programs:?}");
    if kernel_since(6, 7) {
        assert!(account.programs.iter().all(|program| program.skipped.is_some()));
    }
}

/// Checks each row, and that the sums are those of the rows.
fn rows_add_up(account: &Account) {
    let drops = |cpu: &CpuAccount| -> u64 {
        Loss::ALL.iter().filter(|loss| loss.is_drop()).map(|&loss| cpu.lost[loss as usize]).sum()
    };
    let mut sum = CpuAccount::default();
    for cpu in &account.cpus {
        assert!(cpu.seen >= cpu.filtered + drops(cpu), "{cpu:?}");
        sum.seen += cpu.seen;
        sum.filtered += cpu.filtered;
        for (sum, lost) in sum.lost.iter_mut().zip(cpu.lost) {
            *sum += lost;
        }
    }
    assert_eq!((account.seen(), account.filtered()), (sum.seen, sum.filtered));
    assert_eq!(account.dropped(), drops(&sum));
    assert_eq!(Loss::ALL.map(|loss| account.lost(loss)), sum.lost);
    let skipped = account.programs.iter().map(|program| program.skipped).sum::<Option<u64>>();
    assert_eq!(account.skipped(), skipped);
    assert_eq!(account.missed(), account.lost(Loss::Missed).max(skipped.unwrap_or(0)));
}

/// Who reads slower than events come has other things to do, too: signals, and the end.
#[test]
fn a_reading_ends_while_a_storm_goes_on() {
    if !real_kernel("a_reading_ends_while_a_storm_goes_on") {
        return;
    }
    let directory = scratch();
    let tiny = tiny_at(&directory.path().join("storm")).to_owned();
    let buffer = BufferSize::at_least(BufferSize::MIN).unwrap();
    let mut sensor = Sensor::start(&Plan { buffer, ..plan_of(&tiny) }).unwrap();
    let mut storm = Command::new(subject());
    storm.args(["storm", &tiny, "10000000", "2"]).process_group(0);
    let mut storm = storm.spawn().unwrap();
    let started = Instant::now();
    while sensor.account().dropped() == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "the buffer was full for once");
        thread::sleep(Duration::from_millis(10));
    }
    let mut events = 0;
    sensor.read(&mut |_| {
        events += 1;
        thread::sleep(Duration::from_millis(2));
        ControlFlow::Continue(())
    });
    let goes_on = storm.try_wait().unwrap().is_none();
    kill_process_group(Pid::from_child(&storm), Signal::KILL).unwrap();
    storm.wait().unwrap();
    assert!(goes_on && events > 10, "{events} events");
    rows_add_up(&sensor.stop(&mut |_| ControlFlow::Continue(())));
}

/// Of what rules leave out, the ends are left out by the kernel, too: nobody reads them.
#[test]
fn ends_of_what_is_left_out_are_left_out_in_the_kernel() {
    if !real_kernel("ends_of_what_is_left_out_are_left_out_in_the_kernel") {
        return;
    }
    let directory = scratch();
    let [wanted, other] =
        ["wanted", "other"].map(|name| tiny_at(&directory.path().join(name)).to_owned());
    let mut sensor = Sensor::start(&plan_of(&wanted)).unwrap();
    run_subject(&["storm", &other, "1000", "2"]);
    run_subject(&["storm", &wanted, "100", "2"]);
    let (execs, ends, account) = stop(&mut sensor);
    let counts = sensor.counts();
    assert_eq!((execs, ends, account.dropped()), (100, 100, 0));
    assert!(account.filtered() >= 2000, "{account:?}");
    // The rest are ends of processes that are older than the trace.
    assert!(counts.received < 200 + 500, "{counts:?} {account:?}");
    assert_eq!(account.seen(), 200 + account.filtered() + counts.filtered);
}
