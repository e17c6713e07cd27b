//! Playing: the events of a recording, as a trace with these rules would have told them.

use std::ops::ControlFlow;

use exectrail_model::{
    event::{Body, Event, Moment, Summary},
    filter::Rules,
    pipeline::{Course, Taker},
};

use crate::{Decoder, Description, Items};

/// Plays a recording: its events go the way that those of a trace go.
#[derive(Debug)]
pub struct Player {
    decoder: Decoder,
    course: Course<Decoder>,
    account: Option<Summary>,
    unread: u64,
    last: Moment,
}

impl Player {
    /// For a recording of this description; the misses of walks along `PATH` are folded,
    /// as a trace folds them, or each is told.
    #[must_use]
    pub fn new(description: &Description, rules: Rules, fold: bool) -> Self {
        let decoder = || Decoder::new(description.boot);
        let again = (description.failed && fold).then(decoder);
        Self {
            decoder: decoder(),
            course: Course::new(rules, description.exits, again),
            account: None,
            unread: 0,
            last: description.begun,
        }
    }

    /// Hands over the events of a frame that are wanted. What makes no sense is counted.
    pub fn play(&mut self, mut items: Items<'_>, take: &mut Taker<'_>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        loop {
            let left = items.left();
            let item = match items.next() {
                Some(Ok(item)) => item,
                Some(Err(_)) => {
                    self.unread += u64::from(left);
                    return flow;
                }
                None => return flow,
            };
            let Ok(event) = self.decoder.body(item.bytes, item.moment) else {
                self.unread += 1;
                continue;
            };
            self.last = event.moment;
            if let Body::Summary(summary) = event.body {
                self.account = Some(summary);
            } else if self.course.event(&event, item.bytes, take).is_break() {
                flow = ControlFlow::Break(());
            }
        }
    }

    /// Hands over what has been held back: there is no more.
    pub fn finish(&mut self, take: &mut Taker<'_>) {
        self.course.finish(&mut |event: &Event<'_>| take(event));
    }

    /// The account that stands at the end of a recording that is whole.
    #[must_use]
    pub fn account(&self) -> Option<Summary> {
        self.account
    }

    /// Events that the rules turned away.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.course.filtered()
    }

    /// Events that were in whole frames and made no sense.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// When the last event happened, or the recording began; that of the account, with one.
    #[must_use]
    pub fn last(&self) -> Moment {
        self.last
    }
}
