//! The columns that people want first, as a table, and the words that only they have.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Effects, Style};
use exectrail_model::{
    args::Arg,
    errno,
    event::{Body, Ended, Event, Program},
};

use super::{cell::paint, exit};
use crate::quote::{Place, quote};

/// Writes what a column says of the end of a process.
pub(super) type Exit = fn(&Ended<'_>, &mut String) -> fmt::Result;

/// Writes what a column says of an event before its field.
pub(super) type Before = fn(&Event<'_>, &mut String) -> fmt::Result;

/// Writes what a column says of an event behind its field, in colours or without.
pub(super) type Behind = fn(&Event<'_>, bool, &mut String) -> fmt::Result;

/// Fields that name a program. The first column that shows one of them is the one that
/// shows a tree.
pub(super) const TREE: [&str; 4] = ["args", "exe", "filename", "comm"];

/// A column of the default table. Fields are named here as data, and nowhere else.
pub(super) struct Choice {
    pub(super) title: &'static str,
    /// It shows the first of them that the event has.
    pub(super) fields: &'static [&'static str],
    /// Whether a field without a value yields to the next.
    pub(super) past_null: bool,
    /// What it shows for an event that has none of them.
    pub(super) otherwise: &'static str,
    /// What it shows of the end of a process, where that is not its fields.
    pub(super) exit: Option<Exit>,
    /// What it shows before its field, of a program.
    pub(super) before: Option<Before>,
    /// What it shows behind its field.
    pub(super) behind: Option<Behind>,
    /// Not there in a tree, whose lines have to have room.
    pub(super) gives_way: bool,
    /// Only there when more than successes is traced. Where the end of a process stands in
    /// the line of its exec, it tells of the end.
    pub(super) outcome_only: bool,
    /// Where columns are left out for want of room, those that have more of this go first;
    /// none with 0.
    pub(super) yields: u8,
    pub(super) style: Style,
    /// Of a failure and of a process that ended badly.
    pub(super) style_bad: Style,
    /// Of a process that ended well.
    pub(super) style_exit: Style,
}

pub(super) const USUAL: Choice = Choice {
    title: "",
    fields: &[],
    past_null: false,
    otherwise: "-",
    exit: None,
    before: None,
    behind: None,
    gives_way: false,
    outcome_only: false,
    yields: 0,
    style: Style::new(),
    style_bad: Style::new(),
    style_exit: Style::new(),
};

const DIM: Style = Style::new().effects(Effects::DIMMED);
const BOLD: Style = Style::new().effects(Effects::BOLD);
const RED: Style = AnsiColor::Red.on_default();

const ALWAYS_DIM: Choice = Choice { style: DIM, style_bad: DIM, style_exit: DIM, ..USUAL };

/// What a person wants to know first: when, who, whether it worked, what.
pub(super) const DEFAULT: &[Choice] = &[
    Choice { title: "time", fields: &["time"], yields: 3, ..ALWAYS_DIM },
    Choice { title: "pid", fields: &["pid"], yields: 1, ..USUAL },
    Choice { title: "ppid", fields: &["ppid"], yields: 5, ..ALWAYS_DIM },
    Choice { title: "uid", fields: &["uid"], gives_way: true, yields: 6, ..USUAL },
    Choice {
        title: "result",
        fields: &["error", "errno"],
        past_null: true,
        otherwise: "ok",
        exit: Some(exit::result),
        before: Some(tried),
        outcome_only: true,
        yields: 2,
        style: DIM,
        style_bad: RED,
        style_exit: DIM,
        ..USUAL
    },
    Choice {
        title: "exe",
        // What failed never became an executable: there is only what was asked for.
        fields: &["exe", "filename"],
        past_null: true,
        exit: Some(|ended, cell| {
            exit::program(ended, cell);
            Ok(())
        }),
        gives_way: true,
        yields: 7,
        style: BOLD,
        style_bad: BOLD,
        style_exit: DIM,
        ..USUAL
    },
    Choice {
        title: "args",
        fields: &["args"],
        exit: Some(exit::lifetime),
        behind: Some(failure),
        style_exit: DIM,
        ..USUAL
    },
];

/// What stands in a tree for the last two of these, of which there is room for one.
pub(super) const TREE_PROGRAM: Choice = Choice {
    title: "program",
    fields: &["args"],
    exit: Some(exit::program_and_lifetime),
    behind: Some(remark),
    style_exit: DIM,
    ..USUAL
};

/// How long a process took, where its end stands in the line of its exec.
pub(super) const TOOK: Choice = Choice {
    title: "took",
    fields: &["duration_ns"],
    otherwise: "",
    exit: Some(exit::took),
    yields: 4,
    ..ALWAYS_DIM
};

/// What a line of a tree has no column for: why it failed, how many files were tried, and
/// which one it was where no argument says so.
fn remark(event: &Event<'_>, color: bool, cell: &mut String) -> fmt::Result {
    let Some(program) = event.program() else { return Ok(()) };
    let mut parts: Vec<String> = why(event).into_iter().map(str::to_owned).collect();
    parts.extend(tries(event).map(|tries| format!("tried {tries}")));
    let first = program.args.and_then(|args| args.iter().next());
    let named = match (&event.body, first) {
        // What was tried is told by nothing else.
        (Body::Failed(..), Some(Arg::Whole(first))) => program.filename.filter(|&it| it != first),
        (_, Some(Arg::Whole(_) | Arg::Piece(_))) => None,
        (_, Some(Arg::Unreadable) | None) => program.exe.or(program.filename),
    };
    if let Some(named) = named {
        let mut quoted = String::new();
        quote(named, Place::Command, &mut quoted);
        parts.push(quoted);
    }
    put_remark(&parts.join(", "), event, color, cell)
}

/// Why it failed, where there is a column for everything else.
fn failure(event: &Event<'_>, color: bool, cell: &mut String) -> fmt::Result {
    put_remark(why(event).unwrap_or(""), event, color, cell)
}

/// What a shell takes for a remark, too.
fn put_remark(words: &str, event: &Event<'_>, color: bool, cell: &mut String) -> fmt::Result {
    if words.is_empty() {
        return Ok(());
    }
    let style = if matches!(event.body, Body::Failed(..)) { RED } else { DIM };
    let gap = if cell.is_empty() { "" } else { "  " };
    paint(&format!("{gap}# {words}"), style, color, cell)
}

fn why(event: &Event<'_>) -> Option<&'static str> {
    let Body::Failed(_, failure) = &event.body else { return None };
    errno::words(failure.errno)
}

/// How many files a walk along `PATH` has tried in vain.
fn tries(event: &Event<'_>) -> Option<u32> {
    let Program { folded, .. } = event.program().filter(|program| program.folded > 0)?;
    let last = u32::from(matches!(event.body, Body::Failed(..)));
    Some(folded.saturating_add(last))
}

/// `tried 5, ` and then how it ended.
fn tried(event: &Event<'_>, cell: &mut String) -> fmt::Result {
    tries(event).map_or(Ok(()), |tries| write!(cell, "tried {tries}, "))
}
