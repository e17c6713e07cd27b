//! The table of sinks: a new one is one file and one row here.

use std::{error::Error, fmt, io::Write};

use exectrail_model::{fields::Field, nearest::nearest};
use jiff::tz::TimeZone;

use crate::{jsonl::JsonLines, pretty::Pretty, sink::Sink};

/// How many columns the terminal has by now, if it knows. Asked before each batch of lines:
/// windows change their sizes.
pub type Width = Box<dyn Fn() -> Option<usize> + Send>;

/// What a sink is told when it is made. Each takes what concerns it.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Options {
    /// Where the bytes go. The sink buffers; this need not.
    pub out: Box<dyn Write + Send>,
    /// Whether a write there can take so long that a thread is to do it.
    pub can_take_long: bool,
    /// The fields asked for, in the user's order; `None` is the sink's choice.
    pub fields: Option<Vec<&'static Field>>,
    /// Whether to use colours.
    pub color: bool,
    /// Whether failures are traced too.
    pub failed: bool,
    /// Whether the ends of processes are traced too.
    pub exits: bool,
    /// Asks for the columns of the terminal; `None` where nothing is to be cut.
    pub width: Option<Width>,
    /// Cells of the terminal at the beginning, where default columns are to be chosen by it:
    /// a narrow one has fewer. What stands above them stays, whatever becomes of the terminal.
    pub room: Option<usize>,
    /// Whether to name the columns above them.
    pub header: bool,
    /// Whether programs stand below those that they descend from.
    pub tree: bool,
    /// The time zone for people; `None` is the system's.
    pub time_zone: Option<TimeZone>,
}

impl Options {
    /// Plain, uncut, all by the sink's own choice.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self {
            out,
            can_take_long: false,
            fields: None,
            color: false,
            failed: false,
            exits: false,
            width: None,
            room: None,
            header: true,
            tree: false,
            time_zone: None,
        }
    }
}

/// One row.
#[derive(Debug)]
pub struct SinkKind {
    /// As `--format` names it.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Makes one.
    pub build: fn(Options) -> Box<dyn Sink>,
}

/// Every sink.
pub const SINKS: &[SinkKind] = &[
    SinkKind {
        name: "pretty",
        doc: "a line per event for people, safe for the terminal, arguments quoted for a shell",
        build: |options| Box::new(Pretty::new(options)),
    },
    SinkKind {
        name: "json",
        doc: "a JSON object per line for programs, every field",
        build: |options| Box::new(JsonLines::new(options)),
    },
];

impl SinkKind {
    /// The row with this name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn named(name: &str) -> Result<&'static Self, UnknownSink> {
        SINKS.iter().find(|kind| kind.name == name).ok_or_else(|| UnknownSink {
            name: name.to_owned(),
            nearest: nearest(name, SINKS.iter().map(|kind| kind.name)),
        })
    }
}

/// There is no sink with this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSink {
    /// What was asked for.
    pub name: String,
    /// What was probably meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no format is named '{}'", self.name.escape_debug())?;
        if let Some(nearest) = self.nearest {
            write!(f, "; did you mean '{nearest}'?")?;
        }
        f.write_str(" (there is ")?;
        for (index, kind) in SINKS.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == SINKS.len() => " and ",
                _ => ", ",
            };
            write!(f, "{separator}{}", kind.name)?;
        }
        f.write_str(")")
    }
}

impl Error for UnknownSink {}

#[cfg(test)]
mod tests {
    use super::{SINKS, SinkKind};

    #[test]
    fn every_row_is_found_by_its_name() {
        for kind in SINKS {
            assert_eq!(SinkKind::named(kind.name).unwrap().name, kind.name);
            assert!(!kind.doc.is_empty() && !kind.doc.ends_with('.'), "{}", kind.name);
        }
    }

    #[test]
    fn a_wrong_name_is_told_what_there_is() {
        for (name, words) in [
            ("jsno", "no format is named 'jsno'; did you mean 'json'? (there is pretty and json)"),
            ("xml", "no format is named 'xml' (there is pretty and json)"),
        ] {
            assert_eq!(SinkKind::named(name).unwrap_err().to_string(), words);
        }
    }
}
