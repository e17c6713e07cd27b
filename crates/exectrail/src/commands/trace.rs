//! `exectrail [trace]`: the live stream.

use std::{fs::File, io, os::fd::AsFd, time::Instant};

use anyhow::Context;
use exectrail_model::event::{Body, Event};
use exectrail_sensor::{Sensor, Wake};
use exectrail_sinks::summary_words;
use rustix::thread::CapabilitySet;

use crate::{
    args::StreamArgs,
    capabilities,
    config::Config,
    control::{Live, Server},
    form::{self, Opened},
    host::KnownHost,
    output::{self, Standard},
    plan::{self, Scope},
    signals::Requests,
    stream::Stream,
    words::say,
};

/// Traces until someone, the clock or the count says enough.
pub(crate) fn run(args: &StreamArgs) -> anyhow::Result<()> {
    let host = KnownHost::look();
    let trace = &args.trace;
    let config = Config::read(trace.config.as_deref(), &host)?;
    let mut plan = plan::plan(trace, Scope::Host { follow: &args.follow }, &config, &host)?;
    let Opened { sink, reader, .. } = form::open(trace, &config, &plan, Standard::Out)?;
    plan::collect_what_is_shown(&mut plan, sink.needs());
    let mut requests = Requests::listen().context("preparing for signals")?;

    let mut sensor = Sensor::start(&plan)?;
    let live = Live::new(args, &config, plan.failed, &host);
    let mut control = control(args);
    capabilities::drop_all_but(CapabilitySet::empty()).context("giving up capabilities")?;
    let mut stream = Stream::new(sink, args.count);
    announce(&sensor);
    stream.begin();
    let deadline = args.duration.map(|time| Instant::now() + time);
    let mut unread = false;
    while !stream.is_over() {
        match wait(&sensor, &requests, reader.as_ref(), control.as_ref(), deadline)? {
            Some(Other::End) => break,
            Some(Other::NoReader) => {
                unread = true;
                break;
            }
            Some(Other::Reload) if !requests.is_to_reload() => break,
            Some(Other::Reload) => reload(&live, &mut sensor),
            Some(Other::Control) | None => {}
        }
        if let Some(control) = &mut control {
            control.serve(&mut |line| live.reply(line, &mut sensor));
        }
        // Whoever is served, records do not wait, and the clock does not stand still.
        sensor.read(&mut |event| stream.take(event));
        stream.flush();
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
    }
    drop(control);

    let account = sensor.stop(&mut |event| stream.take(event));
    log::info!("{account:?}");
    // What does not get out is in the account.
    stream.flush();
    let summary = stream.summary(&account, sensor.counts());
    let ended = stream.end(&Event { moment: Sensor::now(), body: Body::Summary(summary) });
    unread |= ended.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if !unread {
        say(format_args!("{}", summary_words(&summary)));
    }
    ended.map_err(|error| output::failed(trace.output.as_deref(), Standard::Out, error))
}

/// What is waited for, besides records.
#[derive(Clone, Copy)]
enum Other {
    /// Somebody wants us to end, or the time has come.
    End,
    /// Somebody wants the files to be read again.
    Reload,
    /// Nobody reads the pipe any more that we write to: on a quiet host, the next event
    /// would come too late to notice.
    NoReader,
    /// Somebody asks on the control socket.
    Control,
}

/// Waits for records, which are `None`, and all others.
fn wait(
    sensor: &Sensor,
    requests: &Requests,
    reader: Option<&File>,
    control: Option<&Server>,
    deadline: Option<Instant>,
) -> anyhow::Result<Option<Other>> {
    let mut others =
        vec![(Other::End, requests.end.as_fd()), (Other::Reload, requests.reload.as_fd())];
    others.extend(reader.map(|reader| (Other::NoReader, reader.as_fd())));
    others.extend(control.map(|control| (Other::Control, control.as_fd())));
    let (others, fds): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    Ok(match sensor.wait(&fds, deadline)? {
        Wake::Records => None,
        Wake::Deadline => Some(Other::End),
        Wake::Other(index) => others.get(index).copied(),
    })
}

/// The control socket. A trace without one is a trace, too.
fn control(args: &StreamArgs) -> Option<Server> {
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

fn announce(sensor: &Sensor) {
    let programs: Vec<_> = sensor.programs().collect();
    log::info!("programs: {}", programs.join(", "));
    say(format_args!("tracing; Ctrl-C ends"));
}
