//! Ctrl-C and its relatives, as something that can be waited for.

use std::{io, os::unix::net::UnixStream};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    low_level::pipe,
};

/// A stream that becomes readable when someone wants us to end.
pub(crate) fn end_requests() -> io::Result<UnixStream> {
    let (here, there) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        pipe::register(signal, there.try_clone()?)?;
    }
    Ok(here)
}
