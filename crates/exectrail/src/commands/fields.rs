//! `exectrail fields`: the table of fields, for people.

use std::io::{self, Write};

use exectrail_model::{event::Kinds, fields::FIELDS};

/// Prints the table.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<15} {:<16} {:<28} MEANING", "FIELD", "TYPE", "EVENTS")?;
    for field in FIELDS {
        let events: Vec<_> = Kinds::NAMED
            .iter()
            .filter(|(kind, _)| field.events.contains(*kind))
            .map(|(_, name)| *name)
            .collect();
        let (kind, events) = (field.kind.name(), events.join(" "));
        writeln!(out, "{:<15} {kind:<16} {events:<28} {}", field.name, field.doc)?;
    }
    Ok(out.flush()?)
}
