//! In which order things are shown: that of their values, up or down.
//!
//! What is compared are keys, strings of bytes that are made once of each thing. They stand in
//! the order in which the things are to be: numbers as numbers, bytes as bytes, a list before
//! a longer one that begins with it, and what is not known behind all else, up as well as
//! down.

use std::fmt;

use crate::{
    args::Arg,
    event::Event,
    fields::{FIELDS, Field},
    nearest::nearest,
    report::{Key, OfProcess, PROCESSES, Process},
    value::Value,
};

/// A row of a table: something that things can be put in the order of.
pub trait Row: Sized + 'static {
    /// What a row is called.
    const WHAT: &'static str;
    /// What lists them all.
    const LISTED_BY: &'static str;

    /// Every row.
    fn all() -> &'static [Self];

    /// Its name.
    fn name(&self) -> &'static str;
}

impl Row for Field {
    const WHAT: &'static str = "field";
    const LISTED_BY: &'static str = "exectrail fields";

    fn all() -> &'static [Self] {
        FIELDS
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

impl Row for Key<OfProcess> {
    const WHAT: &'static str = "column";
    const LISTED_BY: &'static str = "exectrail run --help";

    fn all() -> &'static [Self] {
        PROCESSES
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

/// An order by one row after the other: the next one decides where all before it are equal.
#[derive(Clone, Debug)]
pub struct Order<R: 'static> {
    terms: Vec<Term<R>>,
}

/// The order by one row.
#[derive(Debug)]
pub struct Term<R: 'static> {
    /// The row.
    pub row: &'static R,
    /// Whether the greatest comes first.
    pub is_down: bool,
}

impl<R> Clone for Term<R> {
    fn clone(&self) -> Self {
        Self { row: self.row, is_down: self.is_down }
    }
}

/// Why a list is no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderError(String);

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OrderError {}

impl<R: Row> Order<R> {
    /// Reads `NAME,-NAME`: a minus puts the greatest first.
    ///
    /// # Errors
    ///
    /// When an item is empty, unknown or there twice.
    pub fn parse(list: &str) -> Result<Self, OrderError> {
        let mut terms: Vec<Term<R>> = Vec::new();
        for item in list.split(',').map(str::trim) {
            let (name, is_down) = item.strip_prefix('-').map_or((item, false), |name| (name, true));
            let row = named::<R>(name, item)?;
            if terms.iter().any(|term| term.row.name() == name) {
                return Err(OrderError(format!("the {} '{name}' is in the list twice", R::WHAT)));
            }
            terms.push(Term { row, is_down });
        }
        Ok(Self { terms })
    }

    /// What it is by.
    #[must_use]
    pub fn terms(&self) -> &[Term<R>] {
        &self.terms
    }
}

fn named<R: Row>(name: &str, item: &str) -> Result<&'static R, OrderError> {
    let (what, listed_by) = (R::WHAT, R::LISTED_BY);
    if name.is_empty() {
        return Err(OrderError(format!("the list of {what}s has an empty item")));
    }
    R::all().iter().find(|row| row.name() == name).ok_or_else(|| {
        let meant = nearest(name, R::all().iter().map(Row::name));
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean '{meant}'?"));
        // Another flag, of which this one has taken the place.
        let name = if name.starts_with('-') { item } else { name }.escape_debug();
        OrderError(format!("no {what} is named '{name}'{meant} ('{listed_by}' lists them all)"))
    })
}

impl Order<Field> {
    /// Appends the key of an event.
    pub fn key(&self, event: &Event<'_>, key: &mut Vec<u8>) {
        for term in &self.terms {
            put((term.row.get)(event), term.is_down, key);
        }
    }

    /// The parts of a record that it looks at, as bits of [`Field::needs`].
    #[must_use]
    pub fn needs(&self) -> u32 {
        self.terms.iter().fold(0, |needs, term| needs | term.row.needs)
    }
}

impl Order<Key<OfProcess>> {
    /// Appends the key of a process of a report.
    pub fn key(&self, process: &Process<'_>, key: &mut Vec<u8>) {
        for term in &self.terms {
            put((term.row.get)(process), term.is_down, key);
        }
    }
}

/// What stands before a value, and before each item of a list.
const KNOWN: u8 = 1;
/// What stands for one that is not known.
const UNKNOWN: u8 = 2;
/// What stands behind the last item of a list.
const END: u8 = 0;

/// No key of one value begins with that of another: so with all bits of it turned over, the
/// order is turned round.
fn put(value: Value<'_>, is_down: bool, key: &mut Vec<u8>) {
    if let Value::Null = value {
        return key.push(UNKNOWN);
    }
    key.push(KNOWN);
    let start = key.len();
    put_known(value, key);
    if is_down {
        key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}

fn put_known(value: Value<'_>, key: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Number(number) => put_number(number, key),
        Value::Bool(is_so) => key.push(u8::from(is_so)),
        Value::Text(word) => put_bytes(word.as_bytes(), key),
        Value::Name(name) => put_bytes(name.as_bytes(), key),
        // Of one, only the end is known: it stands where that has its place.
        Value::Bytes(bytes) | Value::End(bytes) => put_bytes(bytes, key),
        Value::Args(args) => put_list(args.iter(), key, |arg, key| match arg {
            Arg::Whole(bytes) | Arg::Piece(bytes) => put_bytes(bytes, key),
            Arg::Unreadable => put_bytes(b"", key),
        }),
        Value::Names { table, bits } => {
            let set = table.iter().filter(|(bit, _)| bits & bit != 0);
            put_list(set, key, |(_, name), key| put_bytes(name.as_bytes(), key));
        }
        // The sign turned over, so that what was before 1970 comes first.
        Value::Time(nanoseconds) => put_number(nanoseconds.cast_unsigned() ^ 1 << 63, key),
        Value::Id(id) => key.extend_from_slice(id.bytes()),
        Value::Environment(environment) => {
            put_list(environment.iter(), key, |(name, value), key| {
                put_bytes(name, key);
                put_bytes(value, key);
            });
        }
        Value::Ancestors(ancestors) => put_list(ancestors.iter(), key, |one, key| {
            put_number(one.process.pid.into(), key);
            put_number(one.process.start, key);
        }),
    }
}

fn put_number(number: u64, key: &mut Vec<u8>) {
    key.extend_from_slice(&number.to_be_bytes());
}

/// A zero is written as 0 and 255, the end as 0 and 0: so a string comes before a longer one
/// that begins with it.
fn put_bytes(bytes: &[u8], key: &mut Vec<u8>) {
    for part in bytes.split_inclusive(|&byte| byte == 0) {
        key.extend_from_slice(part);
        if part.ends_with(&[0]) {
            key.push(0xff);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

fn put_list<T>(
    items: impl Iterator<Item = T>,
    key: &mut Vec<u8>,
    mut put_item: impl FnMut(T, &mut Vec<u8>),
) {
    for item in items {
        key.push(KNOWN);
        put_item(item, key);
    }
    key.push(END);
}

#[cfg(test)]
mod tests;
