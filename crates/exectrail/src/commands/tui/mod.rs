//! `exectrail tui`, and `replay --tui`: events at a terminal, to look around in.
//!
//! Events go into a state as into any other sink. The loop that reads them waits for keys,
//! too, and brings a picture of the state to the terminal some fifteen times a second at
//! most; a terminal that is slow gets fewer, and keeps nobody waiting.

mod interface;
mod keyboard;
mod played;
mod terminal;

use std::{io::Write as _, ops::ControlFlow, os::fd::BorrowedFd, time::Instant};

use anyhow::Context as _;
use exectrail_model::plan::Plan;
use exectrail_sensor::{Sensor, this_boot};
use exectrail_sinks::summary_words;
use exectrail_tui::{Account, Setup, lock};

use self::interface::{Asked, Interface};
use super::trace::{self, Ended, Show};
use crate::{
    args::{FormArgs, TuiArgs},
    config::Config,
    exit::UsageError,
    form::{self, Opened},
    host::KnownHost,
    output::{self},
    stream::Stream,
    words::say,
};

pub(crate) use self::played::replay;

/// Traces, and lets people look around in it until they have had enough.
pub(crate) fn run(args: &TuiArgs) -> anyhow::Result<()> {
    let form = &args.stream.trace.form;
    check(form)?;
    if args.stream.sort.is_some() {
        return Err(UsageError(
            "tui sorts while you look: leave out --sort, and press s".to_owned(),
        )
        .into());
    }
    let mut traced = args.stream.clone();
    traced.trace.collect.exit = true;
    // A tree can be asked for at any time.
    traced.trace.form.tree = true;
    let mut live = Live { form, keep: args.keep, interface: None };
    let ended = trace::follow(&traced, &mut live);
    let Live { interface, .. } = live;
    let Some(mut interface) = interface else { return ended.map(|_| ()) };
    // The clock may have ended the trace, and nobody has had enough of looking at it.
    let is_left = ended.as_ref().is_ok_and(|ended| !ended.is_asked_for);
    let looked = if is_left { interface.linger() } else { Ok(()) };
    let printed = interface.leave();
    looked?;
    let Ended { summary, written, .. } = ended?;
    print(&printed)?;
    say(format_args!("{}", summary_words(&summary)));
    written.context("showing what happens")
}

/// Refuses what makes no picture.
fn check(form: &FormArgs) -> Result<(), UsageError> {
    if form.json || form.format.is_some() || form.output.is_some() {
        return Err(UsageError(
            "what is looked at has no other form and no other place: leave out --json, --format \
             and -o, or leave out tui"
                .to_owned(),
        ));
    }
    terminal::check()
}

/// What was marked to be printed at the end.
fn print(commands: &[String]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let all = commands.iter().try_for_each(|command| writeln!(out, "{command}"));
    all.and_then(|()| out.flush()).context("writing to stdout")
}

/// What is looked at, and how.
fn interface(setup: Setup, form: &FormArgs, config: &Config) -> anyhow::Result<Interface> {
    let fields = form::fields(form, config)?;
    if form.tree {
        form::check_tree(true, fields.as_deref())?;
    }
    let color = output::colored(form.color.or(config.color).unwrap_or_default(), true);
    Interface::new(setup, fields.as_deref(), color)
}

/// A trace that is looked at.
struct Live<'a> {
    form: &'a FormArgs,
    keep: Option<u64>,
    interface: Option<Interface>,
}

impl Show for Live<'_> {
    fn open(&mut self, plan: &Plan, config: &Config) -> anyhow::Result<Opened> {
        let (events, bytes) = interface::kept(self.keep);
        let setup = Setup {
            boot: this_boot(),
            events,
            bytes,
            tree: self.form.tree,
            exits: plan.exits,
            host: Box::new(KnownHost::look()),
        };
        let interface = interface(setup, self.form, config)?;
        let sink = interface.sink();
        self.interface = Some(interface);
        Ok(Opened { sink, reader: None, is_for_people: true, is_file: false })
    }

    /// By a picture.
    fn announce(&mut self) {
        if let Some(interface) = &mut self.interface {
            interface.enter();
        }
    }

    fn look(&mut self, stream: &Stream, sensor: &Sensor) {
        let Some(interface) = &mut self.interface else { return };
        if interface.is_to_draw() {
            let account = sensor.account();
            let by_rules = account.filtered() + sensor.counts().filtered;
            let filtered = by_rules + stream.turned_away();
            let account = Account { seen: account.seen(), filtered };
            lock(&interface.shared).counted(account);
        }
        interface.turn();
    }

    fn due(&self) -> Option<Instant> {
        self.interface.as_ref().and_then(Interface::due)
    }

    fn watched(&self) -> Vec<BorrowedFd<'_>> {
        self.interface.as_ref().map(Interface::watched).unwrap_or_default()
    }

    fn attend(&mut self) -> ControlFlow<()> {
        match self.interface.as_mut().map(Interface::attend) {
            Some(Asked::More) => ControlFlow::Continue(()),
            Some(Asked::End) | None => ControlFlow::Break(()),
        }
    }
}
