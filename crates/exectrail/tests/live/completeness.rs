//! Is every exec there, and every end? Storms under hard conditions, counted against
//! what the kernel itself tells: what is not shown has to be in the account.
//!
//! The figures go, a JSON object a line, to the file that `EXECTRAIL_FIGURES` names:
//! `make kernels` makes its table of them.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    ops::ControlFlow,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use exectrail_abi::fault::Loss;
use exectrail_model::{
    event::{Body, Program},
    plan::{BufferSize, Plan},
};
use exectrail_sensor::{Account, Sensor};
use serde_json::{Value, json};

use crate::{
    edge_expect::Place,
    oracle::{Lives, Oracle, boot_less_monotonic},
    support::{Spawned, is_emulated, real_kernel, subject},
};

mod failures;

/// Execs of each storm; `EXECTRAIL_COMPLETENESS` gives another number.
const EXECS: usize = 4000;

/// What the storm execs.
struct Programs {
    _place: Place,
    target: String,
    script: String,
}

impl Programs {
    fn new() -> Self {
        let place = Place::new();
        let target = place.tiny("target");
        let script = place.executable("script", &format!("#!{target}\n"));
        Self { _place: place, target, script }
    }

    /// Whether an exec is told as one of these. What two programs wrote into one scratch
    /// buffer is not.
    fn is_one(&self, program: &Program<'_>) -> bool {
        let (target, script) = (self.target.as_bytes(), self.script.as_bytes());
        let bytes = program.args.unwrap_or_default().first_bytes(4096).0;
        let args: Vec<_> = bytes.split(|&byte| byte == 0).filter(|arg| !arg.is_empty()).collect();
        program.exe == Some(target)
            && match program.filename {
                Some(name) if name == target => args == [target],
                Some(name) => name == script && args == [target, script],
                None => false,
            }
    }
}

/// An event, as far as it is counted.
struct Sighting {
    pid: u32,
    /// On the connector's clock.
    time: u64,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// An exec that is told as one of the storm's.
    Exec,
    /// One that is told as something else.
    OtherExec,
    Exit,
}

/// A sensor that sees the whole host, and what it has told.
struct Watch {
    sensor: Sensor,
    suspended: u64,
    sightings: Vec<Sighting>,
}

impl Watch {
    fn start() -> Self {
        let buffer = BufferSize::at_least(64 << 20).unwrap();
        let plan = Plan { exits: true, buffer, ..Plan::default() };
        let sensor = Sensor::start(&plan).unwrap();
        Self { sensor, suspended: boot_less_monotonic(), sightings: Vec::new() }
    }

    fn read_for(&mut self, time: Duration, programs: &Programs) {
        let end = Instant::now() + time;
        let Self { sensor, suspended, sightings } = self;
        while Instant::now() < end {
            sensor.wait(&[], Some(end)).unwrap();
            sensor.read(&mut |event| {
                let (pid, what) = match event.body {
                    Body::Exec(program) if programs.is_one(&program) => {
                        (program.process.pid, What::Exec)
                    }
                    Body::Exec(program) => (program.process.pid, What::OtherExec),
                    Body::Exit(ended) => (ended.process.pid, What::Exit),
                    Body::Failed(..) | Body::Lost(_) | Body::Summary(_) => {
                        return ControlFlow::Continue(());
                    }
                };
                let time = event.moment.ktime - *suspended;
                sightings.push(Sighting { pid, time, what });
                ControlFlow::Continue(())
            });
        }
    }
}

/// Tells and shown, and what the account says of the difference.
struct Outcome {
    told: [usize; 2],
    shown: [usize; 2],
    /// Execs of the storm that are told as something else.
    garbled: usize,
    /// Records that came, and how many had been sent by the kernel side's account.
    received: u64,
    account: Account,
}

impl Outcome {
    /// Execs and ends that are neither shown nor in the account.
    fn unaccounted(&self) -> [usize; 2] {
        let lost = |loss| usize::try_from(self.account.lost(loss)).unwrap();
        let drops = Loss::ALL.into_iter().filter(|loss| loss.is_drop());
        let dropped: usize = drops.map(lost).sum();
        let skipped = |name: &str| {
            let programs = self.account.programs.iter();
            let ours = programs.filter(|program| program.name.starts_with(name));
            usize::try_from(ours.filter_map(|program| program.skipped).sum::<u64>()).unwrap()
        };
        let missed = lost(Loss::Missed).max(skipped("exec_"));
        let accounts = [dropped + missed, dropped + skipped("exit_")];
        std::array::from_fn(|at| {
            self.told[at].saturating_sub(self.shown[at]).saturating_sub(accounts[at])
        })
    }

    fn figures(&self, storm: &str) -> Value {
        let skipped: BTreeMap<_, _> =
            self.account.programs.iter().map(|program| (program.name, program.skipped)).collect();
        let [execs, exits] = self.unaccounted();
        json!({
            "storm": storm,
            "execs": self.told[0],
            "execs_shown": self.shown[0],
            "execs_unaccounted": execs,
            "exits": self.told[1],
            "exits_shown": self.shown[1],
            "exits_unaccounted": exits,
            "garbled": self.garbled,
            "received": self.received,
            "sent": self.account.sent(),
            "dropped": self.account.dropped(),
            "missed": self.account.lost(Loss::Missed),
            "skipped": skipped,
        })
    }
}

/// Runs the storms of these commands of the subject at once, beside `disturb`.
fn storm(storms: &[&[&str]], mut disturb: impl FnMut()) -> Outcome {
    let programs = Programs::new();
    let execs = std::env::var("EXECTRAIL_COMPLETENESS").map_or(EXECS, |text| text.parse().unwrap());
    let each = (execs / storms.len()).to_string();
    let workers = (2 * thread::available_parallelism().unwrap().get()).to_string();
    let oracle = Oracle::listen();
    let mut watch = Watch::start();
    let mut running: Vec<Spawned> = storms
        .iter()
        .map(|words| {
            let mut command = Command::new(subject());
            command.args(*words).args(["storm-mixed", &programs.target, &programs.script]);
            command.args([&each, &workers]);
            Spawned(command.stdout(Stdio::null()).spawn().unwrap())
        })
        .collect();
    let mut left = running.len();
    while left > 0 {
        watch.read_for(Duration::from_millis(20), &programs);
        disturb();
        left = running
            .iter_mut()
            .filter_map(|child| child.try_wait().unwrap().is_none().then_some(()))
            .count();
    }
    for child in &mut running {
        assert!(child.wait().unwrap().success());
    }
    watch.read_for(Duration::from_millis(200), &programs);
    let account = watch.sensor.stop(&mut |_| ControlFlow::Continue(()));
    let lives = oracle.stop().lives();
    let roots: Vec<u32> = running.iter().map(|storm| storm.id()).collect();
    compare(&lives, &roots, &watch, account)
}

/// Of the storms' own processes alone, so whatever else runs here.
fn compare(lives: &Lives, roots: &[u32], watch: &Watch, account: Account) -> Outcome {
    let below: Vec<_> = roots.iter().map(|&root| lives.descend_from(root)).collect();
    // Workers exec nothing, so their ends are nobody's business.
    let is_ours =
        |at: usize| below.iter().any(|descends| descends[at]) && !lives.get(at).execs.is_empty();
    let (mut told, mut shown, mut garbled) = ([0, 0], [0, 0], 0);
    for (_, life) in lives.iter().enumerate().filter(|&(at, _)| is_ours(at)) {
        told[0] += life.execs.len();
        told[1] += usize::from(life.ended);
    }
    let ours =
        watch.sightings.iter().filter(|seen| lives.at(seen.pid, seen.time).is_some_and(is_ours));
    for seen in ours {
        shown[usize::from(seen.what == What::Exit)] += 1;
        garbled += usize::from(seen.what == What::OtherExec);
    }
    let received = watch.sensor.counts().received;
    Outcome { told, shown, garbled, received, account }
}

/// Says the figures, keeps them if they are asked for, and fails if anything is neither
/// shown nor in the account.
fn judge(name: &str, outcome: &Outcome) {
    let figures = outcome.figures(name);
    eprintln!("{figures}");
    keep(&figures);
    assert!(outcome.told[0] > 100, "{figures}");
    assert!(outcome.shown[0] <= outcome.told[0], "told twice: {figures}");
    assert!(outcome.shown[1] <= outcome.told[1], "told twice: {figures}");
    assert_eq!(outcome.unaccounted(), [0, 0], "{figures}");
    assert_eq!(outcome.garbled, 0, "{figures}");
    assert_eq!(outcome.received, outcome.account.sent(), "{figures}");
}

fn keep(figures: &Value) {
    if let Some(path) = std::env::var_os("EXECTRAIL_FIGURES") {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        writeln!(file, "{figures}").unwrap();
    }
}

/// Which programs are in use here, and what the verifier walked for each.
#[test]
fn the_programs_in_use_are_known_to_the_kernel() {
    if !real_kernel("the_programs_in_use_are_known_to_the_kernel") {
        return;
    }
    let plan = Plan { exits: true, failed: true, ..Plan::default() };
    let sensor = Sensor::start(&plan).unwrap();
    let programs: Vec<_> = sensor
        .program_infos()
        .into_iter()
        .map(|info| json!({"name": info.name, "kind": info.kind, "verified": info.verified}))
        .collect();
    assert!(programs.iter().any(|program| program["name"] == "birth"), "{programs:?}");
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let preempt = fs::read_to_string("/sys/kernel/debug/sched/preempt").unwrap_or_default();
    keep(&json!({"release": release.trim(), "preempt": preempt.trim(), "programs": programs}));
}

#[test]
fn a_storm_is_complete() {
    if !real_kernel("a_storm_is_complete") {
        return;
    }
    judge("plain", &storm(&[&[]], || {}));
}

/// Half of the workers interrupt the other half wherever they stand, also in the midst
/// of our programs, if those can be interrupted.
#[test]
fn a_storm_of_real_time_workers_is_complete() {
    if !real_kernel("a_storm_of_real_time_workers_is_complete") || !may_be_real_time() {
        return;
    }
    judge("real-time", &storm(&[&[], &["real-time"]], || {}));
}

/// The same beside processes that stand in `bpf(2)` most of the time.
#[test]
fn a_storm_beside_map_operations_is_complete() {
    if !real_kernel("a_storm_beside_map_operations_is_complete") || !may_be_real_time() {
        return;
    }
    let hammers: Vec<Spawned> = (0..thread::available_parallelism().unwrap().get())
        .map(|_| Spawned(Command::new(subject()).arg("hammer-map").spawn().unwrap()))
        .collect();
    let outcome = storm(&[&[], &["real-time"]], || {});
    for mut hammer in hammers {
        assert!(hammer.try_wait().unwrap().is_none(), "it has to hammer to the end");
    }
    judge("map-operations", &outcome);
}

/// CPUs go and come back meanwhile. Not on a host that others use.
#[test]
fn a_storm_while_cpus_come_and_go_is_complete() {
    if !real_kernel("a_storm_while_cpus_come_and_go_is_complete") || !is_machine_of_its_own() {
        return;
    }
    let switch = "/sys/devices/system/cpu/cpu1/online";
    let mut turn = 0;
    let outcome = storm(&[&[]], || {
        turn += 1;
        if turn % 10 == 0 {
            let state = if turn % 20 == 0 { "1" } else { "0" };
            fs::write(switch, state).unwrap_or_else(|error| panic!("{switch}: {error}"));
        }
    });
    fs::write(switch, "1").unwrap();
    eprintln!("{} switches", turn / 10);
    judge("hotplug", &outcome);
}

/// Whether this process may start others that go before everybody else.
fn may_be_real_time() -> bool {
    let tried =
        Command::new(subject()).args(["real-time", "storm", "/bin/true", "0", "1"]).output();
    let may = tried.unwrap().status.success();
    if !may {
        eprintln!("NOT RUN: this host allows no real-time processes (make kernels runs it)");
    }
    may
}

/// Whether nobody else uses this machine: `make kernels` says so to the ones it boots.
fn is_machine_of_its_own() -> bool {
    let is = is_emulated();
    if !is {
        eprintln!("NOT RUN: it would disturb others; needs a machine of its own (make kernels)");
    }
    is
}
