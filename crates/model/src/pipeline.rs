//! From records to the events that are wanted.
//!
//! What a record goes through, in this order: losses before it are told; its bytes
//! are checked and become an event ([`lift`](crate::lift)); the rules have their
//! last word; ends find the programs they belong to ([`lifetimes`](crate::lifetimes));
//! misses of walks along `PATH` are held back and folded ([`fold`](crate::fold)).
//! It makes no difference where the records come from.

use std::{collections::HashMap, ops::ControlFlow};

use exectrail_abi::{
    fault::Loss,
    record::{FLAG_CHECK, FLAG_IMAGE_LOST, KIND_EXIT, KIND_FAILED, KIND_PIECE},
};

use crate::{
    event::{Body, Ended, Event, Moment},
    filter::{Rules, Subject},
    lifetimes::{End, Found, Lifetimes},
    lift::{Heading, Host, Lifter, RecordError},
    losses::Losses,
    plan::Plan,
};

use walks::{Walks, standing_for};

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
    judged: Judged,
    /// Only where ends are told, which alone take processes out of it.
    lifetimes: Option<Lifetimes>,
    walks: Option<Walks>,
    counts: Counts,
}

/// The rules, and how often each has decided.
#[derive(Debug)]
struct Judged {
    rules: Rules,
    hits: Vec<u64>,
}

impl Judged {
    fn new(rules: Rules) -> Self {
        let hits = vec![0; rules.len()];
        Self { rules, hits }
    }

    /// Whether the rules want `subject`; the one that says so is counted.
    fn by(&mut self, subject: &Subject<'_>) -> bool {
        let decision = self.rules.decide(subject);
        if let Some(hits) = decision.rule.and_then(|rule| self.hits.get_mut(rule)) {
            *hits += 1;
        }
        decision.keep
    }
}

impl Pipeline {
    /// For the records of a trace of this plan, on a host of `cpus` possible CPUs.
    #[must_use]
    pub fn new(plan: &Plan, host: Host, cpus: u32) -> Self {
        Self {
            lifter: Lifter::new(host, plan.environment.clone()),
            losses: Losses::new(cpus),
            judged: Judged::new(plan.rules.clone()),
            lifetimes: plan.exits.then(Lifetimes::default),
            walks: (plan.failed && plan.fold).then(|| Walks::new(host, &plan.environment)),
            counts: Counts::default(),
        }
    }

    /// The rules that hold.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.judged.rules
    }

    /// Of each rule, in their order: how often it has decided here. What the kernel
    /// side turns away does not come here.
    #[must_use]
    pub fn hits(&self) -> &[u64] {
        &self.judged.hits
    }

    /// Puts other rules in the place of those that hold. A rule that was there before
    /// counts on.
    pub fn replace_rules(&mut self, rules: Rules) {
        let new = Judged::new(rules);
        let old = std::mem::replace(&mut self.judged, new);
        let mut counted: HashMap<_, u64> = HashMap::new();
        for (rule, hits) in old.rules.iter().zip(old.hits) {
            *counted.entry((rule.verdict, rule.to_string())).or_default() += hits;
        }
        for (rule, hits) in self.judged.rules.iter().zip(&mut self.judged.hits) {
            *hits = counted.remove(&(rule.verdict, rule.to_string())).unwrap_or(0);
        }
    }

    /// Whether ends of processes are told, for which it is good to know what was
    /// there before.
    #[must_use]
    pub fn tells_ends(&self) -> bool {
        self.lifetimes.is_some()
    }

    /// What has gone through.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// A process was there when the trace began.
    pub fn found(&mut self, found: &Found) {
        if let Some(lifetimes) = &mut self.lifetimes {
            lifetimes.found(found, self.judged.rules.keep(&Subject::started(&found.program())));
        }
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
        let mut out = Out { take, flow: ControlFlow::Continue(()) };
        let told = Lifter::heading(record)
            .and_then(|heading| self.told(heading, record, wall_at_boot, &mut out));
        if let Err(error) = told {
            self.counts.received += 1;
            self.counts.damaged += 1;
            log::warn!("damaged record: {error}");
        }
        out.flow
    }

    fn told(
        &mut self,
        heading: Heading,
        record: &[u8],
        wall_at_boot: i64,
        out: &mut Out<'_, '_>,
    ) -> Result<(), RecordError> {
        let wall = wall_at_boot.wrapping_add(heading.ktime.cast_signed());
        let moment = Moment { ktime: heading.ktime, wall };
        for lost in self.losses.update(heading.lane, heading.lost) {
            out.put(&Event { moment, body: Body::Lost(lost) });
        }
        match heading.kind {
            KIND_PIECE => return self.lifter.keep_piece(record),
            KIND_EXIT => self.ended(record, wall_at_boot, out)?,
            KIND_FAILED => self.failed(record, wall_at_boot, out)?,
            _ => self.exec(record, wall_at_boot, out)?,
        }
        self.counts.received += 1;
        Ok(())
    }

    fn exec(
        &mut self,
        record: &[u8],
        wall_at_boot: i64,
        out: &mut Out<'_, '_>,
    ) -> Result<(), RecordError> {
        let Self { lifter, judged, lifetimes, walks, counts, .. } = self;
        let event = lifter.lift(record, wall_at_boot)?;
        let Some(program) = event.program() else { return Ok(()) };
        let wanted = judged.by(&Subject::started(program));
        if let Some(lifetimes) = lifetimes {
            lifetimes.exec(program, wanted);
        }
        // What is released by this happened before.
        let folded = walks.as_mut().map_or(0, |walks| walks.end_with(&event, wanted, out));
        if wanted {
            out.put(&standing_for(&event, folded));
        } else {
            counts.filtered += 1;
        }
        Ok(())
    }

    fn failed(
        &mut self,
        record: &[u8],
        wall_at_boot: i64,
        out: &mut Out<'_, '_>,
    ) -> Result<(), RecordError> {
        let Self { lifter, judged, lifetimes, walks, counts, .. } = self;
        let event = lifter.lift(record, wall_at_boot)?;
        let Body::Failed(program, failure) = &event.body else { return Ok(()) };
        let wanted = judged.by(&Subject { program, failure: Some(*failure) });
        if program.flags & FLAG_IMAGE_LOST != 0
            && let Some(lifetimes) = lifetimes
        {
            // It was started far enough to end what was there before, and itself.
            lifetimes.exec(program, wanted);
        }
        if !wanted {
            counts.filtered += 1;
            return Ok(());
        }
        // A question for permission is no try to start something.
        match walks.as_mut().filter(|_| program.flags & FLAG_CHECK == 0) {
            Some(walks) => walks.goes_on(&event, record, wall_at_boot, out),
            None => out.put(&event),
        }
        Ok(())
    }

    fn ended(
        &mut self,
        record: &[u8],
        wall_at_boot: i64,
        out: &mut Out<'_, '_>,
    ) -> Result<(), RecordError> {
        if let Some(walks) = &mut self.walks {
            walks.end_of(Lifter::process_of_end(record)?.pid, out);
        }
        let event = self.lifter.lift(record, wall_at_boot)?;
        let (Body::Exit(ended), moment) = (event.body, event.moment) else { return Ok(()) };
        // Without rules every process is of interest, with rules only one whose
        // program was.
        let end = self.lifetimes.as_mut().map_or(End::OfUnknown, |all| all.end(&ended.process));
        let (wanted, life) = match end {
            End::ToldBefore => (false, None),
            End::Of(life) => (life.wanted, Some(life)),
            End::OfUnknown => (self.judged.rules.is_empty(), None),
        };
        if wanted {
            let program = life.as_ref().map(|life| life.program());
            out.put(&Event { moment, body: Body::Exit(Ended { program, ..ended }) });
        } else {
            self.counts.filtered += 1;
        }
        Ok(())
    }

    /// Takes what a lane has lost so far, from its counters: what no record has told.
    pub fn lost(
        &mut self,
        lane: u32,
        lost: [u32; Loss::COUNT],
        moment: Moment,
        take: &mut Taker<'_>,
    ) {
        for lost in self.losses.update(lane, lost) {
            // The account is told whole, whoever has had enough.
            let _ = take(&Event { moment, body: Body::Lost(lost) });
        }
    }

    /// Releases what has been held back for long enough. `now` is the boot clock.
    pub fn tick(&mut self, now: u64, take: &mut Taker<'_>) {
        let mut out = Out { take, flow: ControlFlow::Continue(()) };
        if let Some(walks) = &mut self.walks {
            walks.tick(now, &mut out);
        }
    }

    /// Releases all that is held back: there will be no more records.
    pub fn finish(&mut self, take: &mut Taker<'_>) {
        let mut out = Out { take, flow: ControlFlow::Continue(()) };
        if let Some(walks) = &mut self.walks {
            walks.finish(&mut out);
        }
    }

    /// When, by the boot clock, the next [`tick`](Self::tick) has something to release.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.walks.as_ref().and_then(Walks::deadline)
    }
}

/// Where events go, and whether there is use for more.
struct Out<'o, 't> {
    take: &'o mut Taker<'t>,
    flow: ControlFlow<()>,
}

impl Out<'_, '_> {
    fn put(&mut self, event: &Event<'_>) {
        if (self.take)(event).is_break() {
            self.flow = ControlFlow::Break(());
        }
    }
}

#[cfg(test)]
mod tests;
