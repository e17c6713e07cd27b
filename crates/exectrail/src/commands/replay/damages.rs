//! What of a recording could not be read, in words.

use exectrail_recording::{Damage, End};

use crate::words::say;

/// Damaged places that are told one by one.
const TOLD: usize = 10;

/// What could not be read so far.
#[derive(Default)]
pub(super) struct Damages {
    places: usize,
    bytes: u64,
    /// Events in them, as far as that is known.
    events: u64,
    /// Events in whole frames that made no sense.
    senseless: u64,
}

impl Damages {
    pub(super) fn take(&mut self, damage: Damage) {
        let Damage { offset, bytes, events } = damage;
        self.places += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.events = self.events.saturating_add(events.unwrap_or(0));
        if self.places > TOLD {
            return;
        }
        let what = match bytes {
            0 => "something is missing there".to_owned(),
            bytes => format!("{bytes} bytes make no sense"),
        };
        let events = match events {
            Some(0) => "no event was in them".to_owned(),
            Some(events) => format!("{events} events were in them"),
            None => "nobody knows how many events were in them".to_owned(),
        };
        say(format_args!("the recording is damaged at byte {offset}: {what}; {events}"));
    }

    /// Events that stood in whole frames, and made no sense.
    pub(super) fn count(&mut self, senseless: u64) {
        self.senseless = senseless;
    }

    /// Events in the damaged places, as far as that is known.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places == 0 && self.senseless == 0
    }

    /// Says what is still to be said.
    pub(super) fn say(&self, end: End) {
        if self.places > TOLD {
            let Self { places, bytes, events, .. } = self;
            say(format_args!(
                "in all, it is damaged in {places} places: {bytes} bytes, {events} events"
            ));
        }
        if self.senseless > 0 {
            say(format_args!("{} events in whole frames make no sense", self.senseless));
        }
        if !end.is_whole {
            let rest = match end.rest {
                0 => String::new(),
                1 => "; 1 byte after the last whole frame was not read".to_owned(),
                rest => format!("; {rest} bytes after the last whole frame were not read"),
            };
            say(format_args!(
                "the recording ends without its account: it was cut, or is still being written{rest}"
            ));
        }
    }
}
