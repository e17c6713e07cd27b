//! What a row consists of, said once: tables, JSON and the choice of an order walk this.

use std::cmp::Ordering;

use super::{Name, Reading, Row, per_second};
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
    /// How it stands in a table.
    pub align: Align,
    /// Whether it is there only where failed execs are counted, too.
    pub of_failures: bool,
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

/// What is known of a reading as a whole, and a key of JSON.
#[derive(Debug)]
pub struct Heading {
    /// Its key, which ends with its unit.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether it is known only where failed execs are counted, too.
    pub of_failures: bool,
    /// Its value, when so many rows are shown.
    pub get: fn(&Reading, usize) -> Cell<'static>,
}

/// Every heading, in the order of JSON.
pub const HEADINGS: &[Heading] = &[
    heading("time", "wall clock, UTC, to the nanosecond", |reading, _| {
        Cell::Time(reading.moment.wall)
    }),
    heading("ktime", "time since boot, suspend included, nanoseconds", |reading, _| {
        Cell::Count(reading.moment.ktime)
    }),
    heading("by", "what rows are: program, user, parent or cgroup", |reading, _| {
        Cell::Word(reading.by.name())
    }),
    heading("elapsed_ns", "since the start", |reading, _| Cell::Span(reading.elapsed)),
    heading("interval_ns", "since the reading before, or the start", |reading, _| {
        Cell::Span(reading.interval)
    }),
    heading("execs_per_s", "execs per second, in the interval", |reading, _| {
        Cell::Rate(reading.rate(|counts| counts.execs))
    }),
    failures("failures_per_s", "failed execs per second, in the interval", |reading, _| {
        Cell::Rate(reading.rate(|counts| counts.failures))
    }),
    heading("execs", "all execs since the start", |reading, _| Cell::Count(reading.totals.execs)),
    failures("failures", "all failed execs since the start", |reading, _| {
        Cell::Count(reading.totals.failures)
    }),
    heading("ends", "all runs that have ended since the start", |reading, _| {
        Cell::Count(reading.totals.ends)
    }),
    heading("other_execs", "execs that are in no row below", |reading, shown| {
        Cell::Count(reading.others(shown).execs)
    }),
    failures("other_failures", "failed execs that are in no row below", |reading, shown| {
        Cell::Count(reading.others(shown).failures)
    }),
    heading("other_ends", "ended runs that are in no row below", |reading, shown| {
        Cell::Count(reading.others(shown).ends)
    }),
    heading(
        "forgotten_execs",
        "of other_execs, those whose rows the kernel has forgotten for want of room",
        |reading, _| Cell::Count(reading.forgotten.execs),
    ),
    failures("forgotten_failures", "the same of failed execs", |reading, _| {
        Cell::Count(reading.forgotten.failures)
    }),
    heading("rows_in_all", "how many rows there are", |reading, _| {
        Cell::Count(reading.rows.len() as u64)
    }),
];

const fn heading(
    name: &'static str,
    doc: &'static str,
    get: fn(&Reading, usize) -> Cell<'static>,
) -> Heading {
    Heading { name, doc, of_failures: false, get }
}

const fn failures(
    name: &'static str,
    doc: &'static str,
    get: fn(&Reading, usize) -> Cell<'static>,
) -> Heading {
    Heading { name, doc, of_failures: true, get }
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
        align: Align::Right(9),
        of_failures: false,
        get: |row| Cell::Rate(rate(row)),
        order: |one, other| rate(other).cmp(&rate(one)),
    },
    Column {
        name: "failures_per_s",
        title: "FAILED/S",
        doc: "failed execs per second, since the reading before",
        align: Align::Right(9),
        of_failures: true,
        get: |row| Cell::Rate(failure_rate(row)),
        order: |one, other| failure_rate(other).cmp(&failure_rate(one)),
    },
    Column {
        name: "execs",
        title: "EXECS",
        doc: "execs since the start",
        align: Align::Right(9),
        of_failures: false,
        get: |row| Cell::Count(row.total.counts.execs),
        order: |one, other| other.total.counts.execs.cmp(&one.total.counts.execs),
    },
    Column {
        name: "failures",
        title: "FAILED",
        doc: "failed execs since the start; by program, those of the name that was given",
        align: Align::Right(8),
        of_failures: true,
        get: |row| Cell::Count(row.total.counts.failures),
        order: |one, other| other.total.counts.failures.cmp(&one.total.counts.failures),
    },
    Column {
        name: "ends",
        title: "ENDED",
        doc: "runs that have ended, of those that began since the start: with the process, or with its next exec",
        align: Align::Right(9),
        of_failures: false,
        get: |row| Cell::Count(row.total.counts.ends),
        order: |one, other| other.total.counts.ends.cmp(&one.total.counts.ends),
    },
    Column {
        name: "mean_ns",
        title: "MEAN",
        doc: "how long these runs took, on average",
        align: Align::Right(10),
        of_failures: false,
        get: |row| span(mean(row)),
        order: |one, other| mean(other).cmp(&mean(one)),
    },
    Column {
        name: "p99_ns",
        title: "P99",
        doc: "what 99 of 100 of these runs did not exceed, an eighth too much or too little at most",
        align: Align::Right(10),
        of_failures: false,
        get: |row| span(p99(row)),
        order: |one, other| p99(other).cmp(&p99(one)),
    },
    Column {
        name: "uid",
        title: "",
        doc: "the user's id, by user",
        align: Align::Right(6),
        of_failures: false,
        get: |row| row.name.uid().map_or(Cell::Null, |uid| Cell::Count(uid.into())),
        order: |one, other| one.name.uid().cmp(&other.name.uid()),
    },
    Column {
        name: "name",
        title: "NAME",
        doc: "the program's or the parent's path, or its short name, the user's name, the cgroup's path",
        align: Align::Left(0),
        of_failures: false,
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
