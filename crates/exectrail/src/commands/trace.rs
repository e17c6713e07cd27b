//! `exectrail [trace]`: the live stream.

use std::{
    fs::File,
    io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use anyhow::{Context, anyhow};
use exectrail_model::{
    event::{Body, Event, Summary},
    fields::Field,
    order::Order,
    plan::Plan,
};
use exectrail_sensor::{Sensor, Wake, this_boot};
use exectrail_sinks::{Sink, summary_words};
use rustix::thread::CapabilitySet;

use crate::{
    args::{FormArgs, SessionArgs, StreamArgs},
    capabilities,
    config::Config,
    control::{Live, Server},
    form::{self, Opened},
    host::KnownHost,
    output::{self, Standard},
    plan::{self, Scope},
    priority,
    progress::{Progress, Rate},
    signals::Requests,
    sorting::{self, Sorting},
    stream::Stream,
    words::say,
};

/// Where a trace goes, and who looks on.
pub(crate) trait Show {
    /// Opens the place before anything is traced.
    fn open(&mut self, plan: &Plan, config: &Config) -> anyhow::Result<Opened>;

    /// Says that it has begun.
    fn announce(&mut self) {
        say(format_args!("tracing; Ctrl-C ends"));
    }

    /// Looks at what has been shown so far, after each turn.
    fn look(&mut self, _stream: &Stream, _sensor: &Sensor) {}

    /// When it wants to look again, at the latest.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// What it waits for itself.
    fn watched(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    /// Something of that is there; `Break` once somebody has had enough.
    fn attend(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Leaves the terminal to words.
    fn clear(&mut self) {}
}

/// How a trace has ended.
pub(crate) struct Ended {
    /// Its account.
    pub(crate) summary: Summary,
    /// Whether the one who read it had enough.
    pub(crate) is_unread: bool,
    /// Whether somebody ended it, and not the clock or the count.
    pub(crate) is_asked_for: bool,
    /// Whether all of it could be written.
    pub(crate) written: io::Result<()>,
    /// That it ended for want of room to sort it in, if so.
    pub(crate) over_full: Option<String>,
}

/// To stdout, or to a file.
struct Lines<'a> {
    form: &'a FormArgs,
    /// Whether nothing is shown before the end.
    is_sorted: bool,
    /// While nothing is to be seen, as it goes into a file.
    progress: Option<Progress>,
    rate: Rate,
}

impl Show for Lines<'_> {
    fn open(&mut self, plan: &Plan, config: &Config) -> anyhow::Result<Opened> {
        let opened = form::open(self.form, config, plan, Standard::Out)?;
        self.progress = (opened.is_file || self.is_sorted).then(Progress::new);
        Ok(opened)
    }

    fn look(&mut self, stream: &Stream, sensor: &Sensor) {
        let Self { progress: Some(progress), rate, is_sorted, .. } = self else { return };
        progress.show(|| {
            let (shown, lost) = stream.progress();
            let by_rules = sensor.account().filtered() + sensor.counts().filtered;
            let filtered = by_rules + stream.turned_away();
            let now = rate.ask(shown);
            let kept = if *is_sorted { "to be sorted" } else { "shown" };
            format!("{shown} events {kept}, {now} per second; {filtered} filtered, {lost} lost")
        });
    }

    fn due(&self) -> Option<Instant> {
        self.progress.as_ref().and_then(Progress::due)
    }

    fn clear(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.clear();
        }
    }
}

/// Traces until someone, the clock or the count says enough.
pub(crate) fn run(args: &StreamArgs) -> anyhow::Result<()> {
    let form = &args.trace.form;
    let is_sorted = args.sort.is_some();
    let mut lines = Lines { form, is_sorted, progress: None, rate: Rate::new() };
    let ended = follow(args, &mut lines);
    lines.clear();
    let Ended { summary, is_unread, written, over_full, .. } = ended?;
    if !is_unread {
        say(format_args!("{}", summary_words(&summary)));
    }
    written.map_err(|error| output::failed(form.output.as_deref(), Standard::Out, error))?;
    over_full.map_or(Ok(()), |why| {
        Err(anyhow!(
            "{why}, so the trace ended there\n  what had no room is counted as lost; `record` has no \
             such limit, and `replay --sort` a larger one"
        ))
    })
}

/// The same, wherever it goes.
pub(crate) fn follow(args: &StreamArgs, show: &mut dyn Show) -> anyhow::Result<Ended> {
    let host = KnownHost::look();
    let (trace, session) = (&args.trace, &args.session);
    let config = Config::read(trace.collect.config.as_deref(), &host)?;
    let mut plan = plan::plan(trace, Scope::Host { follow: &session.follow }, &config, &host)?;
    let order = sorting::of_trace(args, &plan)?;
    let Opened { sink, reader, .. } = show.open(&plan, &config)?;
    let needs = sink.needs() | order.as_ref().map_or(0, Order::needs);
    plan::collect_what_is_shown(&mut plan, needs);
    let mut requests = Requests::listen().context("preparing for signals")?;

    let mut sensor = Sensor::start(&plan)?;
    let live = Live::new(args, &config, plan.failed, &host);
    let mut control = control(session);
    priority::before_others(&trace.collect);
    capabilities::drop_all_but(CapabilitySet::empty()).context("giving up capabilities")?;
    let mut stream = stream(sink, order, session.count);
    log::info!("programs: {}", sensor.programs().collect::<Vec<_>>().join(", "));
    show.announce();
    stream.begin();
    let deadline = session.duration.map(|time| Instant::now() + time);
    let (mut is_unread, mut is_asked_for) = (false, false);
    while !stream.is_over() {
        let until = [stream.due(), show.due(), deadline].into_iter().flatten().min();
        let watched = Watched { requests: &requests, reader: reader.as_ref(), show };
        match wait(&sensor, &watched, control.as_ref(), until)? {
            Some(Other::End) => is_asked_for = true,
            Some(Other::NoReader) => (is_unread, is_asked_for) = (true, true),
            Some(Other::Show) => is_asked_for = show.attend().is_break(),
            Some(Other::Reload) if !requests.is_to_reload() => is_asked_for = true,
            Some(Other::Reload) => {
                show.clear();
                reload(&live, &mut sensor);
            }
            Some(Other::Control) | None => {}
        }
        if is_asked_for {
            break;
        }
        if let Some(control) = &mut control {
            control.serve(&mut |line| live.reply(line, &mut sensor));
        }
        // Whoever is served, records do not wait, and the clock does not stand still.
        sensor.read(&mut |event| stream.take(event));
        stream.batch_ends();
        show.look(&stream, &sensor);
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
    }
    drop(control);
    show.clear();
    Ok(Ended { is_asked_for, ..end(sensor, stream, is_unread) })
}

/// The stream, in the order that was asked for.
fn stream(sink: Box<dyn Sink>, order: Option<Order<Field>>, count: Option<u64>) -> Stream {
    let stream = Stream::new(sink, count);
    match order {
        Some(order) => stream.sorted(Sorting::live(order, this_boot(), count)),
        None => stream,
    }
}

/// Closes the account, and tells it.
fn end(mut sensor: Sensor, mut stream: Stream, is_unread: bool) -> Ended {
    let account = sensor.stop(&mut |event| stream.take(event));
    log::info!("{account:?}");
    let over_full = stream.over_full();
    stream.settle();
    // What does not get out is in the account.
    stream.flush();
    let summary = stream.summary(&account, sensor.counts());
    let written = stream.end(&Event { moment: Sensor::now(), body: Body::Summary(summary) });
    let is_broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    let is_unread = is_unread || written.as_ref().is_err_and(is_broken);
    Ended { summary, is_unread, is_asked_for: false, written, over_full }
}

/// What is waited for, besides records.
#[derive(Clone, Copy)]
enum Other {
    /// Somebody wants us to end.
    End,
    /// Somebody wants the files to be read again.
    Reload,
    /// Nobody reads the pipe any more that we write to: on a quiet host, the next event
    /// would come too late to notice.
    NoReader,
    /// Somebody asks on the control socket.
    Control,
    /// There is something for who shows it.
    Show,
}

/// Who can be heard of while records are waited for.
struct Watched<'w> {
    requests: &'w Requests,
    reader: Option<&'w File>,
    show: &'w dyn Show,
}

/// Waits for records and the deadline, which are `None`, and all others.
fn wait(
    sensor: &Sensor,
    watched: &Watched<'_>,
    control: Option<&Server>,
    deadline: Option<Instant>,
) -> anyhow::Result<Option<Other>> {
    let Watched { requests, reader, show } = *watched;
    let mut others =
        vec![(Other::End, requests.end.as_fd()), (Other::Reload, requests.reload.as_fd())];
    others.extend(reader.map(|reader| (Other::NoReader, reader.as_fd())));
    others.extend(control.map(|control| (Other::Control, control.as_fd())));
    others.extend(show.watched().into_iter().map(|fd| (Other::Show, fd)));
    let (others, fds): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    Ok(match sensor.wait(&fds, deadline)? {
        // Whose deadline it was, the caller knows.
        Wake::Records | Wake::Deadline => None,
        Wake::Other(index) => others.get(index).copied(),
    })
}

/// The control socket. A trace without one is a trace, too.
fn control(args: &SessionArgs) -> Option<Server> {
    if args.no_control {
        return None;
    }
    let started = Server::start();
    started.inspect_err(|error| log::warn!("no control socket: {error}")).ok()
}

/// Reads the files again. If they are wrong, all stays as it is.
fn reload(live: &Live<'_>, sensor: &mut Sensor) {
    match live.reload(sensor) {
        Ok(settings) => {
            let rules = sensor.rules().len();
            say(format_args!("configuration read again; rules in force: {rules}"));
            if !settings.is_empty() {
                let settings = settings.join(", ");
                say(format_args!(
                    "only a new start changes {settings}; the rest of the files holds"
                ));
            }
        }
        Err(error) => {
            say(format_args!("{error:#}"));
            say(format_args!("the rules stay as they were"));
        }
    }
}
