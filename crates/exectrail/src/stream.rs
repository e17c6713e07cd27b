//! From the sensor to the sink: names, and the count.

use std::{collections::VecDeque, io, ops::ControlFlow, time::Instant};

use exectrail_model::{
    enrich::users::Users,
    event::{Body, Ended, Event, Lost, Program, Summary},
    pipeline::Counts,
    report::Report,
};
use exectrail_sensor::Account;
use exectrail_sinks::Sink;

use crate::{
    sorting::Sorting,
    users::{self, Resolver},
};

/// Everything that a trace shows, on its way out.
pub(crate) struct Stream {
    /// Of a recording there are none: it has the names that were known then.
    names: Option<Names>,
    shown: Shown,
    lost: u64,
}

/// Names of users, and who looks them up.
struct Names {
    users: Users,
    resolver: Resolver,
}

impl Stream {
    /// A stream that shows at most `count` events.
    pub(crate) fn new(sink: Box<dyn Sink>, count: Option<u64>) -> Self {
        let names = Names { users: users::of_this_host(), resolver: Resolver::start() };
        Self { names: Some(names), ..Self::of_recording(sink, count) }
    }

    /// A stream of events that were told before, likewise.
    pub(crate) fn of_recording(sink: Box<dyn Sink>, count: Option<u64>) -> Self {
        Self { names: None, shown: Shown::new(sink, count.unwrap_or(u64::MAX)), lost: 0 }
    }

    /// The same, which shows nothing before it is [settled](Self::settle).
    pub(crate) fn sorted(self, sorting: Sorting) -> Self {
        Self { shown: Shown { sorting: Some(sorting), ..self.shown }, ..self }
    }

    /// Writes what comes before the first event.
    pub(crate) fn begin(&mut self) {
        let begun = self.shown.sink.begin().and_then(|()| self.shown.sink.flush());
        self.shown.failure = begun.err();
    }

    /// Takes an event; `Break` once there is no use for more.
    pub(crate) fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let creds = match &event.body {
            Body::Exec(program) | Body::Failed(program, _) => program.creds,
            Body::Exit(ended) => ended.creds,
            Body::Lost(Lost { count, .. }) => {
                self.lost += count;
                self.shown.take(event, 0);
                return self.flow();
            }
            Body::Summary(_) => return self.flow(),
        };
        let Some(Names { users, .. }) = &mut self.names else {
            self.shown.take(event, stands_for(event));
            return self.flow();
        };
        let user = creds.and_then(|creds| users.get(creds.uid));
        let body = match event.body {
            Body::Exec(program) => Body::Exec(Program { user, ..program }),
            Body::Failed(program, failure) => Body::Failed(Program { user, ..program }, failure),
            Body::Exit(ended) => Body::Exit(Ended { user, ..ended }),
            Body::Lost(_) | Body::Summary(_) => event.body,
        };
        self.shown.take(&Event { body, ..*event }, stands_for(event));
        self.flow()
    }

    /// There will be no more events: shows those that had to wait for that.
    pub(crate) fn settle(&mut self) {
        let Some(mut sorting) = self.shown.sorting.take() else { return };
        sorting.show(|event, stands_for| self.shown.take(event, stands_for));
        self.shown.turned_away += sorting.turned_away();
        self.shown.undelivered += sorting.unkept();
    }

    /// Says that there was no room for all that was to be sorted, if so.
    pub(crate) fn over_full(&self) -> Option<String> {
        self.shown.sorting.as_ref().and_then(Sorting::over_full)
    }

    /// An event that nobody asked to see.
    pub(crate) fn leave_out(&mut self, event: &Event<'_>) {
        self.shown.turned_away += stands_for(event);
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// A batch of events has come to its end: shows what is due, and catches up on names.
    pub(crate) fn batch_ends(&mut self) {
        if let Some(Names { users, resolver }) = &mut self.names {
            resolver.exchange(users);
        }
        self.shown.put_out(|sink| sink.batch_ends());
    }

    /// Whether what is shown has a form for reports.
    pub(crate) fn has_reports(&self) -> bool {
        self.shown.sink.has_reports()
    }

    /// Shows what there is to say at the end, before the account.
    pub(crate) fn report(&mut self, report: &Report<'_>) {
        self.shown.report(report);
    }

    /// Shows all that has been written so far.
    pub(crate) fn flush(&mut self) {
        self.shown.put_out(|sink| sink.flush());
    }

    /// What is shown cannot be written.
    pub(crate) fn has_failed(&self) -> bool {
        self.shown.failure.is_some()
    }

    /// Nothing more will be shown.
    pub(crate) fn is_over(&self) -> bool {
        let is_sorted = self.shown.sorting.as_ref().is_some_and(Sorting::is_over);
        is_sorted || self.shown.left == 0 || self.shown.failure.is_some()
    }

    /// When it is to be flushed, at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.shown.sink.due().filter(|_| self.shown.failure.is_none())
    }

    /// Events that have been shown, or wait for it, and such that were lost before they came
    /// here.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let waiting = self.shown.sorting.as_ref().map_or(0, Sorting::counted);
        (self.shown.delivered + waiting, self.lost)
    }

    /// Events that were turned away here.
    pub(crate) fn turned_away(&self) -> u64 {
        self.shown.turned_away + self.shown.sorting.as_ref().map_or(0, Sorting::turned_away)
    }

    /// The account of a recording, of which this shows what `filtered` is not: it was
    /// `recorded` with its account, and `unread` events of it could not be read.
    pub(crate) fn summary_again(&self, recorded: &Summary, filtered: u64, unread: u64) -> Summary {
        Summary {
            delivered: self.shown.delivered,
            folded: self.shown.folded,
            filtered: recorded.filtered + filtered + self.shown.turned_away,
            dropped: recorded.dropped + unread + self.shown.undelivered,
            damaged: recorded.damaged + unread,
            ..*recorded
        }
    }

    /// The account, with what others have counted.
    pub(crate) fn summary(&self, account: &Account, counts: Counts) -> Summary {
        Summary {
            seen: account.seen(),
            delivered: self.shown.delivered,
            folded: self.shown.folded,
            filtered: account.filtered() + counts.filtered + self.shown.turned_away,
            dropped: account.dropped() + counts.damaged + self.shown.undelivered,
            missed: account.missed(),
            skipped: account.skipped(),
            shortened: account.sum(|cpu| cpu.shortened),
            damaged: counts.damaged,
        }
    }

    /// Ends a stream of which nobody knows the account.
    pub(crate) fn end_without_account(mut self) -> io::Result<()> {
        self.flush();
        self.shown.failure.map_or(Ok(()), Err)
    }

    /// Writes what comes after the last event, or says what went wrong before.
    pub(crate) fn end(mut self, summary: &Event<'_>) -> io::Result<()> {
        if let Some(failure) = self.shown.failure.take() {
            return Err(failure);
        }
        self.shown.sink.end(summary)?;
        self.shown.sink.flush()
    }
}

/// How many events this one stands for, itself included.
fn stands_for(event: &Event<'_>) -> u64 {
    1 + u64::from(event.program().map_or(0, |program| program.folded))
}

/// The sink, and the count of what goes into it.
struct Shown {
    sink: Box<dyn Sink>,
    /// Where events are until they are to be shown in another order than that of time.
    sorting: Option<Sorting>,
    /// How many events may still be shown.
    left: u64,
    /// Those that the sink has, less those of them that did not get out of it.
    delivered: u64,
    folded: u64,
    /// Those after the last one that was asked for, and those that nobody asked for.
    turned_away: u64,
    undelivered: u64,
    failure: Option<io::Error>,
    /// How many events each of the sink's last ones stands for, as far as they may not
    /// be out yet.
    pending: VecDeque<u64>,
}

impl Shown {
    /// From so many on, it is asked which of them are out.
    const PENDING: usize = 4096;

    fn new(sink: Box<dyn Sink>, left: u64) -> Self {
        Self {
            sink,
            sorting: None,
            left,
            delivered: 0,
            folded: 0,
            turned_away: 0,
            undelivered: 0,
            failure: None,
            pending: VecDeque::new(),
        }
    }

    /// Takes an event that stands for so many, itself included; one that tells of others that
    /// were lost stands for none.
    fn take(&mut self, event: &Event<'_>, stands_for: u64) {
        match (&mut self.sorting, stands_for) {
            (Some(sorting), _) => sorting.keep(event, stands_for),
            (None, 0) => self.write(event),
            (None, _) => self.deliver(event, stands_for),
        }
    }

    /// Shows an event that stands for so many, itself included, or counts it.
    fn deliver(&mut self, event: &Event<'_>, stands_for: u64) {
        if self.failure.is_some() {
            self.undelivered += stands_for;
        } else if self.left == 0 {
            self.turned_away += stands_for;
        } else {
            self.left -= 1;
            self.delivered += stands_for;
            self.folded += stands_for - 1;
            self.hand_over(event, stands_for);
        }
    }

    /// Shows what is in no count.
    fn write(&mut self, event: &Event<'_>) {
        if self.failure.is_none() {
            self.hand_over(event, 0);
        }
    }

    fn hand_over(&mut self, event: &Event<'_>, stands_for: u64) {
        self.pending.push_back(stands_for);
        if let Err(error) = self.sink.event(event) {
            self.fail(error, self.sink.unwritten().max(1));
        } else if self.pending.len() > Self::PENDING {
            self.forget_those_out();
        }
    }

    /// Shows a report, which is in no count, either.
    fn report(&mut self, report: &Report<'_>) {
        if self.failure.is_none() {
            self.pending.push_back(0);
            if let Err(error) = self.sink.report(report) {
                self.fail(error, self.sink.unwritten().max(1));
            }
        }
    }

    fn put_out(&mut self, by: impl FnOnce(&mut dyn Sink) -> io::Result<()>) {
        if self.failure.is_some() {
            return;
        }
        match by(&mut *self.sink) {
            Ok(()) => self.forget_those_out(),
            Err(error) => self.fail(error, self.sink.unwritten()),
        }
    }

    fn forget_those_out(&mut self) {
        let out = self.pending.len().saturating_sub(self.sink.unwritten());
        self.pending.drain(..out);
    }

    /// So many of the last events are not out, and never will be.
    fn fail(&mut self, error: io::Error, unwritten: usize) {
        self.failure = Some(error);
        let lost = self.pending.len().min(unwritten);
        for stands_for in self.pending.drain(..).rev().take(lost) {
            self.delivered -= stands_for;
            self.folded -= stands_for.saturating_sub(1);
            self.undelivered += stands_for;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use exectrail_model::event::{Body, Event, Moment, Summary};
    use exectrail_sinks::Sink;

    use super::Shown;

    /// Keeps up to so many events until it is flushed, and has room for so many in all.
    struct Narrow {
        kept: usize,
        buffer: usize,
        room: usize,
    }

    impl Narrow {
        fn put_out(&mut self) -> io::Result<()> {
            let out = self.kept.min(self.room);
            self.kept -= out;
            self.room -= out;
            if self.kept == 0 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }
    }

    impl Sink for Narrow {
        fn begin(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn needs(&self) -> u32 {
            0
        }

        fn event(&mut self, _event: &Event<'_>) -> io::Result<()> {
            self.kept += 1;
            if self.kept > self.buffer { self.put_out() } else { Ok(()) }
        }

        fn end(&mut self, _summary: &Event<'_>) -> io::Result<()> {
            self.flush()
        }

        fn flush(&mut self) -> io::Result<()> {
            self.put_out()
        }

        fn unwritten(&self) -> usize {
            self.kept
        }
    }

    /// Every third event stands for two.
    #[test]
    fn what_is_not_out_is_not_delivered() {
        let moment = Moment { ktime: 0, wall: 0 };
        let event = Event { moment, body: Body::Summary(Summary::default()) };
        let sizes = |count: usize| (0..count).map(|number| 1 + u64::from(number % 3 == 0));
        for (buffer, room, flushed) in
            [(0, 7, 1), (3, 7, 100), (3, 8, 2), (100, 7, 100), (20_000, 9_001, 30_000)]
        {
            let mut shown = Shown::new(Box::new(Narrow { kept: 0, buffer, room }), u64::MAX);
            for (number, stands_for) in sizes(20_000).enumerate() {
                shown.deliver(&event, stands_for);
                if number % flushed == flushed - 1 {
                    shown.put_out(|sink| sink.flush());
                }
            }
            shown.put_out(|sink| sink.flush());
            let out: u64 = sizes(room).sum();
            assert_eq!(shown.delivered, out, "{buffer} {room}");
            assert_eq!(shown.folded, out - room as u64);
            assert_eq!(shown.delivered + shown.undelivered, sizes(20_000).sum::<u64>());
            assert!(shown.failure.is_some());
        }
    }
}
