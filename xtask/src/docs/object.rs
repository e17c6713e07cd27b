//! The schema of an object with certain keys.

use serde_json::{Map, Value, json};

/// Keys that are always there, some that can be, and no others.
#[derive(Default)]
pub(super) struct Object {
    properties: Map<String, Value>,
    required: Vec<String>,
}

impl Object {
    /// A key that is always there.
    pub(super) fn has(&mut self, name: &str, value: Value) {
        self.properties.insert(name.to_owned(), value);
        self.required.push(name.to_owned());
    }

    /// A key that can be there.
    pub(super) fn can_have(&mut self, name: &str, value: Value) {
        self.properties.insert(name.to_owned(), value);
    }

    /// The schema.
    pub(super) fn schema(self) -> Value {
        json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": false,
        })
    }
}
