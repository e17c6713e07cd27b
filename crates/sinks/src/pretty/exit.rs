//! The end of a process: how it ended, and what it had used.

use std::fmt::{self, Write};

use exectrail_model::event::{Ended, Status};

use crate::quote::{Place, quote};

use super::{
    cell::{NULL, arguments},
    units::{Size, Span},
};

/// Whether it ended by a signal, or with a code that is not zero.
pub(super) fn is_bad(ended: &Ended<'_>) -> bool {
    ended.status.is_some_and(|status| status.code() != Some(0))
}

/// `exit 1`, or `signal 11 core`.
pub(super) fn result(ended: &Ended<'_>, cell: &mut String) -> fmt::Result {
    result_of(ended.status, cell)
}

/// The same of a status alone.
pub(crate) fn result_of(status: Option<Status>, cell: &mut String) -> fmt::Result {
    let Some(status) = status else {
        return write!(cell, "exit {NULL}");
    };
    if let Some(code) = status.code() {
        write!(cell, "exit {code}")?;
    }
    if let Some(signal) = status.signal() {
        write!(cell, "signal {signal}")?;
    }
    if status.core() {
        cell.push_str(" core");
    }
    Ok(())
}

/// What ran: the executable, or at least its short name.
pub(super) fn program(ended: &Ended<'_>, cell: &mut String) {
    let exe = ended.program.and_then(|program| program.exe);
    quote(exe.unwrap_or(ended.comm), Place::Command, cell);
}

/// `after 1.234 s, 12 ms CPU, 3.4 MB: ls -l`, as much of it as is known.
pub(super) fn lifetime(ended: &Ended<'_>, cell: &mut String) -> fmt::Result {
    usage(ended, cell)?;
    let Some(args) = ended.program.and_then(|program| program.args) else { return Ok(()) };
    let mut words = String::new();
    arguments(args, false, &mut words)?;
    let gap = if cell.is_empty() { "" } else { ": " };
    write!(cell, "{gap}{words}")
}

fn usage(ended: &Ended<'_>, cell: &mut String) -> fmt::Result {
    if let Some(duration) = ended.duration {
        write!(part(cell), "after {}", Span(duration))?;
    }
    if let (Some(user), Some(system)) = (ended.cpu_user, ended.cpu_system) {
        write!(part(cell), "{} CPU", Span(user.saturating_add(system)))?;
    }
    if let Some(bytes) = ended.max_rss {
        write!(part(cell), "{}", Size(bytes))?;
    }
    Ok(())
}

fn part(cell: &mut String) -> &mut String {
    if !cell.is_empty() {
        cell.push_str(", ");
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::{Ended, Status, is_bad, result, usage};

    const UNKNOWN: Ended<'static> = Ended::UNKNOWN;

    #[test]
    fn results() {
        for (status, bad, expect) in [
            (None, false, "exit -"),
            (Some(0), false, "exit 0"),
            (Some(0xff00), true, "exit 255"),
            (Some(9), true, "signal 9"),
            (Some(0x8b), true, "signal 11 core"),
        ] {
            let ended = Ended { status: status.map(Status), ..UNKNOWN };
            let mut cell = String::new();
            result(&ended, &mut cell).unwrap();
            assert_eq!((cell.as_str(), is_bad(&ended)), (expect, bad));
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let cpu = Ended { cpu_user: Some(1_500_000), cpu_system: Some(500_000), ..UNKNOWN };
        for (ended, expect) in [
            (UNKNOWN, ""),
            (Ended { cpu_system: Some(1), ..UNKNOWN }, ""),
            (cpu, "2.0 ms CPU"),
            (Ended { max_rss: Some(0), ..cpu }, "2.0 ms CPU, 0 B"),
            (Ended { duration: Some(1), ..UNKNOWN }, "after 1 ns"),
            (Ended { duration: Some(1), max_rss: Some(9), ..UNKNOWN }, "after 1 ns, 9 B"),
        ] {
            let mut cell = String::new();
            usage(&ended, &mut cell).unwrap();
            assert_eq!(cell, expect);
        }
    }
}
