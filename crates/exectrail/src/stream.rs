//! From the sensor to the sink: the last word of the rules, names, and the count.

use std::{io, ops::ControlFlow};

use exectrail_model::{
    enrich::users::Users,
    event::{Body, Ended, Event, Failure, Program, Summary},
    filter::Rules,
    plan::Plan,
};
use exectrail_sensor::KernelCounts;
use exectrail_sinks::Sink;

use crate::{
    lifetimes::{End, Lifetimes},
    users::{self, Resolver},
};

/// Everything that a trace shows, on its way out.
pub(crate) struct Stream<'p> {
    rules: &'p Rules,
    /// Only where ends are told, which alone take processes out of it.
    lifetimes: Option<Lifetimes>,
    users: Users,
    resolver: Resolver,
    shown: Shown,
}

impl<'p> Stream<'p> {
    /// A stream that shows at most `count` events.
    pub(crate) fn new(plan: &'p Plan, sink: Box<dyn Sink>, count: Option<u64>) -> Self {
        Self {
            rules: &plan.rules,
            lifetimes: plan.exits.then(Lifetimes::default),
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
        match &event.body {
            Body::Exec(program) => self.exec(event, program),
            Body::Failed(program, failure) => self.failed(event, program, *failure),
            Body::Exit(ended) => self.ended(event, ended),
            Body::Lost(_) | Body::Summary(_) => self.shown.write(event),
        }
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn exec(&mut self, event: &Event<'_>, program: &Program<'_>) {
        let wanted = self.rules.keep(program);
        if let Some(lifetimes) = &mut self.lifetimes {
            lifetimes.exec(&program.process, wanted);
        }
        if self.shown.admits(wanted) {
            let user = program.creds.and_then(|creds| self.users.get(creds.uid));
            let body = Body::Exec(Program { user, ..*program });
            self.shown.deliver(&Event { moment: event.moment, body });
        }
    }

    fn failed(&mut self, event: &Event<'_>, program: &Program<'_>, failure: Failure) {
        if self.shown.admits(self.rules.keep(program)) {
            let user = program.creds.and_then(|creds| self.users.get(creds.uid));
            let body = Body::Failed(Program { user, ..*program }, failure);
            self.shown.deliver(&Event { moment: event.moment, body });
        }
    }

    fn ended(&mut self, event: &Event<'_>, ended: &Ended<'_>) {
        // Without rules every process is of interest, with rules only one whose
        // program was.
        let wanted = match self.lifetimes.as_mut().map(|all| all.end(&ended.process)) {
            Some(End::ToldBefore) => false,
            Some(End::OfProgram { wanted }) => wanted,
            Some(End::OfUnknown) | None => self.rules.is_empty(),
        };
        if self.shown.admits(wanted) {
            let user = ended.creds.and_then(|creds| self.users.get(creds.uid));
            let body = Body::Exit(Ended { user, ..*ended });
            self.shown.deliver(&Event { moment: event.moment, body });
        }
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

    /// The account, with the kernel's part of it.
    pub(crate) fn summary(&self, kernel: KernelCounts, damaged: u64) -> Summary {
        Summary {
            seen: kernel.seen,
            delivered: self.shown.delivered,
            filtered: kernel.filtered + self.shown.filtered,
            dropped: kernel.dropped + damaged + self.shown.undelivered,
            missed: kernel.missed,
            damaged,
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
    filtered: u64,
    undelivered: u64,
    failure: Option<io::Error>,
}

impl Shown {
    fn new(sink: Box<dyn Sink>, left: u64) -> Self {
        Self { sink, left, delivered: 0, filtered: 0, undelivered: 0, failure: None }
    }

    /// Whether an event that is wanted, or not, can be shown; if not, it is counted.
    fn admits(&mut self, wanted: bool) -> bool {
        if self.failure.is_some() {
            self.undelivered += 1;
            return false;
        }
        let admitted = wanted && self.left > 0;
        if !admitted {
            self.filtered += 1;
        }
        admitted
    }

    fn deliver(&mut self, event: &Event<'_>) {
        self.left -= 1;
        self.write(event);
        if self.failure.is_some() {
            self.undelivered += 1;
        } else {
            self.delivered += 1;
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
