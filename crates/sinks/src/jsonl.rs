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
    value::Value,
};

use crate::{
    decimal::Decimal,
    json,
    line::Line,
    registry::Options,
    sink::{Lines, Sink},
};

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
    /// What a line of each kind consists of, worked out once.
    layouts: [(Kinds, Vec<Key>); Kinds::NAMED.len()],
    line: Line,
    values: Values,
}

/// A key, and what stood behind it last, if that was a number: most are the next event's, too,
/// a user's id, a namespace's, and both are copied as one then.
struct Key {
    field: &'static Field,
    /// `,"name":`, without the comma at the beginning of a line; the number; then whatever.
    text: [u8; Self::MOST],
    name_len: usize,
    last: u64,
    len: usize,
}

impl Key {
    /// No name of a field with what stands around it is longer than 44, and no number than 20.
    const MOST: usize = 64;

    fn new(field: &'static Field, index: usize) -> Self {
        let mut words = Line::default();
        if index > 0 {
            words.push(b',');
        }
        json::string(field.name.as_bytes(), &mut words);
        words.push(b':');
        let mut text = [0; Self::MOST];
        let name_len = words.len().min(Self::MOST - 20);
        text[..name_len].copy_from_slice(&words.as_bytes()[..name_len]);
        let mut key = Self { field, text, name_len, last: 1, len: 0 };
        key.learn(0);
        key
    }

    #[inline]
    fn write(&mut self, event: &Event<'_>, values: &mut Values, line: &mut Line) {
        match (self.field.get)(event) {
            Value::Number(value) => {
                if value != self.last {
                    self.learn(value);
                }
                line.put(&self.text, self.len);
            }
            value => {
                line.put(&self.text, self.name_len);
                values.write(self.field.name, value, line);
            }
        }
    }

    fn learn(&mut self, value: u64) {
        let number = Decimal::new(value, 0);
        let place = self.text.get_mut(self.name_len..).and_then(|rest| rest.first_chunk_mut());
        if let Some(place) = place {
            *place = *number.digits();
            (self.last, self.len) = (value, self.name_len + number.len());
        }
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
            line: Line::default(),
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
        line.push(b'{');
        for (_, keys) in layouts.iter_mut().filter(|(of, _)| *of == kind) {
            for key in keys {
                key.write(event, values, line);
            }
        }
        line.put(b"}\n", 2);
        out.write(line.as_bytes())
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

#[cfg(test)]
mod tests {
    use exectrail_model::fields::FIELDS;

    use super::Key;

    #[test]
    fn every_key_has_room() {
        for field in FIELDS {
            let key = Key::new(field, 1);
            assert_eq!(&key.text[..key.name_len], format!(",\"{}\":", field.name).as_bytes());
        }
    }
}
