//! What it takes to look at events: a decoder for what rests encoded, and what makes cells
//! of it. It changes nothing that is seen.

use exectrail_model::{cpid::BootId, event::Event, fields::Field};
use exectrail_recording::Decoder;
use exectrail_sinks::{Cells, Heading};
use jiff::tz::TimeZone;

use crate::store::Store;

/// How events are looked at.
pub struct Look {
    pub(crate) cells: Cells,
    pub(crate) headings: Vec<Heading>,
    /// Whether there are colours.
    pub(crate) color: bool,
    event: Decoder,
    end: Decoder,
}

/// An event, and the end of its process, if that is known.
pub(crate) type Seen<'s, 'e> = (&'s Event<'e>, Option<&'s Event<'e>>);

impl Look {
    /// At the events of this boot: these fields, or those that people want first.
    #[must_use]
    pub fn new(
        boot: Option<BootId>,
        fields: Option<&[&'static Field]>,
        color: bool,
        zone: Option<TimeZone>,
    ) -> Self {
        let cells = Cells::new(fields, zone);
        let headings = cells.headings().collect();
        Self { cells, headings, color, event: Decoder::new(boot), end: Decoder::new(boot) }
    }

    /// Looks at the event of this number.
    pub(crate) fn at<T>(
        &mut self,
        store: &Store,
        number: u64,
        look: impl FnOnce(&mut Cells, Seen<'_, '_>) -> T,
    ) -> Option<T> {
        let kept = store.get(number)?;
        let event = self.event.body(kept.bytes, kept.moment).ok()?;
        let end = kept.end.and_then(|end| store.get(end));
        let end = end.and_then(|end| self.end.body(end.bytes, end.moment).ok());
        Some(look(&mut self.cells, (&event, end.as_ref())))
    }
}
