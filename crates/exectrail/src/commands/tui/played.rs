//! `replay --tui`: a recording is read by a thread of its own, so that it is looked at from
//! its first events on.

use std::{
    fs::File,
    io::{self, Read},
    os::{fd::AsFd as _, unix::net::UnixStream},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use exectrail_tui::{Setup, lock};
use rustix::event::{PollFd, PollFlags, poll};

use super::{
    check,
    interface::{self, Asked, Interface},
    print,
};
use crate::{
    args::ReplayArgs, commands::replay::Replay, config::Config, exit::UsageError, form::Opened,
    host::KnownHost, signals::Requests,
};

/// How often what was read meanwhile is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(66);

/// How often a recording that is being written is read on.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// Shows the recording until somebody has had enough.
pub(crate) fn replay(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    check(&args.form)?;
    let (going, enough) = UnixStream::pair().context("preparing to read")?;
    let mut replay = Replay::open(args, |input| Box::new(Awaited { input, enough }))?;
    let mut opened: Option<Interface> = None;
    let is_known = replay.begin(|plan, description| {
        let (events, bytes) = interface::kept(args.keep);
        let setup = Setup {
            boot: description.boot,
            events,
            bytes,
            tree: args.form.tree,
            exits: plan.exits,
            host: Box::new(KnownHost::with(description.namespaces.clone())),
        };
        let interface = super::interface(setup, &args.form, &Config::default())?;
        let sink = interface.sink();
        opened = Some(interface);
        Ok(Opened { sink, reader: None, is_for_people: true, is_file: false })
    })?;
    let Some(mut interface) = opened.filter(|_| is_known) else {
        let words = format!("{}: nothing has been recorded there so far", args.file.display());
        return Err(UsageError(words).into());
    };
    let mut requests = Requests::listen().context("preparing for signals")?;
    interface.enter();
    let is_enough = AtomicBool::new(false);
    let played = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            replay.play(&|waits| {
                if waits {
                    thread::sleep(READ_AGAIN);
                }
                is_enough.load(Ordering::Relaxed)
            })
        });
        let seen = look(&mut interface, &mut requests, || reader.is_finished());
        is_enough.store(true, Ordering::Relaxed);
        drop(going);
        let played = reader.join().unwrap_or_else(|_| Err(anyhow!("the reader has panicked")));
        seen.and(played)
    });
    let printed = interface.leave();
    let code = played?;
    print(&printed)?;
    Ok(code)
}

/// A recording that may come by a pipe. That nothing comes there keeps nobody who has had
/// enough: it is at its end then.
struct Awaited {
    input: File,
    /// Its other end is closed by then.
    enough: UnixStream,
}

impl Read for Awaited {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut fds = [self.enough.as_fd(), self.input.as_fd()]
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        poll(&mut fds, None)?;
        let [enough, _] = fds;
        if enough.revents().is_empty() { self.input.read(bytes) } else { Ok(0) }
    }
}

/// Until somebody has had enough.
fn look(
    interface: &mut Interface,
    requests: &mut Requests,
    is_read: impl Fn() -> bool,
) -> anyhow::Result<()> {
    let mut is_over = false;
    loop {
        if !is_over && is_read() {
            is_over = true;
            lock(&interface.shared).ends();
        }
        let most = (!is_over).then_some(LOOK_AGAIN);
        if interface.wait(requests, most)? == Asked::End {
            return Ok(());
        }
    }
}
