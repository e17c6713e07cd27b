//! The end of a process: how it ended, and what it had used.

use std::fmt::{self, Write};

use exectrail_model::{
    args::{Arg, Args},
    event::{Ended, Status},
    signal,
};

use crate::quote::{Place, quote};

use super::{
    cell::{ARGUMENT_UNREADABLE, NULL, arguments},
    cut,
    units::{Size, Span},
};

/// Cells of an ended program's arguments, at most.
const BRIEF: usize = 24;

/// Whether it ended by a signal, or with a code that is not zero.
pub(super) fn is_bad(ended: &Ended<'_>) -> bool {
    ended.status.is_some_and(|status| status.code() != Some(0))
}

/// `exit 1`, or `SIGSEGV, core`.
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
        match signal::name(signal) {
            Some(name) => cell.push_str(name),
            None => write!(cell, "signal {signal}")?,
        }
    }
    if status.core() {
        cell.push_str(", core");
    }
    Ok(())
}

/// How long it ran.
pub(super) fn took(ended: &Ended<'_>, cell: &mut String) -> fmt::Result {
    ended.duration.map_or(Ok(()), |duration| write!(cell, "{}", Span(duration)))
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

/// `ls -l  # after 1.234 s, 12 ms CPU, 3.4 MB`: what ran, in few words, where no other
/// column tells it. Its own line has all of it.
pub(super) fn program_and_lifetime(ended: &Ended<'_>, cell: &mut String) -> fmt::Result {
    match ended.program.and_then(|program| program.args) {
        Some(args) => brief(args, cell),
        None => program(ended, cell),
    }
    let mut used = String::new();
    usage(ended, &mut used)?;
    if used.is_empty() { Ok(()) } else { write!(cell, "  # {used}") }
}

/// The first words, the program's without its directory. No word is cut, since half of one
/// has half its quotes.
fn brief(args: Args<'_>, cell: &mut String) {
    let mut used = 0;
    for (index, arg) in args.iter().enumerate() {
        let mut word = String::new();
        match arg {
            Arg::Whole(bytes) | Arg::Piece(bytes) if index == 0 => {
                let name = bytes.rsplit(|&byte| byte == b'/').next().unwrap_or(bytes);
                quote(if name.is_empty() { bytes } else { name }, Place::Command, &mut word);
            }
            Arg::Whole(bytes) | Arg::Piece(bytes) => quote(bytes, Place::Argument, &mut word),
            Arg::Unreadable => word.push_str(ARGUMENT_UNREADABLE),
        }
        used += 1 + cut::cells(&word);
        if index > 0 && used > BRIEF || args.cut_index() == Some(index) {
            cell.push_str(" […]");
            return;
        }
        cell.push_str(if index == 0 { "" } else { " " });
        cell.push_str(&word);
    }
}

fn usage(ended: &Ended<'_>, cell: &mut String) -> fmt::Result {
    if let Some(duration) = ended.duration {
        write!(part(cell), "after {}", Span(duration))?;
    }
    if let (Some(user), Some(system)) = (ended.cpu_user, ended.cpu_system) {
        match user.saturating_add(system) {
            // Most kernels look with each tick of the clock who runs, and have seen nothing.
            0 => part(cell).push_str("<10 ms CPU"),
            used => write!(part(cell), "{} CPU", Span(used))?,
        }
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
            (Some(9), true, "SIGKILL"),
            (Some(0x8b), true, "SIGSEGV, core"),
            (Some(34), true, "signal 34"),
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
