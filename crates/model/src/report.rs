//! What there is to say of a command at its end, or of a recording: the same for people and
//! for programs.

mod keys;

use std::cmp::Reverse;

use crate::{
    event::{Failure, Moment, Status},
    family::{Family, Member},
    order::Order,
};

pub use self::keys::{
    FAILURES, Items, Key, LISTS, List, OfFailure, OfProcess, OfProgram, OfReport, PROCESSES,
    PROGRAMS, REPORT,
};

/// Of the slowest, so many are named.
const SLOWEST: usize = 5;

/// What is to be told besides the family itself.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Whose processes they are.
    pub whose: Whose,
    /// When it is told.
    pub now: Moment,
    /// How the command ended; it has not, without.
    pub status: Option<Status>,
    /// For how long it ran, nanoseconds.
    pub took: u64,
    /// CPU time of it and of all that it has waited for, nanoseconds.
    pub cpu: Option<u64>,
    /// CPU time that the first process had used before it was what was asked for,
    /// nanoseconds.
    pub cpu_before: u64,
}

/// Whose processes are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One command's: the first of them is the command itself.
    Command,
    /// A whole host's, as long as it was recorded.
    Host,
}

impl Whose {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Host => "host",
        }
    }
}

/// A family, in the order in which it is told.
#[derive(Debug)]
pub struct Report<'f> {
    family: &'f Family,
    occasion: Occasion,
    processes: Vec<Process<'f>>,
    /// The place of the command itself, if there is one.
    command: Option<usize>,
    is_tree: bool,
}

/// A process of a report.
#[derive(Clone, Copy, Debug)]
pub struct Process<'f> {
    /// What is known of it.
    pub member: &'f Member,
    /// How many of its ancestors are in the report.
    pub depth: usize,
    /// The nearest of these, by its place in the report.
    pub ancestor: Option<usize>,
    /// How long it ran, or has run, nanoseconds.
    pub duration: u64,
    /// User and system time, nanoseconds; while it runs, it is not known.
    pub cpu: Option<u64>,
}

impl Process<'_> {
    /// How it ended, if that is known.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.member.end?.status
    }
}

/// A program of a report: the path of an executable, and how often it was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<'f> {
    /// The path.
    pub exe: &'f [u8],
    /// How often.
    pub execs: u64,
}

/// What was not executed, why, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedExec<'f> {
    /// The name that was given.
    pub filename: &'f [u8],
    /// Why.
    pub failure: Failure,
    /// How often.
    pub count: u64,
}

impl<'f> Report<'f> {
    /// Of this family, on this occasion.
    #[must_use]
    pub fn new(family: &'f Family, occasion: Occasion) -> Self {
        let members = family.members();
        let order = in_order(members);
        let mut places = vec![0; members.len()];
        for (place, &(index, _)) in order.iter().enumerate() {
            if let Some(of_member) = places.get_mut(index) {
                *of_member = place;
            }
        }
        let listed = order.iter().filter_map(|&(index, depth)| {
            let member = members.get(index)?;
            // The first one was held before it was the command.
            let is_command = index == 0 && occasion.whose == Whose::Command;
            let before = if is_command { occasion.cpu_before } else { 0 };
            let cpu = member.end.and_then(|end| end.cpu);
            Some(Process {
                member,
                depth,
                ancestor: member.parent.and_then(|index| places.get(index).copied()),
                duration: member.duration(occasion.now.ktime),
                cpu: cpu.map(|cpu| cpu.saturating_sub(before)),
            })
        });
        let command = (occasion.whose == Whose::Command).then_some(0);
        Self { family, occasion, processes: listed.collect(), command, is_tree: true }
    }

    /// The same with its processes in another order; of equal ones, those stay before the
    /// others that are before them in the tree.
    #[must_use]
    pub fn sorted(self, order: &Order<Key<OfProcess>>) -> Self {
        let keyed = self.processes.iter().map(|process| {
            let mut key = Vec::new();
            order.key(process, &mut key);
            (key, process)
        });
        let mut keyed: Vec<_> = keyed.enumerate().collect();
        keyed.sort_by(|(_, (one, _)), (_, (other, _))| one.cmp(other));
        let mut places = vec![0; keyed.len()];
        for (place, &(before, _)) in keyed.iter().enumerate() {
            if let Some(now) = places.get_mut(before) {
                *now = place;
            }
        }
        let moved = |place: usize| places.get(place).copied();
        let processes = keyed.iter().map(|&(_, (_, process))| Process {
            ancestor: process.ancestor.and_then(moved),
            ..*process
        });
        Self {
            processes: processes.collect(),
            command: self.command.and_then(moved),
            is_tree: false,
            ..self
        }
    }

    /// Whether each process stands before its children.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.is_tree
    }

    /// The family.
    #[must_use]
    pub fn family(&self) -> &'f Family {
        self.family
    }

    /// The occasion.
    #[must_use]
    pub fn occasion(&self) -> &Occasion {
        &self.occasion
    }

    /// Those that called exec, each before its children, and these in the order of their
    /// first execs, or as they have been [sorted](Self::sorted).
    #[must_use]
    pub fn processes(&self) -> &[Process<'f>] {
        &self.processes
    }

    /// Programs, most frequent first.
    #[must_use]
    pub fn programs(&self) -> Vec<Program<'f>> {
        let all = self.family.programs().into_iter();
        all.map(|(exe, execs)| Program { exe, execs }).collect()
    }

    /// What was not executed, most frequent first.
    #[must_use]
    pub fn failures(&self) -> Vec<FailedExec<'f>> {
        let all = self.family.failures().into_iter();
        all.map(|(filename, failure, count)| FailedExec { filename, failure, count }).collect()
    }

    /// Places of those that took longest. A command takes as long as all of it, which is no
    /// news, and neither is which one of one other took longest.
    #[must_use]
    pub fn slowest(&self) -> Vec<usize> {
        let mut others = self.others();
        if others.len() < 2 {
            return Vec::new();
        }
        let duration = |place: usize| self.processes.get(place).map(|process| process.duration);
        others.sort_by_key(|&place| Reverse(duration(place)));
        others.truncate(SLOWEST);
        others
    }

    /// Places of those that a signal ended, or that ended with a code that is not zero. How
    /// a command itself ended is told by itself.
    #[must_use]
    pub fn bad_ends(&self) -> Vec<usize> {
        let is_bad =
            |place: &usize| self.processes.get(*place).is_some_and(|it| it.member.is_bad());
        self.others().into_iter().filter(is_bad).collect()
    }

    /// Places of all but the command itself.
    fn others(&self) -> Vec<usize> {
        (0..self.processes.len()).filter(|place| self.command != Some(*place)).collect()
    }
}

/// Places and depths, each process before its children, and these in the order in which
/// they came.
fn in_order(members: &[Member]) -> Vec<(usize, usize)> {
    let mut children = vec![Vec::new(); members.len()];
    let mut next = Vec::new();
    for (place, member) in members.iter().enumerate() {
        match member.parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(place),
            None => next.push((place, 0)),
        }
    }
    next.reverse();
    let mut order = Vec::with_capacity(members.len());
    // No recursion: how deep a tree is, is up to those who are traced.
    while let Some((place, depth)) = next.pop() {
        order.push((place, depth));
        let below = children.get(place).into_iter().flatten();
        next.extend(below.rev().map(|&child| (child, depth + 1)));
    }
    order
}
