//! A command and its descendants: what became of each, for a summary.
//!
//! Built from the events of one tree. Of very large ones the first processes are kept, and
//! of the others the number.

use std::collections::HashMap;

use exectrail_abi::config::parts;

use crate::{
    args::Args,
    cpid::Cpid,
    event::{Body, Ended, Event, Failure, Program, Status},
    lineage::{Key, forebears, key},
};

/// Processes that are kept.
const MEMBERS: usize = 16_384;
/// Different programs, and different failures, that are counted each by itself.
const KINDS: usize = 4096;
/// Bytes of arguments that are kept of each.
const ARGS_KEPT: usize = 256;

/// Parts of a record that a family is built from.
pub const NEEDS: u32 = parts::PROCESS | parts::PARENT;

/// A process and its descendants.
#[derive(Debug)]
pub struct Family {
    root: u32,
    members: Vec<Member>,
    places: HashMap<Key, usize>,
    programs: HashMap<Box<[u8]>, u64>,
    failed: HashMap<(Box<[u8]>, Failure), u64>,
    /// Execs, failed ones, and processes that are not kept.
    counts: Counts,
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Execs.
    pub execs: u64,
    /// Execs that failed.
    pub failed: u64,
    /// Processes that called exec.
    pub processes: u64,
    /// Of these, those that are not among the members.
    pub not_kept: u64,
    /// Events that were lost.
    pub lost: u64,
}

/// A process that has called exec.
#[derive(Debug)]
pub struct Member {
    /// Process id.
    pub pid: u32,
    /// Its id that is never used again.
    pub id: Option<Cpid>,
    /// The nearest ancestor that is a member, too, by its place among them.
    pub parent: Option<usize>,
    /// What it ran last.
    pub exe: Box<[u8]>,
    /// How many programs it ran, one after the other.
    pub execs: u32,
    /// When it began, by the boot clock: the first process at its first exec, since it
    /// was there before; others when they were born.
    pub begun: u64,
    /// How it ended, if it has.
    pub end: Option<End>,
    args: Box<[u8]>,
    cut: Option<usize>,
}

/// The end of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When, by the boot clock.
    pub at: u64,
    /// As `wait` has it.
    pub status: Option<Status>,
    /// User and system time, nanoseconds.
    pub cpu: Option<u64>,
}

impl Member {
    /// Its arguments, or the first of many; none if they could not be read.
    #[must_use]
    pub fn args(&self) -> Option<Args<'_>> {
        let args = Args::whole(&self.args);
        let args = self.cut.map_or(args, |cut| args.cut_at(cut));
        (!self.args.is_empty()).then_some(args)
    }

    /// How long it ran, until `now` if it still does.
    #[must_use]
    pub fn duration(&self, now: u64) -> u64 {
        self.end.map_or(now, |end| end.at).saturating_sub(self.begun)
    }

    /// Whether it ended by a signal, or with a code that is not zero.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        let status = self.end.and_then(|end| end.status);
        status.is_some_and(|status| status.code() != Some(0))
    }

    fn runs(&mut self, program: &Program<'_>) {
        self.exe = program.exe.or(program.filename).unwrap_or(program.comm).into();
        let (bytes, cut) = program.args.map_or((&[][..], None), |args| args.first_bytes(ARGS_KEPT));
        (self.args, self.cut) = (bytes.into(), cut);
        self.execs = self.execs.saturating_add(1);
    }
}

impl Family {
    /// That of the process with this id.
    #[must_use]
    pub fn of(root: u32) -> Self {
        Self {
            root,
            members: Vec::new(),
            places: HashMap::new(),
            programs: HashMap::new(),
            failed: HashMap::new(),
            counts: Counts::default(),
        }
    }

    /// Takes an event of one of them.
    pub fn take(&mut self, event: &Event<'_>) {
        match &event.body {
            Body::Exec(program) => self.exec(program, event.moment.ktime),
            Body::Failed(program, failure) => self.failed(program, *failure),
            Body::Exit(ended) => self.end(ended, event.moment.ktime),
            Body::Lost(lost) => self.counts.lost += lost.count,
            Body::Summary(_) => {}
        }
    }

    fn exec(&mut self, program: &Program<'_>, at: u64) {
        self.counts.execs += 1;
        self.counts.failed += u64::from(program.folded);
        count(&mut self.programs, || {
            program.exe.or(program.filename).unwrap_or(program.comm).into()
        });
        let key = key(&program.process);
        if let Some(member) = self.places.get(&key).and_then(|&place| self.members.get_mut(place)) {
            member.runs(program);
            return;
        }
        self.counts.processes += 1;
        if self.members.len() >= MEMBERS {
            self.counts.not_kept += 1;
            return;
        }
        let is_root = program.process.pid == self.root && self.members.is_empty();
        let begun = if is_root { at } else { program.process.start };
        let mut member = Member {
            pid: program.process.pid,
            id: program.id,
            parent: if is_root { None } else { self.parent_of(program) },
            exe: Box::default(),
            execs: 0,
            begun,
            end: None,
            args: Box::default(),
            cut: None,
        };
        member.runs(program);
        self.places.insert(key, self.members.len());
        self.members.push(member);
    }

    /// The nearest of its ancestors that is known. One that has not called exec, a shell's
    /// copy of itself, is none.
    fn parent_of(&self, program: &Program<'_>) -> Option<usize> {
        forebears(program).find_map(|key| self.places.get(&key).copied())
    }

    fn failed(&mut self, program: &Program<'_>, failure: Failure) {
        let times = 1 + u64::from(program.folded);
        self.counts.failed += times;
        let name = program.filename.or(program.exe).unwrap_or(program.comm);
        let known = self.failed.len();
        match self.failed.get_mut(&(name.into(), failure)) {
            Some(count) => *count += times,
            None if known < KINDS => drop(self.failed.insert((name.into(), failure), times)),
            None => {}
        }
    }

    fn end(&mut self, ended: &Ended<'_>, at: u64) {
        let place = self.places.get(&key(&ended.process)).copied();
        let Some(member) = place.and_then(|place| self.members.get_mut(place)) else { return };
        let cpu = ended.cpu_user.zip(ended.cpu_system).map(|(user, system)| user + system);
        member.end = Some(End { at, status: ended.status, cpu });
    }

    /// Those that are kept, in the order of their first execs.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many there were of all.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether a process is one of them, as far as is known, and has not ended.
    #[must_use]
    pub fn has_living(&self, pid: u32) -> bool {
        pid == self.root || self.members.iter().rev().any(|one| one.pid == pid && one.end.is_none())
    }

    /// Programs with the number of their execs, most frequent first.
    #[must_use]
    pub fn programs(&self) -> Vec<(&[u8], u64)> {
        let mut all: Vec<_> = self.programs.iter().map(|(exe, &times)| (&**exe, times)).collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        all
    }

    /// What was not started, why, and how often, most frequent first.
    #[must_use]
    pub fn failures(&self) -> Vec<(&[u8], Failure, u64)> {
        let all = self.failed.iter();
        let mut all: Vec<_> = all.map(|((name, why), &times)| (&**name, *why, times)).collect();
        all.sort_by(|one, other| {
            other.2.cmp(&one.2).then(one.0.cmp(other.0)).then(one.1.errno.cmp(&other.1.errno))
        });
        all
    }
}

fn count(counts: &mut HashMap<Box<[u8]>, u64>, name: impl Fn() -> Box<[u8]>) {
    let known = counts.len();
    match counts.get_mut(&name()) {
        Some(count) => *count += 1,
        None if known < KINDS => drop(counts.insert(name(), 1)),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use exectrail_abi::record::Process;

    use super::*;
    use crate::event::{Moment, NO_PROCESS, Parent};

    fn process(pid: u32, start: u64) -> Process {
        Process { pid, start, ..NO_PROCESS }
    }

    fn exec(family: &mut Family, own: Process, parent: Process, exe: &str, at: u64) {
        let args = format!("{exe}\0");
        let parent = Parent { process: parent, id: None, image: 0, comm: b"", exe: None };
        let program = Program {
            process: own,
            parent: Some(parent),
            exe: Some(exe.as_bytes()),
            args: Some(Args::whole(args.as_bytes())),
            ..Program::UNKNOWN
        };
        let moment = Moment { ktime: at, wall: 0 };
        family.take(&Event { moment, body: Body::Exec(program) });
    }

    fn end(family: &mut Family, own: Process, status: u32, at: u64) {
        let ended = Ended {
            process: own,
            status: Some(Status(status)),
            cpu_user: Some(2),
            cpu_system: Some(3),
            ..Ended::UNKNOWN
        };
        family.take(&Event { moment: Moment { ktime: at, wall: 0 }, body: Body::Exit(ended) });
    }

    #[test]
    fn a_process_id_that_comes_back_is_another_member() {
        let mut family = Family::of(7);
        let (root, first, second) = (process(7, 1), process(8, 20), process(8, 40));
        exec(&mut family, root, process(1, 0), "sh", 10);
        exec(&mut family, first, root, "a", 21);
        end(&mut family, first, 0x100, 25);
        exec(&mut family, second, root, "a", 41);
        exec(&mut family, second, root, "b", 42);
        end(&mut family, root, 0, 60);

        let seen: Vec<_> = family
            .members()
            .iter()
            .map(|one| (one.pid, one.parent, &*one.exe, one.duration(100), one.is_bad()))
            .collect();
        // The first one was held until the trace had begun, which is not its time.
        let expect = [
            (7, None, &b"sh"[..], 50, false),
            (8, Some(0), b"a", 5, true),
            (8, Some(0), b"b", 60, false),
        ];
        assert_eq!(seen, expect);
        assert_eq!(family.members()[0].end.unwrap().cpu, Some(5));
        assert_eq!(family.members()[2].execs, 2);
        assert!(family.has_living(8) && !family.has_living(9));
        assert_eq!(family.programs(), [(&b"a"[..], 2), (b"b", 1), (b"sh", 1)]);
        assert_eq!((family.counts().execs, family.counts().processes), (4, 3));
    }

    #[test]
    fn of_very_many_the_number_is_kept() {
        let mut family = Family::of(1);
        let many = u32::try_from(MEMBERS).unwrap() + 10;
        for pid in 1..=many {
            exec(&mut family, process(pid, 5), process(1, 5), &format!("/p{pid}"), 6);
        }
        assert_eq!(family.members().len(), MEMBERS);
        assert_eq!((family.counts().processes, family.counts().not_kept), (many.into(), 10));
        assert_eq!(family.programs().len(), KINDS);
    }
}
