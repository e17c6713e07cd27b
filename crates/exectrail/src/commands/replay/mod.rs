//! `exectrail replay`: what a recording has, shown as a trace shows it.

mod damages;
mod questions;

use std::{
    fs::File,
    io::{self, Read, Write},
    ops::ControlFlow,
    os::fd::AsFd as _,
    process::ExitCode,
};

use anyhow::{Context, anyhow};
use exectrail_model::{
    event::{Body, Event},
    family::Family,
    order::Order,
    plan::Plan,
    report::{Key, Occasion, OfProcess, Report, Whose},
};
use exectrail_recording::{Description, End, OpenError, Player, Reader, Step};
use exectrail_sinks::{report_words, summary_words};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::damages::Damages;
use crate::{
    args::ReplayArgs,
    config::Config,
    form::{self, Opened},
    output::{self, Standard},
    signals::Requests,
    sorting::{self, Sorting},
    stream::Stream,
    words::say,
};

/// How often a recording that is being written is looked at for more.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Shows the recording, and says what of it could not be read.
pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    if args.tui {
        return super::tui::replay(args);
    }
    let requests = args.tail.then(Requests::listen).transpose();
    let requests = requests.context("preparing for signals")?;
    let mut replay = Replay::open(args, |input| Box::new(input))?;
    replay.play(&|waits| {
        let patience = if waits { &LOOK_AGAIN } else { &NOW };
        requests.as_ref().is_some_and(|requests| has_been_ended(requests, patience))
    })
}

/// A recording that is read, and what became of it so far.
pub(super) struct Replay<'a> {
    args: &'a ReplayArgs,
    reader: Reader<Box<dyn Read + Send>>,
    damages: Damages,
    showing: Option<Showing<'a>>,
}

impl<'a> Replay<'a> {
    /// Reads the file by this.
    pub(super) fn open(
        args: &'a ReplayArgs,
        by: impl FnOnce(File) -> Box<dyn Read + Send>,
    ) -> anyhow::Result<Self> {
        Ok(Self { args, reader: open(args, by)?, damages: Damages::default(), showing: None })
    }

    /// Reads until it is known what it is of, and has it shown there. None, if it has come
    /// to its end before.
    pub(super) fn begin(
        &mut self,
        place: impl FnOnce(&Plan, &Description) -> anyhow::Result<Opened>,
    ) -> anyhow::Result<bool> {
        let path = self.args.file.display();
        loop {
            match self.reader.step().with_context(|| format!("reading {path}"))? {
                Step::Description(description) => {
                    let showing = Showing::begin(self.args, description, place)?;
                    self.showing = Some(showing);
                    return Ok(true);
                }
                Step::Events(_) => {}
                Step::Damage(damage) => self.damages.take(damage),
                Step::End(_) => return Ok(false),
            }
        }
    }

    /// Shows all there is, until somebody `has_had_enough`, who is asked after each frame,
    /// and may wait where there is nothing new in a recording that is written.
    pub(super) fn play(
        &mut self,
        has_had_enough: &dyn Fn(bool) -> bool,
    ) -> anyhow::Result<ExitCode> {
        let Self { args, reader, damages, showing } = self;
        let end = loop {
            match reader.step().with_context(|| format!("reading {}", args.file.display()))? {
                Step::Description(description) if showing.is_none() => {
                    let place = |plan: &Plan, _: &Description| {
                        form::open(&args.form, &Config::default(), plan, Standard::Out)
                    };
                    *showing = Some(Showing::begin(args, description, place)?);
                }
                Step::Description(_) => {}
                Step::Events(items) => {
                    let Some(showing) = showing else { continue };
                    if showing.play(items).is_break() || has_had_enough(false) {
                        break End { is_whole: true, rest: 0 };
                    }
                }
                Step::Damage(damage) => damages.take(damage),
                Step::End(end) if end.is_whole || !args.tail => break end,
                Step::End(end) => {
                    if let Some(showing) = showing {
                        showing.stream.flush();
                    }
                    if has_had_enough(true) {
                        break end;
                    }
                }
            }
        };
        self.end(end)
    }

    fn end(&mut self, end: End) -> anyhow::Result<ExitCode> {
        let Self { damages, showing, .. } = self;
        let senseless = showing.as_ref().map_or(0, |showing| showing.player.unread());
        let unread = damages.events() + senseless;
        damages.count(senseless);
        let shown = showing.take().map_or(Ok(()), |showing| showing.end(unread));
        damages.say(end);
        shown?;
        Ok(if damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn open(
    args: &ReplayArgs,
    by: impl FnOnce(File) -> Box<dyn Read + Send>,
) -> anyhow::Result<Reader<Box<dyn Read + Send>>> {
    let path = args.file.display();
    questions::check_output(args)?;
    let input = if args.file.as_os_str() == "-" {
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::open(&args.file)
    };
    Reader::open(by(input.with_context(|| format!("cannot read {path}"))?)).map_err(|error| {
        match error {
            OpenError::Io(error) => {
                anyhow::Error::new(error).context(format!("cannot read {path}"))
            }
            error => anyhow!("{path}: {error}"),
        }
    })
}

/// Waits for a while, and says whether somebody has had enough.
fn has_been_ended(requests: &Requests, patience: &Timespec) -> bool {
    let mut end = [PollFd::new(&requests.end, PollFlags::IN)];
    // A signal that interrupts it is in there by the next time.
    poll(&mut end, Some(patience)).is_ok_and(|ready| ready > 0)
}

/// A recording that is being shown.
struct Showing<'a> {
    args: &'a ReplayArgs,
    description: Description,
    player: Player,
    stream: Stream,
    /// What became of the processes, if that is asked for.
    family: Option<Family>,
    /// The order of these, if it is not that of a tree.
    of_processes: Option<Order<Key<OfProcess>>>,
}

impl<'a> Showing<'a> {
    fn begin(
        args: &'a ReplayArgs,
        description: &Description,
        place: impl FnOnce(&Plan, &Description) -> anyhow::Result<Opened>,
    ) -> anyhow::Result<Self> {
        let rules = questions::checked(args, description)?;
        let plan = Plan { failed: description.failed, exits: description.exits, ..Plan::default() };
        let order = sorting::of_recording(args, description)?;
        let column = args.sort.as_deref().filter(|_| args.summary_only);
        let of_processes = sorting::of_processes(column)?;
        let opened = place(&plan, description)?;
        let has_summary = args.summary || args.summary_only;
        if has_summary {
            let is_told = opened.is_for_people || opened.sink.has_reports();
            questions::check_summary(description, is_told)?;
        }
        if args.form.tree && description.ancestors == 0 {
            say(format_args!(
                "the recording knows parents alone: below a process that did not exec itself, the \
                 tree begins anew; `record --ancestors 8` knows more"
            ));
        }
        let mut stream = Stream::of_recording(opened.sink, args.count);
        if let Some(order) = order {
            stream = stream.sorted(Sorting::recorded(order, description.boot, args.count));
        }
        if !args.summary_only {
            stream.begin();
        }
        Ok(Self {
            args,
            player: Player::new(description, rules, !args.form.no_fold),
            stream,
            family: has_summary.then(|| Family::of(0)),
            of_processes,
            description: description.clone(),
        })
    }

    /// Whether there is use for more: also for what is not shown, which is counted; but not
    /// once nobody reads it, nor in a recording that has no end yet.
    fn play(&mut self, items: exectrail_recording::Items<'_>) -> ControlFlow<()> {
        let Self { player, stream, family, args, .. } = self;
        let flow = player.play(items, &mut |event| take(stream, family.as_mut(), args, event));
        let is_over = self.stream.has_failed() || self.stream.over_full().is_some();
        if is_over || self.args.tail { flow } else { ControlFlow::Continue(()) }
    }

    /// Tells the account, if there is one, and the summary that was asked for. So many
    /// events could not be read.
    fn end(mut self, unread: u64) -> anyhow::Result<()> {
        let Self { player, stream, family, args, .. } = &mut self;
        player.finish(&mut |event| take(stream, family.as_mut(), args, event));
        if let Some(why) = self.stream.over_full() {
            // What is sorted without the rest looks like all of it.
            return Err(anyhow!(
                "{why}, and the recording has more\n  show the first of them with --count, or fewer \
                 with --only and --exclude"
            ));
        }
        self.stream.settle();
        let moment = self.player.last();
        let report = self.family.as_ref().map(|family| self.report(family));
        if let Some(report) = &report {
            self.stream.report(report);
        }
        self.stream.flush();
        let (account, filtered) = (self.player.account(), self.player.filtered());
        let summary = account.map(|all| self.stream.summary_again(&all, filtered, unread));
        // In its own form it has been shown already.
        let words = report.as_ref().filter(|_| !self.stream.has_reports());
        let words = words.map(|report| report_words(report, output::width_of(Standard::Out)));
        let written = match summary {
            Some(summary) => self.stream.end(&Event { moment, body: Body::Summary(summary) }),
            None => self.stream.end_without_account(),
        };
        let output = self.args.form.output.as_deref();
        written.map_err(|error| output::failed(output, Standard::Out, error))?;
        if let Some(words) = words {
            io::stdout().write_all(words.as_bytes()).context("writing to stdout")?;
        }
        if let Some(summary) = summary {
            say(format_args!("{}", summary_words(&summary)));
        }
        Ok(())
    }

    fn report<'f>(&self, family: &'f Family) -> Report<'f> {
        let now = self.player.last();
        let used = family.members().iter().filter_map(|member| member.end?.cpu);
        let occasion = Occasion {
            whose: Whose::Host,
            now,
            status: None,
            took: now.ktime.saturating_sub(self.description.begun.ktime),
            cpu: Some(used.fold(0, u64::saturating_add)),
            cpu_before: 0,
        };
        let report = Report::new(family, occasion);
        match &self.of_processes {
            Some(order) => report.sorted(order),
            None => report,
        }
    }
}

fn take(
    stream: &mut Stream,
    family: Option<&mut Family>,
    args: &ReplayArgs,
    event: &Event<'_>,
) -> ControlFlow<()> {
    if let Some(family) = family {
        family.take(event);
    }
    if args.summary_only {
        stream.leave_out(event);
        return ControlFlow::Continue(());
    }
    stream.take(event)
}
