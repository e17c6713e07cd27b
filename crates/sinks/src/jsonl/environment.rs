//! Environment variables as a JSON object.

use exectrail_model::environment::Environment;

use crate::{json, line::Line};

use super::value::{list, raw_key};

/// Writes environments.
///
/// No key may be there twice, but a name may, and two names that are not UTF-8
/// may look alike; the first is the one that is shown. A process can have ten
/// thousand names, so they are sorted and not compared each with each.
#[derive(Default)]
pub(super) struct Object {
    /// The names as JSON strings, one behind the other.
    text: Line,
    /// Those that are shown.
    keys: Vec<Key>,
}

/// Which variable it names, and where it stands in the text.
struct Key {
    variable: usize,
    start: usize,
    end: usize,
}

impl Key {
    fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

impl Object {
    /// Writes an object; and behind it all pairs in base64, unless it tells
    /// everything as it is.
    pub(super) fn write(&mut self, field: &str, environment: Environment<'_>, line: &mut Line) {
        let mut whole = self.collect(environment);
        let Self { text, keys } = self;
        let mut shown = keys.iter().peekable();
        line.push(b'{');
        for (variable, (_, value)) in environment.iter().enumerate() {
            let Some(key) = shown.next_if(|key| key.variable == variable) else {
                whole = false;
                continue;
            };
            if key.start > 0 {
                line.push(b',');
            }
            line.extend(key.of(text.as_bytes()));
            line.push(b':');
            whole &= json::string(value, line);
        }
        line.push(b'}');
        if whole {
            return;
        }
        raw_key(field, line);
        list(environment.iter(), line, |(name, value), line| {
            list([name, value].into_iter(), line, json::base64);
        });
    }

    /// Finds the keys, in the order of the variables. Whether they say all names
    /// wholly.
    fn collect(&mut self, environment: Environment<'_>) -> bool {
        let Self { text, keys } = self;
        text.clear();
        keys.clear();
        let mut whole = true;
        for (variable, (name, _)) in environment.iter().enumerate() {
            let start = text.len();
            whole &= json::string(name, text);
            keys.push(Key { variable, start, end: text.len() });
        }
        keys.sort_unstable_by(|a, b| {
            a.of(text.as_bytes()).cmp(b.of(text.as_bytes())).then(a.variable.cmp(&b.variable))
        });
        keys.dedup_by(|later, first| later.of(text.as_bytes()) == first.of(text.as_bytes()));
        keys.sort_unstable_by_key(|key| key.variable);
        whole
    }
}
