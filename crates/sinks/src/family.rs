//! A command and its descendants, for people: the end of `run`.

use std::fmt::{self, Write};

use exectrail_model::{
    errno,
    event::Status,
    family::{Family, Member},
};

use crate::{
    pretty::{Span, arguments, cut, result_of},
    quote::{Place, quote},
};

/// Lines of the tree, at most.
const TREE: usize = 60;
/// Lines of each of the lists behind it, at most.
const LIST: usize = 5;
/// Steps by which a line is moved to the right, at most.
const DEPTH: usize = 24;

/// Of less CPU time than this, most kernels do not know how much it was: they look with
/// each tick of the clock who runs.
const TICK: u64 = 10_000_000;

/// What is to be told besides the family itself.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Whose processes they are.
    pub whose: Whose,
    /// The boot clock.
    pub now: u64,
    /// How the command ended; it has not, without.
    pub status: Option<Status>,
    /// For how long it ran, nanoseconds.
    pub took: u64,
    /// CPU time of it and of all that it has waited for, nanoseconds.
    pub cpu: Option<u64>,
    /// CPU time that the first process had used before it was what was asked for.
    pub cpu_before: u64,
    /// Columns of the terminal; `None` where nothing is to be cut.
    pub width: Option<usize>,
}

/// Whose processes are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One command's: the first of them is the command itself.
    Command,
    /// A whole host's, as long as it was recorded.
    Host,
}

/// The summary of a command, or of a recording, several lines.
#[must_use]
pub fn family_words(family: &Family, occasion: &Occasion) -> String {
    let mut words = Words { text: String::new(), family, occasion: *occasion };
    // A String takes everything.
    let _ = words.write();
    words.text
}

struct Words<'f> {
    text: String,
    family: &'f Family,
    occasion: Occasion,
}

impl Words<'_> {
    fn write(&mut self) -> fmt::Result {
        self.head()?;
        self.tree()?;
        self.programs();
        self.slowest()?;
        self.failures()
    }

    /// A line, as much of it as has room.
    fn line(&mut self, line: &str) {
        match self.occasion.width.and_then(|width| cut::cut(line, width)) {
            Some(kept) => {
                self.text.push_str(kept);
                self.text.push('…');
            }
            None => self.text.push_str(line.trim_end()),
        }
        self.text.push('\n');
    }

    /// Never cut: no process has a say in it.
    fn head(&mut self) -> fmt::Result {
        let Occasion { whose, status, took, cpu, .. } = self.occasion;
        let counts = self.family.counts();
        match (whose, status) {
            (Whose::Command, Some(_)) => result_of(status, &mut self.text)?,
            (Whose::Command, None) => self.text.push_str("still runs"),
            (Whose::Host, _) => self.text.push_str("recorded"),
        }
        let after = if whose == Whose::Command { "after" } else { "for" };
        write!(self.text, " {after} {}", Span(took))?;
        if let Some(cpu) = cpu {
            let percent = u128::from(cpu) * 100 / u128::from(took.max(1));
            write!(self.text, ", CPU {} ({percent} %)", Span(cpu))?;
        }
        let plural = |number: u64, one: &'static str, more| if number == 1 { one } else { more };
        let processes = plural(counts.processes, "process", "processes");
        let execs = plural(counts.execs, "exec", "execs");
        write!(self.text, "; {} {processes}, {} {execs}", counts.processes, counts.execs)?;
        if counts.failed > 0 {
            write!(self.text, ", {} failed", counts.failed)?;
        }
        self.text.push('\n');
        Ok(())
    }

    fn tree(&mut self) -> fmt::Result {
        let members = self.family.members();
        if members.is_empty() {
            return Ok(());
        }
        self.line(&format!("{:>8}  {:<10} {:<8} {:<11} program", "pid", "took", "CPU", "end"));
        let order = in_order(members);
        for &(place, depth) in order.iter().take(TREE) {
            let Some(member) = members.get(place) else { continue };
            let mut line = self.measures(place, member)?;
            write!(line, " {:1$}", "", 2 * depth.min(DEPTH))?;
            command(member, &mut line)?;
            self.line(&line);
        }
        let more = order.len().saturating_sub(TREE) as u64 + self.family.counts().not_kept;
        if more > 0 {
            self.line(&format!("{:>8}  and {more} more processes", "…"));
        }
        Ok(())
    }

    /// Its id, how long it took, the CPU it used, and how it ended.
    fn measures(&self, place: usize, member: &Member) -> Result<String, fmt::Error> {
        let took = Span(member.duration(self.occasion.now)).to_string();
        let cpu = match self.cpu(place, member) {
            Some(..TICK) => "<10 ms".to_owned(),
            Some(cpu) => Span(cpu).to_string(),
            None => String::new(),
        };
        let mut end = String::new();
        match member.end {
            Some(told) => result_of(told.status, &mut end)?,
            None => end.push_str("still runs"),
        }
        Ok(format!("{:>8}  {took:<10} {cpu:<8} {end:<11}", member.pid))
    }

    fn cpu(&self, place: usize, member: &Member) -> Option<u64> {
        let is_first = place < self.leaders();
        let before = if is_first { self.occasion.cpu_before } else { 0 };
        member.end?.cpu.map(|cpu| cpu.saturating_sub(before))
    }

    /// How many at the beginning are the command itself.
    fn leaders(&self) -> usize {
        usize::from(self.occasion.whose == Whose::Command)
    }

    fn programs(&mut self) {
        let programs = self.family.programs();
        let often: Vec<_> = programs.iter().filter(|(_, times)| *times > 1).take(LIST).collect();
        if often.is_empty() {
            return;
        }
        self.line("most frequent programs");
        for (exe, times) in often {
            let mut line = format!("{times:>8}  ");
            quote(exe, Place::Command, &mut line);
            self.line(&line);
        }
    }

    /// A command takes as long as all of it, which is no news.
    fn slowest(&mut self) -> fmt::Result {
        let now = self.occasion.now;
        let mut others: Vec<_> =
            self.family.members().iter().enumerate().skip(self.leaders()).collect();
        if others.len() < 2 {
            return Ok(());
        }
        others.sort_by_key(|(_, member)| std::cmp::Reverse(member.duration(now)));
        self.line("slowest");
        for (place, member) in others.into_iter().take(LIST) {
            let mut line = self.measures(place, member)? + " ";
            command(member, &mut line)?;
            self.line(&line);
        }
        Ok(())
    }

    fn failures(&mut self) -> fmt::Result {
        // The first line has said how a command ended.
        let members = self.family.members().iter().enumerate().skip(self.leaders());
        let bad: Vec<_> = members.filter(|(_, member)| member.is_bad()).collect();
        let failures = self.family.failures();
        if bad.is_empty() && failures.is_empty() {
            return Ok(());
        }
        self.line("failures");
        let more = bad.len().saturating_sub(2 * LIST) + failures.len().saturating_sub(2 * LIST);
        for (place, member) in bad.into_iter().take(2 * LIST) {
            let mut line = self.measures(place, member)? + " ";
            command(member, &mut line)?;
            self.line(&line);
        }
        for (name, why, times) in failures.into_iter().take(2 * LIST) {
            let why = errno::name(why.errno).map_or_else(|| why.errno.to_string(), str::to_owned);
            let mut line = format!("{times:>8}  {why:<31} ");
            quote(name, Place::Command, &mut line);
            self.line(&line);
        }
        if more > 0 {
            self.line(&format!("{:>8}  and {more} more", "…"));
        }
        Ok(())
    }
}

/// What it ran last: as its arguments have it, or at least the file.
fn command(member: &Member, line: &mut String) -> fmt::Result {
    let mut words = String::new();
    match member.args() {
        Some(args) => arguments(args, false, &mut words)?,
        None => quote(&member.exe, Place::Command, &mut words),
    }
    line.push_str(&words);
    Ok(())
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

#[cfg(test)]
mod tests {
    use exectrail_abi::record::Process;
    use exectrail_model::{
        args::Args,
        event::{Body, Ended, Event, Failure, Moment, NO_PROCESS, Parent, Program},
    };

    use super::*;

    fn process(pid: u32) -> Process {
        Process { pid, start: 1_000_000, ..NO_PROCESS }
    }

    fn program(pid: u32, parent: u32, args: &str) -> Program<'_> {
        let parent = Parent { process: process(parent), id: None, image: 0, comm: b"", exe: None };
        Program {
            process: process(pid),
            parent: Some(parent),
            exe: Some(b"/bin/sh"),
            filename: Some(b"/opt/gone"),
            args: Some(Args::whole(args.as_bytes())),
            ..Program::UNKNOWN
        }
    }

    fn end(pid: u32, status: u32) -> Body<'static> {
        let (cpu_user, cpu_system) = (Some(12_000_000), Some(0));
        let status = Some(Status(status));
        Body::Exit(Ended { process: process(pid), status, cpu_user, cpu_system, ..Ended::UNKNOWN })
    }

    #[test]
    fn each_has_its_line_below_its_parent() {
        let mut family = Family::of(7);
        for (ktime, body) in [
            (2_000_000, Body::Exec(program(7, 1, "sh\0-c\0a\u{1b}b\0"))),
            (3_000_000, Body::Exec(program(8, 7, "sh\0"))),
            (3_500_000, Body::Exec(program(9, 7, "last\0"))),
            (4_000_000, Body::Exec(program(10, 8, "sh\0"))),
            (4_000_000, Body::Failed(program(10, 8, "x\0"), Failure { errno: 2 })),
            (5_000_000, end(10, 0x300)),
            (6_000_000, end(8, 9)),
            (7_000_000, end(7, 0)),
        ] {
            family.take(&Event { moment: Moment { ktime, wall: 0 }, body });
        }
        let occasion = Occasion {
            whose: Whose::Command,
            now: 9_000_000,
            status: Some(Status(0)),
            took: 5_000_000,
            cpu: Some(2_000_000),
            cpu_before: 5_000_000,
            width: Some(60),
        };
        let expect = "\
exit 0 after 5.0 ms, CPU 2.0 ms (40 %); 4 processes, 4 execs, 1 failed
     pid  took       CPU      end         program
       7  5.0 ms     <10 ms   exit 0      sh -c $'a\\eb'
       8  5.0 ms     12 ms    SIGKILL       sh
      10  4.0 ms     12 ms    exit 3          sh
       9  8.0 ms              still runs    last
most frequent programs
       4  /bin/sh
slowest
       9  8.0 ms              still runs  last
       8  5.0 ms     12 ms    SIGKILL     sh
      10  4.0 ms     12 ms    exit 3      sh
failures
       8  5.0 ms     12 ms    SIGKILL     sh
      10  4.0 ms     12 ms    exit 3      sh
       1  ENOENT                          /opt/gone
";
        assert_eq!(family_words(&family, &occasion), expect);
        let whole = Occasion { whose: Whose::Host, status: None, ..occasion };
        let whole = family_words(&family, &whole);
        assert!(whole.starts_with("recorded for 5.0 ms, CPU 2.0 ms (40 %); 4 proc"), "{whole}");
        assert!(whole.contains("slowest\n       9  8.0 ms "), "{whole}");
        assert!(whole.contains("       7  5.0 ms     12 ms    exit 0      sh -c"), "{whole}");
        let narrow = family_words(&family, &Occasion { width: Some(44), ..occasion });
        assert!(narrow.contains("<10 ms   exit 0      s…\n"), "{narrow}");
    }
}
