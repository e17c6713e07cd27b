//! The cells of lines, for those who lay them out themselves: a list that stays on the
//! screen, whose lines are told later how their processes ended.

use std::fmt::{self, Write};

use anstyle::Style;
use exectrail_model::{
    args::Arg,
    event::Event,
    fields::{Field, Unit},
    value::{Align, Value},
};
use jiff::tz::TimeZone;

use super::{
    cell::{arguments, show},
    columns::{Column, lasting},
    units::{Size, Span},
};
use crate::{
    clock::Clock,
    decimal::Decimal,
    quote::{Place, quote},
};

/// Makes cells.
pub struct Cells {
    columns: Vec<Column>,
    clock: Clock,
}

/// What there is to say of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// What stands above it.
    pub title: &'static str,
    /// How it stands; one that is to be 0 cells wide at least takes what there is.
    pub align: Align,
    /// Whether a tree shows by it.
    pub is_tree: bool,
    /// Whether it shows paths, which differ at their ends.
    pub is_path: bool,
    /// Where there is no room, columns that have more of this go first; none with 0.
    pub yields: u8,
}

/// By what lines are put in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// A number, or a time.
    Number(u64),
    /// Anything else, as it is shown.
    Text(Box<str>),
    /// It is not known: behind all others.
    Nothing,
}

/// Of a text, so many bytes decide on its place.
const SORTED: usize = 64;

impl Cells {
    /// Of these fields, or of those that people want to know first; times are those of a
    /// zone, or of the system's.
    #[must_use]
    pub fn new(fields: Option<&[&'static Field]>, zone: Option<TimeZone>) -> Self {
        let clock = Clock::new(zone.unwrap_or_else(TimeZone::system));
        Self { columns: lasting(fields), clock }
    }

    /// What stands above the columns, from the left.
    pub fn headings(&self) -> impl Iterator<Item = Heading> {
        self.columns.iter().map(|column| {
            let Column { title, align, is_tree, yields, .. } = *column;
            Heading { title, align, is_tree, is_path: column.is_path(), yields }
        })
    }

    /// Appends the cell of an event, of whose process the `end` is known or not, and says
    /// its style. Parts that have another one are in the cell as a terminal takes them, by
    /// escape sequences that end with an `m`; nothing else in it is one.
    pub fn write(
        &mut self,
        column: usize,
        (event, end): (&Event<'_>, Option<&Event<'_>>),
        cell: &mut String,
    ) -> Style {
        let Some(column) = self.columns.get(column) else { return Style::new() };
        let told = told(column, event, end);
        // A String takes everything.
        column.write(told, true, &mut self.clock, cell).unwrap_or_default()
    }

    /// By what a line stands among others that are sorted by this column.
    pub fn sort_key(
        &mut self,
        column: usize,
        (event, end): (&Event<'_>, Option<&Event<'_>>),
    ) -> SortKey {
        let Some(of) = self.columns.get(column) else { return SortKey::Nothing };
        match of.value(told(of, event, end)) {
            Some((_, Value::Number(number))) => return SortKey::Number(number),
            Some((_, Value::Time(wall))) => return SortKey::Number(wall.cast_unsigned()),
            _ => {}
        }
        let mut cell = String::new();
        self.write(column, (event, end), &mut cell);
        let end = cell.char_indices().map(|(at, _)| at).find(|&at| at >= SORTED);
        cell.truncate(end.unwrap_or(cell.len()));
        match cell.as_str() {
            "" | super::NULL => SortKey::Nothing,
            _ => SortKey::Text(cell.into()),
        }
    }

    /// Appends the whole value of a field, as one line without colours.
    pub fn field(&mut self, field: &Field, event: &Event<'_>, text: &mut String) {
        // A String takes everything.
        let _ = self.value(field, event, text);
    }

    fn value(&mut self, field: &Field, event: &Event<'_>, text: &mut String) -> fmt::Result {
        let value = (field.get)(event);
        if let Value::Time(wall) = value
            && let Some(reading) = self.clock.read(wall)
        {
            let nanos = Decimal::new(reading.nanos, 9);
            return write!(text, "{} {}.{}", reading.date(), reading.time(), nanos.as_str());
        }
        show(field.kind, value, false, &mut self.clock, text)?;
        match (value, field.unit) {
            (Value::Number(nanos), Some(Unit::Nanoseconds)) => write!(text, " ({})", Span(nanos)),
            (Value::Number(bytes), Some(Unit::Bytes)) => write!(text, " ({})", Size(bytes)),
            _ => Ok(()),
        }
    }

    /// Each argument, quoted as it would have to be for a shell, one after the other.
    pub fn arguments(event: &Event<'_>, mut take: impl FnMut(&str)) {
        let Some(args) = args_of(event) else { return };
        let mut word = String::new();
        for arg in &args {
            word.clear();
            match arg {
                Arg::Whole(bytes) | Arg::Piece(bytes) => quote(bytes, Place::Argument, &mut word),
                Arg::Unreadable => word.push_str(super::cell::ARGUMENT_UNREADABLE),
            }
            take(&word);
        }
    }
}

/// Whose cell it is: that of the end, if it tells more.
fn told<'e, 'a>(
    column: &Column,
    event: &'e Event<'a>,
    end: Option<&'e Event<'a>>,
) -> &'e Event<'a> {
    let is_better = |_: &&Event<'_>| column.is_of_end || column.value(event).is_none();
    end.filter(is_better).unwrap_or(event)
}

fn args_of<'a>(event: &Event<'a>) -> Option<exectrail_model::args::Args<'a>> {
    let args = Field::named("args")?;
    match (args.get)(event) {
        Value::Args(args) => Some(args),
        _ => None,
    }
}

/// The arguments of an event as a command that can be pasted into a shell, as far as they
/// are known: what is missing is marked as in a line.
#[must_use]
pub fn command_line(event: &Event<'_>) -> Option<String> {
    let mut line = String::new();
    arguments(args_of(event)?, false, &mut line).ok()?;
    Some(line)
}

#[cfg(test)]
mod tests {
    use exectrail_model::{
        args::Args,
        event::{Body, Ended, Event, Moment, Program, Status},
        fields::Field,
    };
    use jiff::tz::TimeZone;

    use super::{Cells, SortKey, command_line};

    const MOMENT: Moment = Moment { ktime: 7, wall: 1_000_000_007 };

    fn exec() -> Event<'static> {
        let args = Some(Args::whole(b"ls\0two words\0\x1b[31m\0"));
        Event { moment: MOMENT, body: Body::Exec(Program { args, ..Program::UNKNOWN }) }
    }

    fn end() -> Event<'static> {
        let status = Some(Status(0x300));
        let ended = Ended { status, duration: Some(37_000_000), ..Ended::UNKNOWN };
        Event { moment: MOMENT, body: Body::Exit(ended) }
    }

    fn cell(cells: &mut Cells, title: &str, end: Option<&Event<'_>>) -> String {
        let at = cells.headings().position(|heading| heading.title == title).unwrap();
        let mut cell = String::new();
        cells.write(at, (&exec(), end), &mut cell);
        cell
    }

    #[test]
    fn an_end_is_told_in_the_line_of_its_exec() {
        let mut cells = Cells::new(None, Some(TimeZone::UTC));
        let end = end();
        for (title, before, after) in [
            ("result", "ok", "exit 3"),
            ("took", "", "37 ms"),
            ("program", "ls 'two words' $'\\e[31m'", "ls 'two words' $'\\e[31m'"),
            ("time", "00:00:01.000", "00:00:01.000"),
        ] {
            assert_eq!(cell(&mut cells, title, None), before);
            assert_eq!(cell(&mut cells, title, Some(&end)), after);
        }
        let fields = [Field::named("exit_code").unwrap(), Field::named("args").unwrap()];
        let mut cells = Cells::new(Some(&fields), Some(TimeZone::UTC));
        assert_eq!(cell(&mut cells, "exit_code", None), "-");
        assert_eq!(cell(&mut cells, "exit_code", Some(&end)), "3");
        assert_eq!(cells.sort_key(0, (&exec(), Some(&end))), SortKey::Number(3));
        assert_eq!(cells.sort_key(0, (&exec(), None)), SortKey::Nothing);
    }

    #[test]
    fn a_field_is_told_whole() {
        let mut cells = Cells::new(None, Some(TimeZone::UTC));
        let mut text = |name: &str, event: &Event<'_>| {
            let mut text = String::new();
            cells.field(Field::named(name).unwrap(), event, &mut text);
            text
        };
        assert_eq!(text("time", &exec()), "1970-01-01 00:00:01.000000007");
        assert_eq!(text("duration_ns", &end()), "37000000 (37 ms)");
        assert_eq!(text("args", &exec()), "ls 'two words' $'\\e[31m'");
    }

    #[test]
    fn a_command_can_be_pasted() {
        assert_eq!(command_line(&exec()).unwrap(), "ls 'two words' $'\\e[31m'");
        assert_eq!(command_line(&end()), None);
        let mut words = Vec::new();
        Cells::arguments(&exec(), |word| words.push(word.to_owned()));
        assert_eq!(words, ["ls", "'two words'", "$'\\e[31m'"]);
    }
}
