//! `exectrail fields`: the table of fields, for people.

use std::io::{self, Write};

use exectrail_model::fields::{FIELDS, Field, Unit};

/// Columns before the last one, the meaning, which is as long as it is.
const COLUMNS: usize = 6;

/// Prints the table.
pub(crate) fn run() -> anyhow::Result<()> {
    let head = ["FIELD", "TYPE", "UNIT", "EVENTS", "SINCE", "SOURCE"].map(str::to_owned);
    let rows: Vec<_> = FIELDS.iter().map(|field| (cells(field), field.doc)).collect();
    let mut widths = head.each_ref().map(String::len);
    for (cells, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.len().max(*width);
        }
    }
    let mut out = io::stdout().lock();
    for (cells, doc) in [(head, "MEANING")].into_iter().chain(rows) {
        for (cell, width) in cells.iter().zip(widths) {
            write!(out, "{cell:<width$}  ")?;
        }
        writeln!(out, "{doc}")?;
    }
    Ok(out.flush()?)
}

/// What has a column of its own.
fn cells(field: &Field) -> [String; COLUMNS] {
    [
        field.name.to_owned(),
        field.kind.name().to_owned(),
        field.unit.map_or("", Unit::name).to_owned(),
        field.event_names().join(" "),
        field.source.since.to_owned(),
        field.source.place.to_owned(),
    ]
}
