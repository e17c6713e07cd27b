//! Values as JSON has them.

use exectrail_model::{
    ancestors::Ancestor,
    args::{Arg, Args},
    value::Value,
};
use jiff::tz::TimeZone;

use crate::{clock::Clock, json, line::Line, names::names};

use super::environment::Object;

/// Writes values, and keeps what that takes from one event to the next.
pub(super) struct Values {
    clock: Clock,
    object: Object,
}

impl Values {
    pub(super) fn new() -> Self {
        Self { clock: Clock::new(TimeZone::UTC), object: Object::default() }
    }

    /// Writes the value of the field with this name, and behind it its bytes if it takes
    /// them.
    #[expect(
        clippy::inline_always,
        reason = "a call for each of an event's sixty values would be an eighth of all its \
                  instructions, and since reports are written, too, it is not inlined by itself"
    )]
    #[inline(always)]
    pub(super) fn write(&mut self, field: &str, value: Value<'_>, line: &mut Line) {
        match value {
            Value::Null => line.put(b"null", 4),
            Value::Number(value) => line.number(value, 0),
            Value::Bool(true) => line.put(b"true", 4),
            Value::Bool(false) => line.put(b"false", 5),
            Value::Text(text) | Value::Name(text) => {
                json::string(text.as_bytes(), line);
            }
            Value::Bytes(bytes) | Value::End(bytes) => {
                if !json::string(bytes, line) {
                    raw_key(field, line);
                    json::base64(bytes, line);
                }
            }
            Value::Args(args) => arguments(field, args, line),
            Value::Names { table, bits } => list(names(table, bits), line, |name, line| {
                json::string(name.as_bytes(), line);
            }),
            Value::Time(wall) => json::time(wall, &mut self.clock, line),
            Value::Id(id) => json::uuid(id.bytes(), line),
            Value::Environment(environment) => self.object.write(field, environment, line),
            Value::Ancestors(ancestors) => list(ancestors.iter(), line, |one, line| {
                ancestor(&one, line);
            }),
        }
    }
}

/// `,"<name>_raw":`
pub(super) fn raw_key(field: &str, line: &mut Line) {
    line.extend(b",\"");
    line.extend(field.as_bytes());
    line.extend(b"_raw\":");
}

pub(super) fn list<T>(
    items: impl Iterator<Item = T>,
    line: &mut Line,
    mut write: impl FnMut(T, &mut Line),
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
fn arguments(field: &str, args: Args<'_>, line: &mut Line) {
    let mut whole = true;
    list(args.iter(), line, |arg, line| match arg {
        Arg::Whole(bytes) | Arg::Piece(bytes) => whole &= json::string(bytes, line),
        Arg::Unreadable => line.put(b"null", 4),
    });
    if whole {
        return;
    }
    raw_key(field, line);
    list(args.iter(), line, |arg, line| match arg {
        Arg::Whole(bytes) | Arg::Piece(bytes) => json::base64(bytes, line),
        Arg::Unreadable => line.put(b"null", 4),
    });
}

/// The bytes of a short name stand behind it, in the object that has it.
fn ancestor(ancestor: &Ancestor<'_>, line: &mut Line) {
    line.extend(b"{\"pid\":");
    line.number(u64::from(ancestor.process.pid), 0);
    line.extend(b",\"process\":");
    match &ancestor.id {
        Some(id) => json::uuid(id.bytes(), line),
        None => line.put(b"null", 4),
    }
    line.extend(b",\"image\":");
    line.number(ancestor.image, 0);
    line.extend(b",\"comm\":");
    if !json::string(ancestor.comm, line) {
        line.extend(b",\"comm_raw\":");
        json::base64(ancestor.comm, line);
    }
    line.push(b'}');
}
