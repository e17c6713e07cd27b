//! What the kernel side has counted without telling each exec: rows, and how they
//! change from one look to the next.
//!
//! A look has all that there is since the start. Rows that the kernel has forgotten for
//! want of room are in its totals all the same, so what no row has is a difference, and
//! nothing is lost without being said.

mod columns;
mod run_times;

use std::collections::HashMap;

use exectrail_abi::tally::{BY_CGROUP, BY_PARENT, BY_PROGRAM, BY_USER};

use crate::event::Moment;

pub use exectrail_abi::tally::Counts;

pub use self::{
    columns::{COLUMNS, Cell, Column, HEADINGS, Heading, Kind},
    run_times::RunTimes,
};

/// What execs are brought together by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The path of the executable; of a failed exec, the name that was given.
    #[default]
    Program,
    /// The user.
    User,
    /// The path of the parent's executable, or its short name.
    Parent,
    /// The cgroup in the unified hierarchy.
    Cgroup,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Program, Self::User, Self::Parent, Self::Cgroup];

    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::User => "user",
            Self::Parent => "parent",
            Self::Cgroup => "cgroup",
        }
    }

    /// As the kernel side knows it.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Program => BY_PROGRAM,
            Self::User => BY_USER,
            Self::Parent => BY_PARENT,
            Self::Cgroup => BY_CGROUP,
        }
    }
}

/// That execs are counted in the kernel, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counting {
    /// What execs are brought together by.
    pub by: By,
    /// Rows that the kernel has room for, times the CPUs that each is met on; by default
    /// enough for 8,192 on a small host.
    pub room: Option<u32>,
}

/// What a row is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// A path.
    Path(Vec<u8>),
    /// The end of a path, of which the beginning is not known.
    End(Vec<u8>),
    /// A task's short name.
    Comm(Vec<u8>),
    /// A user's id, and the name if it is known.
    User(u32, Option<String>),
    /// It could not be read.
    Unknown,
}

impl Name {
    /// Its bytes; a user's without a name are none.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Path(bytes) | Self::End(bytes) | Self::Comm(bytes) => Some(bytes),
            Self::User(_, name) => name.as_ref().map(String::as_bytes),
            Self::Unknown => None,
        }
    }

    /// A user's id.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        match self {
            Self::User(uid, _) => Some(*uid),
            _ => None,
        }
    }
}

/// All that has been counted since the start.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was looked at.
    pub moment: Moment,
    /// All that was counted, whether or not a row has it.
    pub totals: Counts,
    /// The rows that the kernel has.
    pub rows: HashMap<Name, Tallied>,
}

impl Snapshot {
    fn in_rows(&self) -> Counts {
        self.rows.values().fold(Counts::default(), |sum, row| plus(sum, row.counts))
    }

    /// The totals. They were read first, and rows have been counted in since.
    fn all(&self) -> Counts {
        most(self.totals, self.in_rows())
    }
}

/// What a row has.
#[derive(Clone, Debug, Default)]
pub struct Tallied {
    /// Numbers.
    pub counts: Counts,
    /// How long its runs took.
    pub run_times: RunTimes,
}

impl Tallied {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.counts = plus(self.counts, other.counts);
        self.run_times.add(&other.run_times);
    }
}

/// A look, beside the one before it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What its rows are.
    pub by: By,
    /// When it was taken.
    pub moment: Moment,
    /// From the start of the trace to it, nanoseconds.
    pub elapsed: u64,
    /// From the reading before, or from the start, nanoseconds.
    pub interval: u64,
    /// All that was counted since the start.
    pub totals: Counts,
    /// The same, since the reading before.
    pub recent: Counts,
    /// What no row of the kernel's has any more.
    pub forgotten: Counts,
    /// The rows, in order.
    pub rows: Vec<Row>,
}

/// A row of a reading.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: Name,
    /// All of it since the start.
    pub total: Tallied,
    /// What was counted since the reading before.
    pub recent: Counts,
    /// For how long that was, nanoseconds.
    pub interval: u64,
}

impl Reading {
    /// What has become of `before`, or of nothing at `start`, on the boot clock.
    #[must_use]
    pub fn between(by: By, start: u64, before: Option<&Snapshot>, after: &Snapshot) -> Self {
        let since = before.map_or(start, |before| before.moment.ktime);
        let interval = after.moment.ktime.saturating_sub(since);
        let rows = after.rows.iter().map(|(name, total)| {
            let past = before.and_then(|before| before.rows.get(name));
            let recent = minus(total.counts, past.map_or(Counts::default(), |past| past.counts));
            Row { name: name.clone(), total: total.clone(), recent, interval }
        });
        let rows = rows.collect();
        let past = before.map_or(Counts::default(), Snapshot::all);
        let (totals, in_rows) = (after.all(), after.in_rows());
        Self {
            by,
            moment: after.moment,
            elapsed: after.moment.ktime.saturating_sub(start),
            interval,
            totals,
            recent: minus(totals, past),
            forgotten: minus(totals, in_rows),
            rows,
        }
    }

    /// Puts the rows in the order of a column, the largest first, names by the alphabet.
    pub fn sort(&mut self, column: &Column) {
        self.rows.sort_by(|one, other| {
            let by_column = (column.order)(one, other);
            let by_execs = other.total.counts.execs.cmp(&one.total.counts.execs);
            by_column.then(by_execs).then_with(|| one.name.bytes().cmp(&other.name.bytes()))
        });
    }

    /// What is in none of the first `shown` rows.
    #[must_use]
    pub fn others(&self, shown: usize) -> Counts {
        self.rows.iter().take(shown).fold(self.totals, |left, row| minus(left, row.total.counts))
    }

    /// What was counted a second, lately, in thousandths.
    #[must_use]
    pub fn rate(&self, of: impl Fn(&Counts) -> u64) -> u64 {
        per_second(of(&self.recent), self.interval)
    }
}

/// So many in so many nanoseconds, a second, in thousandths.
fn per_second(count: u64, nanoseconds: u64) -> u64 {
    let per = u128::from(count) * 1_000_000_000_000 / u128::from(nanoseconds.max(1));
    u64::try_from(per).unwrap_or(u64::MAX)
}

/// The sum of both.
#[must_use]
pub fn plus(one: Counts, other: Counts) -> Counts {
    each(one, other, u64::saturating_add)
}

/// What is left without these. A row that was forgotten and is back begins anew, and so
/// can have less than before.
fn minus(one: Counts, other: Counts) -> Counts {
    each(one, other, u64::saturating_sub)
}

fn most(one: Counts, other: Counts) -> Counts {
    each(one, other, Ord::max)
}

fn each(one: Counts, other: Counts, of: impl Fn(u64, u64) -> u64) -> Counts {
    Counts {
        execs: of(one.execs, other.execs),
        failures: of(one.failures, other.failures),
        ends: of(one.ends, other.ends),
        run_time: of(one.run_time, other.run_time),
    }
}

#[cfg(test)]
mod tests;
