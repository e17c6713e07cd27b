//! How deep a process stands below those that have been shown, while they are shown.
//!
//! A stream cannot wait for what comes: an event's place is found among the processes
//! whose lines went before.

use std::{collections::HashMap, mem};

use exectrail_abi::{config::parts, record::Process};

use crate::{
    ancestors::Ancestors,
    event::{Body, Event, Program},
};

/// Parts of a record that places are found by. The more ancestors a record has, the
/// fewer places are missed: a shell's copy of itself has no line.
pub const NEEDS: u32 = parts::PROCESS | parts::PARENT;

/// Processes that are kept, at least; at most twice as many.
const KEPT: usize = 8192;

/// What names a process: when it started, and its id.
pub(crate) type Key = (u64, u32);

pub(crate) fn key(process: &Process) -> Key {
    (process.start, process.pid)
}

/// Those before the program's process, nearest first.
pub(crate) fn forebears(program: &Program<'_>) -> impl Iterator<Item = Key> {
    let parent = program.parent.iter().map(|parent| key(&parent.process));
    let before = program.ancestors.iter().flat_map(Ancestors::iter);
    parent.chain(before.map(|ancestor| key(&ancestor.process)))
}

/// The processes that have been shown, each with its depth.
///
/// Forgotten are those whose end is shown and, where ends are not, those that nothing has
/// descended from for long: of two halves, the older one goes when the other is full.
#[derive(Debug, Default)]
pub struct Lineage {
    recent: HashMap<Key, usize>,
    older: HashMap<Key, usize>,
}

impl Lineage {
    /// How many processes above this event's have a line each; 0 where none is known. The
    /// event is taken to be shown.
    pub fn depth(&mut self, event: &Event<'_>) -> usize {
        match &event.body {
            Body::Exec(program) | Body::Failed(program, _) => {
                let own = key(&program.process);
                let depth = self.find(own).or_else(|| {
                    let above = forebears(program).find_map(|one| self.find(one));
                    above.map(|above| above.saturating_add(1))
                });
                let depth = depth.unwrap_or(0);
                self.keep(own, depth);
                depth
            }
            Body::Exit(ended) => {
                let own = key(&ended.process);
                let older = self.older.remove(&own);
                self.recent.remove(&own).or(older).unwrap_or(0)
            }
            Body::Lost(_) | Body::Summary(_) => 0,
        }
    }

    /// Who is asked for is recent again.
    fn find(&mut self, key: Key) -> Option<usize> {
        if let Some(&depth) = self.recent.get(&key) {
            return Some(depth);
        }
        let depth = self.older.remove(&key)?;
        self.keep(key, depth);
        Some(depth)
    }

    fn keep(&mut self, key: Key, depth: usize) {
        let (start, _) = key;
        // Of those whose start could not be read, one is taken for another.
        if start == 0 {
            return;
        }
        if self.recent.len() >= KEPT && !self.recent.contains_key(&key) {
            self.older = mem::take(&mut self.recent);
        }
        self.recent.insert(key, depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Ended, Failure, Moment, NO_PROCESS, Parent};

    fn process(pid: u32, start: u64) -> Process {
        Process { pid, start, ..NO_PROCESS }
    }

    fn program(own: Process, parent: Process) -> Program<'static> {
        let parent = Parent { process: parent, id: None, image: 0, comm: b"", exe: None };
        Program { process: own, parent: Some(parent), ..Program::UNKNOWN }
    }

    fn depth(lineage: &mut Lineage, body: &Body<'_>) -> usize {
        lineage.depth(&Event { moment: Moment::default(), body: *body })
    }

    fn exec(lineage: &mut Lineage, own: Process, parent: Process) -> usize {
        depth(lineage, &Body::Exec(program(own, parent)))
    }

    fn end(lineage: &mut Lineage, own: Process) -> usize {
        depth(lineage, &Body::Exit(Ended { process: own, ..Ended::UNKNOWN }))
    }

    #[test]
    fn each_stands_below_the_nearest_that_was_shown() {
        let mut lineage = Lineage::default();
        let (init, shell, make, cc) = (process(1, 1), process(7, 5), process(8, 6), process(9, 7));
        assert_eq!(exec(&mut lineage, shell, init), 0);
        assert_eq!(exec(&mut lineage, make, shell), 1);
        assert_eq!(exec(&mut lineage, make, shell), 1, "another image of the same process");
        assert_eq!(exec(&mut lineage, cc, make), 2);
        assert_eq!(exec(&mut lineage, process(10, 8), process(5, 5)), 0);
        let failed = Body::Failed(program(process(11, 9), make), Failure { errno: 2 });
        assert_eq!(depth(&mut lineage, &failed), 2);
        assert_eq!(end(&mut lineage, make), 1);
        assert_eq!(exec(&mut lineage, process(12, 10), make), 0, "it has ended");
        assert_eq!(exec(&mut lineage, process(9, 700), process(8, 600)), 0, "ids come back");
        assert_eq!(end(&mut lineage, process(99, 1)), 0);
    }

    #[test]
    fn what_could_not_be_read_is_nobodys_forebear() {
        let mut lineage = Lineage::default();
        exec(&mut lineage, process(7, 0), process(1, 1));
        assert_eq!(exec(&mut lineage, process(8, 5), process(7, 0)), 0);
    }

    #[test]
    fn few_are_kept_of_many_and_the_busy_ones_among_them() {
        let mut lineage = Lineage::default();
        let (init, busy, idle) = (process(1, 1), process(2, 1), process(3, 1));
        exec(&mut lineage, busy, init);
        exec(&mut lineage, idle, init);
        for number in 0..10 * u32::try_from(KEPT).unwrap() {
            assert_eq!(exec(&mut lineage, process(10 + number, 9), busy), 1);
            assert!(lineage.recent.len() + lineage.older.len() <= 2 * KEPT);
        }
        assert_eq!(exec(&mut lineage, process(4, 9), idle), 0);
    }
}
