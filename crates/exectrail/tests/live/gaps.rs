//! Execs that we were not run for: counted where the kernel's image counters prove
//! them, and where nothing was missed, none.

use std::{
    ops::ControlFlow,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use exectrail_abi::fault::Loss;
use exectrail_model::plan::{BufferSize, Plan};
use exectrail_sensor::{Account, Sensor};

use crate::{
    edge_expect::Place,
    oracle::{Oracle, boot_less_monotonic},
    sightings::{Family, Told, missed, sightings, the_letters_agree},
    support::{Spawned, real_kernel, run_subject, subject},
};

/// How many there are in a storm, for each CPU.
const CHAINS: usize = 3200;
const BIRTHS: usize = 1750;

/// A sensor that sees every exec and every end of the host.
struct Watch {
    sensor: Sensor,
    told: Told,
    suspended: u64,
    /// When everything was attached for the first time.
    attached: u64,
}

impl Watch {
    fn start() -> Self {
        let buffer = BufferSize::at_least(64 << 20).unwrap();
        let plan = Plan { exits: true, buffer, ..Plan::default() };
        let sensor = Sensor::start(&plan).unwrap();
        let suspended = boot_less_monotonic();
        let attached = Sensor::now().ktime - suspended;
        Self { sensor, told: Told::default(), suspended, attached }
    }

    /// Reads for a while.
    fn read(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let Self { sensor, told, suspended, .. } = self;
        while Instant::now() < end {
            sensor.wait(&[], Some(end)).unwrap();
            sensor.read(&mut |event| {
                told.take(event, *suspended);
                ControlFlow::Continue(())
            });
        }
    }

    /// Pauses every now and then, and gives how often.
    fn pause_until_the_end_of(&mut self, storm: &mut Child) -> u32 {
        let mut pauses = 0;
        while storm.try_wait().unwrap().is_none() {
            self.read(Duration::from_millis(20));
            self.sensor.pause();
            thread::sleep(Duration::from_millis(5));
            self.sensor.resume().unwrap();
            pauses += 1;
        }
        assert!(storm.wait().unwrap().success());
        pauses
    }

    fn stop(mut self) -> (Told, Account, u64) {
        let Self { sensor, told, suspended, .. } = &mut self;
        let account = sensor.stop(&mut |event| {
            told.take(event, *suspended);
            ControlFlow::Continue(())
        });
        assert_eq!(account.dropped(), 0);
        assert_eq!(account.sent(), sensor.counts().received);
        (self.told, account, self.attached)
    }
}

/// One after the other: what one of them pauses, the other must not miss.
static ONE_STORM: Mutex<()> = Mutex::new(());

fn one_storm() -> MutexGuard<'static, ()> {
    ONE_STORM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process is there for this test alone. If not, one is started and
/// waited for. What another test forks has all our files open until it execs, links
/// to tracepoints among them: so that what is detached here stays attached for a
/// while, and after the next attaching every exec is told twice.
pub(crate) fn is_alone_with(test: &str) -> bool {
    const VARIABLE: &str = "EXECTRAIL_ALONE_WITH";
    if std::env::var_os(VARIABLE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(VARIABLE, test);
    let output = command.env_remove("EXECTRAIL_LIVE_LOG").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    eprintln!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    false
}

fn storm(args: &[&str], for_each_cpu: usize) -> Spawned {
    let cpus = thread::available_parallelism().unwrap().get();
    let numbers = [for_each_cpu * cpus, cpus].map(|number| number.to_string());
    let mut command = Command::new(subject());
    Spawned(command.args(args).args(numbers).stdout(Stdio::null()).spawn().unwrap())
}

/// The number that has to come out, of every process of this host: execs that the
/// connector tells of, up to the last time that we saw something of the process
/// (an exec or its end), less those that we have told. It holds whatever else
/// runs here, since it is worked out for every process in the same way.
///
/// What a process did after we last saw it, nobody can know: that of one that lived
/// and died in one pause, or ended in one. A process from before the trace is known
/// from its first sighting on.
#[test]
fn what_pauses_hide_is_counted_to_the_last_exec() {
    if !real_kernel("what_pauses_hide_is_counted_to_the_last_exec") {
        return;
    }
    let _one = one_storm();
    if !is_alone_with("gaps::what_pauses_hide_is_counted_to_the_last_exec") {
        return;
    }
    let place = Place::new();
    let program = place.at("chain");
    run_subject(&["chain-program", &program]);
    let oracle = Oracle::listen();
    let mut watch = Watch::start();
    // Whoever was born between attaching and our look at the clock is seen by now.
    watch.read(Duration::from_millis(200));
    let mut storm = storm(&["storm-of-chains", &program], CHAINS);
    let root = storm.id();
    let pauses = watch.pause_until_the_end_of(&mut storm);
    watch.read(Duration::from_millis(20));
    let (told, account, attached) = watch.stop();
    let lives = oracle.stop().lives();

    let all = sightings(&lives, &told);
    let (least, most) = missed(&lives, &all, attached);
    let missed = usize::try_from(account.lost(Loss::Missed)).unwrap();
    let family = Family::of(&lives, &all, root);
    eprintln!("{pauses} pauses, missed {missed}, to be {least}..={most}; {family:?}");
    assert!((least..=most).contains(&missed), "{missed}, to be {least}..={most}");
    assert_eq!(told.missed, account.lost(Loss::Missed));
    assert_eq!(family.shown + family.missed + family.unknown, family.told);
    assert!(family.missed > 20 && family.across > 10, "{family:?}");
    the_letters_agree(&lives, &told, root);
}

/// Without a pause nothing is missed, on the whole host, however processes are born
/// and end; and so nothing may be called missed.
#[test]
fn what_is_seen_is_not_called_missed() {
    if !real_kernel("what_is_seen_is_not_called_missed") {
        return;
    }
    let _one = one_storm();
    let place = Place::new();
    let target = place.tiny("target");
    let script = place.executable("script", &format!("#!{target}\n"));
    let unmappable = place.at("unmappable");
    run_subject(&["unmappable", &unmappable]);
    let oracle = Oracle::listen();
    let mut watch = Watch::start();
    let mut storm = storm(&["storm-of-births", &target, &script, &unmappable], BIRTHS);
    let root = storm.id();
    while storm.try_wait().unwrap().is_none() {
        watch.read(Duration::from_millis(20));
    }
    assert!(storm.wait().unwrap().success());
    watch.read(Duration::from_millis(20));
    let (told, account, _) = watch.stop();
    let lives = oracle.stop().lives();

    assert_eq!((account.lost(Loss::Missed), told.missed), (0, 0));
    let all = sightings(&lives, &told);
    let family = Family::of(&lives, &all, root);
    eprintln!("{family:?}");
    // On the whole, a turn is an exec.
    assert!(family.told >= BIRTHS, "{family:?}");
    assert_eq!((family.shown, family.missed, family.unknown), (family.told, 0, 0));
}
