//! A line per exec, for people.
//!
//! Nothing in a line can do anything to the terminal, and what a shell would
//! read is quoted so that it can be pasted. Marks that are not the program's own
//! words are never quoted, and a word that looks like one always is:
//! `<?>` is an argument that could not be read, `'<?>'` one that was `<?>`.

mod columns;
mod cut;

use std::{
    fmt::{self, Write},
    io, iter, mem,
};

use anstyle::{AnsiColor, Effects, Reset, Style};
use exectrail_model::{
    args::{Arg, Args},
    event::{Body, Event, Lost, Summary},
    value::{Align, Type, Value},
};
use jiff::tz::TimeZone;

use crate::{
    clock::Clock,
    names::names,
    quote::{Place, quote},
    registry::Options,
    sink::{Lines, Sink},
};

use columns::{Column, columns};

const NULL: &str = "-";
const ARGUMENT_UNREADABLE: &str = "<?>";
const ARGUMENTS_UNREADABLE: &str = "<unreadable>";
const CUT: &str = "[…]";
const TITLE: Style = Style::new().effects(Effects::UNDERLINE);
const WARNING: Style = AnsiColor::Yellow.on_default();

/// Writes a table for people.
pub struct Pretty {
    out: Lines,
    columns: Vec<Column>,
    header: bool,
    color: bool,
    width: Option<usize>,
    clock: Clock,
    line: String,
    cell: String,
}

impl Pretty {
    /// A sink that writes to `options.out`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            out: Lines::new(options.out),
            columns: columns(options.fields.as_deref(), options.failed),
            header: options.header,
            color: options.color,
            // Some terminals say 0 when they do not know.
            width: options.width.filter(|width| *width > 0),
            clock: Clock::new(options.time_zone.unwrap_or_else(TimeZone::system)),
            line: String::new(),
            cell: String::new(),
        }
    }

    /// Composes a line of all columns; `write` makes a cell, and says its style.
    fn row(
        &mut self,
        mut write: impl FnMut(&Column, &mut Clock, &mut String) -> Result<Style, fmt::Error>,
    ) -> io::Result<()> {
        let Self { columns, color, clock, line, cell, .. } = self;
        line.clear();
        // Kept until something follows: no line ends with spaces.
        let mut spaces = 0;
        for (index, column) in columns.iter().enumerate() {
            cell.clear();
            let style = write(column, clock, cell).map_err(io::Error::other)?;
            let cells = cut::cells(cell);
            // Numbers seldom fill their column; one cell of gap does for them.
            let (gap, before, behind) = match column.align {
                Align::Right(least) => (1, least.saturating_sub(cells), 0),
                Align::Left(least) => (2, 0, least.saturating_sub(cells)),
            };
            spaces += before + if index == 0 { 0 } else { gap };
            if !cell.is_empty() {
                line.extend(iter::repeat_n(' ', mem::take(&mut spaces)));
                paint(cell, style, *color, line).map_err(io::Error::other)?;
            }
            spaces += behind;
        }
        self.put()
    }

    /// Writes the line that has been composed, as much of it as has room.
    fn put(&mut self) -> io::Result<()> {
        let kept = self.width.and_then(|width| cut::cut(&self.line, width)).map(str::len);
        if let Some(kept) = kept {
            self.line.truncate(kept);
            if self.color {
                write!(self.line, "{Reset}").map_err(io::Error::other)?;
            }
            self.line.push('…');
        }
        self.line.push('\n');
        self.out.write(self.line.as_bytes())
    }

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        self.cell.clear();
        let Lost { count, reason, cpu } = lost;
        let events = if *count == 1 { "event" } else { "events" };
        write!(self.cell, "-- {count} {events} lost here ({reason}, CPU {cpu}) --")
            .map_err(io::Error::other)?;
        self.line.clear();
        paint(&self.cell, WARNING, self.color, &mut self.line).map_err(io::Error::other)?;
        self.put()
    }
}

impl Sink for Pretty {
    fn begin(&mut self) -> io::Result<()> {
        if self.header {
            self.row(|column, _, cell| {
                cell.push_str(column.title);
                Ok(TITLE)
            })?;
        }
        self.flush()
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match &event.body {
            Body::Exec(_) | Body::Failed(..) => {}
            Body::Lost(lost) => return self.lost(lost),
            Body::Summary(_) => return Ok(()),
        }
        let color = self.color;
        self.row(|column, clock, cell| {
            match column.value(event) {
                Some((kind, value)) => show(kind, value, color, clock, cell)?,
                None => cell.push_str(column.otherwise()),
            }
            Ok(column.style(event.kind()))
        })
    }

    /// The words of the summary are not data: see [`summary_words`].
    fn end(&mut self, _summary: &Event<'_>) -> io::Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn paint(text: &str, style: Style, color: bool, line: &mut String) -> fmt::Result {
    if color {
        write!(line, "{style}{text}{style:#}")
    } else {
        line.push_str(text);
        Ok(())
    }
}

fn show(
    kind: Type,
    value: Value<'_>,
    color: bool,
    clock: &mut Clock,
    cell: &mut String,
) -> fmt::Result {
    match value {
        Value::Null if kind == Type::Args => {
            return paint(ARGUMENTS_UNREADABLE, WARNING, color, cell);
        }
        Value::Null => cell.push_str(NULL),
        Value::Number(value) => write!(cell, "{value}")?,
        Value::Bool(value) => write!(cell, "{value}")?,
        Value::Text(text) => cell.push_str(text),
        Value::Bytes(bytes) => quote(bytes, Place::Command, cell),
        Value::End(bytes) => {
            paint(CUT, WARNING, color, cell)?;
            quote(bytes, Place::Command, cell);
        }
        Value::Args(args) => return arguments(args, color, cell),
        Value::Names { table, bits } => {
            for name in names(table, bits) {
                if !cell.is_empty() {
                    cell.push(',');
                }
                cell.push_str(name);
            }
            if cell.is_empty() {
                cell.push_str(NULL);
            }
        }
        Value::Time(wall) => match clock.read(wall) {
            Some(reading) => {
                write!(cell, "{}.{:03}", reading.time, reading.nanos / 1_000_000)?;
            }
            None => cell.push_str(NULL),
        },
    }
    Ok(())
}

fn arguments(args: Args<'_>, color: bool, cell: &mut String) -> fmt::Result {
    let cut = args.cut_index();
    let mut place = Place::Command;
    for (index, arg) in args.iter().enumerate() {
        if cut == Some(index) {
            gap(cell);
            paint(CUT, WARNING, color, cell)?;
        }
        gap(cell);
        match arg {
            Arg::Whole(bytes) | Arg::Piece(bytes) => quote(bytes, place, cell),
            Arg::Unreadable => paint(ARGUMENT_UNREADABLE, WARNING, color, cell)?,
        }
        place = Place::Argument;
    }
    // Nothing behind the cut was kept.
    if cut.is_some_and(|cut| cut >= args.len()) {
        gap(cell);
        paint(CUT, WARNING, color, cell)?;
    }
    Ok(())
}

fn gap(cell: &mut String) {
    if !cell.is_empty() {
        cell.push(' ');
    }
}

/// The account of a trace in words, for the end of it.
#[must_use]
pub fn summary_words(summary: &Summary) -> String {
    let Summary { seen, delivered, filtered, dropped, missed, damaged } = *summary;
    let execs = if delivered == 1 { "exec" } else { "execs" };
    let damaged = match damaged {
        0 => String::new(),
        damaged => format!(" ({damaged} of them damaged)"),
    };
    let missed = match missed {
        None | Some(0) => String::new(),
        Some(missed) => format!(" and missed {missed}"),
    };
    format!(
        "{delivered} {execs} shown, {filtered} filtered, {dropped} lost{damaged}; \
         the kernel saw {seen}{missed}"
    )
}

#[cfg(test)]
mod tests {
    use exectrail_model::event::Summary;

    use super::summary_words;

    #[test]
    fn a_summary_tells_only_what_happened() {
        let quiet = Summary {
            seen: 117,
            delivered: 5,
            filtered: 112,
            missed: Some(0),
            ..Summary::default()
        };
        assert_eq!(
            summary_words(&quiet),
            "5 execs shown, 112 filtered, 0 lost; the kernel saw 117"
        );
        let loud = Summary {
            seen: 10,
            delivered: 1,
            filtered: 2,
            dropped: 7,
            missed: Some(3),
            damaged: 4,
        };
        assert_eq!(
            summary_words(&loud),
            "1 exec shown, 2 filtered, 7 lost (4 of them damaged); the kernel saw 10 and missed 3"
        );
        assert_eq!(
            summary_words(&Summary { missed: None, ..loud }),
            "1 exec shown, 2 filtered, 7 lost (4 of them damaged); the kernel saw 10"
        );
    }
}
