//! From the sensor to the sink: the last word of the rules, and the count.

use std::{io, ops::ControlFlow};

use exectrail_model::{
    event::{Body, Event, Program, Summary},
    filter::Rules,
};
use exectrail_sensor::KernelCounts;
use exectrail_sinks::Sink;

/// Everything that a trace shows, on its way out.
pub(crate) struct Stream<'p> {
    rules: &'p Rules,
    sink: Box<dyn Sink>,
    /// How many execs may still be shown.
    left: u64,
    delivered: u64,
    filtered: u64,
    undelivered: u64,
    failure: Option<io::Error>,
}

impl<'p> Stream<'p> {
    /// A stream that shows at most `count` execs.
    pub(crate) fn new(rules: &'p Rules, sink: Box<dyn Sink>, count: Option<u64>) -> Self {
        Self {
            rules,
            sink,
            left: count.unwrap_or(u64::MAX),
            delivered: 0,
            filtered: 0,
            undelivered: 0,
            failure: None,
        }
    }

    /// Writes what comes before the first event.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.sink.begin()?;
        self.sink.flush()
    }

    /// Takes an event; `Break` once there is no use for more.
    pub(crate) fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        match &event.body {
            Body::Exec(program) | Body::Failed(program, _) => self.take_program(event, program),
            Body::Lost(_) | Body::Summary(_) => self.write(event),
        }
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn take_program(&mut self, event: &Event<'_>, program: &Program<'_>) {
        if self.failure.is_some() {
            self.undelivered += 1;
        } else if self.left == 0 || !self.rules.keep(program) {
            self.filtered += 1;
        } else {
            self.left -= 1;
            self.write(event);
            if self.failure.is_some() { self.undelivered += 1 } else { self.delivered += 1 }
        }
    }

    fn write(&mut self, event: &Event<'_>) {
        if self.failure.is_none() {
            self.failure = self.sink.event(event).err();
        }
    }

    /// Shows what has been written so far.
    pub(crate) fn flush(&mut self) {
        if self.failure.is_none() {
            self.failure = self.sink.flush().err();
        }
    }

    /// Nothing more will be shown.
    pub(crate) fn is_over(&self) -> bool {
        self.left == 0 || self.failure.is_some()
    }

    /// The account, with the kernel's part of it.
    pub(crate) fn summary(&self, kernel: KernelCounts, damaged: u64) -> Summary {
        Summary {
            seen: kernel.seen,
            delivered: self.delivered,
            filtered: kernel.filtered + self.filtered,
            dropped: kernel.dropped + damaged + self.undelivered,
            missed: kernel.missed,
            damaged,
        }
    }

    /// Writes what comes after the last event, or says what went wrong before.
    pub(crate) fn end(mut self, summary: &Event<'_>) -> io::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.sink.end(summary)?;
        self.sink.flush()
    }
}
