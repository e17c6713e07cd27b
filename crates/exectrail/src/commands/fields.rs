//! `exectrail fields`: the table of fields, for people.

use std::io::{self, Write};

use exectrail_model::{
    event::Kinds,
    fields::{FIELDS, Field},
};

/// Prints the table.
pub(crate) fn run() -> anyhow::Result<()> {
    let head = ["FIELD", "TYPE", "EVENTS"].map(str::to_owned);
    let rows: Vec<_> = FIELDS.iter().map(|field| (cells(field), field.doc)).collect();
    let mut widths = head.each_ref().map(String::len);
    for (cells, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.len().max(*width);
        }
    }
    let mut out = io::stdout().lock();
    for ([name, kind, events], doc) in [(head, "MEANING")].into_iter().chain(rows) {
        let [first, second, third] = widths;
        writeln!(out, "{name:<first$} {kind:<second$} {events:<third$} {doc}")?;
    }
    Ok(out.flush()?)
}

/// What has a column of its own.
fn cells(field: &Field) -> [String; 3] {
    let events: Vec<_> = Kinds::NAMED
        .iter()
        .filter(|(kind, _)| field.events.contains(*kind))
        .map(|(_, name)| *name)
        .collect();
    [field.name.to_owned(), field.kind.name().to_owned(), events.join(" ")]
}
