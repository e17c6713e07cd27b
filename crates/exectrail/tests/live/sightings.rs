//! What a sensor saw of each process, beside what the connector tells of it.

use exectrail_model::event::{Body, Event};

use crate::oracle::Lives;

/// What a sensor told. Times are on the connector's clock.
#[derive(Default)]
pub(crate) struct Told {
    execs: Vec<Start>,
    ends: Vec<End>,
    /// Those that `lost` events tell of.
    pub(crate) missed: u64,
}

struct Start {
    pid: u32,
    time: u64,
    /// The last argument's first byte.
    letter: u8,
}

struct End {
    pid: u32,
    time: u64,
    killed: bool,
}

impl Told {
    pub(crate) fn take(&mut self, event: &Event<'_>, suspended: u64) {
        let time = event.moment.ktime - suspended;
        match event.body {
            Body::Exec(program) => {
                let (bytes, _) = program.args.unwrap_or_default().first_bytes(4096);
                let last = bytes.split(|&byte| byte == 0).rev().nth(1).unwrap_or_default();
                let letter = last.first().copied().unwrap_or(0);
                self.execs.push(Start { pid: program.process.pid, time, letter });
            }
            Body::Exit(ended) => {
                let killed = ended.status.unwrap().signal().is_some();
                self.ends.push(End { pid: ended.process.pid, time, killed });
            }
            Body::Lost(lost) if lost.reason == "missed" => self.missed += lost.count,
            Body::Lost(lost) => panic!("the buffer is too small: {lost:?}"),
            Body::Failed(..) | Body::Summary(_) => {}
        }
    }
}

/// What was seen of a process, as numbers of its execs, counted from one.
#[derive(Default)]
pub(crate) struct Sightings {
    execs: Vec<usize>,
    /// How many there had been at its end, and whether a signal ended it.
    end: Option<(usize, bool)>,
}

/// Every process's sightings. An exec is told by us before it is by the connector
/// (`exec_binprm`, fs/exec.c), so those that the connector told before that moment
/// came before it.
pub(crate) fn sightings(lives: &Lives, told: &Told) -> Vec<Sightings> {
    let mut all: Vec<Sightings> = lives.iter().map(|_| Sightings::default()).collect();
    let find = |pid, time| {
        let at = lives.at(pid, time)?;
        Some((at, lives.get(at).execs.partition_point(|&exec| exec < time)))
    };
    for exec in &told.execs {
        if let Some((at, before)) = find(exec.pid, exec.time) {
            all[at].execs.push(before + 1);
        }
    }
    for end in &told.ends {
        if let Some((at, before)) = find(end.pid, end.time) {
            all[at].end = Some((before, end.killed));
        }
    }
    all
}

impl Sightings {
    /// How many execs before the last sighting were missed, at least and at most.
    ///
    /// The two differ for a process that a signal ended with execs missed right
    /// before: one of the counter's steps can be that of the exec it died in.
    fn missed(&self, known_from_birth: bool) -> (usize, usize) {
        let mut missed = 0;
        // Of a process that is older than the trace, the first sighting is the
        // beginning.
        let mut last = known_from_birth.then_some(0);
        for &exec in &self.execs {
            missed += last.map_or(0, |last| exec - last - 1);
            last = Some(exec);
        }
        let Some((end, killed)) = self.end else { return (missed, missed) };
        let at_end = last.map_or(0, |last| end - last);
        let doubtful = usize::from(killed && at_end > 0);
        (missed + at_end - doubtful, missed + at_end)
    }

    /// How many execs there had been when it was last seen.
    fn last(&self) -> usize {
        self.end.map(|(execs, _)| execs).or(self.execs.last().copied()).unwrap_or(0)
    }
}

/// The same of all processes; those born after `attached` are known from birth.
pub(crate) fn missed(lives: &Lives, all: &[Sightings], attached: u64) -> (usize, usize) {
    lives.iter().zip(all).fold((0, 0), |(least, most), (life, seen)| {
        let more = seen.missed(life.born.is_some_and(|born| born > attached));
        (least + more.0, most + more.1)
    })
}

/// What became of the execs of a storm's processes.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// By the connector.
    pub(crate) told: usize,
    pub(crate) shown: usize,
    pub(crate) missed: usize,
    /// Those after the last sighting.
    pub(crate) unknown: usize,
    /// Processes that were seen, missed, and seen again.
    pub(crate) across: usize,
}

impl Family {
    pub(crate) fn of(lives: &Lives, all: &[Sightings], root: u32) -> Self {
        let mut family = Self::default();
        let descend = lives.descend_from(root);
        for ((life, seen), _) in lives.iter().zip(all).zip(descend).filter(|(_, is)| *is) {
            let (_, missed) = seen.missed(true);
            family.told += life.execs.len();
            family.shown += seen.execs.len();
            family.missed += missed;
            family.unknown += life.execs.len() - seen.last();
            family.across += usize::from(missed > 0 && seen.execs.first() == Some(&1));
        }
        family
    }
}

/// A second witness for which exec was seen: a chain's letter says how many are to
/// come.
pub(crate) fn the_letters_agree(lives: &Lives, told: &Told, root: u32) {
    let descend = lives.descend_from(root);
    for exec in &told.execs {
        let Some(at) = lives.at(exec.pid, exec.time).filter(|&at| descend[at]) else { continue };
        let life = lives.get(at);
        let before = life.execs.partition_point(|&other| other < exec.time);
        assert_eq!(before + 1 + usize::from(exec.letter - b'a'), life.execs.len(), "{life:?}");
    }
}
