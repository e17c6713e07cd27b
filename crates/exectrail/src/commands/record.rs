//! `exectrail record`: a trace whose events go into a file, from which they can be replayed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::anyhow;
use exectrail_model::plan::Plan;
use exectrail_sensor::Sensor;
use exectrail_sinks::recording_words;

use super::trace::{self, Ended, Show};
use crate::{
    args::RecordArgs,
    config::Config,
    form::Opened,
    progress::Progress,
    recorder::{self, Recorder},
    stream::Stream,
    words::say,
};

/// Records until someone, the clock or the count says enough.
pub(crate) fn run(args: &RecordArgs) -> anyhow::Result<()> {
    let path = args.output.display();
    let mut recording =
        Recording { args, bytes: Arc::default(), progress: Progress::new(), is_new: false };
    let ended = trace::follow(&args.stream(), &mut recording);
    recording.progress.clear();
    let Ended { summary, written, .. } = match ended {
        Ok(ended) => ended,
        Err(error) => {
            if recording.is_new {
                recorder::remove_if_empty(&args.output)?;
            }
            return Err(error);
        }
    };
    let bytes = recording.bytes.load(Ordering::Relaxed);
    say(format_args!("{}; {path} has {}", recording_words(&summary), size(bytes)));
    written.map_err(|error| {
        anyhow!(
            "writing to {path}: {error}\n  what is not in it is counted as lost, and the recording \
             can be replayed as far as it goes; make room there, or record to another place"
        )
    })
}

struct Recording<'a> {
    args: &'a RecordArgs,
    /// How long the file is.
    bytes: Arc<AtomicU64>,
    progress: Progress,
    /// Whether the file was not there before.
    is_new: bool,
}

impl Show for Recording<'_> {
    fn open(&mut self, plan: &Plan, _config: &Config) -> anyhow::Result<Opened> {
        let file = recorder::create(&self.args.output, self.args.force)?;
        self.is_new = !self.args.force;
        let description = recorder::description(plan);
        let recorder = Recorder::new(file, description, Arc::clone(&self.bytes));
        Ok(Opened { sink: Box::new(recorder), reader: None, is_for_people: false, is_file: false })
    }

    fn announce(&mut self) {
        say(format_args!("tracing into {}; Ctrl-C ends", self.args.output.display()));
    }

    fn look(&mut self, stream: &Stream, _sensor: &Sensor) {
        let (events, lost) = stream.progress();
        let bytes = self.bytes.load(Ordering::Relaxed);
        self.progress.show(|| format!("{events} events, {lost} lost, {} written", size(bytes)));
    }

    fn due(&self) -> Option<Instant> {
        self.progress.due()
    }

    fn clear(&mut self) {
        self.progress.clear();
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
