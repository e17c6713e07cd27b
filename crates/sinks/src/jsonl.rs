//! JSON lines: one object a line, a key for every field that the event has.
//!
//! What is not known is `null`. A string that is not UTF-8 is there twice: with
//! U+FFFD for what is not, and whole, in base64, as `<name>_raw` behind it.

mod environment;
mod layout;
mod report;
mod value;

use std::{io, time::Instant};

use exectrail_model::{
    event::{Event, Kinds},
    fields::{FIELDS, Field},
    report::Report,
};

use crate::{
    line::Line,
    registry::Options,
    sink::{Lines, Sink},
};

use layout::Layout;
use value::Values;

/// The first rows of the table tell how to read the rest, so every line has
/// them, in front.
const LEADING: usize = 2;

/// Writes JSON lines.
///
/// A selection of fields is one of the fields of programs and of ends; lines that
/// account for losses keep all of theirs, or the account could not be closed.
pub struct JsonLines {
    out: Lines,
    layouts: [(Kinds, Layout); Kinds::NAMED.len()],
    /// A report's.
    line: Line,
    values: Values,
}

impl JsonLines {
    /// A sink that writes to `options.out`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let selected = options.fields.as_deref();
        Self {
            out: Lines::new(options.out, options.can_take_long),
            layouts: Kinds::NAMED.map(|(kind, _)| (kind, layout(kind, selected))),
            line: Line::default(),
            values: Values::new(),
        }
    }
}

fn layout(kind: Kinds, selected: Option<&[&'static Field]>) -> Layout {
    let (leading, others) = FIELDS.split_at(LEADING.min(FIELDS.len()));
    let mut fields: Vec<&'static Field> = leading.iter().collect();
    match selected {
        Some(selected) if Kinds::PROCESS.contains(kind) => {
            let is_leading = |field: &Field| leading.iter().any(|other| other.name == field.name);
            fields.extend(selected.iter().filter(|field| !is_leading(field)));
        }
        _ => fields.extend(others),
    }
    Layout::new(fields.into_iter().filter(|field| field.events.contains(kind)))
}

impl Sink for JsonLines {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn needs(&self) -> u32 {
        self.layouts.iter().fold(0, |needs, (_, layout)| needs | layout.needs())
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Self { out, layouts, values, .. } = self;
        let kind = event.kind();
        match layouts.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, layout)) => out.write(layout.line(event, values)),
            None => Ok(()),
        }
    }

    fn has_reports(&self) -> bool {
        true
    }

    fn report(&mut self, report: &Report<'_>) -> io::Result<()> {
        self.line.clear();
        report::write(report, &mut self.values, &mut self.line);
        self.out.write(self.line.as_bytes())
    }

    fn end(&mut self, summary: &Event<'_>) -> io::Result<()> {
        self.event(summary)?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn batch_ends(&mut self) -> io::Result<()> {
        self.out.hand_on()
    }

    fn due(&self) -> Option<Instant> {
        self.out.due()
    }

    fn unwritten(&self) -> usize {
        self.out.unwritten()
    }
}
