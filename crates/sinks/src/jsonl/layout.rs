//! Lines of one kind of event, each made of the one before it.
//!
//! Most of what a line says is what the line before said: whose process it is, in which
//! namespaces, from which terminal and parent. So each key knows what stood behind it last, and
//! of what is still so nothing is written: of keys that stand one behind the other it is copied
//! as one, whatever it is.

use std::mem;

use exectrail_model::{cpid::Cpid, event::Event, fields::Field, value::Value};

use super::value::Values;
use crate::{json, line::Line};

/// What a line consists of, worked out once, and the last one.
pub(super) struct Layout {
    keys: Vec<Key>,
    line: Line,
    before: Line,
}

impl Layout {
    /// For lines of these fields.
    pub(super) fn new(fields: impl Iterator<Item = &'static Field>) -> Self {
        let keys = fields.enumerate().map(|(index, field)| Key::new(field, index == 0)).collect();
        let mut line = Line::default();
        // The line before the first one has no field.
        line.extend(b"}\n");
        Self { keys, line, before: Line::default() }
    }

    /// What its fields need of a record.
    pub(super) fn needs(&self) -> u32 {
        self.keys.iter().fold(0, |needs, key| needs | key.field.needs)
    }

    /// The line of an event.
    pub(super) fn line(&mut self, event: &Event<'_>, values: &mut Values) -> &[u8] {
        let Self { keys, line, before } = self;
        mem::swap(line, before);
        line.clear();
        let before = before.as_bytes();
        // Where in the line before the key stands, and since where nothing has changed.
        let (mut place, mut same) = (0, 0);
        for key in keys {
            let value = (key.field.get)(event);
            let len = key.len;
            if !key.stood_for(&value, before, place) {
                line.extend(before.get(same..place).unwrap_or_default());
                key.write(value, values, line);
                same = place + len;
            }
            place += len;
        }
        line.extend(before.get(same..).unwrap_or_default());
        line.as_bytes()
    }
}

/// A key, and what stood behind it last.
struct Key {
    field: &'static Field,
    /// `,"name":`, with a brace instead of the comma at the beginning of a line.
    name: [u8; Self::MOST],
    name_len: usize,
    last: Last,
    /// How long it was, with the value.
    len: usize,
}

/// The last value, as far as it is easily known again.
enum Last {
    Other,
    Null,
    Number(u64),
    Bool(bool),
    Id(Cpid),
    /// A list of none of our own words.
    NoNames,
    /// Bytes that stand there as they are, in quotes.
    AsIs,
}

impl Key {
    /// No name of a field with what stands around it is longer.
    const MOST: usize = 32;

    fn new(field: &'static Field, is_first: bool) -> Self {
        let mut words = Line::default();
        words.push(if is_first { b'{' } else { b',' });
        json::string(field.name.as_bytes(), &mut words);
        words.push(b':');
        let mut name = [0; Self::MOST];
        let name_len = words.len().min(Self::MOST);
        name[..name_len].copy_from_slice(&words.as_bytes()[..name_len]);
        Self { field, name, name_len, last: Last::Other, len: 0 }
    }

    /// Whether its text in the last line, at `place`, is the one for `value`.
    #[inline]
    fn stood_for(&self, value: &Value<'_>, last: &[u8], place: usize) -> bool {
        // Most are numbers, and to look for that alone is half of looking which one it is.
        if let (Value::Number(value), Last::Number(last)) = (value, &self.last) {
            return value == last;
        }
        match (value, &self.last) {
            (Value::Bool(value), Last::Bool(last)) => value == last,
            (Value::Id(value), Last::Id(last)) => value == last,
            (Value::Null, Last::Null) | (Value::Names { bits: 0, .. }, Last::NoNames) => true,
            (Value::Text(value) | Value::Name(value), Last::AsIs) => {
                self.quoted(last, place) == value.as_bytes()
            }
            (Value::Bytes(value) | Value::End(value), Last::AsIs) => {
                self.quoted(last, place) == *value
            }
            _ => false,
        }
    }

    /// What stands between the quotes.
    fn quoted<'t>(&self, last: &'t [u8], place: usize) -> &'t [u8] {
        last.get(place + self.name_len + 1..place + self.len - 1).unwrap_or_default()
    }

    #[inline]
    fn write(&mut self, value: Value<'_>, values: &mut Values, line: &mut Line) {
        let start = line.len();
        line.put(&self.name, self.name_len);
        values.write(self.field.name, value, line);
        self.len = line.len() - start;
        // An escape is longer than what it stands for, and what is not UTF-8 is there twice.
        let is_as_is = |bytes: &[u8]| self.len == self.name_len + bytes.len() + 2;
        self.last = match value {
            Value::Null => Last::Null,
            Value::Number(value) => Last::Number(value),
            Value::Bool(value) => Last::Bool(value),
            Value::Id(id) => Last::Id(id),
            Value::Names { bits: 0, .. } => Last::NoNames,
            Value::Text(text) | Value::Name(text) if is_as_is(text.as_bytes()) => Last::AsIs,
            Value::Bytes(bytes) | Value::End(bytes) if is_as_is(bytes) => Last::AsIs,
            _ => Last::Other,
        };
    }
}

#[cfg(test)]
mod tests {
    use exectrail_model::{
        event::{Body, Event, Moment, Program},
        fields::FIELDS,
    };

    use super::{Key, Layout, Values};

    #[test]
    fn every_key_has_room() {
        for field in FIELDS {
            let key = Key::new(field, false);
            assert_eq!(&key.name[..key.name_len], format!(",\"{}\":", field.name).as_bytes());
        }
    }

    /// Texts of which one's JSON looks like another, one behind the other, and back again.
    #[test]
    fn no_line_shows_what_the_one_before_was() {
        let texts: [&[u8]; 11] = [
            b"a\"b",
            b"a\\\"b",
            b"",
            b"a\xff",
            b"a\xef\xbf\xbd",
            b"null",
            b"a",
            b"b",
            b"\xf0\x9f\x98",
            b"\xef\xbf\xbd",
            b"\xc2\x80",
        ];
        let layout = || Layout::new(FIELDS.iter());
        let (mut kept, mut values) = (layout(), Values::new());
        let numbers = 0..texts.len() * texts.len() * 2;
        for number in numbers {
            let text = |by: usize| texts[number / by % texts.len()];
            let program = Program {
                tid: u32::try_from(number / 3).unwrap(),
                cwd: Some(text(1)),
                exe: (number % 5 > 0).then_some(text(2)),
                comm: text(texts.len()),
                args_bytes: (number % 7 > 2)
                    .then_some(10_u64.pow(u32::try_from(number % 9).unwrap())),
                flags: u32::from(number % 4 > 1),
                ..Program::UNKNOWN
            };
            let event = Event { moment: Moment::default(), body: Body::Exec(program) };
            let line = kept.line(&event, &mut values);
            let (mut fresh, mut fresh_values) = (layout(), Values::new());
            assert_eq!(
                String::from_utf8_lossy(line),
                String::from_utf8_lossy(fresh.line(&event, &mut fresh_values))
            );
        }
    }
}
