//! JSON lines: one object a line, a key for every field that the event has.
//!
//! What is not known is `null`. A string that is not UTF-8 is there twice: with
//! U+FFFD for what is not, and whole, in base64, as `<name>_raw` behind it.

use std::io;

use exectrail_model::{
    args::{Arg, Args},
    event::{Event, Kinds},
    fields::{FIELDS, Field},
    value::Value,
};
use jiff::tz::TimeZone;

use crate::{
    clock::Clock,
    json,
    names::names,
    registry::Options,
    sink::{Lines, Sink},
};

/// The first rows of the table tell how to read the rest, so every line has
/// them, in front.
const LEADING: usize = 2;

/// A line buffer that grew beyond this for one event shrinks again.
const LINE_KEPT: usize = 256 * 1024;

/// Writes JSON lines.
///
/// A selection of fields is one of the fields of programs; lines that account
/// for losses keep all of theirs, or the account could not be closed.
pub struct JsonLines {
    out: Lines,
    /// What a line of each kind consists of, worked out once.
    layouts: [(Kinds, Vec<Key>); Kinds::NAMED.len()],
    line: Vec<u8>,
    clock: Clock,
}

struct Key {
    field: &'static Field,
    /// `,"name":`, without the comma at the beginning of a line.
    text: Box<[u8]>,
}

impl JsonLines {
    /// A sink that writes to `options.out`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let selected = options.fields.as_deref();
        Self {
            out: Lines::new(options.out),
            layouts: Kinds::NAMED.map(|(kind, _)| (kind, layout(kind, selected))),
            line: Vec::with_capacity(1024),
            clock: Clock::new(TimeZone::UTC),
        }
    }
}

fn layout(kind: Kinds, selected: Option<&[&'static Field]>) -> Vec<Key> {
    let (leading, others) = FIELDS.split_at(LEADING.min(FIELDS.len()));
    let mut fields: Vec<&'static Field> = leading.iter().collect();
    match selected {
        Some(selected) if Kinds::PROGRAM.contains(kind) => {
            let is_leading = |field: &Field| leading.iter().any(|other| other.name == field.name);
            fields.extend(selected.iter().filter(|field| !is_leading(field)));
        }
        _ => fields.extend(others),
    }
    let present = fields.into_iter().filter(|field| field.events.contains(kind));
    present.enumerate().map(|(index, field)| Key { field, text: key(index, field.name) }).collect()
}

fn key(index: usize, name: &str) -> Box<[u8]> {
    let mut text = if index == 0 { Vec::new() } else { vec![b','] };
    json::string(name.as_bytes(), &mut text);
    text.push(b':');
    text.into_boxed_slice()
}

impl Sink for JsonLines {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Self { out, layouts, line, clock } = self;
        let kind = event.kind();
        line.clear();
        line.shrink_to(LINE_KEPT);
        line.push(b'{');
        for (_, keys) in layouts.iter().filter(|(of, _)| *of == kind) {
            for key in keys {
                line.extend_from_slice(&key.text);
                value(key.field, event, clock, line);
            }
        }
        line.extend_from_slice(b"}\n");
        out.write(line)
    }

    fn end(&mut self, summary: &Event<'_>) -> io::Result<()> {
        self.event(summary)?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn value(field: &Field, event: &Event<'_>, clock: &mut Clock, line: &mut Vec<u8>) {
    match (field.get)(event) {
        Value::Null => line.extend_from_slice(b"null"),
        Value::Number(value) => json::number(value, 0, line),
        Value::Bool(true) => line.extend_from_slice(b"true"),
        Value::Bool(false) => line.extend_from_slice(b"false"),
        Value::Text(text) => {
            json::string(text.as_bytes(), line);
        }
        Value::Bytes(bytes) | Value::End(bytes) => {
            if !json::string(bytes, line) {
                raw_key(field, line);
                json::base64(bytes, line);
            }
        }
        Value::Args(args) => arguments(field, args, line),
        Value::Names { table, bits } => {
            list(names(table, bits), line, |name, line| {
                json::string(name.as_bytes(), line);
            });
        }
        Value::Time(wall) => time(wall, clock, line),
    }
}

/// `,"<name>_raw":`
fn raw_key(field: &Field, line: &mut Vec<u8>) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(field.name.as_bytes());
    line.extend_from_slice(b"_raw\":");
}

fn list<T>(
    items: impl Iterator<Item = T>,
    line: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    line.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            line.push(b',');
        }
        write(item, line);
    }
    line.push(b']');
}

/// Both lists have an element for each argument and piece, so that they can be
/// read side by side.
fn arguments(field: &Field, args: Args<'_>, line: &mut Vec<u8>) {
    let mut whole = true;
    list(args.iter(), line, |arg, line| match arg {
        Arg::Whole(bytes) | Arg::Piece(bytes) => whole &= json::string(bytes, line),
        Arg::Unreadable => line.extend_from_slice(b"null"),
    });
    if whole {
        return;
    }
    raw_key(field, line);
    list(args.iter(), line, |arg, line| match arg {
        Arg::Whole(bytes) | Arg::Piece(bytes) => json::base64(bytes, line),
        Arg::Unreadable => line.extend_from_slice(b"null"),
    });
}

/// RFC 3339, UTC, always to the nanosecond: text then sorts as time does.
fn time(wall: i64, clock: &mut Clock, line: &mut Vec<u8>) {
    let Some(reading) = clock.read(wall) else {
        line.extend_from_slice(b"null");
        return;
    };
    line.push(b'"');
    line.extend_from_slice(reading.date.as_bytes());
    line.push(b'T');
    line.extend_from_slice(reading.time.as_bytes());
    line.push(b'.');
    json::number(reading.nanos, 9, line);
    line.extend_from_slice(b"Z\"");
}
