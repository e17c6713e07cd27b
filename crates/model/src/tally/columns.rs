//! What a row consists of, said once: tables, JSON and the choice of an order walk this.

use std::cmp::Ordering;

use super::{By, Name, Reading, Row, per_second};
use crate::value::Align;

/// A column of a table of rows, and a key of JSON.
#[derive(Debug)]
pub struct Column {
    /// Its key, which ends with its unit.
    pub name: &'static str,
    /// What stands above it; nothing for what people are not shown. What rows are called
    /// has the name of what they are.
    pub title: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// How it stands in a table.
    pub align: Align,
    /// Whether it is there only where failed execs are counted, too.
    pub of_failures: bool,
    /// Where there is no room for all, those with the most go first; those with 0 stay.
    pub spare: u8,
    /// Its value.
    pub get: fn(&Row) -> Cell<'_>,
    /// Which of two rows comes first.
    pub order: fn(&Row, &Row) -> Ordering,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Not known.
    Null,
    /// A number.
    Count(u64),
    /// Thousandths of so many a second.
    Rate(u64),
    /// Nanoseconds.
    Span(u64),
    /// Bytes from a traced process.
    Bytes(&'a [u8]),
    /// The end of such bytes.
    End(&'a [u8]),
    /// A user who has no name, as far as is known, by id.
    Nameless(u32),
    /// A word of our own, or about the host.
    Word(&'a str),
    /// Nanoseconds since 1970, UTC.
    Time(i64),
}

/// What a value is, for those who read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Count,
    /// A number that there is not for each.
    MaybeCount,
    /// So many a second, with three digits behind the point.
    Rate,
    /// Nanoseconds.
    Span,
    /// Nanoseconds, or nothing where there is nothing to measure.
    MaybeSpan,
    /// One of the [names](By::name) of what rows are.
    By,
    /// What a row is called, or nothing where that could not be read.
    Name,
    /// A point in time.
    Time,
}

impl Kind {
    /// Whether a cell is of this kind.
    #[must_use]
    pub fn has(self, cell: Cell<'_>) -> bool {
        match self {
            Self::Count => matches!(cell, Cell::Count(_)),
            Self::MaybeCount => matches!(cell, Cell::Count(_) | Cell::Null),
            Self::Rate => matches!(cell, Cell::Rate(_)),
            Self::Span => matches!(cell, Cell::Span(_)),
            Self::MaybeSpan => matches!(cell, Cell::Span(_) | Cell::Null),
            Self::By => By::ALL.iter().any(|by| cell == Cell::Word(by.name())),
            Self::Name => matches!(
                cell,
                Cell::Bytes(_) | Cell::End(_) | Cell::Word(_) | Cell::Nameless(_) | Cell::Null
            ),
            Self::Time => matches!(cell, Cell::Time(_)),
        }
    }
}

/// What is known of a reading as a whole, and a key of JSON.
#[derive(Debug)]
pub struct Heading {
    /// Its key, which ends with its unit.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether it is known only where failed execs are counted, too.
    pub of_failures: bool,
    /// Its value, when so many rows are shown.
    pub get: fn(&Reading, usize) -> Cell<'static>,
}

/// Every heading, in the order of JSON.
pub const HEADINGS: &[Heading] = &[
    heading("time", Kind::Time, "wall clock, UTC, to the nanosecond", |reading, _| {
        Cell::Time(reading.moment.wall)
    }),
    heading(
        "ktime",
        Kind::Count,
        "time since boot, suspend included, nanoseconds",
        |reading, _| Cell::Count(reading.moment.ktime),
    ),
    heading("by", Kind::By, "what rows are: program, user, parent or cgroup", |reading, _| {
        Cell::Word(reading.by.name())
    }),
    heading("elapsed_ns", Kind::Span, "since the start", |reading, _| Cell::Span(reading.elapsed)),
    heading("interval_ns", Kind::Span, "since the reading before, or the start", |reading, _| {
        Cell::Span(reading.interval)
    }),
    heading("execs_per_s", Kind::Rate, "execs per second, in the interval", |reading, _| {
        Cell::Rate(reading.rate(|counts| counts.execs))
    }),
    failures(
        "failures_per_s",
        Kind::Rate,
        "failed execs per second, in the interval",
        |reading, _| Cell::Rate(reading.rate(|counts| counts.failures)),
    ),
    heading("execs", Kind::Count, "all execs since the start", |reading, _| {
        Cell::Count(reading.totals.execs)
    }),
    failures("failures", Kind::Count, "all failed execs since the start", |reading, _| {
        Cell::Count(reading.totals.failures)
    }),
    heading("ends", Kind::Count, "all runs that have ended since the start", |reading, _| {
        Cell::Count(reading.totals.ends)
    }),
    heading("other_execs", Kind::Count, "execs that are in no row below", |reading, shown| {
        Cell::Count(reading.others(shown).execs)
    }),
    failures(
        "other_failures",
        Kind::Count,
        "failed execs that are in no row below",
        |reading, shown| Cell::Count(reading.others(shown).failures),
    ),
    heading("other_ends", Kind::Count, "ended runs that are in no row below", |reading, shown| {
        Cell::Count(reading.others(shown).ends)
    }),
    heading(
        "forgotten_execs",
        Kind::Count,
        "of other_execs, those whose rows the kernel has forgotten for want of room",
        |reading, _| Cell::Count(reading.forgotten.execs),
    ),
    failures("forgotten_failures", Kind::Count, "the same of failed execs", |reading, _| {
        Cell::Count(reading.forgotten.failures)
    }),
    heading("rows_in_all", Kind::Count, "how many rows there are", |reading, _| {
        Cell::Count(reading.rows.len() as u64)
    }),
];

const fn heading(
    name: &'static str,
    kind: Kind,
    doc: &'static str,
    get: fn(&Reading, usize) -> Cell<'static>,
) -> Heading {
    Heading { name, doc, kind, of_failures: false, get }
}

const fn failures(
    name: &'static str,
    kind: Kind,
    doc: &'static str,
    get: fn(&Reading, usize) -> Cell<'static>,
) -> Heading {
    Heading { name, doc, kind, of_failures: true, get }
}

impl Column {
    /// The column with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        COLUMNS.iter().find(|column| column.name == name)
    }
}

/// Every column, in the order of JSON and of the table.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "execs_per_s",
        title: "EXECS/S",
        doc: "execs per second, since the reading before",
        kind: Kind::Rate,
        align: Align::Right(9),
        of_failures: false,
        spare: 0,
        get: |row| Cell::Rate(rate(row)),
        order: |one, other| rate(other).cmp(&rate(one)),
    },
    Column {
        name: "failures_per_s",
        title: "FAILED/S",
        doc: "failed execs per second, since the reading before",
        kind: Kind::Rate,
        align: Align::Right(9),
        of_failures: true,
        spare: 1,
        get: |row| Cell::Rate(failure_rate(row)),
        order: |one, other| failure_rate(other).cmp(&failure_rate(one)),
    },
    Column {
        name: "execs",
        title: "EXECS",
        doc: "execs since the start",
        kind: Kind::Count,
        align: Align::Right(9),
        of_failures: false,
        spare: 2,
        get: |row| Cell::Count(row.total.counts.execs),
        order: |one, other| other.total.counts.execs.cmp(&one.total.counts.execs),
    },
    Column {
        name: "failures",
        title: "FAILED",
        doc: "failed execs since the start; by program, those of the name that was given",
        kind: Kind::Count,
        align: Align::Right(8),
        of_failures: true,
        spare: 3,
        get: |row| Cell::Count(row.total.counts.failures),
        order: |one, other| other.total.counts.failures.cmp(&one.total.counts.failures),
    },
    Column {
        name: "ends",
        title: "ENDED",
        doc: "runs that have ended, of those that began since the start: with the process, or with its next exec",
        kind: Kind::Count,
        align: Align::Right(9),
        of_failures: false,
        spare: 4,
        get: |row| Cell::Count(row.total.counts.ends),
        order: |one, other| other.total.counts.ends.cmp(&one.total.counts.ends),
    },
    Column {
        name: "mean_ns",
        title: "MEAN",
        doc: "how long these runs took, on average",
        kind: Kind::MaybeSpan,
        align: Align::Right(10),
        of_failures: false,
        spare: 5,
        get: |row| span(mean(row)),
        order: |one, other| mean(other).cmp(&mean(one)),
    },
    Column {
        name: "p99_ns",
        title: "P99",
        doc: "what 99 of 100 of these runs did not exceed, an eighth too much or too little at most",
        kind: Kind::MaybeSpan,
        align: Align::Right(10),
        of_failures: false,
        spare: 6,
        get: |row| span(p99(row)),
        order: |one, other| p99(other).cmp(&p99(one)),
    },
    Column {
        name: "uid",
        title: "",
        doc: "the user's id, by user",
        kind: Kind::MaybeCount,
        align: Align::Right(6),
        of_failures: false,
        spare: 0,
        get: |row| row.name.uid().map_or(Cell::Null, |uid| Cell::Count(uid.into())),
        order: |one, other| one.name.uid().cmp(&other.name.uid()),
    },
    Column {
        name: "name",
        title: "NAME",
        doc: "the program's or the parent's path, or its short name, the user's name, the cgroup's path",
        kind: Kind::Name,
        align: Align::Left(0),
        of_failures: false,
        spare: 0,
        get: name,
        order: |one, other| one.name.bytes().cmp(&other.name.bytes()),
    },
];

fn rate(row: &Row) -> u64 {
    per_second(row.recent.execs, row.interval)
}

fn failure_rate(row: &Row) -> u64 {
    per_second(row.recent.failures, row.interval)
}

fn mean(row: &Row) -> Option<u64> {
    row.total.counts.run_time.checked_div(row.total.counts.ends)
}

fn p99(row: &Row) -> Option<u64> {
    row.total.run_times.percentile(99)
}

fn span(nanoseconds: Option<u64>) -> Cell<'static> {
    nanoseconds.map_or(Cell::Null, Cell::Span)
}

fn name(row: &Row) -> Cell<'_> {
    match &row.name {
        Name::Path(bytes) | Name::Comm(bytes) => Cell::Bytes(bytes),
        Name::End(bytes) => Cell::End(bytes),
        Name::User(_, Some(name)) => Cell::Word(name),
        Name::User(uid, None) => Cell::Nameless(*uid),
        Name::Unknown => Cell::Null,
    }
}
