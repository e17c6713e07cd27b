//! From records to the events that are wanted.
//!
//! What a record goes through, in this order: losses before it are told; its bytes
//! are checked and become an event ([`lift`](crate::lift)); the rules have their
//! last word; ends find the programs they belong to ([`lifetimes`](crate::lifetimes));
//! misses of walks along `PATH` are held back and folded ([`fold`](crate::fold)).
//! It makes no difference where the records come from.

use std::ops::ControlFlow;

use exectrail_abi::{fault::Loss, record::KIND_PIECE};

use crate::{
    event::{Body, Event, Lost, Moment},
    filter::Rules,
    lifetimes::Found,
    lift::{Host, Lifter, RecordError},
    losses::Losses,
    plan::Plan,
};

pub use course::{Again, Course};

mod course;
mod walks;

/// Takes events; `Break` says that there is no use for more.
pub type Taker<'t> = dyn FnMut(&Event<'_>) -> ControlFlow<()> + 't;

/// What has gone through. `received = told + filtered + held + damaged`, where an
/// event stands for itself and for those that are folded into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records, pieces of arguments not counted.
    pub received: u64,
    /// Events that the rules turned away.
    pub filtered: u64,
    /// Records that made no sense.
    pub damaged: u64,
}

/// The way from records to events.
#[derive(Debug)]
pub struct Pipeline {
    lifter: Lifter,
    losses: Losses,
    course: Course<Lifter>,
    received: u64,
    damaged: u64,
}

impl Again for Lifter {
    fn again<'a>(&'a mut self, bytes: &'a [u8], moment: Moment) -> Option<Event<'a>> {
        self.lift(bytes, moment.wall.wrapping_sub(moment.ktime.cast_signed())).ok()
    }
}

impl Pipeline {
    /// For the records of a trace of this plan, on a host of `cpus` possible CPUs.
    #[must_use]
    pub fn new(plan: &Plan, host: Host, cpus: u32) -> Self {
        let lifter = || Lifter::new(host, plan.environment.clone());
        let again = (plan.failed && plan.fold).then(lifter);
        Self {
            lifter: lifter(),
            losses: Losses::new(cpus),
            course: Course::new(plan.rules.clone(), plan.exits, again),
            received: 0,
            damaged: 0,
        }
    }

    /// The rules that hold.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.course.rules()
    }

    /// Of each rule, in their order: how often it has decided here. What the kernel
    /// side turns away does not come here.
    #[must_use]
    pub fn hits(&self) -> &[u64] {
        self.course.hits()
    }

    /// Puts other rules in the place of those that hold. A rule that was there before
    /// counts on.
    pub fn replace_rules(&mut self, rules: Rules) {
        self.course.replace_rules(rules);
    }

    /// Whether ends of processes are told, for which it is good to know what was
    /// there before.
    #[must_use]
    pub fn tells_ends(&self) -> bool {
        self.course.tells_ends()
    }

    /// What has gone through.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let Self { received, damaged, .. } = *self;
        Counts { received, filtered: self.course.filtered(), damaged }
    }

    /// A process was there when the trace began.
    pub fn found(&mut self, found: &Found) {
        self.course.found(found);
    }

    /// Takes a record. `wall_at_boot` is the wall clock's reading, in nanoseconds
    /// since 1970, when the boot clock stood at zero. Events go to `take`; also
    /// after a `Break`, of which the caller is told.
    pub fn record(
        &mut self,
        record: &[u8],
        wall_at_boot: i64,
        take: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        self.told(record, wall_at_boot, take).unwrap_or_else(|error| {
            self.received += 1;
            self.damaged += 1;
            log::warn!("damaged record: {error}");
            ControlFlow::Continue(())
        })
    }

    fn told(
        &mut self,
        record: &[u8],
        wall_at_boot: i64,
        take: &mut Taker<'_>,
    ) -> Result<ControlFlow<()>, RecordError> {
        let heading = Lifter::heading(record)?;
        let wall = wall_at_boot.wrapping_add(heading.ktime.cast_signed());
        let moment = Moment { ktime: heading.ktime, wall };
        let lost =
            tell(&mut self.course, self.losses.update(heading.lane, heading.lost), moment, take);
        if heading.kind == KIND_PIECE {
            self.lifter.keep_piece(record)?;
            return Ok(lost);
        }
        let event = self.lifter.lift(record, wall_at_boot)?;
        let flow = self.course.event(&event, record, take);
        self.received += 1;
        Ok(if lost.is_break() { lost } else { flow })
    }

    /// Takes what a lane has lost so far, from its counters: what no record has told.
    pub fn lost(
        &mut self,
        lane: u32,
        lost: [u32; Loss::COUNT],
        moment: Moment,
        take: &mut Taker<'_>,
    ) {
        // The account is told whole, whoever has had enough.
        let _ = tell(&mut self.course, self.losses.update(lane, lost), moment, take);
    }

    /// Releases what has been held back for long enough. `now` is the boot clock.
    pub fn tick(&mut self, now: u64, take: &mut Taker<'_>) {
        let _ = self.course.tick(now, take);
    }

    /// Releases all that is held back: there will be no more records.
    pub fn finish(&mut self, take: &mut Taker<'_>) {
        self.course.finish(take);
    }

    /// When, by the boot clock, the next [`tick`](Self::tick) has something to release.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.course.deadline()
    }
}

/// Tells losses, before what follows them.
fn tell(
    course: &mut Course<Lifter>,
    lost: impl Iterator<Item = Lost>,
    moment: Moment,
    take: &mut Taker<'_>,
) -> ControlFlow<()> {
    let mut flow = ControlFlow::Continue(());
    for lost in lost {
        let event = Event { moment, body: Body::Lost(lost) };
        if course.event(&event, &[], take).is_break() {
            flow = ControlFlow::Break(());
        }
    }
    flow
}

#[cfg(test)]
mod tests;
