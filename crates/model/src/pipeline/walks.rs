//! Misses of walks along `PATH`, on their way through the pipeline: held back as the
//! records that they were, and told when they are due.

use crate::{
    event::{Body, Event, Moment, Program},
    fold::{Folder, Miss, PATIENCE, Walker},
};

use super::course::{Again, Out};

/// All walks that are going on.
#[derive(Debug)]
pub(super) struct Walks<A> {
    folder: Folder<Held>,
    /// For what is held back and for nothing else: so the event before which it is
    /// told keeps its buffers, and the pieces of arguments that went into it.
    again: A,
    /// Misses that are due, and how many each stands for.
    due: Vec<(Held, u32)>,
    /// What the last one that was released leaves, for the next.
    spare: Held,
}

/// A miss that is held back, as the bytes that it was made of.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    moment: Moment,
}

impl<A: Again> Walks<A> {
    pub(super) fn new(again: A) -> Self {
        Self { folder: Folder::new(PATIENCE), again, due: Vec::new(), spare: Held::default() }
    }

    /// Takes a miss.
    pub(super) fn goes_on(&mut self, event: &Event<'_>, bytes: &[u8], out: &mut Out<'_, '_>) {
        let Body::Failed(program, failure) = &event.body else { return };
        let miss = Miss {
            walker: Walker { pid: program.process.pid, tid: program.tid },
            filename: program.filename.unwrap_or_default(),
            errno: failure.errno,
            ktime: event.moment.ktime,
        };
        let Self { folder, due, spare, .. } = self;
        let mut held = std::mem::take(spare);
        held.bytes.clear();
        held.bytes.extend_from_slice(bytes);
        held.moment = event.moment;
        if let Some(back) = folder.failed(&miss, held, &mut |held, count| due.push((held, count))) {
            *spare = back;
        }
        self.tell_due(out);
    }

    /// Takes a success, wanted or not: the walks of its process are over. What comes
    /// back is how many misses are folded into it; others are told, before it.
    pub(super) fn end_with(
        &mut self,
        event: &Event<'_>,
        wanted: bool,
        out: &mut Out<'_, '_>,
    ) -> u32 {
        let Some(program) = event.program() else { return 0 };
        let (pid, due) = (program.process.pid, &mut self.due);
        let release = &mut |held, count| due.push((held, count));
        let name = program.filename.filter(|_| wanted);
        let folded = name.map(|name| self.folder.succeeded(pid, name, event.moment.ktime, release));
        if folded.is_none() {
            self.folder.ended(pid, release);
        }
        self.tell_due(out);
        folded.unwrap_or(0)
    }

    /// Takes the end of a process.
    pub(super) fn end_of(&mut self, pid: u32, out: &mut Out<'_, '_>) {
        self.folder.ended(pid, &mut |held, count| self.due.push((held, count)));
        self.tell_due(out);
    }

    /// Tells what has been held back for long enough.
    pub(super) fn tick(&mut self, now: u64, out: &mut Out<'_, '_>) {
        self.folder.tick(now, &mut |held, count| self.due.push((held, count)));
        self.tell_due(out);
    }

    /// Tells all that is held back.
    pub(super) fn finish(&mut self, out: &mut Out<'_, '_>) {
        self.folder.finish(&mut |held, count| self.due.push((held, count)));
        self.tell_due(out);
    }

    fn tell_due(&mut self, out: &mut Out<'_, '_>) {
        for (held, count) in self.due.drain(..) {
            // It was one before; and nothing of it has changed since.
            if let Some(event) = self.again.again(&held.bytes, held.moment) {
                out.put(&standing_for(&event, count.saturating_sub(1)));
            }
            self.spare = held;
        }
    }
}

impl<A> Walks<A> {
    /// When, by the boot clock, a walk has lasted too long.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.folder.deadline()
    }
}

/// The same event, with so many misses folded into it.
pub(super) fn standing_for<'a>(event: &Event<'a>, folded: u32) -> Event<'a> {
    let with = |program: &Program<'a>| Program { folded, ..*program };
    let body = match &event.body {
        Body::Exec(program) => Body::Exec(with(program)),
        Body::Failed(program, failure) => Body::Failed(with(program), *failure),
        Body::Exit(_) | Body::Lost(_) | Body::Summary(_) => event.body,
    };
    Event { body, ..*event }
}
