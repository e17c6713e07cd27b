//! `exectrail run -- CMD`: what one command and its descendants exec.

mod made;
mod patience;

use std::{
    io,
    ops::ControlFlow,
    os::{fd::AsFd, unix::process::ExitStatusExt},
    process::{ExitCode, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::Context;
use exectrail_model::{
    event::{Body, Event, Kinds, Status},
    family::{self, Family},
    order::Order,
    plan::Plan,
    report::{Key, Occasion, OfProcess, Report, Whose},
};
use exectrail_sensor::{Sensor, check_pid_namespace};
use exectrail_sinks::{report_words, summary_words};
use nix::sys::{
    resource::{UsageWho, getrusage},
    signal::Signal,
    time::TimeVal,
};
use rustix::thread::CapabilitySet;

use self::{
    made::Made,
    patience::{Patience, Verdict},
};
use crate::{
    args::RunArgs,
    capabilities,
    child::{Child, Identity},
    config::Config,
    exit,
    form::{self, Opened},
    host::KnownHost,
    output::{self, Standard},
    plan::{self, Scope},
    priority,
    signals::{Came, Passing},
    sorting,
    stream::Stream,
    words::say,
};

/// Runs the command, traces it, and ends as it does.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let trace = &args.trace;
    let order = sorting::of_processes(args.sort.as_deref())?;
    let host = KnownHost::look();
    let config = Config::read(trace.collect.config.as_deref(), &host)?;
    check_pid_namespace()?;
    let identity = Identity::of_caller(args.as_root)?;
    let mut child = Child::hold(&args.command, &identity)?;
    let mut plan = plan::plan(trace, Scope::Tree(child.id()), &config, &host)?;
    let made = Made::new(trace.form.output.as_deref(), &identity);
    let opened = form::open(&trace.form, &config, &plan, Standard::Err);
    match (made, &opened) {
        (Some(made), Ok(_)) => made.give_away(),
        (Some(made), Err(_)) => made.take_back(),
        (None, _) => {}
    }
    let opened = opened?;
    let shown = Shown::new(args, &plan, &opened);
    for_a_family(&mut plan, opened.sink.needs());

    let signals = Passing::listen().context("preparing for signals")?;
    let mut sensor = Sensor::start(&plan)?;
    // The command has been started by now, and does not inherit that.
    priority::before_others(&trace.collect);
    // To send signals to another user's process is a right of its own.
    let kill =
        if identity.another().is_some() { CapabilitySet::KILL } else { CapabilitySet::empty() };
    capabilities::drop_all_but(kill).context("giving up capabilities")?;
    let stream = Stream::new(opened.sink, None);
    let family = Family::of(child.id());
    let mut watch = Watch { stream, family, shown, order, has_begun: false };
    child.release()?;
    let end = follow(&mut child, &mut sensor, &signals, &mut watch)?;
    let took = child.elapsed();
    finish(args, &mut child, sensor, watch, end, took)
}

/// The ends of processes are what the summary is made of, whether or not they are shown.
/// Without ancestors, what a shell's copy of itself starts would have no place in it.
fn for_a_family(plan: &mut Plan, shown: u32) {
    plan.exits = true;
    if plan.ancestors == 0 {
        plan.ancestors = plan::all_ancestors();
    }
    plan::collect_what_is_shown(plan, shown | family::NEEDS);
}

/// What is shown of all that is seen.
#[derive(Clone, Copy)]
struct Shown {
    programs: bool,
    ends: bool,
    /// Whether there is a summary in words: not among JSON.
    words: bool,
}

impl Shown {
    fn new(args: &RunArgs, plan: &Plan, opened: &Opened) -> Self {
        let people = opened.is_for_people;
        let is_told = people || opened.sink.has_reports();
        Self {
            programs: !args.summary_only,
            // To programs that get no report, they are the summary.
            ends: if args.summary_only { !is_told } else { plan.exits || !people },
            words: people || args.trace.form.output.is_some(),
        }
    }

    fn has(self, kind: Kinds) -> bool {
        match kind {
            Kinds::EXIT => self.ends,
            Kinds::EXEC | Kinds::FAILED => self.programs,
            _ => true,
        }
    }
}

/// Where events go.
struct Watch {
    stream: Stream,
    family: Family,
    shown: Shown,
    /// That of the summary's processes, if it is not that of a tree.
    order: Option<Order<Key<OfProcess>>>,
    /// A table without lines has no head.
    has_begun: bool,
}

impl Watch {
    fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.family.take(event);
        if self.shown.has(event.kind()) {
            if !std::mem::replace(&mut self.has_begun, true) {
                self.stream.begin();
            }
            // Whether or not it can be written: the command runs on, and so does this.
            let _ = self.stream.take(event);
        } else {
            self.stream.leave_out(event);
        }
        ControlFlow::Continue(())
    }
}

/// How it ended.
#[derive(Clone, Copy)]
enum End {
    /// The command did.
    OfCommand(ExitStatus),
    /// Somebody wanted us to, by this signal, and it goes on.
    BySignal(Signal),
}

/// Reads until the command ends, and passes signals on.
fn follow(
    child: &mut Child,
    sensor: &mut Sensor,
    signals: &Passing,
    watch: &mut Watch,
) -> anyhow::Result<End> {
    let mut patience = Patience::default();
    loop {
        sensor.wait(&[signals.as_fd()], patience.deadline())?;
        sensor.read(&mut |event| watch.take(event));
        watch.stream.batch_ends();
        while let Some(came) = signals.next().context("reading signals")? {
            if let Some(end) = pass(came, child, &watch.family, &mut patience) {
                return Ok(end);
            }
        }
        if let Some(status) = child.ended().context("waiting for the command")? {
            return Ok(End::OfCommand(status));
        }
        if let Some(signal) = patience.is_to_say(Instant::now()) {
            let (program, pid) = (child.program().to_string_lossy(), child.id());
            say(format_args!(
                "{} ({pid}) still runs after {signal}; that twice within 2 s ends the trace, and \
                 lets it run on",
                program.escape_debug()
            ));
        }
    }
}

/// Passes a signal on, unless the command has it already, or sends it.
fn pass(came: Came, child: &Child, family: &Family, patience: &mut Patience) -> Option<End> {
    let verdict = patience.judge(came.signal, Instant::now());
    let is_passed = match came.sender {
        _ if verdict == Verdict::Same => false,
        // To the whole group, and so to itself: `kill 0` in a script.
        Some(sender) => !family.has_living(sender),
        // A terminal's keys are told to its whole group by the kernel; that it hangs up, to
        // the leader of the session alone (tty_signal_session_leader, drivers/tty/tty_jobctrl.c).
        None => came.signal == Signal::SIGHUP && leads_session(),
    };
    if is_passed && let Err(error) = child.signal(came.signal) {
        say(format_args!("{} cannot be passed on to the command: {error}", came.signal));
    }
    (verdict == Verdict::Enough).then_some(End::BySignal(came.signal))
}

fn leads_session() -> bool {
    rustix::process::getsid(None).is_ok_and(|leader| leader == rustix::process::getpid())
}

/// Closes the account, tells the summary, and ends as the command did.
fn finish(
    args: &RunArgs,
    child: &mut Child,
    mut sensor: Sensor,
    mut watch: Watch,
    end: End,
    took: Duration,
) -> anyhow::Result<ExitCode> {
    let account = sensor.stop(&mut |event| watch.take(event));
    log::info!("{account:?}");
    let Watch { mut stream, family, shown, order, .. } = watch;
    let report = Report::new(&family, occasion(child, end, took));
    let report = if let Some(order) = &order { report.sorted(order) } else { report };
    stream.report(&report);
    stream.flush();
    let summary = stream.summary(&account, sensor.counts());
    let ended = stream.end(&Event { moment: Sensor::now(), body: Body::Summary(summary) });
    let failure = match end {
        End::OfCommand(_) => child.failure()?,
        End::BySignal(_) => None,
    };
    if let Some((_, words)) = &failure {
        say(format_args!("{words}"));
    } else if shown.words {
        let words = report_words(&report, output::width_of(Standard::Err));
        say(format_args!("{}", words.trim_end()));
        if summary.dropped > 0 || summary.missed > 0 {
            say(format_args!("not all was seen: {}", summary_words(&summary)));
        }
    }
    match ended {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let error = output::failed(args.trace.form.output.as_deref(), Standard::Err, error);
            say(format_args!("{error:#}"));
        }
        _ => {}
    }
    Ok(ExitCode::from(match (end, failure) {
        (_, Some((code, _))) => code,
        (End::OfCommand(status), None) => exit::of_command(status),
        (End::BySignal(signal), None) => exit::of_signal(signal as i32),
    }))
}

fn occasion(child: &Child, end: End, took: Duration) -> Occasion {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let status = match end {
        End::OfCommand(status) => Some(Status(status.into_raw().cast_unsigned())),
        End::BySignal(_) => None,
    };
    // Of those that have been waited for, the command and all that it has waited for: more
    // than the ends tell, to which those who never called exec are unknown.
    let used = status.and_then(|_| getrusage(UsageWho::RUSAGE_CHILDREN).ok()).map(|usage| {
        let used = duration(usage.user_time()) + duration(usage.system_time());
        nanos(used.saturating_sub(child.cpu_before()))
    });
    Occasion {
        whose: Whose::Command,
        now: Sensor::now(),
        status,
        took: nanos(took),
        cpu: used,
        cpu_before: nanos(child.cpu_before()),
    }
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or(0))
}
