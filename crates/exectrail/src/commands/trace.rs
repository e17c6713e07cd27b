//! `exectrail [trace]`: the live stream.

use std::{os::fd::AsFd, time::Instant};

use anyhow::Context;
use exectrail_model::{
    event::{Body, Event},
    plan::Plan,
};
use exectrail_sensor::{Sensor, Wake};
use exectrail_sinks::{Options, Sink, SinkKind, select, summary_words};

use crate::{
    args::{ColorChoice, TraceArgs},
    config::Config,
    exit::{ConfigError, UsageError},
    host::ThisHost,
    output, plan, signals,
    stream::Stream,
};

/// Traces until someone, the clock or the count says enough.
pub(crate) fn run(args: &TraceArgs) -> anyhow::Result<()> {
    let config = Config::read(args.config.as_deref(), &ThisHost)?;
    let mut plan = plan::plan(args, &config, &ThisHost)?;
    let sink = sink(args, &config, &plan)?;
    plan::collect_what_is_shown(&mut plan, sink.needs());
    let requests = signals::end_requests().context("preparing for signals")?;
    let mut stream = Stream::new(sink, args.count);

    let mut sensor = Sensor::start(&plan)?;
    announce(&sensor);
    stream.begin()?;
    let deadline = args.duration.map(|time| Instant::now() + time);
    while !stream.is_over() {
        match sensor.wait(&[requests.as_fd()], deadline)? {
            Wake::Records => {
                sensor.read(&mut |event| stream.take(event));
                stream.flush();
            }
            Wake::Other(_) | Wake::Deadline => break,
        }
    }

    let account = sensor.stop(&mut |event| stream.take(event));
    log::info!("{account:?}");
    let summary = stream.summary(&account, sensor.counts());
    stream.end(&Event { moment: Sensor::now(), body: Body::Summary(summary) })?;
    eprintln!("exectrail: {}", summary_words(&summary));
    Ok(())
}

fn announce(sensor: &Sensor) {
    let programs: Vec<_> = sensor.programs().collect();
    log::info!("programs: {}", programs.join(", "));
    eprintln!("exectrail: tracing; Ctrl-C ends");
}

/// The sink that flags and files ask for, on an open output.
fn sink(args: &TraceArgs, config: &Config, plan: &Plan) -> anyhow::Result<Box<dyn Sink>> {
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
    Ok((kind.build)(Options {
        out: output.writer,
        fields,
        color: output.color,
        failed: plan.failed,
        exits: plan.exits,
        width: output.width,
        header: true,
        time_zone: None,
    }))
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
