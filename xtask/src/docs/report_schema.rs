//! The report of a command or of a recording, for programs: it is one of the lines of
//! `--json`, and so a part of their schema.

use exectrail_model::{
    fields::FIELDS,
    report::{FAILURES, Items, Key, LISTS, PROCESSES, PROGRAMS, REPORT},
};
use serde_json::{Value, json};

use super::{
    object::Object,
    schema::{can_have_raw, described, property, reference},
};

/// What such a line has as its `event`.
pub(super) const NAME: &str = "report";

/// All that such a line has.
pub(super) fn object() -> Value {
    let mut report = Object::default();
    for field in FIELDS.iter().filter(|field| matches!(field.name, "v" | "event")) {
        report.has(field.name, property(field, NAME));
    }
    put(REPORT, &mut report);
    for list in LISTS {
        let items = match list.items {
            Items::Processes => of(PROCESSES),
            Items::Programs => of(PROGRAMS),
            Items::Failures => of(FAILURES),
            Items::Places(_) => json!({ "type": "integer", "minimum": 0 }),
        };
        let list_of = json!({ "type": "array", "items": items });
        report.has(list.name, described(list_of, list.doc, None));
    }
    report.schema()
}

fn of<G>(keys: &[Key<G>]) -> Value {
    let mut object = Object::default();
    put(keys, &mut object);
    object.schema()
}

fn put<G>(keys: &[Key<G>], object: &mut Object) {
    for key in keys {
        object.has(key.name, described(reference(key.kind), key.doc, key.unit));
        can_have_raw(object, key.name, key.kind);
    }
}
