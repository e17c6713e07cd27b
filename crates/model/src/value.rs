//! What a field can be: values, types, and how they stand in a column.

use crate::{ancestors::Ancestors, args::Args, cpid::Cpid, environment::Environment};

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Not known.
    Null,
    /// A number.
    Number(u64),
    /// Yes or no.
    Bool(bool),
    /// Words of our own.
    Text(&'static str),
    /// Bytes from a traced process.
    Bytes(&'a [u8]),
    /// The end of such bytes, of which the beginning is missing.
    End(&'a [u8]),
    /// An argument vector from a traced process.
    Args(Args<'a>),
    /// Words of our own, those of `table` with a bit in `bits`.
    Names {
        /// Bits and their names.
        table: &'static [(u32, &'static str)],
        /// Which of them.
        bits: u32,
    },
    /// Nanoseconds since 1970, UTC.
    Time(i64),
    /// What names a process for ever.
    Id(Cpid),
    /// Words about the host, such as a user's name.
    Name(&'a str),
    /// Environment variables from a traced process.
    Environment(Environment<'a>),
    /// Processes.
    Ancestors(Ancestors<'a>),
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// One of our own words.
    Text,
    /// A word about the host.
    Name,
    /// A string of bytes.
    Bytes,
    /// A list of strings of bytes.
    Args,
    /// A list of our own words.
    Names,
    /// A point in time.
    Time,
    /// A process's id that is never used again.
    Id,
    /// Names and values.
    Environment,
    /// A list of processes.
    Ancestors,
}

impl Type {
    /// As the field list names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Text => "word",
            Self::Name | Self::Bytes => "string",
            Self::Args => "list of strings",
            Self::Names => "list of words",
            Self::Time => "time",
            Self::Id => "UUID",
            Self::Environment => "object",
            Self::Ancestors => "list of objects",
        }
    }
}

/// How a field stands in a table of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Numbers: to the right, at least so wide.
    Right(usize),
    /// Words: to the left, at least so wide.
    Left(usize),
}
