//! JSON lines: one object a line, a key for every field that the event has.
//!
//! What is not known is `null`. A string that is not UTF-8 is there twice: with
//! U+FFFD for what is not, and whole, in base64, as `<name>_raw` behind it.

mod environment;
mod report;
mod value;

use std::{io, time::Instant};

use exectrail_model::{
    event::{Event, Kinds},
    fields::{FIELDS, Field},
    report::Report,
};

use crate::{
    json,
    registry::Options,
    sink::{Lines, Sink},
};

use value::Values;

/// The first rows of the table tell how to read the rest, so every line has
/// them, in front.
const LEADING: usize = 2;

/// A line buffer that grew beyond this for one event shrinks again.
const LINE_KEPT: usize = 256 * 1024;

/// Writes JSON lines.
///
/// A selection of fields is one of the fields of programs and of ends; lines that
/// account for losses keep all of theirs, or the account could not be closed.
pub struct JsonLines {
    out: Lines,
    /// What a line of each kind consists of, worked out once.
    layouts: [(Kinds, Vec<Key>); Kinds::NAMED.len()],
    line: Vec<u8>,
    values: Values,
}

struct Key {
    field: &'static Field,
    /// `,"name":`, without the comma at the beginning of a line; then whatever.
    text: [u8; Self::MOST],
    len: usize,
}

impl Key {
    /// No name of a field is longer, with what stands around it.
    const MOST: usize = 32;

    fn new(field: &'static Field, index: usize) -> Self {
        let mut words = if index == 0 { Vec::new() } else { vec![b','] };
        json::string(field.name.as_bytes(), &mut words);
        words.push(b':');
        let mut text = [0; Self::MOST];
        let len = words.len().min(Self::MOST);
        text[..len].copy_from_slice(&words[..len]);
        Self { field, text, len }
    }

    /// A copy of a fixed length, of which what is too much is cut off, is a few
    /// instructions; one of any length is a call, for each of some sixty fields.
    fn append_to(&self, line: &mut Vec<u8>) {
        let len = line.len() + self.len;
        line.extend_from_slice(&self.text);
        line.truncate(len);
    }
}

impl JsonLines {
    /// A sink that writes to `options.out`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let selected = options.fields.as_deref();
        Self {
            out: Lines::new(options.out, options.can_take_long),
            layouts: Kinds::NAMED.map(|(kind, _)| (kind, layout(kind, selected))),
            line: Vec::with_capacity(1024),
            values: Values::new(),
        }
    }
}

fn layout(kind: Kinds, selected: Option<&[&'static Field]>) -> Vec<Key> {
    let (leading, others) = FIELDS.split_at(LEADING.min(FIELDS.len()));
    let mut fields: Vec<&'static Field> = leading.iter().collect();
    match selected {
        Some(selected) if Kinds::PROCESS.contains(kind) => {
            let is_leading = |field: &Field| leading.iter().any(|other| other.name == field.name);
            fields.extend(selected.iter().filter(|field| !is_leading(field)));
        }
        _ => fields.extend(others),
    }
    let present = fields.into_iter().filter(|field| field.events.contains(kind));
    present.enumerate().map(|(index, field)| Key::new(field, index)).collect()
}

impl Sink for JsonLines {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn needs(&self) -> u32 {
        let keys = self.layouts.iter().flat_map(|(_, keys)| keys);
        keys.fold(0, |needs, key| needs | key.field.needs)
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Self { out, layouts, line, values } = self;
        let kind = event.kind();
        line.clear();
        line.shrink_to(LINE_KEPT);
        line.push(b'{');
        for (_, keys) in layouts.iter().filter(|(of, _)| *of == kind) {
            for key in keys {
                key.append_to(line);
                values.write(key.field.name, (key.field.get)(event), line);
            }
        }
        line.extend_from_slice(b"}\n");
        out.write(line)
    }

    fn has_reports(&self) -> bool {
        true
    }

    fn report(&mut self, report: &Report<'_>) -> io::Result<()> {
        self.line.clear();
        report::write(report, &mut self.values, &mut self.line);
        self.out.write(&self.line)
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

#[cfg(test)]
mod tests {
    use exectrail_model::fields::FIELDS;

    use super::Key;

    #[test]
    fn every_key_has_room() {
        for field in FIELDS {
            let mut line = Vec::new();
            Key::new(field, 1).append_to(&mut line);
            assert_eq!(line, format!(",\"{}\":", field.name).into_bytes());
        }
    }
}
