//! The table for people.

use std::fmt::{self, Write};

use anstyle::{Effects, Reset, Style};
use exectrail_model::{
    tally::{COLUMNS, Cell, Column, Counts, Reading, Row},
    value::Align,
};

use crate::{
    clock::Clock,
    pretty::{NULL, Span, WARNING, cut},
    quote::{Place, quote},
};

const TITLE: Style = Style::new().effects(Effects::UNDERLINE);

/// Lines of the table besides its rows.
const AROUND: usize = 3;

/// Cells that what a row is called has at least, if numbers can make room.
const NAME: usize = 20;

/// Spaces before what a row is called.
const GAP: usize = 2;

/// What a table is told besides the reading.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Columns of the terminal; `None` where nothing is to be cut.
    pub width: Option<usize>,
    /// Lines of the terminal, likewise.
    pub height: Option<usize>,
    /// Most rows.
    pub rows: usize,
    /// Whether failed execs are counted.
    pub failures: bool,
    /// The column that rows are in the order of, by its name: it is always shown.
    pub sorted: &'static str,
    /// Whether to use colours.
    pub color: bool,
}

/// The table, in whole lines: what there is of everything, the columns' titles, the rows,
/// and what is in none of them.
#[must_use]
pub fn top_table(reading: &Reading, table: &Table, clock: &mut TopClock) -> String {
    let mut lines = Lines { table: *table, text: String::new() };
    // A String takes everything.
    let _ = lines.write(reading, clock);
    lines.text
}

/// The clock of the place where the table is read.
pub struct TopClock(Clock);

impl TopClock {
    /// The system's time zone.
    #[must_use]
    pub fn system() -> Self {
        Self(Clock::new(jiff::tz::TimeZone::system()))
    }

    /// Another one.
    #[must_use]
    pub fn of(zone: jiff::tz::TimeZone) -> Self {
        Self(Clock::new(zone))
    }
}

struct Lines {
    table: Table,
    text: String,
}

impl Lines {
    fn write(&mut self, reading: &Reading, clock: &mut TopClock) -> fmt::Result {
        let room = self.table.height.map_or(usize::MAX, |height| height.saturating_sub(AROUND));
        let shown = self.table.rows.min(room).min(reading.rows.len());
        let totals = self.totals(reading, &mut clock.0)?;
        self.line(&totals);
        let columns = self.columns();
        let titles = self.titles(reading, &columns)?;
        self.line(&titles);
        for row in reading.rows.iter().take(shown) {
            let line = self.row(row, &columns)?;
            self.line(&line);
        }
        let others = self.others(reading, shown)?;
        self.line(&others);
        Ok(())
    }

    /// Those that there is room for: numbers whose rows have no name say nothing.
    fn columns(&self) -> Vec<&'static Column> {
        let has = |column: &&Column| {
            !column.title.is_empty() && (self.table.failures || !column.of_failures)
        };
        let mut columns: Vec<_> = COLUMNS.iter().filter(has).collect();
        let room = self.table.width.unwrap_or(usize::MAX);
        while columns.iter().map(|column| cells(column)).sum::<usize>() > room {
            let spare = |column: &Column| if self.is_sorted_by(column) { 0 } else { column.spare };
            let Some(most) = columns.iter().map(|column| spare(column)).max() else { break };
            if most == 0 {
                break;
            }
            columns.retain(|column| spare(column) < most);
        }
        columns
    }

    fn is_sorted_by(&self, column: &Column) -> bool {
        column.name == self.table.sorted
    }

    /// What there is of everything.
    fn totals(&self, reading: &Reading, clock: &mut Clock) -> Result<String, fmt::Error> {
        let mut line = String::new();
        if let Some(now) = clock.read(reading.moment.wall) {
            write!(line, "{}  ", now.time())?;
        }
        write!(line, "after {}: ", Span(reading.elapsed))?;
        rate(reading.rate(|counts| counts.execs), &mut line)?;
        write!(line, " execs/s, {} in all", reading.totals.execs)?;
        if self.table.failures {
            let mut words = String::new();
            rate(reading.rate(|counts| counts.failures), &mut words)?;
            write!(words, " failed/s, {} in all", reading.totals.failures)?;
            let is_bad = reading.recent.failures > 0;
            line.push_str("; ");
            self.paint(&words, if is_bad { WARNING } else { Style::new() }, &mut line)?;
        }
        write!(line, "; {} runs ended", reading.totals.ends)?;
        Ok(line)
    }

    fn titles(&self, reading: &Reading, columns: &[&Column]) -> Result<String, fmt::Error> {
        let mut line = String::new();
        for column in columns {
            // The last one says what rows are.
            let name = reading.by.name().to_uppercase();
            let is_name = column.align == Align::Left(0);
            self.cell(column, if is_name { &name } else { column.title }, TITLE, &mut line)?;
        }
        Ok(line)
    }

    fn row(&self, row: &Row, columns: &[&Column]) -> Result<String, fmt::Error> {
        let mut line = String::new();
        for column in columns {
            let value = (column.get)(row);
            let mut words = String::new();
            show(value, &mut words)?;
            if matches!(value, Cell::Bytes(_) | Cell::End(_)) {
                self.fit_path(&mut words, cut::cells(&line) + GAP);
            }
            let is_bad = column.of_failures && !matches!(value, Cell::Count(0) | Cell::Rate(0));
            self.cell(column, &words, if is_bad { WARNING } else { Style::new() }, &mut line)?;
        }
        Ok(line)
    }

    /// Cuts a path that has not room behind so many cells: its end tells it from others.
    fn fit_path(&self, words: &mut String, before: usize) {
        let room = self.table.width.map_or(usize::MAX, |width| width.saturating_sub(before));
        if let Some(kept) = cut::cut_front(words, room) {
            *words = format!("…{kept}");
        }
    }

    /// What is in no row above: in rows there is no room for, and in those that the kernel
    /// has forgotten.
    fn others(&self, reading: &Reading, shown: usize) -> Result<String, fmt::Error> {
        let mut line = String::new();
        let left_out = reading.rows.len() - shown;
        write!(line, "others: ")?;
        self.counts(reading.others(shown), &mut line)?;
        write!(line, ", in {left_out} more row{}", if left_out == 1 { "" } else { "s" })?;
        if reading.forgotten != Counts::default() {
            let mut words = String::new();
            self.counts(reading.forgotten, &mut words)?;
            line.push_str("; ");
            words.push_str(" of these in rows forgotten for want of room");
            self.paint(&words, WARNING, &mut line)?;
        }
        Ok(line)
    }

    fn counts(&self, counts: Counts, line: &mut String) -> fmt::Result {
        let Counts { execs, failures, ends, .. } = counts;
        write!(line, "{execs} execs, ")?;
        if self.table.failures {
            write!(line, "{failures} failed, ")?;
        }
        write!(line, "{ends} ended")
    }

    fn cell(&self, column: &Column, words: &str, style: Style, line: &mut String) -> fmt::Result {
        let cells = cut::cells(words);
        let spaces = match column.align {
            Align::Right(least) => least.saturating_sub(cells),
            Align::Left(_) => GAP,
        };
        write!(line, "{:spaces$}", "")?;
        self.paint(words, style, line)
    }

    fn paint(&self, words: &str, style: Style, line: &mut String) -> fmt::Result {
        if self.table.color && !style.is_plain() {
            write!(line, "{style}{words}{style:#}")
        } else {
            line.push_str(words);
            Ok(())
        }
    }

    fn line(&mut self, line: &str) {
        match self.table.width.and_then(|width| cut::cut(line, width)) {
            Some(kept) => {
                self.text.push_str(kept);
                if self.table.color {
                    let _ = write!(self.text, "{Reset}");
                }
                self.text.push('…');
            }
            None => self.text.push_str(line),
        }
        self.text.push('\n');
    }
}

/// What a column takes, at least.
fn cells(column: &Column) -> usize {
    match column.align {
        Align::Right(cells) => cells,
        Align::Left(_) => GAP + NAME,
    }
}

fn show(cell: Cell<'_>, words: &mut String) -> fmt::Result {
    match cell {
        Cell::Null => words.write_str(NULL),
        Cell::Nameless(uid) => write!(words, "{uid}"),
        Cell::Count(number) => write!(words, "{number}"),
        Cell::Rate(thousandths) => rate(thousandths, words),
        Cell::Span(nanoseconds) => write!(words, "{}", Span(nanoseconds)),
        Cell::Word(word) => {
            quote(word.as_bytes(), Place::Argument, words);
            Ok(())
        }
        Cell::Bytes(bytes) => {
            quote(bytes, Place::Command, words);
            Ok(())
        }
        Cell::End(bytes) => {
            words.push_str("[…]/");
            quote(bytes, Place::Argument, words);
            Ok(())
        }
        Cell::Time(_) => Ok(()),
    }
}

/// One digit behind the point, unless there are many before it.
fn rate(thousandths: u64, words: &mut String) -> fmt::Result {
    match thousandths / 1000 {
        whole @ ..1000 => write!(words, "{whole}.{}", thousandths % 1000 / 100),
        whole => write!(words, "{whole}"),
    }
}
