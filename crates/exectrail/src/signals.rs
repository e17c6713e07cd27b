//! Ctrl-C and its relatives, as something that can be waited for.

use std::{
    io::{self, IsTerminal, Read},
    os::unix::net::UnixStream,
    sync::Arc,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    flag,
    low_level::pipe,
};

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
