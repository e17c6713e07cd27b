//! Ctrl-C and its relatives, as something that can be waited for.

use std::{
    io::{self, IsTerminal, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
};

use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGWINCH, SIGXFSZ},
    flag,
    low_level::pipe,
};

/// Signals that are for the command that we run, as long as it does.
const PASSED: [Signal; 7] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGTERM,
];

/// Signals that are passed on, and the word that the command may have ended.
#[derive(Debug)]
pub(crate) struct Passing {
    fd: SignalFd,
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) signal: Signal,
    /// The process that sent it; none if the kernel did, for a terminal.
    pub(crate) sender: Option<u32>,
}

impl Passing {
    /// From now on, these signals come here. What was started before has them as they
    /// were: those that were ignored still are (nohup).
    pub(crate) fn listen() -> io::Result<Self> {
        // Were it ignored, nobody would tell how the child has ended (wait(2)).
        flag::register(SIGCHLD, Arc::default())?;
        flag::register(SIGXFSZ, Arc::default())?;
        let mut set: SigSet = PASSED.into_iter().collect();
        set.add(Signal::SIGCHLD);
        // Those who send signals are told only to one who reads them so. Threads that are
        // started later have the same set.
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { fd })
    }

    /// The next one that is to be passed on; none once all have been asked for.
    pub(crate) fn next(&self) -> io::Result<Option<Came>> {
        while let Some(info) = self.fd.read_signal()? {
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            let signal = PASSED.into_iter().find(|signal| *signal as i32 == number);
            // Codes above zero are the kernel's (sigaction(2)).
            let sender = (info.ssi_code <= 0).then_some(info.ssi_pid);
            if let Some(signal) = signal {
                return Ok(Some(Came { signal, sender }));
            }
        }
        Ok(None)
    }
}

impl AsFd for Passing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What comes by signal.
#[derive(Debug)]
pub(crate) struct Requests {
    /// Becomes readable when someone wants us to end.
    pub(crate) end: UnixStream,
    /// Becomes readable at a SIGHUP.
    pub(crate) reload: UnixStream,
    has_terminal: bool,
}

impl Requests {
    /// From now on, these signals come here.
    pub(crate) fn listen() -> io::Result<Self> {
        let end = caught(&[SIGINT, SIGTERM])?;
        let reload = caught(&[SIGHUP])?;
        reload.set_nonblocking(true)?;
        // A file that may not grow is an error of the write then (setrlimit(2)), which is
        // told, and not the end.
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(Self { end, reload, has_terminal: has_terminal() })
    }

    /// What a SIGHUP means: that files are to be read again, or, if the terminal that
    /// we had is gone, that there is nobody left to show anything.
    pub(crate) fn is_to_reload(&mut self) -> bool {
        // Several in a row are one.
        while self.reload.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        !self.has_terminal || has_terminal()
    }
}

/// Becomes readable when the terminal has another size.
pub(crate) fn resizes() -> io::Result<UnixStream> {
    let resized = caught(&[SIGWINCH])?;
    resized.set_nonblocking(true)?;
    Ok(resized)
}

fn caught(signals: &[i32]) -> io::Result<UnixStream> {
    let (here, there) = UnixStream::pair()?;
    for &signal in signals {
        pipe::register(signal, there.try_clone()?)?;
    }
    Ok(here)
}

/// A terminal that has hung up is none any more.
fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}
