//! What an event goes through once it is one, wherever it comes from: the rules, the
//! lifetimes of processes, the walks along `PATH`.

use std::{collections::HashMap, ops::ControlFlow};

use exectrail_abi::record::{FLAG_CHECK, FLAG_IMAGE_LOST};

use crate::{
    event::{Body, Ended, Event, Failure, Moment, Program},
    filter::{Rules, Subject},
    lifetimes::{End, Found, Lifetimes},
};

use super::{
    Taker,
    walks::{Walks, standing_for},
};

/// Makes an event again, of what it was made of.
pub trait Again {
    /// The event whose bytes these are, at this moment; none if they are of no event.
    fn again<'a>(&'a mut self, bytes: &'a [u8], moment: Moment) -> Option<Event<'a>>;
}

/// The way of events, from the first that is known of them to those who want them.
#[derive(Debug)]
pub struct Course<A> {
    judged: Judged,
    /// Only where ends are told, which alone take processes out of it.
    lifetimes: Option<Lifetimes>,
    walks: Option<Walks<A>>,
    /// Events that the rules turned away.
    filtered: u64,
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

impl<A: Again> Course<A> {
    /// For events that these rules judge, with the ends of processes among them or
    /// without. The misses of walks are folded where there is something that makes them
    /// events `again`.
    #[must_use]
    pub fn new(rules: Rules, exits: bool, again: Option<A>) -> Self {
        Self {
            judged: Judged::new(rules),
            lifetimes: exits.then(Lifetimes::default),
            walks: again.map(Walks::new),
            filtered: 0,
        }
    }

    /// Takes what happened at a moment, of which `bytes` make the event again. What is
    /// wanted goes to `take`, maybe later, also after a `Break`, of which the caller is
    /// told.
    pub fn event(
        &mut self,
        event: &Event<'_>,
        bytes: &[u8],
        take: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        let mut out = Out { take, flow: ControlFlow::Continue(()) };
        self.tick_into(event.moment.ktime, &mut out);
        match &event.body {
            Body::Exec(program) => self.exec(event, program, &mut out),
            Body::Failed(program, failure) => {
                self.failed(event, (program, *failure), bytes, &mut out);
            }
            Body::Exit(ended) => self.ended(event, ended, &mut out),
            Body::Lost(_) | Body::Summary(_) => out.put(event),
        }
        out.flow
    }

    fn exec(&mut self, event: &Event<'_>, program: &Program<'_>, out: &mut Out<'_, '_>) {
        let wanted = self.judged.by(&Subject::started(program));
        if let Some(lifetimes) = &mut self.lifetimes {
            lifetimes.exec(program, wanted);
        }
        // What is released by this happened before.
        let folded = self.walks.as_mut().map_or(0, |walks| walks.end_with(event, wanted, out));
        if !wanted {
            self.filtered += 1;
        } else if folded == program.folded {
            out.put(event);
        } else {
            out.put(&standing_for(event, folded));
        }
    }

    fn failed(
        &mut self,
        event: &Event<'_>,
        (program, failure): (&Program<'_>, Failure),
        bytes: &[u8],
        out: &mut Out<'_, '_>,
    ) {
        let wanted = self.judged.by(&Subject { program, failure: Some(failure) });
        if program.flags & FLAG_IMAGE_LOST != 0
            && let Some(lifetimes) = &mut self.lifetimes
        {
            // It was started far enough to end what was there before, and itself.
            lifetimes.exec(program, wanted);
        }
        if !wanted {
            self.filtered += 1;
            return;
        }
        // A question for permission is no try to start something.
        match self.walks.as_mut().filter(|_| program.flags & FLAG_CHECK == 0) {
            Some(walks) => walks.goes_on(event, bytes, out),
            None => out.put(event),
        }
    }

    fn ended(&mut self, event: &Event<'_>, ended: &Ended<'_>, out: &mut Out<'_, '_>) {
        if let Some(walks) = &mut self.walks {
            walks.end_of(ended.process.pid, out);
        }
        let end = self.lifetimes.as_mut().map_or(End::OfUnknown, |all| all.end(&ended.process));
        let (wanted, life) = match end {
            End::ToldBefore => (false, None),
            End::Of(life) => (life.wanted, Some(life)),
            End::OfUnknown => (self.wants_end_of_unknown(ended), None),
        };
        if wanted {
            let program = life.as_ref().map(|life| life.program()).or(ended.program);
            out.put(&Event { body: Body::Exit(Ended { program, ..*ended }), ..*event });
        } else {
            self.filtered += 1;
        }
    }

    /// Without rules every process is of interest, with rules only one whose program is:
    /// of that, an end that was told before can know.
    fn wants_end_of_unknown(&self, ended: &Ended<'_>) -> bool {
        let rules = &self.judged.rules;
        let Some(last) = ended.program else { return rules.is_empty() };
        let (process, tid) = (ended.process, ended.process.pid);
        let program = Program { process, tid, exe: last.exe, args: last.args, ..Program::UNKNOWN };
        rules.keep(&Subject::started(&program))
    }

    /// Releases what has been held back for long enough. `now` is the boot clock.
    pub fn tick(&mut self, now: u64, take: &mut Taker<'_>) -> ControlFlow<()> {
        let mut out = Out { take, flow: ControlFlow::Continue(()) };
        self.tick_into(now, &mut out);
        out.flow
    }

    fn tick_into(&mut self, now: u64, out: &mut Out<'_, '_>) {
        if let Some(walks) = &mut self.walks {
            walks.tick(now, out);
        }
    }

    /// Releases all that is held back: there will be no more events.
    pub fn finish(&mut self, take: &mut Taker<'_>) {
        let mut out = Out { take, flow: ControlFlow::Continue(()) };
        if let Some(walks) = &mut self.walks {
            walks.finish(&mut out);
        }
    }
}

impl<A> Course<A> {
    /// When, by the boot clock, the next [`tick`](Self::tick) has something to release.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.walks.as_ref().and_then(Walks::deadline)
    }

    /// Events that the rules turned away.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.filtered
    }

    /// Whether ends of processes are told.
    pub(super) fn tells_ends(&self) -> bool {
        self.lifetimes.is_some()
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.judged.rules
    }

    pub(super) fn hits(&self) -> &[u64] {
        &self.judged.hits
    }

    /// Puts other rules in the place of those that hold. A rule that was there before
    /// counts on.
    pub(super) fn replace_rules(&mut self, rules: Rules) {
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

    /// A process was there when the trace began.
    pub(super) fn found(&mut self, found: &Found) {
        if let Some(lifetimes) = &mut self.lifetimes {
            lifetimes.found(found, self.judged.rules.keep(&Subject::started(&found.program())));
        }
    }
}

/// Where events go, and whether there is use for more.
pub(super) struct Out<'o, 't> {
    take: &'o mut Taker<'t>,
    flow: ControlFlow<()>,
}

impl Out<'_, '_> {
    pub(super) fn put(&mut self, event: &Event<'_>) {
        if (self.take)(event).is_break() {
            self.flow = ControlFlow::Break(());
        }
    }
}
