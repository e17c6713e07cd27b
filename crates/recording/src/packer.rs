//! Events one by one, outside of any frame.

use exectrail_model::{cpid::BootId, event::Event};

use crate::{Decoder, Items, encode::Encoder, wire::Malformed};

/// Makes bytes of events, and events of these: each by itself, so that they can be had again
/// in any order.
#[derive(Debug)]
pub struct Packer {
    encoder: Encoder,
    decoder: Decoder,
}

impl Packer {
    /// For the events of a host since this boot, if it is known.
    #[must_use]
    pub fn new(boot: Option<BootId>) -> Self {
        Self { encoder: Encoder::new(boot), decoder: Decoder::new(boot) }
    }

    /// Appends an event.
    pub fn pack(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        // Its time is not told by that of another.
        self.encoder.begin_frame();
        self.encoder.event(event, out);
    }

    /// The event that was packed into these bytes.
    ///
    /// # Errors
    ///
    /// When they make no sense.
    pub fn unpack<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Event<'a>, Malformed> {
        let item = Items::new(bytes, 1).next().unwrap_or(Err(Malformed(0)))?;
        self.decoder.body(item.bytes, item.moment)
    }
}
