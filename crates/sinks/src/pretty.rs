//! A line per event, for people.
//!
//! Nothing in a line can do anything to the terminal, and what a shell would
//! read is quoted so that it can be pasted. Marks that are not the program's own
//! words are never quoted, and a word that looks like one always is:
//! `<?>` is an argument that could not be read, `'<?>'` one that was `<?>`.

mod cell;
pub(crate) mod cells;
mod choices;
mod columns;
pub(crate) mod cut;
mod exit;
mod units;

use std::{
    fmt::{self, Write},
    io, mem,
    time::Instant,
};

use anstyle::{Effects, Reset, Style};
use exectrail_model::{
    event::{Body, Event, Lost},
    lineage::{self, Lineage},
    value::Align,
};
use jiff::tz::TimeZone;

use crate::{
    clock::Clock,
    registry::{Options, Width},
    sink::{Lines, Sink},
};

use cell::Palette;
pub(crate) use cell::arguments;
pub(crate) use cell::{NULL, WARNING};
pub use columns::has_tree_column;
use columns::{Column, columns};
pub(crate) use exit::result_of;
pub(crate) use units::Span;

/// Steps by which a program is moved to the right, at most.
pub(crate) const DEPTH: usize = 24;
/// Of a terminal, a fifth of its columns at most is left empty so.
const COLUMNS_A_STEP: usize = 10;

const TITLE: Style = Style::new().effects(Effects::UNDERLINE);

/// Writes a table for people.
pub struct Pretty {
    out: Lines,
    columns: Vec<Column>,
    header: bool,
    color: bool,
    terminal: Option<Width>,
    /// Its columns, when it was last asked.
    width: Option<usize>,
    /// Whether that was since the last lines went out.
    is_asked: bool,
    lineage: Option<Lineage>,
    clock: Clock,
    palette: Palette,
    line: String,
    cell: String,
}

impl Pretty {
    /// A sink that writes to `options.out`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let outcomes = options.failed || options.exits;
        let room = options.room.filter(|&room| room > 0 && !options.tree);
        let columns = match (options.fields.as_deref(), room) {
            (None, Some(room)) => columns::within(outcomes, room),
            (fields, _) => columns(fields, outcomes, options.tree),
        };
        Self {
            out: Lines::new(options.out, options.can_take_long),
            columns,
            header: options.header,
            color: options.color,
            terminal: options.width,
            width: None,
            is_asked: false,
            lineage: options.tree.then(Lineage::default),
            clock: Clock::new(options.time_zone.unwrap_or_else(TimeZone::system)),
            palette: Palette::new(options.color),
            line: String::new(),
            cell: String::new(),
        }
    }

    /// Columns of the terminal, if there is one that knows.
    fn width(&mut self) -> Option<usize> {
        if !mem::replace(&mut self.is_asked, true) {
            let width = self.terminal.as_ref().and_then(|columns| columns());
            // Some say 0 when they do not know.
            self.width = width.filter(|width| *width > 0);
        }
        self.width
    }

    /// How many cells an event's program is moved to the right.
    fn indent(&mut self, event: &Event<'_>) -> usize {
        let Some(lineage) = &mut self.lineage else { return 0 };
        let depth = lineage.depth(event);
        let most = self.width().map_or(DEPTH, |width| DEPTH.min(width / COLUMNS_A_STEP));
        2 * depth.min(most)
    }

    /// Composes a line of all columns, the program moved to the right by `indent` cells;
    /// `write` makes a cell, and says its style.
    fn row(
        &mut self,
        indent: usize,
        mut write: impl FnMut(&Column, &mut Clock, &mut String) -> Result<Style, fmt::Error>,
    ) -> io::Result<()> {
        let Self { columns, palette, clock, line, cell, .. } = self;
        line.clear();
        // Kept until something follows: no line ends with spaces.
        let mut spaces = 0;
        for (index, column) in columns.iter().enumerate() {
            cell.clear();
            let style = write(column, clock, cell).map_err(io::Error::other)?;
            let indent = if column.is_tree { indent } else { 0 };
            let cells = cut::cells(cell) + indent;
            // Numbers seldom fill their column; one cell of gap does for them.
            let (gap, before, behind) = match column.align {
                Align::Right(least) => (1, least.saturating_sub(cells), 0),
                Align::Left(least) => (2, 0, least.saturating_sub(cells)),
            };
            spaces += before + indent + if index == 0 { 0 } else { gap };
            if !cell.is_empty() {
                space(mem::take(&mut spaces), line);
                palette.paint(cell, style, line);
            }
            spaces += behind;
        }
        self.put()
    }

    /// Writes the line that has been composed, as much of it as has room.
    fn put(&mut self) -> io::Result<()> {
        let kept = self.width().and_then(|width| cut::cut(&self.line, width)).map(str::len);
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
        self.line.clear();
        self.palette.paint(&lost_words(lost), WARNING, &mut self.line);
        self.put()
    }
}

/// What stands in the place of what was lost.
#[must_use]
pub fn lost_words(lost: &Lost) -> String {
    let Lost { count, reason, cpu } = lost;
    let events = if *count == 1 { "event" } else { "events" };
    format!("-- {count} {events} lost here ({reason}, CPU {cpu}) --")
}

fn space(mut spaces: usize, line: &mut String) {
    const SPACES: &str = "                                ";
    while spaces > 0 {
        let some = SPACES.get(..spaces).unwrap_or(SPACES);
        line.push_str(some);
        spaces -= some.len();
    }
}

impl Sink for Pretty {
    fn begin(&mut self) -> io::Result<()> {
        if self.header {
            self.row(0, |column, _, cell| {
                cell.push_str(column.title);
                Ok(TITLE)
            })?;
        }
        self.flush()
    }

    fn needs(&self) -> u32 {
        let needs = if self.lineage.is_some() { lineage::NEEDS } else { 0 };
        self.columns.iter().fold(needs, |needs, column| needs | column.needs())
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match &event.body {
            Body::Exec(_) | Body::Failed(..) | Body::Exit(_) => {}
            Body::Lost(lost) => return self.lost(lost),
            Body::Summary(_) => return Ok(()),
        }
        let color = self.color;
        let indent = self.indent(event);
        self.row(indent, |column, clock, cell| column.write(event, color, clock, cell))
    }

    /// The words of the summary are not data: see [`summary_words`](crate::summary_words).
    fn end(&mut self, _summary: &Event<'_>) -> io::Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.is_asked = false;
        self.out.flush()
    }

    fn batch_ends(&mut self) -> io::Result<()> {
        self.is_asked = false;
        self.out.hand_on()
    }

    fn due(&self) -> Option<Instant> {
        self.out.due()
    }

    fn unwritten(&self) -> usize {
        self.out.unwritten()
    }
}
