//! Which columns there are, and which field each shows.

use anstyle::{AnsiColor, Effects, Style};
use exectrail_model::{
    event::{Event, Kinds},
    fields::Field,
    value::{Align, Type, Value},
};

/// A column of the default table. Fields are named here as data, and nowhere else.
struct Choice {
    title: &'static str,
    /// It shows the first of them that the event has.
    fields: &'static [&'static str],
    /// Whether a field without a value yields to the next.
    past_null: bool,
    /// What it shows for an event that has none of them.
    otherwise: &'static str,
    /// Only there when failures are traced.
    failed_only: bool,
    style: Style,
    style_failed: Style,
}

const USUAL: Choice = Choice {
    title: "",
    fields: &[],
    past_null: false,
    otherwise: "-",
    failed_only: false,
    style: Style::new(),
    style_failed: Style::new(),
};

const DIM: Style = Style::new().effects(Effects::DIMMED);
const BOLD: Style = Style::new().effects(Effects::BOLD);
const RED: Style = AnsiColor::Red.on_default();

/// What a person wants to know first: when, who, whether it worked, what.
const DEFAULT: &[Choice] = &[
    Choice { title: "time", fields: &["time"], style: DIM, style_failed: DIM, ..USUAL },
    Choice { title: "pid", fields: &["pid"], ..USUAL },
    Choice { title: "ppid", fields: &["ppid"], style: DIM, style_failed: DIM, ..USUAL },
    Choice { title: "uid", fields: &["uid"], ..USUAL },
    Choice {
        title: "result",
        fields: &["error", "errno"],
        past_null: true,
        otherwise: "ok",
        failed_only: true,
        style: DIM,
        style_failed: RED,
    },
    Choice {
        title: "exe",
        // What failed never became an executable: there is only what was asked for.
        fields: &["exe", "filename"],
        style: BOLD,
        style_failed: BOLD,
        ..USUAL
    },
    Choice { title: "args", fields: &["args"], ..USUAL },
];

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    fields: Vec<&'static Field>,
    past_null: bool,
    otherwise: &'static str,
    style: Style,
    style_failed: Style,
}

/// The columns for these fields; without a list, the default ones.
pub(super) fn columns(selected: Option<&[&'static Field]>, failed: bool) -> Vec<Column> {
    if let Some(selected) = selected {
        return selected.iter().map(|field| Column::of(field)).collect();
    }
    DEFAULT
        .iter()
        .filter(|choice| failed || !choice.failed_only)
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
            style: choice.style,
            style_failed: choice.style_failed,
        })
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
            style: look.style,
            style_failed: look.style_failed,
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

    pub(super) fn style(&self, kind: Kinds) -> Style {
        if kind == Kinds::FAILED { self.style_failed } else { self.style }
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
