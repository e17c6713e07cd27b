//! What stands in a cell.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};
use exectrail_model::{
    ancestors::Ancestor,
    args::{Arg, Args},
    value::{Type, Value},
};

use crate::{
    clock::Clock,
    decimal::Decimal,
    names::names,
    quote::{Place, quote},
};

pub(crate) const NULL: &str = "-";
pub(super) const ARGUMENT_UNREADABLE: &str = "<?>";
const ARGUMENTS_UNREADABLE: &str = "<unreadable>";
const CUT: &str = "[…]";
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();

pub(super) fn paint(text: &str, style: Style, color: bool, line: &mut String) -> fmt::Result {
    if color {
        write!(line, "{style}{text}{style:#}")
    } else {
        line.push_str(text);
        Ok(())
    }
}

/// The styles of cells, as a terminal takes them. There are few, and to put one into words
/// takes longer than the cell.
pub(super) struct Palette {
    color: bool,
    known: Vec<(Style, String)>,
}

impl Palette {
    pub(super) fn new(color: bool) -> Self {
        Self { color, known: Vec::new() }
    }

    pub(super) fn paint(&mut self, text: &str, style: Style, line: &mut String) {
        if !self.color || style.is_plain() {
            line.push_str(text);
            return;
        }
        let known = self.known.iter().position(|(known, _)| *known == style);
        let at = known.unwrap_or_else(|| {
            self.known.push((style, style.render().to_string()));
            self.known.len() - 1
        });
        line.push_str(self.known.get(at).map_or("", |(_, words)| words));
        line.push_str(text);
        line.push_str(RESET);
    }
}

/// What ends a style: [`anstyle::Reset`], put into words.
const RESET: &str = "\u{1b}[0m";

pub(super) fn show(
    kind: Type,
    value: Value<'_>,
    color: bool,
    clock: &mut Clock,
    cell: &mut String,
) -> fmt::Result {
    match value {
        Value::Null if kind == Type::Args => {
            return paint(ARGUMENTS_UNREADABLE, WARNING, color, cell);
        }
        Value::Null => cell.push_str(NULL),
        Value::Number(value) => cell.push_str(Decimal::new(value, 0).as_str()),
        Value::Bool(value) => write!(cell, "{value}")?,
        Value::Text(text) => cell.push_str(text),
        Value::Bytes(bytes) => quote(bytes, Place::Command, cell),
        // Who gives out names may have given this one to harm.
        Value::Name(name) => quote(name.as_bytes(), Place::Command, cell),
        Value::Id(id) => write!(cell, "{id}")?,
        Value::End(bytes) => {
            paint(CUT, WARNING, color, cell)?;
            quote(bytes, Place::Command, cell);
        }
        Value::Args(args) => return arguments(args, color, cell),
        Value::Names { table, bits } => {
            return list(names(table, bits), ",", cell, |name, cell| cell.write_str(name));
        }
        Value::Environment(environment) => {
            return list(environment.iter(), " ", cell, |(name, value), cell| {
                variable(name, value, cell);
                Ok(())
            });
        }
        Value::Ancestors(ancestors) => return list(ancestors.iter(), " < ", cell, ancestor),
        Value::Time(wall) => match clock.read(wall) {
            Some(reading) => {
                cell.push_str(reading.time());
                cell.push('.');
                cell.push_str(Decimal::new(reading.nanos / 1_000_000, 3).as_str());
            }
            None => cell.push_str(NULL),
        },
    }
    Ok(())
}

pub(crate) fn arguments(args: Args<'_>, color: bool, cell: &mut String) -> fmt::Result {
    let cut = args.cut_index();
    let mut place = Place::Command;
    for (index, arg) in args.iter().enumerate() {
        if cut == Some(index) {
            gap(cell);
            paint(CUT, WARNING, color, cell)?;
        }
        gap(cell);
        match arg {
            Arg::Whole(bytes) | Arg::Piece(bytes) => quote(bytes, place, cell),
            Arg::Unreadable => paint(ARGUMENT_UNREADABLE, WARNING, color, cell)?,
        }
        place = Place::Argument;
    }
    // Nothing behind the cut was kept.
    if cut.is_some_and(|cut| cut >= args.len()) {
        gap(cell);
        paint(CUT, WARNING, color, cell)?;
    }
    Ok(())
}

/// One word, as `env` takes it.
fn variable(name: &[u8], value: &[u8], cell: &mut String) {
    quote(name, Place::Argument, cell);
    cell.push('=');
    quote(value, Place::Argument, cell);
}

fn ancestor(ancestor: Ancestor<'_>, cell: &mut String) -> fmt::Result {
    quote(ancestor.comm, Place::Argument, cell);
    write!(cell, "({})", ancestor.process.pid)
}

/// Writes items with a `separator` between them, and something for none at all.
fn list<T>(
    items: impl Iterator<Item = T>,
    separator: &str,
    cell: &mut String,
    mut write: impl FnMut(T, &mut String) -> fmt::Result,
) -> fmt::Result {
    for item in items {
        if !cell.is_empty() {
            cell.push_str(separator);
        }
        write(item, cell)?;
    }
    if cell.is_empty() {
        cell.push_str(NULL);
    }
    Ok(())
}

fn gap(cell: &mut String) {
    if !cell.is_empty() {
        cell.push(' ');
    }
}
