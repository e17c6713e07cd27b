//! Which columns there are, and which field each shows.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Effects, Style};
use exectrail_model::{
    event::{Body, Ended, Event, Program},
    fields::Field,
    value::{Align, Type, Value},
};

use super::exit;

/// Writes what a column says of the end of a process.
type Exit = fn(&Ended<'_>, &mut String) -> fmt::Result;

/// Writes what a column says of an event before its field.
type Before = fn(&Event<'_>, &mut String) -> fmt::Result;

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
    Choice { title: "uid", fields: &["uid"], ..USUAL },
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
        style: BOLD,
        style_bad: BOLD,
        style_exit: DIM,
        ..USUAL
    },
    Choice {
        title: "args",
        fields: &["args"],
        exit: Some(exit::lifetime),
        style_exit: DIM,
        ..USUAL
    },
];

/// How many files a walk along `PATH` has tried in vain: `tried 5, ` and then how it
/// ended.
fn tried(event: &Event<'_>, cell: &mut String) -> fmt::Result {
    let Some(&Program { folded, .. }) = event.program().filter(|program| program.folded > 0) else {
        return Ok(());
    };
    let last = u32::from(matches!(event.body, Body::Failed(..)));
    write!(cell, "tried {}, ", folded.saturating_add(last))
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
    style: Style,
    style_bad: Style,
    style_exit: Style,
}

/// The columns for these fields; without a list, the default ones. `outcomes`:
/// whether more than successes is traced.
pub(super) fn columns(selected: Option<&[&'static Field]>, outcomes: bool) -> Vec<Column> {
    if let Some(selected) = selected {
        return selected.iter().map(|field| Column::of(field)).collect();
    }
    DEFAULT
        .iter()
        .filter(|choice| outcomes || !choice.outcome_only)
        .filter_map(Column::chosen)
        .collect()
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

    use super::{DEFAULT, columns};

    #[test]
    fn every_default_field_is_in_the_table() {
        for name in DEFAULT.iter().flat_map(|choice| choice.fields) {
            assert!(Field::named(name).is_some(), "{name}");
        }
        assert_eq!(columns(None, true).len(), DEFAULT.len());
        assert_eq!(columns(None, false).len(), DEFAULT.len() - 1);
    }
}
