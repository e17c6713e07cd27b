//! A command and its descendants, for people: the end of `run`.

use std::fmt::{self, Write};

use exectrail_model::{
    errno,
    family::Member,
    report::{FailedExec, Occasion, Process, Program, Report, Whose},
};

use crate::{
    pretty::{Span, arguments, cut, result_of},
    quote::{Place, quote},
};

/// Lines of the tree, at most.
const TREE: usize = 60;
/// Lines of each of the lists behind it, at most; of what went wrong, twice as many.
const LIST: usize = 5;
/// Steps by which a line is moved to the right, at most.
const DEPTH: usize = 24;

/// Of less CPU time than this, most kernels do not know how much it was: they look with
/// each tick of the clock who runs.
const TICK: u64 = 10_000_000;

/// A report in words, several lines, as wide as the terminal; nothing is cut without.
#[must_use]
pub fn report_words(report: &Report<'_>, width: Option<usize>) -> String {
    let mut words = Words { text: String::new(), report, width };
    // A String takes everything.
    let _ = words.write();
    words.text
}

struct Words<'r> {
    text: String,
    report: &'r Report<'r>,
    width: Option<usize>,
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
        match self.width.and_then(|width| cut::cut(line, width)) {
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
        let Occasion { whose, status, took, cpu, .. } = *self.report.occasion();
        let counts = self.report.family().counts();
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
        let processes = self.report.processes();
        if processes.is_empty() {
            return Ok(());
        }
        self.line(&format!("{:>8}  {:<10} {:<8} {:<11} program", "pid", "took", "CPU", "end"));
        for process in processes.iter().take(TREE) {
            let mut line = measures(process)?;
            let depth = if self.report.is_tree() { process.depth.min(DEPTH) } else { 0 };
            write!(line, " {:1$}", "", 2 * depth)?;
            command(process.member, &mut line)?;
            self.line(&line);
        }
        let not_kept = self.report.family().counts().not_kept;
        let more = processes.len().saturating_sub(TREE) as u64 + not_kept;
        if more > 0 {
            self.line(&format!("{:>8}  and {more} more processes", "…"));
        }
        Ok(())
    }

    fn programs(&mut self) {
        let programs = self.report.programs();
        let often: Vec<_> = programs.iter().filter(|one| one.execs > 1).take(LIST).collect();
        if often.is_empty() {
            return;
        }
        self.line("most frequent programs");
        for Program { exe, execs } in often {
            let mut line = format!("{execs:>8}  ");
            quote(exe, Place::Command, &mut line);
            self.line(&line);
        }
    }

    fn slowest(&mut self) -> fmt::Result {
        let slowest = self.report.slowest();
        if slowest.is_empty() {
            return Ok(());
        }
        self.line("slowest");
        self.list(&slowest)
    }

    fn failures(&mut self) -> fmt::Result {
        let mut bad = self.report.bad_ends();
        let failures = self.report.failures();
        if bad.is_empty() && failures.is_empty() {
            return Ok(());
        }
        self.line("failures");
        let more = bad.len().saturating_sub(2 * LIST) + failures.len().saturating_sub(2 * LIST);
        bad.truncate(2 * LIST);
        self.list(&bad)?;
        for FailedExec { filename, failure, count } in failures.into_iter().take(2 * LIST) {
            let number = failure.errno;
            let why = errno::name(number).map_or_else(|| number.to_string(), str::to_owned);
            let mut line = format!("{count:>8}  {why:<31} ");
            quote(filename, Place::Command, &mut line);
            self.line(&line);
        }
        if more > 0 {
            self.line(&format!("{:>8}  and {more} more", "…"));
        }
        Ok(())
    }

    /// Processes by their places.
    fn list(&mut self, places: &[usize]) -> fmt::Result {
        let report = self.report;
        for process in places.iter().filter_map(|&place| report.processes().get(place)) {
            let mut line = measures(process)? + " ";
            command(process.member, &mut line)?;
            self.line(&line);
        }
        Ok(())
    }
}

/// Its id, how long it took, the CPU it used, and how it ended.
fn measures(process: &Process<'_>) -> Result<String, fmt::Error> {
    let took = Span(process.duration).to_string();
    let cpu = match process.cpu {
        Some(..TICK) => "<10 ms".to_owned(),
        Some(cpu) => Span(cpu).to_string(),
        None => String::new(),
    };
    let mut end = String::new();
    match process.member.end {
        Some(told) => result_of(told.status, &mut end)?,
        None => end.push_str("still runs"),
    }
    Ok(format!("{:>8}  {took:<10} {cpu:<8} {end:<11}", process.member.pid))
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

#[cfg(test)]
mod tests {
    use exectrail_abi::record::Process;
    use exectrail_model::{
        args::Args,
        event::{Body, Ended, Event, Failure, Moment, NO_PROCESS, Parent, Program, Status},
        family::Family,
        order::Order,
        report::{Occasion, Report, Whose},
    };

    use super::report_words;

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

    fn family() -> Family {
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
        family
    }

    fn occasion() -> Occasion {
        Occasion {
            whose: Whose::Command,
            now: Moment { ktime: 9_000_000, wall: 0 },
            status: Some(Status(0)),
            took: 5_000_000,
            cpu: Some(2_000_000),
            cpu_before: 5_000_000,
        }
    }

    #[test]
    fn each_has_its_line_below_its_parent() {
        let (family, occasion) = (family(), occasion());
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
        let report = Report::new(&family, occasion);
        assert_eq!(report_words(&report, Some(60)), expect);
        let whole = Occasion { whose: Whose::Host, status: None, ..occasion };
        let whole = report_words(&Report::new(&family, whole), Some(60));
        assert!(whole.starts_with("recorded for 5.0 ms, CPU 2.0 ms (40 %); 4 proc"), "{whole}");
        assert!(whole.contains("slowest\n       9  8.0 ms "), "{whole}");
        assert!(whole.contains("       7  5.0 ms     12 ms    exit 0      sh -c"), "{whole}");
        let narrow = report_words(&report, Some(44));
        assert!(narrow.contains("<10 ms   exit 0      s…\n"), "{narrow}");
    }

    #[test]
    fn what_is_sorted_is_no_tree() {
        let (family, occasion) = (family(), occasion());
        let sorted = |list| {
            let report = Report::new(&family, occasion).sorted(&Order::parse(list).unwrap());
            let ancestors: Vec<_> = report.processes().iter().map(|one| one.ancestor).collect();
            (report_words(&report, Some(60)), ancestors)
        };
        let (words, ancestors) = sorted("-duration_ns,pid");
        let expect = "
       9  8.0 ms              still runs  last
       7  5.0 ms     <10 ms   exit 0      sh -c $'a\\eb'
       8  5.0 ms     12 ms    SIGKILL     sh
      10  4.0 ms     12 ms    exit 3      sh
most frequent programs
       4  /bin/sh
slowest
       9  8.0 ms              still runs  last
       8  5.0 ms     12 ms    SIGKILL     sh
";
        assert!(words.contains(expect), "{words}");
        // Places are those of the new order.
        assert_eq!(ancestors, [Some(1), None, Some(1), Some(2)]);
        // One that still runs has no CPU time that is known.
        assert!(sorted("-cpu_ns").0.contains("SIGKILL     sh\n      10  "));
        assert!(sorted("-cpu_ns").0.contains("still runs  last\nmost frequent"));
    }
}
