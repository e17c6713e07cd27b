//! `exectrail [trace]`: the live stream.

use std::{fs::File, io, os::fd::AsFd, time::Instant};

use anyhow::Context;
use exectrail_model::{
    event::{Body, Event},
    plan::Plan,
};
use exectrail_sensor::{Sensor, Wake};
use exectrail_sinks::{Options, Sink, SinkKind, select, summary_words};

use crate::{
    args::{ColorChoice, TraceArgs},
    capabilities,
    config::Config,
    control::{Live, Server},
    exit::{ConfigError, UsageError},
    host::KnownHost,
    output, plan,
    signals::Requests,
    stream::Stream,
    words::say,
};

/// Traces until someone, the clock or the count says enough.
pub(crate) fn run(args: &TraceArgs) -> anyhow::Result<()> {
    let host = KnownHost::look();
    let config = Config::read(args.config.as_deref(), &host)?;
    let mut plan = plan::plan(args, &config, &host)?;
    let (sink, reader) = sink(args, &config, &plan)?;
    plan::collect_what_is_shown(&mut plan, sink.needs());
    let mut requests = Requests::listen().context("preparing for signals")?;

    let mut sensor = Sensor::start(&plan)?;
    let live = Live::new(args, &config, plan.failed, &host);
    let mut control = control(args);
    capabilities::drop_all().context("giving up capabilities")?;
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
    ended.map_err(|error| output::failed(args.output.as_deref(), error))
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
fn control(args: &TraceArgs) -> Option<Server> {
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

/// The sink that flags and files ask for, on an open output, and what tells that nobody
/// reads that any more.
fn sink(
    args: &TraceArgs,
    config: &Config,
    plan: &Plan,
) -> anyhow::Result<(Box<dyn Sink>, Option<File>)> {
    let format = match (&args.format, args.json) {
        (Some(format), _) => format.as_str(),
        (None, true) => "json",
        (None, false) => config.format.as_deref().unwrap_or("pretty"),
    };
    let from_flags = args.format.is_some() || args.json || config.format.is_none();
    let kind = SinkKind::named(format).map_err(|error| wrong(from_flags, "format", &error))?;
    let list = args.fields.as_deref().or(config.fields.as_deref());
    let fields = list
        .map(select)
        .transpose()
        .map_err(|error| wrong(args.fields.is_some(), "fields", &error))?;
    let color = args.color.or(config.color).unwrap_or(ColorChoice::Auto);
    let output = output::open(args.output.as_deref(), color)?;
    let sink = (kind.build)(Options {
        out: output.writer,
        fields,
        color: output.color,
        failed: plan.failed,
        exits: plan.exits,
        width: output.width,
        header: true,
        time_zone: None,
    });
    Ok((sink, output.reader))
}

/// The same mistake is one of usage on the command line, and one of
/// configuration in a file.
fn wrong(from_flags: bool, key: &str, error: &impl std::fmt::Display) -> anyhow::Error {
    if from_flags {
        UsageError(error.to_string()).into()
    } else {
        ConfigError::wrong(key.as_ref(), error).into()
    }
}
