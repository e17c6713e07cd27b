//! Where readings go: a terminal, which is drawn anew, or lines.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Write},
};

use exectrail_model::{
    enrich::users::Users,
    plan::Plan,
    tally::{Name, Reading},
};
use exectrail_sinks::{Table, TopClock, top_json, top_table};

use super::screen::{self, Keys, Screen};
use crate::{
    args::TopArgs,
    output::{self, Output, Standard},
    users::{self, Resolver},
};

/// The place that readings go to.
pub(super) struct Show {
    /// What tells that nobody reads it any more, if it is a pipe.
    pub(super) reader: Option<File>,
    writer: Box<dyn Write + Send>,
    table: Table,
    json: bool,
    clock: TopClock,
    users: Users,
    resolver: Resolver,
    /// Of a terminal: it, and the keys.
    screen: Option<Screen>,
    keys: Option<Keys>,
    /// The last one, for whoever ends it.
    last: Option<Reading>,
}

/// Lines that a terminal has below the last table: for the words at the end, two lines of
/// a narrow one, and for a prompt.
const BELOW: usize = 3;

impl Show {
    pub(super) fn new(args: &TopArgs, plan: &Plan, sorted: &'static str, output: Output) -> Self {
        let Output { writer, reader, width, color, .. } = output;
        let width = width.and_then(|ask| ask());
        let is_drawn = !args.json && io::stdout().is_terminal() && !is_dumb();
        // One reading has nothing to be drawn over.
        let screen = (is_drawn && !args.once).then(Screen::new);
        let rows = args.rows.unwrap_or(usize::MAX);
        Self {
            reader,
            writer,
            table: Table { width, height: None, rows, failures: plan.failed, sorted, color },
            json: args.json,
            clock: TopClock::system(),
            users: users::of_this_host(),
            resolver: Resolver::start(),
            keys: if screen.is_some() { Keys::listen() } else { None },
            screen,
            last: None,
        }
    }

    /// Whether keys that are pressed come here.
    pub(super) fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Makes place for the first table.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        match &mut self.screen {
            Some(screen) => screen.enter(&mut self.writer),
            None => Ok(()),
        }
    }

    /// Shows a reading.
    pub(super) fn reading(&mut self, mut reading: Reading) -> anyhow::Result<()> {
        self.name_users(&mut reading);
        let failed = |error| output::failed(None, Standard::Out, error);
        if self.json {
            let line = top_json(&reading, self.table.rows, self.table.failures);
            return self.writer.write_all(&line).and_then(|()| self.writer.flush()).map_err(failed);
        }
        if self.screen.is_some() {
            (self.table.width, self.table.height) = screen::size();
        }
        let table = top_table(&reading, &self.table, &mut self.clock);
        let shown = if self.screen.is_some() {
            self.last = Some(reading);
            self.writer.write_all(screen::drawn(&table).as_bytes())
        } else {
            // Tables below each other, with a line between them.
            writeln!(self.writer, "{table}")
        };
        shown.and_then(|()| self.writer.flush()).map_err(failed)
    }

    /// Leaves the terminal as it was, with the last table on it.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.keys = None;
        let Some(screen) = &mut self.screen else { return Ok(()) };
        screen.leave(&mut self.writer)?;
        if let Some(reading) = &self.last {
            let height = self.table.height.map(|height| height.saturating_sub(BELOW));
            let table = Table { height, ..self.table };
            self.writer.write_all(top_table(reading, &table, &mut self.clock).as_bytes())?;
        }
        self.writer.flush()
    }

    fn name_users(&mut self, reading: &mut Reading) {
        self.resolver.exchange(&mut self.users);
        for row in &mut reading.rows {
            if let Name::User(uid, name) = &mut row.name {
                *name = self.users.get(*uid).map(str::to_owned);
            }
        }
        self.resolver.exchange(&mut self.users);
    }
}

/// A terminal that can only go on.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}
