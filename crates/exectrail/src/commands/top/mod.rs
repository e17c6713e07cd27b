//! `exectrail top`: execs, counted in the kernel, as a table that is kept up.

mod screen;
mod show;

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::AsFd as _,
    time::Instant,
};

use anyhow::Context as _;
use exectrail_model::{
    nearest::nearest,
    plan::Plan,
    tally::{COLUMNS, Column, Counting, Reading, Snapshot},
};
use exectrail_sensor::{Sensor, Wake};
use rustix::thread::CapabilitySet;

use self::show::Show;
use crate::{
    args::{CollectArgs, TopArgs, TraceArgs},
    capabilities,
    config::Config,
    exit::UsageError,
    host::KnownHost,
    output::{self, Standard},
    plan::{self, Scope},
    signals::Requests,
    words::say,
};

/// Counts until someone or the count says enough.
pub(crate) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let counting = Counting { by: args.by.into(), room: args.room };
    let host = KnownHost::look();
    let config = Config::read(args.config.as_deref(), &host)?;
    let plan = planned(args, counting, &config, &host)?;
    let column = sorted_by(&args.sort, plan.failed)?;
    let color = args.color.or(config.color).unwrap_or_default();
    let output = output::open(None, Standard::Out, color)?;
    let mut requests = Requests::listen().context("preparing for signals")?;

    let sensor = Sensor::start(&plan)?;
    capabilities::drop_all_but(CapabilitySet::empty()).context("giving up capabilities")?;
    let programs: Vec<_> = sensor.programs().collect();
    log::info!("programs: {}", programs.join(", "));
    let mut show = Show::new(args, &plan, column.name, output);
    say(format_args!("tracing; Ctrl-C{} ends", if show.has_keys() { " or q" } else { "" }));
    let mut top = Top { sensor, counting, column, start: Sensor::now().ktime, before: None };
    show.begin().context("preparing the terminal")?;
    let shown = top.readings(args, &mut requests, &mut show);
    let ended = show.end();
    let account = top.sensor.stop(&mut |_| std::ops::ControlFlow::Continue(()));
    log::info!("{account:?}");
    shown?;
    ended?;
    let missed = account.missed();
    let missed = if missed == 0 { String::new() } else { format!(" and missed {missed}") };
    say(format_args!(
        "{} counted, {} filtered, {} lost; the kernel saw {}{missed}",
        account.sent(),
        account.filtered(),
        account.dropped(),
        account.seen()
    ));
    Ok(())
}

/// What the sensor is asked for.
fn planned(
    args: &TopArgs,
    counting: Counting,
    config: &Config,
    host: &KnownHost,
) -> anyhow::Result<Plan> {
    let TopArgs { wanted, failed, config: file, kernel, .. } = args.clone();
    let collect = CollectArgs { failed, config: file, kernel, ..CollectArgs::default() };
    let trace = TraceArgs { wanted, collect, ..TraceArgs::default() };
    let mut plan = plan::plan(&trace, Scope::Host { follow: &args.follow }, config, host)?;
    plan::count(&mut plan, counting)?;
    Ok(plan)
}

/// The column that rows are put in the order of.
fn sorted_by(name: &str, failures: bool) -> anyhow::Result<&'static Column> {
    let Some(column) = Column::named(name) else {
        let names = COLUMNS.iter().map(|column| column.name);
        let meant = match nearest(name, names.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        return Err(UsageError(format!("--sort: there is no column `{name}`; {meant}")).into());
    };
    if column.of_failures && !failures {
        let what = format!("--sort: `{name}` is about failed execs, which are not counted");
        return Err(UsageError(format!("{what}; add --failed")).into());
    }
    Ok(column)
}

/// A trace that counts, and what it was when it was last looked at.
struct Top {
    sensor: Sensor,
    counting: Counting,
    column: &'static Column,
    /// When it began, boot clock, nanoseconds.
    start: u64,
    before: Option<Snapshot>,
}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Other {
    /// It is time for a reading.
    Time,
    /// Somebody wants us to end.
    End,
    /// Somebody has reloaded a service; there is nothing to read again.
    Reload,
    /// A key was pressed.
    Key,
    /// Nobody reads the pipe any more that we write to.
    NoReader,
}

impl Top {
    /// Shows readings until there are enough of them. Who ends it before has one more.
    fn readings(
        &mut self,
        args: &TopArgs,
        requests: &mut Requests,
        show: &mut Show,
    ) -> anyhow::Result<()> {
        let mut left = if args.once { 1 } else { args.count.unwrap_or(u64::MAX) };
        let mut next = Instant::now() + args.interval;
        while left > 0 {
            match self.wait(requests, show, next)? {
                Other::Time => {
                    show.reading(self.reading()?)?;
                    left -= 1;
                    // What takes longer than an interval leaves some out.
                    next = (next + args.interval).max(Instant::now());
                }
                Other::NoReader => return Ok(()),
                Other::Reload if requests.is_to_reload() => {}
                Other::Key if !is_to_quit() => {}
                Other::Reload | Other::Key | Other::End => {
                    show.reading(self.reading()?)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn wait(&self, requests: &Requests, show: &Show, next: Instant) -> anyhow::Result<Other> {
        let stdin = io::stdin();
        let mut others =
            vec![(Other::End, requests.end.as_fd()), (Other::Reload, requests.reload.as_fd())];
        others.extend(show.reader.iter().map(|reader: &File| (Other::NoReader, reader.as_fd())));
        if show.has_keys() {
            others.push((Other::Key, stdin.as_fd()));
        }
        let (others, fds): (Vec<_>, Vec<_>) = others.into_iter().unzip();
        loop {
            match self.sensor.wait(&fds, Some(next))? {
                // There are none.
                Wake::Records => {}
                Wake::Deadline => return Ok(Other::Time),
                Wake::Other(index) => return Ok(others.get(index).copied().unwrap_or(Other::End)),
            }
        }
    }

    /// What has been counted, beside what it was before.
    fn reading(&mut self) -> anyhow::Result<Reading> {
        let after = self.sensor.tallies(self.counting)?;
        let mut reading =
            Reading::between(self.counting.by, self.start, self.before.as_ref(), &after);
        reading.sort(self.column);
        self.before = Some(after);
        Ok(reading)
    }
}

/// Whether one of the keys that were pressed ends it. So does the end of the terminal.
fn is_to_quit() -> bool {
    let mut keys = [0; 64];
    match io::stdin().lock().read(&mut keys) {
        Ok(read) => read == 0 || keys.get(..read).is_some_and(|keys| keys.contains(&b'q')),
        Err(error) => error.kind() != io::ErrorKind::Interrupted,
    }
}
