//! From the sensor to the sink: names, and the count.

use std::{io, ops::ControlFlow};

use exectrail_model::{
    enrich::users::Users,
    event::{Body, Ended, Event, Program, Summary},
    pipeline::Counts,
};
use exectrail_sensor::Account;
use exectrail_sinks::Sink;

use crate::users::{self, Resolver};

/// Everything that a trace shows, on its way out.
pub(crate) struct Stream {
    users: Users,
    resolver: Resolver,
    shown: Shown,
}

impl Stream {
    /// A stream that shows at most `count` events.
    pub(crate) fn new(sink: Box<dyn Sink>, count: Option<u64>) -> Self {
        Self {
            users: users::of_this_host(),
            resolver: Resolver::start(),
            shown: Shown::new(sink, count.unwrap_or(u64::MAX)),
        }
    }

    /// Writes what comes before the first event.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.shown.sink.begin()?;
        self.shown.sink.flush()
    }

    /// Takes an event; `Break` once there is no use for more.
    pub(crate) fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let creds = match &event.body {
            Body::Exec(program) | Body::Failed(program, _) => program.creds,
            Body::Exit(ended) => ended.creds,
            Body::Lost(_) | Body::Summary(_) => {
                self.shown.write(event);
                return self.flow();
            }
        };
        let user = creds.and_then(|creds| self.users.get(creds.uid));
        let body = match event.body {
            Body::Exec(program) => Body::Exec(Program { user, ..program }),
            Body::Failed(program, failure) => Body::Failed(Program { user, ..program }, failure),
            Body::Exit(ended) => Body::Exit(Ended { user, ..ended }),
            Body::Lost(_) | Body::Summary(_) => event.body,
        };
        let stands_for = 1 + u64::from(event.program().map_or(0, |program| program.folded));
        self.shown.deliver(&Event { body, ..*event }, stands_for);
        self.flow()
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Shows what has been written so far, and catches up on names.
    pub(crate) fn flush(&mut self) {
        self.resolver.exchange(&mut self.users);
        self.shown.flush();
    }

    /// Nothing more will be shown.
    pub(crate) fn is_over(&self) -> bool {
        self.shown.left == 0 || self.shown.failure.is_some()
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

    /// Writes what comes after the last event, or says what went wrong before.
    pub(crate) fn end(mut self, summary: &Event<'_>) -> io::Result<()> {
        if let Some(failure) = self.shown.failure.take() {
            return Err(failure);
        }
        self.shown.sink.end(summary)?;
        self.shown.sink.flush()
    }
}

/// The sink, and the count of what goes into it.
struct Shown {
    sink: Box<dyn Sink>,
    /// How many events may still be shown.
    left: u64,
    delivered: u64,
    folded: u64,
    /// Those after the last one that was asked for.
    turned_away: u64,
    undelivered: u64,
    failure: Option<io::Error>,
}

impl Shown {
    fn new(sink: Box<dyn Sink>, left: u64) -> Self {
        Self { sink, left, delivered: 0, folded: 0, turned_away: 0, undelivered: 0, failure: None }
    }

    /// Shows an event that stands for so many, itself included, or counts it.
    fn deliver(&mut self, event: &Event<'_>, stands_for: u64) {
        if self.failure.is_none() && self.left == 0 {
            self.turned_away += stands_for;
            return;
        }
        self.write(event);
        if self.failure.is_some() {
            self.undelivered += stands_for;
        } else {
            self.left -= 1;
            self.delivered += stands_for;
            self.folded += stands_for - 1;
        }
    }

    fn write(&mut self, event: &Event<'_>) {
        if self.failure.is_none() {
            self.failure = self.sink.event(event).err();
        }
    }

    fn flush(&mut self) {
        if self.failure.is_none() {
            self.failure = self.sink.flush().err();
        }
    }
}
