//! Which columns there are, and which field each shows.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Effects, Style};
use exectrail_model::{
    args::Arg,
    errno,
    event::{Body, Ended, Event, Program},
    fields::Field,
    value::{Align, Type, Value},
};

use super::{cell::paint, exit};
use crate::quote::{Place, quote};

/// Writes what a column says of the end of a process.
type Exit = fn(&Ended<'_>, &mut String) -> fmt::Result;

/// Writes what a column says of an event before its field.
type Before = fn(&Event<'_>, &mut String) -> fmt::Result;

/// Writes what a column says of an event behind its field, in colours or without.
type Behind = fn(&Event<'_>, bool, &mut String) -> fmt::Result;

/// Fields that name a program. The first column that shows one of them is the one that
/// shows a tree.
const TREE: [&str; 4] = ["args", "exe", "filename", "comm"];

/// A column of the default table. Fields are named here as data, and nowhere else.
struct Choice {
    title: &'static str,
    /// It shows the first of them that the event has.
    fields: &'static [&'static str],
    /// Whether a field without a value yields to the next.
    past_null: bool,
    /// What it shows for an event that has none of them.
    otherwise: &'static str,
    /// What it shows of the end of a process, where that is not its fields.
    exit: Option<Exit>,
    /// What it shows before its field, of a program.
    before: Option<Before>,
    /// What it shows behind its field.
    behind: Option<Behind>,
    /// Not there in a tree, whose lines have to have room.
    gives_way: bool,
    /// Only there when more than successes is traced.
    outcome_only: bool,
    style: Style,
    /// Of a failure and of a process that ended badly.
    style_bad: Style,
    /// Of a process that ended well.
    style_exit: Style,
}

const USUAL: Choice = Choice {
    title: "",
    fields: &[],
    past_null: false,
    otherwise: "-",
    exit: None,
    before: None,
    behind: None,
    gives_way: false,
    outcome_only: false,
    style: Style::new(),
    style_bad: Style::new(),
    style_exit: Style::new(),
};

const DIM: Style = Style::new().effects(Effects::DIMMED);
const BOLD: Style = Style::new().effects(Effects::BOLD);
const RED: Style = AnsiColor::Red.on_default();

const ALWAYS_DIM: Choice = Choice { style: DIM, style_bad: DIM, style_exit: DIM, ..USUAL };

/// What a person wants to know first: when, who, whether it worked, what.
const DEFAULT: &[Choice] = &[
    Choice { title: "time", fields: &["time"], ..ALWAYS_DIM },
    Choice { title: "pid", fields: &["pid"], ..USUAL },
    Choice { title: "ppid", fields: &["ppid"], ..ALWAYS_DIM },
    Choice { title: "uid", fields: &["uid"], gives_way: true, ..USUAL },
    Choice {
        title: "result",
        fields: &["error", "errno"],
        past_null: true,
        otherwise: "ok",
        exit: Some(exit::result),
        before: Some(tried),
        outcome_only: true,
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
const TREE_PROGRAM: Choice = Choice {
    title: "program",
    fields: &["args"],
    exit: Some(exit::program_and_lifetime),
    behind: Some(remark),
    style_exit: DIM,
    ..USUAL
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

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    fields: Vec<&'static Field>,
    past_null: bool,
    otherwise: &'static str,
    pub(super) exit: Option<Exit>,
    pub(super) before: Option<Before>,
    pub(super) behind: Option<Behind>,
    /// Whether a tree shows by it.
    pub(super) is_tree: bool,
    style: Style,
    style_bad: Style,
    style_exit: Style,
}

/// The columns for these fields; without a list, the default ones. `outcomes`:
/// whether more than successes is traced. `tree`: whether one of them shows a tree.
pub(super) fn columns(
    selected: Option<&[&'static Field]>,
    outcomes: bool,
    tree: bool,
) -> Vec<Column> {
    let mut columns: Vec<_> = match selected {
        Some(selected) => selected.iter().map(|field| Column::of(field)).collect(),
        None => DEFAULT
            .iter()
            .filter(|choice| outcomes || !choice.outcome_only)
            .filter(|choice| !(tree && choice.gives_way))
            .map(|choice| if tree && choice.fields == ["args"] { &TREE_PROGRAM } else { choice })
            .filter_map(Column::chosen)
            .collect(),
    };
    if tree && selected.is_none() {
        // Cells that differ in length would make steps where there are none.
        for column in &mut columns {
            column.before = None;
        }
    }
    let bearer = columns
        .iter_mut()
        .find(|column| tree && column.fields.iter().any(|field| names_program(field)));
    if let Some(bearer) = bearer {
        bearer.is_tree = true;
    }
    columns
}

fn names_program(field: &Field) -> bool {
    TREE.contains(&field.name)
}

/// Whether one of these fields can show a tree.
///
/// # Errors
///
/// In words, if none can.
pub fn has_tree_column(selected: &[&'static Field]) -> Result<(), String> {
    if selected.iter().any(|field| names_program(field)) {
        return Ok(());
    }
    Err(format!("none of these fields names a program, by which a tree shows: {}", TREE.join(", ")))
}

impl Column {
    /// `None` if the table has none of the fields, which a test rules out.
    fn chosen(choice: &Choice) -> Option<Self> {
        let fields: Vec<_> = choice.fields.iter().filter_map(|name| Field::named(name)).collect();
        Some(Self {
            title: choice.title,
            align: fields.first()?.align,
            fields,
            past_null: choice.past_null,
            otherwise: choice.otherwise,
            exit: choice.exit,
            before: choice.before,
            behind: choice.behind,
            is_tree: false,
            style: choice.style,
            style_bad: choice.style_bad,
            style_exit: choice.style_exit,
        })
    }

    /// What its fields are read from.
    pub(super) fn needs(&self) -> u32 {
        self.fields.iter().fold(0, |needs, field| needs | field.needs)
    }

    /// A field looks as it does in the default table, but stands for itself only.
    fn of(field: &'static Field) -> Self {
        let look = DEFAULT.iter().find(|choice| choice.fields.contains(&field.name));
        let look = look.unwrap_or(&USUAL);
        Self {
            title: field.name,
            align: field.align,
            fields: vec![field],
            past_null: false,
            otherwise: USUAL.otherwise,
            exit: None,
            before: None,
            behind: None,
            is_tree: false,
            style: look.style,
            style_bad: look.style_bad,
            style_exit: look.style_exit,
        }
    }

    /// What it shows of `event`, if the event has such a field.
    pub(super) fn value<'a>(&self, event: &Event<'a>) -> Option<(Type, Value<'a>)> {
        let kind = event.kind();
        let mut values = self
            .fields
            .iter()
            .filter(|field| field.events.contains(kind))
            .map(|field| (field.kind, (field.get)(event)));
        let first = values.next()?;
        if self.past_null && matches!(first.1, Value::Null) {
            return Some(values.next().unwrap_or(first));
        }
        Some(first)
    }

    /// What it shows where [`value`](Self::value) has nothing.
    pub(super) fn otherwise(&self) -> &'static str {
        self.otherwise
    }

    pub(super) fn style(&self, event: &Event<'_>) -> Style {
        match &event.body {
            Body::Failed(..) => self.style_bad,
            Body::Exit(ended) if exit::is_bad(ended) => self.style_bad,
            Body::Exit(_) => self.style_exit,
            Body::Exec(_) | Body::Lost(_) | Body::Summary(_) => self.style,
        }
    }
}

#[cfg(test)]
mod tests {
    use exectrail_model::fields::Field;

    use super::{DEFAULT, TREE, columns, has_tree_column};

    #[test]
    fn every_default_field_is_in_the_table() {
        for name in DEFAULT.iter().flat_map(|choice| choice.fields) {
            assert!(Field::named(name).is_some(), "{name}");
        }
        assert_eq!(columns(None, true, false).len(), DEFAULT.len());
        assert_eq!(columns(None, false, false).len(), DEFAULT.len() - 1);
    }

    #[test]
    fn one_column_shows_a_tree() {
        let shown = |fields: Option<&[&str]>, tree| {
            let fields = fields.map(|names| {
                names.iter().map(|name| Field::named(name).unwrap()).collect::<Vec<_>>()
            });
            let columns = columns(fields.as_deref(), true, tree);
            let bearers = columns.iter().filter(|column| column.is_tree);
            bearers.map(|column| column.title).collect::<Vec<_>>()
        };
        assert_eq!(shown(None, true), ["program"]);
        assert_eq!(shown(None, false), [""; 0]);
        assert_eq!(shown(Some(&["pid", "exe", "args"]), true), ["exe"]);
        assert_eq!(shown(Some(&["pid", "cwd"]), true), [""; 0]);
        assert!(TREE.iter().all(|name| has_tree_column(&[Field::named(name).unwrap()]).is_ok()));
        let error = has_tree_column(&[Field::named("cwd").unwrap()]).unwrap_err();
        assert!(error.contains("args, exe, filename, comm"), "{error}");
    }
}
