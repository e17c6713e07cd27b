//! Which columns there are, and which field each shows.

use std::fmt;

use anstyle::Style;
use exectrail_model::{
    event::{Body, Event},
    fields::Field,
    value::{Align, Type, Value},
};

use super::{
    cell::show,
    choices::{Before, Behind, Choice, DEFAULT, Exit, TOOK, TREE, TREE_PROGRAM, USUAL},
    exit,
};
use crate::clock::Clock;

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    fields: Vec<&'static Field>,
    past_null: bool,
    otherwise: &'static str,
    exit: Option<Exit>,
    before: Option<Before>,
    behind: Option<Behind>,
    /// Whether a tree shows by it.
    pub(super) is_tree: bool,
    /// Whether it tells of the end of a process rather than of its exec.
    pub(super) is_of_end: bool,
    pub(super) yields: u8,
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

/// A terminal below this width has not enough room for all of the default columns.
const NARROW: usize = 72;
/// What the program is to have of it.
const PROGRAM: usize = 26;

/// The default columns of a terminal of so many cells. In a narrow one the executable and its
/// arguments share a column, and others go that tell less, until that one has room.
pub(super) fn within(outcomes: bool, width: usize) -> Vec<Column> {
    if width >= NARROW {
        return columns(None, outcomes, false);
    }
    let mut columns = columns(None, outcomes, true);
    for column in &mut columns {
        column.is_tree = false;
    }
    // With the gap before it.
    let least = |column: &Column| match column.align {
        Align::Right(least) => least + 1,
        Align::Left(least) => least + 2,
    };
    while columns.iter().map(least).sum::<usize>() + PROGRAM > width
        && let Some((first, _)) = columns
            .iter()
            .enumerate()
            .filter(|(_, it)| it.yields > 0)
            .max_by_key(|(_, it)| it.yields)
    {
        columns.remove(first);
    }
    columns
}

/// The columns of lines that stay, and are told the ends of their processes later.
pub(super) fn lasting(selected: Option<&[&'static Field]>) -> Vec<Column> {
    if let Some(selected) = selected {
        return columns(Some(selected), true, true);
    }
    let mut choices: Vec<_> = DEFAULT.iter().filter(|choice| choice.fields != ["args"]).collect();
    let program = choices.iter().position(|choice| choice.fields.contains(&"exe"));
    choices.insert(program.unwrap_or(choices.len()), &TOOK);
    choices.push(&TREE_PROGRAM);
    let mut columns: Vec<_> = choices.into_iter().filter_map(Column::chosen).collect();
    for column in &mut columns {
        if column.title == TOOK.title {
            // A span takes less room than its nanoseconds.
            column.align = Align::Right(9);
        }
        // Told in the remark, which has room.
        column.before = None;
        column.is_tree = column.title == TREE_PROGRAM.title;
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
            is_of_end: choice.outcome_only,
            yields: choice.yields,
            style: choice.style,
            style_bad: choice.style_bad,
            style_exit: choice.style_exit,
        })
    }

    /// Whether it shows strings of bytes, most of which are paths.
    pub(super) fn is_path(&self) -> bool {
        self.fields.first().is_some_and(|field| field.kind == Type::Bytes)
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
            is_of_end: false,
            yields: 0,
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

    /// Writes its cell of `event`, and says the style.
    pub(super) fn write(
        &self,
        event: &Event<'_>,
        color: bool,
        clock: &mut Clock,
        cell: &mut String,
    ) -> Result<Style, fmt::Error> {
        if let Some(write) = self.before {
            write(event, cell)?;
        }
        match (&event.body, self.exit) {
            (Body::Exit(ended), Some(write)) => write(ended, cell)?,
            _ => match self.value(event) {
                Some((kind, value)) => show(kind, value, color, clock, cell)?,
                None => cell.push_str(self.otherwise),
            },
        }
        if let Some(write) = self.behind {
            write(event, color, cell)?;
        }
        Ok(self.style(event))
    }

    fn style(&self, event: &Event<'_>) -> Style {
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
