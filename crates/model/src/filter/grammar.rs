//! How a rule is written in one line: `user=root,/usr/lib/**,arg=--version`.
//!
//! ```text
//! rule     = selector { "," selector }
//! selector = key "=" value | path | name
//! path     = begins with "/" or "**/"
//! name     = anything without "/" and "="
//! value    = "\," is a comma, "\\" a backslash; any other backslash is one, too
//! ```
//!
//! In a pattern, a comma within `{a,b}` or `[,;]` belongs to it. A backslash has two
//! readers there: what the rule leaves of it is the pattern's, which takes it for
//! "the next character means itself". So `\*` is a star, and a backslash followed
//! by anything is `\\\\*`.

use std::ops::Range;

use super::{Key, PathPattern};

/// One selector, as it is written.
#[derive(Debug)]
pub(super) struct Written<'t> {
    /// What stands before the `=`.
    pub(super) key: Option<&'t str>,
    /// Where the key stands.
    pub(super) key_at: Range<usize>,
    /// The value without its escapes.
    pub(super) value: String,
    /// Where the value stands.
    pub(super) at: Range<usize>,
}

/// The selectors of a rule; of an empty text, one empty one.
pub(super) fn selectors(text: &str) -> Vec<Written<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    loop {
        let written = selector(text, start);
        let end = written.at.end;
        found.push(written);
        if end >= text.len() {
            return found;
        }
        start = end + 1;
    }
}

fn selector(text: &str, start: usize) -> Written<'_> {
    let rest = text.get(start..).unwrap_or_default();
    let key = key(rest);
    let has_patterns = key.is_none_or(|key| Key::named(key).is_ok_and(Key::takes_patterns));
    let key_at = start..start + key.map_or(0, str::len);
    let from = key.map_or(start, |_| key_at.end + 1);
    let (value, end) = value(text, from, has_patterns);
    Written { key, key_at, value, at: from..end }
}

fn key(rest: &str) -> Option<&str> {
    if PathPattern::is_meant(rest) {
        return None;
    }
    let (key, after) = rest.split_at(rest.find(['=', ',', '/'])?);
    after.starts_with('=').then_some(key)
}

/// The value that begins there, and where it ends.
fn value(text: &str, from: usize, has_patterns: bool) -> (String, usize) {
    let mut value = String::new();
    let mut nesting = Nesting::default();
    let mut letters = text.get(from..).unwrap_or_default().char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let escaped = letters.next_if(|&(_, next)| letter == '\\' && matches!(next, ',' | '\\'));
        let is_end = letter == ',' && !(has_patterns && nesting.is_inside());
        if is_end {
            return (value, from + at);
        }
        let letter = escaped.map_or(letter, |(_, escaped)| escaped);
        nesting.take(letter);
        value.push(letter);
    }
    (value, text.len())
}

/// How many braces stand within each other in a pattern, at most.
pub(super) fn deepest_braces(pattern: &str) -> u32 {
    let mut nesting = Nesting::default();
    let depths = pattern.chars().map(|letter| {
        nesting.take(letter);
        nesting.braces
    });
    depths.max().unwrap_or(0)
}

/// Whether a pattern is within braces or brackets, by the same reading as globset's.
#[derive(Debug, Default)]
struct Nesting {
    braces: u32,
    class: Option<Class>,
    is_escaped: bool,
}

/// How far a `[` class has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Nothing of it: a `!` or `^` negates.
    Opened,
    /// No member of it: a `]` is one.
    Negated,
    /// Something: a `]` ends it.
    Begun,
}

impl Nesting {
    fn is_inside(&self) -> bool {
        self.braces > 0 || self.class.is_some()
    }

    fn take(&mut self, letter: char) {
        if std::mem::take(&mut self.is_escaped) {
            return;
        }
        self.class = match (self.class, letter) {
            (Some(Class::Opened), '!' | '^') => Some(Class::Negated),
            (Some(Class::Begun), ']') => None,
            (Some(_), _) => Some(Class::Begun),
            (None, '[') => Some(Class::Opened),
            (None, letter) => {
                match letter {
                    '\\' => self.is_escaped = true,
                    '{' => self.braces += 1,
                    '}' => self.braces = self.braces.saturating_sub(1),
                    _ => {}
                }
                None
            }
        };
    }
}
