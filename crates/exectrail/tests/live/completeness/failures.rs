//! Is every failed exec there? No connector tells of those, but whoever makes them fail
//! knows how many there were.

use std::{
    ops::ControlFlow,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use exectrail_model::{
    event::Body,
    filter::{Rule, Rules, Verdict},
    plan::{BufferSize, Plan},
};
use exectrail_sensor::Sensor;
use serde_json::json;

use super::{EXECS, keep, may_be_real_time};
use crate::{
    edge_expect::{Place, kernel_since},
    support::{real_kernel, subject},
};

/// A sensor of failures, and what it has told of those below a directory.
struct Watch {
    sensor: Sensor,
    shown: usize,
}

impl Watch {
    fn start(rules: Rules) -> Self {
        let buffer = BufferSize::at_least(64 << 20).unwrap();
        let plan = Plan { failed: true, fold: false, rules, buffer, ..Plan::default() };
        Self { sensor: Sensor::start(&plan).unwrap(), shown: 0 }
    }

    fn read(&mut self, below: &Path) {
        let Self { sensor, shown } = self;
        let below = below.as_os_str().as_encoded_bytes();
        sensor.read(&mut |event| {
            if let Body::Failed(program, _) = &event.body {
                *shown += usize::from(program.filename.is_some_and(|name| name.starts_with(below)));
            }
            ControlFlow::Continue(())
        });
    }

    /// Says the figures, and fails if any of so many failures is neither shown nor in the
    /// account, as far as the kernel counts.
    fn judge(mut self, storm: &str, failures: usize) {
        let account = self.sensor.stop(&mut |_| ControlFlow::Continue(()));
        let ours = |name: &str| name.starts_with("enter_") || name == "exit_exec";
        let programs = account.programs.iter().filter(|program| ours(program.name));
        let skipped: u64 = programs.filter_map(|program| program.skipped).sum();
        let forgotten = account.sum(|cpu| cpu.forgotten);
        let figures = json!({
            "failures_of": storm,
            "failures": failures,
            "shown": self.shown,
            "dropped": account.dropped(),
            "skipped": skipped,
            "forgotten": forgotten,
        });
        eprintln!("{figures}");
        keep(&figures);
        assert!(self.shown <= failures, "told twice: {figures}");
        let accounted = usize::try_from(account.dropped() + skipped + forgotten).unwrap();
        // Before 6.7 the kernel does not count what it skips: failures beside a map operation
        // that stands interrupted on the same CPU, for which a reader's own are enough where
        // real-time workers interrupt it (37 of 4,000 once, 6.1-rt).
        let uncounted = if kernel_since(6, 7) { 0 } else { failures / 20 };
        assert!(self.shown + accounted + uncounted >= failures, "{figures}");
    }
}

/// Two traces at once, one of which has rules: what one has, the other has.
fn storm(name: &str, storms: &[&[&str]]) {
    let place = Place::new();
    let below = format!("{}/**", place.path().display());
    let mut rules = Rules::default();
    rules.push(Rule::parse(Verdict::Only, &below, &()).unwrap()).unwrap();
    let mut watches = [Watch::start(Rules::default()), Watch::start(rules)];
    let workers = 2 * thread::available_parallelism().unwrap().get();
    let each = EXECS / storms.len() / workers * workers;
    let mut running: Vec<Child> = storms
        .iter()
        .map(|words| {
            let mut command = Command::new(subject());
            command.args(*words).arg("storm-of-failures").arg(place.path());
            command.args([each.to_string(), workers.to_string()]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let mut ended_since: Option<Instant> = None;
    while ended_since.is_none_or(|since| since.elapsed() < Duration::from_millis(300)) {
        for watch in &mut watches {
            watch.read(place.path());
        }
        thread::sleep(Duration::from_millis(5));
        let left = running.iter_mut().any(|child| child.try_wait().unwrap().is_none());
        ended_since = (!left).then(|| ended_since.unwrap_or_else(Instant::now));
    }
    for child in &mut running {
        assert!(child.wait().unwrap().success());
    }
    let [without, with] = watches;
    without.judge(name, each * storms.len());
    with.judge(&format!("{name}, with rules"), each * storms.len());
}

#[test]
fn a_storm_of_failures_is_complete() {
    if !real_kernel("a_storm_of_failures_is_complete") {
        return;
    }
    storm("plain", &[&[]]);
}

/// Half of the workers interrupt the other half wherever they stand, also in the midst
/// of our programs, which for failures can be interrupted from 7.2 on.
#[test]
fn a_storm_of_failures_of_real_time_workers_is_complete() {
    let name = "a_storm_of_failures_of_real_time_workers_is_complete";
    if !real_kernel(name) || !may_be_real_time() {
        return;
    }
    storm("real-time", &[&[], &["real-time"]]);
}
