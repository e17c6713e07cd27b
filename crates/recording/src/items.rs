//! The events of a frame, one after the other.

use exectrail_model::event::Moment;

use crate::wire::{Bytes, Malformed};

/// An event that has not been decoded.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// When it happened.
    pub moment: Moment,
    /// The rest of it, for [`Decoder::body`](crate::Decoder::body).
    pub bytes: &'a [u8],
}

/// The events of a frame.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    bytes: Bytes<'a>,
    before: Moment,
    left: u32,
}

impl<'a> Items<'a> {
    pub(crate) fn new(bytes: &'a [u8], count: u32) -> Self {
        Self { bytes: Bytes(bytes), before: Moment::default(), left: count }
    }

    /// How many there are still.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    fn read(&mut self) -> Result<Item<'a>, Malformed> {
        let mut item = Bytes(self.bytes.string()?);
        let offset = self.before.wall.wrapping_sub(self.before.ktime.cast_signed());
        let ktime = self.before.ktime.wrapping_add(item.signed()?.cast_unsigned());
        let wall = ktime.cast_signed().wrapping_add(offset).wrapping_add(item.signed()?);
        self.before = Moment { ktime, wall };
        Ok(Item { moment: self.before, bytes: item.0 })
    }
}

/// Behind what makes no sense, there is nothing more.
impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let item = self.read();
        self.left = if item.is_ok() { self.left - 1 } else { 0 };
        Some(item)
    }
}
